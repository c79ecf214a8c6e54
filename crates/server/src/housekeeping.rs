//! What runs by itself while the gateway does: forgetting what has expired, and on a shared database looking at what
//! other nodes wrote.

use crate::state::{State, stopped};
use std::{sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;

const EVERY: Duration = Duration::from_secs(300);

/// How late followers here learn what was written elsewhere.
const LOOK: Duration = Duration::from_millis(500);

/// Runs until the gateway stops.
pub(crate) async fn run(state: Arc<State>) {
    let mut stopping = state.stopping.clone();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = looks.tick(), if state.gateway.has_other_nodes() => {
                state.gateway.look_again().await;
                continue;
            }
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
