//! Full-text search: an index beside the logs, made from them, and made anew when it is lost.
//!
//! On SQLite the index is a database file of its own, so that whoever appends never waits for it; on PostgreSQL it is
//! tables of their own. Each row also has *marks* — its conversation, the workspace that began in, author, kind —
//! and a search names those that may be seen, so that the index itself never walks through what is foreign.

mod dialect;
mod find;
mod index;
mod words;

pub use find::{Hit, Sought, find};
pub(crate) use index::Unindexed;
pub use words::{Question, snippet};

use crate::{
    Db, Dialect, Error, Result, Store, Tx,
    db::{One, sql},
    error::at,
};
use mosaic_protocol::{Time, conversation::FoundKind, entry::Fact, log::Body};
use sqlx::SqlitePool;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// When what is indexed, or how, changes: an index of another version is thrown away.
const VERSION: &str = "1";

/// Where the index is.
pub(crate) enum Index {
    /// A file; its readers see the main database, too.
    File {
        /// A single connection.
        write: SqlitePool,
        /// Connections that cannot write.
        read: SqlitePool,
    },
    /// Tables of the database.
    Tables(Db),
}

impl Index {
    pub(crate) async fn read(&self) -> Result<Tx> {
        match self {
            Index::File { read, .. } => Ok(Tx::Sqlite(read.begin().await?)),
            Index::Tables(db) => db.read().await,
        }
    }

    pub(crate) async fn write(&self) -> Result<Tx> {
        match self {
            Index::File { write, .. } => Ok(Tx::Sqlite(write.begin_with("begin immediate").await?)),
            Index::Tables(db) => db.write().await,
        }
    }

    pub(crate) async fn close(&self) {
        if let Index::File { write, read } = self {
            read.close().await;
            write.close().await;
        }
    }
}

impl Store {
    /// The index, opened when it is first needed: a start does not wait for it.
    pub(crate) async fn index_place(&self) -> Result<&Index> {
        self.inner.index.get_or_try_init(|| self.open_index()).await
    }

    async fn open_index(&self) -> Result<Index> {
        let generation = self.generation().await?.to_string();
        let path = match self.dialect() {
            Dialect::Postgres => {
                let index = Index::Tables(self.inner.db.clone());
                found(&index, Dialect::Postgres, &generation).await?;
                return Ok(index);
            }
            Dialect::Sqlite => self.inner.index_file.clone(),
        };
        let main = path.with_file_name("mosaic.db");
        match opened(&path, &main, &generation).await {
            Err(error @ Error::Damaged(_)) => {
                tracing::warn!(%error, "the search index is made anew");
                remove(&path)?;
                opened(&path, &main, &generation).await
            }
            done => done,
        }
    }
}

async fn opened(path: &Path, main: &Path, generation: &str) -> Result<Index> {
    let (write, read) = Db::open_index(path, main).await?;
    let index = Index::File { write, read };
    match found(&index, Dialect::Sqlite, generation).await {
        Ok(()) => Ok(index),
        Err(error) => {
            index.close().await;
            Err(error)
        }
    }
}

/// Where the index of the database in this directory is.
pub(crate) fn file_in(dir: &Path) -> PathBuf {
    dir.join("search.db")
}

