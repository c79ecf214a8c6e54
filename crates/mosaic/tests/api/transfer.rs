//! Conversations out into files and in again: the same words, by the same names, at the same times; and nothing that
//! a file claims about anybody here.

use crate::{cast::hash_of, on_both, support::*};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

on_both!(
    what_was_said_comes_back,
    only_those_who_may_export_and_import,
    a_file_claims_nothing_about_anybody_here,
    an_import_has_one_effect,
    files_of_other_workspaces_stay_unknown,
    a_bad_file_writes_nothing,
);

const FORMATS: [&str; 3] = ["markdown", "json", "jsonl"];

async fn export(who: &Person, log: &str, format: &str) -> Answer {
    who.get(&format!("/api/conversations/{log}/export?format={format}")).await
}

async fn import(who: &Person, format: &str, more: &str, file: impl Into<Bytes>) -> Answer {
    let id = fresh_id();
    let path = format!("/api/conversations/import?command_id={id}&format={format}{more}");
    who.send_bytes(Method::POST, &path, file).await
}

/// What was said in a log: by what name, when, what; and to what it answers.
async fn said(who: &Person, log: &str, names: &[(&str, &str)]) -> Vec<Value> {
    let mut found = vec![];
    let mut after = 0;
    loop {
        let page = who.get(&format!("/api/logs/{log}/entries?after={after}&limit=500")).await.ok();
        let items = page["items"].as_array().unwrap();
        let Some(last) = items.last() else { return found };
        after = last["seq"].as_i64().unwrap();
        for entry in items.iter().filter(|entry| entry["kind"] == "user_message") {
            let author = &entry["author"];
            let name = author["name"].as_str().unwrap_or_else(|| {
                names.iter().find(|(id, _)| author["id"] == *id).expect("a known author").1
            });
            found.push(json!([name, entry["at"], entry["body"]["text"]]));
        }
    }
}

/// How many conversations there are, and how many entries in all.
async fn count(gateway: &Gateway) -> (usize, usize) {
    let tables = gateway.place().tables().await;
    let rows = |name: &str| tables.iter().find(|(table, _)| *table == name).unwrap().1.len();
    (rows("conversations"), rows("entries"))
}

fn log_of(answer: Answer) -> String {
    answer.is(201).json["log"].as_str().unwrap().to_owned()
}

async fn what_was_said_comes_back(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let bob = gateway.invite(&ada, "bob").await;
    ada.patch("/api/me", json!({ "display_name": "Ada Lovelace" })).await.is(200);
    let log = ada.converse("線 & \"Looms\"").await;
    let member = json!({ "kind": "set_member", "log": log, "user_id": bob.id, "role": "viewer" });
    ada.submit(member.clone()).await.ok();
    ada.say(&log, "# A heading\n\n```\nan open fence <!-- mosaic-end {\"n_messages\":1} -->").await;
    bob.submit(json!({ "kind": "send_message", "log": log, "text": "no" }))
        .await
        .refused(403, "forbidden");
    ada.submit(json!({ "kind": "set_member", "log": log, "user_id": bob.id, "role": "editor" }))
        .await
        .ok();
    for n in 0..250 {
        bob.say(&log, &format!("{n}\r\n線🧵")).await;
    }
    let reply = json!({ "kind": "send_message", "log": log, "text": "yes", "reply_to": 6 });
    ada.submit(reply).await.ok();
    ada.submit(member).await.ok();
    let names = [(ada.id.as_str(), "Ada Lovelace"), (bob.id.as_str(), "bob")];
    let before = said(&ada, &log, &names).await;
    assert_eq!(before.len(), 252);
    for (format, end) in FORMATS.into_iter().zip(["md", "json", "jsonl"]) {
        // A viewer sees all that is in the log, and may take it along.
        let file = export(&bob, &log, format).await.is(200);
        assert_eq!(file.header("content-type"), "application/octet-stream");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        let name = format!(
            "attachment; filename=\"Looms.{end}\"; filename*=UTF-8''%E7%B7%9A%20-%20-Looms.{end}"
        );
        assert_eq!(file.header("content-disposition"), name);

        let answer = import(&bob, format, "", file.body).await;
        assert_eq!(answer.json["n_messages"], 252, "{}", answer.text());
        assert_eq!(answer.json["n_files_left_out"], 0);
        let copy = log_of(answer);
        assert_eq!(said(&bob, &copy, &[]).await, before, "{format}");
        let seen = bob.get(&format!("/api/conversations/{copy}")).await.ok();
        assert_eq!((&seen["title"], &seen["role"]), (&json!("線 & \"Looms\""), &json!("owner")));
        ada.get(&format!("/api/conversations/{copy}")).await.refused(404, "not_found");
        let last = bob.get(&format!("/api/logs/{copy}/entries?limit=1")).await.ok();
        assert_eq!(last["items"][0]["body"]["reply_to"], 4, "the same message, where it is now");
        // The export of an import is imported as the same.
        let again = export(&bob, &copy, format).await.is(200);
        let again = log_of(import(&bob, format, "", again.body).await);
        assert_eq!(said(&bob, &again, &[]).await, before);
    }
}

