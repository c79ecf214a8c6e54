//! What ends when a right ends: sessions, tokens, and streams that are open, all within five seconds.

use crate::{on_both, support::*};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_both!(
    streams_end_with_the_right_to_them,
    a_new_password_ends_other_logins,
    a_recovery_does_not_lose_to_a_change_under_way,
    one_ends_ones_own
);

/// The promise.
const SOON: Duration = Duration::from_secs(5);

async fn streams_end_with_the_right_to_them(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    // All are opened first and ended one after the other: each end is its own.
    let mut open = vec![];
    for name in ["suspended", "deleted", "left", "revoked", "recovered", "erased", "expired"] {
        let who = gateway.invite(&root, name).await;
        let follower = match name {
            "revoked" | "expired" => who.with_token(&["read"]).await,
            _ => who.clone(),
        };
        let mut events = follower.follow("/api/me/events").await;
        assert_eq!(events.status, 200);
        let first = events.next().await.unwrap();
        assert_eq!((first.name.as_str(), &first.data["user"]["name"]), ("me", &json!(name)));
        open.push((name, who, follower, events));
    }
    let steady = gateway.invite(&root, "steady").await;
    let mut stays = steady.follow("/api/me/events").await;
    stays.next().await.unwrap();

    let place = gateway.place();
    for (name, who, follower, mut events) in open {
        let begun = Instant::now();
        let user = format!("/api/users/{}", who.id);
        match name {
            "suspended" => drop(root.post(&format!("{user}/suspend"), Value::Null).await.ok()),
            "deleted" => drop(root.delete(&user, Value::Null).await.is(204)),
            "left" => drop(who.post("/api/logout", Value::Null).await.is(204)),
            "revoked" => {
                let tokens = who.get("/api/me/tokens").await.ok();
                let id = tokens["items"][0]["id"].as_str().unwrap();
                who.delete(&format!("/api/me/tokens/{id}"), Value::Null).await.is(204);
            }
            "recovered" => {
                let link = root.post(&format!("{user}/recovery"), Value::Null).await.ok();
                let new = json!({ "code": code_of(&link["link"]), "password": "battery staple" });
                gateway.post("/api/recovery", new).await.is(204);
            }
            // By another node: this process is not told.
            "erased" => {
                place.run(format!("delete from sessions where user_id = '{}'", who.id)).await;
            }
            _ => {
                let id = &who.id;
                place.run(format!("update tokens set expires_at = 1 where user_id = '{id}'")).await;
            }
        }
        let last = events.next_within(SOON).await.expect("a word before the end");
        assert_eq!((name, last.name.as_str()), (name, "gone"));
        assert_eq!(events.next_within(SOON).await, None);
        assert!(begun.elapsed() < SOON, "{name}: {:?}", begun.elapsed());
        follower.get("/api/me").await.refused(401, "unauthenticated");
    }
    steady.patch("/api/me", json!({ "display_name": "Steady as ever" })).await.is(200);
    let next = stays.next_within(SOON).await.expect("the others' streams go on");
    assert_eq!(
        (next.name.as_str(), &next.data["user"]["display_name"]),
        ("me", &json!("Steady as ever"))
    );
}

async fn a_new_password_ends_other_logins(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let elsewhere = ada.log_in().await;
    let token = ada.with_token(&["read"]).await;
    let change = |current: &str| json!({ "current": current, "new": "battery staple" });

    ada.post("/api/me/password", change("not it")).await.refused(401, "wrong_login");
    let nothing = json!({ "new": "battery staple" });
    ada.post("/api/me/password", nothing).await.refused(401, "wrong_login");
    elsewhere.get("/api/me").await.is(200);
    ada.post("/api/me/password", change(PASSWORD)).await.is(204);
    elsewhere.get("/api/me").await.refused(401, "unauthenticated");
    ada.get("/api/me").await.is(200);
    token.get("/api/me").await.is(200);

    let old = json!({ "name": "ada", "password": PASSWORD });
    gateway.post("/api/login", old).await.refused(401, "wrong_login");
    ada.log_in_with("battery staple").await;
}

/// Whoever knows the old password must not be able to hold on to the account by changing it at the right moment.
async fn a_recovery_does_not_lose_to_a_change_under_way(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let mut ada = gateway.invite(&root, "ada").await;
    let mut password = PASSWORD.to_owned();
    for round in 0..3 {
        let made = root.post(&format!("/api/users/{}/recovery", ada.id), Value::Null).await.ok();
        let (theirs, hers) = (format!("the thief's {round}"), format!("ada's own {round}"));
        let change = json!({ "current": password, "new": theirs });
        let recover = json!({ "code": code_of(&made["link"]), "password": hers });
        let (changed, recovered) = tokio::join!(
            ada.post("/api/me/password", change),
            gateway.post("/api/recovery", recover)
        );
        // The change came first and ended the link, or the recovery came first and ended the change.
        password = match (changed.status, recovered.status) {
            (204, 403) => theirs,
            (401, 204) => hers,
            statuses => panic!("{statuses:?}"),
        };
        ada = ada.log_in_with(&password).await;
    }
}

async fn one_ends_ones_own(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let (second, third) = (ada.log_in().await, ada.log_in().await);
    let sessions = async || ada.get("/api/me/sessions").await.ok()["items"].clone();
    let listed = sessions().await;
    assert_eq!(listed.as_array().unwrap().len(), 3);
    for session in listed.as_array().unwrap() {
        assert_eq!(session["address"], "127.0.0.1");
        assert!(session["expires_at"].as_i64() > session["created_at"].as_i64());
    }
    let own = listed.as_array().unwrap().iter().filter(|it| it["current"] == true);
    assert_eq!(own.count(), 1);

    // Newest first: the third login.
    let id = listed[0]["id"].as_str().unwrap();
    ada.delete(&format!("/api/me/sessions/{id}"), Value::Null).await.is(204);
    third.get("/api/me").await.refused(401, "unauthenticated");
    second.get("/api/me").await.is(200);
    ada.delete(&format!("/api/me/sessions/{id}"), Value::Null).await.refused(404, "not_found");
    ada.delete("/api/me/sessions", Value::Null).await.is(204);
    second.get("/api/me").await.refused(401, "unauthenticated");
    assert_eq!(sessions().await.as_array().unwrap().len(), 1);

    let left = ada.post("/api/logout", Value::Null).await.is(204);
    assert_eq!(left.cookie("mosaic_session").as_deref(), Some(""), "the browser forgets it");
    ada.get("/api/me").await.refused(401, "unauthenticated");

    // Suspended is suspended, and resumed is as before, but for the sessions.
    let ada = ada.log_in().await;
    let token = ada.with_token(&["read"]).await;
    token.get("/api/me").await.is(200);
    let user = format!("/api/users/{}", ada.id);
    root.post(&format!("{user}/suspend"), Value::Null).await.is(200);
    ada.get("/api/me").await.refused(401, "unauthenticated");
    token.get("/api/me").await.refused(401, "unauthenticated");
    root.post(&format!("{user}/resume"), Value::Null).await.is(200);
    ada.get("/api/me").await.refused(401, "unauthenticated");
    token.get("/api/me").await.is(200);
}
