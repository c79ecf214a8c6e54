//! Logging in to a provider of models instead of giving a key: by a code on another device, or in the browser. A login
//! belongs to whoever began it; what they may is asked when it begins and when it ends.
//!
//! Leaves out the protocol, which is `mosaic_models::oauth`, and renewing, which is `renewing`.

use crate::{
    Departure, Error, Gateway, Result, person,
    renewing::{Login, Usable},
};
use mosaic_models::{
    Key,
    oauth::{ClientAuth, ClientId, Extra, OAuthSettings, Scopes, ServerUrl, Tokens, device, pkce},
};
use mosaic_protocol::{
    ModelProviderId, ProviderLoginId, Time, UserId,
    access::{Actor, Grant},
    audit::Deed,
    provider::{CredentialKind, FailureClass, Provider, ProviderKind},
    provider_login::{
        ClientProof, DeviceLogin, LoginProgress, LoginState, ProviderLoginRequest,
        ProviderLoginSettings,
    },
};
use mosaic_store::{
    Tx,
    ambient::digest,
    audit,
    provider_logins::{self, Begun, Kept, Way},
    providers::{self, Stored, Written, host_of},
    sessions,
};
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// How long a login may take.
const MINUTES: i64 = 10;

/// For so long one request has a login for itself; longer than an answer may take.
const BUSY_MS: i64 = 30_000;

/// How long it is waited for a first answer of the provider itself, once somebody has logged in.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// Where a login in the browser comes back to.
pub const CALLBACK: &str = "/api/providers/login/callback";

/// What is kept of a login while it is under way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Going<T> {
    /// The host whose provider is logged in to: the tokens are for it and no other.
    host: String,
    settings: OAuthSettings,
    flow: T,
}

/// The same as JSON, for sealing.
fn going(host: &str, settings: &OAuthSettings, flow: &str) -> Zeroizing<String> {
    let host = serde_json::Value::from(host).to_string();
    let settings = settings.to_json();
    let mut text = Zeroizing::new(String::with_capacity(settings.len() + flow.len() + 300));
    for part in [r#"{"host":"#, &host, r#","settings":"#, &settings, r#","flow":"#, flow, "}"] {
        text.push_str(part);
    }
    text
}

fn gone<T: DeserializeOwned>(kept: &Kept) -> Result<Going<T>> {
    // What serde says may repeat what it read.
    serde_json::from_slice(&kept.text)
        .map_err(|_| Error::Internal("a login under way cannot be read".into()))
}

/// Settings as they were given, checked.
fn checked(given: &ProviderLoginSettings) -> Result<OAuthSettings> {
    let bad = |field: &str, why: &str| Error::Invalid(format!("`settings.{field}`: {why}"));
    let url = |field: &str, text: &str| {
        ServerUrl::try_from(text.to_owned()).map_err(|error| bad(field, &error.to_string()))
    };
    let maybe = |field: &str, text: &Option<String>| {
        text.as_deref().map(|text| url(field, text)).transpose()
    };
    let settings = OAuthSettings {
        client_id: ClientId::try_from(given.client_id.clone())
            .map_err(|error| bad("client_id", &error.to_string()))?,
        client_secret: given.client_secret.as_ref().map(|it| Key::new(it.expose().to_owned())),
        client_auth: match given.client_auth {
            ClientProof::Basic => ClientAuth::Basic,
            ClientProof::Body => ClientAuth::Body,
        },
        authorize_url: maybe("authorize_url", &given.authorize_url)?,
        token_url: url("token_url", &given.token_url)?,
        device_url: maybe("device_url", &given.device_url)?,
        scopes: Scopes::try_from(given.scopes.clone())
            .map_err(|error| bad("scopes", &error.to_string()))?,
        // The browser comes back to us, or nobody would be there to finish.
        redirect_uri: None,
        extra: Extra::try_from(given.extra.clone())
            .map_err(|error| bad("extra", &error.to_string()))?,
    };
    // The one check that is made of a secret when it is read.
    serde_json::from_str(&settings.to_json())
        .map_err(|_| bad("client_secret", "a secret is plain text without line breaks"))
}

fn refused(error: &mosaic_models::Error) -> Error {
    let next = match error.class {
        class if class.passes() => "try again in a while",
        FailureClass::Auth => "check the client id and secret, then begin again",
        _ => "check the settings of the login, then begin again",
    };
    Error::Refused { problem: error.message.clone(), next: next.to_owned() }
}

