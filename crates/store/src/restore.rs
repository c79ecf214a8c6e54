//! Restoring a backup: everything or nothing.
//!
//! That the file is whole is checked first. Then one transaction takes the old rows out and puts the new ones in, so
//! a kill at any moment leaves either the old data or the new. Whether the file was written by whoever has the master
//! key, and whether what it holds fits together, is checked in that transaction, on the very bytes that are restored.
//! Files of blobs are written before the commit, and those that belong to nobody are swept at the next start.

mod sound;

use crate::{
    Error, Result, Store, Tx, audit,
    audit::Record,
    backup::{FORMAT, Line, Value, signature},
    blobs,
    db::{Conn, One, sql},
    error::at,
    keyring::{self, Key, KeySource, hex},
    migrate,
    tables::{AUDIT_HEAD, Kind, TABLES, Table},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use mosaic_protocol::{
    BlobHash, Generation, WorkspaceId,
    access::Actor,
    audit::{Deed, Of},
};
use sha2::{Digest, Sha256};
use sound::is_sound;
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

/// No line of a backup is longer: a piece of a blob in base64 is.
const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;

/// What to do with what is there, and with what the backup holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// Replace accounts that exist.
    pub replace: bool,
    /// Keep API tokens. One that was revoked after the backup works again.
    pub keep_tokens: bool,
    /// Take a backup that carries no signature: whoever had it in their hands may have changed it.
    pub unsigned: bool,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Rows of all tables.
    pub n_rows: i64,
    /// Blobs.
    pub n_blobs: i64,
}

/// Reads a backup line by line, with a bound on each line.
struct Reader<R> {
    lines: R,
    path: String,
    sha256: Sha256,
    n: u64,
}

type FileReader = Reader<BufReader<File>>;

impl FileReader {
    fn open(path: &Path) -> Result<FileReader> {
        let file = File::open(path).map_err(at(path))?;
        let lines = BufReader::with_capacity(256 * 1024, file);
        Ok(Reader::new(lines, path.display().to_string()))
    }
}

impl<R: BufRead> Reader<R> {
    fn new(lines: R, path: String) -> Self {
        Reader { lines, path, sha256: Sha256::new(), n: 0 }
    }

    fn damaged(&self, what: &str) -> Error {
        if self.n == 1 {
            return Error::refused(
                format!("{} is not a Mosaic backup", self.path),
                "nothing was changed; name a file that `mosaic backup` wrote",
            );
        }
        Error::refused(
            format!("{} is not a whole backup: line {}: {what}", self.path, self.n),
            "nothing was changed; use another backup",
        )
    }

    /// The next line, and the digest of all before it.
    fn next(&mut self) -> Result<Option<(Line, String)>> {
        self.n += 1;
        let mut text = Vec::new();
        (&mut self.lines)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut text)
            .map_err(|error| self.damaged(&error.to_string()))?;
        if text.is_empty() {
            return Ok(None);
        }
        if text.last() != Some(&b'\n') {
            return Err(self.damaged("it is cut off, or far too long"));
        }
        let before = hex(&self.sha256.clone().finalize());
        self.sha256.update(&text);
        let line =
            serde_json::from_slice(&text).map_err(|error| self.damaged(&error.to_string()))?;
        Ok(Some((line, before)))
    }
}

/// Reads the whole file and checks that it is a complete backup that this program understands. Answers which master
/// key its secrets are sealed under.
pub fn check(path: &Path) -> Result<String> {
    check_lines(FileReader::open(path)?)
}

/// The same for a backup in memory: what fuzzing feeds.
pub fn check_bytes(bytes: &[u8]) -> Result<String> {
    check_lines(Reader::new(bytes, "the backup".to_owned()))
}

