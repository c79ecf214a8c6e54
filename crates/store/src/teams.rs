//! Teams, who belongs to them, and the workspace that each shares.

use crate::{
    Error, Result, Store, Tx,
    db::{One, sql},
};
use mosaic_protocol::{
    TeamId, Time, UserId, WorkspaceId,
    team::{Member, Role, Team},
};
use sqlx::FromRow;

/// How many teams one person may belong to.
pub const MAX_TEAMS: i64 = 200;
/// How many people may belong to one team.
pub const MAX_MEMBERS: i64 = 1000;

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    id: TeamId,
    name: String,
    #[sqlx(try_from = "String")]
    workspace_id: WorkspaceId,
    #[sqlx(try_from = "String")]
    role: Role,
    #[sqlx(try_from = "i64")]
    created_at: Time,
}

impl From<Row> for Team {
    fn from(row: Row) -> Team {
        let Row { id, name, workspace_id, role, created_at } = row;
        Team { id, name, workspace_id, role, created_at }
    }
}

#[derive(FromRow)]
struct MemberRow {
    #[sqlx(try_from = "String")]
    user_id: UserId,
    name: String,
    display_name: String,
    #[sqlx(try_from = "String")]
    role: Role,
}

/// Makes a team and its workspace, with one owner.
pub async fn create(store: &Store, tx: &mut Tx, name: &str, owner: UserId) -> Result<Team> {
    let ambient = store.ambient();
    let (id, workspace_id, now) =
        (ambient.id(TeamId::new), ambient.id(WorkspaceId::new), ambient.now());
    sql!(tx, run, "insert into teams (id, name, created_at) values ($1, $2, $3)", id, name, now)?;
    sql!(
        tx,
        run,
        "insert into workspaces (id, team_id, quota_bytes, used_bytes, created_at) values ($1, $2, $3, 0, $4)",
        workspace_id,
        id,
        store.quota_bytes(),
        now
    )?;
    join(tx, id, owner, Role::Owner, now).await?;
    Ok(Team { id, name: name.to_owned(), workspace_id, role: Role::Owner, created_at: now })
}

/// Makes somebody a member, or gives a member another role.
pub async fn join(
    tx: &mut Tx,
    team_id: TeamId,
    user_id: UserId,
    role: Role,
    now: Time,
) -> Result<()> {
    // Those who are in already count themselves: another role is no more members.
    let (teams,) = sql!(
        tx,
        one One<i64>,
        "select count(*) from members where user_id = $1 and team_id <> $2",
        user_id,
        team_id
    )?;
    let (members,) = sql!(
        tx,
        one One<i64>,
        "select count(*) from members where team_id = $1 and user_id <> $2",
        team_id,
        user_id
    )?;
    if teams >= MAX_TEAMS || members >= MAX_MEMBERS {
        return Err(Error::TooMany(if teams >= MAX_TEAMS { MAX_TEAMS } else { MAX_MEMBERS }));
    }
    sql!(
        tx,
        run,
        "insert into members (team_id, user_id, role, joined_at) values ($1, $2, $3, $4)
         on conflict (team_id, user_id) do update set role = excluded.role",
        team_id,
        user_id,
        role,
        now
    )?;
    crate::logs::team_changed(tx, team_id).await
}

/// The team, if this person belongs to it.
pub async fn seen_by(tx: &mut Tx, id: TeamId, user_id: UserId) -> Result<Option<Team>> {
    let row = sql!(
        tx,
        maybe Row,
        "select t.id, t.name, w.id as workspace_id, m.role, t.created_at from teams t
         join members m on m.team_id = t.id join workspaces w on w.team_id = t.id
         where t.id = $1 and m.user_id = $2",
        id,
        user_id
    )?;
    Ok(row.map(Team::from))
}

