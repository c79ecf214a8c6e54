//! The WebSocket and the stream of events: every entry once and in order, whatever is cut, and no further than one's
//! right to it.

use crate::{on_both, support::*};
use serde_json::{Value, json};

on_both!(
    two_see_the_same_and_a_reader_resumes,
    a_command_sent_again_has_one_effect,
    foreign_logs_look_like_none,
    who_is_gone_types_no_longer,
    nobody_resumes_everything_there_is,
    nothing_comes_after_access_ends,
    sockets_end_with_the_login,
    events_carry_the_same,
);

async fn two_see_the_same_and_a_reader_resumes(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let log = ada.converse("First").await;
    let (mut one, mut other) = (Socket::of(&ada).await, Socket::of(&ada).await);
    one.follow(&log, 0).await;
    other.follow(&log, 0).await;
    for n in 2..50 {
        let command = json!({ "kind": "send_message", "log": log, "text": format!("m{n}") });
        let accepted = one.submit(&fresh_id(), command).await;
        assert_eq!((&accepted["type"], &accepted["seq"]), (&json!("accepted"), &json!(n)));
    }
    let mut seen = vec![];
    for n in 1..50 {
        let entry = other.hear_of("entry").await;
        assert_eq!(entry["seq"], n);
        seen.push(entry);
    }
    assert_eq!(seen[7]["body"]["text"], "m8");
    drop(other);
    ada.say(&log, "meanwhile").await;

    // It comes back, and says what it has.
    let mut back = Socket::try_connect(&ada, None).await.unwrap_or_else(|_| panic!("refused"));
    let resume = json!([{ "log": log, "after": 49 }]);
    back.say(json!({ "type": "hello", "versions": [1, 9], "resume": resume })).await;
    let welcome = back.hear_of("welcome").await;
    assert_eq!(welcome["version"], 1);
    assert!(welcome["commands"].as_array().unwrap().contains(&json!("send_message")));
    assert_eq!(back.hear_of("entry").await["seq"], 50);
    assert_eq!(back.hear_of("live").await["head"], 50);
    back.say(json!({ "type": "ping" })).await;
    back.hear_of("pong").await;
    // Whose places are of another life of the data begins anew.
    let mut elsewhere = Socket::try_connect(&ada, None).await.unwrap_or_else(|_| panic!("refused"));
    let hello =
        json!({ "type": "hello", "versions": [1, 1], "generation": fresh_id(), "resume": resume });
    elsewhere.say(hello).await;
    assert_eq!(elsewhere.hear_of("entry").await["seq"], 1);
    // Everything that is on REST is the same.
    let read = ada.get(&format!("/api/logs/{log}/entries?after=0&limit=500")).await.ok();
    for (entry, mut frame) in read["items"].as_array().unwrap().iter().zip(seen) {
        let frame = frame.as_object_mut().unwrap();
        frame.remove("type");
        frame.remove("log");
        assert_eq!(entry, &Value::Object(frame.clone()));
    }
}

async fn a_command_sent_again_has_one_effect(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let log = ada.converse("First").await;
    let mut socket = Socket::of(&ada).await;
    let id = fresh_id();
    let command = |text: &str| json!({ "kind": "send_message", "log": log, "text": text });
    let first = socket.submit(&id, command("once")).await;
    let again = socket.submit(&id, command("once")).await;
    assert_eq!(first, again);
    let elsewhere =
        ada.post("/api/commands", json!({ "command_id": id, "command": command("once") }));
    assert_eq!(elsewhere.await.ok()["seq"], first["seq"]);
    let reused = socket.submit(&id, command("something else")).await;
    assert_eq!((&reused["type"], &reused["code"]), (&json!("refused"), &json!("conflict")));
    assert!(!reused["next"].as_str().unwrap().is_empty());
    let read = ada.get(&format!("/api/logs/{log}/entries")).await.ok();
    assert_eq!(read["head"], 2);
    // What ends one's own access is acknowledged again, too.
    let id = fresh_id();
    let delete = json!({ "kind": "delete_conversation", "log": log });
    let first = socket.submit(&id, delete.clone()).await;
    assert_eq!(first["type"], "accepted");
    assert_eq!(socket.submit(&id, delete.clone()).await, first);
    assert_eq!(socket.submit(&fresh_id(), delete).await["code"], "not_found");
}

