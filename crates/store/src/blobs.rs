//! Blobs: large payloads by SHA-256, each owned by one workspace.
//!
//! The same bytes in two workspaces are two blobs, with no trace of one in the other: no shared file, no faster
//! answer. On SQLite the bytes are files beside the database; on PostgreSQL they are rows of a mebibyte.
//!
//! A file is complete and synced before its row is committed, and its row is gone before the file is deleted, so a
//! row always has its bytes. Files without a row are swept up at the next start.

use crate::{
    Db, Dialect, Error, Result, Store, Tx,
    datadir::sync_dir,
    db::{One, sql},
    error::at,
    keyring::hex,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use mosaic_protocol::{BlobHash, WorkspaceId, workspace::Blob};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    pin::Pin,
};

/// The size of the pieces that blobs are read and written in.
pub const PIECE_BYTES: usize = 1024 * 1024;

/// A blob's bytes, piece by piece.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// Where the bytes are.
pub(crate) enum BlobPlace {
    Files(PathBuf),
    Rows,
}

impl BlobPlace {
    pub(crate) fn new(db: &Db, data: &Path) -> Result<BlobPlace> {
        match db.dialect() {
            Dialect::Postgres => Ok(BlobPlace::Rows),
            Dialect::Sqlite => {
                let root = data.join("blobs");
                make_dir(&root)?;
                Ok(BlobPlace::Files(root))
            }
        }
    }
}

fn make_dir(path: &Path) -> Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))
}

pub(crate) fn file(root: &Path, workspace_id: WorkspaceId, hash: &BlobHash) -> PathBuf {
    root.join(workspace_id.to_string()).join(hash.as_str())
}

fn damaged_hash<E>(_: E) -> Error {
    Error::Damaged("a blob's hash".into())
}

/// The name of these bytes.
pub fn hash_of(bytes: &[u8]) -> BlobHash {
    // SHA-256 in hexadecimal is always a blob's hash.
    BlobHash::try_from(hex(&Sha256::digest(bytes))).unwrap_or_else(|_| unreachable!())
}

/// What came of storing a blob.
#[derive(Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored.
    Stored,
    /// This workspace had it already.
    Known,
}

impl Store {
    /// Stores these bytes in a workspace, within its quota.
    pub async fn put_blob(&self, workspace_id: WorkspaceId, bytes: &Bytes) -> Result<(Blob, Put)> {
        let hash = hash_of(bytes);
        let size_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let blob = Blob { hash, size_bytes };
        // Keeps the sweep of deleted files away until the row is there.
        let stay = self.inner.blobs_stay.read().await;
        if let BlobPlace::Files(root) = &self.inner.blobs {
            // An upload that has no room must not even pass through the disk. `insert` decides again.
            room(&mut self.read().await?, workspace_id, &blob).await?;
            let (path, bytes, partial) = (
                file(root, workspace_id, &blob.hash),
                bytes.clone(),
                hex(&self.ambient().bytes::<8>()),
            );
            blocking(move || write_file(&path, &bytes, &partial)).await?;
        }
        match self.put_row(workspace_id, &blob, bytes).await {
            Ok(put) => Ok((blob, put)),
            Err(error) => {
                drop(stay);
                // If this fails, the next start does it. Why the upload failed is what matters.
                let _ = self.sweep_blob_file(workspace_id, &blob.hash).await;
                Err(error)
            }
        }
    }

    async fn put_row(&self, workspace_id: WorkspaceId, blob: &Blob, bytes: &[u8]) -> Result<Put> {
        let mut tx = self.write().await?;
        let put = insert(&mut tx, workspace_id, blob, self.ambient().now().0).await?;
        if put == Put::Stored && matches!(self.inner.blobs, BlobPlace::Rows) {
            put_chunks(&mut tx, workspace_id, &blob.hash, 0, bytes).await?;
        }
        tx.commit().await?;
        Ok(put)
    }

    /// A workspace's blob and its bytes.
    pub async fn get_blob(
        &self,
        workspace_id: WorkspaceId,
        hash: &BlobHash,
    ) -> Result<Option<(Blob, Pieces)>> {
        let stay = self.inner.blobs_stay.read().await;
        let mut tx = self.read().await?;
        let Some(size_bytes) = size(&mut tx, workspace_id, hash).await? else { return Ok(None) };
        let blob = Blob { hash: hash.clone(), size_bytes };
        match &self.inner.blobs {
            BlobPlace::Files(root) => {
                let path = file(root, workspace_id, hash);
                let file = tokio::fs::File::open(&path).await.map_err(at(&path))?;
                drop(stay); // An open file outlives its name.
                Ok(Some((blob, read_file(file, path))))
            }
            BlobPlace::Rows => {
                let (store, hash) = (self.clone(), hash.clone());
                let pieces = async_stream::try_stream! {
                    let mut left = size_bytes;
                    for n in 0.. {
                        let mut tx = store.read().await?;
                        let Some(chunk) = chunk(&mut tx, workspace_id, &hash, n).await? else { break };
                        left -= i64::try_from(chunk.len()).unwrap_or(i64::MAX);
                        yield Bytes::from(chunk);
                    }
                    // Each piece is read by itself, so the blob may have been deleted halfway.
                    if left != 0 {
                        Err(Error::Damaged("the blob was deleted while it was read".into()))?;
                    }
                };
                Ok(Some((blob, Box::pin(pieces))))
            }
        }
    }

