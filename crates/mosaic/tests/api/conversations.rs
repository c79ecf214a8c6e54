//! Conversations among people who do not fully trust each other: who may do what to whose.

use crate::{on_both, support::*};
use mosaic_protocol::command::MANIFEST;
use serde_json::{Value, json};

on_both!(
    a_conversation_among_three,
    who_has_just_spoken_and_is_taken_out_is_silent_at_once,
    every_command_on_a_foreign_log_finds_nothing,
    forks_and_edits_are_new_conversations,
    a_team_workspace_is_the_boundary,
    whoever_has_the_link_reads_what_was_said,
);

fn command(kind: &str, log: &str, more: Value) -> Value {
    let mut command = json!({ "kind": kind, "log": log });
    command.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    command
}

async fn a_conversation_among_three(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let (bob, eve) = (gateway.invite(&ada, "bob").await, gateway.invite(&ada, "eve").await);
    let log = ada.converse("Looms").await;
    let member = |who: &Person, role: &str| {
        command("set_member", &log, json!({ "user_id": who.id, "role": role }))
    };
    ada.submit(member(&bob, "editor")).await.ok();
    ada.submit(member(&eve, "viewer")).await.ok();
    bob.say(&log, "from Bob").await;
    let seq = ada.say(&log, "from Ada").await;

    // What each may do.
    for who in [&bob, &eve] {
        who.submit(member(&bob, "owner")).await.refused(403, "forbidden");
        who.submit(command("delete_conversation", &log, Value::Null))
            .await
            .refused(403, "forbidden");
        who.post(&format!("/api/conversations/{log}/link"), Value::Null)
            .await
            .refused(403, "forbidden");
    }
    for kind in ["archive", "unarchive"] {
        eve.submit(command(kind, &log, Value::Null)).await.refused(403, "forbidden");
        bob.submit(command(kind, &log, Value::Null)).await.ok();
    }
    bob.submit(command("rename", &log, json!({ "title": "Looms, again" }))).await.ok();
    bob.submit(command("set_tags", &log, json!({ "tags": ["weaving", "a", "a"] }))).await.ok();
    bob.submit(command("pin", &log, json!({ "seq": seq }))).await.ok();
    eve.submit(command("mark_read", &log, json!({ "seq": seq }))).await.ok();
    eve.submit(command("mark_read", &log, json!({ "seq": 1 }))).await.ok();

    // Everybody sees the same, each with their own role and mark.
    for (who, role, read) in [(&ada, "owner", 0), (&bob, "editor", 0), (&eve, "viewer", seq)] {
        let seen = who.get(&format!("/api/conversations/{log}")).await.ok();
        assert_eq!(seen["title"], "Looms, again");
        assert_eq!(seen["tags"], json!(["a", "weaving"]));
        assert_eq!((&seen["role"], &seen["read"]), (&json!(role), &json!(read)));
        assert_eq!(who.get("/api/conversations").await.ok()["items"], json!([seen]));
        assert_eq!(who.get("/api/conversations?tag=weaving").await.ok()["items"], json!([seen]));
        assert_eq!(who.get("/api/conversations?tag=w").await.ok()["items"], json!([]));
        assert_eq!(who.get("/api/conversations?archived=true").await.ok()["items"], json!([]));
        let pins = who.get(&format!("/api/conversations/{log}/pins")).await.ok();
        assert_eq!(pins["items"], json!([seq]));
        let people = who.get(&format!("/api/conversations/{log}/participants")).await.ok();
        let names: Vec<_> =
            people["members"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(names, ["bob", "eve", "root"]);
    }
    // Backwards and forwards.
    let page = eve.get(&format!("/api/logs/{log}/entries?before=6&limit=2")).await.ok();
    let seqs: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|it| it["seq"].as_i64()).collect();
    assert_eq!(seqs, [Some(4), Some(5)]);
    let both = format!("/api/logs/{log}/entries?before=6&after=2");
    eve.get(&both).await.refused(400, "invalid");

    // Everybody may leave; the last owner may not leave it behind where nobody else looks after it.
    eve.submit(command("remove_member", &log, json!({ "user_id": eve.id }))).await.ok();
    eve.get(&format!("/api/conversations/{log}")).await.refused(404, "not_found");
    assert_eq!(eve.get("/api/conversations").await.ok()["items"], json!([]));
    ada.submit(command("remove_member", &log, json!({ "user_id": ada.id })))
        .await
        .refused(409, "conflict");
    ada.submit(member(&ada, "viewer")).await.refused(409, "conflict");
    // Bob deletes his account: what he said is gone, that he said something is not.
    bob.delete("/api/me", json!({ "name": "bob", "password": PASSWORD })).await.is(204);
    let read = ada.get(&format!("/api/logs/{log}/entries?after=3&limit=1")).await.ok();
    assert_eq!(read["items"][0]["kind"], "erased");
    assert_eq!(read["items"][0]["author"], json!({ "is": "gone" }));
    ada.submit(command("delete_conversation", &log, Value::Null)).await.ok();
    ada.get(&format!("/api/conversations/{log}")).await.refused(404, "not_found");
}

