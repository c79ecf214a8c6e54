//! The log: gapless, durable, one effect per command, and followed without gaps or repeats.

use crate::{laws, place::Place, seed};
use mosaic_protocol::{
    CommandId, DraftId, Label, LogId, MessageText, NodeId, Seq, UserId, WorkspaceId,
    conversation::ConversationRole,
    entry::{Fact, Origin},
    log::{Author, Body, DraftChannel, LogKind},
};
use mosaic_store::{
    Error, Follower, Store, Update,
    batch::{Append, Batch, CommandKey, Expect, Lease, NewLog},
    conversations,
    keyring::Key,
    logs,
};
use std::{collections::BTreeMap, time::Duration};

laws! {
    entries_have_no_gaps_whoever_writes,
    a_command_has_one_effect,
    a_batch_that_cannot_be_done_disturbs_nobody,
    what_a_decision_was_based_on_must_still_hold,
    a_lease_has_one_holder,
    followers_miss_nothing_and_see_nothing_twice,
    followers_are_told_of_other_nodes,
    a_follower_that_does_not_come_back_holds_nobody_up,
    drafts_are_shown_until_they_are_settled,
    followers_are_asked_again_when_access_changes,
    a_reader_that_lags_is_asked_before_what_others_wrote_since,
    a_deleted_log_is_gone,
    a_fork_begins_with_what_was_said,
    a_deleted_person_has_said_nothing,
    a_link_is_there_between_its_two_entries,
}

pub(crate) fn text(text: &str) -> MessageText {
    MessageText::try_from(text.to_owned()).unwrap()
}

pub(crate) fn label(text: &str) -> Label {
    Label::try_from(text.to_owned()).unwrap()
}

pub(crate) fn said(author: UserId, what: &str) -> (Author, Fact) {
    let fact = Fact::UserMessage {
        text: text(what),
        attachments: vec![],
        reply_to: None,
        origin: Origin::default(),
    };
    (Author::User { id: author }, fact)
}

pub(crate) async fn conversation(store: &Store, user: UserId, workspace_id: WorkspaceId) -> LogId {
    let id = store.ambient().id(LogId::new);
    let began = Fact::Began { title: label("First"), workspace_id };
    let batch = Batch {
        new_logs: vec![NewLog { id, kind: LogKind::Conversation, workspace_id, copy_of: None }],
        appends: vec![Append::one(id, Author::User { id: user }, began)],
        ..Batch::default()
    };
    assert_eq!(store.commit(batch).await.unwrap().seq, Seq(1));
    id
}

pub(crate) async fn say(store: &Store, log: LogId, user: UserId, what: &str) -> Seq {
    let (author, fact) = said(user, what);
    let batch = Batch { appends: vec![Append::one(log, author, fact)], ..Batch::default() };
    store.commit(batch).await.unwrap().seq
}

pub(crate) async fn texts(store: &Store, log: LogId) -> Vec<String> {
    let mut tx = store.read().await.unwrap();
    let entries = logs::after(&mut tx, log, Seq::START, 100_000).await.unwrap();
    for (n, entry) in entries.iter().enumerate() {
        assert_eq!(entry.seq, Seq(i64::try_from(n).unwrap() + 1), "a gap");
    }
    let text = |body: &Body| match body {
        Body::Fact(Fact::UserMessage { text, .. }) => Some(text.as_str().to_owned()),
        _ => None,
    };
    entries.iter().filter_map(|entry| text(&entry.body)).collect()
}

async fn two(place: &Place) -> Vec<Store> {
    let key = Key::from_hex(&"ab".repeat(32)).unwrap();
    let mut stores = vec![Store::open(place.given(&key, None)).await.unwrap()];
    if place.is_postgres() {
        stores.push(Store::open(place.another_node().given(&key, None)).await.unwrap());
    }
    stores
}

async fn close(stores: Vec<Store>) {
    for store in stores {
        store.close().await;
    }
}

