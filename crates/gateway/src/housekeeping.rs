//! What must be done from time to time: some of it by one node for all, through the queue.

use crate::{Gateway, Result};
use mosaic_store::{
    jobs::{self, NewJob},
    ledger, sweep,
};
use std::time::Duration;

const SWEEP: &str = "sweep";
/// How long a node may take for it before another one thinks that it died.
const HOLD: Duration = Duration::from_secs(60);
/// Less than the time between two calls, so that none is skipped.
const AGAIN_MINUTES: i64 = 4;

impl Gateway {
    /// Finds calls of models that were interrupted. `alone`: no other node can be at work on any.
    pub async fn find_interrupted(&self, alone: bool) -> Result<u64> {
        Ok(ledger::interrupt(&self.inner.store, alone).await?)
    }

    /// Waits until what calls cost is written. After this nothing more is called.
    pub async fn finish(&self) {
        self.inner.ledger.flush().await;
    }

    /// Deletes what has expired, unless another node has just done so, and forgets what could not be forgotten when it
    /// was deleted. Answers how many rows it deleted.
    pub async fn sweep(&self) -> Result<u64> {
        self.inner.login_limits.shrink();
        let n = self.sweep_expired().await?;
        self.inner.store.forget().await?;
        self.find_interrupted(false).await?;
        Ok(n)
    }

    async fn sweep_expired(&self) -> Result<u64> {
        let store = &self.inner.store;
        let now = store.ambient().now();
        let job = NewJob {
            kind: SWEEP,
            payload: String::new(),
            unique_key: Some(SWEEP.to_owned()),
            run_at: now,
        };
        let mut tx = store.write().await?;
        jobs::enqueue(store, &mut tx, &job).await?;
        tx.commit().await?;
        let mut n = 0;
        for claimed in jobs::claim(store, &[SWEEP], 1, HOLD).await? {
            n += sweep::expired(store).await?;
            let mut tx = store.write().await?;
            // If it is no longer ours, whoever has it now does it again; that does no harm.
            claimed.again(&mut tx, now.plus_minutes(AGAIN_MINUTES)).await?;
            tx.commit().await?;
        }
        Ok(n)
    }
}
