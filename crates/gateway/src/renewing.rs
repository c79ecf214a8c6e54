//! Logins at providers as calls use them: opened with the provider, renewed shortly before they end, by one of those who
//! need that and by one node. What has a key costs nothing here.
//!
//! Leaves out how a login comes about, and what is said to the server: see `provider_logins` and `mosaic_models::oauth`.

use crate::{
    Gateway,
    providers::{check_encrypted, reach},
};
use mosaic_models::{
    Endpoint, Error as Failed, Pass, Seen,
    oauth::{OAuthServer, OAuthSettings, ServerUrl, Tokens},
};
use mosaic_protocol::{ModelProviderId, provider::FailureClass};
use mosaic_store::providers::{self, Stored};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use url::Url;
use zeroize::Zeroizing;

/// A token that ends within this is renewed before it is used.
const LEEWAY: Duration = Duration::from_secs(60);

/// A token that lasts for so long can still be used when it cannot be renewed.
const MARGIN: Duration = Duration::from_secs(5);

/// How long a call that could still use the old token waits for a new one.
const PATIENCE: Duration = Duration::from_secs(5);

/// For so long a node has a login for itself while it renews it; longer than an answer may take.
const ALONE_MS: i64 = 30_000;

/// After a failure that may pass, nobody tries again for so long while the old token lasts.
const PAUSE_MS: i64 = 5_000;

/// How often, and how many times, it is looked whether another node is done: no longer than that node may take.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
const LOOKS: usize = 130;

/// How often it is tried to keep what a renewal gave: the old tokens are void by then.
const TRIES: usize = 4;

type Result<T> = std::result::Result<T, Failed>;

/// A login as it is sealed. Nothing of it is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    pub(crate) settings: OAuthSettings,
    pub(crate) tokens: Tokens,
    /// The server said that it is over.
    pub(crate) ended: bool,
}

/// A login that was opened, and which one it was then.
pub(crate) struct Held {
    login: Login,
    generation: i64,
}

/// What calls of a provider go to, with what is needed for its token to last.
#[derive(Clone)]
pub(crate) struct Usable {
    pub(crate) endpoint: Endpoint,
    pub(crate) login: Option<Arc<Held>>,
}

impl From<Endpoint> for Usable {
    fn from(endpoint: Endpoint) -> Self {
        Self { endpoint, login: None }
    }
}

impl Usable {
    /// Whether a person has to log in before it can be used again.
    pub(crate) fn has_ended(&self) -> bool {
        self.login.as_ref().is_some_and(|held| held.login.ended)
    }
}

impl Login {
    /// As JSON with everything, for sealing.
    pub(crate) fn to_json(&self) -> Zeroizing<String> {
        let Self { settings, tokens, ended } = self;
        let (settings, tokens) = (settings.to_json(), tokens.to_json());
        let mut text = Zeroizing::new(String::with_capacity(settings.len() + tokens.len() + 64));
        for part in [r#"{"settings":"#, &settings, r#","tokens":"#, &tokens, r#","ended":"#] {
            text.push_str(part);
        }
        text.push_str(if *ended { "true}" } else { "false}" });
        text
    }

    /// From what was sealed.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self> {
        serde_json::from_slice(text).map_err(|_| over("the login cannot be read any more"))
    }
}

fn over(what: &str) -> Failed {
    Failed::new(FailureClass::Auth, format!("{what}; log in again"))
}

fn not_stored(error: mosaic_store::Error) -> Failed {
    tracing::error!(%error, "a login at a provider cannot be read or kept");
    Failed::new(FailureClass::Transport, "what is stored of the login cannot be reached now")
}

impl Gateway {
    /// A stored login, opened.
    pub(crate) fn held(&self, kept: &providers::Login) -> Result<Arc<Held>> {
        let login = Login::from_json(&kept.text)?;
        Ok(Arc::new(Held { login, generation: kept.generation }))
    }

    /// The same, with the endpoint that it is for.
    pub(crate) fn with_login(&self, mut endpoint: Endpoint, held: Arc<Held>) -> Usable {
        endpoint.key = Some(held.login.tokens.access.clone());
        Usable { endpoint, login: Some(held) }
    }

