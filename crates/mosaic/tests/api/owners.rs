//! Every row of the route table by the one whom it is for. Without this, the other tests of the table would pass on
//! a server that refuses everything.

use crate::{
    cast::{Cast, PROVIDER, PROVIDER_SETTINGS},
    on_both,
    rows::{self, Faults},
    support::*,
};
use bytes::Bytes;
use http::{Method, Request};
use mosaic_protocol::access::Needs;
use mosaic_server::Row;
use serde_json::{Value, json};

on_both!(whom_it_is_for_is_served);

async fn whom_it_is_for_is_served(database: Database) {
    let Some(gateway) = Gateway::start(database, PROVIDER_SETTINGS) else { return };
    let root = Cast::of(&gateway, gateway.admin().await).await;
    let mut faults = Faults::default();
    for by_token in [false, true] {
        let kind = if by_token { "t" } else { "s" };
        let mut bob = Cast::new(&gateway, &root.who, &format!("bob-{kind}")).await;
        for (n, row) in rows::table().iter().enumerate() {
            let passes = passes(row, by_token, &gateway, &root.who, &bob.who).await;
            let (Some(who), Some(request)) = (passes, body(row, &gateway, &root, &bob, n).await)
            else {
                continue;
            };
            let answer = who.client.send(who.sign(request)).await;
            // That the provider cannot be reached is found out behind all doors.
            let is_provider = answer.status == 502 && row.path == "/api/me/identities";
            // What plays a script has no login; that is found out there too.
            let is_login = answer.status == 400 && row.path.contains("/login/");
            let fails = is_provider || is_login;
            if !matches!(answer.status, 101 | 200 | 201 | 204 | 303 | 409) && !fails {
                faults.note(format!("{} by {kind}: {}", rows::name(row), answer.face()));
            }
            if ends_something(row) {
                bob = Cast::new(&gateway, &root.who, &format!("bob-{kind}{n}")).await;
            }
        }
    }
    faults.none();
}

/// Who may, by the least that suffices. None where it was tried before.
async fn passes(
    row: &Row,
    by_token: bool,
    gateway: &Gateway,
    root: &Person,
    bob: &Person,
) -> Option<Person> {
    let (who, scope) = match row.needs {
        Needs::Public | Needs::Operator | Needs::Session | Needs::AdminSession if by_token => {
            return None;
        }
        Needs::Public => return Some(gateway.nobody()),
        Needs::Operator => return Some(Person::nobody(&gateway.operator())),
        Needs::Session => return Some(bob.clone()),
        Needs::AdminSession => return Some(root.clone()),
        Needs::Login(scope) => (bob, scope.as_str()),
        Needs::Admin => (root, "admin"),
        Needs::Metrics => (root, "metrics"),
    };
    // An invitation may lead into a team, and that is changed by it.
    let scopes: &[&str] = match row.path {
        "/api/invites" if row.method == Method::POST => &[scope, "write"],
        _ => &[scope],
    };
    Some(if by_token { who.with_token(scopes).await } else { who.clone() })
}

/// Whether what it was tried on is of no use afterwards.
fn ends_something(row: &Row) -> bool {
    row.method == Method::DELETE
        || ["/logout", "/suspend", "/password", "/recovery"].iter().any(|it| row.path.ends_with(it))
}

/// A request that means something, on Bob's things. None for what was done already.
async fn body(
    row: &Row,
    gateway: &Gateway,
    root: &Cast,
    bob: &Cast,
    n: usize,
) -> Option<Request<Bytes>> {
    // An admin may invite into their own teams only; everything else is Bob's.
    let owner = if row.path == "/api/invites" { root } else { bob };
    let request = rows::request(row, &rows::own(row, bob), owner);
    let code = async |path: &str, json: Value| {
        let made = root.who.post(path, json).await.ok();
        code_of(&made["link"])
    };
    let body = match (row.method.as_str(), row.path) {
        // The first admin was made with it.
        ("POST", "/api/setup") => return None,
        ("POST", "/api/login") => json!({ "name": bob.who.name, "password": PASSWORD }),
        ("POST", "/api/recovery") => {
            let path = format!("/api/users/{}/recovery", bob.who.id);
            json!({ "code": code(&path, Value::Null).await, "password": PASSWORD })
        }
        ("POST", "/api/invites/accept") => {
            let code = code("/api/invites", json!({})).await;
            json!({ "code": code, "name": format!("guest-{n}"), "password": PASSWORD })
        }
        ("POST", "/api/invites/join") => {
            let team_id = root.thing(mosaic_server::Kind::Team);
            json!({ "code": code(&format!("/api/teams/{team_id}/invites"), json!({})).await })
        }
        ("DELETE", "/api/me") => json!({ "name": bob.who.name, "password": PASSWORD }),
        ("POST", "/api/me/password") => json!({ "current": PASSWORD, "new": "battery staple" }),
        ("POST", "/api/commands") => {
            let log = bob.thing(mosaic_server::Kind::Log);
            let command = json!({ "kind": "send_message", "log": log, "text": "hello" });
            json!({ "command_id": fresh_id(), "command": command })
        }
        ("POST", "/api/shared") => {
            let path = format!("/api/conversations/{}/link", bob.thing(mosaic_server::Kind::Log));
            json!({ "code": code_of(&bob.who.post(&path, Value::Null).await.ok()["link"]) })
        }
        ("GET", "/ws") => {
            let mut request = request;
            for (name, value) in [
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ] {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            return Some(request);
        }
        ("POST", "/api/conversations/import") => {
            let file =
                r#"{"mosaic_conversation":{"format":1,"title":"x","exported_at":1,"n_entries":0}}"#;
            let mut request = request.map(|_| Bytes::from(file));
            let uri = format!("{}?command_id={}&format=jsonl", row.path, fresh_id());
            *request.uri_mut() = uri.parse().unwrap();
            return Some(request);
        }
        ("POST", "/api/me/identities") => json!({ "provider": PROVIDER, "password": PASSWORD }),
        // What plays a script has no place.
        ("PATCH", "/api/providers/{provider_id}") => json!({ "enabled": true }),
        ("PUT", "/api/routing/order") => {
            let workspace_id = &bob.who.workspace_id;
            let rules = bob.who.get("/api/routing/rules").await.ok();
            let own = rules["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|it| it["workspace_id"] == **workspace_id);
            let ids: Vec<&Value> = own.map(|it| &it["id"]).collect();
            json!({ "ids": ids, "workspace_id": workspace_id })
        }
        // Only a rule of the system is overridden; one's own is changed.
        ("PUT", "/api/routing/rules/{rule_id}/override") => {
            let rules = bob.who.get("/api/routing/rules").await.ok();
            let rule = rules["items"].as_array().unwrap().iter().find(|it| it["scope"] == "system");
            let path = row.path.replace("{rule_id}", rule.unwrap()["id"].as_str().unwrap());
            let mut request = request;
            *request.uri_mut() = path.parse().unwrap();
            return Some(request);
        }
        ("POST", "/api/users") => json!({ "name": format!("made-{}", fresh_id()) }),
        ("POST", "/api/operator/backup") => {
            json!({ "path": gateway.place().beside("a.backup") })
        }
        ("PUT", path) if path.ends_with("/blobs/{hash}") => {
            let hash = bob.thing(mosaic_server::Kind::Blob);
            let bytes = bob.bytes_of(&hash).unwrap();
            return Some(request.map(|_| bytes.into()));
        }
        _ => return Some(request),
    };
    Some(request.map(|_| Bytes::from(body.to_string())))
}
