//! One-time links: the one that sets up the server, and those that set a new password.

use crate::{
    Result, Store, Tx,
    ambient::Minted,
    db::{One, sql},
};
use mosaic_protocol::{LinkId, Time, UserId};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Making the first admin.
    Setup,
    /// Setting a new password for this user.
    Recovery(UserId),
}

impl Purpose {
    fn columns(self) -> (&'static str, Option<UserId>) {
        match self {
            Purpose::Setup => ("setup", None),
            Purpose::Recovery(user_id) => ("recovery", Some(user_id)),
        }
    }
}

/// Makes a link and ends the ones for the same purpose; its code is shown once.
pub async fn create(
    store: &Store,
    tx: &mut Tx,
    purpose: Purpose,
    expires_at: Time,
) -> Result<Minted> {
    let minted = store.ambient().mint("mosaic_l_");
    put(store, tx, purpose, &minted.digest, expires_at).await?;
    Ok(minted)
}

/// The same with a code that somebody chose.
pub async fn put(
    store: &Store,
    tx: &mut Tx,
    purpose: Purpose,
    digest: &[u8],
    expires_at: Time,
) -> Result<()> {
    clear(tx, purpose).await?;
    let (kind, user_id) = purpose.columns();
    let ambient = store.ambient();
    sql!(
        tx,
        run,
        "insert into links (id, kind, user_id, digest, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
        ambient.id(LinkId::new),
        kind,
        user_id,
        digest,
        ambient.now(),
        expires_at
    )
    .map(drop)
}

/// Ends the links for this purpose.
pub async fn clear(tx: &mut Tx, purpose: Purpose) -> Result<()> {
    let (kind, user_id) = purpose.columns();
    let user_id = user_id.map_or_else(String::new, |id| id.to_string());
    sql!(tx, run, "delete from links where kind = $1 and coalesce(user_id, '') = $2", kind, user_id)
        .map(drop)
}

/// Whether there is such a setup link.
pub async fn is_setup(tx: &mut Tx, digest: &[u8], now: Time) -> Result<bool> {
    is_open(tx, "setup", digest, now).await
}

/// Whether there is such a recovery link.
pub async fn is_recovery(tx: &mut Tx, digest: &[u8], now: Time) -> Result<bool> {
    is_open(tx, "recovery", digest, now).await
}

async fn is_open(tx: &mut Tx, kind: &str, digest: &[u8], now: Time) -> Result<bool> {
    let text = "select id from links where kind = $1 and digest = $2 and expires_at > $3";
    Ok(sql!(tx, maybe One<String>, text, kind, digest, now)?.is_some())
}

/// Uses a setup link up. False if there is no such link.
pub async fn take_setup(tx: &mut Tx, digest: &[u8], now: Time) -> Result<bool> {
    let text = "delete from links where kind = 'setup' and digest = $1 and expires_at > $2";
    Ok(sql!(tx, run, text, digest, now)? == 1)
}

/// Uses a recovery link up, and answers whose it was.
pub async fn take_recovery(tx: &mut Tx, digest: &[u8], now: Time) -> Result<Option<UserId>> {
    let text = "delete from links where kind = 'recovery' and digest = $1 and expires_at > $2 returning user_id";
    let row = sql!(tx, maybe One<String>, text, digest, now)?;
    Ok(row.and_then(|row| row.0.parse().ok()))
}