    /// Lets a call in to a provider that does not rest, with a token that lasts for it. Whoever is let in tells how it went.
    pub(crate) async fn let_in(
        &self,
        id: ModelProviderId,
        model: &str,
        usable: &Usable,
    ) -> crate::Result<(Pass, Endpoint)> {
        let health = &self.inner.health;
        let now = || self.inner.store.ambient().now();
        // First the token: who has entered is waited for by others, and a renewal may take a while.
        let lasting = match &usable.login {
            Some(_) if health.resting(id, model, now()).is_none() => self.lasting(id, usable).await,
            _ => Ok(usable.endpoint.clone()),
        };
        let pass = health.enter(id, model, now()).map_err(crate::Error::ModelFailed)?;
        lasting.map(|endpoint| (pass, endpoint)).map_err(|error| {
            // It is the login server's, whose statuses say something else.
            let error = mosaic_models::Error { status: None, ..error };
            let seen = Seen { error: Some(&error), latency_ms: 0, rate_limit: None };
            health.settle(id, model, pass, Some(seen), now());
            crate::Error::ModelFailed(error)
        })
    }

    /// Where a call goes, with a token that lasts for it.
    pub(crate) async fn lasting(&self, id: ModelProviderId, usable: &Usable) -> Result<Endpoint> {
        let mut endpoint = usable.endpoint.clone();
        let Some(held) = &usable.login else { return Ok(endpoint) };
        let (tokens, now) = (&held.login.tokens, self.inner.store.ambient().now());
        if held.login.ended {
            return Err(over("the login has ended"));
        }
        if !tokens.needs_refresh(now, LEEWAY) {
            return Ok(endpoint);
        }
        let renewal = self.renew(id, held);
        let renewed = if tokens.needs_refresh(now, MARGIN) {
            renewal.await?
        } else {
            // The renewal goes on when nobody waits for it.
            match tokio::time::timeout(PATIENCE, renewal).await {
                Ok(Ok(tokens)) => tokens,
                Ok(Err(error)) if error.class == FailureClass::Auth => return Err(error),
                Ok(Err(_)) | Err(_) => return Ok(endpoint),
            }
        };
        endpoint.key = Some(renewed.access);
        Ok(endpoint)
    }

    /// Where a call goes once more whose token was not taken; `None`: there is no other.
    pub(crate) async fn anew(
        &self,
        id: ModelProviderId,
        usable: &Usable,
        tried: &Endpoint,
    ) -> Option<Endpoint> {
        let held = usable.login.as_ref()?;
        held.login.tokens.refresh.as_ref()?;
        let renewed = self.renew(id, held).await.ok()?;
        let is_other = tried.key.as_ref().is_none_or(|key| key.expose() != renewed.access.expose());
        is_other.then(|| Endpoint { key: Some(renewed.access), ..tried.clone() })
    }

    async fn renew(&self, id: ModelProviderId, held: &Arc<Held>) -> Result<Tokens> {
        let (gateway, login) = (self.clone(), held.clone());
        let run = move || async move { gateway.renewal(id, &login).await };
        self.inner.refresher.renew(&id.to_string(), &held.login.tokens, run).await
    }