async fn entries_have_no_gaps_whoever_writes(place: Place) {
    let stores = two(&place).await;
    let (ada, workspace) = seed::user(&stores[0], "ada").await;
    let mut all = vec![];
    for _ in 0..5 {
        all.push(conversation(&stores[0], ada, workspace).await);
    }
    let tasks: Vec<_> = (0..300)
        .map(|n: usize| {
            let (store, log) = (stores[n % stores.len()].clone(), all[n % 5]);
            tokio::spawn(async move { (log, say(&store, log, ada, &format!("m{n}")).await, n) })
        })
        .collect();
    let mut told: BTreeMap<LogId, Vec<(Seq, String)>> = BTreeMap::new();
    for task in tasks {
        let (log, seq, n) = task.await.unwrap();
        told.entry(log).or_default().push((seq, format!("m{n}")));
    }
    for (log, mut told) in told {
        told.sort_unstable();
        let told: Vec<String> = told.into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts(&stores[0], log).await, told, "each is where its writer was told");
    }
    close(stores).await;
}

async fn a_command_has_one_effect(place: Place) {
    let stores = two(&place).await;
    let store = &stores[0];
    let (ada, workspace) = seed::user(store, "ada").await;
    let log = conversation(store, ada, workspace).await;
    let id = store.ambient().id(CommandId::new);
    let batch = |actor: &str, digest: u8, what: &str| {
        let (author, fact) = said(ada, what);
        let key = CommandKey { actor: actor.to_owned(), id, digest: vec![digest; 32] };
        let appends = vec![Append::one(log, author, fact)];
        Batch { command: Some(key), appends, ..Batch::default() }
    };
    // At once, from everywhere.
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            tokio::spawn({
                let (store, batch) = (stores[n % stores.len()].clone(), batch("ada", 1, "once"));
                async move { store.commit(batch).await.unwrap() }
            })
        })
        .collect();
    let mut fresh = 0;
    for task in tasks {
        let committed = task.await.unwrap();
        assert_eq!((committed.log, committed.seq), (log, Seq(2)));
        fresh += i32::from(!committed.before);
    }
    assert_eq!(fresh, 1);
    let reused = store.commit(batch("ada", 2, "something else")).await;
    assert!(matches!(reused, Err(Error::CommandReused)), "{reused:?}");
    // Another one's ids are another one's.
    assert_eq!(store.commit(batch("bob", 2, "theirs")).await.unwrap().seq, Seq(3));
    assert_eq!(texts(store, log).await, ["once", "theirs"]);
    // It is remembered across a restart.
    close(stores).await;
    let stores = two(&place).await;
    assert!(stores[0].commit(batch("ada", 1, "once")).await.unwrap().before);
    close(stores).await;
}

async fn a_batch_that_cannot_be_done_disturbs_nobody(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    let nowhere = store.ambient().id(LogId::new);
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let store = store.clone();
            let (author, fact) = said(ada, &format!("m{n}"));
            tokio::spawn(async move {
                // A batch is done whole or not at all: the first half of a bad one is not done either.
                let mut appends = vec![Append::one(log, author.clone(), fact.clone())];
                if n % 2 == 0 {
                    appends.push(Append::one(nowhere, author, fact));
                }
                store.commit(Batch { appends, ..Batch::default() }).await
            })
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        let done = task.await.unwrap();
        assert_eq!(done.is_ok(), n % 2 == 1, "{done:?}");
    }
    let mut said = texts(&store, log).await;
    said.sort_unstable();
    let mut odd: Vec<String> = (0..40).filter(|n| n % 2 == 1).map(|n| format!("m{n}")).collect();
    odd.sort_unstable();
    assert_eq!(said, odd);
    // A log in a workspace that is not there is refused by the database itself, and only that.
    let workspace_id = store.ambient().id(WorkspaceId::new);
    let new = NewLog { id: nowhere, kind: LogKind::Conversation, workspace_id, copy_of: None };
    let bad = store.commit(Batch { new_logs: vec![new], ..Batch::default() });
    let (bad, good) = tokio::join!(bad, say(&store, log, ada, "after"));
    assert!(bad.is_err());
    assert_eq!(good, Seq(22));
    store.close().await;
}

