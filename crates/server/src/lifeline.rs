//! Streams that end when the one who opened them loses the right to them.

use crate::{
    row::{Cx, RECHECK},
    shares::Share,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use mosaic_gateway::{BlobPieces, Error};
use mosaic_protocol::{UserId, account::Me};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior};

const HEARTBEAT: Duration = Duration::from_secs(15);

/// Who I am, at once and whenever it changes; `gone` when the login ends.
pub(crate) fn me_events(
    cx: Cx,
    share: Option<Share<UserId>>,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    async_stream::stream! {
        // Given back when the stream is dropped, whoever ends it.
        let _share = share;
        let mut stopping = cx.state.stopping.clone();
        let mut ticks = tokio::time::interval(RECHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shown: Option<Me> = None;
        let mut spoke = Instant::now();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                // A gateway that stops ends the stream without a word; the browser comes back by itself.
                _ = stopping.wait_for(|stop| *stop) => break,
            }
            match alive(&cx).await {
                Err(Error::Unauthenticated) => {
                    yield Ok(Bytes::from_static(b"event: gone\ndata: {}\n\n"));
                    break;
                }
                // The database does not answer: what was true stays shown, and is asked again.
                Err(_) => {}
                Ok(me) if shown.as_ref() != Some(&me) => {
                    let data = serde_json::to_string(&me).unwrap_or_default();
                    shown = Some(me);
                    spoke = Instant::now();
                    yield Ok(Bytes::from(format!("event: me\ndata: {data}\n\n")));
                }
                Ok(_) if spoke.elapsed() >= HEARTBEAT => {
                    spoke = Instant::now();
                    yield Ok(Bytes::from_static(b": still here\n\n"));
                }
                Ok(_) => {}
            }
        }
    }
}

async fn alive(cx: &Cx) -> Result<Me, Error> {
    let credential = cx.credential.as_ref().ok_or(Error::Unauthenticated)?;
    Ok(Arc::unwrap_or_clone(cx.gateway().authenticate(credential).await?).me)
}

/// The same pieces, cut off when the login ends.
pub(crate) fn guarded(
    cx: Cx,
    mut pieces: BlobPieces,
) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    async_stream::try_stream! {
        let mut checked = Instant::now();
        while let Some(piece) = pieces.next().await {
            if cx.credential.is_some() && checked.elapsed() >= RECHECK {
                alive(&cx).await?;
                checked = Instant::now();
            }
            yield piece?;
        }
    }
}
