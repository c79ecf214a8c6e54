//! Killed while a file is imported: the conversation is there as a whole or not at all, and sent again it is there once.

use crate::support::{Database, Gateway, PATIENCE, Place, eventually, fresh_id};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use std::sync::Arc;

const MESSAGES: usize = 4000;

fn file(title: &str) -> Bytes {
    let head = json!({ "format": 1, "title": title, "exported_at": 1, "n_entries": MESSAGES });
    let mut file = format!("{}\n", json!({ "mosaic_conversation": head }));
    let text = "as it was said long ago, ".repeat(40);
    for seq in 1..=MESSAGES {
        let author = json!({ "is": "named", "name": "Somebody" });
        let entry = json!({ "seq": seq, "at": seq, "author": author, "kind": "user_message", "body": { "text": text } });
        file.push_str(&format!("{entry}\n"));
    }
    file.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_is_there_as_a_whole_or_not_at_all() {
    let Some(place) = Place::new(Database::Sqlite).map(Arc::new) else { return };
    let mut gateway = Gateway::start_at(place.clone(), &[]);
    let ada = gateway.admin().await;
    let log_file = place.data().join("mosaic.db-wal");
    let written = || std::fs::metadata(&log_file).map_or(0, |it| it.len());
    let mut outcomes = vec![];
    // At once, and then each time after more has been written of what is not committed yet; at last, of nothing more.
    for mib in [0, 1, 2, 4, 64] {
        let who = ada.with_client(gateway.client());
        let (title, id) = (format!("After {mib}"), fresh_id());
        let path = format!("/api/conversations/import?format=jsonl&command_id={id}");
        let body = file(&title);
        let request = |body: Bytes| Request::post(path.as_str()).body(body).unwrap();
        let (client, request_now) = (who.client.clone(), who.sign(request(body.clone())));
        let before = written();
        let asked = tokio::spawn(async move { client.try_send(request_now).await });
        eventually("enough is written, or all", PATIENCE, async || {
            mib == 0 || asked.is_finished() || written() > before + mib * 1024 * 1024
        })
        .await;
        gateway.kill();
        let answered = asked.await.unwrap().is_ok();
        gateway = Gateway::start_at(place.clone(), &[]);
        let who = ada.with_client(gateway.client());
        let found = async || -> Vec<Value> {
            let all = who.get("/api/conversations?limit=500").await.ok();
            let all = all["items"].as_array().unwrap().iter();
            all.filter(|it| it["title"] == title).cloned().collect()
        };
        let there = found().await;
        assert!(there.len() <= 1 && (!answered || there.len() == 1));
        assert!(there.iter().all(|it| it["head"] == MESSAGES + 1), "half of it: {there:?}");
        outcomes.push(there.len());
        let again = who.send_bytes(Method::POST, &path, body).await.is(201).json;
        let after = found().await;
        assert_eq!((after.len(), &after[0]["head"]), (1, &json!(MESSAGES + 1)));
        assert_eq!(after[0]["id"], again["log"]);
    }
    assert!(outcomes.contains(&0) && outcomes.contains(&1), "both were tried: {outcomes:?}");
    gateway.stop().await;
}
