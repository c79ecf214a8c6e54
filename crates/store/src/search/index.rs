//! Keeping the index up with the logs. What was written here is indexed a moment later; from time to time everything
//! is compared, which finds what another node, or a kill, left undone, and what was deleted.
//!
//! Each step is a short transaction that says up to where a log is indexed, so that it may be cut short anywhere.

use super::{MOMENT_BITS, dialect::Indexed, mark, searchable, time_id, words::words};
use crate::{
    Dialect, Error, Result, Store, Tx,
    db::{One, sql},
    logs,
    many::Bound,
};
use mosaic_protocol::{
    LogId, Seq, UserId, WorkspaceId,
    log::{Author, Entry, LogKind},
};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Any number; all nodes use the same.
pub(super) const INDEXING: i64 = 0x7365_6172_6368;
/// How many entries, and about how many bytes of them, go into one transaction.
const AT_ONCE: usize = 1000;
const AT_ONCE_BYTES: usize = 1024 * 1024;
/// How many entries are read of one log at a time.
const PAGE: i64 = 200;
/// How many logs one look compares at most; the next one goes on.
const LOOK: i64 = 2000;
/// How many rows are deleted at a time.
const PURGE: i64 = 1000;
/// How many pages one step of tidying up rewrites.
const TIDY_PAGES: i64 = 500;

/// What is to be indexed next.
#[derive(Default)]
pub(crate) struct Unindexed {
    due: Mutex<Due>,
    more: Notify,
}

#[derive(Default)]
struct Due {
    logs: BTreeSet<LogId>,
    /// Everything is to be compared.
    look: bool,
    /// Something was deleted, and is still to be cleared away; not before the time.
    purged: bool,
    tidy_after: Option<Instant>,
}

impl Unindexed {
    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These have new entries, or are gone.
    pub(crate) fn add(&self, logs: impl IntoIterator<Item = LogId>) {
        self.due().logs.extend(logs);
        self.more.notify_one();
    }

    /// Everything may have changed.
    pub(crate) fn look(&self) {
        self.due().look = true;
        self.more.notify_one();
    }
}

/// A row of the index before it has its id.
struct Row {
    log: LogId,
    entry: Entry,
    text: String,
    marks: Vec<String>,
}

/// What is to be written for one log.
struct Part {
    log: LogId,
    /// The workspace that its rows are marked with.
    born: WorkspaceId,
    from: i64,
    to: i64,
    moved: bool,
}

impl Store {
    /// Waits until there is something to index.
    pub async fn unindexed(&self) {
        self.inner.unindexed.more.notified().await;
    }

    /// Compares everything with the index at the next `index`.
    pub fn look_at_index(&self) {
        self.inner.unindexed.look();
    }

    /// Clears away with the next `index` what the index keeps of what was deleted, however lately that was done before.
    pub fn tidy_soon(&self) {
        let mut due = self.inner.unindexed.due();
        (due.purged, due.tidy_after) = (true, None);
    }

    /// Indexes what is due. May be cut short at any point.
    pub async fn index(&self) -> Result<()> {
        loop {
            let look = std::mem::take(&mut self.inner.unindexed.due().look);
            if look && let Err(error) = self.compare().await {
                self.inner.unindexed.due().look = true;
                return Err(error);
            }
            let logs: Vec<LogId> = {
                let mut due = self.inner.unindexed.due();
                let logs: Vec<LogId> = due.logs.iter().take(AT_ONCE).copied().collect();
                due.logs.retain(|log| !logs.contains(log));
                logs
            };
            if logs.is_empty() {
                // Unless the look found more than it may compare at once.
                if self.inner.unindexed.due().look {
                    continue;
                }
                break;
            }
            let indexed = match self.index_logs(&logs).await {
                Err(error) if logs.len() > 1 && !matches!(error, Error::Unavailable(_)) => {
                    self.index_one_by_one(&logs).await
                }
                done => done,
            };
            let again = match &indexed {
                Ok(behind) => behind.as_slice(),
                Err(_) => &logs,
            };
            self.inner.unindexed.due().logs.extend(again);
            indexed?;
        }
        self.tidy().await
    }

    /// What cannot be indexed does not keep the others from it. It is tried again when everything is compared.
    async fn index_one_by_one(&self, logs: &[LogId]) -> Result<Vec<LogId>> {
        let mut again = vec![];
        for log in logs {
            match self.index_logs(&[*log]).await {
                Ok(more) => again.extend(more),
                Err(Error::Unavailable(why)) => return Err(Error::Unavailable(why)),
                Err(error) => tracing::warn!(%log, %error, "a log could not be indexed"),
            }
        }
        Ok(again)
    }

