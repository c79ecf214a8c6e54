//! The queue: a job has one holder at a time, and one that died loses it.

use crate::{laws, place::Place, seed};
use mosaic_store::{
    Store,
    batch::Batch,
    jobs::{self, Claimed, NewJob},
};
use std::time::Duration;

laws! { a_job_has_one_holder, a_job_waits_for_its_time, who_was_too_late_can_end_nothing, of_a_key_one_waits }

const HOLD: Duration = Duration::from_secs(30);

fn job(n: i64, key: Option<&str>) -> NewJob {
    NewJob {
        kind: "test",
        payload: format!("payload {n}"),
        unique_key: key.map(ToOwned::to_owned),
        run_at: crate::place::NOW.plus_ms(n),
    }
}

async fn enqueue(store: &Store, job: &NewJob) -> bool {
    let mut tx = store.write().await.unwrap();
    let new = jobs::enqueue(store, &mut tx, job).await.unwrap();
    tx.commit().await.unwrap();
    new
}

async fn claim(store: &Store, limit: i64) -> Vec<Claimed> {
    jobs::claim(store, &["test"], limit, HOLD).await.unwrap()
}

async fn a_job_has_one_holder(place: Place) {
    let store = place.open().await;
    for _ in 0..20 {
        assert!(enqueue(&store, &job(0, None)).await);
    }
    let claims: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { claim(&store, 3).await })
        })
        .collect();
    let mut ids = vec![];
    for claimed in claims {
        ids.extend(claimed.await.unwrap().into_iter().map(|job| job.id));
    }
    ids.extend(claim(&store, 100).await.into_iter().map(|job| job.id));
    let n = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((n, ids.len()), (20, 20), "each was given out once");
    assert!(jobs::claim(&store, &["other"], 5, HOLD).await.unwrap().is_empty());
    store.close().await;
}

async fn a_job_waits_for_its_time(place: Place) {
    let store = place.open().await;
    enqueue(&store, &job(50, None)).await;
    enqueue(&store, &job(20, None)).await;
    assert!(claim(&store, 9).await.is_empty());
    place.clock.advance_ms(20);
    let claimed = claim(&store, 9).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!((claimed[0].payload.as_str(), claimed[0].attempts), ("payload 20", 1));
    let mut tx = store.write().await.unwrap();
    assert!(claimed[0].again(&mut tx, crate::place::NOW.plus_ms(60)).await.unwrap());
    tx.commit().await.unwrap();
    place.clock.advance_ms(40);
    let claimed = claim(&store, 9).await.into_iter();
    let payloads: Vec<_> = claimed.map(|it| (it.payload, it.attempts)).collect();
    assert_eq!(payloads, [("payload 50".to_owned(), 1), ("payload 20".to_owned(), 2)]);
    store.close().await;
}

async fn who_was_too_late_can_end_nothing(place: Place) {
    let store = place.open().await;
    enqueue(&store, &job(0, None)).await;
    let first = claim(&store, 1).await.remove(0);
    place.clock.advance_ms(20_000);
    assert!(first.heartbeat(&store, HOLD).await.unwrap());
    place.clock.advance_ms(20_000);
    assert!(claim(&store, 1).await.is_empty(), "it said that it is at work");
    // It froze.
    place.clock.advance_ms(10_001);
    let second = claim(&store, 1).await.remove(0);
    assert_eq!((second.id, second.term), (first.id, first.term + 1));
    assert!(!first.heartbeat(&store, HOLD).await.unwrap());
    let mut tx = store.write().await.unwrap();
    assert!(!first.done(&mut tx).await.unwrap(), "and so what it did is not committed");
    drop(tx);
    let mut tx = store.write().await.unwrap();
    assert!(second.done(&mut tx).await.unwrap());
    tx.commit().await.unwrap();
    place.clock.advance_ms(100_000);
    assert!(claim(&store, 1).await.is_empty());
    store.close().await;
}

async fn of_a_key_one_waits(place: Place) {
    let store = place.open().await;
    assert!(enqueue(&store, &job(0, Some("once"))).await);
    assert!(!enqueue(&store, &job(1, Some("once"))).await);
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = crate::logs::conversation(&store, ada, workspace).await;
    // In a batch, too: the job is there if the rest is.
    let (author, fact) = crate::logs::said(ada, "and do this");
    let append = mosaic_store::batch::Append::one(log, author, fact);
    let batch = |deletes| Batch {
        appends: vec![append.clone()],
        jobs: vec![job(0, Some("twice")), job(0, Some("once"))],
        deletes,
        ..Batch::default()
    };
    let nowhere = store.ambient().id(mosaic_protocol::LogId::new);
    store.commit(batch(vec![nowhere])).await.unwrap_err();
    assert_eq!(claim(&store, 9).await.len(), 1);
    store.commit(batch(vec![])).await.unwrap();
    assert_eq!(claim(&store, 9).await.len(), 1);
    store.close().await;
}