async fn what_a_decision_was_based_on_must_still_hold(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let log = conversation(&store, ada, workspace).await;
    let speak = |access_version: i64| {
        let (author, fact) = said(bob, "I was let in");
        Batch {
            expects: vec![Expect { log, access_version }],
            appends: vec![Append::one(log, author, fact)],
            ..Batch::default()
        }
    };
    store.commit(speak(1)).await.unwrap();
    let member = Fact::MemberSet { user_id: bob, role: ConversationRole::Viewer };
    let appends = vec![Append::one(log, Author::User { id: ada }, member)];
    store.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    let late = store.commit(speak(1)).await;
    assert!(matches!(late, Err(Error::AccessChanged)), "{late:?}");
    store.commit(speak(2)).await.unwrap();
    store.close().await;
}

async fn a_lease_has_one_holder(place: Place) {
    let stores = two(&place).await;
    let (here, there) = (&stores[0], stores.last().unwrap());
    let (ada, workspace) = seed::user(here, "ada").await;
    let log = conversation(here, ada, workspace).await;
    let [first, second] = [(); 2].map(|()| here.ambient().id(NodeId::new));
    let now = here.ambient().now();
    let take = |store: &Store, holder, until| {
        let (store, lease) = (store.clone(), Some(Lease { log, holder, until }));
        async move { store.commit(Batch { lease, ..Batch::default() }).await }
    };
    let under = |store: &Store, term| {
        let (author, fact) = said(ada, "under a lease");
        let append = Append { term: Some(term), ..Append::one(log, author, fact) };
        let (store, appends) = (store.clone(), vec![append]);
        async move { store.commit(Batch { appends, ..Batch::default() }).await }
    };
    assert_eq!(take(here, first, now.plus_ms(10_000)).await.unwrap().term, Some(1));
    assert!(matches!(take(there, second, now.plus_ms(10_000)).await, Err(Error::Held)));
    under(here, 1).await.unwrap();
    // It froze for longer than its lease; another node took over, and writes on.
    place.clock.advance_ms(10_001);
    if stores.len() > 1 {
        // The other one has a clock of its own here.
        assert_eq!(take(here, first, now).await.unwrap().term, Some(2), "given up");
    }
    let term = take(there, second, now.plus_ms(20_000)).await.unwrap().term.unwrap();
    under(there, term).await.unwrap();
    let late = under(here, term - 1).await;
    assert!(matches!(late, Err(Error::TermPassed)), "{late:?}");
    under(there, term).await.unwrap();
    // People need no term.
    say(here, log, ada, "a person").await;
    let leased = ["under a lease"; 3];
    assert_eq!(texts(there, log).await, [&leased[..], &["a person"]].concat());
    close(stores).await;
}

/// Takes what there is until it is live. Answers the places of the entries.
pub(crate) async fn until_live(follower: &mut Follower) -> Vec<i64> {
    let mut seqs = vec![];
    loop {
        match soon(follower).await {
            Update::Entry(kept) => seqs.push(kept.entry.seq.0),
            Update::Live(head) => {
                assert_eq!(head, follower.at());
                return seqs;
            }
            _ => {}
        }
    }
}

pub(crate) async fn soon(follower: &mut Follower) -> Update {
    let next = tokio::time::timeout(Duration::from_secs(20), follower.next());
    next.await.expect("an update in time").unwrap()
}

