//! A snapshot and what comes after it make the same as everything; and the fixtures that other languages share.

use super::*;
use crate::{Label, MessageText, entry::Origin};
use expect_test::expect_file;
use proptest::prelude::*;
use std::fmt::Write;

fn lines(name: &str) -> Vec<Entry> {
    let path = format!("{}/../../fixtures/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every snapshot, and the rest after it, make the whole. By way of JSON, as a client would keep it.
fn holds(entries: &[Entry]) -> Vec<Replay> {
    let whole = Replay::of(entries).unwrap();
    let mut snapshots = vec![];
    for k in 0..=entries.len() {
        let snapshot = Replay::of(&entries[..k]).unwrap();
        let text = serde_json::to_string(&snapshot).unwrap();
        let mut again: Replay = serde_json::from_str(&text).unwrap();
        assert_eq!(again, snapshot);
        // A client that comes back may be told some of it twice.
        for entry in &entries[k.saturating_sub(2)..] {
            again.tell(entry).unwrap();
        }
        assert_eq!(again, whole, "after {k}");
        snapshots.push(snapshot);
    }
    snapshots
}

#[test]
fn the_fixtures_hold_for_every_language() {
    for (log, file) in [
        ("logs/v1", expect_file!["../../../../fixtures/replay/v1.snapshots.jsonl"]),
        ("logs/newer", expect_file!["../../../../fixtures/replay/newer.snapshots.jsonl"]),
        ("replay/forked", expect_file!["../../../../fixtures/replay/forked.snapshots.jsonl"]),
    ] {
        let mut entries = lines(log);
        for (n, entry) in entries.iter_mut().enumerate() {
            assert!(log == "logs/newer" || entry.seq.0 == i64::try_from(n).unwrap() + 1);
            entry.seq = Seq(i64::try_from(n).unwrap() + 1);
        }
        let snapshots = holds(&entries);
        let last = snapshots.len() - 1;
        let mut text = String::new();
        for (k, snapshot) in snapshots.iter().enumerate().filter(|(k, _)| k % 4 == 0 || *k == last)
        {
            let _ = writeln!(text, "{}", serde_json::json!({ "after": k, "state": snapshot }));
        }
        file.assert_eq(&text);
    }
}

#[test]
fn a_missing_entry_is_noticed() {
    let entries = lines("logs/v1");
    let mut replay = Replay::of(&entries[..3]).unwrap();
    assert_eq!(replay.tell(&entries[4]), Err(Gap { after: Seq(3) }));
    assert_eq!(replay, Replay::of(&entries[..3]).unwrap());
}

fn id<T: std::str::FromStr<Err = crate::NotAnId>>(n: u8) -> T {
    format!("01890a5d-ac96-774b-bcce-0000000000{n:02x}").parse().unwrap()
}

fn facts() -> impl Strategy<Value = Fact> {
    let label = || "[a-z]{1,5}".prop_map(|text| Label::try_from(text).unwrap());
    let role = || {
        prop_oneof![
            Just(ConversationRole::Viewer),
            Just(ConversationRole::Editor),
            Just(ConversationRole::Owner)
        ]
    };
    let one = |fact: fn(Label, u8, ConversationRole) -> Fact| {
        (label(), 0..4u8, role()).prop_map(move |(label, n, role)| fact(label, n, role))
    };
    prop_oneof![
        one(|title, n, _| Fact::Began { title, workspace_id: id(n) }),
        one(|title, n, _| Fact::Imported { title, workspace_id: id(n) }),
        one(|title, n, _| Fact::Forked {
            parent: id(n),
            at: Seq(1),
            edited: None,
            title,
            workspace_id: id(n)
        }),
        one(|text, _, _| Fact::UserMessage {
            text: MessageText::try_from(text.to_string()).unwrap(),
            attachments: vec![],
            reply_to: None,
            origin: Origin::default()
        }),
        one(|title, _, _| Fact::Renamed { title }),
        one(|_, n, _| if n % 2 == 0 { Fact::Archived {} } else { Fact::Unarchived {} }),
        one(|tag, n, _| {
            let tag = Tag::try_from(tag.to_string()).unwrap();
            Fact::Tagged { tags: vec![tag; usize::from(n)] }
        }),
        one(|_, n, _| Fact::Moved { workspace_id: id(n), project_id: (n > 1).then(|| id(n)) }),
        one(|_, n, role| Fact::MemberSet { user_id: id(n), role }),
        one(|_, n, _| Fact::MemberRemoved { user_id: id(n) }),
        one(|_, n, role| Fact::TeamShared { team_id: id(n), role }),
        one(|_, n, _| Fact::TeamUnshared { team_id: id(n) }),
        one(|_, n, _| if n % 2 == 0 { Fact::LinkOpened {} } else { Fact::LinkClosed {} }),
        one(|_, n, _| Fact::Pinned { seq: Seq(n.into()) }),
        one(|_, n, _| Fact::Unpinned { seq: Seq(n.into()) }),
        one(|_, n, _| Fact::Erased { was: ["user_message", "renamed"][usize::from(n % 2)].into() }),
    ]
}

proptest! {
    #[test]
    fn a_snapshot_and_the_rest_make_the_whole(facts in prop::collection::vec(facts(), 0..40)) {
        let entry = |(n, fact): (usize, Fact)| Entry {
            seq: Seq(i64::try_from(n).unwrap() + 1),
            at: crate::Time(1),
            author: Author::User { id: id(u8::try_from(n % 4).unwrap()) },
            body: Body::Fact(fact),
        };
        let entries: Vec<Entry> = facts.into_iter().enumerate().map(entry).collect();
        holds(&entries);
    }
}
