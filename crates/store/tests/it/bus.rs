//! Two nodes on one PostgreSQL database with a bus between them: what it is good for, and that nothing depends on it.

use crate::{
    logs::{conversation, said, say, soon, text, texts, until_live},
    place::Place,
    proxy::Proxy,
    seed,
    valkey::Valkey,
};
use mosaic_protocol::{
    DraftId, LogId, NodeId, Seq, UserId,
    conversation::ConversationRole,
    entry::Fact,
    frame::PresenceState,
    log::{Author, DraftChannel},
};
use mosaic_store::{
    Dialect, Follower, Store, Update,
    batch::{Append, Batch},
    bus::{BusState, address::BusAddress, probe},
    keyring::Key,
};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(20);

/// A node that looks at what others write.
struct Node {
    store: Store,
    looking: JoinHandle<std::convert::Infallible>,
}

impl Node {
    async fn join(place: &Place, url: &str) -> Node {
        let key = Key::from_hex(&"ab".repeat(32)).unwrap();
        let store = Store::open(place.given(&key, None)).await.unwrap();
        store.join_bus(BusAddress::parse(url).unwrap()).await.unwrap();
        let looking = tokio::spawn({
            let store = store.clone();
            async move { store.keep_looking().await }
        });
        Node { store, looking }
    }

    async fn is(&self, state: BusState) {
        eventually(&format!("{state:?}"), || self.store.bus().unwrap().state == state).await;
    }

    async fn follow(&self, log: LogId) -> Follower {
        let mut follower = self.store.follow(log, Seq(0)).await.unwrap().unwrap();
        until_live(&mut follower).await;
        follower
    }

    async fn leave(self) {
        self.looking.abort();
        self.store.close().await;
    }
}

async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
        ticks.tick().await;
    }
}

/// Two nodes that hear each other, and a conversation of Ada's.
struct Pair {
    place: Place,
    here: Node,
    there: Node,
    ada: UserId,
    log: LogId,
}

impl Pair {
    async fn on(place: Place, here: &str, there: &str) -> Pair {
        let (here, there) =
            (Node::join(&place, here).await, Node::join(&place.another_node(), there).await);
        let (ada, workspace) = seed::user(&here.store, "ada").await;
        let log = conversation(&here.store, ada, workspace).await;
        here.is(BusState::Heard).await;
        there.is(BusState::Heard).await;
        Pair { place, here, there, ada, log }
    }

    /// How long it takes from the acknowledgement here until it is told there.
    async fn crosses(&self, follower: &mut Follower, what: &str) -> Duration {
        let seq = say(&self.here.store, self.log, self.ada, what).await;
        let begun = Instant::now();
        loop {
            if let Update::Entry(kept) = soon(follower).await {
                assert!(kept.entry.seq <= seq);
                if kept.entry.seq == seq {
                    return begun.elapsed();
                }
            }
        }
    }

    /// The median of many.
    async fn usually_crosses(&self, follower: &mut Follower) -> Duration {
        let mut took = vec![];
        for n in 0..15 {
            took.push(self.crosses(follower, &format!("m{n}")).await);
        }
        took.sort_unstable();
        eprintln!(
            "an entry is told on the other node after {:?} (of 15, the slowest {:?})",
            took[7], took[14]
        );
        took[7]
    }

    async fn prefix(&self) -> String {
        format!("mosaic:0:{}:", self.here.store.generation().await.unwrap())
    }

    async fn leave(self) {
        self.here.leave().await;
        self.there.leave().await;
    }
}

macro_rules! on_postgres {
    ($($law:ident),* $(,)?) => {
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                let Some(valkey) = crate::valkey::Valkey::start(&[]) else { return };
                crate::place::Place::on_postgres(|place| super::$law(place, valkey)).await;
            })*
        }
    };
}
on_postgres! {
    what_is_written_here_is_told_there_at_once,
    drafts_and_presence_cross,
    who_comes_late_or_missed_something_gets_the_whole_draft,
    a_draft_whose_node_died_goes,
    without_valkey_nodes_look_by_themselves_and_with_it_they_are_quick_again,
    a_frozen_valkey_is_noticed,
    a_node_that_is_cut_off_alone_is_noticed_by_the_others,
    what_a_stranger_says_on_the_bus_harms_nothing,
    a_right_that_ends_here_ends_there,
    a_password_is_asked_for_and_given,
}

