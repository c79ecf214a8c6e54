//! What anybody may ask.

use crate::{
    answer::{Done, FirstWelcome, Html, Shown, Status, Text, Welcome},
    input::Json,
    refusal::Refusal,
    row::Cx,
};
use http::StatusCode;
use mosaic_protocol::{
    account::{Info, LoginRequest, RecoveryRequest, SetupRequest},
    invite::AcceptInviteRequest,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) async fn health(_: Cx, (): ()) -> Result<Text, Refusal> {
    Ok(Text { status: StatusCode::OK, media: "text/plain; charset=utf-8", text: "ok\n".into() })
}

/// Whether every part is ready, part by part.
#[derive(Serialize, JsonSchema)]
pub(super) struct Ready {
    ready: bool,
    /// `ok`, or what is wrong in a few words. Without the bus nothing is lost, so a gateway is ready without it.
    parts: BTreeMap<&'static str, &'static str>,
}

pub(super) async fn ready(cx: Cx, (): ()) -> Result<Status<Ready>, Refusal> {
    let database = match cx.gateway().store().db().ping().await {
        Ok(()) => "ok",
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            "does not answer"
        }
    };
    let ready = database == "ok" && !*cx.state.stopping.borrow();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut parts = BTreeMap::from([("database", database)]);
    parts.extend(cx.gateway().store().bus().map(|bus| ("bus", bus.state.words())));
    Ok(Status(status, Ready { ready, parts }))
}

/// Any JSON.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Document(serde_json::Value);

pub(super) async fn openapi(cx: Cx, (): ()) -> Result<Shown<Document>, Refusal> {
    Ok(Shown(Document(crate::openapi(cx.state.settings.metrics_open))))
}

pub(super) async fn docs(cx: Cx, (): ()) -> Result<Html, Refusal> {
    Ok(Html(crate::docs::page(&crate::openapi(cx.state.settings.metrics_open))))
}

pub(super) async fn metrics(cx: Cx, (): ()) -> Result<Text, Refusal> {
    if !cx.state.settings.metrics_open {
        cx.gateway().may_read_metrics(cx.actor()?)?;
    }
    Ok(Text {
        status: StatusCode::OK,
        media: "text/plain; version=0.0.4",
        text: cx.state.metrics.text(cx.gateway().store().bus()),
    })
}

pub(super) async fn info(cx: Cx, (): ()) -> Result<Shown<Info>, Refusal> {
    Ok(Shown(cx.gateway().info().await?))
}

pub(super) async fn setup(
    cx: Cx,
    Json(request): Json<SetupRequest>,
) -> Result<FirstWelcome, Refusal> {
    Ok(FirstWelcome(cx.gateway().setup(&request, &cx.caller()).await?))
}

pub(super) async fn login(cx: Cx, Json(request): Json<LoginRequest>) -> Result<Welcome, Refusal> {
    Ok(Welcome(cx.gateway().login(&request, &cx.caller()).await?))
}

pub(super) async fn recover(cx: Cx, Json(request): Json<RecoveryRequest>) -> Result<Done, Refusal> {
    cx.gateway().recover(&request, &cx.caller()).await?;
    Ok(Done)
}

pub(super) async fn accept_invite(
    cx: Cx,
    Json(request): Json<AcceptInviteRequest>,
) -> Result<FirstWelcome, Refusal> {
    Ok(FirstWelcome(cx.gateway().accept_invite(&request, &cx.caller()).await?))
}
