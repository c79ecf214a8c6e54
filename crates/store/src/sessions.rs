//! Logins in browsers. Only the digest of a session's secret is stored.

use crate::{
    Ambient, Result, Tx,
    ambient::Minted,
    db::{One, sql},
};
use mosaic_protocol::{SessionId, Time, UserId, account::Session};
use sqlx::FromRow;

/// How many logins one person may have at once; the oldest gives way.
pub const MAX: i64 = 100;

/// Whose a session is.
#[derive(FromRow)]
pub struct Found {
    /// Which.
    #[sqlx(try_from = "String")]
    pub id: SessionId,
    /// Whose.
    #[sqlx(try_from = "String")]
    pub user_id: UserId,
    /// When it ends.
    #[sqlx(try_from = "i64")]
    pub expires_at: Time,
    /// When it was last used, to the minute.
    #[sqlx(try_from = "i64")]
    pub seen_at: Time,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    id: SessionId,
    #[sqlx(try_from = "i64")]
    created_at: Time,
    #[sqlx(try_from = "i64")]
    seen_at: Time,
    #[sqlx(try_from = "i64")]
    expires_at: Time,
    agent: String,
    address: String,
}

/// A login that is about to be made.
pub struct NewSession<'a> {
    /// Whose.
    pub user_id: UserId,
    /// When it ends.
    pub expires_at: Time,
    /// What the browser calls itself.
    pub agent: &'a str,
    /// Where it comes from.
    pub address: &'a str,
}

/// Makes a session; the secret is for the cookie.
pub async fn create(
    ambient: &Ambient,
    tx: &mut Tx,
    new: NewSession<'_>,
) -> Result<(SessionId, Minted)> {
    let (id, minted) = (ambient.id(SessionId::new), ambient.mint("mosaic_s_"));
    let now = ambient.now();
    sql!(
        tx,
        run,
        "delete from sessions where user_id = $1 and id not in
           (select id from sessions where user_id = $2 order by created_at desc, id desc limit $3)",
        new.user_id,
        new.user_id,
        MAX - 1
    )?;
    sql!(
        tx,
        run,
        "insert into sessions (id, user_id, digest, created_at, seen_at, expires_at, agent, address)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        id,
        new.user_id,
        minted.digest,
        now,
        now.to_the_minute(),
        new.expires_at,
        new.agent,
        new.address
    )?;
    Ok((id, minted))
}

/// The session with this digest.
pub async fn find(tx: &mut Tx, digest: &[u8]) -> Result<Option<Found>> {
    sql!(tx, maybe Found, "select id, user_id, expires_at, seen_at from sessions where digest = $1", digest)
}

/// Notes that it was used.
pub async fn touch(tx: &mut Tx, id: SessionId, seen_at: Time) -> Result<()> {
    sql!(
        tx,
        run,
        "update sessions set seen_at = $2 where id = $1 and seen_at < $3",
        id,
        seen_at,
        seen_at
    )
    .map(drop)
}

/// A person's sessions, newest first.
pub async fn list(
    tx: &mut Tx,
    user_id: UserId,
    current: Option<SessionId>,
    now: Time,
) -> Result<Vec<Session>> {
    let rows = sql!(
        tx,
        all Row,
        "select id, created_at, seen_at, expires_at, agent, address from sessions
         where user_id = $1 and expires_at > $2 order by created_at desc, id desc",
        user_id,
        now
    )?;
    let session = |row: Row| Session {
        current: Some(row.id) == current,
        id: row.id,
        created_at: row.created_at,
        seen_at: row.seen_at,
        expires_at: row.expires_at,
        agent: row.agent,
        address: row.address,
    };
    Ok(rows.into_iter().map(session).collect())
}

/// From where the account of this name is logged in to.
pub async fn addresses(tx: &mut Tx, name: &str, now: Time) -> Result<Vec<String>> {
    let text = "select address from sessions where expires_at > $1
         and user_id in (select id from users where name = $2)";
    let rows = sql!(tx, all One<String>, text, now, name)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Whose this session is.
pub async fn owner(tx: &mut Tx, id: SessionId) -> Result<Option<UserId>> {
    let row = sql!(tx, maybe One<String>, "select user_id from sessions where id = $1", id)?;
    Ok(row.and_then(|row| row.0.parse().ok()))
}

/// Ends a session.
pub async fn delete(tx: &mut Tx, id: SessionId) -> Result<()> {
    sql!(tx, run, "delete from sessions where id = $1", id).map(drop)
}

/// Ends all of a person's sessions but one.
pub async fn delete_all(tx: &mut Tx, user_id: UserId, but: Option<SessionId>) -> Result<()> {
    let but = but.map_or_else(String::new, |id| id.to_string());
    sql!(tx, run, "delete from sessions where user_id = $1 and id <> $2", user_id, but).map(drop)
}
