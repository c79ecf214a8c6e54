//! Verifying: a healthy store is clean, each kind of damage is found and named, and projections that were spoiled are
//! made anew from the entries.

use crate::{
    laws,
    logs::{conversation, label, said, say},
    place::{Place, refusal},
    seed,
};
use mosaic_protocol::{
    LogId, Seq, Tag, UserId, WorkspaceId,
    conversation::ConversationRole,
    entry::{Attachment, Fact},
    log::{Author, LogKind},
    team::Role,
};
use mosaic_store::{
    Store,
    batch::{Append, Batch, NewLog},
    blobs::hash_of,
    conversations, search, teams,
    verify::{How, Report},
};

laws! {
    a_healthy_store_is_clean,
    looking_changes_nothing,
    damaged_logs_are_found,
    damaged_values_are_found,
    spoiled_projections_are_found_and_made_anew,
    nothing_is_rebuilt_from_damaged_logs,
    a_spoiled_index_is_found_and_made_anew,
    a_store_in_use_is_left_alone,
    where_there_is_nothing_nothing_is_made,
}

async fn verify(place: &Place, how: How) -> Report {
    Store::verify(&place.options(), how, &mut |_, _| {}).await.unwrap()
}

/// What is wrong: `check: place: found`.
async fn wrong(place: &Place) -> Vec<String> {
    all_wrong(&verify(place, How::Look).await)
}

fn all_wrong(report: &Report) -> Vec<String> {
    let lines = report.checks.iter().flat_map(|check| {
        assert_eq!(check.n_problems == 0, check.problems.is_empty());
        assert!(!check.remedy.is_empty() && !check.found.is_empty());
        check.problems.iter().map(|it| format!("{}: {}: {}", check.what, it.place, it.found))
    });
    let lines: Vec<String> = lines.collect();
    assert!(lines.is_empty() || !report.is_clean() || !report.changes.is_empty());
    lines
}

async fn tell(store: &Store, log: LogId, who: UserId, fact: Fact) {
    let appends = vec![Append::one(log, Author::User { id: who }, fact)];
    store.commit(Batch { appends, ..Batch::default() }).await.unwrap();
}

async fn fork(store: &Store, who: UserId, parent: LogId, at: i64, home: WorkspaceId) -> LogId {
    let id = store.ambient().id(LogId::new);
    let copy_of = Some((parent, Seq(at)));
    let new = NewLog { id, kind: LogKind::Conversation, workspace_id: home, copy_of };
    let title = label("Forked");
    let fact = Fact::Forked { parent, at: Seq(at), edited: None, title, workspace_id: home };
    let appends = vec![Append::one(id, Author::User { id: who }, fact)];
    let batch = Batch { new_logs: vec![new], appends, ..Batch::default() };
    store.commit(batch).await.unwrap();
    id
}

fn tag(text: &str) -> Tag {
    Tag::try_from(text.to_owned()).unwrap()
}

