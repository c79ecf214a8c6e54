//! A provider that takes tokens, and everything around it that a login needs: the server that gives them, a gateway that
//! may reach both, and people with sessions.

use crate::{
    people::{Place, all, ask},
    server::{CLIENT_ID, CLIENT_SECRET, Reply, Server},
};
use mosaic_gateway::{Error, ModelSettings};
use mosaic_protocol::{
    ModelProviderId, WorkspaceId,
    access::{Actor, Grant, Person},
    provider::{CredentialKind, Provider},
    provider_login::{DeviceLogin, LoginProgress, LoginState, ProviderLoginRequest},
};
use mosaic_store::sessions;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What an API was asked with, and what it takes.
#[derive(Default)]
pub(crate) struct Asked {
    /// The tokens of calls, not of lists.
    pub(crate) bearers: Vec<String>,
    /// It takes no token but this.
    pub(crate) only: Option<String>,
}

pub(crate) struct Api {
    pub(crate) at: String,
    asked: Arc<Mutex<Asked>>,
    task: JoinHandle<()>,
}

impl Api {
    async fn start() -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Asked>>::default();
        let shared = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Api { at, asked, task }
    }

    pub(crate) fn takes_only(&self, token: &str) {
        self.asked.lock().unwrap().only = Some(token.to_owned());
    }

    /// The tokens of the calls since this was last asked.
    pub(crate) fn bearers(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap().bearers)
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, asked: Arc<Mutex<Asked>>) {
    let (mut bytes, mut piece) = (vec![], [0; 4096]);
    let head = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |it| it.parse().unwrap()) {
                break head.to_owned();
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
    };
    let bearer = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("authorization").then(|| value.replace("Bearer ", ""))
    });
    let bearer = bearer.unwrap_or_default();
    let is_call = head.starts_with("POST ");
    let takes = {
        let mut asked = asked.lock().unwrap();
        if is_call {
            asked.bearers.push(bearer.clone());
        }
        asked.only.as_ref().is_none_or(|only| *only == bearer)
    };
    let (status, body) = match (takes, is_call) {
        (false, _) => (401, json!({ "error": { "message": "no" } })),
        (true, false) => {
            (200, json!({ "object": "list", "data": [{ "id": "m", "object": "model" }] }))
        }
        (true, true) => (
            200,
            json!({
                "id": "1", "object": "chat.completion", "created": 1, "model": "m",
                "choices": [{
                    "index": 0, "finish_reason": "stop",
                    "message": { "role": "assistant", "content": "hello" },
                }],
                "usage": { "prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6 },
            }),
        ),
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
}

/// Ada's gateway, with a provider of hers that she can log in to.
pub(crate) struct Scene {
    pub(crate) place: Place,
    pub(crate) server: Server,
    pub(crate) api: Api,
    pub(crate) ada: Actor,
    pub(crate) bob: Actor,
    pub(crate) provider_id: ModelProviderId,
}

impl Scene {
    pub(crate) async fn new() -> Scene {
        let (server, api) = (Server::start().await, Api::start().await);
        let host = |at: &str| at.trim_start_matches("http://").to_owned();
        let private_hosts = vec![host(&server.at), host(&api.at)];
        let models = ModelSettings { private_hosts, ..ModelSettings::default() };
        let place = Place::with(models).await;
        place.gateway.set_origin("http://127.0.0.1:6672");
        let (ada, _) = with_session(&place, "ada").await;
        let (bob, _) = with_session(&place, "bob").await;
        let provider_id = provider(&place, &ada, &api.at).await.unwrap().id;
        Scene { place, server, api, ada, bob, provider_id }
    }

    pub(crate) fn settings(&self) -> Value {
        let at = &self.server.at;
        json!({
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "authorize_url": format!("{at}/authorize"),
            "token_url": format!("{at}/token"),
            "device_url": format!("{at}/device"),
            "scopes": ["chat", "offline_access"],
        })
    }

    pub(crate) async fn begin(&self, actor: &Actor, settings: Value) -> Result<DeviceLogin, Error> {
        let request = request(settings);
        self.place.gateway.begin_device_login(actor, self.provider_id, &request).await
    }

    pub(crate) async fn poll(
        &self,
        actor: &Actor,
        login: &DeviceLogin,
    ) -> Result<LoginProgress, Error> {
        self.place.gateway.poll_device_login(actor, login.login_id).await
    }

    /// Ada logs in.
    pub(crate) async fn log_in(&self, settings: Value) -> Provider {
        let login = self.begin(&self.ada, settings).await.unwrap();
        self.server.state().device.push_back(Reply::Grant);
        self.place.clock.advance_ms(5_000);
        let done = self.poll(&self.ada, &login).await.unwrap();
        assert_eq!(done.state, LoginState::Done);
        let provider = done.provider.unwrap();
        assert_eq!(provider.credential, CredentialKind::OAuth);
        provider
    }

    /// Ada calls the model.
    pub(crate) async fn call(&self) -> Result<String, Error> {
        call(&self.place.gateway, &self.ada).await
    }

    /// How often tokens were renewed, or it was tried.
    pub(crate) fn renewals(&self) -> usize {
        let state = self.server.state();
        let is = |form: &std::collections::BTreeMap<String, String>| {
            form.get("grant_type").is_some_and(|it| it == "refresh_token")
        };
        state.asked.iter().filter(|asked| is(&asked.form)).count()
    }
}

pub(crate) async fn call(
    gateway: &mosaic_gateway::Gateway,
    actor: &Actor,
) -> Result<String, Error> {
    let mut asked = ask("mine/m");
    asked.whole = true;
    let mut answering = gateway.call_model(actor, asked).await?;
    let (text, end) = all(&mut answering).await;
    end.map(|()| text)
}

pub(crate) fn request(settings: Value) -> ProviderLoginRequest {
    serde_json::from_value(json!({ "settings": settings })).unwrap()
}

pub(crate) async fn provider(place: &Place, actor: &Actor, at: &str) -> Result<Provider, Error> {
    let request = json!({ "name": "mine", "kind": "compatible", "base_url": at, "untested": true });
    let request = serde_json::from_value(request).unwrap();
    place.gateway.add_provider(actor, &request).await
}

/// A person with a login that the store knows.
pub(crate) async fn with_session(place: &Place, name: &str) -> (Actor, WorkspaceId) {
    let (actor, own) = place.person(name, false).await;
    let Actor::User(person) = actor else { panic!("a person") };
    let store = place.gateway.store();
    let expires_at = store.ambient().now().plus_minutes(100_000);
    let new = sessions::NewSession { user_id: person.id, expires_at, agent: "", address: "" };
    let mut tx = store.write().await.unwrap();
    sessions::create(store.ambient(), &mut tx, new).await.unwrap();
    let id =
        sessions::list(&mut tx, person.id, None, store.ambient().now()).await.unwrap().remove(0).id;
    tx.commit().await.unwrap();
    (Actor::User(Person { grant: Grant::Session(id), ..person }), own)
}
