//! Search: finds what was said and nothing that one may not read; its index follows the logs, and comes back when it
//! is lost.

use crate::{
    laws,
    logs::{conversation, label, said, say, text},
    place::{NOW, Place},
    seed,
};
use mosaic_protocol::{
    AgentName, LogId, Seq, Time, UserId, WorkspaceId,
    conversation::{ConversationRole, FoundKind},
    entry::Fact,
    log::{Author, LogKind},
    team::Role,
};
use mosaic_store::{
    Store,
    batch::{Append, Batch, NewEntry, NewLog},
    conversations,
    keyring::Key,
    search::{self, Question, Sought},
    teams,
};
use std::collections::BTreeSet;

laws! {
    words_are_found_newest_first,
    what_is_asked_for_narrows_it_down,
    the_best_of_the_newest_come_first,
    only_what_one_may_read_is_found,
    somebody_in_many_conversations_finds_them_all,
    what_happens_at_one_moment_is_all_found,
    what_is_deleted_is_found_no_more,
    the_index_comes_back,
    an_older_log_is_indexed_anew,
    what_is_hard_to_index_holds_nobody_up,
    two_nodes_index_once,
}

fn question(text: &str) -> Question {
    Question::read(text).unwrap()
}

fn sought(question: &Question, user_id: UserId) -> Sought<'_> {
    Sought {
        question,
        user_id,
        log: None,
        author: None,
        kind: None,
        since: None,
        until: None,
        ranked: false,
        after: None,
        limit: 100,
    }
}

async fn places(store: &Store, sought: &Sought<'_>) -> Vec<(LogId, i64)> {
    let hits = search::find(store, sought).await.unwrap();
    hits.into_iter().map(|hit| (hit.log, hit.entry.seq.0)).collect()
}

/// The places, in one conversation, where this is found.
async fn seqs(store: &Store, user: UserId, text: &str) -> Vec<i64> {
    let question = question(text);
    places(store, &sought(&question, user)).await.into_iter().map(|it| it.1).collect()
}

async fn tell(store: &Store, log: LogId, author: Author, fact: Fact) {
    let batch = Batch { appends: vec![Append::one(log, author, fact)], ..Batch::default() };
    store.commit(batch).await.unwrap();
}

