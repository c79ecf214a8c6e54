//! The application: every operation that a person or program can do, each with its access check.
//!
//! Surfaces call in here with an `Actor`; nothing here knows of HTTP. The order inside every operation is the same:
//! load the facts, ask `access::may`, change, note it in the audit log, commit.

mod accounts;
mod audit;
mod blobs;
mod buckets;
mod budgets;
mod calls;
mod conversations;
mod credentials;
mod error;
mod files;
mod following;
mod health;
mod housekeeping;
mod identities;
mod invites;
mod limits;
mod login;
mod oidc;
mod operator;
mod pages;
mod passwords;
mod providers;
mod reachable;
mod routing;
mod search;
mod secrets;
mod sessions;
mod setup;
mod spending;
mod standing;
mod submit;
mod teams;
mod tokens;
mod transfer;
mod workspaces;

pub use blobs::BlobPieces;
pub use buckets::Buckets;
pub use calls::{Answering, Ask, Embed, Embedded, Said, Switching};
pub use credentials::{Authenticated, Credential};
pub use error::{Error, Result};
pub use following::Following;
pub use identities::Arrived;
pub use limits::network_of;
pub use login::{Caller, LoggedIn};
pub use mosaic_models::{InProcess, Key};
pub use mosaic_store::{Kept, Update, bus::BusCounts};
pub use oidc::{Departure, ProviderSettings};
pub use providers::EnvironmentProvider;
pub use reachable::{families, offers_of_everything};
pub use routing::seeded_rules;
pub use transfer::Exported;

use credentials::Credentials;
use health::Health;
use limits::LoginLimits;
use mosaic_models::{Catalogue, Models, Patiences};
use mosaic_outbound::Outbound;
use mosaic_protocol::access::{Action, Actor, Denial, Object, Person, may};
use mosaic_protocol::{ModelName, provider::ProviderKind};
use mosaic_store::{Store, ledger::Ledger};
use passwords::Passwords;
use reachable::Reachables;
use standing::Standings;
use std::sync::{Arc, PoisonError, RwLock};

/// What the operator has chosen.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a login in a browser lasts.
    pub session_days: i64,
    /// How many logins an account may try in a minute from one address.
    pub login_per_minute: u32,
    /// Login providers.
    pub providers: Vec<ProviderSettings>,
    /// What concerns models.
    pub models: ModelSettings,
}

/// What the operator has chosen about models.
#[derive(Debug, Clone, Default)]
pub struct ModelSettings {
    /// Private addresses that anybody may set a provider up at: `host:port`.
    pub private_hosts: Vec<String>,
    /// Providers out of the environment, for everybody.
    pub environment: Vec<EnvironmentProvider>,
    /// What is asked when no rule decides.
    pub default_model: Option<ModelName>,
    /// Of which kind of provider that is.
    pub default_provider: Option<ProviderKind>,
    /// Which model is asked when it is unsure what a message is about; none unless told.
    pub second_look: Option<ModelName>,
    /// What is known here of models that the catalogue does not know, or knows wrong.
    pub overrides: Option<String>,
}

/// The application.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    settings: Settings,
    passwords: Passwords,
    credentials: Credentials,
    standings: Standings,
    login_limits: LoginLimits,
    models: Models,
    catalogue: Catalogue,
    health: Health,
    reachables: Reachables,
    ledger: Ledger,
    oidc: oidc::Providers,
    /// A large import is one large commit: never several of them together, which everybody would wait for.
    importing: tokio::sync::Semaphore,
    /// Where people reach this gateway; links are made from it. Known once the server listens.
    origin: RwLock<String>,
}

impl Gateway {
    /// The application over an open store. `local`: the models that run in our own process.
    pub fn new(
        store: Store,
        settings: Settings,
        local: Option<Arc<dyn InProcess>>,
    ) -> Result<Gateway> {
        let patiences = Patiences::default();
        let outbound = Outbound::new(patiences.asking, patiences.answer_bytes)
            .map_err(|error| Error::Internal(error.to_string()))?;
        let bundled = Catalogue::bundled();
        let catalogue = match &settings.models.overrides {
            None => bundled.clone(),
            Some(text) => bundled.with_overrides(text).map_err(|error| Error::Refused {
                problem: format!("`providers.catalogue` {error}"),
                next: "correct it; docs/models.md says what it may hold".to_owned(),
            })?,
        };
        let inner = Inner {
            models: Models::new(outbound, patiences, local),
            catalogue,
            health: Health::default(),
            reachables: Reachables::default(),
            ledger: Ledger::start(store.clone()),
            passwords: Passwords::new(),
            credentials: Credentials::default(),
            standings: Standings::default(),
            login_limits: LoginLimits::new(settings.login_per_minute),
            oidc: oidc::Providers::new(settings.providers.clone())?,
            importing: tokio::sync::Semaphore::new(1),
            origin: RwLock::new(String::new()),
            store,
            settings,
        };
        Ok(Gateway { inner: Arc::new(inner) })
    }

    /// The store, for those who look after it.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Says where people reach this gateway, without a slash at the end.
    pub fn set_origin(&self, origin: &str) {
        origin.clone_into(&mut self.inner.origin.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Where people reach this gateway.
    pub fn origin(&self) -> String {
        self.inner.origin.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A link that carries a code to the page. It rides in the fragment, which browsers keep to themselves.
    fn link(&self, what: &str, code: &str) -> String {
        format!("{}/#{what}={code}", self.origin())
    }
}

/// The access rule, as an error.
fn check(actor: &Actor, action: Action, object: Object) -> Result<()> {
    may(actor, action, &object).map_err(Error::Denied)
}

/// The person behind an actor, for what only makes sense for one.
fn person(actor: &Actor) -> Result<&Person> {
    match actor {
        Actor::User(person) => Ok(person),
        Actor::System => Err(Error::Denied(Denial::NeedsSession)),
    }
}
