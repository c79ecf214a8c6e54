//! Looking at what other nodes wrote: when the bus says so at once, else from time to time. What is found in the database
//! is what counts, however somebody came to look.

use crate::{
    Result, Store, Tx,
    bus::BusState,
    follow::PAGE,
    live::{Kept, Live},
    logs,
    many::Bound,
};
use mosaic_protocol::{LogId, Seq};
use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How late followers here learn what was written elsewhere, when there is no bus to tell.
const SOON: Duration = Duration::from_millis(500);
/// The same beside a bus that tells, for what it does not: a change made by the command line on a machine where no
/// gateway runs, or by a node that never found the bus. Less than the five seconds within which every right ends.
const LATER: Duration = Duration::from_secs(4);

impl Store {
    /// Looks at what other nodes wrote, for as long as it is polled.
    pub async fn keep_looking(&self) -> Infallible {
        // Side by side: looking at everything may take a while, and what is told does not wait for it.
        tokio::select! {
            never = self.look_from_time_to_time() => never,
            never = self.look_where_told() => never,
        }
    }

    async fn look_where_told(&self) -> Infallible {
        let Some(bus) = self.inner.lives.bus() else { return std::future::pending().await };
        loop {
            let at = bus.to_look().await;
            if self.look(Some(at)).await.is_err() {
                // It says so, and goes on trying.
                bus.look_at_all();
            }
        }
    }

    async fn look_from_time_to_time(&self) -> Infallible {
        let bus = self.inner.lives.bus();
        let mut state = bus.map(|bus| bus.watch());
        let (mut looked, mut failed) = (Instant::now(), false);
        loop {
            let is_heard = state.as_mut().map(|state| *state.borrow_and_update());
            let pace = if is_heard == Some(BusState::Heard) && !failed { LATER } else { SOON };
            let told = async {
                match bus {
                    Some(bus) if !failed => bus.to_look_at_all().await,
                    _ => std::future::pending().await,
                }
            };
            let changed = async {
                match &mut state {
                    Some(state) => drop(state.changed().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep_until(looked + pace) => {}
                () = told => {}
                () = changed => continue,
            }
            let found = self.look_again().await;
            looked = Instant::now();
            failed = found.is_err();
            if let Err(error) = found {
                tracing::warn!(%error, "the logs that are followed could not be looked at");
            }
        }
    }

    /// Looks at every log that somebody follows here: what others wrote, and who may read it by now.
    pub async fn look_again(&self) -> Result<()> {
        self.look(None).await
    }

    async fn look(&self, at: Option<HashSet<LogId>>) -> Result<()> {
        let lives = &self.inner.lives;
        let lives: Vec<Arc<Live>> = match at {
            None => lives.all(),
            Some(logs) => logs.into_iter().filter_map(|log| lives.get(log)).collect(),
        };
        if lives.is_empty() {
            return Ok(());
        }
        let mut tx = self.read().await?;
        let rows: Vec<(String, i64, i64)> = tx
            .ask_many(
                "select id, head, access_version from logs where id in (",
                "?",
                ")",
                lives.iter().map(|live| [Bound::text(&live.log)]).collect(),
            )
            .await?;
        let known: HashMap<String, (i64, i64)> =
            rows.into_iter().map(|(id, head, version)| (id, (head, version))).collect();
        for live in lives {
            match known.get(&live.log.to_string()) {
                None => self.inner.lives.gone(live.log),
                Some((head, version)) => {
                    self.catch_up(&mut tx, &live, Seq(*head), *version).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes what was written elsewhere, once for all who follow here.
    async fn catch_up(&self, tx: &mut Tx, live: &Live, head: Seq, version: i64) -> Result<()> {
        let log = live.log;
        if live.head() > Seq::START && live.head() < head && head.0 - live.head().0 <= PAGE {
            let entries = logs::after(tx, log, live.head(), PAGE).await?;
            let kept = entries.into_iter().map(|entry| Kept::new(log, entry)).collect();
            self.inner.lives.add(live, kept, version);
        }
        self.inner.lives.known(log, head, version);
        Ok(())
    }
}
