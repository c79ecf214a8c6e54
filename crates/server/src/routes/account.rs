//! One's own account.

use crate::{
    answer::{Created, Done, Events, LoggedOut, Shown},
    input::{Json, Path},
    lifeline,
    refusal::Refusal,
    row::Cx,
};
use mosaic_protocol::{
    SessionId, TokenId,
    account::{ChangeMeRequest, ChangePasswordRequest, DeleteMeRequest, Me, Session},
    page::Page,
    token::{CreateTokenRequest, CreatedToken, Token},
};

pub(super) async fn logout(cx: Cx, (): ()) -> Result<LoggedOut, Refusal> {
    cx.gateway().logout(cx.actor()?).await?;
    Ok(LoggedOut)
}

pub(super) async fn get(cx: Cx, (): ()) -> Result<Shown<Me>, Refusal> {
    // The door has just asked who this is; asking again would only cost.
    if let Some(found) = &cx.found {
        return Ok(Shown(found.me.clone()));
    }
    Ok(Shown(cx.gateway().me(cx.actor()?).await?))
}

pub(super) async fn change(
    cx: Cx,
    Json(request): Json<ChangeMeRequest>,
) -> Result<Shown<Me>, Refusal> {
    Ok(Shown(cx.gateway().change_me(cx.actor()?, &request).await?))
}

pub(super) async fn delete(
    cx: Cx,
    Json(request): Json<DeleteMeRequest>,
) -> Result<LoggedOut, Refusal> {
    cx.gateway().delete_me(cx.actor()?, &request, &cx.caller()).await?;
    Ok(LoggedOut)
}

pub(super) async fn events(cx: Cx, (): ()) -> Result<Events, Refusal> {
    cx.gateway().me(cx.actor()?).await?;
    let share = cx.stream_share()?;
    Ok(Events::new(lifeline::me_events(cx, share)))
}

pub(super) async fn change_password(
    cx: Cx,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<Done, Refusal> {
    cx.gateway().change_password(cx.actor()?, &request, &cx.caller()).await?;
    Ok(Done)
}

pub(super) async fn list_sessions(cx: Cx, (): ()) -> Result<Shown<Page<Session>>, Refusal> {
    Ok(Shown(cx.gateway().list_sessions(cx.actor()?).await?))
}

pub(super) async fn delete_sessions(cx: Cx, (): ()) -> Result<Done, Refusal> {
    cx.gateway().delete_other_sessions(cx.actor()?).await?;
    Ok(Done)
}

pub(super) async fn delete_session(
    cx: Cx,
    (Path(id),): (Path<SessionId>,),
) -> Result<Done, Refusal> {
    cx.gateway().delete_session(cx.actor()?, id).await?;
    Ok(Done)
}

pub(super) async fn list_tokens(cx: Cx, (): ()) -> Result<Shown<Page<Token>>, Refusal> {
    Ok(Shown(cx.gateway().list_tokens(cx.actor()?).await?))
}

pub(super) async fn create_token(
    cx: Cx,
    Json(request): Json<CreateTokenRequest>,
) -> Result<Created<CreatedToken>, Refusal> {
    Ok(Created(cx.gateway().create_token(cx.actor()?, &request).await?))
}

pub(super) async fn delete_token(cx: Cx, (Path(id),): (Path<TokenId>,)) -> Result<Done, Refusal> {
    cx.gateway().delete_token(cx.actor()?, id).await?;
    Ok(Done)
}