#[tokio::test]
async fn a_bus_is_only_for_nodes_that_share_a_database() {
    let store = Place::sqlite().open().await;
    assert_eq!(store.dialect(), Dialect::Sqlite);
    let address = BusAddress::parse("valkey://127.0.0.1:1").unwrap();
    let refused = crate::place::refusal(store.join_bus(address).await);
    assert!(refused.contains("database_url"), "{refused}");
    store.close().await;
}

async fn what_is_written_here_is_told_there_at_once(place: Place, valkey: Valkey) {
    let pair = Pair::on(place, &valkey.url(), &valkey.url()).await;
    let mut follower = pair.there.follow(pair.log).await;
    // Looking by itself would take a node four seconds by now.
    assert!(pair.usually_crosses(&mut follower).await < Duration::from_millis(200));
    let counts = pair.there.store.bus().unwrap();
    assert!(counts.received >= 15 && counts.refused == 0, "{counts:?}");
    pair.leave().await;
}

async fn next_draft(follower: &mut Follower) -> (DraftId, usize, String) {
    loop {
        if let Update::Draft(piece) = soon(follower).await {
            return (piece.draft_id, piece.offset, piece.text);
        }
    }
}

/// What is shown of a draft, piece by piece, until it is this.
async fn shows(follower: &mut Follower, draft: DraftId, whole: &str) {
    let mut shown = String::new();
    while shown != whole {
        let (id, offset, text) = next_draft(follower).await;
        if id == draft {
            assert_eq!(offset, shown.len(), "a gap in a draft");
            shown.push_str(&text);
            assert!(whole.starts_with(&shown), "{shown}");
        }
    }
}

async fn drafts_and_presence_cross(place: Place, valkey: Valkey) {
    let pair = Pair::on(place, &valkey.url(), &valkey.url()).await;
    let (here, log) = (&pair.here.store, pair.log);
    let mut follower = pair.there.follow(log).await;
    let [first, second] = [(); 2].map(|()| here.ambient().id(DraftId::new));
    // Nobody follows where it is typed.
    for piece in ["The an", "swer ", "is 4"] {
        assert!(here.draft(log, first, DraftChannel::Text, piece));
    }
    shows(&mut follower, first, "The answer is 4").await;
    here.present(log, pair.ada, PresenceState::Typing);
    loop {
        if let Update::Presence(user, state) = soon(&mut follower).await {
            assert_eq!((user, state), (pair.ada, PresenceState::Typing));
            break;
        }
    }
    // A retry begins anew under another id.
    here.drop_draft(log, first);
    assert!(here.draft(log, second, DraftChannel::Text, "It is 42"));
    shows(&mut follower, second, "It is 42").await;
    let mut late = pair.there.follow(log).await;
    assert_eq!(next_draft(&mut late).await, (second, 0, "It is 42".to_owned()), "and no other");
    // The entry that settles it takes it away there, too.
    let reply =
        Fact::AssistantReply { text: text("It is 42."), draft_id: Some(second), incomplete: false };
    let appends = vec![Append::one(log, Author::System, reply)];
    here.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    while !matches!(soon(&mut late).await, Update::Entry(_)) {}
    let third = here.ambient().id(DraftId::new);
    assert!(here.draft(log, third, DraftChannel::Tool, "$ "));
    let mut after = pair.there.follow(log).await;
    assert_eq!(
        next_draft(&mut after).await,
        (third, 0, "$ ".to_owned()),
        "the settled one is gone"
    );
    pair.leave().await;
}

