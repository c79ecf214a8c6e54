//! Passwords: argon2id, off the async threads, a few at a time.

use crate::{Error, Result};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use mosaic_protocol::Sensitive;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Hashes and checks passwords.
pub(crate) struct Passwords {
    /// Each hash takes 19 MiB and a core for some tens of milliseconds: a flood of logins must not take all of them.
    room: Arc<Semaphore>,
    /// What an unknown name is checked against, so that it takes as long as a known one.
    nobody: String,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        // Of a password that nobody has; made once, from fixed text, because its cost is what counts, not its value.
        let nobody =
            Argon2::default().hash_password_with_salt(b"nobody's password", b"nobody's salt!!!");
        Self {
            room: Arc::new(Semaphore::new(2)),
            nobody: nobody.map(|hash| hash.to_string()).unwrap_or_default(),
        }
    }

    pub(crate) async fn hash(&self, password: &str) -> Result<String> {
        let password = Sensitive::new(password.to_owned());
        self.run(move || {
            let hash = Argon2::default().hash_password(password.expose().as_bytes());
            hash.map(|hash| hash.to_string())
                .map_err(|error| Error::Internal(format!("argon2: {error}")))
        })
        .await?
    }

    /// Whether this is the password. With no hash to compare, it takes as long and says no.
    pub(crate) async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let password = Sensitive::new(password.to_owned());
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let fits = self
            .run(move || {
                let hash = PasswordHash::new(&hash)
                    .map_err(|error| Error::Internal(format!("a stored password hash: {error}")))?;
                Ok::<bool, Error>(
                    Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok(),
                )
            })
            .await??;
        Ok(fits && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let busy = || Error::Throttled { retry_after: Duration::from_secs(5) };
        let room = tokio::time::timeout(Duration::from_secs(10), self.room.clone().acquire_owned());
        let room = room.await.map_err(|_| busy())?.map_err(|_| busy())?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(room);
            done
        })
        .await
        .map_err(|error| Error::Internal(error.to_string()))
    }
}
