//! One renewal at a time, for everybody who asks.

use super::*;
use crate::{
    Key,
    oauth::{Scopes, TokenKind},
};
use mosaic_protocol::Time;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{Barrier, Notify};

fn tokens(name: &str) -> Tokens {
    Tokens {
        access: Key::new(format!("access-{name}")),
        refresh: Some(Key::new(format!("refresh-{name}"))),
        expires_at: Some(Time(0)),
        scopes: Scopes::default(),
        kind: TokenKind::Bearer,
    }
}

fn refused() -> Error {
    Error::new(FailureClass::Auth, "log in again")
}

/// Renews at once, and counts it.
async fn renew(
    refresher: &Refresher,
    held: &str,
    count: &Arc<AtomicUsize>,
    result: Result<Tokens>,
) -> Result<String> {
    let count = count.clone();
    let run = || async move {
        count.fetch_add(1, Ordering::SeqCst);
        result
    };
    let tokens = refresher.renew("id", &tokens(held), run).await?;
    Ok(tokens.access.expose().to_owned())
}

#[tokio::test]
async fn a_hundred_who_ask_at_once_get_one_renewal() {
    let refresher = Arc::new(Refresher::new());
    let count = Arc::new(AtomicUsize::new(0));
    let everybody = Arc::new(Barrier::new(100));
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let (refresher, count, everybody) =
                (refresher.clone(), count.clone(), everybody.clone());
            tokio::spawn(async move {
                everybody.wait().await;
                renew(&refresher, "1", &count, Ok(tokens("2"))).await
            })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap().unwrap(), "access-2");
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_comes_late_with_old_tokens_gets_the_newest_and_the_newest_are_renewed() {
    let refresher = Refresher::new();
    let count = Arc::new(AtomicUsize::new(0));
    for (held, next, got) in [
        ("1", "2", "access-2"),
        ("1", "never", "access-2"),
        ("2", "3", "access-3"),
        ("1", "never", "access-3"),
        ("2", "never", "access-3"),
        ("3", "4", "access-4"),
    ] {
        assert_eq!(renew(&refresher, held, &count, Ok(tokens(next))).await.unwrap(), got, "{held}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 3);
    // A new login under the same id is another's tokens.
    assert_eq!(
        renew(&refresher, "new", &count, Ok(tokens("new-2"))).await.unwrap(),
        "access-new-2"
    );
    refresher.forget("id");
    assert_eq!(renew(&refresher, "1", &count, Ok(tokens("x"))).await.unwrap(), "access-x");
}

#[tokio::test]
async fn a_failure_is_everybodys_and_not_for_ever() {
    let refresher = Refresher::new();
    let count = Arc::new(AtomicUsize::new(0));
    let both = tokio::join!(
        renew(&refresher, "1", &count, Err(refused())),
        renew(&refresher, "1", &count, Err(refused())),
    );
    assert_eq!(both.0.unwrap_err(), refused());
    assert_eq!(both.1.unwrap_err(), refused());
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(renew(&refresher, "1", &count, Ok(tokens("2"))).await.unwrap(), "access-2");
}

#[tokio::test]
async fn a_renewal_goes_on_when_everybody_has_gone() {
    let refresher = Refresher::new();
    let (began, go, stored) =
        (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let held = tokens("1");
    let run = {
        let (began, go, stored) = (began.clone(), go.clone(), stored.clone());
        || async move {
            began.notify_one();
            go.notified().await;
            stored.notify_one();
            Ok(tokens("2"))
        }
    };
    tokio::select! {
        biased;
        _ = refresher.renew("id", &held, run) => unreachable!("it waits for us"),
        () = began.notified() => {}
    }
    // Who comes meanwhile with other tokens waits; who has the same ones is aboard.
    let count = Arc::new(AtomicUsize::new(0));
    let mut same = Box::pin(renew(&refresher, "1", &count, Err(refused())));
    let mut other = Box::pin(renew(&refresher, "9", &count, Ok(tokens("10"))));
    let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(same.as_mut().poll(&mut nobody).is_pending());
    assert!(other.as_mut().poll(&mut nobody).is_pending());
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count.load(Ordering::SeqCst), 0, "two at once");
    go.notify_one();
    let (same, other) = tokio::join!(same, other);
    assert_eq!(same.unwrap(), "access-2");
    assert_eq!(other.unwrap(), "access-10");
    stored.notified().await;
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_renewal_that_breaks_off_is_an_error_and_blocks_nobody() {
    let refresher = Refresher::new();
    let run = || async { panic!("on purpose") };
    let error = refresher.renew("id", &tokens("1"), run).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Transport);
    let count = Arc::new(AtomicUsize::new(0));
    assert_eq!(renew(&refresher, "1", &count, Ok(tokens("2"))).await.unwrap(), "access-2");
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_has_bounds() {
    let refresher = Refresher::new();
    for n in 0..MOST + 10 {
        let run = || async { Ok(tokens("2")) };
        refresher.renew(&n.to_string(), &tokens("1"), run).await.unwrap();
    }
    let remembered = || refresher.flights.lock().unwrap().len();
    assert_eq!(remembered(), MOST);
    for n in 0..100 {
        let run = move || async move { Ok(tokens(&format!("{}", n + 1))) };
        refresher.renew("5000", &tokens(&n.to_string()), run).await.unwrap();
    }
    assert_eq!(refresher.flights.lock().unwrap()["5000"].replaces.len(), EARLIER);
    tokio::time::advance(REMEMBERED).await;
    refresher.renew("last", &tokens("1"), || async { Ok(tokens("2")) }).await.unwrap();
    assert_eq!(remembered(), 1);

    // Those that run are not forgotten, and there is an end to them, too.
    let refresher = Refresher::new();
    let mut waiting = vec![];
    for n in 0..MOST {
        let (id, held) = (n.to_string(), tokens("1"));
        let refresher = &refresher;
        let mut renewal =
            Box::pin(async move { refresher.renew(&id, &held, std::future::pending).await });
        let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(renewal.as_mut().poll(&mut nobody).is_pending());
        waiting.push(renewal);
    }
    let error = refresher.renew("more", &tokens("1"), || async { Ok(tokens("2")) }).await;
    assert_eq!(error.unwrap_err().class, FailureClass::Overload);
}