async fn who_comes_late_or_missed_something_gets_the_whole_draft(place: Place, mut valkey: Valkey) {
    let pair = Pair::on(place, &valkey.url(), &valkey.url()).await;
    let (here, log) = (&pair.here.store, pair.log);
    let draft = here.ambient().id(DraftId::new);
    let mut whole = "ä".repeat(30_000);
    assert!(here.draft(log, draft, DraftChannel::Thinking, &whole));
    let mut late = pair.there.follow(log).await;
    let begun = Instant::now();
    shows(&mut late, draft, &whole).await;
    // It was asked for; what is said every five seconds anyway would have come later.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // What is typed while there is no bus is made up for when there is one.
    valkey.kill();
    pair.here.is(BusState::NotConnected).await;
    pair.there.is(BusState::NotConnected).await;
    for n in 0..50 {
        let more = format!(" and {n}");
        assert!(here.draft(log, draft, DraftChannel::Thinking, &more));
        whole.push_str(&more);
    }
    valkey.start_again();
    let mut shown = 60_000;
    while shown < whole.len() {
        let (id, offset, text) = next_draft(&mut late).await;
        assert_eq!((id, offset), (draft, shown));
        assert_eq!(text, whole[offset..offset + text.len()]);
        shown += text.len();
    }
    pair.leave().await;
}

async fn a_draft_whose_node_died_goes(place: Place, valkey: Valkey) {
    let pair = Pair::on(place, &valkey.url(), &valkey.url()).await;
    let mut follower = pair.there.follow(pair.log).await;
    let draft = pair.here.store.ambient().id(DraftId::new);
    // Another node that says, later, that it has nothing open: it was restarted, or the end was missed.
    let stranger = pair.here.store.ambient().id(NodeId::new);
    let prefix = pair.prefix().await;
    let message = |said: &str| format!("{{\"node\":\"{stranger}\",\"said\":{said}}}");
    let piece = format!(
        "{{\"draft\":{{\"draft_id\":\"{draft}\",\"channel\":\"text\",\"offset\":0,\"text\":\"Hm\"}}}}"
    );
    valkey.publish(&format!("{prefix}{}", pair.log), message(&piece));
    shows(&mut follower, draft, "Hm").await;
    valkey.publish(&format!("{prefix}{}", pair.log), message("{\"drafting\":{\"open\":[]}}"));
    // It comes after what was said before it; then a late reader sees only what is open.
    let ours = pair.here.store.ambient().id(DraftId::new);
    assert!(pair.here.store.draft(pair.log, ours, DraftChannel::Text, "Here"));
    shows(&mut follower, ours, "Here").await;
    let mut late = pair.there.follow(pair.log).await;
    assert_eq!(next_draft(&mut late).await, (ours, 0, "Here".to_owned()));
    pair.leave().await;
}