/// That somebody may speak is remembered for a moment. It must not outlast the right.
async fn who_has_just_spoken_and_is_taken_out_is_silent_at_once(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let (bob, eve) = (gateway.invite(&ada, "bob").await, gateway.invite(&ada, "eve").await);
    let log = ada.converse("Looms").await;
    let member = |who: &Person, role: &str| {
        command("set_member", &log, json!({ "user_id": who.id, "role": role }))
    };
    ada.submit(member(&bob, "editor")).await.ok();
    ada.submit(member(&eve, "editor")).await.ok();
    let say = command("send_message", &log, json!({ "text": "again" }));
    let again = json!({ "command_id": fresh_id(), "command": say });
    let first = bob.post("/api/commands", again.clone()).await.ok();
    bob.say(&log, "from memory").await;
    eve.say(&log, "from Eve").await;

    ada.submit(member(&bob, "viewer")).await.ok();
    bob.submit(say.clone()).await.refused(403, "forbidden");
    ada.submit(member(&bob, "editor")).await.ok();
    bob.say(&log, "once more").await;
    // The neighbour who stays: somebody else's coming and going costs them nothing, and a resend has its answer.
    eve.say(&log, "still here").await;
    assert_eq!(bob.post("/api/commands", again.clone()).await.ok(), first);

    ada.submit(command("remove_member", &log, json!({ "user_id": bob.id }))).await.ok();
    // What was done once is not told either: that is asked first, before anything is forgotten.
    bob.post("/api/commands", again).await.refused(404, "not_found");
    bob.submit(say).await.refused(404, "not_found");
    eve.say(&log, "and here").await;
}

/// A command of every kind, with this log and otherwise with what the one who asks owns.
fn one_of_each(log: &str, asks: &Person, team_id: &str) -> Vec<Value> {
    let more = |kind: &str| match kind {
        "send_message" => json!({ "text": "hello" }),
        "edit_message" => json!({ "seq": 2, "text": "hello" }),
        "rename" => json!({ "title": "Mine" }),
        "set_tags" => json!({ "tags": ["mine"] }),
        "move" => json!({ "workspace_id": asks.workspace_id }),
        "set_member" => json!({ "user_id": asks.id, "role": "owner" }),
        "remove_member" => json!({ "user_id": asks.id }),
        "share_team" => json!({ "team_id": team_id, "role": "owner" }),
        "unshare_team" => json!({ "team_id": team_id }),
        "pin" | "unpin" | "mark_read" => json!({ "seq": 2 }),
        "fork" | "archive" | "unarchive" | "delete_conversation" | "close_link" => json!({}),
        kind => panic!("a new kind of command: {kind}"),
    };
    let kinds = MANIFEST.iter().filter(|kind| **kind != "create_conversation");
    kinds.map(|kind| command(kind, log, more(kind))).collect()
}