/// The teams that this person belongs to.
pub async fn of(tx: &mut Tx, user_id: UserId) -> Result<Vec<Team>> {
    let rows = sql!(
        tx,
        all Row,
        "select t.id, t.name, w.id as workspace_id, m.role, t.created_at from teams t
         join members m on m.team_id = t.id join workspaces w on w.team_id = t.id
         where m.user_id = $1 order by t.name, t.id",
        user_id
    )?;
    Ok(rows.into_iter().map(Team::from).collect())
}

/// All teams, for the one who runs the machine, who is shown as an owner.
pub async fn all(tx: &mut Tx) -> Result<Vec<Team>> {
    let rows = sql!(
        tx,
        all Row,
        "select t.id, t.name, w.id as workspace_id, 'owner' as role, t.created_at from teams t
         join workspaces w on w.team_id = t.id order by t.name, t.id"
    )?;
    Ok(rows.into_iter().map(Team::from).collect())
}

/// What this person may do in that team.
pub async fn role(tx: &mut Tx, id: TeamId, user_id: UserId) -> Result<Option<Role>> {
    let row = sql!(
        tx,
        maybe One<String>,
        "select role from members where team_id = $1 and user_id = $2",
        id,
        user_id
    )?;
    row.map(|row| row.0.parse().map_err(|_| Error::Damaged("a role".into()))).transpose()
}

/// Whether there is such a team.
pub async fn exists(tx: &mut Tx, id: TeamId) -> Result<bool> {
    Ok(sql!(tx, maybe One<String>, "select id from teams where id = $1", id)?.is_some())
}

/// Who belongs to it.
pub async fn members(tx: &mut Tx, id: TeamId) -> Result<Vec<Member>> {
    let rows = sql!(
        tx,
        all MemberRow,
        "select m.user_id, u.name, u.display_name, m.role from members m join users u on u.id = m.user_id
         where m.team_id = $1 order by u.name",
        id
    )?;
    let member = |row: MemberRow| Member {
        user_id: row.user_id,
        name: row.name,
        display_name: row.display_name,
        role: row.role,
    };
    Ok(rows.into_iter().map(member).collect())
}

/// How many owners it has.
pub async fn count_owners(tx: &mut Tx, id: TeamId) -> Result<i64> {
    Ok(sql!(
        tx,
        one One<i64>,
        "select count(*) from members where team_id = $1 and role = 'owner'",
        id
    )?
    .0)
}

/// Who would own it without this person: of the other members with the highest role, the one who has been in it
/// longest. None if there are no others.
pub async fn heir(tx: &mut Tx, id: TeamId, but: UserId) -> Result<Option<UserId>> {
    let row = sql!(
        tx,
        maybe One<String>,
        "select user_id from members where team_id = $1 and user_id <> $2
         order by case role when 'owner' then 0 when 'member' then 1 else 2 end, joined_at, user_id limit 1",
        id,
        but
    )?;
    row.map(|row| row.0.parse().map_err(|_| Error::Damaged("a person's id".into()))).transpose()
}

/// How many people belong to it.
pub async fn count_members(tx: &mut Tx, id: TeamId) -> Result<i64> {
    Ok(sql!(tx, one One<i64>, "select count(*) from members where team_id = $1", id)?.0)
}

/// Gives it another name.
pub async fn rename(tx: &mut Tx, id: TeamId, name: &str) -> Result<()> {
    sql!(tx, run, "update teams set name = $2 where id = $1", id, name).map(drop)
}

/// Takes somebody out of it.
pub async fn leave(tx: &mut Tx, id: TeamId, user_id: UserId) -> Result<()> {
    sql!(tx, run, "delete from members where team_id = $1 and user_id = $2", id, user_id)?;
    crate::logs::team_changed(tx, id).await
}

/// Deletes it with its workspace. Files of its blobs go with `Store::commit_and_forget`.
pub async fn delete(tx: &mut Tx, id: TeamId) -> Result<()> {
    crate::logs::team_changed(tx, id).await?;
    sql!(tx, run, "delete from teams where id = $1", id).map(drop)
}
