//! The audit log: its chain holds, and whoever changes it behind the store's back is found out.

use crate::{
    laws,
    place::{NOW, Place},
    seed,
};
use mosaic_protocol::{
    SessionId, TokenId,
    access::{Actor, Grant, Person},
    audit::AuditReport,
    audit::{Deed, Of},
    token::Scope,
};
use mosaic_store::{Store, audit, keyring::Key, users};
use std::collections::BTreeSet;

laws! {
    an_empty_log_is_whole,
    entries_say_who_did_what,
    what_was_not_committed_is_not_in_it,
    a_changed_entry_is_found,
    a_missing_entry_is_found,
    swapped_entries_are_found,
    an_inserted_entry_is_found,
    a_cut_end_is_found,
    a_replaced_log_is_found,
    appends_at_once_leave_no_gap,
    changes_happen_one_after_another,
    the_head_survives_a_change_of_the_key,
}

async fn with_entries(place: &Place, n: usize) -> Store {
    let store = place.open().await;
    for i in 1..=n {
        place.clock.advance_ms(1);
        seed::note(&store, &format!("thing:{i}")).await;
    }
    store
}

async fn verify(store: &Store) -> AuditReport {
    audit::verify(store, None).await.unwrap()
}

async fn expecting(store: &Store, head: &str) -> AuditReport {
    audit::verify(store, Some(audit::parse_head(head).unwrap())).await.unwrap()
}

async fn an_empty_log_is_whole(place: Place) {
    let store = place.open().await;
    let report = verify(&store).await;
    assert_eq!((report.entries, report.broken_at), (0, None));
    assert_eq!(expecting(&store, &report.head).await.broken_at, None, "{}", report.head);
    seed::note(&store, "thing:1").await;
    let now = expecting(&store, &report.head).await;
    assert_eq!((now.entries, now.broken_at), (1, None));
    assert!(audit::parse_head("x").is_err() && audit::parse_head("x:y").is_err());
    store.close().await;
}

