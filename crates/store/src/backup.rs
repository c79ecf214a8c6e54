//! Backups: one file that either database writes while it runs and either restores.
//!
//! JSON, a line each: what it is, then every table with its rows, then every blob in pieces, then the counts, the
//! SHA-256 of all before, and that signed with a key that is made from the master key. All of it is one moment's
//! picture, because it is read in one transaction. The file appears under its name only when it is complete. The
//! master key is not in it.

use crate::{
    Ambient, Error, Result, Store, Tx, blobs,
    datadir::sync_dir,
    db::{Conn, One, sql},
    error::at,
    keyring::{Key, hex},
    migrate,
    tables::{Kind, TABLES, Table},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::StreamExt;
use mosaic_protocol::{BlobHash, Time, WorkspaceId, operator::BackupReport};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{Column, ColumnIndex, Decode, Row, Type};
use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;

/// The version of the format.
pub(crate) const FORMAT: u32 = 1;

/// One line of a backup.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Line {
    /// The first line.
    MosaicBackup { format: u32, migration: i64, taken_at: Time, key_id: String },
    /// What follows are rows of this table, with values in this order.
    Table { name: String, columns: Vec<String> },
    /// One row.
    Row(Vec<Value>),
    /// What follows are the pieces of this blob.
    Blob { workspace_id: WorkspaceId, hash: BlobHash, size_bytes: i64 },
    /// Up to a mebibyte of it, in base64.
    Piece(String),
    /// The last line.
    End {
        n_rows: i64,
        n_blobs: i64,
        sha256: String,
        /// Made with the master key over the SHA-256. Older backups have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
}

/// One value of a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes { base64: String },
}

impl Store {
    /// Writes everything to a new file, while the gateway runs.
    pub async fn backup(&self, path: &Path) -> Result<BackupReport> {
        if path.exists() {
            return Err(Error::refused(
                format!("{} exists already", path.display()),
                "choose a name that is free; a backup never replaces a file",
            ));
        }
        // No blob that this picture has may be deleted before it is read.
        let _held = self.hold_blobs();
        let mut tx = self.read().await?;
        tx.take_time().await?;
        let taken_at = self.ambient().now();
        let key_id = sealed_under(&mut tx).await?;
        let key = self.signing_key(&key_id)?;
        let (lines, written) = write_to(path.to_owned(), self.ambient().clone(), key);
        let sent = send_all(self, &mut tx, &lines, taken_at, key_id.clone()).await;
        drop(lines);
        let written = written.await.map_err(|error| Error::Damaged(error.to_string()))?;
        let ((n_rows, n_blobs), size_bytes) = match (sent, written) {
            (Ok(counts), Ok(size_bytes)) => (counts, size_bytes),
            // The writer stopped first, and that shows on this side as a closed channel: the writer knows the cause.
            (Ok(_) | Err(Error::DiskFull), Err(error)) | (Err(error), _) => return Err(error),
        };
        Ok(BackupReport {
            path: path.display().to_string(),
            taken_at,
            n_rows,
            n_blobs,
            size_bytes,
            key_id,
        })
    }
}

impl Store {
    /// The key that the database is sealed under, which another node may just have changed.
    fn signing_key(&self, key_id: &str) -> Result<Key> {
        let ring = self.keys();
        let known = [vec![ring.current().clone()], self.inner.key_source.for_backups()?].concat();
        known.into_iter().find(|key| key.id() == key_id).ok_or_else(|| {
            Error::refused(
                format!(
                    "the data is sealed under master key {key_id} now, which this node has not"
                ),
                "give this node the new key, and try again",
            )
        })
    }
}

/// What proves that whoever wrote a backup with this digest had the master key.
pub(crate) fn signature(key: &Key, sha256: &str) -> String {
    hex(&key.derive(b"mosaic backup 1", sha256.as_bytes()))
}

async fn sealed_under(tx: &mut Tx) -> Result<String> {
    Ok(sql!(tx, one One<String>, "select key_id from keyring where name = 'check'")?.0)
}

/// The fault is in what is backed up, not where it is written to.
fn lost_blob(error: Error) -> Error {
    match error {
        Error::File { path, cause } => Error::refused(
            format!("a blob that belongs into the backup cannot be read: {path}: {cause}"),
            "no backup was written; put the file back from a copy of blobs/, or delete that blob; `mosaic doctor` lists what is lost when no gateway runs",
        ),
        error => error,
    }
}

type Lines = mpsc::Sender<Line>;

async fn send(lines: &Lines, line: Line) -> Result<()> {
    lines.send(line).await.map_err(|_| Error::DiskFull)
}