fn check_lines(mut reader: Reader<impl BufRead>) -> Result<String> {
    let key_id = match reader.next()? {
        Some((Line::MosaicBackup { format, migration, key_id, .. }, _)) => {
            if format != FORMAT || migration > migrate::latest() {
                return Err(Error::refused(
                    format!(
                        "{} was written by a newer mosaic (format {format}, migration {migration})",
                        reader.path
                    ),
                    "restore it with the version that wrote it, or a newer one",
                ));
            }
            key_id
        }
        _ => return Err(reader.damaged("it does not begin as one")),
    };
    let mut n_rows = 0;
    let mut n_blobs = 0;
    loop {
        match reader.next()? {
            None => return Err(reader.damaged("it has no end")),
            Some((Line::Row(_), _)) => n_rows += 1,
            Some((Line::Blob { .. }, _)) => n_blobs += 1,
            Some((Line::Table { .. } | Line::Piece(_), _)) => {}
            Some((Line::MosaicBackup { .. }, _)) => return Err(reader.damaged("it begins twice")),
            Some((end @ Line::End { .. }, before)) => {
                let Line::End { n_rows: rows, n_blobs: blobs, sha256, .. } = end else { continue };
                if (rows, blobs, sha256) != (n_rows, n_blobs, before) {
                    return Err(reader.damaged("its checksum is wrong"));
                }
                return match reader.next()? {
                    None => Ok(key_id),
                    Some(_) => Err(reader.damaged("something follows its end")),
                };
            }
        }
    }
}

/// Refuses a restore for which the right master key is not at hand, before anything is made.
pub fn check_key(source: &KeySource, key_id: &str) -> Result<()> {
    if source.for_backups()?.iter().any(|key| key.id() == key_id) {
        return Ok(());
    }
    Err(no_key(key_id))
}

fn no_key(key_id: &str) -> Error {
    Error::refused(
        format!("this backup is sealed under master key {key_id}, which is not here"),
        "put its master.key into the data directory (a line more in the file, if there is another key), or set MOSAIC_MASTER_KEY",
    )
}

impl Store {
    /// Puts the backup in place of everything. Call [`check`] first. The caller owns the store alone.
    pub async fn restore(&self, path: &Path, how: How, progress: impl Fn(i64)) -> Result<Restored> {
        let mut tx = audit::begin(self).await?;
        tx.take_time().await?;
        let (n_users,) = sql!(tx, one One<i64>, "select count(*) from users")?;
        if n_users > 0 && !how.replace {
            return Err(Error::refused(
                match n_users {
                    1 => "there is an account here already".to_owned(),
                    n => format!("there are {n} accounts here already"),
                },
                "give --replace to delete everything that is here first, or restore into an empty data directory",
            ));
        }
        for table in
            TABLES.iter().rev().filter(|table| !matches!(table.name, "migrations" | "meta"))
        {
            clear(&mut tx, table.name).await?;
        }
        clear(&mut tx, AUDIT_HEAD).await?;
        // Reading the file blocks; nothing else runs in this process.
        let mut reader = FileReader::open(path)?;
        let loaded = self.load(&mut tx, &mut reader, progress).await?;
        let keys = self.inner.key_source.for_backups()?;
        let signed = loaded.is_signed(&reader, &keys, how)?;
        let restored = loaded.restored;
        if !how.keep_tokens {
            clear(&mut tx, "tokens").await?;
        }
        sql!(
            tx,
            run,
            "insert into audit_head (one, seq, digest)
             select 1, seq, digest from audit order by seq desc limit 1"
        )?;
        audit::found(&mut tx).await?;
        let generation: Generation = self.ambient().id(Generation::new);
        sql!(
            tx,
            run,
            "update meta set value = $1 where name = 'generation'",
            generation.to_string()
        )?;
        // Opened with the restored check value: what was sealed before is gone with the old rows.
        let ring = keyring::recognise(&mut tx, &self.inner.key_source, &keys).await?;
        let ring = ring.ok_or_else(|| reader.damaged("it holds no keyring"))?;
        if ring.current().id() != loaded.key_id {
            return Err(reader.damaged("it is sealed under another key than it says"));
        }
        let key = keyring::audit_key_of(&mut tx, &ring).await?;
        let log = audit::walk(&mut tx, &key, None).await?;
        match (log.broken_at, signed) {
            (None, _) => {}
            // It was broken when the backup was written; that is no reason to lose everything else.
            (Some(seq), true) => {
                tracing::warn!(seq, "the backup's audit log is broken: {}", log.message);
            }
            (Some(_), false) => return Err(reader.damaged("its audit log is broken")),
        }
        let before = self.keys();
        if before.current().id() != ring.current().id() {
            self.inner.key_source.hand_over(before.current(), ring.current())?;
        }
        self.set_keys(ring.clone());
        let record = Record {
            actor: Some(&Actor::System),
            deed: Deed::Restore,
            of: Of::Server,
            detail: generation.to_string(),
        };
        let done = match audit::append(self, &mut tx, record).await {
            Ok(()) => tx.commit().await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.set_keys(before);
            return Err(error);
        }
        self.inner.key_source.settle(ring.current())?;
        self.sweep_all_files().await?;
        self.inner.db.forget_deleted().await?;
        Ok(restored)
    }

