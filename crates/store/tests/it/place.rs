//! A place for a store of its own: a fresh data directory, and on PostgreSQL a fresh database. Also the ways round
//! the store: a connection of our own for looking and tampering, and pictures of everything that is stored.
//!
//! What is put into a store is in `seed.rs`.

use mosaic_protocol::Time;
use mosaic_store::{
    Ambient, Error, Options, Store,
    ambient::SetClock,
    keyring::{Key, KeySource},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub(crate) const NOW: Time = Time(1_800_000_000_000);
pub(crate) const QUOTA: i64 = 16 * 1024 * 1024;

/// Where one store lives.
#[derive(Clone)]
pub(crate) struct Place {
    dir: Arc<TempDir>,
    url: Option<String>,
    pub(crate) clock: Arc<SetClock>,
}

impl Place {
    pub(crate) fn over(url: Option<String>) -> Place {
        Place { dir: Arc::new(tempfile::tempdir().unwrap()), url, clock: SetClock::at(NOW) }
    }

    pub(crate) fn sqlite() -> Place {
        Place::over(None)
    }

    /// Runs a law with a database of its own, which is dropped whatever comes of it.
    pub(crate) async fn on_postgres<F>(law: impl FnOnce(Place) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(database) = Database::create().await else { return };
        let done = tokio::spawn(law(database.place())).await;
        database.drop().await;
        if let Err(error) = done {
            std::panic::resume_unwind(error.into_panic());
        }
    }

    /// The same database, with a data directory of its own: another node.
    pub(crate) fn another_node(&self) -> Place {
        Place { url: self.url.clone(), ..Place::sqlite() }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.url.is_some()
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A file beside the data directory.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.data().join("master.key")
    }

    /// Where the store of this place looks for its key.
    pub(crate) fn key_source(&self) -> KeySource {
        KeySource::of(None, &self.data())
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            data: self.data(),
            database_url: self.url.clone(),
            master_key: None,
            quota_bytes: QUOTA,
            ambient: Ambient::with_clock(self.clock.clone()),
            keep_spare_keys: false,
        }
    }

    /// With keys from the configuration instead of the key file.
    pub(crate) fn given(&self, key: &Key, previous: Option<&Key>) -> Options {
        Options { master_key: Some((key.clone(), previous.cloned())), ..self.options() }
    }

    pub(crate) async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }

    pub(crate) async fn try_open(&self) -> Result<Store, Error> {
        Store::open(self.options()).await
    }

    /// A connection beside the store.
    pub(crate) async fn connect(&self) -> Beside {
        match &self.url {
            Some(url) => Beside::Postgres(PgConnection::connect(url).await.unwrap()),
            None => {
                let url = format!("sqlite://{}", self.data().join("mosaic.db").display());
                Beside::Sqlite(SqliteConnection::connect(&url).await.unwrap())
            }
        }
    }

    /// Runs statements behind the store's back.
    pub(crate) async fn run(&self, text: impl Into<String>) {
        let mut beside = self.connect().await;
        beside.run(text).await;
        beside.close().await;
    }

    /// The same on the search index.
    pub(crate) async fn run_on_index(&self, text: &str) {
        if self.is_postgres() {
            return self.run(text).await;
        }
        let url = format!("sqlite://{}", self.data().join("search.db").display());
        let mut beside = Beside::Sqlite(SqliteConnection::connect(&url).await.unwrap());
        beside.run(text).await;
        beside.close().await;
    }

    /// What a query of one column answers, as text, behind the store's back.
    pub(crate) async fn rows(&self, text: impl Into<String>) -> Vec<String> {
        let mut beside = self.connect().await;
        let rows = beside.rows(text).await;
        beside.close().await;
        rows
    }

    /// Every row of every table, spelled the same on both databases.
    pub(crate) async fn tables(&self) -> Tables {
        let mut beside = self.connect().await;
        let mut tables = BTreeMap::new();
        for table in beside.rows(beside.list_tables()).await {
            let mut columns = vec![];
            for column in beside.rows(beside.list_columns(&table)).await {
                let (name, kind) = column.split_once(' ').unwrap();
                let text = match (kind, &beside) {
                    ("BLOB", _) => format!("lower(hex({name}))"),
                    ("bytea", _) => format!("encode({name}, 'hex')"),
                    _ => format!("cast({name} as text)"),
                };
                columns.push(format!("'{name}=' || coalesce({text}, 'null')"));
            }
            let text = format!("select {} from {table} order by 1", columns.join(" || ' ' || "));
            tables.insert(table, beside.rows(text).await);
        }
        beside.close().await;
        tables
    }

    /// Every file of the data directory. The lock is not data.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = files_below(&self.data());
        files.remove(&self.data().join("lock"));
        files
    }

    /// Everything that is stored, of a store that is closed: the files, and on PostgreSQL the rows.
    pub(crate) async fn picture(&self) -> Picture {
        let tables = if self.is_postgres() { self.tables().await } else { Tables::new() };
        (self.files(), tables)
    }

    /// Everything is stored as it was before. A connection that failed to open goes in its own time and takes its
    /// side files along.
    pub(crate) async fn is_still(&self, before: &Picture) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.picture().await != *before {
            assert!(Instant::now() < deadline, "something was changed");
            tokio::task::yield_now().await;
        }
    }
}

