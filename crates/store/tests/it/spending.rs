//! What calls cost: held before they are sent, settled once, never more than a budget allows, whoever is killed.

use crate::{laws, place::Place, seed};
use mosaic_protocol::{
    CallId, Time, UserId, WorkspaceId,
    budget::{Budget, Period, Subject, UsageBy},
    provider::{Api, CredentialKind, ProviderKind},
    usage::{Cost, PriceSource, Usage},
};
use mosaic_store::{
    Store, budgets,
    ledger::{self, Call, Hold, Ledger, State},
    providers::{self, Stored, Written},
    usage::{self, Whose},
};

laws! {
    what_is_held_is_settled_once_and_never_more_than_the_budget,
    many_at_once_never_hold_more_than_there_is,
    an_interrupted_call_counts_for_what_was_held,
    a_call_that_nobody_waits_for_is_one_row_and_is_reported,
    a_budget_knows_what_was_spent_before_it_was_set,
    a_credential_opens_only_where_it_was_put,
}

pub(crate) fn call(
    store: &Store,
    user_id: UserId,
    workspace_id: WorkspaceId,
    held: (i64, i64),
) -> Call {
    let now = store.ambient().now();
    Call {
        id: store.ambient().id(CallId::new),
        at: now,
        user_id: Some(user_id),
        workspace_id: Some(workspace_id),
        token_id: None,
        log_id: None,
        agent: String::new(),
        provider: "anthropic".into(),
        kind: "anthropic".into(),
        model: "claude".into(),
        asked: "auto".into(),
        rule: String::new(),
        state: State::Running,
        failure: None,
        usage: Usage::default(),
        cost: Cost { micros: None, source: PriceSource::Unknown, exact: true },
        held,
        held_until: now.plus_minutes(10),
        first_ms: None,
        took_ms: None,
        route: String::new(),
        holds: vec![],
    }
}

pub(crate) fn done(call: &Call, micros: u64, tokens: u64) -> Call {
    Call {
        state: State::Done,
        usage: Usage { input: tokens, ..Usage::default() },
        cost: Cost { micros: Some(micros), source: PriceSource::Catalogue, exact: true },
        took_ms: Some(5),
        ..call.clone()
    }
}

async fn budget(
    store: &Store,
    subject: &Subject,
    micros: Option<i64>,
    tokens: Option<i64>,
) -> Budget {
    let mut tx = store.write().await.unwrap();
    budgets::put(store, &mut tx, subject, Period::Day, micros, tokens).await.unwrap();
    tx.commit().await.unwrap();
    now(store, subject).await
}

async fn now(store: &Store, subject: &Subject) -> Budget {
    let mut tx = store.read().await.unwrap();
    let all = budgets::of(&mut tx, subject, store.ambient().now()).await.unwrap();
    all.into_iter().next().unwrap()
}

async fn what_is_held_is_settled_once_and_never_more_than_the_budget(place: Place) {
    let store = place.open().await;
    let (ada, own) = seed::user(&store, "ada").await;
    let (person, room) = (Subject::User(ada), Subject::Workspace(own));
    let wide = budget(&store, &person, Some(1000), None).await;
    let narrow = budget(&store, &room, None, Some(50)).await;
    let ledger = Ledger::start(store.clone());

    let held = |micros, tokens| {
        let holds = vec![Hold::from(&wide), Hold::from(&narrow)];
        Call { holds, ..call(&store, ada, own, (micros, tokens)) }
    };
    let first = held(600, 30);
    assert_eq!(ledger.hold(first.clone()).await.unwrap(), Ok(()));
    assert_eq!(now(&store, &person).await.spent.held_micros, 600);
    // The second budget does not allow it, so nothing is held of the first either.
    let over = ledger.hold(held(100, 30)).await.unwrap().unwrap_err();
    assert_eq!((over.budget, over.left_tokens), (narrow.id, Some(20)));
    assert_eq!(now(&store, &person).await.spent.held_micros, 600);
    let over = ledger.hold(held(401, 1)).await.unwrap().unwrap_err();
    assert_eq!((over.budget, over.left_micros), (wide.id, Some(400)));

    ledger.settle(done(&first, 850, 40)).await;
    ledger.settle(done(&first, 850, 40)).await;
    ledger.flush().await;
    let (after, tight) = (now(&store, &person).await, now(&store, &room).await);
    assert_eq!((after.spent.micros, after.spent.held_micros), (850, 0));
    assert_eq!((tight.spent.tokens, tight.spent.held_tokens), (40, 0));
    assert!(after.warning && tight.warning, "four fifths have gone");
    assert!(ledger.hold(held(151, 1)).await.unwrap().is_err());
    assert!(ledger.hold(held(150, 1)).await.unwrap().is_ok(), "exactly what is left");
    store.close().await;
}

