//! What only the control socket answers.

use crate::{
    answer::{Created, Done, Shown},
    input::{Json, Path, Path2},
    refusal::Refusal,
    row::Cx,
};
use mosaic_protocol::{
    AccountName, TeamId, UserId,
    account::{OneTimeLink, User},
    operator::{BackupReport, BackupRequest, RotateReport},
    team::{ChangeMemberRequest, Team, TeamRequest},
    token::{CreateTokenRequest, CreatedToken},
    workspace::Workspace,
};

pub(super) async fn backup(
    cx: Cx,
    Json(request): Json<BackupRequest>,
) -> Result<Created<BackupReport>, Refusal> {
    Ok(Created(cx.gateway().backup(cx.actor()?, &request).await?))
}

pub(super) async fn rotate(cx: Cx, (): ()) -> Result<Shown<RotateReport>, Refusal> {
    Ok(Shown(cx.gateway().rotate_secrets(cx.actor()?).await?))
}

pub(super) async fn setup_link(cx: Cx, (): ()) -> Result<Created<OneTimeLink>, Refusal> {
    Ok(Created(cx.gateway().new_setup_link(cx.actor()?).await?))
}

pub(super) async fn find_user(
    cx: Cx,
    (Path(name),): (Path<AccountName>,),
) -> Result<Shown<User>, Refusal> {
    Ok(Shown(cx.gateway().find_user(cx.actor()?, &name).await?))
}

pub(super) async fn create_token(
    cx: Cx,
    (Path(id), Json(request)): (Path<UserId>, Json<CreateTokenRequest>),
) -> Result<Created<CreatedToken>, Refusal> {
    Ok(Created(cx.gateway().create_token_for(cx.actor()?, id, &request).await?))
}

pub(super) async fn create_team(
    cx: Cx,
    (Path(id), Json(request)): (Path<UserId>, Json<TeamRequest>),
) -> Result<Created<Team>, Refusal> {
    Ok(Created(cx.gateway().create_team_for(cx.actor()?, id, &request).await?))
}

pub(super) async fn put_member(
    cx: Cx,
    (Path2(team_id, user_id), Json(request)): (Path2<TeamId, UserId>, Json<ChangeMemberRequest>),
) -> Result<Done, Refusal> {
    cx.gateway().put_member(cx.actor()?, team_id, user_id, &request).await?;
    Ok(Done)
}

pub(super) async fn workspace_of(
    cx: Cx,
    (Path(id),): (Path<UserId>,),
) -> Result<Shown<Workspace>, Refusal> {
    Ok(Shown(cx.gateway().personal_workspace(cx.actor()?, id).await?))
}