/// People, teams and conversations to which much has happened. The log of one of them.
async fn eventful(place: &Place) -> LogId {
    let store = place.open().await;
    let (_, home) = seed::everything(&store, "one").await;
    let (ada, hers) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let (eve, _) = seed::user(&store, "eve").await;
    let weavers = seed::team(&store, "Looms", ada).await;
    let dyers = seed::team(&store, "Dyers", ada).await;
    seed::join(&store, &weavers, bob, Role::Member).await.unwrap();
    let log = conversation(&store, ada, hers).await;
    store.put_blob(hers, &"a file".into()).await.unwrap();
    let Fact::UserMessage { text, reply_to, origin, .. } = said(ada, "with a file").1 else {
        unreachable!("a message")
    };
    let name = label("a.txt");
    let attachments =
        vec![Attachment { hash: hash_of(b"a file"), name, media_type: String::new() }];
    tell(&store, log, ada, Fact::UserMessage { text, attachments, reply_to, origin }).await;
    let owner = ConversationRole::Owner;
    for fact in [
        Fact::MemberSet { user_id: bob, role: ConversationRole::Editor },
        Fact::MemberSet { user_id: eve, role: owner },
        Fact::TeamShared { team_id: weavers.id, role: ConversationRole::Viewer },
        Fact::TeamShared { team_id: dyers.id, role: owner },
        Fact::Tagged { tags: vec![tag("red"), tag("blue")] },
        Fact::Pinned { seq: Seq(1) },
        Fact::Pinned { seq: Seq(2) },
        Fact::Unpinned { seq: Seq(1) },
        Fact::Archived {},
        // To a workspace that is gone later, and on.
        Fact::Moved { workspace_id: dyers.workspace_id, project_id: None },
        Fact::Moved { workspace_id: weavers.workspace_id, project_id: None },
    ] {
        tell(&store, log, ada, fact).await;
    }
    let open = Append::one(log, Author::User { id: ada }, Fact::LinkOpened {});
    let link = Some(b"digest".to_vec());
    store.commit(Batch { appends: vec![open], link, ..Batch::default() }).await.unwrap();
    let mut tx = store.write().await.unwrap();
    conversations::mark_read(&mut tx, bob, log, Seq(3)).await.unwrap();
    tx.commit().await.unwrap();
    // A copy of all of that, which is no part of what happened to the copy.
    fork(&store, bob, log, 10, hers).await;
    // Somebody who named things, took people in, and is deleted.
    tell(&store, log, eve, Fact::Renamed { title: label("As she called it") }).await;
    tell(&store, log, eve, Fact::Tagged { tags: vec![tag("hers")] }).await;
    tell(&store, log, eve, Fact::MemberSet { user_id: bob, role: ConversationRole::Viewer }).await;
    say(&store, log, eve, "her words").await;
    let made_by_her = fork(&store, eve, log, 3, hers).await;
    tell(&store, made_by_her, ada, Fact::MemberRemoved { user_id: eve }).await;
    seed::delete_user(&store, eve).await;
    let mut tx = store.write().await.unwrap();
    teams::delete(&mut tx, dyers.id).await.unwrap();
    store.commit_and_forget(tx, vec![dyers.workspace_id]).await.unwrap();
    // An empty conversation log cannot be, an empty inbox can.
    let id = store.ambient().id(LogId::new);
    let new = NewLog { id, kind: LogKind::Inbox, workspace_id: hers, copy_of: None };
    store.commit(Batch { new_logs: vec![new], ..Batch::default() }).await.unwrap();
    let gone = conversation(&store, ada, home).await;
    store.commit(Batch { deletes: vec![gone], ..Batch::default() }).await.unwrap();
    store.close().await;
    log
}

