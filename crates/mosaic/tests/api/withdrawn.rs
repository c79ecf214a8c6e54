//! A right that ends while a request's body is still on its way has ended for that request, too.

use crate::{cast::hash_of, on_both, support::*, wire::Wire};
use http::Method;
use serde_json::{Value, json};

on_both!(what_ends_half_way_through_a_body_has_ended);

/// A request whose body has not come yet.
struct Half {
    what: &'static str,
    wire: Wire,
    body: Vec<u8>,
    /// The status and the code that it must be refused with.
    refusal: (&'static str, &'static str),
}

async fn half(
    gateway: &Gateway,
    what: &'static str,
    who: &Person,
    (method, path, body): (Method, String, Vec<u8>),
    refusal: (&'static str, &'static str),
) -> Half {
    let wire = Wire::begin(gateway, who, method, &path, "application/json", body.len()).await;
    Half { what, wire, body, refusal }
}

const GONE: (&str, &str) = ("401", "unauthenticated");

fn secret(who: &Person) -> (Method, String, Vec<u8>) {
    let body = json!({ "value": "sk-1", "host": "api.example.com" }).to_string();
    let path = format!("/api/workspaces/{}/secrets/late", who.workspace_id);
    (Method::PUT, path, body.into_bytes())
}

fn blob(who: &Person) -> (Method, String, Vec<u8>) {
    let body = format!("what {} sent too late", who.name).into_bytes();
    let path = format!("/api/workspaces/{}/blobs/{}", who.workspace_id, hash_of(&body));
    (Method::PUT, path, body)
}

async fn what_ends_half_way_through_a_body_has_ended(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let mut halves = vec![];
    for (what, request) in [("secret", secret as fn(&Person) -> _), ("blob", blob)] {
        let who = gateway.invite(&root, &format!("suspended-{what}")).await;
        halves.push(half(&gateway, "suspended", &who, request(&who), GONE).await);
        root.post(&format!("/api/users/{}/suspend", who.id), Value::Null).await.is(200);

        let who = gateway.invite(&root, &format!("left-{what}")).await;
        halves.push(half(&gateway, "left", &who, request(&who), GONE).await);
        who.post("/api/logout", Value::Null).await.is(204);

        let who = gateway.invite(&root, &format!("revoked-{what}")).await;
        let token = who.with_token(&["read", "write"]).await;
        halves.push(half(&gateway, "revoked", &token, request(&who), GONE).await);
        let tokens = who.get("/api/me/tokens").await.ok();
        let id = tokens["items"][0]["id"].as_str().unwrap();
        who.delete(&format!("/api/me/tokens/{id}"), Value::Null).await.is(204);
    }
    // Somebody who is an admin no longer invites nobody any more.
    let demoted = gateway.invite(&root, "demoted").await;
    let path = format!("/api/users/{}", demoted.id);
    root.patch(&path, json!({ "admin": true })).await.is(200);
    let invite = (Method::POST, "/api/invites".to_owned(), b"{}".to_vec());
    halves.push(half(&gateway, "demoted", &demoted, invite.clone(), ("403", "forbidden")).await);
    root.patch(&path, json!({ "admin": false })).await.is(200);

    // Beside them, those who kept their right.
    let steady = gateway.invite(&root, "steady").await;
    let mut kept = vec![];
    for (who, request) in [(&steady, secret(&steady)), (&steady, blob(&steady)), (&root, invite)] {
        kept.push(half(&gateway, "kept", who, request, ("", "")).await);
    }
    for Half { what, mut wire, body, refusal: (status, code) } in halves {
        wire.say(body).await;
        let answer = wire.hear("\r\n\r\n{").await;
        let begins = answer.starts_with(&format!("HTTP/1.1 {status} "));
        assert!(begins && answer.contains(code), "{what}: {answer}");
    }
    for Half { what, mut wire, body, .. } in kept {
        wire.say(body).await;
        let answer = wire.hear("\r\n\r\n{").await;
        assert!(answer.starts_with("HTTP/1.1 20"), "{what}: {answer}");
    }
    assert_eq!(steady.get(&secret_list(&steady)).await.ok()["items"][0]["name"], "late");
}

fn secret_list(who: &Person) -> String {
    format!("/api/workspaces/{}/secrets", who.workspace_id)
}