async fn followers_miss_nothing_and_see_nothing_twice(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    for n in 0..300 {
        say(&store, log, ada, &format!("m{n}")).await;
    }
    assert!(store.follow(store.ambient().id(LogId::new), Seq(0)).await.unwrap().is_none());
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for n in 300..900 {
                say(&store, log, ada, &format!("m{n}")).await;
            }
        }
    });
    let mut readers = vec![];
    for after in [-5, 0, 1, 150, 299, 301, 1_000_000] {
        let store = store.clone();
        readers.push(tokio::spawn(async move {
            let mut follower = store.follow(log, Seq(after)).await.unwrap().unwrap();
            let begun = follower.at().0;
            let mut expected = begun + 1;
            while expected <= 901 {
                // A reader that is disturbed while it waits loses nothing.
                let next = tokio::time::timeout(Duration::from_micros(200), follower.next());
                let Ok(update) = next.await else { continue };
                if let Update::Entry(kept) = update.unwrap() {
                    assert_eq!(kept.entry.seq.0, expected);
                    let frame: serde_json::Value = serde_json::from_slice(&kept.frame()).unwrap();
                    assert_eq!(frame["seq"], expected);
                    expected += 1;
                }
            }
            begun
        }));
    }
    writing.await.unwrap();
    for (reader, after) in readers.into_iter().zip([0, 0, 1, 150, 299]) {
        assert_eq!(reader.await.unwrap(), after);
    }
    store.close().await;
}

