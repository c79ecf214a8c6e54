//! Logins at providers: opened with their generation, and put in place of the one that they renew and of no other. Several
//! nodes share a login, and a refresh token that is used twice ends it at many servers: one of them renews at a time.
//!
//! Leaves out what is in a login, and how it is renewed.

use super::{SealedRow, belongs_to, unseal};
use crate::{Result, Store, Tx, db::sql, secrets::in_force};
use mosaic_protocol::{ModelProviderId, Time};
use sqlx::FromRow;
use zeroize::Zeroizing;

/// What a provider is used with that is renewed.
pub struct Login {
    /// What was sealed.
    pub text: Zeroizing<Vec<u8>>,
    /// Which one it is: the next has a higher number.
    pub generation: i64,
    /// Until when somebody is renewing it.
    pub renewing_until: Time,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    sealed: SealedRow,
    generation: i64,
    #[sqlx(try_from = "i64")]
    renewing_until: Time,
}

/// Opens the login of a provider, if it has one.
pub async fn login(store: &Store, tx: &mut Tx, id: ModelProviderId) -> Result<Option<Login>> {
    let text = "select id, workspace_id, kind, base_url, key_id, sealed, generation, renewing_until
        from providers where id = $1 and credential = 'oauth' and key_id <> ''";
    let Some(row) = sql!(tx, maybe Row, text, id)? else { return Ok(None) };
    let text = unseal(&store.keys(), &row.sealed)?;
    Ok(Some(Login { text, generation: row.generation, renewing_until: row.renewing_until }))
}

/// Says that this login is being renewed here. False: somebody else does that, or it is another one by now.
pub async fn start_renewal(
    tx: &mut Tx,
    id: ModelProviderId,
    generation: i64,
    now: Time,
    until: Time,
) -> Result<bool> {
    let text = "update providers set renewing_until = $4
        where id = $1 and generation = $2 and renewing_until <= $3";
    Ok(sql!(tx, run, text, id, generation, now, until)? == 1)
}

/// Says that the renewal failed, and that nobody is to try again before `until`.
pub async fn release_renewal(
    tx: &mut Tx,
    id: ModelProviderId,
    generation: i64,
    until: Time,
) -> Result<()> {
    let text = "update providers set renewing_until = $3 where id = $1 and generation = $2";
    sql!(tx, run, text, id, generation, until).map(drop)
}

/// Puts what a renewal gave in place of the login that it renewed. False: that is no longer there, and nothing was changed.
pub async fn put_renewed(
    store: &Store,
    tx: &mut Tx,
    id: ModelProviderId,
    generation: i64,
    login: &str,
) -> Result<bool> {
    let ring = in_force(store, tx).await?;
    let text = "select id, workspace_id, kind, base_url, key_id, sealed from providers
        where id = $1 and generation = $2 and credential = 'oauth'";
    let Some(row) = sql!(tx, maybe SealedRow, text, id, generation)? else { return Ok(false) };
    let bound = belongs_to(&row.id, row.workspace_id.as_deref(), &row.kind, &row.base_url);
    let sealed = ring.seal(store.ambient(), &bound, login.as_bytes())?;
    let text = "update providers set key_id = $3, sealed = $4, generation = generation + 1, renewing_until = 0
        where id = $1 and generation = $2";
    Ok(sql!(tx, run, text, id, generation, sealed.key_id, sealed.bytes)? == 1)
}
