//! A stolen token of an admin does not become its owner, nor an account that outlives it.

use crate::{on_both, support::*};
use http::Method;
use serde_json::{Value, json};

on_both!(an_admins_token_takes_over_nobody);

async fn an_admins_token_takes_over_nobody(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let stolen = root.with_token(&["read", "write", "admin", "metrics"]).await;
    let user = |who: &Person| format!("/api/users/{}", who.id);
    let team = root.make_team("Engines").await;

    for (method, path, body) in [
        (Method::POST, format!("{}/recovery", user(&root)), Value::Null),
        (Method::POST, format!("{}/recovery", user(&ada)), Value::Null),
        (Method::PATCH, user(&ada), json!({ "admin": true })),
        (Method::DELETE, user(&ada), Value::Null),
        (Method::POST, "/api/users".into(), json!({ "name": "eve", "password": PASSWORD })),
        (Method::POST, "/api/invites".into(), json!({})),
        (Method::POST, "/api/invites".into(), json!({ "team_id": team["id"], "role": "owner" })),
    ] {
        stolen.send(method.clone(), &path, body.clone()).await.refused(403, "forbidden");
        // The same in the admin's browser is an admin's work; deleting would end the test's people.
        if method != Method::DELETE {
            root.send(method, &path, body).await.ok();
        }
    }
    root.delete(&user(&ada), Value::Null).await.is(204);

    // What an admin's program is for still works.
    let bob = gateway.invite(&root, "bob").await;
    stolen.get("/api/users").await.is(200);
    stolen.post(&format!("{}/suspend", user(&bob)), Value::Null).await.is(200);
    stolen.post(&format!("{}/resume", user(&bob)), Value::Null).await.is(200);
    let invites = stolen.get("/api/invites").await.ok();
    let id = invites["items"][0]["id"].as_str().unwrap();
    stolen.delete(&format!("/api/invites/{id}"), Value::Null).await.is(204);
    // And the operator, who has no browser, is not locked out of it.
    gateway.operator().post(&format!("{}/recovery", user(&bob)), Value::Null).await.is(201);
}