async fn words_are_found_newest_first(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    for what in [
        "The Ferris wheel turns",
        "Ünïcode and ferris",
        "今日は東京タワーへ行く",
        "我们明天去北京",
        "foo_bar-baz, ferris",
        "wheel of Ferris",
    ] {
        say(&store, log, ada, what).await;
    }
    assert_eq!(seqs(&store, ada, "ferris").await, [] as [i64; 0], "nothing was indexed yet");
    store.index().await.unwrap();
    for (asked, found) in [
        ("ferris", &[7, 6, 3, 2][..]),
        ("FERRIS wheel", &[7, 2]),
        (r#""ferris wheel""#, &[2]),
        ("unicode", &[3]),
        ("unic*", &[3]),
        ("unic", &[]),
        ("ferris -wheel", &[6, 3]),
        ("東京", &[4]),
        ("京タ", &[4]),
        ("京", &[5, 4]),
        ("東北", &[]),
        ("北京", &[5]),
        ("foo_bar", &[6]),
        ("bar_foo", &[]),
        ("first", &[1]),
        ("or and not near", &[]),
        ("marks : x", &[]),
    ] {
        assert_eq!(seqs(&store, ada, asked).await, found, "{asked}");
    }
    let (bob, _) = seed::user(&store, "bob").await;
    assert_eq!(seqs(&store, bob, "ferris").await, [] as [i64; 0]);
    store.close().await;
}

async fn what_is_asked_for_narrows_it_down(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let one = conversation(&store, ada, workspace).await;
    let two = conversation(&store, ada, workspace).await;
    let set = Fact::MemberSet { user_id: bob, role: ConversationRole::Editor };
    tell(&store, one, Author::User { id: ada }, set).await;
    for (log, who) in [(one, ada), (one, bob), (two, ada)] {
        place.clock.advance_ms(1000);
        say(&store, log, who, "needle").await;
    }
    let agent = AgentName::try_from("smith".to_owned()).unwrap();
    let agent = Author::Agent { name: agent, for_user: Some(ada) };
    let reply = Fact::AssistantReply { text: text("needle"), draft_id: None, incomplete: false };
    tell(&store, two, agent.clone(), reply).await;
    let result = Fact::ToolResult { tool: "Bash".into(), text: text("needle") };
    tell(&store, two, agent, result).await;
    let renamed = Fact::Renamed { title: label("A needle") };
    tell(&store, one, Author::User { id: ada }, renamed).await;
    store.index().await.unwrap();

    let needle = question("needle");
    let all = sought(&needle, ada);
    assert_eq!(
        places(&store, &all).await,
        [(one, 5), (two, 4), (two, 3), (two, 2), (one, 4), (one, 3)]
    );
    let log = Sought { log: Some(one), ..all.clone() };
    assert_eq!(places(&store, &log).await, [(one, 5), (one, 4), (one, 3)]);
    let author = Sought { author: Some(bob), ..all.clone() };
    assert_eq!(places(&store, &author).await, [(one, 4)]);
    for (kind, found) in [
        (FoundKind::UserMessage, vec![(two, 2), (one, 4), (one, 3)]),
        (FoundKind::AssistantReply, vec![(two, 3)]),
        (FoundKind::ToolResult, vec![(two, 4)]),
        (FoundKind::Title, vec![(one, 5)]),
    ] {
        let kind = Sought { kind: Some(kind), ..all.clone() };
        assert_eq!(places(&store, &kind).await, found);
    }
    let time = |n: i64| Some(Time(NOW.0 + n * 1000));
    let dates = Sought { since: time(2), until: time(3), ..all.clone() };
    assert_eq!(places(&store, &dates).await, [(one, 4)]);

    // Page by page, everything comes once.
    let mut paged = vec![];
    let mut after = None;
    loop {
        let page = Sought { after, limit: 2, ..all.clone() };
        let hits = search::find(&store, &page).await.unwrap();
        after = hits.last().map(|hit| hit.id);
        paged.extend(hits.into_iter().map(|hit| (hit.log, hit.entry.seq.0)));
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, places(&store, &all).await);

    let bobs = places(&store, &sought(&needle, bob)).await;
    assert_eq!(bobs, [(one, 5), (one, 4), (one, 3)]);
    let foreign = Sought { log: Some(two), ..sought(&needle, bob) };
    assert_eq!(places(&store, &foreign).await, []);
    store.close().await;
}

async fn the_best_of_the_newest_come_first(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    let long = format!("{} apple", "pear ".repeat(400));
    for what in [long.as_str(), "apple apple apple", "apple and pear and plum and cherry"] {
        say(&store, log, ada, what).await;
    }
    store.index().await.unwrap();
    let apple = question("apple");
    let newest = sought(&apple, ada);
    assert_eq!(places(&store, &newest).await, [(log, 4), (log, 3), (log, 2)]);
    let ranked = Sought { ranked: true, ..newest };
    let best = places(&store, &ranked).await;
    assert_eq!((best[0], best.len()), ((log, 3), 3));
    store.close().await;
}

/// A world of people, teams and conversations; each conversation says its own number and `everywhere`.
async fn world(store: &Store) -> (Vec<UserId>, Vec<LogId>, Vec<WorkspaceId>) {
    let mut people = vec![];
    let mut workspaces = vec![];
    for name in ["ada", "bob", "cyd", "dan"] {
        let (id, workspace) = seed::user(store, name).await;
        people.push(id);
        workspaces.push(workspace);
    }
    let (ada, bob, cyd) = (people[0], people[1], people[2]);
    let team = seed::team(store, "Reds", ada).await;
    let blues = seed::team(store, "Blues", cyd).await;
    seed::join(store, &team, bob, Role::Member).await.unwrap();
    seed::join(store, &team, cyd, Role::Viewer).await.unwrap();
    seed::join(store, &blues, bob, Role::Member).await.unwrap();
    workspaces.push(team.workspace_id);
    let mut logs = vec![];
    let mut begin = async |who: UserId, workspace: WorkspaceId, facts: Vec<Fact>| {
        let log = conversation(store, who, workspace).await;
        for fact in facts {
            tell(store, log, Author::User { id: who }, fact).await;
        }
        say(store, log, who, "everywhere").await;
        logs.push(log);
    };
    let member = |user_id, role| Fact::MemberSet { user_id, role };
    let share = |team_id, role| Fact::TeamShared { team_id, role };
    use ConversationRole::{Editor, Owner, Viewer};
    begin(ada, workspaces[0], vec![]).await;
    begin(ada, workspaces[0], vec![member(bob, Viewer)]).await;
    begin(ada, workspaces[0], vec![share(team.id, Editor)]).await;
    begin(bob, workspaces[1], vec![share(blues.id, Viewer)]).await;
    begin(bob, workspaces[4], vec![]).await;
    begin(bob, workspaces[4], vec![member(cyd, Owner)]).await;
    // Given to somebody outside the team, and to another team: the workspace is the boundary.
    begin(bob, workspaces[4], vec![member(people[3], Editor), share(blues.id, Editor)]).await;
    begin(cyd, workspaces[2], vec![member(people[3], Editor)]).await;
    (people, logs, workspaces)
}

async fn agrees_with_the_rule(store: &Store, people: &[UserId], logs: &[LogId], when: &str) {
    let everywhere = question("everywhere");
    for user_id in people {
        let mut may_read = BTreeSet::new();
        for log in logs {
            let mut tx = store.read().await.unwrap();
            let standing = conversations::standing(&mut tx, *log, *user_id).await.unwrap();
            if standing.and_then(|standing| standing.facts.role()).is_some() {
                may_read.insert(*log);
            }
        }
        for ranked in [false, true] {
            let sought = Sought { ranked, ..sought(&everywhere, *user_id) };
            let found: BTreeSet<LogId> =
                places(store, &sought).await.into_iter().map(|it| it.0).collect();
            let person = people.iter().position(|id| id == user_id);
            assert_eq!(found, may_read, "person {person:?}, ranked {ranked}, {when}");
        }
        for log in logs {
            let only = Sought { log: Some(*log), ..sought(&everywhere, *user_id) };
            assert_eq!(places(store, &only).await.len(), usize::from(may_read.contains(log)));
        }
    }
}

async fn only_what_one_may_read_is_found(place: Place) {
    let store = place.open().await;
    let (people, logs, workspaces) = world(&store).await;
    store.index().await.unwrap();
    agrees_with_the_rule(&store, &people, &logs, "at first").await;

    let moved = |to: WorkspaceId| Fact::Moved { workspace_id: to, project_id: None };
    let system = || Author::System;
    for (log, to) in [(0, 4), (4, 1), (7, 0)] {
        tell(&store, logs[log], system(), moved(workspaces[to])).await;
    }
    store.index().await.unwrap();
    agrees_with_the_rule(&store, &people, &logs, "after moves").await;

    // Nothing of this is told by an entry, and nobody is found a moment longer.
    let mut tx = store.write().await.unwrap();
    let team = mosaic_store::workspaces::get(&mut tx, workspaces[4]).await.unwrap().unwrap();
    let team = team.team_id.unwrap();
    teams::leave(&mut tx, team, people[1]).await.unwrap();
    tx.commit().await.unwrap();
    agrees_with_the_rule(&store, &people, &logs, "after one has left the team").await;
    let gone = Fact::MemberRemoved { user_id: people[3] };
    tell(&store, logs[7], system(), gone).await;
    tell(&store, logs[7], system(), moved(workspaces[2])).await;
    // Whoever lost access has lost it before anything is indexed.
    let everywhere = question("everywhere");
    let hits = places(&store, &sought(&everywhere, people[0])).await;
    assert!(!hits.iter().any(|(log, _)| *log == logs[7]));
    store.index().await.unwrap();
    agrees_with_the_rule(&store, &people, &logs, "after all").await;
    store.close().await;
}

async fn somebody_in_many_conversations_finds_them_all(place: Place) {
    let store = place.open().await;
    let (ada, adas) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let mut batch = Batch::default();
    let author = Author::User { id: ada };
    for n in 0..300 {
        let log = store.ambient().id(LogId::new);
        batch.new_logs.push(NewLog {
            id: log,
            kind: LogKind::Conversation,
            workspace_id: adas,
            copy_of: None,
        });
        let began = Fact::Began { title: label("x"), workspace_id: adas };
        let set = Fact::MemberSet { user_id: bob, role: ConversationRole::Viewer };
        let (_, words) = said(ada, if n % 3 == 0 { "needle" } else { "hay" });
        let facts = if n < 290 { vec![began, set, words] } else { vec![began, words] };
        let entry = |fact| NewEntry { author: author.clone(), at: None, fact };
        let entries = facts.into_iter().map(entry).collect();
        batch.appends.push(Append { log, term: None, entries });
    }
    store.commit(batch).await.unwrap();
    store.index().await.unwrap();
    let needle = question("needle");
    assert_eq!(places(&store, &sought(&needle, ada)).await.len(), 100);
    assert_eq!(places(&store, &sought(&needle, bob)).await.len(), 97);
    store.close().await;
}

async fn what_happens_at_one_moment_is_all_found(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let mut logs = vec![];
    for _ in 0..3 {
        logs.push(conversation(&store, ada, workspace).await);
    }
    for log in &logs {
        for n in 0..5 {
            say(&store, *log, ada, &format!("now {n}")).await;
        }
        // In several steps, so that ids meet those that are there already.
        store.index().await.unwrap();
    }
    // Times that no clock would say.
    for at in [i64::MIN, -1, 0, i64::MAX] {
        let (author, fact) = said(ada, "now and ever");
        let entries = vec![NewEntry { author, at: Some(Time(at)), fact }];
        let appends = vec![Append { log: logs[0], term: None, entries }];
        store.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    }
    store.index().await.unwrap();
    let now = question("now");
    let found = places(&store, &sought(&now, ada)).await;
    assert_eq!(found.len(), 19);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 19);
    assert_eq!(found[0], (logs[0], 10), "what is said to be of the future comes first");
    store.close().await;
}

