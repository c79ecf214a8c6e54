//! Where one gateway lives: a directory of its own, and on PostgreSQL a database of its own. Also the way behind its
//! back, for what a test must see or spoil in the database.

use super::part;
use mosaic_store::Ambient;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::{collections::BTreeMap, path::PathBuf};
use tempfile::TempDir;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// Where one gateway lives. It is gone when this is dropped.
pub(crate) struct Place {
    dir: TempDir,
    postgres: Option<Postgres>,
}

impl Place {
    /// None where the database is not lent to us and the test is to be skipped.
    pub(crate) fn new(database: Database) -> Option<Place> {
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(Postgres::create(part("TEST_POSTGRES_URL")?)),
        };
        Some(Place { dir: tempfile::tempdir().unwrap(), postgres })
    }

    pub(crate) fn sqlite() -> Place {
        Place { dir: tempfile::tempdir().unwrap(), postgres: None }
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A path beside the data directory; the working directory of the programs that are started here.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// The address of the database, if it is PostgreSQL.
    pub(crate) fn database_url(&self) -> Option<String> {
        self.postgres.as_ref().map(Postgres::url)
    }

    /// Runs statements behind the gateway's back.
    pub(crate) async fn run(&self, text: impl Into<String>) {
        let text = AssertSqlSafe(text.into());
        match self.connect().await {
            Beside::Sqlite(mut conn) => {
                sqlx::raw_sql(text).execute(&mut conn).await.unwrap();
                conn.close().await.unwrap();
            }
            Beside::Postgres(mut conn) => {
                sqlx::raw_sql(text).execute(&mut conn).await.unwrap();
                conn.close().await.unwrap();
            }
        }
    }

    /// Runs statements in a transaction that lasts until the connection is dropped. For PostgreSQL.
    pub(crate) async fn hold(&self, text: &'static str) -> PgConnection {
        match self.connect().await {
            Beside::Sqlite(_) => unreachable!("a second writer would only wait"),
            Beside::Postgres(mut conn) => {
                sqlx::raw_sql("begin").execute(&mut conn).await.unwrap();
                sqlx::raw_sql(text).execute(&mut conn).await.unwrap();
                conn
            }
        }
    }

    /// What a query of one text column answers.
    pub(crate) async fn rows(&self, text: impl Into<String>) -> Vec<String> {
        let text = AssertSqlSafe(text.into());
        match self.connect().await {
            Beside::Sqlite(mut conn) => {
                let rows = sqlx::query_scalar(text).fetch_all(&mut conn).await.unwrap();
                conn.close().await.unwrap();
                rows
            }
            Beside::Postgres(mut conn) => {
                let rows = sqlx::query_scalar(text).fetch_all(&mut conn).await.unwrap();
                conn.close().await.unwrap();
                rows
            }
        }
    }

    /// Every row of every table as text; bytes as hexadecimal digits.
    pub(crate) async fn tables(&self) -> BTreeMap<String, Vec<String>> {
        let (list, columns_of) = if self.is_postgres() {
            (
                // The index is written a moment later, and on SQLite elsewhere.
                "select tablename::text from pg_tables where schemaname = 'public' and tablename not like 'search%'",
                "select (column_name || ' ' || data_type)::text from information_schema.columns
                 where table_schema = 'public' and table_name = '{table}' order by ordinal_position",
            )
        } else {
            (
                "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
                "select name || ' ' || type from pragma_table_info('{table}') order by cid",
            )
        };
        let mut tables = BTreeMap::new();
        for table in self.rows(list).await {
            let columns = self.rows(columns_of.replace("{table}", &table)).await;
            let columns = columns.iter().map(|column| {
                let (name, kind) = column.split_once(' ').unwrap();
                let text = match kind {
                    "BLOB" => format!("lower(hex({name}))"),
                    "bytea" => format!("encode({name}, 'hex')"),
                    _ => format!("cast({name} as text)"),
                };
                format!("'{name}=' || coalesce({text}, 'null')")
            });
            let columns: Vec<String> = columns.collect();
            let text = format!("select {} from {table} order by 1", columns.join(" || ' ' || "));
            tables.insert(table, self.rows(text).await);
        }
        tables
    }

    /// Every file of the data directory.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.data()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(bytes) = std::fs::read(&path) {
                    // The control socket cannot be read; a side file of SQLite may be gone already.
                    files.insert(path, bytes);
                }
            }
        }
        files
    }

    async fn connect(&self) -> Beside {
        match self.database_url() {
            Some(url) => Beside::Postgres(PgConnection::connect(&url).await.unwrap()),
            None => {
                let url = format!("sqlite://{}", self.data().join("mosaic.db").display());
                Beside::Sqlite(SqliteConnection::connect(&url).await.unwrap())
            }
        }
    }
}

enum Beside {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A PostgreSQL database that only one test uses.
struct Postgres {
    server: String,
    name: String,
}

impl Postgres {
    fn create(server: String) -> Postgres {
        let name = format!("test_{}", u128::from_be_bytes(Ambient::real().bytes()));
        let database = Postgres { server, name };
        database.administer(format!("create database {}", database.name));
        database
    }

    fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    /// On a thread of its own, because a value that is dropped cannot wait for anything else.
    fn administer(&self, text: String) {
        let url = self.server.clone();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let mut server = PgConnection::connect(&url).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut server).await.unwrap();
                server.close().await.unwrap();
            });
        };
        if std::thread::spawn(work).join().is_err() {
            eprintln!("the test server of PostgreSQL did not do as it was told");
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.administer(format!("drop database if exists {} with (force)", self.name));
    }
}