async fn every_command_on_a_foreign_log_finds_nothing(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let (ada, bob) = (gateway.invite(&root, "ada").await, gateway.invite(&root, "bob").await);
    let team = bob.make_team("Bob's").await;
    let team_id = team["id"].as_str().unwrap();
    let log = ada.converse("Hers").await;
    ada.say(&log, "a secret").await;
    let inbox = ada.get("/api/me/inbox").await.ok()["log"].as_str().unwrap().to_owned();
    let before = ada.get(&format!("/api/logs/{log}/entries")).await.ok();
    for who in [&bob, &root] {
        for log in [&log, &inbox, &fresh_id()] {
            for command in one_of_each(log, who, team_id) {
                let answer = who.submit(command.clone()).await;
                assert_eq!((answer.status, answer.code()), (404, "not_found"), "{command}");
            }
        }
    }
    assert_eq!(ada.get(&format!("/api/logs/{log}/entries")).await.ok(), before);

    // Other things of another one's, in one's own conversation.
    let mine = bob.converse("His").await;
    let hers = ada.make_team("Ada's").await;
    let (her_team, her_workspace) = (&hers["id"], &hers["workspace_id"]);
    for (never, foreign) in
        [(json!(fresh_id()), her_team.clone()), (json!(fresh_id()), json!(team_id.to_uppercase()))]
    {
        for team_id in [never, foreign] {
            let share =
                command("share_team", &mine, json!({ "team_id": team_id, "role": "viewer" }));
            let answer = bob.submit(share).await;
            assert!(matches!(answer.status, 404 | 400), "{}", answer.text());
        }
    }
    for workspace_id in [her_workspace, &json!(ada.workspace_id), &json!(fresh_id())] {
        let to = json!({ "workspace_id": workspace_id });
        for kind in ["move", "fork"] {
            bob.submit(command(kind, &mine, to.clone())).await.refused(404, "not_found");
        }
        let create = json!({ "kind": "create_conversation", "workspace_id": workspace_id });
        bob.submit(create).await.refused(404, "not_found");
    }
    let nobody = command("set_member", &mine, json!({ "user_id": fresh_id(), "role": "viewer" }));
    bob.submit(nobody).await.refused(404, "not_found");
    // Files of another workspace cannot be named, whether they are there or not.
    let hash = crate::cast::hash_of(b"hers");
    let path = format!("/api/workspaces/{}/blobs/{hash}", ada.workspace_id);
    ada.send_bytes(http::Method::PUT, &path, "hers").await.is(200);
    let attach = |hash: &str| {
        command(
            "send_message",
            &mine,
            json!({ "text": "look", "attachments": [{ "hash": hash, "name": "file" }] }),
        )
    };
    let faces =
        [attach(&hash), attach(&crate::cast::hash_of(b"nobody's"))].map(|it| bob.submit(it));
    let faces = futures_util::future::join_all(faces).await;
    assert_eq!(faces[0].face(), faces[1].face());
    assert_eq!(faces[0].status, 400);
}

async fn forks_and_edits_are_new_conversations(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let bob = gateway.invite(&ada, "bob").await;
    let log = ada.converse("Looms").await;
    let hash = crate::cast::hash_of(b"a drawing");
    let path = format!("/api/workspaces/{}/blobs/{hash}", ada.workspace_id);
    ada.send_bytes(http::Method::PUT, &path, "a drawing").await.is(200);
    let with = json!({ "text": "look", "attachments": [{ "hash": hash, "name": "drawing.png", "media_type": "image/png" }] });
    ada.submit(command("send_message", &log, with)).await.ok();
    ada.submit(command("set_member", &log, json!({ "user_id": bob.id, "role": "editor" })))
        .await
        .ok();
    let asked = bob.say(&log, "what is it").await;
    ada.say(&log, "a loom").await;

    let texts = async |who: &Person, log: &str| -> Vec<String> {
        let read = who.get(&format!("/api/logs/{log}/entries?after=0")).await.ok();
        let entries = read["items"].as_array().unwrap().clone();
        for (n, entry) in entries.iter().enumerate() {
            assert_eq!(entry["seq"], n + 1);
        }
        let text = |entry: &Value| entry["body"]["text"].as_str().map(ToOwned::to_owned);
        entries.iter().filter_map(text).collect()
    };
    // Bob says his own message differently, among the same people.
    let edit = command("edit_message", &log, json!({ "seq": asked, "text": "what is this" }));
    ada.submit(edit.clone()).await.refused(400, "invalid");
    let branch = bob.submit(edit).await.ok()["log"].as_str().unwrap().to_owned();
    assert_eq!(texts(&ada, &branch).await, ["look", "what is this"]);
    assert_eq!(ada.get(&format!("/api/conversations/{branch}")).await.ok()["parent"], *log);
    // He takes a copy home, with the file; it is his alone.
    let home = json!({ "workspace_id": bob.workspace_id, "title": "Mine", "at": asked });
    let fork =
        bob.submit(command("fork", &log, home)).await.ok()["log"].as_str().unwrap().to_owned();
    assert_eq!(texts(&bob, &fork).await, ["look", "what is it"]);
    ada.get(&format!("/api/conversations/{fork}")).await.refused(404, "not_found");
    let path = format!("/api/workspaces/{}/blobs/{hash}", bob.workspace_id);
    assert_eq!(bob.get(&path).await.is(200).body, "a drawing");
    ada.submit(command("delete_conversation", &log, Value::Null)).await.ok();
    assert_eq!(texts(&bob, &fork).await, ["look", "what is it"]);
}

