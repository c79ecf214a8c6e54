//! What is kept and what is not: a deleted person leaves nothing, a quota holds, the audit log cannot be changed
//! unnoticed.

use crate::{cast::hash_of, on_both, support::*};
use http::{Method, Request, header};
use serde_json::{Value, json};
use std::sync::Arc;

on_both!(a_deleted_person_leaves_nothing, a_quota_holds, a_changed_log_is_found_out);

const CANARY: &str = "serinus-canaria";

/// Somebody who leaves the word wherever a word can be left.
async fn canary(gateway: &Gateway, root: &Person, name: &str) -> Person {
    gateway.invite(root, name).await;
    let login = json!({ "name": name, "password": PASSWORD }).to_string();
    let request = Request::post("/api/login")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, CANARY)
        .body(login.into());
    let who = Person::arrived(gateway, gateway.send(request.unwrap()).await);
    who.patch("/api/me", json!({ "display_name": CANARY })).await.is(200);
    who.post("/api/me/tokens", json!({ "name": CANARY, "scopes": ["read"] })).await.is(201);
    let team = who.make_team(CANARY).await;
    for workspace_id in [&who.workspace_id, team["workspace_id"].as_str().unwrap()] {
        let path = format!("/api/workspaces/{workspace_id}");
        // Small, and larger than one piece.
        for text in [CANARY.to_owned(), CANARY.repeat(100_000)] {
            let path = format!("{path}/blobs/{}", hash_of(text.as_bytes()));
            who.send_bytes(Method::PUT, &path, text).await.is(200);
        }
        let secret = json!({ "value": CANARY, "host": format!("{CANARY}.example") });
        who.put(&format!("{path}/secrets/{CANARY}"), secret).await.is(200);
    }
    let insert = "insert into identities (id, user_id, provider, subject, created_at) values";
    let row = format!("('{}', '{}', 'elsewhere', '{CANARY}-{name}', 1)", fresh_id(), who.id);
    gateway.place().run(format!("{insert} {row}")).await;
    who
}

/// Where the word is found.
async fn traces(place: &Arc<Place>) -> Vec<String> {
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let is_in = |bytes: &[u8]| bytes.windows(CANARY.len()).any(|it| it == CANARY.as_bytes());
    let files = place.files().into_iter().filter(|(_, bytes)| is_in(bytes));
    let mut found: Vec<String> = files.map(|(path, _)| path.display().to_string()).collect();
    for (table, rows) in place.tables().await {
        if rows.iter().any(|row| row.contains(CANARY) || row.contains(&hex)) {
            found.push(table);
        }
    }
    found
}

