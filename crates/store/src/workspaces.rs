//! Workspaces, and what a person may do in each.

use crate::{
    Error, Result, Tx,
    db::{One, sql},
};
use mosaic_protocol::{
    TeamId, UserId, WorkspaceId,
    team::Role,
    workspace::{Workspace, WorkspaceKind},
};
use sqlx::FromRow;

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    id: WorkspaceId,
    name: String,
    team_id: Option<String>,
    role: Option<String>,
    used_bytes: i64,
    quota_bytes: i64,
}

impl Row {
    fn workspace(self) -> Result<Workspace> {
        let team_id: Option<TeamId> = self
            .team_id
            .map(|id| id.parse().map_err(|_| Error::Damaged("a team's id".into())))
            .transpose()?;
        let role: Option<Role> = self
            .role
            .map(|role| role.parse().map_err(|_| Error::Damaged("a role".into())))
            .transpose()?;
        Ok(Workspace {
            id: self.id,
            name: self.name,
            kind: if team_id.is_some() { WorkspaceKind::Shared } else { WorkspaceKind::Personal },
            team_id,
            role,
            used_bytes: self.used_bytes,
            quota_bytes: self.quota_bytes,
        })
    }
}

/// The workspaces that a person belongs to, their own first.
pub async fn of(tx: &mut Tx, user_id: UserId) -> Result<Vec<Workspace>> {
    let rows = sql!(
        tx,
        all Row,
        "select w.id, u.name, w.team_id, 'owner' as role, w.used_bytes, w.quota_bytes
         from workspaces w join users u on u.id = w.user_id where w.user_id = $1
         union all
         select w.id, t.name, w.team_id, m.role, w.used_bytes, w.quota_bytes
         from members m join teams t on t.id = m.team_id join workspaces w on w.team_id = t.id where m.user_id = $2
         order by 3 nulls first, 2, 1",
        user_id,
        user_id
    )?;
    rows.into_iter().map(Row::workspace).collect()
}

/// All workspaces after `after`, for those who look after quotas. They are shown no role in them.
pub async fn all(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<Workspace>> {
    let rows = sql!(
        tx,
        all Row,
        "select w.id, coalesce(u.name, t.name) as name, w.team_id, null as role, w.used_bytes, w.quota_bytes
         from workspaces w left join users u on u.id = w.user_id left join teams t on t.id = w.team_id
         where w.id > $1 order by w.id limit $2",
        after,
        limit
    )?;
    rows.into_iter().map(Row::workspace).collect()
}

/// What this person may do in that workspace.
pub async fn role(tx: &mut Tx, id: WorkspaceId, user_id: UserId) -> Result<Option<Role>> {
    let row = sql!(
        tx,
        maybe One<String>,
        "select case when w.user_id = $1 then 'owner' else m.role end from workspaces w
         left join members m on m.team_id = w.team_id and m.user_id = $2
         where w.id = $3 and (w.user_id = $4 or m.role is not null)",
        user_id,
        user_id,
        id,
        user_id
    )?;
    row.map(|row| row.0.parse().map_err(|_| Error::Damaged("a role".into()))).transpose()
}

/// One workspace with no role in it, for those who look after quotas.
pub async fn get(tx: &mut Tx, id: WorkspaceId) -> Result<Option<Workspace>> {
    let row = sql!(
        tx,
        maybe Row,
        "select w.id, coalesce(u.name, t.name) as name, w.team_id, null as role, w.used_bytes, w.quota_bytes
         from workspaces w left join users u on u.id = w.user_id left join teams t on t.id = w.team_id
         where w.id = $1",
        id
    )?;
    row.map(Row::workspace).transpose()
}

/// A person's own workspace.
pub async fn personal(tx: &mut Tx, user_id: UserId) -> Result<Option<WorkspaceId>> {
    let row = sql!(tx, maybe One<String>, "select id from workspaces where user_id = $1", user_id)?;
    Ok(row.and_then(|row| row.0.parse().ok()))
}

/// Changes how much disk it may use. What is there stays, even if it is more.
pub async fn set_quota(tx: &mut Tx, id: WorkspaceId, quota_bytes: i64) -> Result<()> {
    sql!(tx, run, "update workspaces set quota_bytes = $2 where id = $1", id, quota_bytes).map(drop)
}
