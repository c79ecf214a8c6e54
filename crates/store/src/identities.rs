//! Accounts at login providers that are linked to users, and logins that are on their way to a provider and back.

use crate::{
    Ambient, Error, Result, Tx,
    db::{One, sql},
};
use mosaic_protocol::{IdentityId, Time, UserId, account::Identity};
use sqlx::FromRow;

/// How many identities one person may link.
pub const MAX: i64 = 20;

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    id: IdentityId,
    provider: String,
    #[sqlx(try_from = "i64")]
    created_at: Time,
}

/// Links an account at a provider. `Taken` if it is linked already, to whomever.
pub async fn link(
    ambient: &Ambient,
    tx: &mut Tx,
    user_id: UserId,
    provider: &str,
    subject: &str,
) -> Result<IdentityId> {
    let (n,) =
        sql!(tx, one One<i64>, "select count(*) from identities where user_id = $1", user_id)?;
    if n >= MAX {
        return Err(Error::TooMany(MAX));
    }
    let id = ambient.id(IdentityId::new);
    sql!(
        tx,
        run,
        "insert into identities (id, user_id, provider, subject, created_at) values ($1, $2, $3, $4, $5)",
        id,
        user_id,
        provider,
        subject,
        ambient.now()
    )?;
    Ok(id)
}

/// Whose account at a provider this is.
pub async fn user_of(tx: &mut Tx, provider: &str, subject: &str) -> Result<Option<UserId>> {
    let text = "select user_id from identities where provider = $1 and subject = $2";
    let row = sql!(tx, maybe One<String>, text, provider, subject)?;
    Ok(row.and_then(|row| row.0.parse().ok()))
}

/// What a person has linked.
pub async fn list(tx: &mut Tx, user_id: UserId) -> Result<Vec<Identity>> {
    let text = "select id, provider, created_at from identities where user_id = $1 order by created_at, id";
    let rows = sql!(tx, all Row, text, user_id)?;
    let identity =
        |row: Row| Identity { id: row.id, provider: row.provider, created_at: row.created_at };
    Ok(rows.into_iter().map(identity).collect())
}

/// Whose this identity is.
pub async fn owner(tx: &mut Tx, id: IdentityId) -> Result<Option<UserId>> {
    let row = sql!(tx, maybe One<String>, "select user_id from identities where id = $1", id)?;
    Ok(row.and_then(|row| row.0.parse().ok()))
}

/// Unlinks it.
pub async fn unlink(tx: &mut Tx, id: IdentityId) -> Result<()> {
    sql!(tx, run, "delete from identities where id = $1", id).map(drop)
}

/// A login that is on its way to a provider and back.
pub struct Flow {
    /// At which provider.
    pub provider: String,
    /// What its answer must hold.
    pub nonce: String,
    /// What proves that the one who comes back is the one who left.
    pub verifier: String,
    /// Who is linking, if it is not a login.
    pub user_id: Option<UserId>,
    /// The way takes no longer.
    pub expires_at: Time,
}

#[derive(FromRow)]
struct FlowRow {
    provider: String,
    nonce: String,
    verifier: String,
    user_id: Option<String>,
    #[sqlx(try_from = "i64")]
    expires_at: Time,
}

/// Notes that a login has left.
pub async fn put_flow(tx: &mut Tx, digest: &[u8], flow: &Flow) -> Result<()> {
    sql!(
        tx,
        run,
        "insert into oidc_flows (digest, provider, nonce, verifier, user_id, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        digest,
        flow.provider,
        flow.nonce,
        flow.verifier,
        flow.user_id,
        flow.expires_at
    )
    .map(drop)
}

/// A login has come back: it can do so once.
pub async fn take_flow(tx: &mut Tx, digest: &[u8], now: Time) -> Result<Option<Flow>> {
    let text = "delete from oidc_flows where digest = $1 and expires_at > $2
        returning provider, nonce, verifier, user_id, expires_at";
    let row = sql!(tx, maybe FlowRow, text, digest, now)?;
    Ok(row.map(|row| Flow {
        provider: row.provider,
        nonce: row.nonce,
        verifier: row.verifier,
        user_id: row.user_id.and_then(|id| id.parse().ok()),
        expires_at: row.expires_at,
    }))
}