async fn a_deleted_person_leaves_nothing(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let place = gateway.place().clone();
    for by_admin in [true, false] {
        let name = if by_admin { "first" } else { "second" };
        let who = canary(&gateway, &root, name).await;
        assert!(traces(&place).await.len() >= 2, "it was there: {:?}", traces(&place).await);
        if by_admin {
            root.delete(&format!("/api/users/{}", who.id), Value::Null).await.is(204);
        } else {
            let wrong = json!({ "name": name, "password": "not it" });
            who.delete("/api/me", wrong).await.refused(401, "wrong_login");
            let other = json!({ "name": "root", "password": PASSWORD });
            who.delete("/api/me", other).await.refused(400, "invalid");
            let farewell = json!({ "name": name, "password": PASSWORD });
            who.delete("/api/me", farewell).await.is(204);
        }
        who.get("/api/me").await.refused(401, "unauthenticated");
        assert_eq!(traces(&place).await, Vec::<String>::new(), "while it runs");
    }
    assert!(!gateway.log().contains(CANARY), "the log holds no contents");
    gateway.stop().await;
    assert_eq!(traces(&place).await, Vec::<String>::new(), "after it ended");

    // The log of what was done is whole: it holds ids only.
    let verified = place.mosaic(&["audit", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

async fn a_quota_holds(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let place = format!("/api/workspaces/{}", ada.workspace_id);
    root.patch(&place, json!({ "quota_bytes": 1000 })).await.is(200);
    ada.patch(&place, json!({ "quota_bytes": 9000 })).await.refused(403, "forbidden");
    root.patch(&place, json!({ "quota_bytes": -1 })).await.refused(400, "invalid");
    let used = async || ada.get(&place).await.ok()["used_bytes"].as_i64().unwrap();
    let put = |letter: &str, n: usize| {
        let (text, ada, place) = (letter.repeat(n), ada.clone(), place.clone());
        async move {
            let path = format!("{place}/blobs/{}", hash_of(text.as_bytes()));
            (ada.send_bytes(Method::PUT, &path, text).await, path)
        }
    };
    let (answer, path) = put("a", 600).await;
    assert_eq!(answer.ok()["size_bytes"], 600);
    // The same once more costs nothing.
    put("a", 600).await.0.is(200);
    assert_eq!(used().await, 600);
    put("b", 401).await.0.refused(507, "quota_exceeded");
    assert_eq!(used().await, 600);
    put("b", 400).await.0.is(200);
    assert_eq!(used().await, 1000);
    let read = ada.get(&path).await.is(200);
    assert_eq!(read.body, "a".repeat(600));
    assert_eq!(read.header("content-disposition"), "attachment");
    ada.delete(&path, Value::Null).await.is(204);
    ada.get(&path).await.refused(404, "not_found");
    assert_eq!(used().await, 400);

    // Of several at once only those that fit get in.
    let puts = ["c", "d", "e", "f"].map(|letter| tokio::spawn(put(letter, 300)));
    let mut stored = 0;
    for put in puts {
        let (answer, _) = put.await.unwrap();
        stored += i64::from(answer.status == 200);
        assert!(matches!(answer.status, 200 | 507), "{}", answer.text());
    }
    assert_eq!((stored, used().await), (2, 1000));
    // Bytes that are not what the name says are not stored.
    let path = format!("{place}/blobs/{}", hash_of(b"x"));
    ada.send_bytes(Method::PUT, &path, "y").await.refused(400, "invalid");
    ada.get(&path).await.refused(404, "not_found");
}

async fn a_changed_log_is_found_out(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    // Names that cannot be in an id or a digest by chance.
    for name in ["ivo", "bob"] {
        let who = gateway.invite(&root, name).await;
        who.make_team("Engines").await;
    }
    let report = root.get("/api/audit/verify").await.ok();
    assert_eq!(report["broken_at"], Value::Null, "{report}");
    let n = report["entries"].as_i64().unwrap();
    let head = report["head"].as_str().unwrap().to_owned();
    let listed = root.get("/api/audit?limit=500").await.ok();
    let entries = listed["items"].as_array().unwrap();
    assert_eq!(i64::try_from(entries.len()).unwrap(), n);
    for word in ["ivo", "bob", "Engines"] {
        assert!(!listed.to_string().contains(word), "the log holds ids, not `{word}`");
    }
    // Page by page it is the same.
    let mut paged = vec![];
    let mut after = "0".to_owned();
    loop {
        let page = root.get(&format!("/api/audit?limit=3&after={after}")).await.ok();
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(&paged, entries);

    let place = gateway.stop().await;
    let verify = |more: &[&str]| place.mosaic(&[&["audit", "verify"], more].concat());
    assert_eq!(verify(&["--expect", &head]).code, Some(0));
    let broken = |at: i64| {
        let output = verify(&[]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(&format!("broken at entry {at}")), "{output:?}");
    };
    for column in ["actor", "action", "object", "detail"] {
        let before = place.rows(format!("select {column} from audit where seq = 3")).await;
        place.run(format!("update audit set {column} = 'other' where seq = 3")).await;
        broken(3);
        let undo = format!("update audit set {column} = '{}' where seq = 3", before[0]);
        place.run(undo).await;
        assert_eq!(verify(&[]).code, Some(0), "as it was");
    }
    place.run("update audit set seq = -seq where seq in (2, 3)").await;
    broken(1);
    place.run("update audit set seq = -seq where seq < 0").await;
    // Cut at the end: the stored head tells, and one that was noted elsewhere when that is cut too.
    place.run(format!("delete from audit where seq = {n}")).await;
    broken(n);
    let shorter = "update audit_head set seq = (select max(seq) from audit),
                   digest = (select digest from audit order by seq desc limit 1)";
    place.run(shorter).await;
    assert_eq!(verify(&[]).code, Some(0), "from inside it cannot be told");
    let noted = verify(&["--expect", &head]);
    assert_eq!(noted.code, Some(1), "{noted:?}");
}
