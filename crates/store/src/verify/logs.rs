//! Logs and what refers to places in them: entries without gaps and readable, commands, read marks, inboxes. While it
//! goes through the entries it lets their projections be made.

use super::{Check, Looking, RESTORE, projections};
use crate::{
    Error, Result, blobs,
    db::sql,
    logs::{Row, entry},
};
use mosaic_protocol::{
    LogId, WorkspaceId,
    entry::Fact,
    log::{Author, Body, Entry, LogKind},
};
use std::collections::{BTreeMap, BTreeSet};

/// How many entries are read at once.
const PAGE: i64 = 1000;

const LOGS: &str = "logs";
const ENTRIES: &str = "entries";

/// Whether projections follow from what this check looks at.
pub(super) fn is_source(what: &str) -> bool {
    matches!(what, LOGS | ENTRIES | "database" | "reading")
}

pub(super) async fn commands(looking: &mut Looking<'_>) -> Result<Check> {
    let mut check = Check::new("commands", RESTORE);
    (looking.told)(check.what, 0);
    // Those of a log that was deleted stay, so that none has a second effect.
    let (n, n_gone) = sql!(
        looking.tx,
        one(i64, i64),
        "select count(*), count(*) - count(l.id) from commands c left join logs l on l.id = c.log_id"
    )?;
    check.found = format!("{n}, {n_gone} of them for logs that were deleted");
    let rows = sql!(
        looking.tx,
        all(String, String, String, i64, i64),
        "select c.actor, c.id, c.log_id, c.seq, l.head from commands c join logs l on l.id = c.log_id
         where c.seq > l.head or c.seq < 0 order by c.actor, c.id limit 10000"
    )?;
    for (actor, id, log, seq, head) in rows {
        check.problem(
            format!("command {id} of {actor}"),
            format!("its effect is said to be entry {seq} of log {log}, which ends at {head}"),
        );
    }
    Ok(check)
}

pub(super) async fn read_marks(looking: &mut Looking<'_>) -> Result<Check> {
    let mut check = Check::new("read marks", RESTORE);
    (looking.told)(check.what, 0);
    let (n,) = sql!(looking.tx, one(i64,), "select count(*) from read_marks")?;
    check.found = n.to_string();
    let rows = sql!(
        looking.tx,
        all(String, String, i64, i64),
        "select r.user_id, r.log_id, r.seq, l.head from read_marks r join logs l on l.id = r.log_id
         where r.seq > l.head or r.seq < 0 order by r.log_id, r.user_id limit 10000"
    )?;
    for (user, log, seq, head) in rows {
        check.problem(
            format!("user {user} in log {log}"),
            format!("has read up to {seq}, and the log ends at {head}"),
        );
    }
    Ok(check)
}

pub(super) async fn inboxes(looking: &mut Looking<'_>) -> Result<Check> {
    let mut check = Check::new("inboxes", RESTORE);
    (looking.told)(check.what, 0);
    let (n,) = sql!(looking.tx, one(i64,), "select count(*) from inboxes")?;
    check.found = n.to_string();
    let rows = sql!(
        looking.tx,
        all(String, i64),
        "select l.id, count(i.user_id) from logs l left join inboxes i on i.log_id = l.id
         group by l.id, l.kind having (l.kind = 'inbox') <> (count(i.user_id) = 1) order by l.id limit 10000"
    )?;
    for (log, n) in rows {
        check.problem(format!("log {log}"), format!("it is the inbox of {n} people"));
    }
    Ok(check)
}

/// What is known of a log before its entries are read.
pub(super) struct Head {
    kind: LogKind,
    workspace_id: WorkspaceId,
    head: i64,
    /// The last entry that was read.
    last: i64,
    has_begun: bool,
}

pub(super) type Heads = BTreeMap<LogId, Head>;

pub(super) async fn heads(looking: &mut Looking<'_>) -> Result<Heads> {
    let rows = sql!(
        looking.tx,
        all(String, String, String, i64),
        "select id, kind, workspace_id, head from logs"
    )?;
    let head = |(id, kind, workspace_id, head): (String, String, String, i64)| {
        let damaged = || Error::Damaged(format!("log {id}: its id, kind or workspace"));
        let log = id.parse().map_err(|_| damaged())?;
        let kind = kind.parse().map_err(|()| damaged())?;
        let workspace_id = workspace_id.parse().map_err(|_| damaged())?;
        Ok((log, Head { kind, workspace_id, head, last: 0, has_begun: false }))
    };
    rows.into_iter().map(head).collect()
}