async fn foreign_logs_look_like_none(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let bob = gateway.invite(&ada, "bob").await;
    let log = ada.converse("Hers").await;
    ada.say(&log, "a secret").await;
    let inbox = ada.get("/api/me/inbox").await.ok()["log"].as_str().unwrap().to_owned();
    let mut socket = Socket::of(&bob).await;
    for log in [&log, &inbox, &fresh_id()] {
        socket.follow(log, 0).await;
        assert_eq!(socket.hear().await.unwrap(), json!({ "type": "gone", "log": log }));
        socket.say(json!({ "type": "presence", "log": log, "state": "typing" })).await;
        let command = json!({ "kind": "send_message", "log": log, "text": "hello" });
        let id = fresh_id();
        let mut refused = socket.submit(&id, command).await;
        refused["command_id"] = Value::Null;
        let expected = json!({
            "type": "refused", "command_id": null, "code": "not_found",
            "message": "there is no such thing",
            "next": "check the id; it may have been deleted, or not be shared with you",
        });
        assert_eq!(refused, expected);
    }
    for (who, origin, status) in [
        (bob.with(Credential::Nobody), None, 401),
        (bob.with(Credential::Token("mosaic_t_nobody".into())), None, 401),
        // Another page in the same browser has the cookie as well.
        (bob.clone(), Some("http://evil.example"), 403),
        (bob.clone(), Some(""), 403),
    ] {
        assert_eq!(Socket::try_connect(&who, origin).await.err(), Some(status), "{origin:?}");
    }
    let program = bob.with_token(&["read"]).await;
    let mut socket = Socket::of(&program).await;
    let refused = socket.submit(&fresh_id(), json!({ "kind": "create_conversation" })).await;
    assert_eq!(refused["code"], "missing_scope", "{refused}");
}

async fn nothing_comes_after_access_ends(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let bob = gateway.invite(&ada, "bob").await;
    let log = ada.converse("Ours").await;
    let set =
        |role: &str| json!({ "kind": "set_member", "log": log, "user_id": bob.id, "role": role });
    ada.submit(set("viewer")).await.ok();
    let mut socket = Socket::of(&bob).await;
    socket.follow(&log, 0).await;
    socket.hear_of("live").await;
    ada.say(&log, "you may see this").await;
    assert_eq!(socket.hear_of("entry").await["body"]["text"], "you may see this");
    let say = json!({ "kind": "send_message", "log": log, "text": "x" });
    assert_eq!(socket.submit(&fresh_id(), say).await["code"], "forbidden");
    ada.submit(json!({ "kind": "remove_member", "log": log, "user_id": bob.id })).await.ok();
    ada.say(&log, "but not this").await;
    assert_eq!(socket.hear().await.unwrap(), json!({ "type": "gone", "log": log }));
    // Their inbox says so, and nothing more.
    let inbox = bob.get("/api/me/inbox").await.ok()["log"].as_str().unwrap().to_owned();
    let read = bob.get(&format!("/api/logs/{inbox}/entries")).await.ok();
    let kinds: Vec<_> = read["items"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["shared_with_me", "taken_away"]);
    assert!(!read.to_string().contains("Ours"), "ids only");

    // The same when a team is how they got in.
    let team = ada.make_team("Weavers").await;
    let team_id = team["id"].as_str().unwrap();
    ada.bring_into(team_id, &bob, "member").await;
    let share = json!({ "kind": "share_team", "log": log, "team_id": team_id, "role": "editor" });
    ada.submit(share).await.ok();
    socket.follow(&log, 0).await;
    socket.hear_of("live").await;
    ada.delete(&format!("/api/teams/{team_id}/members/{}", bob.id), Value::Null).await.is(204);
    ada.say(&log, "nor this").await;
    assert_eq!(socket.hear_of("gone").await["log"], *log);
    // Deleting it says the same.
    ada.submit(set("viewer")).await.ok();
    socket.follow(&log, 0).await;
    socket.hear_of("live").await;
    ada.submit(json!({ "kind": "delete_conversation", "log": log })).await.ok();
    assert_eq!(socket.hear_of("gone").await["log"], *log);
}

async fn sockets_end_with_the_login(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let bob = gateway.invite(&ada, "bob").await;
    let mut socket = Socket::of(&bob).await;
    ada.post(&format!("/api/users/{}/suspend", bob.id), Value::Null).await.ok();
    let begun = std::time::Instant::now();
    assert_eq!(socket.hear_or_end().await, Err(4001));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));

    let mut socket = Socket::try_connect(&ada, None).await.unwrap_or_else(|_| panic!("refused"));
    socket.say(json!({ "type": "hello", "versions": [7, 9] })).await;
    assert_eq!(socket.hear_or_end().await, Err(4004));
    let mut socket = Socket::of(&ada).await;
    socket.say_bytes(vec![1, 2, 3]).await;
    assert_eq!(socket.hear_or_end().await, Err(1003));
    let mut socket = Socket::of(&ada).await;
    gateway.stop().await;
    assert_eq!(socket.hear_or_end().await, Err(1012));
}

