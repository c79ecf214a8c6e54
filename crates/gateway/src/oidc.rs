//! Logins with a provider (OpenID Connect): the authorization-code flow with PKCE, state and nonce.
//!
//! What leaves is noted in the store under the digest of `state`, and comes back at most once. The browser that comes
//! back must carry the cookie that the one that left was given, so nobody can be logged in to somebody else's account.

use crate::{Error, Gateway, Result};
use mosaic_outbound::Outbound;
use mosaic_protocol::{ProviderName, Time, UserId};
use mosaic_store::{
    ambient::digest,
    identities::{self, Flow},
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, TokenResponse,
    core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

const MINUTES: i64 = 10;
/// How long a provider's description is believed; its keys change now and then.
const DESCRIPTION_MINUTES: i64 = 60;
/// A provider that changed its keys meanwhile is asked again, but not more often than this.
const AGAIN_MINUTES: i64 = 1;
const ANSWER_BYTES: usize = 1024 * 1024;
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// A login provider.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// Its name in paths.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// Who vouches.
    pub issuer: String,
    /// Who we are to it.
    pub client_id: String,
    /// How we prove that.
    pub client_secret: mosaic_protocol::Sensitive,
    /// Whether somebody unknown gets an account.
    pub signup: bool,
}

/// Where to send the browser, and the cookie that it must bring back.
pub struct Departure {
    /// The provider's page.
    pub url: String,
    /// For the cookie.
    pub state: String,
    /// How long the cookie lasts.
    pub lasts_seconds: i64,
}

/// Who came back.
pub(crate) struct Arrival {
    pub(crate) provider: ProviderSettings,
    pub(crate) subject: String,
    /// What the provider calls them, if it says so.
    pub(crate) suggested_name: Option<String>,
    /// Who is linking, if it is not a login.
    pub(crate) linking: Option<UserId>,
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

pub(crate) struct Providers {
    known: Vec<ProviderSettings>,
    descriptions: Mutex<HashMap<String, (Time, Arc<CoreProviderMetadata>)>>,
    /// When each was last asked before its time.
    asked_again: Mutex<HashMap<String, Time>>,
    /// Made when first needed: reading the machine's certificates takes time and memory.
    outbound: OnceLock<Outbound>,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::ProviderFailed(error.to_string())
}

impl Providers {
    pub(crate) fn new(known: Vec<ProviderSettings>) -> Result<Self> {
        Ok(Self {
            known,
            descriptions: Mutex::default(),
            asked_again: Mutex::default(),
            outbound: OnceLock::new(),
        })
    }

    pub(crate) fn find(&self, name: &ProviderName) -> Result<&ProviderSettings> {
        self.known.iter().find(|provider| provider.name == name.as_str()).ok_or(Error::NotFound)
    }

    fn outbound(&self) -> Result<Outbound> {
        if let Some(outbound) = self.outbound.get() {
            return Ok(outbound.clone());
        }
        let outbound = Outbound::new(ANSWER_TIME, ANSWER_BYTES).map_err(failed)?;
        Ok(self.outbound.get_or_init(|| outbound).clone())
    }

    async fn description(
        &self,
        provider: &ProviderSettings,
        now: Time,
    ) -> Result<Arc<CoreProviderMetadata>> {
        let recalled = {
            let descriptions = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
            descriptions.get(&provider.name).cloned()
        };
        if let Some((since, description)) = recalled
            && (since..since.plus_minutes(DESCRIPTION_MINUTES)).contains(&now)
        {
            return Ok(description);
        }
        self.ask(provider, now).await
    }

    /// Whether its description may be fetched before its time; if so, notes it.
    fn may_ask_again(&self, provider: &ProviderSettings, now: Time) -> bool {
        let mut asked = self.asked_again.lock().unwrap_or_else(PoisonError::into_inner);
        let recently = asked
            .get(&provider.name)
            .is_some_and(|at| (*at..at.plus_minutes(AGAIN_MINUTES)).contains(&now));
        if !recently {
            asked.insert(provider.name.clone(), now);
        }
        !recently
    }