async fn without_valkey_nodes_look_by_themselves_and_with_it_they_are_quick_again(
    place: Place,
    mut valkey: Valkey,
) {
    let pair = Pair::on(place, &valkey.url(), &valkey.url()).await;
    let mut follower = pair.there.follow(pair.log).await;
    pair.crosses(&mut follower, "with it").await;
    valkey.kill();
    // Right after the loss, and later.
    for n in 0..3 {
        let took = pair.crosses(&mut follower, &format!("without it {n}")).await;
        assert!(took < Duration::from_millis(1500), "{took:?}");
    }
    assert_eq!(pair.here.store.bus().unwrap().state, BusState::NotConnected);
    assert!(pair.here.store.bus().unwrap().dropped > 0);
    valkey.start_again();
    pair.here.is(BusState::Heard).await;
    pair.there.is(BusState::Heard).await;
    assert!(pair.usually_crosses(&mut follower).await < Duration::from_millis(200));
    // A node that comes while there is none.
    valkey.kill();
    let late = Node::join(&pair.place.another_node(), &valkey.url()).await;
    let mut follower = late.follow(pair.log).await;
    pair.crosses(&mut follower, "to the late one").await;
    assert_eq!(late.store.bus().unwrap().state, BusState::NotConnected);
    valkey.start_again();
    late.is(BusState::Heard).await;
    late.leave().await;
    pair.leave().await;
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

async fn a_frozen_valkey_is_noticed(place: Place, valkey: Valkey) {
    let pair = Pair::on(place, &valkey.url(), &valkey.url()).await;
    let mut follower = pair.there.follow(pair.log).await;
    signal(valkey.pid(), rustix::process::Signal::STOP);
    let took = pair.crosses(&mut follower, "while it is frozen").await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    // Who commits never waits for the bus, however much is waiting to be said there.
    for _ in 0..20_000 {
        pair.here.store.present(pair.log, pair.ada, PresenceState::Typing);
    }
    let begun = Instant::now();
    say(&pair.here.store, pair.log, pair.ada, "and on").await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(pair.here.store.bus().unwrap().dropped > 0);
    eventually("it is given up", || pair.here.store.bus().unwrap().state != BusState::Heard).await;
    signal(valkey.pid(), rustix::process::Signal::CONT);
    pair.here.is(BusState::Heard).await;
    pair.there.is(BusState::Heard).await;
    pair.leave().await;
}

async fn a_node_that_is_cut_off_alone_is_noticed_by_the_others(place: Place, valkey: Valkey) {
    let proxy = Proxy::to(valkey.address()).await;
    let through = format!("valkey://{}", proxy.address());
    let pair = Pair::on(place, &through, &valkey.url()).await;
    let mut follower = pair.there.follow(pair.log).await;
    proxy.close();
    // This one is still connected itself.
    let took = pair.crosses(&mut follower, "from one that is cut off").await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    pair.there.is(BusState::NodeMissing).await;
    pair.here.is(BusState::NotConnected).await;
    proxy.open();
    pair.here.is(BusState::Heard).await;
    pair.there.is(BusState::Heard).await;
    assert!(pair.usually_crosses(&mut follower).await < Duration::from_millis(200));
    pair.leave().await;
}

async fn what_a_stranger_says_on_the_bus_harms_nothing(place: Place, valkey: Valkey) {
    let pair = Pair::on(place, &valkey.url(), &valkey.url()).await;
    let (bob, _) = seed::user(&pair.here.store, "bob").await;
    let mut follower = pair.there.follow(pair.log).await;
    let prefix = pair.prefix().await;
    let channel = format!("{prefix}{}", pair.log);
    let before = pair.there.store.bus().unwrap();
    let node = pair.here.store.ambient().id(NodeId::new);
    let message = |said: &str| format!("{{\"node\":\"{node}\",\"said\":{said}}}");

    // What is not understood.
    let deep = "[".repeat(100_000);
    let long = vec![b'x'; 5_000_000];
    let mut refused = 0;
    for garbage in [
        &b""[..],
        b"null",
        b"\xff\xfe\0",
        b"{\"node\":1,\"said\":{}}",
        deep.as_bytes(),
        &long,
        message("{\"reached\":{\"seq\":\"x\",\"access_version\":1}}").as_bytes(),
        message("{\"unheard_of\":{}}").as_bytes(),
        message("{\"draft\":{\"draft_id\":\"x\"}}").as_bytes(),
        message(&format!("{{\"gone\":{{}}}}{}", " ".repeat(200_000))).as_bytes(),
    ] {
        for to in [&channel, &format!("{prefix}all")] {
            valkey.publish(to, garbage);
            refused += 1;
        }
    }
    // What is understood and not so.
    for said in [
        "{\"gone\":{}}".to_owned(),
        "{\"ask\":{}}".to_owned(),
        format!("{{\"reached\":{{\"seq\":{},\"access_version\":{}}}}}", i64::MAX, i64::MAX),
        format!("{{\"reached\":{{\"seq\":{},\"access_version\":{}}}}}", i64::MIN, i64::MIN),
    ] {
        valkey.publish(&channel, message(&said));
    }
    for _ in 0..300 {
        let node = pair.here.store.ambient().id(NodeId::new);
        let said = |said| format!("{{\"node\":\"{node}\",\"said\":{{\"{said}\":{{}}}}}}");
        valkey.publish(&format!("{prefix}all"), said("here"));
        valkey.publish(&format!("{prefix}all"), said("bye"));
        valkey.publish(&format!("{prefix}all"), said("look"));
    }
    eventually("all of it was heard", || {
        let now = pair.there.store.bus().unwrap();
        now.refused >= before.refused + refused && now.received >= before.received + 900
    })
    .await;

    // Nothing came of it, and what is so is still told, rights included.
    let seq = say(&pair.here.store, pair.log, pair.ada, "so it is").await;
    assert_eq!(seq, Seq(2));
    let Update::Entry(kept) = soon(&mut follower).await else { panic!("the entry before all") };
    assert_eq!(kept.entry.seq, seq);
    let member = Fact::MemberSet { user_id: bob, role: ConversationRole::Viewer };
    let (author, fact) = said(pair.ada, "after it");
    let appends =
        vec![Append::one(pair.log, author.clone(), member), Append::one(pair.log, author, fact)];
    pair.here.store.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    let Update::Access(version) = soon(&mut follower).await else { panic!("the right before all") };
    assert_eq!(version, 2);
    follower.allowed(version);
    assert!(matches!(soon(&mut follower).await, Update::Entry(_)));
    assert_eq!(texts(&pair.there.store, pair.log).await, ["so it is", "after it"]);
    assert!(pair.usually_crosses(&mut follower).await < Duration::from_millis(200));
    pair.leave().await;
}

async fn a_right_that_ends_here_ends_there(place: Place, valkey: Valkey) {
    let pair = Pair::on(place, &valkey.url(), &valkey.url()).await;
    let (here, log, ada) = (&pair.here.store, pair.log, pair.ada);
    let (bob, _) = seed::user(here, "bob").await;
    let mut follower = pair.there.follow(log).await;
    let quickly = async |follower: &mut Follower| {
        let begun = Instant::now();
        let Update::Access(version) = soon(follower).await else { panic!("it may have changed") };
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        follower.allowed(version);
    };
    let team = seed::team(here, "Weavers", ada).await;
    let shared = Fact::TeamShared { team_id: team.id, role: ConversationRole::Viewer };
    let appends = vec![Append::one(log, Author::User { id: ada }, shared)];
    here.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    quickly(&mut follower).await;
    while !matches!(soon(&mut follower).await, Update::Entry(_)) {}
    // A change that no entry tells of.
    seed::join(here, &team, bob, mosaic_protocol::team::Role::Member).await.unwrap();
    here.tell_others_to_look();
    quickly(&mut follower).await;
    let before = pair.there.store.accounts_changed_elsewhere();
    here.tell_accounts_changed();
    let told = || pair.there.store.accounts_changed_elsewhere() == before + 1;
    eventually("accounts have changed", told).await;
    // Deleted.
    here.commit(Batch { deletes: vec![log], ..Batch::default() }).await.unwrap();
    let begun = Instant::now();
    assert!(matches!(soon(&mut follower).await, Update::Gone));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    pair.leave().await;
}

async fn a_password_is_asked_for_and_given(place: Place, open: Valkey) {
    drop(open);
    let Some(valkey) = Valkey::start(&["--requirepass", "a b/c"]) else { return };
    let url = |password: &str| format!("valkey://:{password}@{}", valkey.address());
    let right = url("a%20b%2Fc");
    probe(&BusAddress::parse(&right).unwrap()).await.unwrap();
    for wrong in [url("wrong"), valkey.url()] {
        let why = probe(&BusAddress::parse(&wrong).unwrap()).await.unwrap_err();
        assert!(why.contains("it refuses") && !why.contains("wrong@"), "{why}");
    }
    // Somebody with no more rights than docs/operating.md says.
    let rights = "--user mosaic on >pw -@all +hello +auth +publish +subscribe +unsubscribe resetchannels &mosaic:*";
    let Some(narrow) = Valkey::start(&rights.split(' ').collect::<Vec<_>>()) else { return };
    let narrow_url = format!("valkey://mosaic:pw@{}/3", narrow.address());
    probe(&BusAddress::parse(&narrow_url).unwrap()).await.unwrap();
    let node = Node::join(&place.another_node(), &narrow_url).await;
    node.is(BusState::Heard).await;
    node.leave().await;

    let pair = Pair::on(place, &right, &right).await;
    let wrong = Node::join(&pair.place.another_node(), &url("wrong")).await;
    let mut follower = wrong.follow(pair.log).await;
    pair.crosses(&mut follower, "to one that is not let in").await;
    assert_eq!(wrong.store.bus().unwrap().state, BusState::NotConnected);
    wrong.leave().await;
    pair.leave().await;
}