    /// Deletes a workspace's blob. False if there is none.
    pub async fn delete_blob(&self, workspace_id: WorkspaceId, hash: &BlobHash) -> Result<bool> {
        let mut tx = self.write().await?;
        take_workspace(&mut tx, workspace_id).await?;
        let Some(size_bytes) = size(&mut tx, workspace_id, hash).await? else { return Ok(false) };
        let text = "delete from blobs where workspace_id = $1 and hash = $2";
        if sql!(tx, run, text, workspace_id, hash)? == 0 {
            return Ok(false);
        }
        let text = "update workspaces set used_bytes = used_bytes - $2 where id = $1";
        sql!(tx, run, text, workspace_id, size_bytes)?;
        tx.commit().await?;
        self.sweep_blob_file(workspace_id, hash).await?;
        Ok(true)
    }

    /// After people or workspaces were deleted: deletes the files of their blobs, and what is left of their rows.
    pub async fn forget(&self) -> Result<()> {
        self.sweep_blob_files().await?;
        self.inner.db.forget_deleted().await
    }

    /// Deletes the file of this blob if it has no row.
    async fn sweep_blob_file(&self, workspace_id: WorkspaceId, hash: &BlobHash) -> Result<()> {
        let BlobPlace::Files(root) = &self.inner.blobs else { return Ok(()) };
        let _alone = self.inner.blobs_stay.write().await;
        if size(&mut self.read().await?, workspace_id, hash).await?.is_some() {
            return Ok(());
        }
        let path = file(root, workspace_id, hash);
        blocking(move || match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(&path)(error)),
            _ => Ok(()),
        })
        .await
    }

    /// Deletes every file that has no row.
    pub(crate) async fn sweep_blob_files(&self) -> Result<()> {
        let BlobPlace::Files(root) = &self.inner.blobs else { return Ok(()) };
        let _alone = self.inner.blobs_stay.write().await;
        let mut tx = self.read().await?;
        let rows = sql!(tx, all(String, String), "select workspace_id, hash from blobs")?;
        drop(tx);
        let root = root.clone();
        blocking(move || sweep(&root, &rows.into_iter().collect())).await
    }
}

/// Whether the workspace has this blob already. `QuotaExceeded` if it has no room for it.
async fn room(tx: &mut Tx, workspace_id: WorkspaceId, blob: &Blob) -> Result<Put> {
    let text = "select used_bytes, quota_bytes from workspaces where id = $1";
    let Some((used, quota_bytes)) = sql!(tx, maybe(i64, i64), text, workspace_id)? else {
        return Err(Error::Damaged("the workspace is gone".into()));
    };
    if size(tx, workspace_id, &blob.hash).await?.is_some() {
        return Ok(Put::Known);
    }
    if used.saturating_add(blob.size_bytes) > quota_bytes {
        return Err(Error::QuotaExceeded { quota_bytes });
    }
    Ok(Put::Stored)
}

/// Makes changes of one workspace's blobs wait for each other, so that two uploads cannot both find room for one.
/// Everybody takes this row first, so nobody waits in a circle.
async fn take_workspace(tx: &mut Tx, workspace_id: WorkspaceId) -> Result<()> {
    let text = "update workspaces set used_bytes = used_bytes where id = $1";
    sql!(tx, run, text, workspace_id).map(drop)
}

async fn insert(tx: &mut Tx, workspace_id: WorkspaceId, blob: &Blob, now: i64) -> Result<Put> {
    take_workspace(tx, workspace_id).await?;
    if room(tx, workspace_id, blob).await? == Put::Known {
        return Ok(Put::Known);
    }
    let text = "update workspaces set used_bytes = used_bytes + $2 where id = $1";
    sql!(tx, run, text, workspace_id, blob.size_bytes)?;
    let text =
        "insert into blobs (workspace_id, hash, size_bytes, created_at) values ($1, $2, $3, $4)";
    sql!(tx, run, text, workspace_id, blob.hash, blob.size_bytes, now)?;
    Ok(Put::Stored)
}

async fn size(tx: &mut Tx, workspace_id: WorkspaceId, hash: &BlobHash) -> Result<Option<i64>> {
    let text = "select size_bytes from blobs where workspace_id = $1 and hash = $2";
    Ok(sql!(tx, maybe One<i64>, text, workspace_id, hash)?.map(|row| row.0))
}

