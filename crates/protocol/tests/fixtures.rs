//! Entries of every released version stay readable, and say the same when they are written again. A file here is never
//! edited once a version with it was released; a new kind gets its lines in the file of the version that brings it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use mosaic_protocol::{
    entry::Fact,
    log::{Author, Body, Entry},
};
use serde_json::Value;
use std::collections::BTreeSet;

fn lines(name: &str) -> Vec<String> {
    let path = format!("{}/../../fixtures/logs/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn every_entry_of_the_first_version_is_read() {
    let mut kinds = BTreeSet::new();
    for (n, line) in lines("v1").iter().enumerate() {
        let entry: Entry = serde_json::from_str(line).unwrap();
        assert_eq!(entry.seq.0, i64::try_from(n).unwrap() + 1);
        let Body::Fact(fact) = &entry.body else { unreachable!("not understood: {line}") };
        kinds.insert(fact.kind());
        let again: Value = serde_json::to_value(&entry).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(line).unwrap(), "{line}");
        // The same by way of the database.
        let body = again["body"].to_string();
        assert_eq!(Body::decode(fact.kind(), &body), entry.body);
        assert_eq!(Author::of_text(&entry.author.to_text()), entry.author);
    }
    assert_eq!(kinds, Fact::KINDS.iter().copied().collect(), "every kind has a line");
}

#[test]
fn what_a_newer_version_wrote_is_kept_as_it_is() {
    for line in lines("newer") {
        let entry: Entry = serde_json::from_str(&line).unwrap();
        assert!(matches!(entry.body, Body::Other { .. }), "{line}");
        let again: Value = serde_json::to_value(&entry).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(&line).unwrap());
    }
}