    async fn ask(
        &self,
        provider: &ProviderSettings,
        now: Time,
    ) -> Result<Arc<CoreProviderMetadata>> {
        let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(failed)?;
        let outbound = self.outbound()?;
        let send = |request| {
            let outbound = outbound.clone();
            async move { outbound.send(request).await }
        };
        let description =
            CoreProviderMetadata::discover_async(issuer, &send).await.map_err(explain)?;
        let description = Arc::new(description);
        let mut descriptions = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
        descriptions.insert(provider.name.clone(), (now, description.clone()));
        Ok(description)
    }

    async fn client(&self, provider: &ProviderSettings, origin: &str, now: Time) -> Result<Client> {
        let description = self.description(provider, now).await?;
        let redirect = format!("{origin}/api/oidc/{}/callback", provider.name);
        Ok(CoreClient::from_provider_metadata(
            (*description).clone(),
            ClientId::new(provider.client_id.clone()),
            Some(ClientSecret::new(provider.client_secret.expose().to_owned())),
        )
        .set_redirect_uri(RedirectUrl::new(redirect).map_err(failed)?))
    }
}

/// Whether a token was signed with a key that was not in the description: the provider may have a new one.
fn is_unknown_key(error: &ClaimsVerificationError) -> bool {
    matches!(
        error,
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)
    )
}

/// The whole chain of causes: the outermost alone only says "request failed".
fn explain(error: impl std::error::Error) -> Error {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    Error::ProviderFailed(text)
}

impl Gateway {
    /// Sends a browser to a provider, to log in or, if `linking` says who, to link an account there.
    pub(crate) async fn depart(
        &self,
        provider: &ProviderName,
        linking: Option<UserId>,
    ) -> Result<Departure> {
        let store = &self.inner.store;
        let now = store.ambient().now();
        let provider = self.inner.oidc.find(provider)?;
        let client = self.inner.oidc.client(provider, &self.origin(), now).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = store.ambient().mint("mosaic_o_");
        let secret = state.secret.clone();
        let (url, _, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(secret),
                Nonce::new_random,
            )
            .add_scope(Scope::new("profile".into()))
            .set_pkce_challenge(challenge)
            .url();
        let flow = Flow {
            provider: provider.name.clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            user_id: linking,
            expires_at: now.plus_minutes(MINUTES),
        };
        let mut tx = store.write().await?;
        identities::put_flow(&mut tx, &state.digest, &flow).await?;
        tx.commit().await?;
        Ok(Departure { url: url.to_string(), state: state.secret, lasts_seconds: MINUTES * 60 })
    }

    /// Finds out who came back from a provider. `cookie` is what this browser was given when it left.
    pub(crate) async fn arrive(
        &self,
        name: &ProviderName,
        state: &str,
        cookie: Option<&str>,
        code: &str,
    ) -> Result<Arrival> {
        let provider = self.inner.oidc.find(name)?;
        if cookie != Some(state) {
            return Err(Error::BadCode);
        }
        let store = &self.inner.store;
        let now = store.ambient().now();
        let mut tx = store.write().await?;
        let flow = identities::take_flow(&mut tx, &digest(state), now).await?;
        tx.commit().await?;
        let flow = flow.filter(|flow| flow.provider == provider.name).ok_or(Error::BadCode)?;

        let client = self.inner.oidc.client(provider, &self.origin(), now).await?;
        let outbound = self.inner.oidc.outbound()?;
        let send = |request| {
            let outbound = outbound.clone();
            async move { outbound.send(request).await }
        };
        let tokens = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(failed)?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier))
            .request_async(&send)
            .await
            .map_err(explain)?;
        let id_token = tokens.id_token().ok_or_else(|| failed("it sent no ID token"))?;
        let nonce = Nonce::new(flow.nonce);
        let claims = match id_token.claims(&client.id_token_verifier(), &nonce) {
            Err(error)
                if is_unknown_key(&error) && self.inner.oidc.may_ask_again(provider, now) =>
            {
                self.inner.oidc.ask(provider, now).await?;
                let client = self.inner.oidc.client(provider, &self.origin(), now).await?;
                id_token.claims(&client.id_token_verifier(), &nonce).map_err(explain)?
            }
            claims => claims.map_err(explain)?,
        };
        Ok(Arrival {
            provider: provider.clone(),
            subject: claims.subject().to_string(),
            suggested_name: claims.preferred_username().map(|name| name.to_string()),
            linking: flow.user_id,
        })
    }
}
