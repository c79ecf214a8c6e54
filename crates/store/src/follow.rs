//! The one way out: `follow`. Everything after a place, then whatever comes, in order, without gaps or repeats.

use crate::{
    Error, Result, Store,
    live::{Kept, Live, Signal},
    logs,
};
use mosaic_protocol::{
    DraftId, LogId, Seq, UserId,
    frame::PresenceState,
    log::{DraftChannel, DraftPiece},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use tokio::{sync::watch, task::JoinHandle};

/// How many entries are read at a time.
pub(crate) const PAGE: i64 = PAGE_LEN as i64;
const PAGE_LEN: usize = 200;

/// Something that a follower is told.
pub enum Update {
    /// The next entry.
    Entry(Arc<Kept>),
    /// Everything up to here was told; what comes now is live. Told once.
    Live(Seq),
    /// More is being typed.
    Draft(DraftPiece),
    /// Somebody does something.
    Presence(UserId, PresenceState),
    /// It may have changed who may read this: whoever is told must ask, and say `allowed` before anything else comes.
    Access(i64),
    /// The log was deleted. Nothing comes any more.
    Gone,
}

/// Follows one log.
pub struct Follower {
    store: Store,
    live: Arc<Live>,
    signal: watch::Receiver<Signal>,
    at: Seq,
    access_version: i64,
    told_live: bool,
    passing: u64,
    ready: VecDeque<Update>,
    /// In a task of its own. Whoever follows may not come back for its next update for as long as the other end takes
    /// nothing, and must not keep a connection to the database meanwhile: there are few, and everybody waits for them.
    reading: Option<JoinHandle<Result<Taken>>>,
    had: HashMap<(DraftId, DraftChannel), usize>,
    seen: u64,
}

impl Store {
    /// Follows a log from a place on. `None`: there is no such log. A place in the future is the end.
    pub async fn follow(&self, log: LogId, after: Seq) -> Result<Option<Follower>> {
        let live = self.inner.lives.of(log);
        let signal = live.subscribe();
        // After subscribing, so that nothing is missed between.
        let mut tx = self.read().await?;
        let Some(facts) = logs::facts(&mut tx, log).await? else { return Ok(None) };
        drop(tx);
        self.inner.lives.known(log, facts.head, facts.access_version);
        Ok(Some(Follower {
            store: self.clone(),
            live,
            signal,
            at: after.max(Seq::START).min(facts.head),
            access_version: facts.access_version,
            told_live: false,
            passing: 0,
            ready: VecDeque::new(),
            reading: None,
            had: HashMap::new(),
            seen: 0,
        }))
    }

    /// More of a reply that is being typed. It is shown to those who follow, and never stored.
    pub fn draft(&self, log: LogId, draft: DraftId, channel: DraftChannel, more: &str) -> bool {
        self.inner.lives.draft(log, draft, channel, more)
    }

    /// A draft that will not be settled by an entry.
    pub fn drop_draft(&self, log: LogId, draft: DraftId) {
        self.inner.lives.drop_draft(log, draft);
    }

    /// Somebody is there, or typing. It is shown to those who follow, and never stored.
    pub fn present(&self, log: LogId, user: UserId, state: PresenceState) {
        self.inner.lives.present(log, user, state);
    }
}

impl Follower {
    /// Which log it follows.
    pub fn log(&self) -> LogId {
        self.live.log
    }

    /// The last entry that was taken.
    pub fn at(&self) -> Seq {
        self.at
    }

    /// At this version of who may read it, this reader may.
    pub fn allowed(&mut self, access_version: i64) {
        self.access_version = access_version;
    }

    /// The next thing there is. May be dropped and called again at any time.
    pub async fn next(&mut self) -> Result<Update> {
        loop {
            let signal = *self.signal.borrow_and_update();
            if signal.gone {
                return Ok(Update::Gone);
            }
            // Before anything else: what was read under an older right may not be told under a newer one.
            if signal.access_version != self.access_version {
                return Ok(Update::Access(signal.access_version));
            }
            if let Some(update) = self.ready.pop_front() {
                if let Update::Entry(kept) = &update {
                    self.at = kept.entry.seq;
                }
                return Ok(update);
            }
            if self.at < signal.head {
                if !self.take_more(signal.head).await? {
                    return Ok(Update::Gone);
                }
                continue;
            }
            if !self.told_live {
                self.told_live = true;
                return Ok(Update::Live(self.at));
            }
            if self.passing != signal.passing {
                self.passing = signal.passing;
                self.ready.extend(self.live.typed(&mut self.had).into_iter().map(Update::Draft));
                let news = self.live.present(&mut self.seen).into_iter();
                self.ready.extend(news.map(|(user, state)| Update::Presence(user, state)));
                continue;
            }
            // The sender lives as long as `live` does, and that is ours.
            let _ = self.signal.changed().await;
        }
    }

    /// Takes more up to `head` and no further: what comes after it may be for fewer eyes, and that this reader may see
    /// what is there was asked for up to here only. False: the log is no more.
    async fn take_more(&mut self, head: Seq) -> Result<bool> {
        // What is being read goes on where a caller was disturbed who waited for it.
        if self.reading.is_none() && self.live.take(self.at, head, PAGE_LEN, &mut self.ready) {
            return Ok(true);
        }
        let reading = self.reading.get_or_insert_with(|| {
            tokio::spawn(read(self.store.clone(), self.live.clone(), self.at, head))
        });
        let read = reading.await;
        self.reading = None;
        let Some(entries) = read.map_err(|error| Error::Unavailable(error.to_string()))?? else {
            return Ok(false);
        };
        self.ready.extend(entries.into_iter().map(Update::Entry));
        Ok(true)
    }
}

/// Entries, unless the log is no more.
type Taken = Option<Vec<Arc<Kept>>>;

async fn read(store: Store, live: Arc<Live>, at: Seq, head: Seq) -> Result<Taken> {
    let log = live.log;
    let mut tx = store.read().await?;
    let limit = (head.0 - at.0).clamp(1, PAGE);
    let entries = logs::after(&mut tx, log, at, limit).await?;
    live.settle(&entries);
    if entries.first().is_none_or(|first| first.seq != at.plus(1)) {
        return match logs::facts(&mut tx, log).await? {
            None => Ok(None),
            Some(_) => Err(Error::Damaged(format!("log {log} has no entry {}", at.plus(1)))),
        };
    }
    Ok(Some(entries.into_iter().map(|entry| Arc::new(Kept::new(log, entry))).collect()))
}

/// Reads in a task of its own, for whoever may not come back for the answer.
pub async fn apart<T: Send + 'static, E: From<Error> + Send + 'static>(
    reading: impl Future<Output = std::result::Result<T, E>> + Send + 'static,
) -> std::result::Result<T, E> {
    match tokio::spawn(reading).await {
        Ok(read) => read,
        Err(error) => Err(Error::Unavailable(error.to_string()).into()),
    }
}