async fn what_is_deleted_is_found_no_more(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let (bob, _) = seed::user(&store, "bob").await;
    let log = conversation(&store, ada, workspace).await;
    let other = conversation(&store, ada, workspace).await;
    say(&store, log, ada, "serinus").await;
    say(&store, other, bob, "serinus").await;
    say(&store, other, ada, "serinus").await;
    store.index().await.unwrap();
    assert_eq!(seqs(&store, ada, "serinus").await.len(), 3);
    store.commit(Batch { deletes: vec![log], ..Batch::default() }).await.unwrap();
    assert_eq!(seqs(&store, ada, "serinus").await.len(), 2, "at once");
    seed::delete_user(&store, bob).await;
    assert_eq!(seqs(&store, ada, "serinus").await, [3], "at once");
    store.index().await.unwrap();
    assert_eq!(seqs(&store, ada, "serinus").await, [3]);
    assert_eq!(search::indexed(&store).await.unwrap(), 2, "a title and a message");
    store.close().await;
}

async fn the_index_comes_back(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    say(&store, log, ada, "serinus").await;
    store.index().await.unwrap();
    store.close().await;

    let file = place.data().join("search.db");
    for damage in ["lost", "not a database", "of another life", "of another version"] {
        match damage {
            "of another life" => {
                place.run("update meta set value = '01890a5d-ac96-774b-bcce-b302099a8057' where name = 'generation'").await;
            }
            "of another version" if place.is_postgres() => {
                place.run("update search_meta set value = '0' where name = 'version'").await;
            }
            "lost" if place.is_postgres() => {
                place.run("drop table search_meta").await;
            }
            _ if place.is_postgres() => {}
            "lost" => std::fs::remove_file(&file).unwrap(),
            _ => std::fs::write(&file, "no, not at all ".repeat(1000)).unwrap(),
        }
        let store = place.open().await;
        store.index().await.unwrap();
        assert_eq!(seqs(&store, ada, "serinus").await, [2], "{damage}");
        store.close().await;
    }
}

