//! The laws of a log, checked from outside: what was acknowledged is there once, at the place that was told; whatever was
//! not is there once or not at all; no place is missing or given twice; the same command again is the same command.

use crate::support::Person;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A command that was sent, and where its effect is if that was acknowledged.
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) seq: Option<i64>,
}

pub(crate) fn command(log: &str, sent: &Sent) -> Value {
    let command = json!({ "kind": "send_message", "log": log, "text": sent.text });
    json!({ "command_id": sent.id, "command": command })
}

/// Every text of the log with its place; the places have no gaps.
pub(crate) async fn told(who: &Person, log: &str) -> BTreeMap<String, Vec<i64>> {
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

/// Checks both logs, and sends again what nobody knows of.
pub(crate) async fn check(ada: &Person, logs: &[String], all: &mut [(usize, Sent)]) {
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
