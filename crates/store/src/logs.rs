//! Reading logs: pages of entries, forwards and backwards; what is known of a log.

use crate::{
    Error, Result, Tx,
    batch::{CommandKey, Committed},
    db::{One, sql},
};
use mosaic_protocol::{
    LogId, Seq, TeamId, Time, UserId, WorkspaceId,
    log::{Author, Body, Entry, LogKind},
};

/// A body as the database holds it: its kind, and its JSON.
pub(crate) fn encode(body: &Body) -> Result<(String, String)> {
    let mut tagged =
        serde_json::to_value(body).map_err(|error| Error::Damaged(error.to_string()))?;
    let kind = tagged["kind"].as_str().unwrap_or_default().to_owned();
    Ok((kind, tagged["body"].take().to_string()))
}

pub(crate) type Row = (i64, i64, String, String, String);

pub(crate) fn entry((seq, at, author, kind, body): Row) -> Entry {
    Entry {
        seq: Seq(seq),
        at: Time(at),
        author: Author::of_text(&author),
        body: Body::decode(&kind, &body),
    }
}

/// What is known of a log besides its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogFacts {
    /// What it is the log of.
    pub kind: LogKind,
    /// Where it lives.
    pub workspace_id: WorkspaceId,
    /// Its last entry.
    pub head: Seq,
    /// Which holder of its lease is the last.
    pub term: i64,
    /// Moves when it may have changed who may read it.
    pub access_version: i64,
}

/// What is known of a log.
pub async fn facts(tx: &mut Tx, log: LogId) -> Result<Option<LogFacts>> {
    let row = sql!(
        tx,
        maybe(String, String, i64, i64, i64),
        "select kind, workspace_id, head, term, access_version from logs where id = $1",
        log
    )?;
    let facts =
        |(kind, workspace_id, head, term, access_version): (String, String, i64, i64, i64)| {
            let kind: LogKind = kind.parse().map_err(|()| Error::Damaged("a log's kind".into()))?;
            let workspace_id =
                workspace_id.parse().map_err(|_| Error::Damaged("a workspace's id".into()))?;
            Ok(LogFacts { kind, workspace_id, head: Seq(head), term, access_version })
        };
    row.map(facts).transpose()
}

/// Up to `limit` entries after a place, in order.
pub async fn after(tx: &mut Tx, log: LogId, after: Seq, limit: i64) -> Result<Vec<Entry>> {
    let rows = sql!(
        tx,
        all Row,
        "select seq, at, author, kind, body from entries where log_id = $1 and seq > $2 order by seq limit $3",
        log,
        after.0,
        limit
    )?;
    Ok(rows.into_iter().map(entry).collect())
}

/// The last `limit` entries before a place, in order.
pub async fn before(tx: &mut Tx, log: LogId, before: Seq, limit: i64) -> Result<Vec<Entry>> {
    let mut rows = sql!(
        tx,
        all Row,
        "select seq, at, author, kind, body from entries where log_id = $1 and seq < $2 order by seq desc limit $3",
        log,
        before.0,
        limit
    )?;
    rows.reverse();
    Ok(rows.into_iter().map(entry).collect())
}

/// One entry.
pub async fn get(tx: &mut Tx, log: LogId, seq: Seq) -> Result<Option<Entry>> {
    let row = sql!(
        tx,
        maybe Row,
        "select seq, at, author, kind, body from entries where log_id = $1 and seq = $2",
        log,
        seq.0
    )?;
    Ok(row.map(entry))
}

/// What the people are called who wrote in this log: their id, their account's name, and what others see.
pub async fn people(tx: &mut Tx, log: LogId) -> Result<Vec<(UserId, String, String)>> {
    let rows = sql!(
        tx,
        all(String, String, String),
        "select id, name, display_name from users
         where id in (select substr(author, 6) from entries where log_id = $1 and author like 'user:%') order by id",
        log
    )?;
    let person = |(id, name, shown): (String, String, String)| {
        Ok((id.parse().map_err(|_| Error::Damaged("a user's id".into()))?, name, shown))
    };
    rows.into_iter().map(person).collect()
}

