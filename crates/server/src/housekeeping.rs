//! What runs by itself while the gateway does: forgetting what has expired, keeping the search index up with the logs,
//! asking providers of models whether they work, and on a shared database looking at what other nodes wrote.

use crate::state::{State, stopped};
use std::{sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;

const EVERY: Duration = Duration::from_secs(300);

/// How long after a start the index is first looked at.
const SETTLE: Duration = Duration::from_secs(1);

/// How long after a start providers of models are first asked.
const FIRST_PROBE: Duration = Duration::from_secs(5);

/// How long what was said waits for more to be indexed with it.
const GATHER: Duration = Duration::from_millis(500);

/// How long to wait when the index cannot be written.
const RETRY: Duration = Duration::from_secs(5);

/// How often all logs are compared with the index.
const COMPARE: Duration = Duration::from_secs(30);

/// Keeps the search index up with the logs, until the gateway stops. What is cut short is done by the next start.
pub(crate) async fn index(state: Arc<State>) {
    let mut stopping = state.stopping.clone();
    let mut compare = tokio::time::interval(COMPARE);
    compare.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::select! {
        // A start has more to do just now.
        () = tokio::time::sleep(SETTLE) => {}
        () = stopped(&mut stopping) => return,
    }
    loop {
        let indexing = async {
            let all = tokio::select! {
                () = state.gateway.unindexed() => false,
                _ = compare.tick() => true,
            };
            tokio::time::sleep(GATHER).await;
            if let Err(error) = state.gateway.index(all).await {
                tracing::warn!(%error, "what was said lately is not found yet; it will be tried again");
                tokio::time::sleep(RETRY).await;
            }
        };
        tokio::select! {
            () = indexing => {}
            () = stopped(&mut stopping) => return,
        }
    }
}

/// Runs until the gateway stops.
pub(crate) async fn run(state: Arc<State>) {
    tokio::select! {
        ((), ()) = async { tokio::join!(sweep(&state), probe(&state)) } => {}
        never = state.gateway.keep_looking() => match never {},
    }
}

async fn probe(state: &State) {
    let mut stopping = state.stopping.clone();
    let begin = tokio::time::Instant::now() + FIRST_PROBE;
    let mut ticks = tokio::time::interval_at(begin, state.settings.probe_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let probing = async {
            ticks.tick().await;
            if let Err(error) = state.gateway.probe_all().await {
                tracing::warn!(%error, "providers of models could not be asked; they will be later");
            }
        };
        tokio::select! {
            () = probing => {}
            () = stopped(&mut stopping) => return,
        }
    }
}

async fn sweep(state: &State) {
    let mut stopping = state.stopping.clone();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stopped(&mut stopping) => return,
        }
        state.throttle.shrink();
        state.metrics.upkeep();
        match state.gateway.sweep().await {
            Ok(0) => {}
            Ok(n) => tracing::debug!(n, "expired rows deleted"),
            Err(error) => tracing::warn!(%error, "expired rows could not be deleted"),
        }
    }
}
