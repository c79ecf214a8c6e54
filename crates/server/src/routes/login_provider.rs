//! Logging in with a provider, and linked accounts there.

use crate::{
    answer::{Done, Leaving, Redirect, Shown},
    cookie::Cookie,
    error,
    input::{Json, Path, Query},
    refusal::Refusal,
    row::Cx,
};
use mosaic_gateway::{Arrived, Error};
use mosaic_protocol::{
    IdentityId, ProviderName,
    account::{Goto, Identity, LinkIdentityRequest},
    page::Page,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// What a provider sends along. It may send more than we read.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Callback {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

pub(super) async fn start(
    cx: Cx,
    (Path(provider),): (Path<ProviderName>,),
) -> Result<Redirect, Refusal> {
    match cx.gateway().begin_login(&provider, &cx.caller()).await {
        Ok(away) => Ok(Redirect {
            to: away.url,
            cookies: vec![Cookie::departure(&away.state, away.lasts_seconds)],
        }),
        Err(Error::NotFound) => Err(Error::NotFound.into()),
        Err(error) => Ok(problem(&error)),
    }
}

pub(super) async fn callback(
    cx: Cx,
    ((Path(provider), Query(query)),): ((Path<ProviderName>, Query<Callback>),),
) -> Result<Redirect, Refusal> {
    // A provider that is not there is not there, whatever comes along.
    cx.gateway().check_provider(&provider)?;
    let arrived = match (&query.error, &query.state, &query.code) {
        (None, Some(state), Some(code)) => {
            let cookie = cx.seen.departure.as_deref();
            let gateway = cx.gateway();
            gateway
                .finish_login(&provider, state, cookie, code, cx.maybe_actor(), &cx.caller())
                .await
        }
        // The person said no at the provider, or somebody made the link up.
        _ => Err(Error::BadCode),
    };
    Ok(match arrived {
        Ok(Arrived::LoggedIn(login)) => Redirect {
            to: "/".into(),
            cookies: vec![Cookie::end_departure(), Cookie::session(&login)],
        },
        Ok(Arrived::Linked) => {
            Redirect { to: "/#linked".into(), cookies: vec![Cookie::end_departure()] }
        }
        Err(Error::NotFound) => return Err(Error::NotFound.into()),
        Err(error) => problem(&error),
    })
}

/// Back to the page, which explains: a browser is here, not a program.
fn problem(error: &Error) -> Redirect {
    if matches!(error, Error::ProviderFailed(_) | Error::Internal(_) | Error::Unavailable(_)) {
        tracing::error!(%error, "a login with a provider failed");
    }
    let code = serde_json::to_value(error::code(error)).ok();
    let code = code.as_ref().and_then(serde_json::Value::as_str).unwrap_or("internal").to_owned();
    Redirect { to: format!("/#problem={code}"), cookies: vec![Cookie::end_departure()] }
}

pub(super) async fn list(cx: Cx, (): ()) -> Result<Shown<Page<Identity>>, Refusal> {
    Ok(Shown(cx.gateway().list_identities(cx.actor()?).await?))
}

pub(super) async fn link(
    cx: Cx,
    Json(request): Json<LinkIdentityRequest>,
) -> Result<Leaving, Refusal> {
    let away = cx.gateway().begin_link(cx.actor()?, &request, &cx.caller()).await?;
    Ok(Leaving {
        goto: Goto { url: away.url },
        cookie: Cookie::departure(&away.state, away.lasts_seconds),
    })
}

pub(super) async fn unlink(cx: Cx, (Path(id),): (Path<IdentityId>,)) -> Result<Done, Refusal> {
    cx.gateway().unlink(cx.actor()?, id).await?;
    Ok(Done)
}