fn who(actor: &Actor) -> Option<UserId> {
    match actor {
        Actor::User(person) => Some(person.id),
        Actor::System => None,
    }
}

fn progress(state: LoginState) -> LoginProgress {
    LoginProgress { state, wait_seconds: None, provider: None }
}

fn pending(wait: Duration) -> LoginProgress {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    let wait_seconds = Some(u64::try_from(seconds).unwrap_or(u64::MAX));
    LoginProgress { state: LoginState::Pending, wait_seconds, provider: None }
}

/// Where a login comes from, as it is found when it begins.
struct Place {
    stored: Stored,
    settings: OAuthSettings,
}

impl Gateway {
    /// Checks that somebody may log in to a provider, and with what.
    async fn login_place(
        &self,
        actor: &Actor,
        id: ModelProviderId,
        request: &ProviderLoginRequest,
    ) -> Result<Place> {
        let store = &self.inner.store;
        let mut tx = store.read().await?;
        let stored = providers::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        self.check_change(&mut tx, actor, stored.workspace_id).await?;
        if matches!(stored.kind, ProviderKind::Local | ProviderKind::Scripted) {
            let said =
                format!("`{}` runs in our own process: there is no login to it", stored.kind);
            return Err(Error::Invalid(said));
        }
        let settings = match &request.settings {
            Some(given) => checked(given)?,
            None => {
                let kept = providers::login(store, &mut tx, id).await?;
                let before = kept.and_then(|kept| Login::from_json(&kept.text).ok());
                before.map(|login| login.settings).ok_or_else(|| {
                    Error::Invalid("`settings` is missing: nobody has logged in here yet".into())
                })?
            }
        };
        // Asked as if there were a token already: better now than after somebody has logged in.
        self.endpoint(&stored, Some(Key::new(String::new())))?;
        for address in
            [Some(&settings.token_url), settings.device_url.as_ref()].into_iter().flatten()
        {
            self.login_server(&stored, &settings, address)?;
        }
        Ok(Place { stored, settings })
    }

    fn begun(&self, actor: &Actor, provider_id: ModelProviderId, way: Way, last: Time) -> Begun {
        let ambient = self.inner.store.ambient();
        Begun {
            id: ambient.id(ProviderLoginId::new),
            provider_id,
            user_id: who(actor),
            way,
            expires_at: ambient.now().plus_minutes(MINUTES).min(last),
        }
    }