async fn a_healthy_store_is_clean(place: Place) {
    let log = eventful(&place).await;
    let report = verify(&place, How::Look).await;
    assert_eq!(all_wrong(&report), [""; 0]);
    assert!(report.is_clean() && report.not_rebuilt.is_none());
    // What somebody called it who is deleted goes with them.
    let title = format!("select title from conversations where log_id = '{log}'");
    assert_eq!(place.rows(title).await, ["First"]);
    let tags = format!("select tag from conversation_tags where log_id = '{log}' order by tag");
    assert_eq!(place.rows(tags).await, ["blue", "red"]);
    // What a newer version wrote is counted, and no problem.
    place.run("insert into entries select log_id, seq + 1, at, author, 'sung', '{\"la\":3}' from entries e
        where seq = (select head from logs where id = e.log_id) and kind <> 'shared_with_me';
        update logs set head = head + 1 where kind = 'conversation'").await;
    let report = verify(&place, How::Look).await;
    assert_eq!(all_wrong(&report), [""; 0]);
    let found = report.checks.iter().find(|check| check.what == "entries").unwrap();
    assert!(found.found.contains("only a newer version knows"), "{}", found.found);
    assert!(verify(&place, How::Rebuild).await.changes.is_empty());
}

async fn looking_changes_nothing(place: Place) {
    eventful(&place).await;
    place.run("delete from pins").await;
    let before = place.picture().await;
    assert_eq!(wrong(&place).await.len(), 2);
    place.is_still(&before).await;
}

async fn damaged_logs_are_found(place: Place) {
    let log = eventful(&place).await;
    let entry = |seq: i64| format!("where log_id = '{log}' and seq = {seq}");
    let head = place.rows(format!("select cast(head as text) from logs where id = '{log}'")).await;
    let head: i64 = head[0].parse().unwrap();
    for (spoil, mend, found) in [
        (
            format!("update entries set seq = 900 {}", entry(2)),
            format!("update entries set seq = 2 {}", entry(900)),
            format!("logs: log {log}: entry 2 of {head} is missing"),
        ),
        (
            format!("update logs set head = {} where id = '{log}'", head - 1),
            format!("update logs set head = {head} where id = '{log}'"),
            format!("logs: log {log}: it ends at {}, and there are entries up to {head}", head - 1),
        ),
        (
            format!("update logs set head = {} where id = '{log}'", head + 2),
            format!("update logs set head = {head} where id = '{log}'"),
            format!(
                "logs: log {log}: entries {} to {} of {} are missing",
                head + 1,
                head + 2,
                head + 2
            ),
        ),
        (
            format!("update entries set body = 'x' || body {}", entry(2)),
            format!("update entries set body = substr(body, 2) {}", entry(2)),
            format!("entries: log {log} entry 2: its body is not JSON"),
        ),
        (
            format!("update entries set body = '{{\"seq\":\"x\"}}' {}", entry(9)),
            format!("update entries set body = '{{\"seq\":2}}' {}", entry(9)),
            format!("entries: log {log} entry 9: its body is not what its kind says"),
        ),
        (
            format!("update entries set author = 'x' || author {}", entry(2)),
            format!("update entries set author = substr(author, 2) {}", entry(2)),
            format!("entries: log {log} entry 2: its author cannot be read"),
        ),
        (
            "update read_marks set seq = seq + 900".to_owned(),
            "update read_marks set seq = seq - 900".to_owned(),
            format!("in log {log}: has read up to 903, and the log ends at {head}"),
        ),
        (
            "update commands set seq = seq + 900".to_owned(),
            "update commands set seq = seq - 900".to_owned(),
            "which ends at 5".to_owned(),
        ),
        (
            "update logs set kind = 'run' where kind = 'inbox'".to_owned(),
            "update logs set kind = 'inbox' where kind = 'run'".to_owned(),
            "it is the inbox of 1 people".to_owned(),
        ),
    ] {
        place.run(spoil).await;
        let said = wrong(&place).await;
        assert!(said.iter().any(|line| line.contains(&found)), "{found} is not in {said:?}");
        place.run(mend).await;
        assert_eq!(wrong(&place).await, [""; 0], "{found}");
    }
    // The first entry of all, and entries of no log.
    place.run(format!("delete from entries {}", entry(1))).await;
    let said = wrong(&place).await;
    assert!(said.contains(&format!("logs: log {log}: entry 1 of {head} is missing")), "{said:?}");
    assert!(said.contains(&format!("logs: log {log}: no entry tells that the conversation began")));
    if !place.is_postgres() {
        place.run(format!("pragma foreign_keys = off; delete from logs where id = '{log}'")).await;
        let said = wrong(&place).await.join("\n");
        assert!(
            said.contains("rows of entries refer to rows of logs that are not there"),
            "{said}"
        );
        assert!(said.contains(&format!("log {log} entry 2: there is no such log")), "{said}");
    }
}

async fn damaged_values_are_found(place: Place) {
    eventful(&place).await;
    place.run("update workspaces set used_bytes = used_bytes + 1 where used_bytes = 6").await;
    place.run("update secrets set host = 'elsewhere.example.com'").await;
    place.run("update audit set detail = 'x' where seq = 1").await;
    if place.is_postgres() {
        place.run("update blob_chunks set bytes = 'b file' where bytes = 'a file'").await;
        place.run("delete from blob_chunks where n = 1").await;
        place.run("delete from blob_chunks where bytes = 'blob one'").await;
    } else {
        let file = |size: u64| {
            let files = place.files();
            let found = files.iter().find(|(path, bytes)| {
                path.to_string_lossy().contains("/blobs/") && bytes.len() as u64 == size
            });
            found.map(|(path, _)| path.clone()).unwrap()
        };
        std::fs::write(file(6), "b file").unwrap();
        std::fs::write(file(2_500_000), vec![7; 2_000_000]).unwrap();
        std::fs::remove_file(file(8)).unwrap();
    }
    let said = wrong(&place).await;
    let found = |what: &str| said.iter().filter(|line| line.ends_with(what)).count();
    assert_eq!(found("its bytes are not what its name says"), 2, "{said:?}");
    assert_eq!(found("its bytes are gone"), 1, "{said:?}");
    assert_eq!(found("7 bytes are noted as used, its blobs have 6"), 1, "{said:?}");
    assert_eq!(found("it cannot be opened: it was changed, or sealed under another key"), 1);
    assert_eq!(found("entry 1: an entry is missing or was changed"), 1, "{said:?}");
    assert_eq!(said.len(), 6, "{said:?}");
    // None of it keeps projections from being made anew.
    place.run("delete from pins").await;
    let report = verify(&place, How::Rebuild).await;
    assert!(!report.is_clean() && report.changes.len() == 1, "{report:?}");
    assert_eq!(wrong(&place).await, said);
}

async fn spoiled_projections_are_found_and_made_anew(place: Place) {
    let log = eventful(&place).await;
    let before = place.tables().await;
    let bob = place.rows("select id from users where name = 'bob'").await.remove(0);
    for (spoil, check, found) in [
        (
            format!("update conversations set title = 'Other' where log_id = '{log}'"),
            "conversations",
            " title",
        ),
        (
            "update conversations set archived = 1 - archived".to_owned(),
            "conversations",
            " archived",
        ),
        ("update conversations set created_by = null".to_owned(), "conversations", " created_by"),
        (
            format!("update conversation_members set role = 'owner' where user_id = '{bob}'"),
            "conversation_members",
            "not as the entries tell: role",
        ),
        (
            format!("delete from conversation_members where user_id = '{bob}'"),
            "conversation_members",
            "it is missing, and the entries tell it",
        ),
        ("delete from conversation_teams".to_owned(), "conversation_teams", "it is missing"),
        (
            format!("insert into conversation_tags (log_id, tag) values ('{log}', 'secret word')"),
            "conversation_tags",
            "it is there, and no entry tells it",
        ),
        (
            format!("insert into pins (log_id, seq) values ('{log}', 4)"),
            "pins",
            "seq 4: it is there, and no entry tells it",
        ),
        (
            format!(
                "update logs set workspace_id = (select id from workspaces where user_id = '{bob}') where id = '{log}'"
            ),
            "workspaces of logs",
            "not as the entries tell: workspace_id",
        ),
    ] {
        place.run(&*spoil).await;
        let said = wrong(&place).await;
        assert!(
            said.iter().all(|line| line.starts_with(&format!("{check}: "))),
            "{spoil}: {said:?}"
        );
        assert!(said.iter().any(|line| line.contains(found)), "{spoil}: {said:?}");
        assert!(!said.concat().contains("secret word"), "what people typed is not shown");
        let report = verify(&place, How::Rebuild).await;
        assert!(report.is_clean(), "{spoil}: {report:?}");
        assert_eq!(report.changes.len(), 1, "{spoil}");
        assert_eq!(wrong(&place).await, [""; 0], "{spoil}");
    }
    // Everything is as before, links too; but whoever follows is asked again.
    let mut after = place.tables().await;
    assert_ne!(
        after.insert("logs".to_owned(), before["logs"].clone()),
        Some(before["logs"].clone())
    );
    assert_eq!(after, before);
}

async fn nothing_is_rebuilt_from_damaged_logs(place: Place) {
    let log = eventful(&place).await;
    place.run("delete from pins").await;
    place.run(format!("delete from entries where log_id = '{log}' and seq = 3")).await;
    let before = place.tables().await;
    let report = verify(&place, How::Rebuild).await;
    assert!(report.not_rebuilt.as_ref().is_some_and(|why| why.contains("logs")), "{report:?}");
    assert!(report.changes.is_empty() && !report.is_clean());
    assert_eq!(place.tables().await, before);
}

async fn a_spoiled_index_is_found_and_made_anew(place: Place) {
    let log = eventful(&place).await;
    assert_eq!(wrong(&place).await, [] as [&str; 0], "there is none yet");
    let store = place.open().await;
    store.index().await.unwrap();
    let n = search::indexed(&store).await.unwrap();
    store.close().await;
    assert!(n > 3);
    let report = verify(&place, How::Look).await;
    let index = report.checks.iter().find(|check| check.what == "search index").unwrap();
    assert!(index.found.starts_with(&format!("{n} places in")) && report.is_clean(), "{report:?}");

    let mut spoiled = vec![format!(
        "delete from search_places where log_n = (select n from search_logs where log_id = '{log}')"
    )];
    spoiled.push(format!("update search_logs set indexed_to = 1000 where log_id = '{log}'"));
    for text in spoiled {
        place.run_on_index(&text).await;
        let said = wrong(&place).await;
        assert!(
            said.len() == 1 && said[0].starts_with(&format!("search index: log {log}: ")),
            "{said:?}"
        );
        let report = verify(&place, How::Rebuild).await;
        assert!(report.is_clean() && report.changes.len() == 1, "{report:?}");
        let store = place.open().await;
        store.index().await.unwrap();
        assert_eq!(search::indexed(&store).await.unwrap(), n);
        store.close().await;
        assert_eq!(wrong(&place).await, [] as [&str; 0]);
    }
    if !place.is_postgres() {
        let file = place.data().join("search.db");
        let mut bytes = std::fs::read(&file).unwrap();
        let half = bytes.len() / 2;
        bytes[half..].fill(0xa5);
        std::fs::write(&file, bytes).unwrap();
        assert!(wrong(&place).await.iter().any(|line| line.starts_with("search index: ")));
    }
}

async fn a_store_in_use_is_left_alone(place: Place) {
    let store = place.open().await;
    let refused = Store::verify(&place.options(), How::Look, &mut |_, _| {}).await;
    assert!(refusal(refused).contains("in use by process"));
    store.close().await;
    assert_eq!(wrong(&place).await, [""; 0]);
}

async fn where_there_is_nothing_nothing_is_made(place: Place) {
    let refused = Store::verify(&place.options(), How::Look, &mut |_, _| {}).await;
    assert!(refusal(refused).contains("there is no data"));
    assert!(place.is_postgres() || !place.data().exists());
}