/// Files by their path, and rows.
pub(crate) type Picture = (BTreeMap<PathBuf, Vec<u8>>, Tables);

/// The rows of each table.
pub(crate) type Tables = BTreeMap<String, Vec<String>>;

pub(crate) fn files_below(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            match std::fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                bytes => drop(files.insert(path, bytes.unwrap())),
            }
        }
    }
    files
}

/// What a refusal says: the problem and the remedy, neither empty.
pub(crate) fn refusal<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Refused { problem, remedy }) => {
            assert!(!problem.is_empty() && !remedy.is_empty());
            format!("{problem}; {remedy}")
        }
        Err(error) => panic!("refused in other words than expected: {error:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

/// A connection of our own.
pub(crate) enum Beside {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Beside {
    pub(crate) async fn run(&mut self, text: impl Into<String>) {
        let text = AssertSqlSafe(text.into());
        match self {
            Beside::Sqlite(conn) => sqlx::raw_sql(text).execute(conn).await.map(drop).unwrap(),
            Beside::Postgres(conn) => sqlx::raw_sql(text).execute(conn).await.map(drop).unwrap(),
        }
    }

    pub(crate) async fn rows(&mut self, text: impl Into<String>) -> Vec<String> {
        let text = AssertSqlSafe(text.into());
        match self {
            Beside::Sqlite(conn) => sqlx::query_scalar(text).fetch_all(conn).await.unwrap(),
            Beside::Postgres(conn) => sqlx::query_scalar(text).fetch_all(conn).await.unwrap(),
        }
    }

    pub(crate) async fn close(self) {
        match self {
            Beside::Sqlite(conn) => conn.close().await.unwrap(),
            Beside::Postgres(conn) => conn.close().await.unwrap(),
        }
    }

    fn list_tables(&self) -> &'static str {
        match self {
            Beside::Sqlite(_) => {
                "select name from sqlite_master where type = 'table' and name not like 'sqlite%'"
            }
            Beside::Postgres(_) => {
                "select tablename::text from pg_tables where schemaname = 'public'"
            }
        }
    }

    fn list_columns(&self, table: &str) -> String {
        match self {
            Beside::Sqlite(_) => {
                format!("select name || ' ' || type from pragma_table_info('{table}') order by cid")
            }
            Beside::Postgres(_) => format!(
                "select (column_name || ' ' || data_type)::text from information_schema.columns
                 where table_schema = 'public' and table_name = '{table}' order by ordinal_position"
            ),
        }
    }
}

/// A PostgreSQL database that only one test uses.
struct Database {
    server: String,
    name: String,
}

impl Database {
    /// None where there is no server to test against.
    async fn create() -> Option<Database> {
        let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
            let required = std::env::var_os("TEST_REQUIRED").is_some();
            assert!(!required, "TEST_POSTGRES_URL is not set");
            eprintln!("skipped: TEST_POSTGRES_URL is not set");
            return None;
        };
        let name = format!("test_{}", u128::from_be_bytes(Ambient::real().bytes()));
        let database = Database { server, name };
        database.administer(format!("create database {}", database.name)).await;
        Some(database)
    }

    fn place(&self) -> Place {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        Place::over(Some(format!("{server}/{}", self.name)))
    }

    async fn drop(self) {
        self.administer(format!("drop database {} with (force)", self.name)).await;
    }

    async fn administer(&self, text: String) {
        let mut server = PgConnection::connect(&self.server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut server).await.unwrap();
        server.close().await.unwrap();
    }
}
