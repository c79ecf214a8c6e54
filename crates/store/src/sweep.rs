//! Deletes what has expired. Nothing depends on it: every read checks the time itself.

use crate::{Result, Store, db::sql};

/// Deletes expired sessions, tokens, invitations, links and logins under way. Answers how many.
pub async fn expired(store: &Store) -> Result<u64> {
    let now = store.ambient().now();
    let mut tx = store.write().await?;
    let mut n = 0;
    n += sql!(tx, run, "delete from sessions where expires_at <= $1", now)?;
    n += sql!(tx, run, "delete from tokens where expires_at <= $1", now)?;
    n += sql!(tx, run, "delete from invites where expires_at <= $1", now)?;
    n += sql!(tx, run, "delete from links where expires_at <= $1", now)?;
    n += sql!(tx, run, "delete from oidc_flows where expires_at <= $1", now)?;
    n += sql!(tx, run, "delete from provider_logins where expires_at <= $1", now)?;
    tx.commit().await?;
    Ok(n)
}
