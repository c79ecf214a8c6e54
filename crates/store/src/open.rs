//! Opening the store, in an order that writes nothing before everything has been checked.

use crate::{
    Ambient, DataDir, Db, Dialect, Error, Result, Tx,
    blobs::{BlobPlace, Forgetting},
    bus::Joined,
    commit::Committer,
    db::{One, sql},
    keyring::{self, Key, KeySource, Keyring},
    live::Lives,
    lost::{self, For},
    migrate, search,
};
use mosaic_protocol::Generation;
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

/// What to open.
pub struct Options {
    /// The data directory.
    pub data: PathBuf,
    /// A PostgreSQL URL; without one, SQLite in the data directory.
    pub database_url: Option<String>,
    /// The master key and the one before it, if they come from the configuration.
    pub master_key: Option<(Key, Option<Key>)>,
    /// How much disk a new workspace may use.
    pub quota_bytes: i64,
    /// The clock and the randomness.
    pub ambient: Ambient,
    /// Leave spare master keys in the key file: a restore may need one of them.
    pub keep_spare_keys: bool,
}

/// Everything durable.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ambient: Ambient,
    pub(crate) keys: RwLock<Keyring>,
    pub(crate) key_source: KeySource,
    pub(crate) blobs: BlobPlace,
    pub(crate) quota_bytes: i64,
    pub(crate) lives: Arc<Lives>,
    pub(crate) committer: Committer,
    pub(crate) index: tokio::sync::OnceCell<search::Index>,
    pub(crate) index_file: PathBuf,
    pub(crate) unindexed: Arc<search::Unindexed>,
    /// The bus, if there is one.
    pub(crate) joined: std::sync::Mutex<Option<Joined>>,
    dir: std::sync::Mutex<Option<DataDir>>,
    pub(crate) forgetting: Forgetting,
    /// One change of the master key at a time.
    pub(crate) rotating: tokio::sync::Mutex<()>,
}

impl Store {
    /// Opens the store, and makes it if there is none.
    pub async fn open(options: Options) -> Result<Store> {
        Self::open_holding(DataDir::lock(&options.data)?, options).await
    }

    /// Opens the store in a data directory whose lock is held already.
    pub async fn open_holding(dir: DataDir, options: Options) -> Result<Store> {
        let ambient = options.ambient;
        let key_source = KeySource::of(options.master_key, dir.path());
        // A key that was retired may be the right one after all: a restore that was killed after its commit.
        let candidates = key_source.for_backups()?;
        let opened_for = if options.keep_spare_keys { For::Restore } else { For::Use };
        let db = match &options.database_url {
            Some(url) => Db::open_postgres(url).await?,
            // Before SQLite makes a file.
            None => {
                lost::refuse_lost_file(dir.path(), opened_for)?;
                Db::open_sqlite(&dir.database()).await.map_err(|error| match error {
                    Error::Damaged(what) => damaged(&dir, &what),
                    error => error,
                })?
            }
        };
        let looked = async {
            let mut tx = db.read().await?;
            if migrate::check(&mut tx).await? == 0 && db.dialect() == Dialect::Sqlite {
                lost::refuse_lost_tables(dir.path(), opened_for)?;
            }
            keyring::recognise(&mut tx, &key_source, &candidates).await
        };
        let recognised = looked.await.map_err(|error| match error {
            Error::Damaged(what) => damaged(&dir, &what),
            error => error,
        });
        let recognised = match recognised {
            Ok(recognised) => recognised,
            Err(error) => {
                db.close().await;
                return Err(error);
            }
        };

        // From here on we write.
        let mut tx = db.write().await?;
        migrate::apply(&mut tx, db.dialect(), ambient.now()).await?;
        // Asked again, because another node may have been faster with an empty database.
        let recognised = match recognised {
            Some(ring) => Some(ring),
            None => keyring::recognise(&mut tx, &key_source, &candidates).await?,
        };
        let keys = match recognised {
            Some(ring) => ring,
            None => {
                let key = key_source
                    .candidates()?
                    .into_iter()
                    .next()
                    .map_or_else(|| key_source.first(&ambient), Ok)?;
                let ring = Keyring::only(key);
                keyring::found(&mut tx, &ambient, &ring).await?;
                ring
            }
        };
        let generation: Generation = ambient.id(Generation::new);
        sql!(
            tx,
            run,
            "insert into meta (name, value) values ('generation', $1) on conflict (name) do nothing",
            generation.to_string()
        )?;
        tx.commit().await?;
        if !options.keep_spare_keys {
            key_source.settle(keys.current())?;
        }

        let blobs = BlobPlace::new(&db, dir.path())?;
        let lives = Arc::<Lives>::default();
        let unindexed = Arc::<search::Unindexed>::default();
        unindexed.look();
        let committer =
            Committer::begin(db.clone(), ambient.clone(), lives.clone(), unindexed.clone());
        let inner = Inner {
            db,
            ambient,
            keys: RwLock::new(keys),
            key_source,
            blobs,
            quota_bytes: options.quota_bytes,
            lives,
            committer,
            index: tokio::sync::OnceCell::new(),
            index_file: search::file_in(dir.path()),
            unindexed,
            joined: std::sync::Mutex::default(),
            dir: std::sync::Mutex::new(Some(dir)),
            forgetting: Forgetting::default(),
            rotating: tokio::sync::Mutex::new(()),
        };
        let store = Store { inner: Arc::new(inner) };
        store.sweep_all_files().await?;
        Ok(store)
    }