fn remove(path: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Makes the tables, empty ones if those that are there are of another version, or of another life of the data.
async fn found(index: &Index, dialect: Dialect, generation: &str) -> Result<()> {
    let mut tx = index.write().await?;
    tx.alone(index::INDEXING).await?;
    if tx.has_table("search_meta").await? {
        let known = sql!(tx, all(String, String), "select name, value from search_meta")?;
        if known.contains(&("version".into(), VERSION.into()))
            && known.contains(&("generation".into(), generation.into()))
        {
            return Ok(());
        }
    }
    let mut tables = vec!["search_places", "search_authors", "search_logs", "search_meta"];
    if dialect == Dialect::Sqlite {
        tables.push("search_words");
    }
    for table in tables {
        tx.script(format!("drop table if exists {table}")).await?;
    }
    tx.script(schema(dialect)).await?;
    for (name, value) in [("version", VERSION), ("generation", generation)] {
        sql!(tx, run, "insert into search_meta (name, value) values ($1, $2)", name, value)?;
    }
    tx.commit().await
}

/// The index, if there is one: for looking at it.
pub(crate) async fn there(db: &Db, dir: &Path) -> Result<Option<Index>> {
    if db.dialect() == Dialect::Postgres {
        let there = db.read().await?.has_table("search_meta").await?;
        return Ok(there.then(|| Index::Tables(db.clone())));
    }
    let path = file_in(dir);
    if !path.exists() {
        return Ok(None);
    }
    let (write, read) = Db::open_index(&path, &dir.join("mosaic.db")).await?;
    Ok(Some(Index::File { write, read }))
}

/// Whether the index is of this version of the program, and of this life of the data.
pub(crate) async fn is_current(tx: &mut Tx) -> Result<bool> {
    let (n,) = sql!(
        tx,
        one One<i64>,
        "select count(*) from search_meta s where (s.name = 'version' and s.value = $1)
            or (s.name = 'generation' and s.value = (select m.value from meta m where m.name = 'generation'))",
        VERSION
    )?;
    Ok(n == 2)
}

/// Throws the index away.
pub(crate) async fn throw_away(db: &Db, dir: &Path) -> Result<()> {
    if db.dialect() == Dialect::Sqlite {
        return remove(&file_in(dir));
    }
    let mut tx = db.write().await?;
    tx.script("drop table if exists search_meta".to_owned()).await?;
    tx.commit().await
}

/// Not among the migrations, because nothing in here must be kept: another version of it is made anew.
fn schema(dialect: Dialect) -> String {
    let (text, number, words) = match dialect {
        Dialect::Sqlite => (
            "text",
            "integer primary key",
            // The words are ours already; they only have to be told apart at the spaces.
            ", unique (log_n, seq));
             create virtual table search_words using fts5
                (words, marks, tokenize = 'ascii', content = '', contentless_delete = 1)",
        ),
        Dialect::Postgres => (
            "text collate \"C\"",
            "bigint generated by default as identity primary key",
            ", words tsvector not null, unique (log_n, seq));
             create index search_words on search_places using gin (words)",
        ),
    };
    format!(
        "create table search_meta (name {text} primary key, value {text} not null);
         -- workspace_id: where it was when it was first indexed, and what its rows are marked with; moved: whether it
         -- is elsewhere by now.
         create table search_logs (n {number}, log_id {text} not null unique, workspace_id {text} not null,
            indexed_to bigint not null, moved bigint not null);
         create index search_logs_moved on search_logs (log_id) where moved = 1;
         create table search_authors (user_id {text} primary key);
         -- id: the time in milliseconds, and 20 bits to tell apart what was said at the same one.
         create table search_places (id bigint primary key, log_n bigint not null, seq bigint not null{words};"
    )
}

/// The first id of what was said at this time. What no clock would say is taken for the nearest that one could.
fn time_id(time: Time) -> i64 {
    time.0.clamp(0, (1 << 42) - 1) << MOMENT_BITS
}

/// How many bits tell apart what was said at the same time.
const MOMENT_BITS: i64 = 20;

/// The kinds of entries that have words to be found by.
pub(crate) const KINDS: [&str; 7] =
    ["user_message", "assistant_reply", "tool_result", "began", "forked", "imported", "renamed"];

/// What an entry is found by, and as what.
pub fn searchable(body: &Body) -> Option<(FoundKind, String)> {
    let Body::Fact(fact) = body else { return None };
    Some(match fact {
        Fact::UserMessage { text, attachments, .. } => {
            let mut text = text.as_str().to_owned();
            for attachment in attachments {
                text.push('\n');
                text.push_str(attachment.name.as_str());
            }
            (FoundKind::UserMessage, text)
        }
        Fact::AssistantReply { text, .. } => (FoundKind::AssistantReply, text.as_str().to_owned()),
        Fact::ToolResult { text, .. } => (FoundKind::ToolResult, text.as_str().to_owned()),
        Fact::Began { title, .. }
        | Fact::Forked { title, .. }
        | Fact::Imported { title, .. }
        | Fact::Renamed { title } => (FoundKind::Title, title.as_str().to_owned()),
        // Named, so that a new fact is thought about here.
        Fact::Archived {}
        | Fact::Unarchived {}
        | Fact::Tagged { .. }
        | Fact::Moved { .. }
        | Fact::MemberSet { .. }
        | Fact::MemberRemoved { .. }
        | Fact::TeamShared { .. }
        | Fact::TeamUnshared { .. }
        | Fact::LinkOpened {}
        | Fact::LinkClosed {}
        | Fact::Pinned { .. }
        | Fact::Unpinned { .. }
        | Fact::SharedWithMe { .. }
        | Fact::TakenAway { .. }
        | Fact::NeedsMe { .. }
        | Fact::Erased { .. } => return None,
    })
}

/// The marks of a row. On PostgreSQL they stand among the words, so they begin with what no word begins with.
mod mark {
    use mosaic_protocol::{LogId, UserId, WorkspaceId, conversation::FoundKind};

    fn of(sign: char, id: impl ToString) -> String {
        let id = id.to_string();
        std::iter::once(sign).chain(id.chars().filter(|c| *c != '-')).collect()
    }

    pub(in crate::search) fn log(id: LogId) -> String {
        of('l', id)
    }

    pub(in crate::search) fn workspace(id: WorkspaceId) -> String {
        of('w', id)
    }

    pub(in crate::search) fn author(id: UserId) -> String {
        of('a', id)
    }

    pub(in crate::search) fn kind(kind: FoundKind) -> String {
        let name = match kind {
            FoundKind::UserMessage => "message",
            FoundKind::AssistantReply => "reply",
            FoundKind::ToolResult => "tool",
            FoundKind::Title => "title",
        };
        of('k', name)
    }
}

/// Whether there is anything in the index: for tests and checks.
pub async fn indexed(store: &Store) -> Result<i64> {
    let mut tx = store.index_place().await?.read().await?;
    Ok(sql!(tx, one One<i64>, "select count(*) from search_places")?.0)
}