async fn chunk(
    tx: &mut Tx,
    workspace_id: WorkspaceId,
    hash: &BlobHash,
    n: i64,
) -> Result<Option<Vec<u8>>> {
    let text = "select bytes from blob_chunks where workspace_id = $1 and hash = $2 and n = $3";
    Ok(sql!(tx, maybe One<Vec<u8>>, text, workspace_id, hash, n)?.map(|row| row.0))
}

pub(crate) async fn put_chunks(
    tx: &mut Tx,
    workspace_id: WorkspaceId,
    hash: &BlobHash,
    first: i64,
    bytes: &[u8],
) -> Result<()> {
    for (n, piece) in (first..).zip(bytes.chunks(PIECE_BYTES)) {
        let text = "insert into blob_chunks (workspace_id, hash, n, bytes) values ($1, $2, $3, $4)";
        sql!(tx, run, text, workspace_id, hash, n, piece)?;
    }
    Ok(())
}

/// Every blob in this transaction's picture, in order.
pub(crate) async fn all(tx: &mut Tx) -> Result<Vec<(WorkspaceId, Blob)>> {
    let rows = sql!(
        tx,
        all(String, String, i64),
        "select workspace_id, hash, size_bytes from blobs order by workspace_id, hash"
    )?;
    rows.into_iter()
        .map(|(workspace_id, hash, size_bytes)| {
            let workspace_id =
                workspace_id.parse().map_err(|_| Error::Damaged("a workspace's id".into()))?;
            Ok((
                workspace_id,
                Blob { hash: BlobHash::try_from(hash).map_err(damaged_hash)?, size_bytes },
            ))
        })
        .collect()
}

/// One piece of a blob, as this transaction sees it. Whoever calls this for files holds `blobs_stay`.
pub(crate) async fn piece(
    store: &Store,
    tx: &mut Tx,
    workspace_id: WorkspaceId,
    hash: &BlobHash,
    n: i64,
) -> Result<Option<Vec<u8>>> {
    match &store.inner.blobs {
        BlobPlace::Rows => chunk(tx, workspace_id, hash, n).await,
        BlobPlace::Files(root) => {
            let path = file(root, workspace_id, hash);
            blocking(move || {
                use std::io::{Read, Seek, SeekFrom};
                let mut file = std::fs::File::open(&path).map_err(at(&path))?;
                let start = u64::try_from(n).unwrap_or(0) * PIECE_BYTES as u64;
                let mut bytes = vec![];
                file.seek(SeekFrom::Start(start))
                    .and_then(|_| file.take(PIECE_BYTES as u64).read_to_end(&mut bytes))
                    .map_err(at(&path))?;
                Ok((!bytes.is_empty()).then_some(bytes))
            })
            .await
        }
    }
}

/// Starts a file for a blob that comes in pieces: restoring only. The caller holds `blobs_stay`.
pub(crate) fn restored_file(
    store: &Store,
    workspace_id: WorkspaceId,
    hash: &BlobHash,
) -> Option<PathBuf> {
    match &store.inner.blobs {
        BlobPlace::Rows => None,
        BlobPlace::Files(root) => Some(file(root, workspace_id, hash)),
    }
}

/// Writes the whole file under another name, syncs it, and gives it its name.
pub(crate) fn write_file(path: &Path, bytes: &[u8], partial: &str) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let dir = path.parent().unwrap_or(path);
    if !dir.exists() {
        make_dir(dir)?;
        dir.parent().map_or(Ok(()), sync_dir)?;
    }
    let partial = dir.join(format!("{partial}.partial"));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .map_err(at(&partial))?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&partial, path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&partial);
        return Err(at(path)(error));
    }
    sync_dir(dir)
}

fn read_file(file: tokio::fs::File, path: PathBuf) -> Pieces {
    use tokio::io::AsyncReadExt;
    let pieces = async_stream::try_stream! {
        let mut file = file;
        loop {
            let mut piece = Vec::with_capacity(64 * 1024);
            let n = (&mut file).take(64 * 1024).read_to_end(&mut piece).await.map_err(at(&path))?;
            if n == 0 { break }
            yield Bytes::from(piece);
        }
    };
    pieces.boxed()
}

fn sweep(root: &Path, known: &BTreeSet<(String, String)>) -> Result<()> {
    for workspace in std::fs::read_dir(root).map_err(at(root))? {
        let workspace = workspace.map_err(at(root))?;
        let (dir, workspace_id) =
            (workspace.path(), workspace.file_name().to_string_lossy().into_owned());
        if !dir.is_dir() {
            continue;
        }
        let mut left = 0;
        for blob in std::fs::read_dir(&dir).map_err(at(&dir))? {
            let blob = blob.map_err(at(&dir))?;
            let name = blob.file_name().to_string_lossy().into_owned();
            if known.contains(&(workspace_id.clone(), name)) {
                left += 1;
            } else {
                std::fs::remove_file(blob.path()).map_err(at(&blob.path()))?;
            }
        }
        if left == 0 {
            std::fs::remove_dir(&dir).map_err(at(&dir))?;
        }
    }
    Ok(())
}

/// Runs file work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Damaged(error.to_string()))?
}