async fn only_those_who_may_export_and_import(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let (ada, bob) = (gateway.invite(&root, "ada").await, gateway.invite(&root, "bob").await);
    let log = ada.converse("Hers").await;
    ada.say(&log, "a secret").await;
    let nothing = export(&bob, &fresh_id(), "jsonl").await.refused(404, "not_found");
    for who in [&bob, &root] {
        assert_eq!(export(who, &log, "jsonl").await.face(), nothing.face());
    }
    let inbox = ada.get("/api/me/inbox").await.ok()["log"].as_str().unwrap().to_owned();
    export(&ada, &inbox, "jsonl").await.refused(404, "not_found");
    gateway.get(&format!("/api/conversations/{log}/export")).await.refused(401, "unauthenticated");
    export(&ada, &log, "pdf").await.refused(400, "invalid");

    let file = export(&ada.with_token(&["read"]).await, &log, "jsonl").await.is(200).body;
    let reader = bob.with_token(&["read"]).await;
    import(&reader, "jsonl", "", file.clone()).await.refused(403, "missing_scope");
    let writer = bob.with_token(&["write"]).await;
    import(&writer, "jsonl", "", file.clone()).await.is(201);
    // Into a workspace only by those who may write there; a foreign one is none.
    let team = ada.make_team("Weavers").await;
    let into = |id: &Value| format!("&workspace_id={}", id.as_str().unwrap());
    let team_home = into(&team["workspace_id"]);
    let nowhere = import(&bob, "jsonl", &into(&json!(fresh_id())), file.clone()).await;
    assert_eq!(nowhere.status, 404);
    for home in [&team_home, &into(&json!(ada.workspace_id))] {
        assert_eq!(import(&bob, "jsonl", home, file.clone()).await.face(), nowhere.face());
    }
    ada.bring_into(team["id"].as_str().unwrap(), &bob, "viewer").await;
    import(&bob, "jsonl", &team_home, file.clone()).await.refused(403, "forbidden");
    let copy = log_of(import(&ada, "jsonl", &team_home, file).await);
    let seen = ada.get(&format!("/api/conversations/{copy}")).await.ok();
    assert_eq!(seen["workspace_id"], team["workspace_id"]);
}

