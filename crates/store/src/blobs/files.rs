//! The bytes of blobs as files beside SQLite: written whole, read, compared, removed.
//!
//! Which of them have a row is not known here.

use super::{PIECE_BYTES, Pieces};
use crate::{Error, Result, datadir::sync_dir, error::at, keyring::hex};
use bytes::Bytes;
use futures_util::StreamExt;
use mosaic_protocol::{BlobHash, WorkspaceId};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

pub(crate) fn make_dir(path: &Path) -> Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))
}

/// Where a workspace's blobs are.
pub(super) fn dir(root: &Path, workspace_id: WorkspaceId) -> PathBuf {
    root.join(workspace_id.to_string())
}

pub(crate) fn file(root: &Path, workspace_id: WorkspaceId, hash: &BlobHash) -> PathBuf {
    dir(root, workspace_id).join(hash.as_str())
}

/// Makes sure that the file holds these bytes. One that was damaged is written anew.
pub(super) fn put(path: &Path, hash: &BlobHash, bytes: &[u8], partial: &str) -> Result<()> {
    if holds(path, hash) { Ok(()) } else { write(path, bytes, partial) }
}

/// Whether the file can be read and has this hash.
pub(super) fn holds(path: &Path, hash: &BlobHash) -> bool {
    let Ok(mut file) = std::fs::File::open(path) else { return false };
    let mut sha256 = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return hex(&sha256.finalize()) == hash.as_str(),
            Ok(n) => sha256.update(&piece[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}

/// Writes the whole file under another name, syncs it, and gives it its name.
pub(crate) fn write(path: &Path, bytes: &[u8], partial: &str) -> Result<()> {
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

/// The `n`th piece; none after the last.
pub(super) fn piece(path: &Path, n: i64) -> Result<Option<Vec<u8>>> {
    let mut file = std::fs::File::open(path).map_err(at(path))?;
    let start = u64::try_from(n).unwrap_or(0) * PIECE_BYTES as u64;
    let mut bytes = vec![];
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.take(PIECE_BYTES as u64).read_to_end(&mut bytes))
        .map_err(at(path))?;
    Ok((!bytes.is_empty()).then_some(bytes))
}

/// An open file outlives its name: it may be deleted while it is read.
pub(super) fn read(file: tokio::fs::File, path: PathBuf) -> Pieces {
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

/// The blobs that a workspace has files of. An upload's unfinished file is none.
pub(super) fn names(dir: &Path) -> Result<Vec<BlobHash>> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(at(dir))?,
    };
    let mut names = vec![];
    for entry in entries {
        let name = entry.map_err(at(dir))?.file_name().to_string_lossy().into_owned();
        names.extend(BlobHash::try_from(name).ok());
    }
    Ok(names)
}

/// What is gone already is removed.
fn gone(path: &Path, removed: std::io::Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn remove(path: &Path) -> Result<()> {
    gone(path, std::fs::remove_file(path))
}

pub(super) fn remove_all(dir: &Path) -> Result<()> {
    gone(dir, std::fs::remove_dir_all(dir))
}

/// Removes whatever is not known, unfinished files too. The caller has the store alone.
pub(super) fn sweep(root: &Path, known: &BTreeSet<(String, String)>) -> Result<()> {
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