async fn a_team_workspace_is_the_boundary(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let (ada, bob) = (gateway.invite(&root, "ada").await, gateway.invite(&root, "bob").await);
    let eve = gateway.invite(&root, "eve").await;
    let team = ada.make_team("Weavers").await;
    let (team_id, workspace_id) = (team["id"].as_str().unwrap(), &team["workspace_id"]);
    ada.bring_into(team_id, &bob, "member").await;
    let create =
        json!({ "kind": "create_conversation", "workspace_id": workspace_id, "title": "Bob's" });
    let log = bob.submit(create.clone()).await.ok()["log"].as_str().unwrap().to_owned();
    let see = format!("/api/conversations/{log}");
    // The team's owners own what is in its workspace; nobody from outside can be let in.
    assert_eq!(ada.get(&see).await.ok()["role"], "owner");
    let invite = command("set_member", &log, json!({ "user_id": eve.id, "role": "editor" }));
    bob.submit(invite.clone()).await.refused(404, "not_found");
    ada.bring_into(team_id, &eve, "viewer").await;
    eve.submit(create).await.refused(403, "forbidden");
    eve.get(&see).await.refused(404, "not_found");
    bob.submit(invite).await.ok();
    assert_eq!(eve.get(&see).await.ok()["role"], "viewer", "who may only look there may only look");
    // Who leaves the team has left its conversations, their own too.
    ada.delete(&format!("/api/teams/{team_id}/members/{}", bob.id), Value::Null).await.is(204);
    bob.get(&see).await.refused(404, "not_found");
    assert_eq!(bob.get("/api/conversations").await.ok()["items"], json!([]));
    assert_eq!(ada.get("/api/conversations").await.ok()["items"][0]["id"], *log);
    root.get(&see).await.refused(404, "not_found");
    ada.delete(&format!("/api/teams/{team_id}"), Value::Null).await.is(204);
    ada.get(&see).await.refused(404, "not_found");
}

async fn whoever_has_the_link_reads_what_was_said(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let log = ada.converse("Open").await;
    ada.say(&log, "for all to read").await;
    let path = format!("/api/conversations/{log}/link");
    let first = code_of(&ada.post(&path, Value::Null).await.ok()["link"]);
    let read = async |code: &str| gateway.post("/api/shared", json!({ "code": code })).await;
    let seen = read(&first).await.ok();
    assert_eq!(seen["title"], "Open");
    let kinds: Vec<_> = seen["items"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["user_message"], "what was said, and nothing of who takes part");
    let second = code_of(&ada.post(&path, Value::Null).await.ok()["link"]);
    read(&first).await.refused(404, "not_found");
    read(&second).await.ok();
    ada.submit(command("close_link", &log, Value::Null)).await.ok();
    read(&second).await.refused(404, "not_found");
    assert_eq!(ada.get(&format!("/api/conversations/{log}")).await.ok()["link"], false);
    let stored = gateway.place().tables().await;
    let stored = format!("{stored:?}");
    assert!(!stored.contains(&second) && !gateway.log().contains(&second));
}