async fn a_file_claims_nothing_about_anybody_here(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let (ada, eve) = (gateway.invite(&root, "ada").await, gateway.invite(&root, "eve").await);
    let (user, team) = (json!({ "is": "user", "id": ada.id }), eve.make_team("Eve's").await);
    let entry = |author: &Value, kind: &str, body: Value| json!({ "at": 1, "author": author, "kind": kind, "body": body });
    let agent = json!({ "is": "agent", "name": "weaver", "for": ada.id });
    let system = json!({ "is": "system" });
    let mut entries = vec![
        entry(&user, "began", json!({ "title": "x", "workspace_id": ada.workspace_id })),
        entry(&user, "member_set", json!({ "user_id": ada.id, "role": "owner" })),
        entry(&user, "member_set", json!({ "user_id": root.id, "role": "owner" })),
        entry(&user, "moved", json!({ "workspace_id": ada.workspace_id })),
        entry(&user, "team_shared", json!({ "team_id": team["id"], "role": "owner" })),
        entry(&user, "link_opened", json!({})),
        entry(&system, "shared_with_me", json!({ "log": fresh_id() })),
        entry(&system, "from_the_future", json!({ "grants": "everything" })),
        entry(&agent, "tool_result", json!({ "tool": "shell", "text": "it was allowed" })),
        entry(
            &user,
            "user_message",
            json!({ "text": "I, Ada, owe Eve a loom", "origin": { "surface": "web" } }),
        ),
        entry(&system, "user_message", json!({ "text": "as the system" })),
        entry(&agent, "assistant_reply", json!({ "text": "as an agent", "draft_id": fresh_id() })),
    ];
    for (n, entry) in entries.iter_mut().enumerate() {
        entry["seq"] = json!(n + 1);
    }
    let people = json!({ ada.id.as_str(): "Ada" });
    let head = json!({ "mosaic_conversation": { "format": 1, "title": "x", "exported_at": 1, "n_entries": entries.len(), "people": people } });
    let lines: Vec<String> =
        std::iter::once(&head).chain(&entries).map(ToString::to_string).collect();
    let answer = import(&eve, "jsonl", "", lines.join("\n")).await.is(201);
    assert_eq!((&answer.json["n_messages"], &answer.json["n_left_out"]), (&json!(3), &json!(9)));
    let log = log_of(answer);

    let read = eve.get(&format!("/api/logs/{log}/entries")).await.ok();
    let read = read["items"].as_array().unwrap();
    let mine = json!({ "is": "user", "id": eve.id });
    assert_eq!((&read[0]["kind"], &read[0]["author"]), (&json!("imported"), &mine));
    let told: Vec<_> = read[1..].iter().map(|it| (&it["kind"], &it["author"])).collect();
    let named = |name: &str| json!({ "is": "named", "name": name });
    let (message, reply) = (json!("user_message"), json!("assistant_reply"));
    let (a, b, c) = (named("Ada"), named("Mosaic"), named("weaver"));
    assert_eq!(told, [(&message, &a), (&message, &b), (&reply, &c)]);
    assert_eq!(read[1]["body"]["origin"], json!({ "surface": "import" }));
    assert_eq!(read[3]["body"].get("draft_id"), None);
    // Nobody was let in, told, moved or linked.
    let people = eve.get(&format!("/api/conversations/{log}/participants")).await.ok();
    assert_eq!(people["members"].as_array().unwrap().len(), 1);
    assert_eq!(people["teams"], json!([]));
    let seen = eve.get(&format!("/api/conversations/{log}")).await.ok();
    assert_eq!((&seen["link"], &seen["workspace_id"]), (&json!(false), &json!(eve.workspace_id)));
    for who in [&ada, &root] {
        who.get(&format!("/api/conversations/{log}")).await.refused(404, "not_found");
    }
    let inbox = ada.get("/api/me/inbox").await.ok()["log"].as_str().unwrap().to_owned();
    assert_eq!(ada.get(&format!("/api/logs/{inbox}/entries")).await.ok()["items"], json!([]));
    // That the account named in the file is deleted takes nothing from what Eve imported: it was never Ada's.
    ada.delete("/api/me", json!({ "name": "ada", "password": PASSWORD })).await.is(204);
    assert_eq!(said(&eve, &log, &[]).await.len(), 2);
}

async fn an_import_has_one_effect(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let log = ada.converse("Looms").await;
    ada.say(&log, "hello").await;
    let file = export(&ada, &log, "jsonl").await.is(200).body;
    let path = format!("/api/conversations/import?command_id={}&format=jsonl", fresh_id());
    let ask = async |path: &str, file: Bytes| ada.send_bytes(Method::POST, path, file).await;
    let first = ask(&path, file.clone()).await.is(201);
    let before = count(&gateway).await;
    assert_eq!(ask(&path, file.clone()).await.is(201).json, first.json);
    let calls = (0..5).map(|_| ask(&path, file.clone()));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.is(201).json, first.json);
    }
    let other = String::from_utf8(file.to_vec()).unwrap().replace("hello", "other");
    ask(&path, other.into()).await.refused(409, "conflict");
    let elsewhere = ada.make_team("Weavers").await["workspace_id"].as_str().unwrap().to_owned();
    ask(&format!("{path}&workspace_id={elsewhere}"), file.clone()).await.refused(409, "conflict");
    // An id of one's own is nobody else's.
    assert_eq!(count(&gateway).await, before);
    let bob = gateway.invite(&ada, "bob").await;
    assert_ne!(
        bob.send_bytes(Method::POST, &path, file).await.is(201).json["log"],
        first.json["log"]
    );
}

async fn files_of_other_workspaces_stay_unknown(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let bob = gateway.invite(&ada, "bob").await;
    let (hash, none) = (hash_of(b"a drawing"), hash_of(b"nobody's"));
    let put = |who: &Person| format!("/api/workspaces/{}/blobs/{hash}", who.workspace_id);
    ada.send_bytes(Method::PUT, &put(&ada), "a drawing").await.is(200);
    let log = ada.converse("Looms").await;
    let attached = json!([{ "hash": hash, "name": "drawing.png", "media_type": "image/png" }]);
    ada.submit(
        json!({ "kind": "send_message", "log": log, "text": "look", "attachments": attached }),
    )
    .await
    .ok();
    for format in FORMATS {
        let file = export(&ada, &log, format).await.is(200).body;
        let text = String::from_utf8(file.to_vec()).unwrap();
        let attachments = async |who: &Person, log: &str| {
            let read = who.get(&format!("/api/logs/{log}/entries?limit=1")).await.ok();
            read["items"][0]["body"].get("attachments").cloned().unwrap_or(json!([]))
        };
        // Where the file is, it stays attached.
        let kept = import(&ada, format, "", file.clone()).await.is(201);
        assert_eq!(kept.json["n_files_left_out"], 0);
        assert_eq!(attachments(&ada, &log_of(kept)).await, attached);
        // To Bob, a file that Ada has and one that nobody has are the same: not there.
        let theirs = import(&bob, format, "", file.clone()).await.is(201);
        let nobodys = import(&bob, format, "", text.replace(&hash, &none)).await.is(201);
        for answer in [theirs, nobodys] {
            assert_eq!(answer.json["n_files_left_out"], 1);
            assert_eq!(attachments(&bob, &log_of(answer)).await, json!([]));
        }
    }
    let file = export(&ada, &log, "jsonl").await.is(200).body;
    bob.send_bytes(Method::PUT, &put(&bob), "a drawing").await.is(200);
    assert_eq!(import(&bob, "jsonl", "", file).await.is(201).json["n_files_left_out"], 0);
}

