//! What runs by itself while the gateway does: forgetting what has expired.

use crate::state::State;
use std::{sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;

const EVERY: Duration = Duration::from_secs(300);

/// Runs until the gateway stops.
pub(crate) async fn run(state: Arc<State>) {
    let mut stopping = state.stopping.clone();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
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
