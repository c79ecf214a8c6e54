//! The one way out: `follow`. Everything after a place, then whatever comes, in order, without gaps or repeats.

use crate::{
    Error, Result, Store, Tx,
    live::{Kept, Live, Signal},
    logs,
    many::Bound,
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
use tokio::sync::watch;

/// How many entries are read at a time.
const PAGE: i64 = PAGE_LEN as i64;
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
    /// What is being read just now.
    reading: Option<tokio::task::JoinHandle<Result<Page>>>,
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

    /// Looks at every log that somebody follows here: what others wrote, and who may read it by now.
    pub async fn look_again(&self) -> Result<()> {
        let lives = self.inner.lives.all();
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
            live.add(entries.into_iter().map(|entry| Kept::new(log, entry)).collect(), version);
        }
        self.inner.lives.known(log, head, version);
        Ok(())
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
                match self.take_more().await? {
                    Some(entries) => self.ready.extend(entries.into_iter().map(Update::Entry)),
                    None => return Ok(Update::Gone),
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

    /// `None`: the log is no more.
    async fn take_more(&mut self) -> Result<Page> {
        if self.reading.is_none()
            && let Some(entries) = self.live.after(self.at, PAGE_LEN).filter(|it| !it.is_empty())
        {
            return Ok(Some(entries));
        }
        let (store, log, at) = (&self.store, self.live.log, self.at);
        // In a task of its own, for the reason that `apart` has. It is kept, so that a reader who is disturbed again and
        // again comes further all the same.
        let reading =
            self.reading.get_or_insert_with(|| tokio::spawn(read_after(store.clone(), log, at)));
        let read = reading.await;
        self.reading = None;
        read.map_err(|error| Error::Unavailable(error.to_string()))?
    }
}

type Page = Option<Vec<Arc<Kept>>>;

async fn read_after(store: Store, log: LogId, at: Seq) -> Result<Page> {
    let mut tx = store.read().await?;
    let entries = logs::after(&mut tx, log, at, PAGE).await?;
    if entries.first().is_none_or(|first| first.seq != at.plus(1)) {
        return match logs::facts(&mut tx, log).await? {
            None => Ok(None),
            Some(_) => Err(Error::Damaged(format!("log {log} has no entry {}", at.plus(1)))),
        };
    }
    Ok(Some(entries.into_iter().map(|entry| Arc::new(Kept::new(log, entry))).collect()))
}

/// Reads in a task of its own. Whoever follows may not come back for its next update for as long as the other end takes
/// nothing, and must not keep a connection to the database meanwhile: there are few, and everybody waits for them.
pub async fn apart<T: Send + 'static, E: From<Error> + Send + 'static>(
    reading: impl Future<Output = std::result::Result<T, E>> + Send + 'static,
) -> std::result::Result<T, E> {
    match tokio::spawn(reading).await {
        Ok(read) => read,
        Err(error) => Err(Error::Unavailable(error.to_string()).into()),
    }
}
