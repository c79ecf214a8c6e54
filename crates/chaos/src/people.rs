//! Those who write and read: made through the HTTP API, each with a token.

use crate::{
    http::{Credential, Http},
    node::SETUP_CODE,
};
use anyhow::Context;
use http::Method;
use mosaic_protocol::UserId;
use serde_json::{Value, json};
use std::net::SocketAddr;

const PASSWORD: &str = "correct horse battery";

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) token: String,
}

impl Person {
    pub(crate) fn credential(&self) -> Credential {
        Credential::Token(self.token.clone())
    }
}

/// The first admin, and somebody whom they invite.
pub(crate) async fn arrive(address: SocketAddr) -> anyhow::Result<[Person; 2]> {
    let mut http = Http::to(address);
    let setup = json!({ "code": SETUP_CODE, "name": "root", "password": PASSWORD });
    let (root, session) = enter(&mut http, "/api/setup", &setup).await?;
    let invite = json!({ "expires_in_hours": 1 });
    let made = post(&mut http, "/api/invites", &session, &invite).await?;
    let code =
        made["link"].as_str().and_then(|link| link.split_once("#invite=")).context("a link")?.1;
    let accept = json!({ "code": code, "name": "ada", "password": PASSWORD });
    let (ada, _) = enter(&mut http, "/api/invites/accept", &accept).await?;
    Ok([root, ada])
}

async fn enter(http: &mut Http, path: &str, body: &Value) -> anyhow::Result<(Person, Credential)> {
    let asked = http.ask(Method::POST, path, &Credential::Nobody, body).await;
    let answer = asked.map_err(anyhow::Error::msg)?;
    let session = Credential::Session(answer.session.clone().unwrap_or_default());
    let me = answer.ok(path)?;
    let id = me["user"]["id"].as_str().and_then(|id| id.parse().ok()).context("a user's id")?;
    let token = json!({ "name": "chaos", "scopes": ["read", "write"], "expires_in_days": 1 });
    let made = post(http, "/api/me/tokens", &session, &token).await?;
    let token = made["secret"].as_str().context("a token's secret")?.to_owned();
    Ok((Person { id, token }, session))
}

async fn post(
    http: &mut Http,
    path: &str,
    who: &Credential,
    body: &Value,
) -> anyhow::Result<Value> {
    http.ask(Method::POST, path, who, body).await.map_err(anyhow::Error::msg)?.ok(path)
}
