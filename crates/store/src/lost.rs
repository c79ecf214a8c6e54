//! Tells a first start from a database that was lost. What belongs to a database outlives it: the files of blobs, the
//! master key, keys that were retired. A new database would have the blobs swept away as nobody's, so none is made
//! beside them. The other way round, a database whose blobs lost their files is found. Leaves out databases on a
//! server: their blobs are in them.

use crate::{Db, Error, Options, Result, Store, blobs, error::at, keyring::RETIRED};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Blobs whose bytes are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostBlobs {
    /// How many.
    pub n: usize,
    /// The path of the first one's file; empty if there is none.
    pub first: String,
}

impl Store {
    /// Looks for blobs of a SQLite store that have a row and no whole file. Changes nothing; nobody else may use it.
    pub async fn lost_blobs(options: &Options) -> Result<LostBlobs> {
        let db = Db::open_sqlite(&options.data.join("mosaic.db")).await?;
        let rows = async { blobs::all(&mut db.read().await?).await }.await;
        db.close().await;
        let root = options.data.join("blobs");
        let mut lost = LostBlobs { n: 0, first: String::new() };
        for (workspace_id, blob) in rows? {
            let path = blobs::files::file(&root, workspace_id, &blob.hash);
            let size =
                fs::metadata(&path).map_or(-1, |file| i64::try_from(file.len()).unwrap_or(-1));
            if size != blob.size_bytes {
                if lost.n == 0 {
                    lost.first = path.display().to_string();
                }
                lost.n += 1;
            }
        }
        Ok(lost)
    }
}

/// Who opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Using what is there.
    Use,
    /// Putting a backup in its place: keys are put into an empty directory for that.
    Restore,
}

/// Refuses if there is no database file, or nothing in it, while something here says that there was one.
pub(crate) fn refuse_lost_file(dir: &Path, opened_for: For) -> Result<()> {
    let state = match fs::metadata(dir.join("mosaic.db")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => "missing",
        Ok(file) if file.len() == 0 => "empty",
        _ => return Ok(()),
    };
    // SQLite would throw away a journal without its database, and with it the last that was written.
    let journal = fs::metadata(dir.join("mosaic.db-wal")).is_ok_and(|file| file.len() > 0);
    refuse(dir, opened_for, state, journal.then_some("mosaic.db-wal"))
}

/// The same for a database that holds no tables.
pub(crate) fn refuse_lost_tables(dir: &Path, opened_for: For) -> Result<()> {
    refuse(dir, opened_for, "empty", None)
}

fn refuse(dir: &Path, opened_for: For, state: &str, journal: Option<&'static str>) -> Result<()> {
    let blobs = dir.join("blobs");
    let mut here: Vec<&str> = journal.into_iter().collect();
    if holds_files(&blobs)? {
        here.push("the files in blobs/");
    }
    if opened_for == For::Use {
        if holds_retired_key(dir)? {
            here.push("a retired key");
        }
        // A first start makes the key before the database is complete, and `blobs/` after.
        if dir.join("master.key").exists() && blobs.exists() {
            here.push("master.key");
        }
    }
    if here.is_empty() {
        return Ok(());
    }
    Err(Error::refused(
        format!(
            "the database {} is {state}, but what belongs to it is here: {}",
            dir.join("mosaic.db").display(),
            here.join(", ")
        ),
        "nothing was changed; put mosaic.db back, or move the data directory aside, put master.key into a new one and restore a backup: mosaic restore FILE",
    ))
}

fn holds_files(blobs: &Path) -> Result<bool> {
    for workspace in entries(blobs)? {
        if workspace.is_dir() && !entries(&workspace)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn holds_retired_key(dir: &Path) -> Result<bool> {
    let is_key = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(RETIRED) && name.ends_with(".key")
    };
    Ok(entries(dir)?.iter().any(is_key))
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(at(dir)(error)),
        Ok(entries) => {
            entries.map(|entry| Ok(entry.map_err(at(dir))?.path())).collect::<Result<Vec<_>>>()
        }
    }
}