    async fn load(
        &self,
        tx: &mut Tx,
        reader: &mut FileReader,
        progress: impl Fn(i64),
    ) -> Result<Loaded> {
        let Some((Line::MosaicBackup { key_id, .. }, _)) = reader.next()? else {
            return Err(reader.damaged("it does not begin as one"));
        };
        let mut done = Restored { n_rows: 0, n_blobs: 0 };
        let mut into: Option<(&'static Table, Vec<(&'static str, Kind)>)> = None;
        let mut blob: Option<OpenBlob> = None;
        // Blobs come in order, so none comes twice.
        let mut last: Option<(WorkspaceId, BlobHash)> = None;
        while let Some((line, before)) = reader.next()? {
            if !matches!(line, Line::Piece(_)) {
                self.finish_blob(tx, reader, blob.take()).await?;
            }
            match line {
                Line::MosaicBackup { .. } => return Err(reader.damaged("it begins twice")),
                Line::Table { name, columns } => into = Some(table(reader, &name, &columns)?),
                Line::Row(values) => {
                    let (table, columns) =
                        into.as_ref().ok_or_else(|| reader.damaged("a row without a table"))?;
                    if values.len() != columns.len() {
                        return Err(reader.damaged("a row of the wrong length"));
                    }
                    insert(tx, reader, table.name, columns, values).await?;
                    done.n_rows += 1;
                    progress(done.n_rows);
                }
                Line::Blob { workspace_id, hash, size_bytes } => {
                    let this = Some((workspace_id, hash.clone()));
                    if this <= last {
                        return Err(reader.damaged("a blob that is twice in it, or out of order"));
                    }
                    last = this;
                    if blobs::size(tx, workspace_id, &hash).await? != Some(size_bytes) {
                        return Err(reader.damaged("a blob without its row"));
                    }
                    blob = Some(OpenBlob { workspace_id, hash, size_bytes, bytes: vec![] });
                    done.n_blobs += 1;
                }
                Line::Piece(text) => {
                    let bytes = STANDARD
                        .decode(text)
                        .map_err(|_| reader.damaged("a piece is not base64"))?;
                    let open =
                        blob.as_mut().ok_or_else(|| reader.damaged("a piece without a blob"))?;
                    open.bytes.extend(bytes);
                    if i64::try_from(open.bytes.len()).is_ok_and(|len| len > open.size_bytes) {
                        return Err(reader.damaged("a blob that is larger than it says"));
                    }
                }
                Line::End { n_rows, n_blobs, sha256, signature } => {
                    // The file was checked before, but it may be another one by now.
                    if (n_rows, n_blobs, &sha256) != (done.n_rows, done.n_blobs, &before) {
                        return Err(reader.damaged("its checksum is wrong"));
                    }
                    if reader.next()?.is_some() {
                        return Err(reader.damaged("something follows its end"));
                    }
                    agree(tx, reader, &done).await?;
                    return Ok(Loaded { restored: done, key_id, sha256, signature });
                }
            }
        }
        Err(reader.damaged("it has no end"))
    }

    async fn finish_blob(
        &self,
        tx: &mut Tx,
        reader: &FileReader,
        blob: Option<OpenBlob>,
    ) -> Result<()> {
        let Some(OpenBlob { workspace_id, hash, size_bytes, bytes }) = blob else { return Ok(()) };
        if blobs::hash_of(&bytes) != hash || i64::try_from(bytes.len()).ok() != Some(size_bytes) {
            return Err(reader.damaged("a blob does not have its hash"));
        }
        match blobs::restored_file(self, workspace_id, &hash) {
            Some(path) => blobs::write_file(&path, &bytes, &hex(&self.ambient().bytes::<8>())),
            None => blobs::put_chunks(tx, workspace_id, &hash, 0, &bytes).await,
        }
    }
}

/// A blob whose pieces are coming.
struct OpenBlob {
    workspace_id: WorkspaceId,
    hash: BlobHash,
    size_bytes: i64,
    bytes: Vec<u8>,
}

/// A backup that was read to its end.
struct Loaded {
    restored: Restored,
    key_id: String,
    sha256: String,
    signature: Option<String>,
}