async fn many_at_once_never_hold_more_than_there_is(place: Place) {
    let store = place.open().await;
    let (ada, own) = seed::user(&store, "ada").await;
    let person = Subject::User(ada);
    let wide = budget(&store, &person, Some(1000), None).await;
    // Two ledgers, as two nodes would have them.
    let ledgers = [Ledger::start(store.clone()), Ledger::start(store.clone())];
    let calls: Vec<_> = (0..60)
        .map(|n| {
            let ledger = ledgers[n % 2].clone();
            let call = Call { holds: vec![Hold::from(&wide)], ..call(&store, ada, own, (70, 1)) };
            tokio::spawn(async move { ledger.hold(call).await.unwrap().is_ok() })
        })
        .collect();
    let mut n = 0;
    for call in calls {
        n += usize::from(call.await.unwrap());
    }
    assert_eq!(n, 14);
    assert_eq!(now(&store, &person).await.spent.held_micros, 980);
    store.close().await;
}

async fn an_interrupted_call_counts_for_what_was_held(place: Place) {
    let store = place.open().await;
    let (ada, own) = seed::user(&store, "ada").await;
    let person = Subject::User(ada);
    let wide = budget(&store, &person, Some(1000), None).await;
    let ledger = Ledger::start(store.clone());
    let lost = Call { holds: vec![Hold::from(&wide)], ..call(&store, ada, own, (300, 7)) };
    ledger.hold(lost.clone()).await.unwrap().unwrap();
    assert_eq!(ledger::interrupt(&store, false).await.unwrap(), 0, "it may still be under way");
    place.clock.advance_ms(11 * 60_000);
    assert_eq!(ledger::interrupt(&store, false).await.unwrap(), 1);
    assert_eq!(ledger::interrupt(&store, false).await.unwrap(), 0);
    let spent = now(&store, &person).await.spent;
    assert_eq!((spent.micros, spent.held_micros, spent.tokens), (300, 0, 7));
    // Whoever was only slow does not count a second time.
    ledger.settle(done(&lost, 10, 1)).await;
    ledger.flush().await;
    assert_eq!(now(&store, &person).await.spent.micros, 300);
    // At a start nobody can be at work: what is announced was interrupted, without waiting.
    ledger.announce(call(&store, ada, own, (0, 0))).await;
    ledger.flush().await;
    assert_eq!(ledger::interrupt(&store, true).await.unwrap(), 1);
    store.close().await;
}

