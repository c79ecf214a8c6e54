//! A gateway, people with tokens, and providers that play scripts.

use mosaic_gateway::{Answering, Ask, Error, Gateway, ModelSettings, Said, Settings, Switching};
use mosaic_models::{Event, Message, Part, Request, Role};
use mosaic_protocol::{
    Time, UserId, WorkspaceId,
    access::{Actor, Grant, Person},
    budget::{UsageBy, UsageQuery, UsageReport},
    provider::{AddProviderRequest, Provider, ProviderKind},
    token::Scope,
};
use mosaic_store::{Ambient, Options, Store, ambient::SetClock, users, workspaces};
use std::sync::Arc;
use tempfile::TempDir;

const NOW: Time = Time(1_800_000_000_000);

pub(crate) struct Place {
    pub(crate) gateway: Gateway,
    pub(crate) clock: Arc<SetClock>,
    _dir: TempDir,
}

impl Place {
    pub(crate) async fn new() -> Place {
        Place::with(ModelSettings::default()).await
    }

    pub(crate) async fn with(models: ModelSettings) -> Place {
        // The program does this once in `main`; here every test may be the first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let clock = SetClock::at(NOW);
        let store = Store::open(Options {
            data: dir.path().join("data"),
            database_url: None,
            master_key: None,
            quota_bytes: 1 << 20,
            ambient: Ambient::with_clock(clock.clone()),
            keep_spare_keys: false,
        });
        let settings =
            Settings { session_days: 1, login_per_minute: 10, providers: vec![], models };
        let gateway = Gateway::new(store.await.unwrap(), settings, None).unwrap();
        gateway.seed_rules().await.unwrap();
        Place { gateway, clock, _dir: dir }
    }

    /// A person with every right that a login gives.
    pub(crate) async fn person(&self, name: &str, admin: bool) -> (Actor, WorkspaceId) {
        let store = self.gateway.store();
        let mut tx = store.write().await.unwrap();
        let name = name.to_owned().try_into().unwrap();
        let new = users::NewUser { name: &name, display_name: "x", password: None, admin };
        let user = users::create(store, &mut tx, new).await.unwrap();
        let own = workspaces::personal(&mut tx, user.id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        (actor(user.id, admin), own)
    }

    /// A provider that plays scripts.
    pub(crate) async fn scripted(&self, actor: &Actor, name: &str, server: bool) -> Provider {
        let request = AddProviderRequest {
            name: name.to_owned().try_into().unwrap(),
            kind: ProviderKind::Scripted,
            workspace_id: None,
            server,
            base_url: None,
            api: None,
            key: None,
            untested: false,
        };
        self.gateway.add_provider(actor, &request).await.unwrap()
    }

    pub(crate) async fn ask(&self, actor: &Actor, model: &str) -> Result<Answering, Error> {
        self.gateway.call_model(actor, ask(model)).await
    }

    pub(crate) async fn usage(&self, actor: &Actor, by: UsageBy) -> UsageReport {
        let query = UsageQuery { by, ..UsageQuery::default() };
        self.gateway.usage(actor, &query).await.unwrap()
    }
}

fn actor(id: UserId, admin: bool) -> Actor {
    let session = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    Actor::User(Person { id, admin, grant: Grant::Session(session) })
}

/// The same person, by a token with these scopes.
pub(crate) fn by_token(actor: &Actor, scopes: &[Scope]) -> Actor {
    let Actor::User(person) = actor else { panic!("a person") };
    let token = "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap();
    let grant = Grant::Token(token, scopes.iter().copied().collect());
    Actor::User(Person { grant, ..person.clone() })
}

pub(crate) fn ask(model: &str) -> Ask {
    Ask {
        request: Request {
            messages: vec![Message {
                role: Role::User,
                parts: vec![Part::text("one two three four five")],
            }],
            max_output: Some(100),
            ..Request::default()
        },
        model: model.to_owned(),
        whole: false,
        workspace_id: None,
        channel: "api",
        switching: Switching::Stop,
    }
}

/// All that is said, and how it ends.
pub(crate) async fn all(answering: &mut Answering) -> (String, Result<(), Error>) {
    let mut text = String::new();
    loop {
        match answering.next().await {
            Ok(None) => return (text, Ok(())),
            Ok(Some(Said::Event(Event::Text(more)))) => text.push_str(&more),
            Ok(Some(Said::Switched { from, to, .. })) => text.push_str(&format!("[{from}→{to}]")),
            Ok(Some(Said::Event(_))) => {}
            Err(error) => return (text, Err(error)),
        }
    }
}
