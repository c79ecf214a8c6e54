//! Two nodes on one database: what is said on one is heard on the other, and so is the end of a right.

use crate::support::*;
use http::Method;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

fn node(place: Arc<Place>, url: &str) -> Gateway {
    let started = Gateway::try_start_with(place, &[], |command| {
        command.env("MOSAIC_DATABASE_URL", url).env("MOSAIC_MASTER_KEY", "ab".repeat(32));
    });
    started.unwrap_or_else(|output| panic!("{output:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_show_the_same() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    let url = place.database_url().unwrap();
    let here = node(place.clone(), &url);
    let there = node(Arc::new(Place::sqlite()), &url);
    let ada = here.admin().await;
    let bob = here.invite(&ada, "bob").await;
    let elsewhere = bob.with_client(there.client());
    let log = ada.converse("On two nodes").await;
    let member = json!({ "kind": "set_member", "log": log, "user_id": bob.id, "role": "editor" });
    ada.submit(member).await.ok();
    let mut socket = Socket::of(&elsewhere).await;
    socket.follow(&log, 0).await;
    assert_eq!(socket.hear_of("live").await["head"], 2);

    // Both write at once; both are told where, and everybody sees one order.
    let mut writers = vec![];
    for n in 0..60 {
        let (who, log) = (if n % 2 == 0 { ada.clone() } else { elsewhere.clone() }, log.clone());
        writers.push(tokio::spawn(async move { who.say(&log, &format!("m{n}")).await }));
    }
    let mut told = BTreeSet::new();
    for writer in writers {
        told.insert(writer.await.unwrap());
    }
    assert_eq!(told, (3..63).collect());
    for n in 3..63 {
        assert_eq!(socket.hear_of("entry").await["seq"], n);
    }
    // The same command on the other node is the same command.
    let id = fresh_id();
    let again = json!({ "command_id": id, "command": { "kind": "send_message", "log": log, "text": "once" } });
    let first = elsewhere.post("/api/commands", again.clone()).await.ok();
    assert_eq!(bob.send(Method::POST, "/api/commands", again).await.ok(), first);

    ada.submit(json!({ "kind": "remove_member", "log": log, "user_id": bob.id })).await.ok();
    assert_eq!(socket.hear_of("gone").await["log"], *log);
    // A team that lets somebody in and out again, changed on the other node.
    let team = ada.make_team("Weavers").await;
    let team_id = team["id"].as_str().unwrap();
    ada.bring_into(team_id, &bob, "member").await;
    ada.submit(json!({ "kind": "share_team", "log": log, "team_id": team_id, "role": "viewer" }))
        .await
        .ok();
    socket.follow(&log, 60).await;
    socket.hear_of("live").await;
    ada.delete(&format!("/api/teams/{team_id}/members/{}", bob.id), Value::Null).await.is(204);
    assert_eq!(socket.hear_of("gone").await["log"], *log);
    ada.post(&format!("/api/users/{}/suspend", bob.id), Value::Null).await.ok();
    assert_eq!(socket.hear_or_end().await, Err(4001));
}