async fn an_older_log_is_indexed_anew(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = conversation(&store, ada, workspace).await;
    say(&store, log, ada, "serinus").await;
    say(&store, log, ada, "canaria").await;
    store.index().await.unwrap();
    // As if an older copy of the database had been put in place of this one.
    place.run("delete from entries where seq = 3").await;
    place.run("update logs set head = 2").await;
    say(&store, log, ada, "domestica").await;
    place.run("delete from entries where seq = 3").await;
    place.run("update logs set head = 2").await;
    store.look_at_index();
    store.index().await.unwrap();
    assert_eq!(seqs(&store, ada, "canaria").await, [] as [i64; 0]);
    assert_eq!(seqs(&store, ada, "serinus").await, [2]);
    assert_eq!(say(&store, log, ada, "minor").await, Seq(3));
    store.index().await.unwrap();
    assert_eq!(seqs(&store, ada, "minor").await, [3]);
    store.close().await;
}

async fn two_nodes_index_once(place: Place) {
    if !place.is_postgres() {
        return;
    }
    let key = Key::from_hex(&"ab".repeat(32)).unwrap();
    let one = Store::open(place.given(&key, None)).await.unwrap();
    let two = Store::open(place.another_node().given(&key, None)).await.unwrap();
    let (ada, workspace) = seed::user(&one, "ada").await;
    let log = conversation(&one, ada, workspace).await;
    for round in 0..20 {
        for store in [&one, &two] {
            say(store, log, ada, &format!("needle {round}")).await;
        }
        one.look_at_index();
        two.look_at_index();
        let (a, b) = tokio::join!(one.index(), two.index());
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(search::indexed(&one).await.unwrap(), 41);
    assert_eq!(seqs(&two, ada, "needle").await.len(), 40);
    one.close().await;
    two.close().await;
}

/// Texts that unfold to many times their length, and many things said at one moment, again and again.
async fn what_is_hard_to_index_holds_nobody_up(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let (eve, hers) = seed::user(&store, "eve").await;
    let bad = conversation(&store, eve, hers).await;
    say(&store, bad, eve, &"\u{fdfa} ".repeat(60_000)).await;
    say(&store, bad, eve, &"a ".repeat(130_000)).await;
    say(&store, bad, eve, &"京".repeat(87_000)).await;
    for _ in 0..3 {
        let log = conversation(&store, eve, hers).await;
        let entry = |n: i64| {
            let (author, fact) = said(eve, &format!("flood {n}"));
            NewEntry { author, at: Some(Time(0)), fact }
        };
        let entries = (0..700).map(entry).collect();
        let appends = vec![Append { log, term: None, entries }];
        store.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    }
    let log = conversation(&store, ada, workspace).await;
    say(&store, log, ada, "serinus").await;
    store.index().await.unwrap();
    assert_eq!(seqs(&store, ada, "serinus").await, [2]);
    assert_eq!(seqs(&store, eve, "京").await, [4]);
    assert_eq!(search::indexed(&store).await.unwrap(), 4 + 3 * 701 + 2);
    store.close().await;
}