    /// Looks at a store without changing it: which migration it is at, whether the key fits, whether the database is
    /// whole. `None`: there is none yet.
    pub async fn examine(options: &Options) -> Result<Option<i64>> {
        let Some(looked) = look(options).await? else { return Ok(None) };
        let whole = looked.db.examine().await;
        looked.db.close().await;
        whole?;
        Ok((looked.migration > 0).then_some(looked.migration))
    }

    /// A transaction that only reads, and sees one moment.
    pub async fn read(&self) -> Result<Tx> {
        self.inner.db.read().await
    }

    /// A transaction that writes.
    pub async fn write(&self) -> Result<Tx> {
        self.inner.db.write().await
    }

    /// The database itself, for looking after it.
    pub fn db(&self) -> &Db {
        &self.inner.db
    }

    /// Whether nobody but this process can use the data.
    pub fn is_alone(&self) -> bool {
        self.dialect() == Dialect::Sqlite
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.inner.db.dialect()
    }

    /// The clock and the randomness.
    pub fn ambient(&self) -> &Ambient {
        &self.inner.ambient
    }

    /// How much disk a new workspace may use.
    pub fn quota_bytes(&self) -> i64 {
        self.inner.quota_bytes
    }

    pub(crate) fn keys(&self) -> Keyring {
        self.inner.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_keys(&self, keys: Keyring) {
        *self.inner.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Which life of the data this is; it changes when a backup is restored.
    pub async fn generation(&self) -> Result<Generation> {
        let mut tx = self.read().await?;
        let (text,) =
            sql!(tx, one One<String>, "select value from meta where name = 'generation'")?;
        text.parse().map_err(|_| Error::Damaged("the generation is not an id".into()))
    }

    /// Writes down where the gateway listens, for those who find the data directory locked.
    pub fn announce(&self, address: &str) -> Result<()> {
        match self.inner.dir.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(dir) => dir.announce(address),
            None => Ok(()),
        }
    }

    /// Closes the database and gives the data directory free.
    pub async fn close(&self) {
        self.inner.committer.end().await;
        let joined = self.inner.joined.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(joined) = joined {
            joined.end().await;
        }
        self.settle().await;
        if let Some(index) = self.inner.index.get() {
            index.close().await;
        }
        self.inner.db.close().await;
        self.inner.dir.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A database that has passed the checks before a start. Nothing was written.
pub(crate) struct Looked {
    pub(crate) db: Db,
    /// How far it is; 0 is an empty one.
    pub(crate) migration: i64,
    /// What opens its sealed values. `None`: it was never sealed.
    pub(crate) keys: Option<Keyring>,
}

/// Opens a database for looking only. `None`: there is none yet.
pub(crate) async fn look(options: &Options) -> Result<Option<Looked>> {
    let source = KeySource::of(options.master_key.clone(), &options.data);
    let candidates = source.for_backups()?;
    let database = options.data.join("mosaic.db");
    if options.database_url.is_none() {
        lost::refuse_lost_file(&options.data, For::Use)?;
    }
    let db = match &options.database_url {
        Some(url) => Db::open_postgres(url).await?,
        None if !database.exists() => return Ok(None),
        None => Db::open_sqlite(&database).await?,
    };
    let looked = async {
        let mut tx = db.read().await?;
        let migration = migrate::check(&mut tx).await?;
        if migration == 0 && db.dialect() == Dialect::Sqlite {
            lost::refuse_lost_tables(&options.data, For::Use)?;
        }
        let keys = keyring::recognise(&mut tx, &source, &candidates).await?;
        Ok((migration, keys))
    };
    match looked.await {
        Ok((migration, keys)) => Ok(Some(Looked { db, migration, keys })),
        Err(error) => {
            db.close().await;
            Err(error)
        }
    }
}

fn damaged(dir: &DataDir, what: &str) -> Error {
    Error::refused(
        format!("the database {} is damaged: {what}", dir.database().display()),
        "nothing was changed; move the data directory aside and restore a backup: mosaic restore FILE",
    )
}