    /// Finds what is behind, and takes out what is no more.
    async fn compare(&self) -> Result<()> {
        let index = self.index_place().await?;
        let mut tx = index.read().await?;
        let behind = sql!(
            tx,
            all One<String>,
            "select l.id from logs l left join search_logs s on s.log_id = l.id
             where l.kind = 'conversation' and l.head <> coalesce(s.indexed_to, 0) limit $1",
            LOOK
        )?;
        let gone = sql!(
            tx,
            all One<String>,
            "select s.log_id from search_logs s where not exists (select 1 from logs l where l.id = s.log_id) limit $1",
            LOOK
        )?;
        let authors = sql!(
            tx,
            all One<String>,
            "select a.user_id from search_authors a where not exists (select 1 from users u where u.id = a.user_id)"
        )?;
        drop(tx);
        for (author,) in authors {
            if let Ok(author) = author.parse() {
                self.purge_author(author).await?;
            }
        }
        let mut due = self.inner.unindexed.due();
        due.look = behind.len() + gone.len() >= usize::try_from(LOOK).unwrap_or_default();
        due.logs
            .extend(behind.into_iter().chain(gone).filter_map(|(id,)| id.parse::<LogId>().ok()));
        Ok(())
    }

    /// Indexes more of these logs. Answers which of them still have more.
    async fn index_logs(&self, logs: &[LogId]) -> Result<Vec<LogId>> {
        let index = self.index_place().await?;
        let mut tx = index.read().await?;
        let (mut rows, mut parts, mut again) = (vec![], vec![], vec![]);
        let mut bytes = 0;
        for (n, log) in logs.iter().enumerate() {
            if rows.len() >= AT_ONCE || bytes >= AT_ONCE_BYTES {
                again.extend_from_slice(&logs[n..]);
                break;
            }
            let Some(facts) = logs::facts(&mut tx, *log).await? else {
                if self.purge_log(*log).await? {
                    again.push(*log);
                }
                continue;
            };
            if facts.kind != LogKind::Conversation {
                continue;
            }
            let known = sql!(
                tx,
                maybe(i64, String),
                "select indexed_to, workspace_id from search_logs where log_id = $1",
                *log
            )?;
            let (from, born) = match known {
                Some((from, born)) => (from, born.parse().unwrap_or(facts.workspace_id)),
                None => (0, facts.workspace_id),
            };
            let moved = born != facts.workspace_id;
            if from > facts.head.0 {
                // The index is of a later state than the log: an older database was put in its place.
                self.purge_log(*log).await?;
                again.push(*log);
                continue;
            }
            let entries = logs::after(&mut tx, *log, Seq(from), PAGE).await?;
            let mut to = from;
            for entry in entries {
                // One log alone may have more than fits into the memory at once.
                if bytes >= AT_ONCE_BYTES {
                    break;
                }
                to = entry.seq.0;
                let Some((kind, text)) = searchable(&entry.body) else { continue };
                let mut marks = vec![mark::log(*log), mark::workspace(born), mark::kind(kind)];
                if let Author::User { id } = &entry.author {
                    marks.push(mark::author(*id));
                }
                bytes += text.len();
                rows.push(Row { log: *log, entry, text, marks });
            }
            // (A damaged log may end before its head: then there is nothing more to come.)
            if from < to && to < facts.head.0 {
                again.push(*log);
            }
            parts.push(Part { log: *log, born, from, to, moved });
        }
        drop(tx);
        if !parts.is_empty() {
            self.write_rows(rows, &parts).await?;
        }
        Ok(again)
    }

    async fn write_rows(&self, rows: Vec<Row>, parts: &[Part]) -> Result<()> {
        let mut tx = self.index_place().await?.write().await?;
        tx.alone(INDEXING).await?;
        let mut numbers = BTreeMap::new();
        for part in parts {
            if let Some(n) = number(&mut tx, part).await? {
                numbers.insert(part.log, n);
            }
        }
        let mut rows: Vec<(i64, i64, Row)> = rows
            .into_iter()
            .filter_map(|row| Some((first_id(&row.entry), *numbers.get(&row.log)?, row)))
            .collect();
        apart(&mut tx, &mut rows).await?;
        let authors: BTreeSet<String> = rows
            .iter()
            .filter_map(|(_, _, row)| match &row.entry.author {
                Author::User { id } => Some(id.to_string()),
                _ => None,
            })
            .collect();
        tx.run_many(
            "insert into search_authors (user_id) values",
            "(?)",
            "on conflict (user_id) do nothing",
            authors.into_iter().map(|id| [Bound::Text(id)]).collect(),
        )
        .await?;
        let rows = rows.into_iter().map(|(id, n, row)| Indexed {
            id,
            log_n: n,
            seq: row.entry.seq.0,
            words: words(&row.text).map(|word| word.folded).collect(),
            marks: row.marks,
        });
        tx.index_rows(rows.collect()).await?;
        tx.commit().await
    }

    /// Takes rows of a log that is no more out of the index. Answers whether there are more.
    async fn purge_log(&self, log: LogId) -> Result<bool> {
        let mut tx = self.index_place().await?.write().await?;
        tx.alone(INDEXING).await?;
        let n = sql!(tx, maybe One<i64>, "select n from search_logs where log_id = $1", log)?;
        let Some((n,)) = n else { return Ok(false) };
        let text = "select id from search_places where log_n = $1 limit $2";
        let ids = sql!(tx, all One<i64>, text, n, PURGE)?;
        let more = !ids.is_empty();
        tx.unindex(ids).await?;
        if !more {
            sql!(tx, run, "delete from search_logs where n = $1", n)?;
        }
        tx.commit().await?;
        self.inner.unindexed.due().purged = true;
        Ok(more)
    }