/// Whose inbox this is.
pub async fn inbox_owner(tx: &mut Tx, log: LogId) -> Result<Option<UserId>> {
    let row = sql!(tx, maybe One<String>, "select user_id from inboxes where log_id = $1", log)?;
    Ok(row.and_then(|row| row.0.parse().ok()))
}

/// The inbox of this person, if they have one yet.
pub async fn inbox_of(tx: &mut Tx, user_id: UserId) -> Result<Option<LogId>> {
    let row =
        sql!(tx, maybe One<String>, "select log_id from inboxes where user_id = $1", user_id)?;
    Ok(row.and_then(|row| row.0.parse().ok()))
}

/// Makes this log the inbox of the person whose own workspace it is in.
pub(crate) async fn found_inbox(tx: &mut Tx, log: LogId, workspace_id: WorkspaceId) -> Result<()> {
    sql!(
        tx,
        run,
        "insert into inboxes (user_id, log_id) select user_id, $1 from workspaces where id = $2",
        log,
        workspace_id
    )
    .map(drop)
}

/// What a command of this actor has done, if it has.
pub async fn command(tx: &mut Tx, key: &CommandKey) -> Result<Option<Committed>> {
    let row = sql!(
        tx,
        maybe(String, i64),
        "select log_id, seq from commands where actor = $1 and id = $2 and digest = $3",
        key.actor,
        key.id,
        key.digest
    )?;
    Ok(row.and_then(|(log, seq)| {
        Some(Committed { log: log.parse().ok()?, seq: Seq(seq), term: None, before: true })
    }))
}

/// Takes the words of somebody who is deleted out of every log; that there was something stays.
pub async fn erase_author(tx: &mut Tx, user_id: UserId) -> Result<()> {
    let author = Author::User { id: user_id }.to_text();
    sql!(tx, run, "delete from commands where actor = $1", author)?;
    let named = sql!(
        tx,
        all One<String>,
        "select distinct log_id from entries where author = $1 and kind in ('renamed', 'tagged')",
        author
    )?;
    sql!(
        tx,
        run,
        "update entries set author = 'gone', body = '{\"was\":\"' || kind || '\"}', kind = 'erased'
         where author = $1 and kind in ('user_message', 'renamed', 'tagged')",
        author
    )?;
    sql!(tx, run, "update entries set author = 'gone' where author = $1", author)?;
    sql!(tx, run, "update conversations set created_by = null where created_by = $1", user_id)?;
    for (log,) in named {
        let log = log.parse().map_err(|_| Error::Damaged("a log's id".into()))?;
        crate::conversations::name_again(tx, log).await?;
    }
    Ok(())
}

/// It may have changed who may read the conversations in this team's workspace, or those shared with it.
pub(crate) async fn team_changed(tx: &mut Tx, team_id: TeamId) -> Result<()> {
    sql!(
        tx,
        run,
        "update logs set access_version = access_version + 1
         where workspace_id in (select id from workspaces where team_id = $1)
            or id in (select log_id from conversation_teams where team_id = $2)",
        team_id,
        team_id
    )
    .map(drop)
}

/// Somebody will no longer be in any conversation: what was decided when they were is not to be written after that.
pub(crate) async fn person_goes(tx: &mut Tx, user_id: UserId) -> Result<()> {
    sql!(
        tx,
        run,
        "update logs set access_version = access_version + 1
         where id in (select log_id from conversation_members where user_id = $1)
            or id in (select t.log_id from conversation_teams t join members m on m.team_id = t.team_id
                where m.user_id = $2)
            or workspace_id in (select w.id from workspaces w join members m on m.team_id = w.team_id
                where m.user_id = $3)",
        user_id,
        user_id,
        user_id
    )
    .map(drop)
}

pub(crate) async fn delete(tx: &mut Tx, log: LogId) -> Result<()> {
    sql!(tx, run, "delete from logs where id = $1", log).map(drop)
}
