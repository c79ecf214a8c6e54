//! One pool type over two databases. Every statement is written once, in the SQL that both understand.
//!
//! Columns are text, 64-bit integers or bytes only, so a bind or a read means the same on both. The few statements
//! that differ sit at the end of this file.

use crate::{Error, Result};
use mosaic_protocol::{Time, team::Role};
use sqlx::{
    Connection, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// Which database it is, for the few places that must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A file in the data directory.
    Sqlite,
    /// A server, shared by any number of nodes.
    Postgres,
}

/// An open database.
#[derive(Clone)]
pub enum Db {
    /// One writer, because SQLite has one anyway: waiting in our queue is fair and has a bound; several readers.
    Sqlite {
        /// A single connection.
        write: SqlitePool,
        /// Connections that cannot write.
        read: SqlitePool,
    },
    /// A pool of connections.
    Postgres(PgPool),
}

/// A transaction. Dropped without `commit`, it has done nothing.
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// How long PostgreSQL may take to let us in.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long SQLite waits for another process.
const BUSY_TIME: Duration = Duration::from_secs(10);

/// A row of one column.
pub(crate) type One<T> = (T,);

pub(crate) enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// Runs one statement in a transaction, whichever database it is on.
///
/// `sql!(tx, all User, "select …", id)?`, and likewise `one` and `maybe`; `sql!(tx, run, "update …", id)?` answers how
/// many rows it touched.
macro_rules! sql {
    ($tx:expr, run, $text:expr $(, $arg:expr)* $(,)?) => {
        match $tx.conn() {
            $crate::db::Conn::Sqlite(conn) => sqlx::query($text)
                $(.bind($crate::db::Param::param(&$arg)))*
                .execute(conn).await.map(|done| done.rows_affected()).map_err($crate::Error::from),
            $crate::db::Conn::Postgres(conn) => sqlx::query($text)
                $(.bind($crate::db::Param::param(&$arg)))*
                .execute(conn).await.map(|done| done.rows_affected()).map_err($crate::Error::from),
        }
    };
    ($tx:expr, all $row:ty, $text:expr $(, $arg:expr)* $(,)?) => { $crate::db::sql!(@ $tx, fetch_all, $row, $text $(, $arg)*) };
    ($tx:expr, one $row:ty, $text:expr $(, $arg:expr)* $(,)?) => { $crate::db::sql!(@ $tx, fetch_one, $row, $text $(, $arg)*) };
    ($tx:expr, maybe $row:ty, $text:expr $(, $arg:expr)* $(,)?) => { $crate::db::sql!(@ $tx, fetch_optional, $row, $text $(, $arg)*) };
    (@ $tx:expr, $fetch:ident, $row:ty, $text:expr $(, $arg:expr)*) => {
        match $tx.conn() {
            $crate::db::Conn::Sqlite(conn) => sqlx::query_as::<_, $row>($text)
                $(.bind($crate::db::Param::param(&$arg)))*
                .$fetch(conn).await.map_err($crate::Error::from),
            $crate::db::Conn::Postgres(conn) => sqlx::query_as::<_, $row>($text)
                $(.bind($crate::db::Param::param(&$arg)))*
                .$fetch(conn).await.map_err($crate::Error::from),
        }
    };
}
pub(crate) use sql;

