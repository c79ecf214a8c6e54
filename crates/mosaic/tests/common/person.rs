//! Somebody who talks to a gateway: nobody in particular, a browser with a session, a program with a token.

use super::{
    client::{Answer, Client, json_request},
    events::Events,
    fresh_id,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use serde_json::{Value, json};

/// The password of everybody whom the tests make, unless they change it.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// By what somebody proves who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    Nobody,
    /// What the session's cookie holds.
    Session(String),
    Token(String),
}

/// Somebody who talks to a gateway.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) credential: Credential,
    pub(crate) name: String,
    pub(crate) id: String,
    /// Their personal workspace.
    pub(crate) workspace_id: String,
}

impl Person {
    pub(crate) fn nobody(client: &Client) -> Person {
        Person {
            client: client.clone(),
            credential: Credential::Nobody,
            name: String::new(),
            id: String::new(),
            workspace_id: String::new(),
        }
    }

    /// Out of the answer to a login, a setup or an accepted invitation.
    #[track_caller]
    pub(crate) fn arrived(client: &Client, answer: Answer) -> Person {
        let secret = answer.cookie("mosaic_session");
        let me = answer.ok();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Person {
            client: client.clone(),
            credential: Credential::Session(secret.expect("a session's cookie")),
            name: text(&me["user"]["name"]),
            id: text(&me["user"]["id"]),
            workspace_id: text(&me["workspace_id"]),
        }
    }

    /// The same person in another browser.
    pub(crate) async fn log_in(&self) -> Person {
        self.log_in_with(PASSWORD).await
    }

    pub(crate) async fn log_in_with(&self, password: &str) -> Person {
        let login = json!({ "name": self.name, "password": password });
        Person::arrived(&self.client, self.client.post("/api/login", login).await)
    }

    /// The same person as a program with a token of these scopes. Needs a session.
    pub(crate) async fn with_token(&self, scopes: &[&str]) -> Person {
        let request = json!({ "name": "a program", "scopes": scopes, "expires_in_days": 1 });
        let made = self.post("/api/me/tokens", request).await.ok();
        let secret = made["secret"].as_str().unwrap().to_owned();
        Person { credential: Credential::Token(secret), ..self.clone() }
    }

    /// The same person with another credential.
    pub(crate) fn with(&self, credential: Credential) -> Person {
        Person { credential, ..self.clone() }
    }

    /// The same person at another gateway, or at the same one started again.
    pub(crate) fn with_client(&self, client: &Client) -> Person {
        Person { client: client.clone(), ..self.clone() }
    }

    /// The session's or the token's secret.
    pub(crate) fn secret(&self) -> &str {
        match &self.credential {
            Credential::Nobody => "",
            Credential::Session(secret) | Credential::Token(secret) => secret,
        }
    }

    /// A request as this person's browser or program would send it; null stands for no body.
    pub(crate) fn request(&self, method: Method, path: &str, json: &Value) -> Request<Bytes> {
        self.sign(json_request(method, path, json))
    }

    /// Puts this person's credential on a request, and what a browser would add.
    pub(crate) fn sign(&self, mut request: Request<Bytes>) -> Request<Bytes> {
        let headers = request.headers_mut();
        let value = |text: String| HeaderValue::from_str(&text).unwrap();
        match &self.credential {
            Credential::Nobody => {}
            Credential::Session(secret) => {
                headers.insert(header::COOKIE, value(format!("mosaic_session={secret}")));
                headers.insert(header::ORIGIN, value(self.client.origin()));
            }
            Credential::Token(secret) => {
                headers.insert(header::AUTHORIZATION, value(format!("Bearer {secret}")));
            }
        }
        request
    }

    pub(crate) async fn send(&self, method: Method, path: &str, json: Value) -> Answer {
        self.client.send(self.request(method, path, &json)).await
    }

    /// Sends plain bytes.
    pub(crate) async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        bytes: impl Into<Bytes>,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path).body(bytes.into()).unwrap();
        self.client.send(self.sign(request)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, json: Value) -> Answer {
        self.send(Method::POST, path, json).await
    }

    pub(crate) async fn put(&self, path: &str, json: Value) -> Answer {
        self.send(Method::PUT, path, json).await
    }

    pub(crate) async fn patch(&self, path: &str, json: Value) -> Answer {
        self.send(Method::PATCH, path, json).await
    }

    pub(crate) async fn delete(&self, path: &str, json: Value) -> Answer {
        self.send(Method::DELETE, path, json).await
    }

    /// Follows a stream of events.
    pub(crate) async fn follow(&self, path: &str) -> Events {
        let response = self.client.open(self.request(Method::GET, path, &Value::Null)).await;
        Events::new(response.unwrap())
    }

    /// Submits a command under a new id.
    pub(crate) async fn submit(&self, command: Value) -> Answer {
        self.post("/api/commands", json!({ "command_id": fresh_id(), "command": command })).await
    }

    /// Begins a conversation, and answers its id.
    pub(crate) async fn converse(&self, title: &str) -> String {
        let command = json!({ "kind": "create_conversation", "title": title });
        self.submit(command).await.ok()["log"].as_str().unwrap().to_owned()
    }

    /// Says something, and answers where it is.
    pub(crate) async fn say(&self, log: &str, text: &str) -> i64 {
        let command = json!({ "kind": "send_message", "log": log, "text": text });
        self.submit(command).await.ok()["seq"].as_i64().unwrap()
    }

    /// Makes a team and answers it.
    pub(crate) async fn make_team(&self, name: &str) -> Value {
        self.post("/api/teams", json!({ "name": name })).await.ok()
    }

    /// Brings somebody else into one of this person's teams.
    pub(crate) async fn bring_into(&self, team_id: &str, guest: &Person, role: &str) {
        let path = format!("/api/teams/{team_id}/invites");
        let made = self.post(&path, json!({ "role": role })).await.ok();
        guest.post("/api/invites/join", json!({ "code": code_of(&made["link"]) })).await.ok();
    }
}

/// The code at the end of a one-time link.
pub(crate) fn code_of(link: &Value) -> String {
    let (_, code) = link.as_str().unwrap().rsplit_once('=').expect("a link with a code");
    code.to_owned()
}
