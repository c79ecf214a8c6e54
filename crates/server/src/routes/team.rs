//! Teams, their members and invitations.

use crate::{
    answer::{Created, Done, Shown},
    input::{Json, Path, Path2},
    refusal::Refusal,
    row::Cx,
};
use mosaic_protocol::{
    InviteId, TeamId, UserId,
    invite::{CreateTeamInviteRequest, CreatedInvite, Invite, JoinRequest},
    page::Page,
    team::{ChangeMemberRequest, Member, Team, TeamRequest},
};

pub(super) async fn list(cx: Cx, (): ()) -> Result<Shown<Page<Team>>, Refusal> {
    Ok(Shown(cx.gateway().list_teams(cx.actor()?).await?))
}

pub(super) async fn create(
    cx: Cx,
    Json(request): Json<TeamRequest>,
) -> Result<Created<Team>, Refusal> {
    Ok(Created(cx.gateway().create_team(cx.actor()?, &request).await?))
}

pub(super) async fn get(cx: Cx, (Path(id),): (Path<TeamId>,)) -> Result<Shown<Team>, Refusal> {
    Ok(Shown(cx.gateway().get_team(cx.actor()?, id).await?))
}

pub(super) async fn rename(
    cx: Cx,
    (Path(id), Json(request)): (Path<TeamId>, Json<TeamRequest>),
) -> Result<Shown<Team>, Refusal> {
    Ok(Shown(cx.gateway().rename_team(cx.actor()?, id, &request).await?))
}

pub(super) async fn delete(cx: Cx, (Path(id),): (Path<TeamId>,)) -> Result<Done, Refusal> {
    cx.gateway().delete_team(cx.actor()?, id).await?;
    Ok(Done)
}

pub(super) async fn members(
    cx: Cx,
    (Path(id),): (Path<TeamId>,),
) -> Result<Shown<Page<Member>>, Refusal> {
    Ok(Shown(cx.gateway().list_members(cx.actor()?, id).await?))
}

pub(super) async fn change_member(
    cx: Cx,
    (Path2(id, user_id), Json(request)): (Path2<TeamId, UserId>, Json<ChangeMemberRequest>),
) -> Result<Shown<Member>, Refusal> {
    Ok(Shown(cx.gateway().change_member(cx.actor()?, id, user_id, &request).await?))
}

pub(super) async fn delete_member(
    cx: Cx,
    (Path2(id, user_id),): (Path2<TeamId, UserId>,),
) -> Result<Done, Refusal> {
    cx.gateway().delete_member(cx.actor()?, id, user_id).await?;
    Ok(Done)
}

pub(super) async fn list_invites(
    cx: Cx,
    (Path(id),): (Path<TeamId>,),
) -> Result<Shown<Page<Invite>>, Refusal> {
    Ok(Shown(cx.gateway().list_team_invites(cx.actor()?, id).await?))
}

pub(super) async fn create_invite(
    cx: Cx,
    (Path(id), Json(request)): (Path<TeamId>, Json<CreateTeamInviteRequest>),
) -> Result<Created<CreatedInvite>, Refusal> {
    Ok(Created(cx.gateway().create_team_invite(cx.actor()?, id, &request).await?))
}

pub(super) async fn delete_invite(
    cx: Cx,
    (Path2(id, invite_id),): (Path2<TeamId, InviteId>,),
) -> Result<Done, Refusal> {
    cx.gateway().delete_team_invite(cx.actor()?, id, invite_id).await?;
    Ok(Done)
}

pub(super) async fn join(cx: Cx, Json(request): Json<JoinRequest>) -> Result<Shown<Team>, Refusal> {
    Ok(Shown(cx.gateway().join(cx.actor()?, &request).await?))
}
