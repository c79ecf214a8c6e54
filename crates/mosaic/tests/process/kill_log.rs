//! Killed while many write: what was acknowledged is there once, whatever was not is there once or not at all, and no
//! place in a log is missing or given twice.

use crate::support::{Database, Gateway, PATIENCE, Person, Place, eventually, fresh_id};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const WRITERS: usize = 6;

/// A command that was sent, and where its effect is if that was acknowledged.
struct Sent {
    id: String,
    text: String,
    seq: Option<i64>,
}

fn command(log: &str, sent: &Sent) -> Value {
    let command = json!({ "kind": "send_message", "log": log, "text": sent.text });
    json!({ "command_id": sent.id, "command": command })
}

/// Writes until the gateway is gone.
async fn write(who: Person, log: String, acknowledged: Arc<AtomicUsize>) -> Vec<Sent> {
    let mut all = vec![];
    loop {
        let id = fresh_id();
        let mut sent = Sent { text: format!("text of {id}"), id, seq: None };
        let request = who.request(http::Method::POST, "/api/commands", &command(&log, &sent));
        let answer = who.client.try_send(request).await;
        let over = answer.is_err();
        if let Ok(answer) = answer {
            assert_eq!(answer.status, 200, "{}", answer.text());
            sent.seq = answer.json["seq"].as_i64();
            acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        all.push(sent);
        if over {
            return all;
        }
    }
}

/// Every text of the log with its place; the places have no gaps.
async fn told(who: &Person, log: &str) -> BTreeMap<String, Vec<i64>> {
    let mut told: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = who.get(&format!("/api/logs/{log}/entries?after={after}&limit=500")).await.ok();
        let items = page["items"].as_array().unwrap();
        if items.is_empty() {
            assert_eq!(page["head"], after);
            return told;
        }
        for entry in items {
            after += 1;
            assert_eq!(entry["seq"], after, "a gap");
            if let Some(text) = entry["body"]["text"].as_str() {
                told.entry(text.to_owned()).or_default().push(after);
            }
        }
    }
}

async fn killed_while_many_write(database: Database, rounds: usize) {
    let Some(place) = Place::new(database).map(Arc::new) else { return };
    let mut gateway = Gateway::start_at(place.clone(), &[]);
    let ada = gateway.admin().await;
    let logs = [ada.converse("One").await, ada.converse("Two").await];
    let mut all: Vec<(usize, Sent)> = vec![];
    for round in 0..rounds {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| {
                let who = ada.with_client(gateway.client());
                tokio::spawn(write(who, logs[n % 2].clone(), acknowledged.clone()))
            })
            .collect();
        // After another number of acknowledgements each time, so at another moment of what is under way.
        let enough = 15 + 7 * round;
        eventually("some are acknowledged", PATIENCE, async || {
            acknowledged.load(Ordering::SeqCst) >= enough
        })
        .await;
        gateway.kill();
        for (n, writer) in writers.into_iter().enumerate() {
            all.extend(writer.await.unwrap().into_iter().map(|sent| (n % 2, sent)));
        }
        gateway = Gateway::start_at(place.clone(), &[]);
        check(&ada.with_client(gateway.client()), &logs, &mut all).await;
    }
    let n_lost = all.iter().filter(|(_, sent)| sent.seq.is_none()).count();
    assert_eq!(n_lost, 0, "every command has its effect in the end");
    gateway.stop().await;
}

async fn check(ada: &Person, logs: &[String], all: &mut [(usize, Sent)]) {
    let before = [told(ada, &logs[0]).await, told(ada, &logs[1]).await];
    for (log, sent) in all.iter() {
        let there = before[*log].get(&sent.text);
        match sent.seq {
            Some(seq) => assert_eq!(there, Some(&vec![seq]), "acknowledged at {seq}"),
            None => assert!(there.is_none_or(|places| places.len() == 1), "{there:?}"),
        }
    }
    // Whoever does not know sends it again: then it is there once, where it says.
    for (log, sent) in all.iter_mut() {
        let unknown = sent.seq.is_none();
        if unknown || sent.id.ends_with(['0', '1']) {
            let answer = ada.post("/api/commands", command(&logs[*log], sent)).await.ok();
            let seq = answer["seq"].as_i64();
            assert!(unknown || seq == sent.seq, "{seq:?} is not {:?}", sent.seq);
            sent.seq = seq;
        }
    }
    for (n, log) in logs.iter().enumerate() {
        let after = told(ada, log).await;
        let sent: BTreeSet<_> = all.iter().filter(|it| it.0 == n).map(|it| &it.1.text).collect();
        assert_eq!(after.keys().collect::<BTreeSet<_>>(), sent);
        assert!(after.values().all(|places| places.len() == 1), "something is there twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_while_many_write_loses_and_doubles_nothing_on_sqlite() {
    killed_while_many_write(Database::Sqlite, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_while_many_write_loses_and_doubles_nothing_on_postgres() {
    killed_while_many_write(Database::Postgres, 4).await;
}