async fn events_carry_the_same(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let log = ada.converse("First").await;
    ada.say(&log, "one").await;
    let path = format!("/api/logs/{log}/events");
    let mut events = ada.follow(&format!("{path}?after=1")).await;
    let entry = events.next().await.unwrap();
    assert_eq!((entry.name.as_str(), &entry.data["seq"]), ("entry", &json!(2)));
    assert_eq!(events.next().await.unwrap().name, "live");
    ada.say(&log, "two").await;
    assert_eq!(events.next().await.unwrap().data["body"]["text"], "two");
    ada.submit(json!({ "kind": "delete_conversation", "log": log })).await.ok();
    assert_eq!(events.next().await.unwrap().name, "gone");
    assert_eq!(events.next().await, None);
    ada.get(&path).await.refused(404, "not_found");
}

/// Frames that make no sense are answered, and nothing else happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_answered() {
    let gateway = Gateway::start_sqlite(&[]);
    let ada = gateway.admin().await;
    let log = ada.converse("First").await;
    let mut socket = Socket::of(&ada).await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for text in [
        "not json".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        deep.clone(),
        format!("{{\"type\":\"follow\",\"log\":{deep}}}"),
        json!({ "type": "follow", "log": log, "extra": 1 }).to_string(),
        json!({ "type": "follow", "log": "x" }).to_string(),
        json!({ "type": "no_such_type" }).to_string(),
        json!({ "type": "hello", "versions": [1, 1] }).to_string(),
    ] {
        socket.say_text(text.clone()).await;
        let answer = socket.hear().await.unwrap();
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!("invalid")),
            "{text:.80}"
        );
    }
    for command in [
        json!({ "kind": "no_such_kind" }),
        json!({ "kind": "send_message", "log": log }),
        json!({ "kind": "send_message", "log": log, "text": "a\0b" }),
        json!({ "kind": "send_message", "log": log, "text": "x".repeat(262_145) }),
        json!({ "kind": "send_message", "log": log, "text": "  " }),
        json!({ "kind": "send_message", "log": log, "text": "x", "reply_to": 99 }),
        json!({ "kind": "send_message", "log": log, "text": "x", "reply_to": -1 }),
        json!({ "kind": "rename", "log": log, "title": "" }),
        json!({ "kind": "pin", "log": log, "seq": 0 }),
        json!({ "kind": "fork", "log": log, "at": 0 }),
        json!({ "kind": "set_tags", "log": log, "tags": ["a,b"] }),
    ] {
        let refused = socket.submit(&fresh_id(), command.clone()).await;
        assert_eq!(
            (&refused["type"], &refused["code"]),
            (&json!("refused"), &json!("invalid")),
            "{command:.80}"
        );
    }
    // A line as long as may be passes.
    let long = json!({ "kind": "send_message", "log": log, "text": "\u{1}".repeat(150_000) });
    assert_eq!(socket.submit(&fresh_id(), long).await["type"], "accepted");
    // A place that is not there is the end; one before the beginning is the beginning.
    socket.follow(&log, 1_000_000).await;
    assert_eq!(socket.hear_of("live").await["head"], 2);
    socket.follow(&log, -5).await;
    assert_eq!(socket.hear_of("entry").await["seq"], 1);
    for _ in 0..201 {
        let log = fresh_id();
        socket.follow(&log, 0).await;
        assert_eq!(socket.hear_of("gone").await["log"], log);
    }
    socket.say_text("x".repeat(2 * 1024 * 1024)).await;
    while socket.hear().await.is_some() {}
    ada.get("/api/me").await.is(200);
    assert!(!gateway.log().contains("panicked"));
}

async fn who_is_gone_types_no_longer(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let bob = gateway.invite(&ada, "bob").await;
    let log = ada.converse("Looms").await;
    let member = json!({ "kind": "set_member", "log": log, "user_id": bob.id, "role": "viewer" });
    ada.submit(member).await.ok();
    let mut hers = Socket::of(&ada).await;
    hers.follow(&log, 2).await;
    assert_eq!(hers.hear().await.unwrap()["type"], "live");
    let mut his = Socket::of(&bob).await;
    his.say(json!({ "type": "presence", "log": log, "state": "typing" })).await;
    let told =
        |state: &str| json!({ "type": "presence", "log": log, "user": bob.id, "state": state });
    assert_eq!(hers.hear().await.unwrap(), told("typing"));
    // Also who is sent away while they type, and cannot be asked about it any more.
    let gone = json!({ "kind": "remove_member", "log": log, "user_id": bob.id });
    ada.submit(gone).await.ok();
    drop(his);
    assert_eq!(hers.hear_of("presence").await, told("away"));
}

async fn nobody_resumes_everything_there_is(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let places: Vec<_> = (0..201).map(|_| json!({ "log": fresh_id(), "after": 0 })).collect();
    let hello = json!({ "type": "hello", "versions": [1, 1], "resume": places });
    let mut socket = Socket::try_connect(&ada, None).await.ok().unwrap();
    socket.say(hello).await;
    let answer = socket.hear().await.unwrap();
    assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("invalid")));
    assert_eq!(socket.hear_or_end().await.err(), Some(4004));
}