impl Db {
    /// Opens, and if need be makes, the SQLite database at `path`.
    pub(crate) async fn open_sqlite(path: &Path) -> Result<Db> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIME)
            // What is deleted is overwritten, so that a deleted person is gone from the file too.
            .pragma("secure_delete", "on")
            .pragma("cache_size", "-4096")
            // Bringing the write-ahead log home makes one commit wait for it: one in several hundred, not in eighty.
            .pragma("wal_autocheckpoint", "4000");
        let pool = |max_connections| {
            SqlitePoolOptions::new()
                .max_connections(max_connections)
                .acquire_timeout(Duration::from_secs(15))
                // A full or broken disk makes SQLite itself roll back; the driver then never learns that the
                // transaction is over, and would refuse every further one. Such a connection is replaced.
                .before_acquire(|conn, _| Box::pin(async { Ok(!conn.is_in_transaction()) }))
        };
        // Asked first by a connection that is closed again before its answer is told: what a pool begins with a damaged
        // file, it ends at some time later.
        let plain = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let mut first = SqliteConnection::connect_with(&plain).await?;
        let asked = sqlx::query("select count(*) from sqlite_master").execute(&mut first).await;
        first.close().await?;
        asked?;
        let write = pool(1).connect_with(options.clone()).await?;
        let read = pool(4).connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Db::Sqlite { write, read })
    }

    /// Opens, and if need be makes, the search index at `path`: a connection that writes to it, and some that read it
    /// together with the database at `main`. What is lost of it in a power cut is made anew, so nothing waits for the
    /// disk here.
    pub(crate) async fn open_index(path: &Path, main: &Path) -> Result<(SqlitePool, SqlitePool)> {
        let options = |path: &Path| {
            SqliteConnectOptions::new()
                .filename(path)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(BUSY_TIME)
                .pragma("secure_delete", "on")
                .pragma("cache_size", "-4096")
        };
        let pool = |max_connections| {
            SqlitePoolOptions::new()
                .max_connections(max_connections)
                .acquire_timeout(Duration::from_secs(15))
                .before_acquire(|conn, _| Box::pin(async { Ok(!conn.is_in_transaction()) }))
        };
        let write = pool(1).connect_with(options(path).create_if_missing(true)).await?;
        let path = path.display().to_string();
        let read = pool(2)
            .after_connect(move |conn, _| {
                let attach = sqlx::query("attach database $1 as search").bind(path.clone());
                Box::pin(async move { attach.execute(conn).await.map(drop) })
            })
            .connect_lazy_with(options(main).pragma("query_only", "on"));
        Ok((write, read))
    }

    /// Connects to PostgreSQL.
    pub(crate) async fn open_postgres(url: &str) -> Result<Db> {
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| {
            // The error's own text may quote the URL, and with it the password.
            drop(error);
            Error::refused(
                "the database URL is not understood",
                "write it as postgres://user:password@host:5432/database",
            )
        })?;
        let host = format!("{}:{}", options.get_host(), options.get_port());
        let options = options.application_name("mosaic").options([
            // A node that freezes inside a transaction must not hold the others up.
            ("idle_in_transaction_session_timeout", "3s"),
            ("lock_timeout", "10s"),
            ("statement_timeout", "60s"),
        ]);
        let connected = tokio::time::timeout(CONNECT_TIME, async {
            // One connection by itself first: a pool would go on trying where nobody listens.
            PgConnection::connect_with(&options).await?.close().await?;
            let pool = PgPoolOptions::new().max_connections(16).acquire_timeout(CONNECT_TIME);
            pool.connect_with(options).await
        });
        let cannot = |why: String| {
            Error::refused(
                format!("PostgreSQL at {host} cannot be used: {why}"),
                "check that it runs, that `database_url` names an existing database, and the user and password in it",
            )
        };
        match connected.await {
            Ok(Ok(pool)) => Ok(Db::Postgres(pool)),
            Ok(Err(error)) => Err(cannot(crate::error::said(&error))),
            Err(_) => Err(cannot(format!("no answer in {} s", CONNECT_TIME.as_secs()))),
        }
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match self {
            Db::Sqlite { .. } => Dialect::Sqlite,
            Db::Postgres(_) => Dialect::Postgres,
        }
    }

    /// A transaction that writes.
    pub async fn write(&self) -> Result<Tx> {
        Ok(match self {
            Db::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("begin immediate").await?),
            Db::Postgres(pool) => Tx::Postgres(begin(pool, "begin").await?),
        })
    }

    /// A transaction that only reads, and sees one moment.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match self {
            Db::Sqlite { read, .. } => Tx::Sqlite(read.begin().await?),
            Db::Postgres(pool) => {
                Tx::Postgres(begin(pool, "begin isolation level repeatable read read only").await?)
            }
        })
    }

    /// Closes every connection; on SQLite this also folds the write-ahead log into the database.
    pub(crate) async fn close(&self) {
        match self {
            Db::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

/// Begins in a task of its own. Whoever asked may go away at any moment, and a `begin` that was sent but not waited for
/// would leave the connection inside a transaction that the driver does not know of: the next one to get it from the
/// pool would work in there, and never commit.
async fn begin(pool: &PgPool, how: &'static str) -> Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(how).await });
    begun.await.map_err(|error| Error::Unavailable(error.to_string()))?.map_err(Error::from)
}

impl Tx {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Tx::Sqlite(tx) => Conn::Sqlite(tx),
            Tx::Postgres(tx) => Conn::Postgres(tx),
        }
    }

    /// Makes it so. When this returned, it survives a power cut.
    pub async fn commit(self) -> Result<()> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await?,
            Tx::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// How a value of ours is bound: as text, integer or bytes.
pub(crate) trait Param {
    type As;
    fn param(&self) -> Self::As;
}

macro_rules! params {
    ($($type:ty => $as:ty, |$it:ident| $body:expr;)*) => {$(
        impl Param for $type {
            type As = $as;
            fn param(&self) -> $as {
                let $it = self;
                $body
            }
        }
    )*};
}

params! {
    i64 => i64, |it| *it;
    bool => i64, |it| i64::from(*it);
    Time => i64, |it| it.0;
    str => String, |it| it.to_owned();
    String => String, |it| it.clone();
    Vec<u8> => Vec<u8>, |it| it.clone();
    [u8] => Vec<u8>, |it| it.to_vec();
    Role => String, |it| it.as_str().to_owned();
    mosaic_protocol::UserId => String, |it| it.to_string();
    mosaic_protocol::WorkspaceId => String, |it| it.to_string();
    mosaic_protocol::TeamId => String, |it| it.to_string();
    mosaic_protocol::SessionId => String, |it| it.to_string();
    mosaic_protocol::TokenId => String, |it| it.to_string();
    mosaic_protocol::InviteId => String, |it| it.to_string();
    mosaic_protocol::IdentityId => String, |it| it.to_string();
    mosaic_protocol::SecretId => String, |it| it.to_string();
    mosaic_protocol::LinkId => String, |it| it.to_string();
    mosaic_protocol::LogId => String, |it| it.to_string();
    mosaic_protocol::CommandId => String, |it| it.to_string();
    mosaic_protocol::ModelProviderId => String, |it| it.to_string();
    mosaic_protocol::ProviderLoginId => String, |it| it.to_string();
    mosaic_protocol::RuleId => String, |it| it.to_string();
    mosaic_protocol::BudgetId => String, |it| it.to_string();
    mosaic_protocol::CallId => String, |it| it.to_string();
    mosaic_protocol::JobId => String, |it| it.to_string();
    mosaic_protocol::ProjectId => String, |it| it.to_string();
    mosaic_protocol::BlobHash => String, |it| it.to_string();
}

impl<T: Param + ?Sized> Param for &T {
    type As = T::As;
    fn param(&self) -> T::As {
        (**self).param()
    }
}

impl<T: Param> Param for Option<T> {
    type As = Option<T::As>;
    fn param(&self) -> Option<T::As> {
        self.as_ref().map(Param::param)
    }
}

// ---- The statements that differ ----

impl Tx {
    /// Runs a text of several statements: migrations only.
    pub(crate) async fn script(&mut self, text: String) -> Result<()> {
        let text = sqlx::AssertSqlSafe(text);
        match self.conn() {
            Conn::Sqlite(conn) => sqlx::raw_sql(text).execute(conn).await.map(drop)?,
            Conn::Postgres(conn) => sqlx::raw_sql(text).execute(conn).await.map(drop)?,
        }
        Ok(())
    }

    /// Keeps other nodes from doing the same named thing until this transaction ends. On SQLite a writer is alone.
    pub(crate) async fn alone(&mut self, what: i64) -> Result<()> {
        if let Conn::Postgres(conn) = self.conn() {
            sqlx::query("select pg_advisory_xact_lock($1)").bind(what).execute(conn).await?;
        }
        Ok(())
    }

    /// For work that takes as long as there is data: lifts the bounds on time that every other transaction has.
    pub(crate) async fn take_time(&mut self) -> Result<()> {
        if let Conn::Postgres(conn) = self.conn() {
            for bound in
                ["statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout"]
            {
                let text = "select set_config($1, '0', true)";
                sqlx::query(text).bind(bound).execute(&mut *conn).await?;
            }
        }
        Ok(())
    }

    /// Whether there is such a table.
    pub(crate) async fn has_table(&mut self, name: &str) -> Result<bool> {
        let found: Option<(i64,)> = match self.conn() {
            Conn::Sqlite(conn) => {
                let text = "select cast(1 as bigint) from sqlite_master where type = 'table' and name = $1";
                sqlx::query_as(text).bind(name).fetch_optional(conn).await?
            }
            Conn::Postgres(conn) => {
                let text = "select 1::bigint from pg_tables where schemaname = current_schema() and tablename = $1";
                sqlx::query_as(text).bind(name).fetch_optional(conn).await?
            }
        };
        Ok(found.is_some())
    }

    /// The names of a table's columns.
    #[cfg(test)]
    pub(crate) async fn columns(&mut self, table: &str) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = match self.conn() {
            Conn::Sqlite(conn) => {
                sqlx::query_as("select name from pragma_table_info($1) order by cid")
                    .bind(table)
                    .fetch_all(conn)
                    .await?
            }
            Conn::Postgres(conn) => {
                let text = "select column_name::text from information_schema.columns
                    where table_schema = current_schema() and table_name = $1 order by ordinal_position";
                sqlx::query_as(text).bind(table).fetch_all(conn).await?
            }
        };
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}

impl Tx {
    /// Where a real table is, and where a temporary one of the same name: as prefixes of names.
    pub(crate) async fn schemas(&mut self) -> Result<(String, &'static str)> {
        Ok(match self.conn() {
            Conn::Sqlite(_) => ("main".to_owned(), "temp"),
            Conn::Postgres(conn) => {
                let text = "select quote_ident(current_schema())";
                let (schema,): (String,) = sqlx::query_as(text).fetch_one(conn).await?;
                (schema, "pg_temp")
            }
        })
    }

    /// Makes everybody else who appends wait until this transaction ends. On SQLite a writer is alone.
    pub(crate) async fn hold_logs(&mut self) -> Result<()> {
        if let Conn::Postgres(conn) = self.conn() {
            let text = "lock table logs in share row exclusive mode";
            sqlx::query(text).execute(conn).await?;
        }
        Ok(())
    }

    /// What the database itself finds wrong: damaged pages and indexes, rows that refer to nothing.
    pub(crate) async fn damage(&mut self) -> Result<Vec<String>> {
        // PostgreSQL holds its foreign keys itself, and says by itself when a page is damaged.
        let Conn::Sqlite(conn) = self.conn() else { return Ok(vec![]) };
        let text = "pragma integrity_check(100)";
        let said: Vec<(String,)> = sqlx::query_as(text).fetch_all(&mut *conn).await?;
        let mut found: Vec<String> =
            said.into_iter().map(|row| row.0).filter(|said| said != "ok").collect();
        let text = "select \"table\", \"parent\", cast(count(*) as bigint) from pragma_foreign_key_check group by 1, 2";
        let lost: Vec<(String, String, i64)> = sqlx::query_as(text).fetch_all(conn).await?;
        found.extend(lost.into_iter().map(|(table, parent, n)| {
            format!("{n} rows of {table} refer to rows of {parent} that are not there")
        }));
        Ok(found)
    }
}

impl Db {
    /// A transaction that sees one moment, and may keep notes of its own in temporary tables.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        match self {
            Db::Sqlite { .. } => self.write().await,
            Db::Postgres(pool) => {
                Ok(Tx::Postgres(begin(pool, "begin isolation level repeatable read").await?))
            }
        }
    }

    /// Makes sure that what was deleted is in no file any more: on SQLite, empties the write-ahead log. False if
    /// somebody reads what it holds; then it is to be tried again. (PostgreSQL frees and overwrites the space of
    /// deleted rows on its own time, by vacuuming.)
    pub(crate) async fn forget_deleted(&self) -> Result<bool> {
        match self {
            Db::Sqlite { write, .. } => Db::empty_log_of(write).await,
            Db::Postgres(_) => Ok(true),
        }
    }

    /// The same for one file of SQLite's.
    pub(crate) async fn empty_log_of(write: &SqlitePool) -> Result<bool> {
        let mut conn = write.acquire().await?;
        // It waits for readers with everybody who writes behind it, so not for long.
        sqlx::query("pragma busy_timeout = 500").execute(&mut *conn).await?;
        let text = "pragma wal_checkpoint(truncate)";
        let done: sqlx::Result<(i64, i64, i64)> = sqlx::query_as(text).fetch_one(&mut *conn).await;
        let text = format!("pragma busy_timeout = {}", BUSY_TIME.as_millis());
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *conn).await?;
        Ok(done?.0 == 0)
    }

    /// Whether the database answers and is whole, as far as it can tell by itself.
    pub async fn examine(&self) -> Result<()> {
        match self {
            Db::Sqlite { read, .. } => {
                let (answer,): (String,) =
                    sqlx::query_as("pragma quick_check(1)").fetch_one(read).await?;
                if answer != "ok" {
                    return Err(Error::Damaged(answer));
                }
            }
            Db::Postgres(pool) => pool.acquire().await?.ping().await?,
        }
        Ok(())
    }

    /// Whether the database answers now.
    pub async fn ping(&self) -> Result<()> {
        match self {
            Db::Sqlite { read, .. } => read.acquire().await?.ping().await?,
            Db::Postgres(pool) => pool.acquire().await?.ping().await?,
        }
        Ok(())
    }
}