    /// Renews a login unless somebody else has, or does.
    async fn renewal(&self, id: ModelProviderId, held: &Held) -> Result<Tokens> {
        let store = &self.inner.store;
        for _ in 0..LOOKS {
            let now = store.ambient().now();
            let mut tx = store.read().await.map_err(not_stored)?;
            let stored = providers::get(&mut tx, id).await.map_err(not_stored)?;
            let kept = providers::login(store, &mut tx, id).await.map_err(not_stored)?;
            drop(tx);
            let (Some(stored), Some(kept)) = (stored, kept) else {
                return Err(over("the login is gone"));
            };
            let login = Login::from_json(&kept.text)?;
            if login.ended {
                return Err(over("the login has ended"));
            }
            if kept.generation != held.generation && !login.tokens.needs_refresh(now, LEEWAY) {
                return Ok(login.tokens);
            }
            if kept.renewing_until > now {
                if !held.login.tokens.needs_refresh(now, MARGIN) {
                    let message = "the login is being renewed, or could not be just now";
                    return Err(Failed::new(FailureClass::Transport, message));
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            let mut tx = store.write().await.map_err(not_stored)?;
            let until = now.plus_ms(ALONE_MS);
            let ours = providers::start_renewal(&mut tx, id, kept.generation, now, until).await;
            if ours.map_err(not_stored)? {
                tx.commit().await.map_err(not_stored)?;
                return self.ask_for_more(&stored, login, kept.generation).await;
            }
        }
        Err(Failed::new(
            FailureClass::Timeout,
            "another node is renewing the login, and is not done",
        ))
    }

    async fn ask_for_more(
        &self,
        stored: &Stored,
        mut login: Login,
        generation: i64,
    ) -> Result<Tokens> {
        let asked = match self.login_server(stored, &login.settings, &login.settings.token_url) {
            Ok(server) => login.tokens.refresh(&server, self.inner.store.ambient().now()).await,
            Err(error) => Err(Failed::new(FailureClass::BadRequest, error.to_string())),
        };
        match asked {
            Ok(tokens) => {
                login.tokens = tokens;
                tracing::info!(provider = %stored.id, "a login at a provider was renewed");
                self.keep(stored.id, login, generation).await
            }
            // What a server says without its code may be a gate before it.
            Err(error)
                if error.class == FailureClass::Auth
                    && matches!(error.status, None | Some(200 | 400)) =>
            {
                login.ended = true;
                tracing::warn!(provider = %stored.id, %error, "a login at a provider has ended");
                // Where somebody has logged in meanwhile, that one holds.
                self.keep(stored.id, login, generation).await?;
                Err(error)
            }
            Err(error) => {
                tracing::warn!(provider = %stored.id, %error, "a login at a provider was not renewed");
                let released = self.release(stored.id, generation, &login).await;
                released.map_err(not_stored)?;
                Err(error)
            }
        }
    }

    async fn release(
        &self,
        id: ModelProviderId,
        generation: i64,
        login: &Login,
    ) -> mosaic_store::Result<()> {
        let store = &self.inner.store;
        let now = store.ambient().now();
        let until =
            if login.tokens.needs_refresh(now, MARGIN) { now } else { now.plus_ms(PAUSE_MS) };
        let mut tx = store.write().await?;
        providers::release_renewal(&mut tx, id, generation, until).await?;
        tx.commit().await
    }

    /// Keeps what a renewal came to. What is stored wins if it is another login by now.
    async fn keep(&self, id: ModelProviderId, login: Login, generation: i64) -> Result<Tokens> {
        let mut tries = 0;
        let kept = loop {
            tries += 1;
            match self.put_renewed(id, &login, generation).await {
                Err(error) if tries < TRIES => {
                    tracing::warn!(provider = %id, %error, "a renewed login is not kept yet");
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                kept => break kept,
            }
        };
        self.inner.reachables.forget();
        match kept {
            Ok(None) => Ok(login.tokens),
            Ok(Some(other)) if other.ended => Err(over("the login has ended")),
            Ok(Some(other)) => Ok(other.tokens),
            Err(error) => {
                // It is good for as long as this process remembers it; after that somebody has to log in.
                let _ = not_stored(error);
                Ok(login.tokens)
            }
        }
    }

    /// The login that is there instead, if it is another one.
    async fn put_renewed(
        &self,
        id: ModelProviderId,
        login: &Login,
        generation: i64,
    ) -> mosaic_store::Result<Option<Login>> {
        let store = &self.inner.store;
        let mut tx = store.write().await?;
        if providers::put_renewed(store, &mut tx, id, generation, &login.to_json()).await? {
            tx.commit().await?;
            return Ok(None);
        }
        let there = providers::login(store, &mut tx, id).await?;
        Ok(there.and_then(|kept| Login::from_json(&kept.text).ok()))
    }

    /// A provider's login server, which may be where the provider itself may be.
    pub(crate) fn login_server<'a>(
        &'a self,
        stored: &Stored,
        settings: &'a OAuthSettings,
        address: &ServerUrl,
    ) -> crate::Result<OAuthServer<'a>> {
        let url = Url::parse(address.as_str())
            .map_err(|_| crate::Error::Invalid("the login server's address is none".into()))?;
        let trusted = stored.workspace_id.is_none();
        let reach = reach(&url, trusted, &self.inner.settings.models.private_hosts);
        check_encrypted(&url, reach, true)?;
        Ok(OAuthServer { outbound: &self.inner.outbound, reach, settings })
    }
}
