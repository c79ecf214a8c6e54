//! Logging in to a provider of models.

use super::login_provider::{Callback, problem};
use crate::{
    answer::{Created, Leaving, Redirect, Shown},
    cookie::Cookie,
    input::{Json, Path, Query},
    refusal::Refusal,
    row::Cx,
};
use mosaic_gateway::Returned;
use mosaic_protocol::{
    ModelProviderId, ProviderLoginId,
    account::Goto,
    provider_login::{DeviceLogin, LoginProgress, ProviderLoginRequest},
};

pub(super) async fn device(
    cx: Cx,
    (Path(id), Json(request)): (Path<ModelProviderId>, Json<ProviderLoginRequest>),
) -> Result<Created<DeviceLogin>, Refusal> {
    Ok(Created(cx.gateway().begin_device_login(cx.actor()?, id, &request).await?))
}

pub(super) async fn poll(
    cx: Cx,
    (Path(id),): (Path<ProviderLoginId>,),
) -> Result<Shown<LoginProgress>, Refusal> {
    Ok(Shown(cx.gateway().poll_device_login(cx.actor()?, id).await?))
}

pub(super) async fn browser(
    cx: Cx,
    (Path(id), Json(request)): (Path<ModelProviderId>, Json<ProviderLoginRequest>),
) -> Result<Leaving, Refusal> {
    let away = cx.gateway().begin_browser_login(cx.actor()?, id, &request).await?;
    Ok(Leaving {
        goto: Goto { url: away.url },
        cookie: Cookie::departure(&away.state, away.lasts_seconds),
    })
}

pub(super) async fn callback(
    cx: Cx,
    (Query(query),): (Query<Callback>,),
) -> Result<Redirect, Refusal> {
    let Callback { state, code, error } = query;
    let cookie = cx.seen.departure.as_deref();
    let returned = Returned { state, code, error };
    let finished = cx.gateway().finish_browser_login(cx.maybe_actor(), cookie, returned).await;
    Ok(match finished {
        Ok(_) => {
            Redirect { to: "/#provider-login=done".into(), cookies: vec![Cookie::end_departure()] }
        }
        Err(error) => problem(&error),
    })
}