    /// Takes what somebody said who is deleted out of the index.
    async fn purge_author(&self, author: UserId) -> Result<()> {
        let mark = mark::author(author);
        loop {
            let mut tx = self.index_place().await?.write().await?;
            tx.alone(INDEXING).await?;
            let ids = tx.marked(&mark, PURGE).await?;
            let done = ids.is_empty();
            tx.unindex(ids).await?;
            if done {
                sql!(tx, run, "delete from search_authors where user_id = $1", author)?;
            }
            tx.commit().await?;
            self.inner.unindexed.due().purged = true;
            if done {
                return Ok(());
            }
        }
    }

    /// Clears away what the index keeps of what was deleted. That rewrites it, so it is done in small steps, and seldom.
    async fn tidy(&self) -> Result<()> {
        {
            let due = self.inner.unindexed.due();
            if !due.purged || due.tidy_after.is_some_and(|time| Instant::now() < time) {
                return Ok(());
            }
        }
        if self.dialect() == Dialect::Postgres {
            // It clears away by itself.
            self.inner.unindexed.due().purged = false;
            return Ok(());
        }
        let began = Instant::now();
        self.inner.unindexed.due().purged = false;
        let mut pages = -TIDY_PAGES;
        loop {
            let mut tx = self.index_place().await?.write().await?;
            let changed = tx.merge_index(pages).await?;
            tx.commit().await?;
            if !changed {
                break;
            }
            pages = TIDY_PAGES;
        }
        if let super::Index::File { write, .. } = self.index_place().await? {
            crate::Db::empty_log_of(write).await?;
        }
        let rest = began.elapsed().saturating_mul(50).max(Duration::from_secs(1));
        self.inner.unindexed.due().tidy_after = Some(Instant::now() + rest);
        Ok(())
    }
}

/// The number of a log whose part is to be written now. `None`: another node was faster.
async fn number(tx: &mut Tx, part: &Part) -> Result<Option<i64>> {
    let text = "select n, indexed_to from search_logs where log_id = $1";
    let Some((n, to)) = sql!(tx, maybe(i64, i64), text, part.log)? else {
        if part.from > 0 {
            return Ok(None);
        }
        let (n,) = sql!(
            tx,
            one One<i64>,
            "insert into search_logs (log_id, workspace_id, indexed_to, moved) values ($1, $2, $3, $4) returning n",
            part.log,
            part.born,
            part.to,
            part.moved
        )?;
        return Ok(Some(n));
    };
    if to != part.from {
        return Ok(None);
    }
    sql!(
        tx,
        run,
        "update search_logs set indexed_to = $1, moved = $2 where n = $3",
        part.to,
        part.moved,
        n
    )?;
    Ok(Some(n))
}

/// Rows are in the order of time, so that the newest come first without sorting.
fn first_id(entry: &Entry) -> i64 {
    time_id(entry.at) | (entry.seq.0 & ((1 << MOMENT_BITS) - 1))
}

/// Moves rows apart that would have the same id, in here or in the index.
async fn apart(tx: &mut Tx, rows: &mut [(i64, i64, Row)]) -> Result<()> {
    rows.sort_by_key(|(id, _, row)| (*id, row.entry.seq));
    loop {
        let mut last = i64::MIN;
        for (id, _, _) in rows.iter_mut() {
            *id = (*id).max(last.saturating_add(1));
            last = *id;
        }
        let ids = rows.iter().map(|(id, _, _)| [Bound::Int(*id)]).collect();
        let text = "select id from search_places where id in (";
        let taken: Vec<One<i64>> = tx.ask_many(text, "?", ")", ids).await?;
        if taken.is_empty() {
            return Ok(());
        }
        // Behind everything that was said at the same moment, so that many at one moment take no longer than few.
        let mut behind = BTreeMap::new();
        let taken: BTreeSet<i64> = taken.into_iter().map(|(id,)| id).collect();
        for (id, _, _) in rows.iter_mut().filter(|(id, _, _)| taken.contains(id)) {
            let moment = *id >> MOMENT_BITS;
            *id = match behind.entry(moment) {
                btree_map::Entry::Occupied(known) => *known.get(),
                btree_map::Entry::Vacant(unknown) => {
                    let (from, to) = (moment << MOMENT_BITS, (moment + 1) << MOMENT_BITS);
                    let text = "select max(id) from search_places where id >= $1 and id < $2";
                    let (last,) = sql!(tx, one One<i64>, text, from, to)?;
                    *unknown.insert(last + 1)
                }
            };
        }
        rows.sort_by_key(|(id, _, row)| (*id, row.entry.seq));
    }
}