async fn a_bad_file_writes_nothing(database: Database) {
    let settings = [("limits.blob_bytes", "256 KiB")];
    let Some(gateway) = Gateway::start(database, &settings) else { return };
    let ada = gateway.admin().await;
    let log = ada.converse("Looms").await;
    for n in 0..9 {
        ada.say(&log, &format!("word {n}")).await;
    }
    let before = count(&gateway).await;
    for format in FORMATS {
        let file = export(&ada, &log, format).await.is(200).body;
        let whole = String::from_utf8(file.to_vec()).unwrap();
        let (half, bent) = (&whole[..whole.len() * 2 / 3], whole.replacen("word 5", "word\0", 1));
        let mut no_text = whole.clone().into_bytes();
        no_text[whole.find("word 3").unwrap()] = 0xff;
        let bad: [(&str, Vec<u8>); 6] = [
            ("nothing", vec![]),
            ("half of it", half.into()),
            ("a NUL", bent.into()),
            ("no UTF-8", no_text),
            ("deep lists", b"[".repeat(100_000)),
            ("many lines", b"\n".repeat(200_000)),
        ];
        for (what, bytes) in bad {
            let answer = import(&ada, format, "", bytes).await.refused(400, "invalid");
            let message = answer.json["error"]["message"].as_str().unwrap();
            assert!(message.starts_with("line "), "{format} {what}: {message}");
        }
        for other in FORMATS.into_iter().filter(|other| *other != format) {
            import(&ada, other, "", file.clone()).await.refused(400, "invalid");
        }
        import(&ada, format, "", vec![b'x'; 300 * 1024]).await.refused(413, "too_large");
        import(&ada, "pdf", "", file.clone()).await.refused(400, "invalid");
    }
    let no_id = format!("/api/conversations/import?format=jsonl&workspace_id={}", ada.workspace_id);
    ada.send_bytes(Method::POST, &no_id, "x").await.refused(400, "invalid");
    assert_eq!(count(&gateway).await, before);
}

/// Who loses the right to read while a long conversation is sent gets no more of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_ends_with_the_right_to_it() {
    let gateway = Gateway::start_sqlite(&[]);
    let ada = gateway.admin().await;
    let bob = gateway.invite(&ada, "bob").await;
    let (text, n) = ("x".repeat(100_000), 250);
    let mut file = format!(
        "{}\n",
        json!({ "mosaic_conversation": { "format": 1, "title": "Long", "exported_at": 1, "n_entries": n } })
    );
    for seq in 1..=n {
        let author = json!({ "is": "named", "name": "Somebody" });
        let entry = json!({ "seq": seq, "at": 1, "author": author, "kind": "user_message", "body": { "text": text } });
        file.push_str(&format!("{entry}\n"));
    }
    let log = log_of(import(&ada, "jsonl", "", file).await);
    let member = |kind: &str| json!({ "kind": kind, "log": log, "user_id": bob.id });
    let mut viewer = member("set_member");
    viewer["role"] = json!("viewer");
    let path = format!("/api/conversations/{log}/export?format=jsonl");
    for loses in [false, true] {
        ada.submit(viewer.clone()).await.ok();
        let request = Request::get(&path).header(header::ACCEPT, "*/*").body(Bytes::new()).unwrap();
        let mut body = gateway.open(bob.sign(request)).await.unwrap().into_body();
        let mut got = body.frame().await.unwrap().unwrap().into_data().unwrap().len();
        if loses {
            ada.submit(member("remove_member")).await.ok();
        }
        let cut = loop {
            match body.frame().await {
                Some(Ok(frame)) => got += frame.into_data().map_or(0, |data| data.len()),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert_eq!((cut, got > 25_000_000), (loses, !loses), "{got}");
    }
}
