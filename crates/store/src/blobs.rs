//! Blobs: large payloads by SHA-256, each owned by one workspace.
//!
//! The same bytes in two workspaces are two blobs, with no trace of one in the other: no shared file, no faster
//! answer. On SQLite the bytes are files beside the database; on PostgreSQL they are rows of a mebibyte.
//!
//! A file is complete and synced before its row is committed, and its row is gone before the file is deleted. Both
//! are one piece of work that nobody can cut short by hanging up; files without a row are swept at the next start.

pub(crate) mod files;
mod forget;

pub(crate) use files::{blocking, write as write_file};
pub(crate) use forget::Forgetting;
pub use forget::Held;

use crate::{
    Db, Dialect, Error, Result, Store, Tx,
    db::{One, sql},
    error::at,
    keyring::hex,
    many::Bound,
};
use bytes::Bytes;
use files::file;
use futures_util::Stream;
use mosaic_protocol::{BlobHash, WorkspaceId, workspace::Blob};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
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
                files::make_dir(&root)?;
                Ok(BlobPlace::Files(root))
            }
        }
    }
}

fn damaged_hash<E>(_: E) -> Error {
    Error::Damaged("a blob's hash".into())
}

/// The name of these bytes.
pub fn hash_of(bytes: &[u8]) -> BlobHash {
    // SHA-256 in hexadecimal is always a blob's hash.
    BlobHash::try_from(hex(&Sha256::digest(bytes))).unwrap_or_else(|_| unreachable!())
}

/// Whether this workspace has that blob.
pub async fn exists(tx: &mut Tx, workspace_id: WorkspaceId, hash: &BlobHash) -> Result<bool> {
    Ok(size(tx, workspace_id, hash).await?.is_some())
}

/// Those of these that the workspace has.
pub async fn known(
    tx: &mut Tx,
    workspace_id: WorkspaceId,
    hashes: &BTreeSet<BlobHash>,
) -> Result<BTreeSet<BlobHash>> {
    let rows: Vec<(String,)> = tx
        .ask_many(
            "select hash from blobs where (workspace_id, hash) in (values",
            "(?, ?)",
            ")",
            hashes
                .iter()
                .map(|it| [Bound::text(&workspace_id), Bound::Text(it.to_string())])
                .collect(),
        )
        .await?;
    Ok(rows.into_iter().filter_map(|(hash,)| hash.try_into().ok()).collect())
}

/// What came of storing a blob.
#[derive(Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored.
    Stored,
    /// This workspace had it already.
    Known,
}

/// A file that is deleted and stored again just then may have to be looked for once more.
const OPEN_TRIES: usize = 3;

impl Store {
    /// Stores these bytes in a workspace, within its quota. `Gone` if there is no such workspace.
    pub async fn put_blob(&self, workspace_id: WorkspaceId, bytes: &Bytes) -> Result<(Blob, Put)> {
        let hash = hash_of(bytes);
        let size_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let (store, bytes) = (self.clone(), bytes.clone());
        let blob = Blob { hash, size_bytes };
        self.to_its_end(async move {
            let put = store.put_bytes(workspace_id, &blob, &bytes).await?;
            Ok((blob, put))
        })
        .await
    }

    async fn put_bytes(
        &self,
        workspace_id: WorkspaceId,
        blob: &Blob,
        bytes: &Bytes,
    ) -> Result<Put> {
        let BlobPlace::Files(root) = &self.inner.blobs else {
            return self.put_row(workspace_id, blob, bytes).await;
        };
        // Keeps the sweep of files without a row away until the row is there.
        let uploading = self.inner.forgetting.uploads.read().await;
        // An upload that has no room must not even pass through the disk. `insert` decides again.
        room(&mut self.read().await?, workspace_id, blob).await?;
        let (path, hash, content, partial) = (
            file(root, workspace_id, &blob.hash),
            blob.hash.clone(),
            bytes.clone(),
            hex(&self.ambient().bytes::<8>()),
        );
        let written = blocking(move || files::put(&path, &hash, &content, &partial)).await;
        let put = match written {
            Ok(()) => self.put_row(workspace_id, blob, bytes).await,
            // If the workspace was deleted just then, that is why.
            Err(error) => match room(&mut self.read().await?, workspace_id, blob).await {
                Err(Error::Gone) => Err(Error::Gone),
                _ => Err(error),
            },
        };
        drop(uploading);
        match &put {
            Ok(_) => {}
            Err(Error::Gone) => self.sweep_workspace(workspace_id).await?,
            Err(_) => self.forget_blob(workspace_id, &blob.hash).await,
        }
        put
    }

