//! What runs by itself while the gateway does: forgetting what has expired, and on a shared database looking at what
//! other nodes wrote.

use crate::state::{State, stopped};
use std::{sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;

const EVERY: Duration = Duration::from_secs(300);

/// Runs until the gateway stops.
pub(crate) async fn run(state: Arc<State>) {
    tokio::select! {
        () = sweep(&state) => {}
        never = state.gateway.keep_looking() => match never {},
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