async fn a_call_that_nobody_waits_for_is_one_row_and_is_reported(place: Place) {
    let store = place.open().await;
    let (ada, own) = seed::user(&store, "ada").await;
    let (bob, others) = seed::user(&store, "bob").await;
    let ledger = Ledger::start(store.clone());
    for n in 0..300 {
        let call = match n % 3 {
            0 => call(&store, bob, others, (0, 0)),
            _ => call(&store, ada, own, (0, 0)),
        };
        ledger.announce(call.clone()).await;
        let state = if n % 10 == 0 { State::Incomplete } else { State::Done };
        ledger.settle(Call { state, ..done(&call, 5, 2) }).await;
    }
    // Announced only: it is under way, and no usage yet.
    ledger.announce(call(&store, ada, own, (0, 0))).await;
    ledger.flush().await;
    let mut tx = store.read().await.unwrap();
    let (from, to) = (Time(0), store.ambient().now().plus_days(1));
    let mine = usage::report(&mut tx, Whose::User(ada), UsageBy::Model, from, to).await.unwrap();
    assert_eq!(mine.len(), 1);
    assert_eq!((mine[0].key.as_str(), mine[0].calls), ("anthropic/claude", 200));
    assert_eq!((mine[0].micros, mine[0].usage.input, mine[0].failed), (1000, 400, 20));
    let room = usage::report(&mut tx, Whose::Workspace(others), UsageBy::Person, from, to);
    let room = room.await.unwrap();
    assert_eq!((room.len(), room[0].key.clone(), room[0].calls), (1, bob.to_string(), 100));
    for by in [
        UsageBy::Day,
        UsageBy::Provider,
        UsageBy::Conversation,
        UsageBy::Person,
        UsageBy::Agent,
        UsageBy::Token,
        UsageBy::Rule,
    ] {
        let all = usage::report(&mut tx, Whose::Everybody, by, from, to).await.unwrap();
        assert_eq!(all.iter().map(|row| row.calls).sum::<i64>(), 300, "{by:?}");
    }
    let days = usage::report(&mut tx, Whose::Everybody, UsageBy::Day, from, to).await.unwrap();
    assert_eq!(days[0].key, "2027-01-15");
    drop(tx);
    store.close().await;
}

async fn a_budget_knows_what_was_spent_before_it_was_set(place: Place) {
    let store = place.open().await;
    let (ada, own) = seed::user(&store, "ada").await;
    let ledger = Ledger::start(store.clone());
    ledger.settle(done(&call(&store, ada, own, (0, 0)), 400, 9)).await;
    ledger.flush().await;
    let set = budget(&store, &Subject::User(ada), Some(500), None).await;
    assert_eq!((set.spent.micros, set.spent.tokens, set.warning), (400, 9, true));
    // Another bound keeps what has gone; another day begins anew.
    let set = budget(&store, &Subject::User(ada), Some(5000), None).await;
    assert_eq!((set.spent.micros, set.warning), (400, false));
    place.clock.advance_ms(86_400_000);
    assert_eq!(now(&store, &Subject::User(ada)).await.spent.micros, 0);
    store.close().await;
}

async fn a_credential_opens_only_where_it_was_put(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let mut stored = Stored {
        id: store.ambient().id(mosaic_protocol::ModelProviderId::new),
        workspace_id: Some(own),
        name: "mine".to_owned().try_into().unwrap(),
        kind: ProviderKind::Compatible,
        api: Api::Chat,
        base_url: "https://models.example.com/v1".into(),
        enabled: true,
        credential: CredentialKind::Key,
        hint: "…1234".into(),
        updated_at: store.ambient().now(),
    };
    let mut tx = store.write().await.unwrap();
    let written = Written { stored: &stored, credential: Some("sk-secret-1234") };
    providers::insert(&store, &mut tx, &written).await.unwrap();
    tx.commit().await.unwrap();
    store.rotate_secrets(&mosaic_protocol::access::Actor::System).await.unwrap();

    let mut tx = store.write().await.unwrap();
    assert_eq!(providers::list(&mut tx, Some(own)).await.unwrap(), [stored.clone()]);
    assert!(providers::list(&mut tx, None).await.unwrap().is_empty());
    let key = providers::open(&store, &mut tx, stored.id).await.unwrap().unwrap();
    assert_eq!(&*key, b"sk-secret-1234");
    // The same host may be used by another path; another host may not have the key.
    stored.base_url = "https://models.example.com/v2".into();
    let same = Written { stored: &stored, credential: None };
    providers::update(&store, &mut tx, &same).await.unwrap();
    assert!(providers::open(&store, &mut tx, stored.id).await.unwrap().is_some());
    for moved in ["https://evil.example.com/v1", "http://models.example.com/v1"] {
        stored.base_url = moved.into();
        let moved = Written { stored: &stored, credential: None };
        providers::update(&store, &mut tx, &moved).await.unwrap();
        assert!(providers::open(&store, &mut tx, stored.id).await.is_err());
    }
    assert!(providers::delete(&mut tx, stored.id).await.unwrap());
    assert!(providers::open(&store, &mut tx, stored.id).await.unwrap().is_none());
    drop(tx);
    store.close().await;
}