    async fn put_row(&self, workspace_id: WorkspaceId, blob: &Blob, bytes: &[u8]) -> Result<Put> {
        let mut tx = self.write().await?;
        let put = insert(&mut tx, workspace_id, blob, self.ambient().now().0).await?;
        if matches!(self.inner.blobs, BlobPlace::Rows) {
            match put {
                Put::Known if holds(&mut tx, workspace_id, &blob.hash).await? => {}
                Put::Known => {
                    // Damaged: what was sent is what it must be.
                    let text = "delete from blob_chunks where workspace_id = $1 and hash = $2";
                    sql!(tx, run, text, workspace_id, blob.hash)?;
                    put_chunks(&mut tx, workspace_id, &blob.hash, 0, bytes).await?;
                }
                Put::Stored => put_chunks(&mut tx, workspace_id, &blob.hash, 0, bytes).await?,
            }
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
        for n_tries in 1.. {
            let mut tx = self.read().await?;
            let Some(size_bytes) = size(&mut tx, workspace_id, hash).await? else { break };
            drop(tx);
            let blob = Blob { hash: hash.clone(), size_bytes };
            let BlobPlace::Files(root) = &self.inner.blobs else {
                return Ok(Some((blob, self.rows_of(workspace_id, hash.clone(), size_bytes))));
            };
            let path = file(root, workspace_id, hash);
            match tokio::fs::File::open(&path).await {
                Ok(file) => return Ok(Some((blob, files::read(file, path)))),
                // Deleted since the row was read: then the row is gone as well.
                Err(error)
                    if error.kind() == std::io::ErrorKind::NotFound && n_tries < OPEN_TRIES => {}
                Err(error) => return Err(at(&path)(error)),
            }
        }
        Ok(None)
    }

    fn rows_of(&self, workspace_id: WorkspaceId, hash: BlobHash, size_bytes: i64) -> Pieces {
        let store = self.clone();
        Box::pin(async_stream::try_stream! {
            let mut left = size_bytes;
            for n in 0.. {
                let mut tx = store.read().await?;
                let Some(chunk) = chunk(&mut tx, workspace_id, &hash, n).await? else { break };
                // Whoever takes their time keeps no connection that others wait for.
                drop(tx);
                left -= i64::try_from(chunk.len()).unwrap_or(i64::MAX);
                yield Bytes::from(chunk);
            }
            // Each piece is read by itself, so the blob may have been deleted halfway.
            if left != 0 {
                Err(Error::Damaged("the blob was deleted while it was read".into()))?;
            }
        })
    }

    /// Deletes a workspace's blob. False if there is none. Its file goes at once or, while a backup reads, after it.
    pub async fn delete_blob(&self, workspace_id: WorkspaceId, hash: &BlobHash) -> Result<bool> {
        let (store, hash) = (self.clone(), hash.clone());
        self.to_its_end(async move {
            let deleted = store.delete_row(workspace_id, &hash).await?;
            if deleted {
                store.forget_blob(workspace_id, &hash).await;
            }
            Ok(deleted)
        })
        .await
    }

    async fn delete_row(&self, workspace_id: WorkspaceId, hash: &BlobHash) -> Result<bool> {
        let mut tx = self.write().await?;
        take_workspace(&mut tx, workspace_id).await?;
        let Some(size_bytes) = size(&mut tx, workspace_id, hash).await? else { return Ok(false) };
        // The workspace first, as everybody who changes both does.
        let text = "update workspaces set used_bytes = used_bytes - $2 where id = $1";
        if sql!(tx, run, text, workspace_id, size_bytes)? == 0 {
            return Ok(false);
        }
        let text = "delete from blobs where workspace_id = $1 and hash = $2";
        sql!(tx, run, text, workspace_id, hash)?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Whether the workspace has this blob already. `QuotaExceeded` if it has no room for it, `Gone` if it is not there.
async fn room(tx: &mut Tx, workspace_id: WorkspaceId, blob: &Blob) -> Result<Put> {
    let text = "select used_bytes, quota_bytes from workspaces where id = $1";
    let Some((used, quota_bytes)) = sql!(tx, maybe(i64, i64), text, workspace_id)? else {
        return Err(Error::Gone);
    };
    if size(tx, workspace_id, &blob.hash).await?.is_some() {
        return Ok(Put::Known);
    }
    if used.saturating_add(blob.size_bytes) > quota_bytes {
        return Err(Error::QuotaExceeded { quota_bytes });
    }
    Ok(Put::Stored)
}

/// Makes changes of one workspace's blobs wait for each other, so that two uploads cannot both find room for one. It
/// is not the workspace's row that is taken: PostgreSQL would look at its owner again with the second change of it,
/// and wait in a circle with whoever deletes that person.
async fn take_workspace(tx: &mut Tx, workspace_id: WorkspaceId) -> Result<()> {
    let [.., a, b, c, d, e, f, g, h] = *workspace_id.as_bytes();
    tx.alone(i64::from_be_bytes([a, b, c, d, e, f, g, h])).await
}

async fn insert(tx: &mut Tx, workspace_id: WorkspaceId, blob: &Blob, now: i64) -> Result<Put> {
    take_workspace(tx, workspace_id).await?;
    if room(tx, workspace_id, blob).await? == Put::Known {
        return Ok(Put::Known);
    }
    let text = "update workspaces set used_bytes = used_bytes + $2 where id = $1";
    if sql!(tx, run, text, workspace_id, blob.size_bytes)? == 0 {
        return Err(Error::Gone);
    }
    let text =
        "insert into blobs (workspace_id, hash, size_bytes, created_at) values ($1, $2, $3, $4)";
    sql!(tx, run, text, workspace_id, blob.hash, blob.size_bytes, now)?;
    Ok(Put::Stored)
}

/// The size of a workspace's blob, if it has it.
pub(crate) async fn size(
    tx: &mut Tx,
    workspace_id: WorkspaceId,
    hash: &BlobHash,
) -> Result<Option<i64>> {
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

/// What is wrong with the bytes of a blob, if something is.
pub(crate) async fn wrong(
    tx: &mut Tx,
    place: &BlobPlace,
    workspace_id: WorkspaceId,
    blob: &Blob,
) -> Result<Option<&'static str>> {
    let (there, size_bytes, is_right) = match place {
        BlobPlace::Files(root) => {
            let (path, hash) = (file(root, workspace_id, &blob.hash), blob.hash.clone());
            blocking(move || {
                let size =
                    std::fs::metadata(&path).ok().and_then(|it| i64::try_from(it.len()).ok());
                Ok((size.is_some(), size.unwrap_or(0), files::holds(&path, &hash)))
            })
            .await?
        }
        BlobPlace::Rows => {
            let text = "select count(*), coalesce(cast(sum(length(bytes)) as bigint), 0)
                from blob_chunks where workspace_id = $1 and hash = $2";
            let (n, size) = sql!(tx, one(i64, i64), text, workspace_id, blob.hash)?;
            // The one without bytes has no pieces.
            let there = n > 0 || blob.size_bytes == 0;
            (there, size, holds(tx, workspace_id, &blob.hash).await?)
        }
    };
    Ok(match (there, is_right) {
        (false, _) => Some("its bytes are gone"),
        (true, false) => Some("its bytes are not what its name says"),
        (true, true) if size_bytes != blob.size_bytes => {
            Some("its length is not what its row says")
        }
        (true, true) => None,
    })
}

/// Whether the pieces are what the name says.
async fn holds(tx: &mut Tx, workspace_id: WorkspaceId, hash: &BlobHash) -> Result<bool> {
    let mut sha256 = Sha256::new();
    for n in 0.. {
        let Some(bytes) = chunk(tx, workspace_id, hash, n).await? else { break };
        sha256.update(&bytes);
    }
    Ok(hex(&sha256.finalize()) == hash.as_str())
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

/// One piece of a blob, as this transaction sees it. Whoever calls this for files has called `hold_blobs` before.
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
            blocking(move || files::piece(&path, n)).await
        }
    }
}

/// The file of a blob that is restored, if it is one.
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
