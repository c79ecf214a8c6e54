//! What admins look after: accounts, invitations, quotas, the audit log.

use crate::{
    answer::{Created, Done, Shown},
    input::{Json, Path, Query},
    refusal::Refusal,
    row::Cx,
};
use mosaic_protocol::{
    InviteId, UserId, WorkspaceId,
    account::{ChangeUserRequest, CreateUserRequest, OneTimeLink, User},
    audit::{AuditEntry, AuditReport, AuditVerifyQuery},
    invite::{CreateInviteRequest, CreatedInvite, Invite},
    page::{Page, PageQuery},
    workspace::{QuotaRequest, Workspace},
};

pub(super) async fn list_users(
    cx: Cx,
    (Query(query),): (Query<PageQuery>,),
) -> Result<Shown<Page<User>>, Refusal> {
    Ok(Shown(cx.gateway().list_users(cx.actor()?, &query).await?))
}

pub(super) async fn create_user(
    cx: Cx,
    Json(request): Json<CreateUserRequest>,
) -> Result<Created<User>, Refusal> {
    Ok(Created(cx.gateway().create_user(cx.actor()?, &request).await?))
}

pub(super) async fn get_user(cx: Cx, (Path(id),): (Path<UserId>,)) -> Result<Shown<User>, Refusal> {
    Ok(Shown(cx.gateway().get_user(cx.actor()?, id).await?))
}

pub(super) async fn change_user(
    cx: Cx,
    (Path(id), Json(request)): (Path<UserId>, Json<ChangeUserRequest>),
) -> Result<Shown<User>, Refusal> {
    Ok(Shown(cx.gateway().change_user(cx.actor()?, id, &request).await?))
}

pub(super) async fn delete_user(cx: Cx, (Path(id),): (Path<UserId>,)) -> Result<Done, Refusal> {
    cx.gateway().delete_user(cx.actor()?, id).await?;
    Ok(Done)
}

pub(super) async fn suspend(cx: Cx, (Path(id),): (Path<UserId>,)) -> Result<Shown<User>, Refusal> {
    Ok(Shown(cx.gateway().suspend_user(cx.actor()?, id).await?))
}

pub(super) async fn resume(cx: Cx, (Path(id),): (Path<UserId>,)) -> Result<Shown<User>, Refusal> {
    Ok(Shown(cx.gateway().resume_user(cx.actor()?, id).await?))
}

pub(super) async fn recovery(
    cx: Cx,
    (Path(id),): (Path<UserId>,),
) -> Result<Created<OneTimeLink>, Refusal> {
    Ok(Created(cx.gateway().create_recovery(cx.actor()?, id).await?))
}

pub(super) async fn list_invites(cx: Cx, (): ()) -> Result<Shown<Page<Invite>>, Refusal> {
    Ok(Shown(cx.gateway().list_invites(cx.actor()?).await?))
}

pub(super) async fn create_invite(
    cx: Cx,
    Json(request): Json<CreateInviteRequest>,
) -> Result<Created<CreatedInvite>, Refusal> {
    Ok(Created(cx.gateway().create_invite(cx.actor()?, &request).await?))
}

pub(super) async fn delete_invite(cx: Cx, (Path(id),): (Path<InviteId>,)) -> Result<Done, Refusal> {
    cx.gateway().delete_invite(cx.actor()?, id).await?;
    Ok(Done)
}

pub(super) async fn list_workspaces(
    cx: Cx,
    (Query(query),): (Query<PageQuery>,),
) -> Result<Shown<Page<Workspace>>, Refusal> {
    Ok(Shown(cx.gateway().list_all_workspaces(cx.actor()?, &query).await?))
}

pub(super) async fn set_quota(
    cx: Cx,
    (Path(id), Json(request)): (Path<WorkspaceId>, Json<QuotaRequest>),
) -> Result<Shown<Workspace>, Refusal> {
    Ok(Shown(cx.gateway().set_quota(cx.actor()?, id, &request).await?))
}

pub(super) async fn audit(
    cx: Cx,
    (Query(query),): (Query<PageQuery>,),
) -> Result<Shown<Page<AuditEntry>>, Refusal> {
    Ok(Shown(cx.gateway().list_audit(cx.actor()?, &query).await?))
}

pub(super) async fn verify_audit(
    cx: Cx,
    (Query(query),): (Query<AuditVerifyQuery>,),
) -> Result<Shown<AuditReport>, Refusal> {
    Ok(Shown(cx.gateway().verify_audit(cx.actor()?, &query).await?))
}