/// Reads every entry once.
pub(super) async fn entries(looking: &mut Looking<'_>, mut heads: Heads) -> Result<[Check; 3]> {
    let mut logs = Check::new(LOGS, RESTORE);
    let mut readable = Check::new(ENTRIES, RESTORE);
    let mut files = Check::new("files", RESTORE);
    let (mut n, mut n_unknown, mut n_files) = (0_u64, 0, 0);
    let mut gone = BTreeSet::new();
    let (mut log_id, mut seq) = (String::new(), i64::MIN);
    loop {
        (looking.told)(ENTRIES, n);
        let rows = sql!(
            looking.tx,
            all(String, i64, i64, String, String, String),
            "select log_id, seq, at, author, kind, body from entries where (log_id, seq) > ($1, $2)
             order by log_id, seq limit $3",
            log_id,
            seq,
            PAGE
        )?;
        if rows.is_empty() {
            break;
        }
        for (id, place, at, author, kind, body) in rows {
            n += 1;
            let known = id.parse().ok().and_then(|log| Some((log, heads.get_mut(&log)?)));
            (log_id, seq) = (id, place);
            let Some((log, head)) = known else {
                logs.problem(format!("log {log_id} entry {place}"), "there is no such log");
                continue;
            };
            if place != head.last + 1 {
                let missing = (head.last + 1, place - 1);
                logs.problem(format!("log {log}"), gap(missing, head.head));
            }
            head.last = place;
            match readable_entry((place, at, author, kind, body)) {
                Err(what) => readable.problem(format!("log {log} entry {place}"), what),
                Ok((_, Known::Not)) => n_unknown += 1,
                Ok((entry, Known::Well)) => {
                    if let Body::Fact(Fact::UserMessage { attachments, .. }) = &entry.body {
                        for attachment in attachments {
                            n_files += 1;
                            let there =
                                blobs::exists(&mut looking.tx, head.workspace_id, &attachment.hash);
                            if !there.await? {
                                gone.insert(attachment.hash.clone());
                            }
                        }
                    }
                    if head.kind == LogKind::Conversation {
                        head.has_begun |= projections::tell(&mut looking.tx, log, &entry).await?;
                    }
                }
            }
        }
    }
    for (log, head) in &heads {
        if head.last != head.head {
            let found = if head.last > head.head {
                format!("it ends at {}, and there are entries up to {}", head.head, head.last)
            } else {
                gap((head.last + 1, head.head), head.head)
            };
            logs.problem(format!("log {log}"), found);
        }
        if head.kind == LogKind::Conversation && !head.has_begun {
            logs.problem(format!("log {log}"), "no entry tells that the conversation began");
        }
    }
    logs.found = format!("{}, without gaps", heads.len());
    readable.found = match n_unknown {
        0 => format!("{n}"),
        unknown => format!("{n}, {unknown} of them of kinds that only a newer version knows"),
    };
    // Whoever may write in a workspace may delete its files, also those that a message names.
    files.found = match gone.len() {
        0 => format!("{n_files} in messages"),
        gone => format!("{n_files} in messages; {gone} were deleted since"),
    };
    Ok([logs, readable, files])
}

fn gap((from, to): (i64, i64), head: i64) -> String {
    if from > to {
        format!("entry {from} is there out of its place")
    } else if from == to {
        format!("entry {from} of {head} is missing")
    } else {
        format!("entries {from} to {to} of {head} are missing")
    }
}

/// Whether this version knows the kind of an entry.
enum Known {
    Well,
    Not,
}

/// The entry, or what of it cannot be read.
fn readable_entry(row: Row) -> std::result::Result<(Entry, Known), &'static str> {
    let (_, _, author, kind, body) = &row;
    if serde_json::from_str::<serde_json::Value>(body).is_err() {
        return Err("its body is not JSON");
    }
    // An author that cannot be read is taken for somebody who is gone.
    if Author::of_text(author).to_text() != *author {
        return Err("its author cannot be read");
    }
    let is_known = Fact::KINDS.contains(&kind.as_str());
    let entry = entry(row);
    match (&entry.body, is_known) {
        (Body::Fact(_), _) => Ok((entry, Known::Well)),
        (Body::Other { .. }, false) => Ok((entry, Known::Not)),
        (Body::Other { .. }, true) => Err("its body is not what its kind says"),
    }
}