impl Loaded {
    /// Whether it carries a signature. A wrong one is refused, and so is none, unless that was asked for.
    fn is_signed(&self, reader: &FileReader, keys: &[Key], how: How) -> Result<bool> {
        let key = keys.iter().find(|key| key.id() == self.key_id);
        let Some(key) = key else { return Err(no_key(&self.key_id)) };
        match &self.signature {
            Some(signed) if *signed == signature(key, &self.sha256) => Ok(true),
            Some(_) => Err(reader.damaged("its signature is wrong: it was changed")),
            None if how.unsigned => Ok(false),
            None => Err(Error::refused(
                format!("{} carries no signature: anybody may have changed it", reader.path),
                "use another backup or, if you are sure of this one, give --unsigned",
            )),
        }
    }
}

/// What must hold between the rows: every blob has come, and what is derived is derived anew.
async fn agree(tx: &mut Tx, reader: &FileReader, done: &Restored) -> Result<()> {
    let (n_blobs,) = sql!(tx, one One<i64>, "select count(*) from blobs")?;
    if n_blobs != done.n_blobs {
        return Err(reader.damaged("a blob has a row and no bytes"));
    }
    let text =
        "update workspaces set used_bytes = (select coalesce(cast(sum(b.size_bytes) as bigint), 0)
        from blobs b where b.workspace_id = workspaces.id)";
    sql!(tx, run, text).map(drop)
}

async fn clear(tx: &mut Tx, table: &str) -> Result<()> {
    // Names come from our own list of tables only.
    tx.script(format!("delete from {table}")).await
}

/// Our table of that name and our columns of those names: a backup never chooses what SQL runs.
fn table(
    reader: &FileReader,
    name: &str,
    columns: &[String],
) -> Result<(&'static Table, Vec<(&'static str, Kind)>)> {
    let table = TABLES.iter().find(|table| table.kept && table.name == name);
    let table = table.ok_or_else(|| reader.damaged("a table that is not ours"))?;
    let column = |name: &String| table.columns.iter().find(|column| column.0 == name).copied();
    let columns: Option<Vec<_>> = columns.iter().map(column).collect();
    Ok((table, columns.ok_or_else(|| reader.damaged("a column that is not ours"))?))
}

async fn insert(
    tx: &mut Tx,
    reader: &FileReader,
    table: &str,
    columns: &[(&'static str, Kind)],
    values: Vec<Value>,
) -> Result<()> {
    if let Some(((column, _), _)) =
        columns.iter().zip(&values).find(|((column, _), value)| !is_sound(table, column, value))
    {
        return Err(reader.damaged(&format!("a value of {table}.{column} that makes no sense")));
    }
    let names: Vec<&str> = columns.iter().map(|column| column.0).collect();
    let marks: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
    let text = sqlx::AssertSqlSafe(format!(
        "insert into {table} ({}) values ({})",
        names.join(", "),
        marks.join(", ")
    ));
    macro_rules! bind {
        ($query:expr) => {{
            let mut query = $query;
            for (value, (_, kind)) in values.into_iter().zip(columns) {
                query = match (kind, value) {
                    (Kind::Text, Value::Text(text)) => query.bind(Some(text)),
                    (Kind::Int, Value::Int(int)) => query.bind(Some(int)),
                    (Kind::Bytes, Value::Bytes { base64 }) => {
                        let bytes = STANDARD
                            .decode(base64)
                            .map_err(|_| reader.damaged("bytes that are not base64"))?;
                        query.bind(Some(bytes))
                    }
                    (Kind::Text, Value::Null) => query.bind(None::<String>),
                    (Kind::Int, Value::Null) => query.bind(None::<i64>),
                    (Kind::Bytes, Value::Null) => query.bind(None::<Vec<u8>>),
                    _ => return Err(reader.damaged("a value of the wrong kind")),
                };
            }
            query
        }};
    }
    let done = match tx.conn() {
        Conn::Sqlite(conn) => bind!(sqlx::query(text)).execute(conn).await.map(drop),
        Conn::Postgres(conn) => bind!(sqlx::query(text)).execute(conn).await.map(drop),
    };
    done.map_err(|error| match Error::from(error) {
        Error::Taken => reader.damaged("something that must be unique is in it twice"),
        Error::Database(error) => reader.damaged(&error.to_string()),
        error => error,
    })
}
