//! Who a session or a token belongs to, remembered for two seconds.
//!
//! That is the whole price of speed: whoever is revoked elsewhere is out after two seconds at the latest, and open
//! streams ask again every two, so five are never reached. A change made through this process is seen at once, and one that
//! the bus tells of soon.

use crate::{Error, Gateway, Result};
use mosaic_protocol::{
    Time,
    access::{Actor, Grant, Person},
    account::{Me, UserState},
};
use mosaic_store::{Tx, ambient::digest, sessions, tokens, users, workspaces};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// How long a credential is believed without asking again.
const REMEMBERED_MS: i64 = 2_000;
/// More than these are not remembered at once.
const MAX_REMEMBERED: usize = 10_000;

/// What somebody proves themselves with.
#[derive(Debug, Clone)]
pub enum Credential {
    /// The secret in a browser's cookie.
    Session(String),
    /// A program's token.
    Token(String),
}

/// Somebody who has proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The person and their grant.
    pub actor: Actor,
    /// What they would be told if they asked who they are.
    pub me: Me,
    expires_at: Time,
}

type Remembered = HashMap<Vec<u8>, (Time, Arc<Authenticated>)>;

#[derive(Default)]
pub(crate) struct Credentials {
    remembered: Mutex<Remembered>,
    /// Counts the changes made through this process: what was read before one is not remembered after it.
    changes: AtomicU64,
    /// How many changes other nodes had told of when they were last counted.
    elsewhere: AtomicU64,
}

impl Credentials {
    fn recall(&self, digest: &[u8], now: Time) -> Option<Arc<Authenticated>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, found) = remembered.get(digest)?;
        // A clock that was set back must not make an old answer last.
        let fresh = (0..REMEMBERED_MS).contains(&(now.0 - since.0)) && now < found.expires_at;
        fresh.then(|| found.clone())
    }

    fn remember(&self, digest: Vec<u8>, now: Time, found: Arc<Authenticated>, changes: u64) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if self.changes.load(Ordering::SeqCst) != changes {
            return;
        }
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(digest, (now, found));
    }

    /// Forgets everything: after any change to accounts, sessions or tokens.
    pub(crate) fn forget(&self) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        remembered.clear();
    }
}

impl Gateway {
    /// Finds out who this is.
    pub async fn authenticate(&self, credential: &Credential) -> Result<Arc<Authenticated>> {
        let (secret, kind) = match credential {
            Credential::Session(secret) => (secret, "session"),
            Credential::Token(secret) => (secret, "token"),
        };
        // A session's secret is no token and the other way round, also in memory.
        let key = digest(&format!("{kind} {secret}"));
        let now = self.inner.store.ambient().now();
        // A word from another node only shortens the two seconds; nothing depends on it.
        let elsewhere = self.inner.store.accounts_changed_elsewhere();
        if self.inner.credentials.elsewhere.swap(elsewhere, Ordering::SeqCst) != elsewhere {
            self.inner.credentials.forget();
        }
        if let Some(found) = self.inner.credentials.recall(&key, now) {
            return Ok(found);
        }
        let changes = self.inner.credentials.changes.load(Ordering::SeqCst);
        let found = Arc::new(self.look_up(credential, now).await?);
        self.inner.credentials.remember(key, now, found.clone(), changes);
        Ok(found)
    }

    async fn look_up(&self, credential: &Credential, now: Time) -> Result<Authenticated> {
        let mut tx = self.inner.store.read().await?;
        let minute = now.to_the_minute();
        let (user_id, grant, expires_at, noted) = match credential {
            Credential::Session(secret) => {
                let session = sessions::find(&mut tx, &digest(secret))
                    .await?
                    .ok_or(Error::Unauthenticated)?;
                (session.user_id, Grant::Session(session.id), session.expires_at, session.seen_at)
            }
            Credential::Token(secret) => {
                let found =
                    tokens::find(&mut tx, &digest(secret)).await?.ok_or(Error::Unauthenticated)?;
                let used_at = found.token.used_at.unwrap_or(Time(0));
                (
                    found.user_id,
                    Grant::Token(found.token.id, found.token.scopes),
                    found.token.expires_at,
                    used_at,
                )
            }
        };
        if expires_at <= now {
            return Err(Error::Unauthenticated);
        }
        let me = me(&mut tx, user_id).await?;
        drop(tx);
        if me.user.state != UserState::Active {
            return Err(Error::Unauthenticated);
        }
        if noted < minute {
            // Nobody is kept out because a timestamp could not be written.
            if let Err(error) = self.note_use(&grant, minute).await {
                tracing::warn!(%error, "the last use of a credential could not be noted");
            }
        }
        let actor = Actor::User(Person { id: user_id, admin: me.user.admin, grant });
        Ok(Authenticated { actor, me, expires_at })
    }

    async fn note_use(&self, grant: &Grant, minute: Time) -> Result<()> {
        let mut tx = self.inner.store.write().await?;
        match grant {
            Grant::Session(id) => sessions::touch(&mut tx, *id, minute).await?,
            Grant::Token(id, _) => tokens::touch(&mut tx, *id, minute).await?,
        }
        Ok(tx.commit().await?)
    }

    /// After a change to accounts, sessions or tokens.
    pub(crate) fn forget_credentials(&self) {
        self.inner.credentials.forget();
        self.inner.store.tell_accounts_changed();
    }
}

/// What a person is told about themselves.
pub(crate) async fn me(tx: &mut Tx, user_id: mosaic_protocol::UserId) -> Result<Me> {
    let account = users::get(tx, user_id).await?.ok_or(Error::Unauthenticated)?;
    let workspace_id = workspaces::personal(tx, user_id).await?;
    let workspace_id =
        workspace_id.ok_or_else(|| Error::Internal("a user without a workspace".into()))?;
    Ok(Me { user: account.user, workspace_id })
}
