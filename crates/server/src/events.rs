//! A log as server-sent events: the same frames as on the WebSocket, one event each.

use crate::{
    row::{Cx, RECHECK},
    shares::Share,
    state::stopped,
};
use bytes::Bytes;
use futures_util::Stream;
use mosaic_gateway::{Error, Following, Update};
use mosaic_protocol::{LogId, Seq, UserId, frame::ServerFrame};
use std::{convert::Infallible, time::Duration};
use tokio::time::{Instant, MissedTickBehavior};

const HEARTBEAT: Duration = Duration::from_secs(15);

/// What happens in a log, from where `following` stands.
pub(crate) fn of_log(
    cx: Cx,
    mut following: Following,
    share: Option<Share<UserId>>,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    async_stream::stream! {
        let _share = share;
        let log = following.log();
        let mut stopping = cx.state.stopping.clone();
        let mut ticks = tokio::time::interval(RECHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut spoke = Instant::now();
        loop {
            tokio::select! {
                biased;
                // A gateway that stops ends the stream without a word; the client comes back by itself.
                () = stopped(&mut stopping) => break,
                _ = ticks.tick() => {
                    match cx.still_in().await {
                        Err(Error::Unauthenticated) => {
                            yield Ok(gone(log));
                            break;
                        }
                        // The database does not answer: nothing new is told meanwhile, so nothing can leak.
                        Err(_) => continue,
                        Ok(()) => {}
                    }
                    if spoke.elapsed() >= HEARTBEAT {
                        spoke = Instant::now();
                        yield Ok(Bytes::from_static(b": still here\n\n"));
                    }
                }
                update = following.next() => {
                    spoke = Instant::now();
                    match update {
                        Ok(Update::Gone) => {
                            yield Ok(gone(log));
                            break;
                        }
                        Ok(update) => if let Some(event) = event(log, &update) {
                            yield Ok(event);
                        },
                        Err(error) => {
                            tracing::warn!(%error, "following a log");
                            break;
                        }
                    }
                }
            }
        }
    }
}

fn event(log: LogId, update: &Update) -> Option<Bytes> {
    match update {
        Update::Entry(kept) => Some(text("entry", Some((log, kept.entry.seq)), &kept.frame())),
        Update::Live(head) => Some(plain("live", &ServerFrame::Live { log, head: *head })),
        Update::Draft(piece) => {
            Some(plain("draft", &ServerFrame::Draft { log, piece: piece.clone() }))
        }
        Update::Presence(user, state) => {
            Some(plain("presence", &ServerFrame::Presence { log, user: *user, state: *state }))
        }
        Update::Access(_) | Update::Gone => None,
    }
}

fn gone(log: LogId) -> Bytes {
    plain("gone", &ServerFrame::Gone { log })
}

fn plain(event: &str, frame: &ServerFrame) -> Bytes {
    text(event, None, &serde_json::to_vec(frame).unwrap_or_default())
}

/// JSON holds no line breaks, so it is one line of data.
fn text(event: &str, id: Option<(LogId, Seq)>, json: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(json.len() + 96);
    if let Some((log, seq)) = id {
        out.extend_from_slice(format!("id: {log}:{seq}\n").as_bytes());
    }
    out.extend_from_slice(format!("event: {event}\ndata: ").as_bytes());
    out.extend_from_slice(json);
    out.extend_from_slice(b"\n\n");
    out.into()
}
