//! What leaves over one socket: every log that it follows puts its frames here, at most so many, and the socket takes
//! them from here as fast as the other end takes them.

use crate::socket::json;
use axum::extract::ws::Utf8Bytes;
use mosaic_gateway::{Error, Following, Update};
use mosaic_protocol::{LogId, frame::ServerFrame};
use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// What may be here at once. A single frame may be larger.
const FRAMES: usize = 64;
const BYTES: usize = 64 * 1024;

/// Frames in their order.
#[derive(Clone, Default)]
pub(crate) struct Outgoing(Arc<Mutex<Heap>>);

#[derive(Default)]
struct Heap {
    frames: VecDeque<Utf8Bytes>,
    bytes: usize,
    /// Those who wait for room.
    waiting: Vec<Waker>,
}

impl Outgoing {
    fn heap(&self) -> MutexGuard<'_, Heap> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a frame here as soon as there is room.
    async fn put(&self, frame: Utf8Bytes) {
        let mut frame = Some(frame);
        poll_fn(|cx| {
            let mut heap = self.heap();
            if heap.frames.len() >= FRAMES || heap.bytes >= BYTES {
                heap.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
            if let Some(frame) = frame.take() {
                heap.bytes += frame.len();
                heap.frames.push_back(frame);
            }
            Poll::Ready(())
        })
        .await;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heap().frames.is_empty()
    }

    /// The next frame. With the last one there is room again.
    pub(crate) fn take(&self) -> Option<Utf8Bytes> {
        let mut heap = self.heap();
        let frame = heap.frames.pop_front()?;
        heap.bytes -= frame.len();
        if heap.frames.is_empty() {
            heap.waiting.drain(..).for_each(Waker::wake);
        }
        Some(frame)
    }
}

/// Puts what happens in a log here, until there is nothing more to tell of it.
pub(crate) async fn tell(
    mut following: Box<Following>,
    outgoing: Outgoing,
) -> (LogId, Result<(), Error>) {
    let log = following.log();
    loop {
        let frame = match following.next().await {
            // JSON is UTF-8.
            Ok(Update::Entry(kept)) => Utf8Bytes::try_from(kept.frame()).unwrap_or_default(),
            Ok(Update::Live(head)) => json(&ServerFrame::Live { log, head }),
            Ok(Update::Draft(piece)) => json(&ServerFrame::Draft { log, piece }),
            Ok(Update::Presence(user, state)) => json(&ServerFrame::Presence { log, user, state }),
            Ok(Update::Access(_)) => continue,
            Ok(Update::Gone) => {
                outgoing.put(json(&ServerFrame::Gone { log })).await;
                return (log, Ok(()));
            }
            Err(error) => return (log, Err(error)),
        };
        outgoing.put(frame).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::pin::pin;

    #[tokio::test]
    async fn who_brings_too_much_waits_until_it_has_left() {
        let outgoing = Outgoing::default();
        for n in 0..FRAMES {
            outgoing.put(format!("{n}").into()).await;
        }
        let mut more = pin!(outgoing.put("more".into()));
        assert!((&mut more).now_or_never().is_none(), "there is no room");
        for n in 0..FRAMES {
            assert_eq!(outgoing.take().as_deref(), Some(format!("{n}").as_str()));
        }
        more.await;
        assert_eq!(outgoing.take().as_deref(), Some("more"));
        assert!(outgoing.is_empty());
    }

    #[tokio::test]
    async fn large_frames_are_fewer() {
        let outgoing = Outgoing::default();
        outgoing.put("x".repeat(BYTES).into()).await;
        let mut small = pin!(outgoing.put("small".into()));
        assert!((&mut small).now_or_never().is_none(), "there is no room");
        assert_eq!(outgoing.take().map(|frame| frame.len()), Some(BYTES));
        small.await;
        assert_eq!(outgoing.take().as_deref(), Some("small"));
    }
}