    async fn keep_begun(&self, begun: &Begun, digest: &[u8], text: &str) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = store.write().await?;
        provider_logins::put(store, &mut tx, begun, digest, text).await?;
        Ok(tx.commit().await?)
    }

    /// Begins a login that is finished on another device: says what is to be typed, and where.
    pub async fn begin_device_login(
        &self,
        actor: &Actor,
        id: ModelProviderId,
        request: &ProviderLoginRequest,
    ) -> Result<DeviceLogin> {
        let Place { stored, settings } = self.login_place(actor, id, request).await?;
        let address = settings.device_url.as_ref().unwrap_or(&settings.token_url);
        let server = self.login_server(&stored, &settings, address)?;
        let now = self.inner.store.ambient().now();
        let started = device::begin(&server, now).await.map_err(|error| refused(&error))?;
        let begun = self.begun(actor, id, Way::Device, started.expires_at);
        let text = going(&host_of(&stored.base_url), &settings, &started.to_json());
        self.keep_begun(&begun, &[], &text).await?;
        let wait_seconds = u64::try_from(started.interval_seconds).unwrap_or(1);
        Ok(DeviceLogin {
            login_id: begun.id,
            user_code: started.user_code,
            verification_uri: started.verification_uri,
            verification_uri_complete: started.verification_uri_complete,
            expires_at: begun.expires_at,
            wait_seconds,
        })
    }

    /// How far a login is that was begun for another device. The server is asked no more often than it wants to be.
    pub async fn poll_device_login(
        &self,
        actor: &Actor,
        id: ProviderLoginId,
    ) -> Result<LoginProgress> {
        let store = &self.inner.store;
        let now = store.ambient().now();
        let mut tx = store.read().await?;
        let begun = provider_logins::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        if begun.user_id != who(actor) || begun.way != Way::Device {
            return Err(Error::NotFound);
        }
        if now >= begun.expires_at {
            drop(tx);
            return self.over(id, LoginState::Expired).await;
        }
        let kept = provider_logins::open(store, &mut tx, id).await?.ok_or(Error::NotFound)?;
        let early = gone::<device::Started>(&kept)?.flow.wait(now);
        if !early.is_zero() {
            return Ok(pending(early));
        }
        let stored = providers::get(&mut tx, begun.provider_id).await?;
        let stored = stored.ok_or(Error::NotFound)?;
        drop(tx);
        let mut tx = store.write().await?;
        if !provider_logins::claim(&mut tx, id, now, now.plus_ms(BUSY_MS)).await? {
            return Ok(pending(Duration::from_secs(1)));
        }
        // Read again: another request may have asked since.
        let kept = provider_logins::open(store, &mut tx, id).await?.ok_or(Error::NotFound)?;
        tx.commit().await?;
        let Going { host, settings, mut flow } = gone::<device::Started>(&kept)?;
        let server = self.login_server(&stored, &settings, &settings.token_url)?;
        let asked = device::poll(&server, &mut flow, now).await;
        let wait = match asked {
            Ok(device::Polled::Done(tokens)) => {
                let provider = self.logged_in(actor, &kept.begun, &host, settings, tokens).await?;
                let provider = Some(provider);
                return Ok(LoginProgress { provider, ..progress(LoginState::Done) });
            }
            Ok(device::Polled::Denied) => return self.over(id, LoginState::Denied).await,
            Ok(device::Polled::Expired) => return self.over(id, LoginState::Expired).await,
            Ok(device::Polled::Pending { wait }) => wait,
            Err(error) if error.class.passes() => flow.wait(now),
            Err(error) => {
                self.over(id, LoginState::Denied).await?;
                return Err(refused(&error));
            }
        };
        let mut tx = store.write().await?;
        let text = going(&host, &settings, &flow.to_json());
        if !provider_logins::release(store, &mut tx, &kept.begun, &text).await? {
            return Err(Error::NotFound);
        }
        tx.commit().await?;
        Ok(pending(wait))
    }

    async fn over(&self, id: ProviderLoginId, state: LoginState) -> Result<LoginProgress> {
        let mut tx = self.inner.store.write().await?;
        provider_logins::delete(&mut tx, id).await?;
        tx.commit().await?;
        Ok(progress(state))
    }

    /// Begins a login in the browser. It comes back with the state, which it must also carry as a cookie.
    pub async fn begin_browser_login(
        &self,
        actor: &Actor,
        id: ModelProviderId,
        request: &ProviderLoginRequest,
    ) -> Result<Departure> {
        person(actor)?;
        let Place { stored, settings } = self.login_place(actor, id, request).await?;
        let ambient = self.inner.store.ambient();
        let ours = ServerUrl::try_from(format!("{}{CALLBACK}", self.origin())).map_err(|_| {
            Error::Refused {
                problem: "a browser can come back here only over https, or on this machine".into(),
                next: "set `public_url` to an https address, or log in by a code on another device"
                    .into(),
            }
        })?;
        let away = pkce::begin(&settings, &ours, [ambient.bytes(), ambient.bytes()])
            .map_err(|error| refused(&error))?;
        let url = Url::parse(&away.url).map_err(|error| Error::Internal(error.to_string()))?;
        let state = pkce::Returned::read(url.query().unwrap_or_default()).state;
        let state =
            state.ok_or_else(|| Error::Internal("a login left without its state".into()))?;
        let begun = self.begun(actor, id, Way::Browser, Time(i64::MAX));
        let text = going(&host_of(&stored.base_url), &settings, &away.flow.to_json());
        self.keep_begun(&begun, &digest(state.expose()), &text).await?;
        Ok(Departure {
            url: away.url,
            state: state.expose().to_owned(),
            lasts_seconds: MINUTES * 60,
        })
    }

    /// A browser has come back from a provider. `cookie`: what it was given when it left; `actor`: who it is logged in as.
    pub async fn finish_browser_login(
        &self,
        actor: Option<&Actor>,
        cookie: Option<&str>,
        returned: Returned,
    ) -> Result<Provider> {
        let Returned { state, code, error } = returned;
        let state = state.filter(|state| cookie == Some(state.as_str())).ok_or(Error::BadCode)?;
        let actor = actor.ok_or(Error::Unauthenticated)?;
        // A browser comes back, and nothing else has a cookie to bring.
        let Grant::Session(_) = person(actor)?.grant else { return Err(Error::Unauthenticated) };
        let store = &self.inner.store;
        let now = store.ambient().now();
        let mut tx = store.write().await?;
        // Who did not begin it does not end it either.
        let kept =
            provider_logins::take(store, &mut tx, &digest(&state), person(actor)?.id, now).await?;
        tx.commit().await?;
        let kept = kept.ok_or(Error::BadCode)?;
        if error.as_deref() == Some("access_denied") {
            return Err(Error::BadCode);
        }
        let mut tx = store.read().await?;
        let stored = providers::get(&mut tx, kept.begun.provider_id).await?;
        drop(tx);
        let Going { host, settings, flow } = gone::<pkce::Flow>(&kept)?;
        let stored = stored.ok_or(Error::NotFound)?;
        let server = self.login_server(&stored, &settings, &settings.token_url)?;
        let back = pkce::Returned { code: code.map(Key::new), state: Some(Key::new(state)), error };
        let finished = pkce::finish(&server, flow, back, now).await;
        let tokens = finished.map_err(|error| Error::ProviderFailed(error.message))?;
        self.logged_in(actor, &kept.begun, &host, settings, tokens).await
    }

    /// Keeps what a login gave.
    async fn logged_in(
        &self,
        actor: &Actor,
        begun: &Begun,
        host: &str,
        settings: OAuthSettings,
        tokens: Tokens,
    ) -> Result<Provider> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        still_in(&mut tx, actor).await?;
        if begun.way == Way::Device && !provider_logins::delete(&mut tx, begun.id).await? {
            return Err(Error::NotFound);
        }
        let stored = providers::get(&mut tx, begun.provider_id).await?;
        let mut stored = stored.ok_or(Error::NotFound)?;
        self.check_change(&mut tx, actor, stored.workspace_id).await?;
        if host_of(&stored.base_url) != host {
            return Err(Error::Conflict {
                problem: "the provider was moved to another host while you logged in",
                next: "look at it, then begin the login again",
            });
        }
        let token_url = Url::parse(settings.token_url.as_str()).ok();
        let at = token_url.as_ref().and_then(Url::host_str).unwrap_or_default();
        stored.hint = at.chars().take(100).collect();
        stored.credential = CredentialKind::OAuth;
        stored.updated_at = store.ambient().now();
        let endpoint = self.endpoint(&stored, None)?;
        let text = Login { settings, tokens, ended: false }.to_json();
        let written = Written { stored: &stored, credential: Some(&text) };
        providers::update(store, &mut tx, &written).await?;
        self.note_provider(&mut tx, actor, Deed::ChangeProvider, &stored).await?;
        let kept = providers::login(store, &mut tx, stored.id).await?;
        tx.commit().await?;
        self.inner.refresher.forget(&stored.id.to_string());
        self.inner.health.forget(stored.id);
        self.inner.reachables.forget();
        // So that whoever looks next sees whether it works; what was given is kept in any case.
        if let Some(held) = kept.and_then(|kept| self.held(&kept).ok()) {
            let usable: Usable = self.with_login(endpoint, held);
            let asked = tokio::time::timeout(FIRST_ANSWER, self.probe(&stored, &usable)).await;
            drop(asked);
        }
        Ok(self.shown(stored))
    }
}

/// What a browser brought back.
#[derive(Default)]
pub struct Returned {
    /// What it was sent away with.
    pub state: Option<String>,
    /// What tokens are given for.
    pub code: Option<String>,
    /// The server's code for a refusal.
    pub error: Option<String>,
}

/// Asked under the lock: the session may have ended while somebody was elsewhere.
async fn still_in(tx: &mut Tx, actor: &Actor) -> Result<()> {
    let Actor::User(person) = actor else { return Ok(()) };
    match person.grant {
        Grant::Session(id) => match sessions::owner(tx, id).await? {
            Some(owner) if owner == person.id => Ok(()),
            _ => Err(Error::Unauthenticated),
        },
        // A token was asked at the door, a moment ago.
        Grant::Token(..) => Ok(()),
    }
}
