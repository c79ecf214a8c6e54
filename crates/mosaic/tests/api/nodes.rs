//! Two nodes on one database, with a bus and without: what is said on one is heard on the other, and so is the end of a
//! right.

use crate::support::*;
use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

fn node(place: Arc<Place>, url: &str, bus: Option<&Valkey>) -> Gateway {
    let started = Gateway::try_start_with(place, &[("metrics_open", "true")], |command| {
        command.env("MOSAIC_DATABASE_URL", url).env("MOSAIC_MASTER_KEY", "ab".repeat(32));
        if let Some(bus) = bus {
            command.env("MOSAIC_BUS_URL", bus.url());
        }
    });
    started.unwrap_or_else(|output| panic!("{output:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_show_the_same() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    two_nodes(place, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_with_a_bus_show_the_same() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    let Some(valkey) = Valkey::start(&[]) else { return };
    two_nodes(place, Some(&valkey)).await;
}

async fn bus_of(gateway: &Gateway) -> String {
    let ready = gateway.nobody().get("/readyz").await.ok();
    ready["parts"]["bus"].as_str().unwrap_or("none").to_owned()
}

async fn bus_is(gateway: &Gateway, state: &str) {
    eventually(state, PATIENCE, async || bus_of(gateway).await == state).await;
}

async fn two_nodes(place: Arc<Place>, bus: Option<&Valkey>) {
    let url = place.database_url().unwrap();
    let here = node(place.clone(), &url, bus);
    let there = node(Arc::new(Place::sqlite()), &url, bus);
    for node in [&here, &there] {
        bus_is(node, if bus.is_some() { "ok" } else { "none" }).await;
    }
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

    // Who does what just now crosses where there is a bus.
    if bus.is_some() {
        let mut typing = Socket::of(&ada).await;
        typing.follow(&log, 63).await;
        typing.hear_of("live").await;
        typing.say(json!({ "type": "presence", "log": log, "state": "typing" })).await;
        let present = socket.hear_of("presence").await;
        assert_eq!((&present["user"], &present["state"]), (&json!(ada.id), &json!("typing")));
    }

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
    // A session that is ended here, and a person who is suspended here.
    let another = bob.log_in().await.with_client(there.client());
    let mut second = Socket::of(&another).await;
    let sessions = bob.get("/api/me/sessions").await.ok();
    let items = sessions["items"].as_array().unwrap();
    for session in items.iter().filter(|it| it["current"] != true) {
        let id = session["id"].as_str().unwrap();
        bob.delete(&format!("/api/me/sessions/{id}"), Value::Null).await.is(204);
    }
    assert_eq!(second.hear_or_end().await, Err(4001));
    ada.post(&format!("/api/users/{}/suspend", bob.id), Value::Null).await.ok();
    assert_eq!(socket.hear_or_end().await, Err(4001));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_ends_is_gone_from_the_other_nodes_memory_too() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    let Some(valkey) = Valkey::start(&[]) else { return };
    let url = place.database_url().unwrap();
    let here = node(place.clone(), &url, Some(&valkey));
    let there = node(Arc::new(Place::sqlite()), &url, Some(&valkey));
    let ada = here.admin().await;
    for node in [&here, &there] {
        bus_is(node, "ok").await;
    }
    // Remembered for two seconds there; ended here, it is not believed so long. Many times, so that luck shows.
    let mut took = vec![];
    for n in 0..5 {
        let bob = here.invite(&ada, &format!("bob{n}")).await;
        let elsewhere = bob.with_client(there.client());
        elsewhere.get("/api/me").await.ok();
        bob.post("/api/logout", Value::Null).await.is(204);
        let begun = std::time::Instant::now();
        eventually("he is out", PATIENCE, async || elsewhere.get("/api/me").await.status == 401)
            .await;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    assert!(took[2] < std::time::Duration::from_secs(1), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_says_how_its_bus_is() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    let Some(mut valkey) = Valkey::start(&[]) else { return };
    let url = place.database_url().unwrap();
    valkey.kill();
    let gateway = node(place.clone(), &url, Some(&valkey));
    // Ready all the same: nothing is lost.
    bus_is(&gateway, "degraded: not connected").await;
    eventually("it says so", PATIENCE, async || gateway.log().contains("bus is not to be had"))
        .await;
    let metrics = async || {
        let answer = gateway.nobody().get("/metrics").await.is(200);
        String::from_utf8(answer.body.to_vec()).unwrap()
    };
    let text = metrics().await;
    assert!(text.contains("mosaic_bus_connected 0"), "{text}");
    let doctor = place.mosaic(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert!(doctor.stdout.contains("note  bus: the running gateway: degraded"), "{doctor:?}");
    valkey.start_again();
    bus_is(&gateway, "ok").await;
    let text = metrics().await;
    for words in [
        "mosaic_bus_connected 1",
        "mosaic_bus_messages_total{direction=\"sent\"}",
        "mosaic_bus_dropped_total",
        "mosaic_bus_refused_total 0",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(gateway.log().contains("the bus is back"), "{}", gateway.log());
    let doctor = place.mosaic(&["doctor"]);
    assert!(doctor.stdout.contains("good  bus: the running gateway is heard"), "{doctor:?}");
    gateway.stop().await;
    // And when no gateway runs, doctor looks itself.
    let doctor = || {
        let mut command = command(&place);
        command.arg("doctor").env("MOSAIC_BUS_URL", valkey.url());
        let output = command.env("MOSAIC_MASTER_KEY", "ab".repeat(32)).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = doctor();
    assert!(code == Some(0) && said.contains("good  bus: valkey://"), "{said}");
    signal(valkey.pid(), Signal::STOP);
    let (code, said) = doctor();
    assert!(code == Some(0) && said.contains("it does not answer"), "{said}");
    signal(valkey.pid(), Signal::CONT);
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