async fn send_all(
    store: &Store,
    tx: &mut Tx,
    lines: &Lines,
    taken_at: Time,
    key_id: String,
) -> Result<(i64, i64)> {
    send(
        lines,
        Line::MosaicBackup { format: FORMAT, migration: migrate::latest(), taken_at, key_id },
    )
    .await?;
    let (mut n_rows, mut n_blobs) = (0, 0);
    for table in TABLES.iter().filter(|table| table.kept) {
        let columns = table.columns.iter().map(|column| column.0.to_owned()).collect();
        send(lines, Line::Table { name: table.name.to_owned(), columns }).await?;
        n_rows += send_rows(tx, lines, table).await?;
    }
    for (workspace_id, blob) in blobs::all(tx).await? {
        let (hash, size_bytes) = (blob.hash, blob.size_bytes);
        send(lines, Line::Blob { workspace_id, hash: hash.clone(), size_bytes }).await?;
        let mut sha256 = Sha256::new();
        let mut n = 0;
        while let Some(piece) =
            blobs::piece(store, tx, workspace_id, &hash, n).await.map_err(lost_blob)?
        {
            sha256.update(&piece);
            send(lines, Line::Piece(STANDARD.encode(piece))).await?;
            n += 1;
        }
        if hex(&sha256.finalize()) != hash.as_str() {
            // With it the backup could not be restored, so nobody may take it for one.
            return Err(Error::Damaged(format!("blob {hash} of workspace {workspace_id}")));
        }
        n_blobs += 1;
    }
    send(lines, Line::End { n_rows, n_blobs, sha256: String::new(), signature: None }).await?;
    Ok((n_rows, n_blobs))
}

async fn send_rows(tx: &mut Tx, lines: &Lines, table: &Table) -> Result<i64> {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.0).collect();
    // Names come from our own list of tables only.
    let text = sqlx::AssertSqlSafe(format!(
        "select {} from {} order by 1, 2",
        columns.join(", "),
        table.name
    ));
    let mut n = 0;
    match tx.conn() {
        Conn::Sqlite(conn) => {
            let mut rows = sqlx::query(text).fetch(conn);
            while let Some(row) = rows.next().await {
                send(lines, Line::Row(values(&row?, table)?)).await?;
                n += 1;
            }
        }
        Conn::Postgres(conn) => {
            let mut rows = sqlx::query(text).fetch(conn);
            while let Some(row) = rows.next().await {
                send(lines, Line::Row(values(&row?, table)?)).await?;
                n += 1;
            }
        }
    }
    Ok(n)
}

fn values<'r, R>(row: &'r R, table: &Table) -> Result<Vec<Value>>
where
    R: Row,
    usize: ColumnIndex<R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    debug_assert!(
        row.columns().iter().zip(table.columns).all(|(column, ours)| column.name() == ours.0)
    );
    let value = |(i, (_, kind)): (usize, &(&str, Kind))| -> Result<Value> {
        Ok(match kind {
            Kind::Text => row.try_get::<Option<String>, _>(i)?.map_or(Value::Null, Value::Text),
            Kind::Int => row.try_get::<Option<i64>, _>(i)?.map_or(Value::Null, Value::Int),
            Kind::Bytes => row
                .try_get::<Option<Vec<u8>>, _>(i)?
                .map_or(Value::Null, |bytes| Value::Bytes { base64: STANDARD.encode(bytes) }),
        })
    };
    table.columns.iter().enumerate().map(value).collect()
}

/// Writes the lines that are sent, and answers the size of the finished file.
fn write_to(
    path: PathBuf,
    ambient: Ambient,
    key: Key,
) -> (Lines, tokio::task::JoinHandle<Result<i64>>) {
    let (lines, mut incoming) = mpsc::channel::<Line>(64);
    let writing = tokio::task::spawn_blocking(move || {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", hex(&ambient.bytes::<4>())));
        let partial = path.with_file_name(name);
        let result = write_lines(&partial, &path, &key, &mut incoming);
        if result.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        result
    });
    (lines, writing)
}

fn write_lines(
    partial: &Path,
    path: &Path,
    key: &Key,
    incoming: &mut mpsc::Receiver<Line>,
) -> Result<i64> {
    // It holds password hashes and everything people wrote: nobody else's business.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(partial)
        .map_err(at(path))?;
    let mut out = Hashed {
        out: BufWriter::with_capacity(256 * 1024, file),
        sha256: Sha256::new(),
        size_bytes: 0,
    };
    let mut complete = false;
    while let Some(mut line) = incoming.blocking_recv() {
        if let Line::End { sha256, signature: signed, .. } = &mut line {
            *sha256 = hex(&out.sha256.clone().finalize());
            *signed = Some(signature(key, sha256));
            complete = true;
        }
        let mut text =
            serde_json::to_vec(&line).map_err(|error| Error::Damaged(error.to_string()))?;
        text.push(b'\n');
        out.write(&text).map_err(at(partial))?;
    }
    if !complete {
        return Err(Error::Damaged("the backup was cut short".into()));
    }
    let file = out.out.into_inner().map_err(|error| at(partial)(error.into_error()))?;
    file.sync_all().map_err(at(partial))?;
    // Linking instead of renaming: a file that appeared meanwhile is not replaced.
    std::fs::hard_link(partial, path).map_err(at(path))?;
    std::fs::remove_file(partial).map_err(at(partial))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_dir(parent.unwrap_or(Path::new(".")))?;
    Ok(out.size_bytes)
}

struct Hashed {
    out: BufWriter<File>,
    sha256: Sha256,
    size_bytes: i64,
}

impl Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.sha256.update(bytes);
        self.size_bytes += i64::try_from(bytes.len()).unwrap_or(0);
        self.out.write_all(bytes)
    }
}
