//! The one way in: `commit`. When it returned, it survives a power cut.
//!
//! One task per process writes. It takes all batches that wait and commits them in one transaction, so that many
//! conversations share the cost of making sure. Whether a batch can be done is decided before anything is written, by
//! a pure function over what the transaction has read; so a batch that cannot be done does not disturb the others.

use crate::{
    Ambient, Db, Dialect, Error, Result, Store, Tx,
    batch::{Append, Batch, CommandKey, Committed, NewEntry, NewLog},
    conversations, jobs,
    live::{Kept, Lives},
    many::Bound,
    search::Unindexed,
};
use mosaic_protocol::{
    JobId, LogId, Seq, Time,
    entry::Fact,
    log::{Body, Entry, LogKind},
};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// How many batches may wait. Who comes then waits to be let in.
const WAITING: usize = 1024;
/// How many batches go into one transaction.
const GROUP: usize = 256;

type Waiting = (Batch, oneshot::Sender<Result<Committed>>);

/// Hands batches to the task that writes.
pub(crate) struct Committer {
    waiting: mpsc::Sender<Waiting>,
    writing: std::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Committer {
    pub(crate) fn begin(
        db: Db,
        ambient: Ambient,
        lives: Arc<Lives>,
        unindexed: Arc<Unindexed>,
    ) -> Committer {
        let (waiting, incoming) = mpsc::channel(WAITING);
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let writing =
            tokio::spawn(write_all(Writing { db, ambient, lives, unindexed }, incoming, stopping));
        Committer { waiting, writing: std::sync::Mutex::new(Some(writing)), stop }
    }

    /// Commits what waits, and takes no more.
    pub(crate) async fn end(&self) {
        let _ = self.stop.send(true);
        let writing = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(writing) = writing {
            let _ = writing.await;
        }
    }
}

impl Store {
    /// Writes everything in the batch at once, or nothing.
    pub async fn commit(&self, batch: Batch) -> Result<Committed> {
        let gone = || Error::Unavailable("the gateway is stopping".into());
        let (answer, answered) = oneshot::channel();
        self.inner.committer.waiting.send((batch, answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// What writing takes.
struct Writing {
    db: Db,
    ambient: Ambient,
    lives: Arc<Lives>,
    unindexed: Arc<Unindexed>,
}

async fn write_all(
    writing: Writing,
    mut incoming: mpsc::Receiver<Waiting>,
    mut stopping: tokio::sync::watch::Receiver<bool>,
) {
    let mut group = Vec::with_capacity(GROUP);
    loop {
        tokio::select! {
            biased;
            n = incoming.recv_many(&mut group, GROUP) => if n == 0 { return },
            _ = stopping.wait_for(|stop| *stop), if !incoming.is_closed() => {
                incoming.close();
                continue;
            }
        }
        let (batches, answers): (Vec<Batch>, Vec<_>) = group.drain(..).unzip();
        let results = match write_group(&writing, &batches).await {
            Ok(results) => results,
            // The database refused the whole: one by one, so that only those fail that must.
            Err(error) if batches.len() == 1 => vec![Err(error)],
            Err(_) => {
                let mut results = vec![];
                for batch in &batches {
                    let one = write_group(&writing, std::slice::from_ref(batch)).await;
                    results.push(one.and_then(|mut one| one.remove(0)));
                }
                results
            }
        };
        for (answer, result) in answers.into_iter().zip(results) {
            // Who asked may have gone away; it is done all the same.
            let _ = answer.send(result);
        }
    }
}

/// What a transaction knows of a log.
#[derive(Debug, Clone)]
struct Head {
    head: Seq,
    term: i64,
    holder: String,
    held_until: Time,
    access_version: i64,
}

type Known = HashMap<CommandKey, Committed>;

/// What is to be written for one batch.
#[derive(Debug, Default)]
struct Plan {
    new_logs: Vec<(NewLog, Seq)>,
    entries: Vec<(LogId, Entry)>,
    /// The digests of links, by the entries that open them.
    links: HashMap<(LogId, Seq), Vec<u8>>,
    leased: Vec<LogId>,
}

/// Whether a batch can be done, and where its entries go. Pure, but for the two maps that it keeps true.
fn decide(
    batch: &Batch,
    heads: &mut HashMap<LogId, Head>,
    known: &mut Known,
    now: Time,
) -> Result<(Plan, Committed)> {
    // Before the command is looked for: who may no longer be here is not told of it either.
    for expect in &batch.expects {
        match heads.get(&expect.log) {
            None => return Err(Error::NoLog),
            Some(head) if head.access_version != expect.access_version => {
                return Err(Error::AccessChanged);
            }
            Some(_) => {}
        }
    }
    if let Some(key) = &batch.command {
        if let Some(before) = known.get(key) {
            return Ok((Plan::default(), Committed { before: true, ..*before }));
        }
        if known.keys().any(|other| other.actor == key.actor && other.id == key.id) {
            return Err(Error::CommandReused);
        }
    }
    for new in &batch.new_logs {
        let parent = new.copy_of.map(|(parent, at)| heads.get(&parent).map(|it| at <= it.head));
        if heads.contains_key(&new.id) || parent.is_some_and(|fits| fits != Some(true)) {
            return Err(Error::NoLog);
        }
    }
    let begun = |log: LogId| batch.new_logs.iter().find(|new| new.id == log);
    for Append { log, term, .. } in &batch.appends {
        let head = heads.get(log);
        if head.is_none() && begun(*log).is_none() {
            return Err(Error::NoLog);
        }
        if let (Some(term), Some(head)) = (term, head)
            && *term != head.term
        {
            return Err(Error::TermPassed);
        }
    }
    if batch.deletes.iter().any(|log| !heads.contains_key(log)) {
        return Err(Error::NoLog);
    }

    if let Some(lease) = &batch.lease {
        let head = heads.get(&lease.log).ok_or(Error::NoLog)?;
        if head.held_until > now && head.holder != lease.holder.to_string() {
            return Err(Error::Held);
        }
    }

    // From here on nothing can be refused.
    let mut plan = Plan::default();
    let mut term = None;
    if let Some(lease) = &batch.lease
        && let Some(head) = heads.get_mut(&lease.log)
    {
        head.term += 1;
        head.holder = lease.holder.to_string();
        head.held_until = lease.until;
        term = Some(head.term);
        plan.leased.push(lease.log);
    }
    for new in &batch.new_logs {
        let head = new.copy_of.map_or(Seq::START, |(_, at)| at);
        let (holder, held_until) = (String::new(), Time(0));
        heads.insert(new.id, Head { head, term: 0, holder, held_until, access_version: 1 });
        plan.new_logs.push((*new, head));
    }
    for append in &batch.appends {
        let Some(head) = heads.get_mut(&append.log) else { continue };
        for NewEntry { author, at, fact } in &append.entries {
            head.head = head.head.plus(1);
            if conversations::moves_access(fact) {
                head.access_version += 1;
            }
            if let (Fact::LinkOpened {}, Some(digest)) = (fact, &batch.link) {
                plan.links.insert((append.log, head.head), digest.clone());
            }
            plan.entries.push((
                append.log,
                Entry {
                    seq: head.head,
                    at: at.unwrap_or(now),
                    author: author.clone(),
                    body: Body::Fact(fact.clone()),
                },
            ));
        }
    }
    let about = batch
        .deletes
        .first()
        .copied()
        .or(batch.appends.first().map(|append| append.log))
        .or(batch.new_logs.first().map(|new| new.id))
        .or(batch.lease.map(|lease| lease.log))
        .ok_or(Error::NoLog)?;
    let seq = heads.get(&about).map_or(Seq::START, |head| head.head);
    for log in &batch.deletes {
        heads.remove(log);
    }
    let committed = Committed { log: about, seq, term, before: false };
    if let Some(key) = &batch.command {
        known.insert(key.clone(), committed);
    }
    Ok((plan, committed))
}

async fn write_group(writing: &Writing, batches: &[Batch]) -> Result<Vec<Result<Committed>>> {
    let Writing { db, ambient, lives, unindexed } = writing;
    let now = ambient.now();
    let mut tx = db.write().await?;
    let mut heads = lock_heads(&mut tx, db.dialect(), batches).await?;
    let mut known = known_commands(&mut tx, batches).await?;
    let mut plan = Plan::default();
    let mut results = Vec::with_capacity(batches.len());
    let mut done: Vec<&Batch> = vec![];
    for batch in batches {
        results.push(match decide(batch, &mut heads, &mut known, now) {
            Err(error) => Err(error),
            Ok((more, committed)) => {
                if !committed.before {
                    plan.new_logs.extend(more.new_logs);
                    plan.entries.extend(more.entries);
                    plan.links.extend(more.links);
                    plan.leased.extend(more.leased);
                    done.push(batch);
                }
                Ok(committed)
            }
        });
    }
    if done.is_empty() {
        return Ok(results);
    }
    // An entry whose log ends in the same transaction has nowhere to go.
    plan.entries.retain(|(log, _)| heads.contains_key(log));
    write_logs(&mut tx, &plan, &heads, now).await?;
    write_entries(&mut tx, &plan.entries).await?;
    for (new, _) in &plan.new_logs {
        if let Some((parent, at)) = new.copy_of {
            copy_entries(&mut tx, parent, at, new.id).await?;
        }
    }
    for (log, entry) in &plan.entries {
        conversations::project(&mut tx, *log, entry).await?;
        if let Some(digest) = plan.links.get(&(*log, entry.seq)) {
            conversations::open_link(&mut tx, *log, digest, entry.at).await?;
        }
    }
    let mut commands = vec![];
    for (batch, committed) in batches.iter().zip(&results) {
        let (Some(key), Ok(it)) = (&batch.command, committed) else { continue };
        if !it.before {
            commands.push([
                Bound::Text(key.actor.clone()),
                Bound::text(&key.id),
                Bound::Bytes(key.digest.clone()),
                Bound::text(&it.log),
                Bound::Int(it.seq.0),
                Bound::Int(now.0),
            ]);
        }
    }
    tx.run_many(
        "insert into commands (actor, id, digest, log_id, seq, at) values",
        "(?, ?, ?, ?, ?, ?)",
        "",
        commands,
    )
    .await?;
    for batch in &done {
        for job in &batch.jobs {
            jobs::insert(&mut tx, ambient.id(JobId::new), now, job).await?;
        }
        for log in &batch.deletes {
            crate::logs::delete(&mut tx, *log).await?;
        }
    }
    tx.commit().await?;

    // Only now it is true; only now it is told.
    let deleted = done.iter().flat_map(|batch| batch.deletes.iter().copied());
    unindexed.add(plan.entries.iter().map(|(log, _)| *log).chain(deleted));
    let mut told: HashMap<LogId, Vec<Kept>> = HashMap::new();
    for (log, entry) in plan.entries {
        told.entry(log).or_default().push(Kept::new(log, entry));
    }
    for (log, kept) in told {
        let access_version = heads.get(&log).map_or(0, |head| head.access_version);
        lives.appended(log, kept, access_version);
    }
    for log in done.iter().flat_map(|batch| &batch.deletes) {
        lives.deleted(*log);
    }
    Ok(results)
}

/// Reads what is to be known of every log that the batches name and, where others could write too, locks it. In the
/// order of ids, so that two nodes never wait for each other.
async fn lock_heads(
    tx: &mut Tx,
    dialect: Dialect,
    batches: &[Batch],
) -> Result<HashMap<LogId, Head>> {
    let mut ids: Vec<LogId> = batches
        .iter()
        .flat_map(|batch| {
            let parents = batch.new_logs.iter().filter_map(|new| new.copy_of.map(|it| it.0));
            let appends = batch.appends.iter().map(|append| append.log);
            let begun = batch.new_logs.iter().map(|new| new.id);
            let expects = batch.expects.iter().map(|expect| expect.log);
            let leased = batch.lease.iter().map(|lease| lease.log);
            parents
                .chain(leased)
                .chain(appends)
                .chain(begun)
                .chain(expects)
                .chain(batch.deletes.iter().copied())
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let rows: Vec<(String, i64, i64, String, i64, i64)> = tx
        .ask_many(
            "select id, head, term, holder, held_until, access_version from logs where id in (",
            "?",
            match dialect {
                Dialect::Sqlite => ") order by id",
                Dialect::Postgres => ") order by id for update",
            },
            ids.iter().map(|id| [Bound::text(id)]).collect(),
        )
        .await?;
    let mut heads = HashMap::new();
    for (id, head, term, holder, held_until, access_version) in rows {
        let id = id.parse().map_err(|_| Error::Damaged("a log's id".into()))?;
        let (head, held_until) = (Seq(head), Time(held_until));
        heads.insert(id, Head { head, term, holder, held_until, access_version });
    }
    Ok(heads)
}

async fn known_commands(tx: &mut Tx, batches: &[Batch]) -> Result<Known> {
    let keys = batches.iter().filter_map(|batch| batch.command.as_ref());
    let rows: Vec<(String, String, Vec<u8>, String, i64)> = tx
        .ask_many(
            "select actor, id, digest, log_id, seq from commands where (actor, id) in (values",
            "(?, ?)",
            ")",
            keys.map(|key| [Bound::Text(key.actor.clone()), Bound::text(&key.id)]).collect(),
        )
        .await?;
    let command = |(actor, id, digest, log, seq): (String, String, Vec<u8>, String, i64)| {
        let bad = |_| Error::Damaged("a command's id".into());
        let key = CommandKey { actor, id: id.parse().map_err(bad)?, digest };
        Ok((
            key,
            Committed { log: log.parse().map_err(bad)?, seq: Seq(seq), term: None, before: true },
        ))
    };
    rows.into_iter().map(command).collect()
}

async fn write_logs(
    tx: &mut Tx,
    plan: &Plan,
    heads: &HashMap<LogId, Head>,
    now: Time,
) -> Result<()> {
    let new = plan.new_logs.iter().map(|(new, _)| {
        [
            Bound::text(&new.id),
            Bound::Text(new.kind.as_str().to_owned()),
            Bound::text(&new.workspace_id),
            Bound::Int(now.0),
            Bound::Int(now.0),
        ]
    });
    tx.run_many(
        "insert into logs (id, kind, workspace_id, head, term, holder, held_until, access_version, created_at, updated_at) values",
        "(?, ?, ?, 0, 0, '', 0, 1, ?, ?)",
        "",
        new.collect(),
    )
    .await?;
    for (new, _) in plan.new_logs.iter().filter(|(new, _)| new.kind == LogKind::Inbox) {
        crate::logs::found_inbox(tx, new.id, new.workspace_id).await?;
    }
    for log in &plan.leased {
        let Some(head) = heads.get(log) else { continue };
        crate::db::sql!(
            tx,
            run,
            "update logs set term = $1, holder = $2, held_until = $3 where id = $4",
            head.term,
            head.holder,
            head.held_until,
            *log
        )?;
    }
    let mut touched: Vec<LogId> = plan.entries.iter().map(|(log, _)| *log).collect();
    touched.extend(plan.new_logs.iter().map(|(new, _)| new.id));
    touched.sort_unstable();
    touched.dedup();
    let heads = touched.iter().filter_map(|log| {
        let head = heads.get(log)?;
        let (version, id) = (head.access_version, Bound::text(log));
        Some([id, Bound::Int(head.head.0), Bound::Int(version), Bound::Int(now.0)])
    });
    tx.run_many(
        "update logs set head = v.column2, access_version = v.column3, updated_at = v.column4 from (values",
        "(?, cast(? as bigint), cast(? as bigint), cast(? as bigint))",
        ") as v where logs.id = v.column1",
        heads.collect(),
    )
    .await
}

async fn write_entries(tx: &mut Tx, entries: &[(LogId, Entry)]) -> Result<()> {
    let row = |(log, entry): &(LogId, Entry)| -> Result<[Bound; 6]> {
        let (kind, body) = crate::logs::encode(&entry.body)?;
        Ok([
            Bound::text(log),
            Bound::Int(entry.seq.0),
            Bound::Int(entry.at.0),
            Bound::Text(entry.author.to_text()),
            Bound::Text(kind),
            Bound::Text(body),
        ])
    };
    let rows: Vec<_> = entries.iter().map(row).collect::<Result<_>>()?;
    tx.run_many(
        "insert into entries (log_id, seq, at, author, kind, body) values",
        "(?, ?, ?, ?, ?, ?)",
        "",
        rows,
    )
    .await
}

async fn copy_entries(tx: &mut Tx, parent: LogId, at: Seq, child: LogId) -> Result<()> {
    crate::db::sql!(
        tx,
        run,
        "insert into entries (log_id, seq, at, author, kind, body)
         select $1, seq, at, author, kind, body from entries where log_id = $2 and seq <= $3",
        child,
        parent,
        at.0
    )
    .map(drop)
}
