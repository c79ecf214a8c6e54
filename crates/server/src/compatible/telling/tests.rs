//! Answers in pieces under a clock of the tests: how they end, who may hear them, what is sent together.

use super::*;
use crate::compatible::{
    chat::Chunks,
    messages::Blocks,
    pieces::{broken, call, text},
};
use futures_util::{FutureExt, StreamExt};
use mosaic_models::Reported;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What an answer does next.
enum Move {
    Says(Said),
    Waits(Duration),
    Fails(Error),
    /// Talks for ever.
    Babbles,
}

/// Nothing happens for so long, by the clock of the tests.
async fn pause(time: Duration) {
    let nothing = std::future::pending::<()>();
    assert!(tokio::time::timeout(time, nothing).await.is_err());
}

struct Played {
    moves: VecDeque<Move>,
    dropped: Arc<AtomicBool>,
    settled: Option<(Usage, Cost)>,
}

impl Drop for Played {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

impl Coming for Played {
    async fn next(&mut self) -> Result<Option<Said>, Error> {
        loop {
            match self.moves.pop_front() {
                None => return Ok(None),
                Some(Move::Says(said)) => return Ok(Some(said)),
                Some(Move::Fails(error)) => return Err(error),
                Some(Move::Waits(time)) => pause(time).await,
                Some(Move::Babbles) => {
                    self.moves.push_front(Move::Babbles);
                    pause(Duration::from_millis(100)).await;
                    return Ok(Some(Said::Event(text("bla "))));
                }
            }
        }
    }

    fn settled(&self) -> Option<(Usage, Cost)> {
        self.settled
    }
}

fn says(event: Event) -> Move {
    Move::Says(Said::Event(event))
}

fn played(moves: impl IntoIterator<Item = Move>) -> Played {
    Played { moves: moves.into_iter().collect(), dropped: Arc::default(), settled: None }
}

async fn all(coming: Played, telling: impl Telling) -> String {
    let told = |_: &Refusal| broken();
    let pieces = tell(coming, telling, || async { Ok(()) }, told);
    let bytes: Vec<Bytes> = pieces.map(Result::unwrap).collect().await;
    String::from_utf8(bytes.concat()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_end_is_told_as_broken() {
    let failed = || Error::ModelFailed(mosaic_models::Error::new(FailureClass::Transport, "cut"));
    for moves in [
        vec![says(text("Hel"))],
        vec![says(text("Hel")), Move::Fails(failed())],
        vec![says(text("Hel")), says(Event::Usage(Reported::default()))],
    ] {
        let said = all(played(moves), Chunks::new(call(), true)).await;
        assert!(said.contains("\"error\""), "{said}");
        assert!(!said.contains("[DONE]") && !said.contains("\"stop\""), "{said}");
    }
    let whole = vec![says(text("Hello")), says(Event::Ended(Why::Done))];
    let said = all(played(whole), Chunks::new(call(), true)).await;
    assert!(said.ends_with("data: [DONE]\n\n") && !said.contains("\"error\""), "{said}");
    assert!(said.contains(": mosaic {\"cost_micros\":null,\"cost_exact\":false}\n\n"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_switch_is_told_and_the_other_model_is_named() {
    let (from, to, why) = ("work/loom-1".into(), "work/loom-2".into(), "it broke".into());
    let moves = vec![
        says(text("Hel")),
        Move::Says(Said::Switched { from, to, why }),
        says(text("lo")),
        says(Event::Ended(Why::Done)),
    ];
    let said = all(played(moves), Chunks::new(call(), true)).await;
    let comment =
        ": switched {\"from\":\"work/loom-1\",\"to\":\"work/loom-2\",\"why\":\"it broke\"}\n\n";
    let (before, after) = said.split_once(comment).unwrap();
    assert!(before.contains("work/loom-1") && !before.contains("work/loom-2"), "{said}");
    assert!(
        after.contains("\"model\":\"work/loom-2\"") && after.contains("\"switched\":[{"),
        "{said}"
    );
    // An end that the first model told before it failed is none.
    let (from, to, why) = ("a".into(), "b".into(), "c".into());
    let moves = vec![says(Event::Ended(Why::Done)), Move::Says(Said::Switched { from, to, why })];
    assert!(all(played(moves), Chunks::new(call(), true)).await.contains("\"error\""));
}

#[tokio::test(start_paused = true)]
async fn a_silent_model_does_not_look_dead() {
    let slow = || {
        vec![
            says(text("Hel")),
            Move::Waits(Duration::from_secs(40)),
            says(text("lo")),
            says(Event::Ended(Why::Done)),
        ]
    };
    let said = all(played(slow()), Chunks::new(call(), true)).await;
    assert_eq!(said.matches(": still here\n\n").count(), 2, "{said}");
    let said = all(played(slow()), Blocks::new(call())).await;
    assert_eq!(said.matches("event: ping\n").count(), 2, "{said}");
}

#[tokio::test(start_paused = true)]
async fn whoever_may_no_longer_hear_it_does_not() {
    let quiet = || vec![says(text("Hel")), Move::Waits(Duration::from_secs(3600))];
    let loud = || vec![says(text("Hel")), Move::Babbles];
    for moves in [quiet(), loud()] {
        let may = Arc::new(AtomicBool::new(true));
        let coming = played(moves);
        let dropped = coming.dropped.clone();
        let asks = may.clone();
        let still_in = move || {
            let may = asks.load(Ordering::SeqCst);
            async move { if may { Ok(()) } else { Err(Error::Unauthenticated) } }
        };
        let told = |_: &Refusal| broken();
        let mut pieces = Box::pin(tell(coming, Chunks::new(call(), true), still_in, told));
        let first = pieces.next().await.unwrap().unwrap();
        assert!(first.ends_with(b"}\n\n"));
        may.store(false, Ordering::SeqCst);
        let since = Instant::now();
        let rest: Vec<Bytes> = (&mut pieces).map(Result::unwrap).collect().await;
        let rest = String::from_utf8(rest.concat()).unwrap();
        assert!(rest.contains("\"error\"") && !rest.contains("[DONE]"), "{rest}");
        assert!(since.elapsed() <= RECHECK * 2, "{:?}", since.elapsed());
        drop(pieces);
        assert!(dropped.load(Ordering::SeqCst));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_that_nobody_takes_and_a_reader_who_goes_ends_it() {
    let coming = played([says(text("a")), Move::Waits(Duration::from_secs(1)), says(text("b"))]);
    let dropped = coming.dropped.clone();
    let told = |_: &Refusal| broken();
    let mut pieces = Box::pin(tell(coming, Chunks::new(call(), true), || async { Ok(()) }, told));
    assert!(pieces.next().await.is_some());
    assert!(pieces.next().now_or_never().is_none());
    assert!(!dropped.load(Ordering::SeqCst));
    drop(pieces);
    assert!(dropped.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_goes_together() {
    let many = (0..10_000).map(|_| says(text("word "))).chain([says(Event::Ended(Why::Done))]);
    let told = |_: &Refusal| broken();
    let pieces = tell(played(many), Chunks::new(call(), true), || async { Ok(()) }, told);
    let sizes: Vec<usize> = pieces.map(|piece| piece.unwrap().len()).collect().await;
    assert!(sizes.len() < 200, "{}", sizes.len());
    assert!(sizes.iter().all(|size| *size < TOGETHER * 2), "{:?}", sizes.iter().max());
}