async fn a_follower_that_does_not_come_back_holds_nobody_up(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    say(&store, log, ada, "words").await;
    // More than there are connections. Each is asked for its first entry once, as by a task that then waits for
    // somebody who takes nothing.
    let mut followers = vec![];
    for _ in 0..40 {
        followers.push(store.follow(log, Seq::START).await.unwrap().unwrap());
    }
    let mut asked: Vec<_> =
        followers.iter_mut().map(|follower| Box::pin(follower.next())).collect();
    for next in &mut asked {
        std::future::poll_fn(|cx| {
            let _ = next.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
    }
    for _ in 0..40 {
        let read = tokio::time::timeout(Duration::from_secs(10), store.read()).await;
        drop(read.expect("a connection").unwrap());
    }
    // Who comes back after all is told.
    for next in asked {
        assert!(matches!(next.await.unwrap(), Update::Entry(kept) if kept.entry.seq == Seq(1)));
    }
    store.close().await;
}

async fn followers_are_told_of_other_nodes(place: Place) {
    let stores = two(&place).await;
    let (here, there) = (&stores[0], stores.last().unwrap());
    let (ada, workspace) = seed::user(here, "ada").await;
    let log = conversation(here, ada, workspace).await;
    let mut follower = here.follow(log, Seq(0)).await.unwrap().unwrap();
    assert_eq!(until_live(&mut follower).await, [1]);
    for n in 0..450 {
        say(there, log, ada, &format!("m{n}")).await;
    }
    here.look_again().await.unwrap();
    for expected in 2..=451 {
        let Update::Entry(kept) = soon(&mut follower).await else { panic!("an entry") };
        assert_eq!(kept.entry.seq, Seq(expected));
    }
    close(stores).await;
}

async fn drafts_are_shown_until_they_are_settled(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    let mut early = store.follow(log, Seq(1)).await.unwrap().unwrap();
    until_live(&mut early).await;
    let [first, second] = [(); 2].map(|()| store.ambient().id(DraftId::new));
    let piece = async |follower: &mut Follower| loop {
        if let Update::Draft(piece) = soon(follower).await {
            return (piece.draft_id, piece.offset, piece.text);
        }
    };
    assert!(store.draft(log, first, DraftChannel::Text, "The answ"));
    assert_eq!(piece(&mut early).await, (first, 0, "The answ".to_owned()));
    assert!(store.draft(log, first, DraftChannel::Text, "er i"));
    assert!(store.draft(log, first, DraftChannel::Text, "s 4"));
    assert_eq!(piece(&mut early).await, (first, 8, "er is 4".to_owned()), "merged for the slow");
    // Something else that is said does not wipe it.
    say(&store, log, ada, "meanwhile").await;
    let mut late = store.follow(log, Seq(2)).await.unwrap().unwrap();
    until_live(&mut late).await;
    assert_eq!(piece(&mut late).await, (first, 0, "The answer is 4".to_owned()));
    // A retry begins anew under another id.
    store.drop_draft(log, first);
    assert!(store.draft(log, second, DraftChannel::Text, "It is 42"));
    assert_eq!(piece(&mut late).await, (second, 0, "It is 42".to_owned()));
    let reply =
        Fact::AssistantReply { text: text("It is 42."), draft_id: Some(second), incomplete: false };
    let appends = vec![Append::one(log, Author::System, reply)];
    store.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    let mut after = store.follow(log, Seq(3)).await.unwrap().unwrap();
    assert!(until_live(&mut after).await.is_empty());
    assert!(store.draft(log, first, DraftChannel::Text, "x"));
    assert_eq!(piece(&mut after).await, (first, 0, "x".to_owned()), "the settled one is gone");
    assert!(!store.draft(log, first, DraftChannel::Text, &"x".repeat(1024 * 1024)), "a bound");
    store.close().await;
}

async fn followers_are_asked_again_when_access_changes(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let log = conversation(&store, ada, workspace).await;
    let mut follower = store.follow(log, Seq(0)).await.unwrap().unwrap();
    until_live(&mut follower).await;
    let removed = Fact::MemberRemoved { user_id: bob };
    let (author, fact) = said(ada, "now that he is gone");
    let appends = vec![Append::one(log, author.clone(), removed), Append::one(log, author, fact)];
    store.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    let Update::Access(version) = soon(&mut follower).await else { panic!("first of all") };
    let Update::Access(_) = soon(&mut follower).await else { panic!("until it is answered") };
    follower.allowed(version);
    assert!(matches!(soon(&mut follower).await, Update::Entry(_)));

    // So does a change of the team that it is shared with, also from elsewhere.
    let team = seed::team(&store, "Weavers", ada).await;
    let shared = Fact::TeamShared { team_id: team.id, role: ConversationRole::Viewer };
    let appends = vec![Append::one(log, Author::User { id: ada }, shared)];
    store.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    let mut follower = store.follow(log, Seq(4)).await.unwrap().unwrap();
    until_live(&mut follower).await;
    seed::join(&store, &team, bob, mosaic_protocol::team::Role::Member).await.unwrap();
    store.look_again().await.unwrap();
    assert!(matches!(soon(&mut follower).await, Update::Access(_)));
    store.close().await;
}

async fn a_reader_that_lags_is_asked_before_what_others_wrote_since(place: Place) {
    let stores = two(&place).await;
    let (here, there) = (&stores[0], stores.last().unwrap());
    let (ada, workspace) = seed::user(here, "ada").await;
    let (bob, _) = seed::user(here, "bob").await;
    let log = conversation(here, ada, workspace).await;
    say(here, log, ada, "for both").await;
    let mut follower = here.follow(log, Seq(0)).await.unwrap().unwrap();
    // Before the reader takes anything, another node takes the right away and writes on. Nobody has looked yet.
    let removed = Fact::MemberRemoved { user_id: bob };
    let (author, fact) = said(ada, "now that he is gone");
    let appends = vec![Append::one(log, author.clone(), removed), Append::one(log, author, fact)];
    there.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    let mut told = vec![];
    let version = loop {
        match soon(&mut follower).await {
            Update::Entry(kept) => told.push(kept.entry.seq),
            // Whoever is told all there is known of looks.
            Update::Live(_) => here.look_again().await.unwrap(),
            Update::Access(version) => break version,
            _ => {}
        }
    };
    let before: Vec<Seq> = (1..=2).map(Seq).collect();
    assert!(before.starts_with(&told), "told without being asked: {told:?}");
    follower.allowed(version);
    while told.len() < 4 {
        if let Update::Entry(kept) = soon(&mut follower).await {
            told.push(kept.entry.seq);
        }
    }
    assert_eq!(told, (1..=4).map(Seq).collect::<Vec<_>>());
    close(stores).await;
}

async fn a_deleted_log_is_gone(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    let mut follower = store.follow(log, Seq(1)).await.unwrap().unwrap();
    until_live(&mut follower).await;
    store.commit(Batch { deletes: vec![log], ..Batch::default() }).await.unwrap();
    assert!(matches!(soon(&mut follower).await, Update::Gone));
    assert!(store.follow(log, Seq(0)).await.unwrap().is_none());
    let again = store.commit(Batch { deletes: vec![log], ..Batch::default() }).await;
    assert!(matches!(again, Err(Error::NoLog)));

    // With its owner, too.
    let log = conversation(&store, ada, workspace).await;
    let mut follower = store.follow(log, Seq(1)).await.unwrap().unwrap();
    seed::delete_user(&store, ada).await;
    store.look_again().await.unwrap();
    assert!(matches!(soon(&mut follower).await, Update::Gone));
    store.close().await;
}

async fn a_fork_begins_with_what_was_said(place: Place) {
    let store = place.open().await;
    let (ada, workspace_id) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace_id).await;
    for n in 0..10 {
        say(&store, log, ada, &format!("m{n}")).await;
    }
    let fork = async |at: i64| {
        let id = store.ambient().id(LogId::new);
        let new =
            NewLog { id, kind: LogKind::Conversation, workspace_id, copy_of: Some((log, Seq(at))) };
        let fact = Fact::Forked {
            parent: log,
            at: Seq(at),
            edited: None,
            title: label("Other"),
            workspace_id,
        };
        let appends = vec![Append::one(id, Author::User { id: ada }, fact)];
        let batch = Batch { new_logs: vec![new], appends, ..Batch::default() };
        store.commit(batch).await.map(|committed| (id, committed.seq))
    };
    let (child, seq) = fork(5).await.unwrap();
    assert_eq!(seq, Seq(6));
    assert_eq!(texts(&store, child).await, ["m0", "m1", "m2", "m3"]);
    assert!(matches!(fork(12).await, Err(Error::NoLog)), "there is no such place");
    say(&store, child, ada, "other").await;
    assert_eq!(texts(&store, log).await.len(), 10, "the parent is as it was");
    store.commit(Batch { deletes: vec![log], ..Batch::default() }).await.unwrap();
    assert_eq!(texts(&store, child).await, ["m0", "m1", "m2", "m3", "other"], "a copy is a copy");
    store.close().await;
}

async fn a_deleted_person_has_said_nothing(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let log = conversation(&store, ada, workspace).await;
    say(&store, log, bob, "serinus-canaria").await;
    say(&store, log, ada, "hers").await;
    let member = Fact::MemberSet { user_id: bob, role: ConversationRole::Editor };
    let batch = Batch {
        appends: vec![Append::one(log, Author::User { id: ada }, member)],
        ..Batch::default()
    };
    store.commit(batch).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let standing = conversations::standing(&mut tx, log, bob).await.unwrap().unwrap();
    drop(tx);
    seed::delete_user(&store, bob).await;
    // What was decided while they were still there is not written any more.
    let (author, fact) = said(bob, "too late");
    let batch = Batch {
        expects: vec![Expect { log, access_version: standing.access_version }],
        appends: vec![Append::one(log, author, fact)],
        ..Batch::default()
    };
    assert!(matches!(store.commit(batch).await, Err(Error::AccessChanged)));
    assert_eq!(texts(&store, log).await, ["hers"]);
    let mut tx = store.read().await.unwrap();
    let erased = logs::get(&mut tx, log, Seq(2)).await.unwrap().unwrap();
    assert_eq!(erased.author, Author::Gone);
    assert_eq!(erased.body, Body::Fact(Fact::Erased { was: "user_message".to_owned() }));
    drop(tx);
    store.close().await;
}

/// Whoever opens and whoever closes at the same time: the last entry says whether it works.
async fn a_link_is_there_between_its_two_entries(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    let by = || Author::User { id: ada };
    for n in 0..20 {
        let digest = vec![n; 32];
        let open = Batch {
            appends: vec![Append::one(log, by(), Fact::LinkOpened {})],
            link: Some(digest.clone()),
            ..Batch::default()
        };
        let close = Append::one(log, by(), Fact::LinkClosed {});
        let close = Batch { appends: vec![close], ..Batch::default() };
        let (opened, closed) = tokio::join!(store.commit(open), store.commit(close));
        let works = opened.unwrap().seq > closed.unwrap().seq;
        let mut tx = store.read().await.unwrap();
        let found = conversations::by_link(&mut tx, &digest).await.unwrap();
        assert_eq!(found, works.then_some(log));
    }
    store.close().await;
}