async fn entries_say_who_did_what(place: Place) {
    let store = place.open().await;
    let (ada, _) = seed::user(&store, "ada").await;
    let session = store.ambient().id(SessionId::new);
    let token = store.ambient().id(TokenId::new);
    let by = |grant| Actor::User(Person { id: ada, admin: false, grant });
    let by_session = by(Grant::Session(session));
    let by_token = by(Grant::Token(token, BTreeSet::from([Scope::Read])));
    let mut tx = audit::begin(&store).await.unwrap();
    for actor in [None, Some(&Actor::System), Some(&by_session), Some(&by_token)] {
        place.clock.advance_ms(10);
        let record =
            audit::Record { actor, deed: Deed::Login, of: Of::User(ada), detail: "d".to_owned() };
        audit::append(&store, &mut tx, record).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let entries = audit::list(&mut tx, 0, 100).await.unwrap();
    let told: Vec<_> = entries.iter().map(|e| (e.seq, e.at, e.actor.clone())).collect();
    assert_eq!(
        told,
        [
            (1, NOW.plus_ms(10), "nobody".to_owned()),
            (2, NOW.plus_ms(20), "system".to_owned()),
            (3, NOW.plus_ms(30), format!("user:{ada} session:{session}")),
            (4, NOW.plus_ms(40), format!("user:{ada} token:{token}")),
        ]
    );
    assert!(entries.iter().all(|e| e.action == "login" && e.object == format!("user:{ada}")));
    assert_eq!(audit::list(&mut tx, 1, 2).await.unwrap(), entries[1..3]);
    drop(tx);
    let report = verify(&store).await;
    assert_eq!(report.head, format!("4:{}", entries[3].digest));
    store.close().await;
}

async fn what_was_not_committed_is_not_in_it(place: Place) {
    let store = with_entries(&place, 2).await;
    let mut tx = audit::begin(&store).await.unwrap();
    seed::append(&store, &mut tx, "thing:undone").await;
    drop(tx);
    seed::note(&store, "thing:3").await;
    let report = verify(&store).await;
    assert_eq!((report.entries, report.broken_at), (3, None));
    store.close().await;
}

/// Runs each tampering on a fresh copy of ten entries, and expects the break where it says.
async fn tampered(place: Place, cases: &[(String, i64)]) {
    let store = with_entries(&place, 10).await;
    let whole = verify(&store).await;
    assert_eq!((whole.entries, whole.broken_at), (10, None));
    place.run("create table kept as select * from audit").await;
    for (tampering, broken_at) in cases {
        place.run(tampering.clone()).await;
        let report = verify(&store).await;
        assert_eq!(report.broken_at, Some(*broken_at), "{tampering}: {}", report.message);
        assert_eq!(report.entries, broken_at - 1, "{tampering}");
        place.run("delete from audit; insert into audit select * from kept").await;
        assert_eq!(verify(&store).await, whole);
    }
    store.close().await;
}

async fn a_changed_entry_is_found(place: Place) {
    let mut cases = vec![];
    for seq in [1, 5, 10] {
        for change in [
            "at = at + 1",
            "actor = 'nobody'",
            "action = 'backu', object = 'p' || object",
            "action = action || 'x'",
            "object = 'thing:11'",
            "detail = 'd'",
            "digest = (select digest from kept where seq = 3)",
        ] {
            cases.push((format!("update audit set {change} where seq = {seq}"), seq));
        }
    }
    tampered(place, &cases).await;
}

async fn a_missing_entry_is_found(place: Place) {
    let delete = |which: &str| format!("delete from audit where {which}");
    let renumbered = "delete from audit where seq = 4;
        update audit set seq = seq - 1 where seq = 5; update audit set seq = seq - 1 where seq = 6";
    let cases = [
        (delete("seq = 1"), 1),
        (delete("seq = 5"), 5),
        (delete("seq = 10"), 10),
        (delete("seq > 3"), 4),
        (delete("seq < 3"), 1),
        (delete("1 = 1"), 1),
        (renumbered.to_owned(), 4),
    ];
    tampered(place, &cases).await;
}

async fn swapped_entries_are_found(place: Place) {
    let swap = |a: i64, b: i64| {
        let text = format!(
            "update audit set seq = 1000 where seq = {a}; update audit set seq = {a} where seq = {b};
             update audit set seq = {b} where seq = 1000"
        );
        (text, a)
    };
    tampered(place, &[swap(1, 2), swap(4, 5), swap(2, 10), swap(9, 10)]).await;
}

async fn an_inserted_entry_is_found(place: Place) {
    let insert = |seq: i64| {
        format!(
            "insert into audit (seq, at, actor, action, object, detail, digest)
             select {seq}, at, actor, action, object, detail, digest from kept where seq = 10"
        )
    };
    let between = format!("update audit set seq = -seq where seq >= 6; {}", insert(6));
    let between = format!("{between}; update audit set seq = 1 - seq where seq < 0");
    let cases = [(insert(11), 11), (insert(0), 1), (insert(-7), 1), (between, 6)];
    tampered(place, &cases).await;
}

async fn a_cut_end_is_found(place: Place) {
    let store = with_entries(&place, 10).await;
    let head = verify(&store).await.head;
    // Whoever also knows about the head fools everybody but the one who noted it.
    place
        .run(
            "delete from audit where seq > 7;
             update audit_head set seq = 7, digest = (select digest from audit where seq = 7)",
        )
        .await;
    let report = verify(&store).await;
    assert_eq!((report.entries, report.broken_at), (7, None));
    let told = expecting(&store, &head).await;
    assert_eq!(told.broken_at, Some(10), "{}", told.message);
    for i in 8..=12 {
        seed::note(&store, &format!("new:{i}")).await;
    }
    assert_eq!(expecting(&store, &head).await.broken_at, Some(10), "other entries in their place");
    assert_eq!(expecting(&store, &report.head).await.broken_at, None, "before the cut");
    place.run("delete from audit_head").await;
    assert!(verify(&store).await.broken_at.is_some());
    store.close().await;
}

async fn a_replaced_log_is_found(place: Place) {
    let store = with_entries(&place, 3).await;
    let noted = verify(&store).await.head;
    let mut altered = noted.clone();
    let last = altered.pop().unwrap();
    altered.push(if last == '0' { '1' } else { '0' });
    assert_eq!(expecting(&store, &noted).await.broken_at, None);
    assert_eq!(expecting(&store, &altered).await.broken_at, Some(3));
    assert_eq!(expecting(&store, &noted.replace("3:", "2:")).await.broken_at, Some(2));
    assert_eq!(expecting(&store, &noted.replace("3:", "4:")).await.broken_at, Some(4));
    store.close().await;
}

async fn appends_at_once_leave_no_gap(place: Place) {
    let key = Key::from_hex(&"ab".repeat(32)).unwrap();
    let mut stores = vec![Store::open(place.given(&key, None)).await.unwrap()];
    if place.is_postgres() {
        let node = place.another_node();
        stores.push(Store::open(node.given(&key, None)).await.unwrap());
    }
    let tasks = (0..200).map(|n| {
        let store = stores[n % stores.len()].clone();
        tokio::spawn(async move { seed::note(&store, &format!("thing:{n}")).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    for store in &stores {
        let report = verify(store).await;
        assert_eq!((report.entries, report.broken_at), (200, None), "{}", report.message);
    }
    let mut tx = stores[0].read().await.unwrap();
    let details: BTreeSet<String> =
        audit::list(&mut tx, 0, 1000).await.unwrap().into_iter().map(|e| e.detail).collect();
    assert_eq!(details.len(), 200);
    drop(tx);
    for store in stores {
        store.close().await;
    }
}

/// What a change has looked at stays so until it commits.
async fn changes_happen_one_after_another(place: Place) {
    let store = with_entries(&place, 1).await;
    for round in 1..=5 {
        let tasks = (0..4).map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut tx = audit::begin(&store).await.unwrap();
                if users::count_admins(&mut tx).await.unwrap() < round {
                    let name = seed::name(&format!("u{round}-{n}"));
                    let new = users::NewUser {
                        name: &name,
                        display_name: "",
                        password: None,
                        admin: true,
                    };
                    users::create(&store, &mut tx, new).await.unwrap();
                    seed::append(&store, &mut tx, "admin").await;
                }
                tx.commit().await.unwrap();
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let mut tx = store.read().await.unwrap();
        assert_eq!(users::count_admins(&mut tx).await.unwrap(), round);
    }
    store.close().await;
}

async fn the_head_survives_a_change_of_the_key(place: Place) {
    let store = with_entries(&place, 3).await;
    let head = verify(&store).await.head;
    store.rotate_secrets(&Actor::System).await.unwrap();
    seed::note(&store, "thing:5").await;
    let report = expecting(&store, &head).await;
    assert_eq!((report.entries, report.broken_at), (5, None));
    store.close().await;
}
