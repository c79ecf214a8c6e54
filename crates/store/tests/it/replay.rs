//! What is told of a log and what is projected from it are the same: `protocol::replay` beside the tables.

use crate::{
    laws,
    logs::{conversation, label, said},
    place::Place,
    seed,
};
use mosaic_protocol::{
    LogId, Seq, Tag, TeamId, UserId, WorkspaceId,
    conversation::{Conversation, ConversationRole},
    entry::Fact,
    log::{Author, LogKind},
    replay::Replay,
};
use mosaic_store::{
    Store,
    batch::{Append, Batch, NewEntry, NewLog},
    conversations, logs,
};
use std::collections::BTreeMap;

laws! {
    the_projections_say_what_the_entries_tell,
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.up_to(some.len())]
    }
}

struct Cast {
    people: Vec<UserId>,
    homes: Vec<WorkspaceId>,
    teams: Vec<TeamId>,
}

fn fact(dice: &mut Dice, cast: &Cast) -> Fact {
    let role =
        dice.of(&[ConversationRole::Viewer, ConversationRole::Editor, ConversationRole::Owner]);
    let (user_id, team_id) = (dice.of(&cast.people), dice.of(&cast.teams));
    let seq = Seq(i64::try_from(dice.up_to(9)).unwrap());
    let tag = |n: usize| Tag::try_from(format!("t{n}")).unwrap();
    match dice.up_to(14) {
        0 => Fact::Renamed { title: label(&format!("Title {}", dice.up_to(9))) },
        1 => Fact::Archived {},
        2 => Fact::Unarchived {},
        3 => Fact::Tagged { tags: (0..dice.up_to(4)).map(|_| tag(dice.up_to(3))).collect() },
        4 => Fact::Moved { workspace_id: dice.of(&cast.homes), project_id: None },
        5 | 6 => Fact::MemberSet { user_id, role },
        7 => Fact::MemberRemoved { user_id },
        8 => Fact::TeamShared { team_id, role },
        9 => Fact::TeamUnshared { team_id },
        10 => Fact::LinkClosed {},
        11 => Fact::Pinned { seq },
        12 => Fact::Unpinned { seq },
        _ => said(user_id, "something").1,
    }
}

/// The same of a fold and of the tables.
async fn agree(store: &Store, log: LogId) -> Conversation {
    let mut tx = store.read().await.unwrap();
    let entries = logs::after(&mut tx, log, Seq::START, 100_000).await.unwrap();
    let told = Replay::of(&entries).unwrap();
    let role = ConversationRole::Owner;
    let found = conversations::get(&mut tx, log, None, role).await.unwrap().unwrap();
    let people = conversations::participants(&mut tx, log).await.unwrap();
    let pins = conversations::pins(&mut tx, log).await.unwrap();
    let mut tags: Vec<String> = told.tags.iter().map(ToString::to_string).collect();
    tags.sort_unstable();
    assert_eq!((told.head, told.title.as_str()), (found.head, found.title.as_str()));
    assert_eq!((told.workspace_id, told.project_id), (Some(found.workspace_id), found.project_id));
    assert_eq!((told.created_by, told.parent), (found.created_by, found.parent));
    assert_eq!((told.archived, told.link), (found.archived, found.link));
    assert_eq!(tags, found.tags);
    let members = people.members.iter().map(|it| (it.user_id, it.role)).collect::<BTreeMap<_, _>>();
    let teams = people.teams.iter().map(|it| (it.team_id, it.role)).collect::<BTreeMap<_, _>>();
    assert_eq!((told.members, told.teams), (members, teams));
    assert_eq!(told.pins.into_iter().collect::<Vec<_>>(), pins);
    found
}

async fn the_projections_say_what_the_entries_tell(place: Place) {
    let store = place.open().await;
    let mut cast = Cast { people: vec![], homes: vec![], teams: vec![] };
    for name in ["ada", "bob", "eve"] {
        let (user, home) = seed::user(&store, name).await;
        cast.people.push(user);
        cast.homes.push(home);
        cast.teams.push(seed::team(&store, name, user).await.id);
    }
    for n in 0..12 {
        let mut dice = Dice(n);
        let (ada, home) = (cast.people[0], cast.homes[0]);
        let log = conversation(&store, ada, home).await;
        let link = [u8::try_from(n).unwrap(); 32];
        for _ in 0..dice.up_to(40) {
            if dice.up_to(10) == 0 {
                // The digest of a link is no entry's business; that there is one is.
                let open = Append::one(log, Author::User { id: ada }, Fact::LinkOpened {});
                let link = Some(link.to_vec());
                let batch = Batch { appends: vec![open], link, ..Batch::default() };
                store.commit(batch).await.unwrap();
            }
            let author = Author::User { id: dice.of(&cast.people) };
            let entry = NewEntry { author, at: None, fact: fact(&mut dice, &cast) };
            let append = Append { log, term: None, entries: vec![entry] };
            store.commit(Batch { appends: vec![append], ..Batch::default() }).await.unwrap();
        }
        let found = agree(&store, log).await;

        // What the prefix told of who takes part happened elsewhere.
        let (id, bob) = (store.ambient().id(LogId::new), cast.people[1]);
        let workspace_id = cast.homes[1];
        let forked = Fact::Forked {
            parent: log,
            at: found.head,
            edited: None,
            title: label("Other"),
            workspace_id,
        };
        let copy_of = Some((log, found.head));
        let batch = Batch {
            new_logs: vec![NewLog { id, kind: LogKind::Conversation, workspace_id, copy_of }],
            appends: vec![Append::one(id, Author::User { id: bob }, forked)],
            ..Batch::default()
        };
        store.commit(batch).await.unwrap();
        let fork = agree(&store, id).await;
        assert_eq!((fork.parent, fork.created_by), (Some(log), Some(bob)));
        assert!(fork.tags.is_empty() && !fork.link && !fork.archived);
    }
    store.close().await;
}
