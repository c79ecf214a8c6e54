//! The data directory and its lock: one process owns it, and says so clearly when a second one comes.
//!
//! The lock is the kernel's (`flock`), so a dead process holds nothing. What the file says is only for people.

use crate::{Error, Result, error::at};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// How many looks of others may come between before the lock counts as held.
const LOOKS: u32 = 10_000;

/// A data directory that is ours until dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

/// Who holds a data directory, as they wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Where it listens; empty if it does not.
    pub address: String,
}

/// What a look at the lock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockState {
    /// There is no data directory yet.
    Absent,
    /// Nobody holds it.
    Free,
    /// Somebody does.
    Held(Option<Holder>),
}

impl DataDir {
    /// Makes the directory if need be and takes its lock.
    pub fn lock(path: &Path) -> Result<DataDir> {
        let unusable = unusable(path);
        if !path.exists() {
            // Nobody else on the machine has business in here.
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        }
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(unusable)?;
        match try_lock(&lock) {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
            Err(TryLockError::WouldBlock) => {
                let holder = match read_holder(&mut lock) {
                    Some(holder) if holder.address.is_empty() => format!("process {}", holder.pid),
                    Some(holder) => {
                        format!("process {}, which listens on {}", holder.pid, holder.address)
                    }
                    None => "another process".to_owned(),
                };
                return Err(Error::refused(
                    format!("the data directory {} is in use by {holder}", path.display()),
                    "stop that process first, or choose another directory with --data",
                ));
            }
        }
        let mut dir = DataDir { path: path.to_owned(), lock };
        dir.announce("")?;
        Ok(dir)
    }

    /// Looks at the lock without taking it.
    pub fn look(path: &Path) -> Result<LockState> {
        let mut lock = match OpenOptions::new().read(true).write(true).open(path.join("lock")) {
            Ok(lock) => lock,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(LockState::Absent);
            }
            Err(error) => return Err(unusable(path)(error)),
        };
        // Shared, so that others may look at the same time; whoever takes the lock just then waits this look out.
        match lock.try_lock_shared() {
            Ok(()) => Ok(LockState::Free),
            Err(TryLockError::WouldBlock) => Ok(LockState::Held(read_holder(&mut lock))),
            Err(TryLockError::Error(error)) => Err(unusable(path)(error)),
        }
    }

    /// Writes down who holds the lock and where it listens, for those who come later.
    pub fn announce(&mut self, address: &str) -> Result<()> {
        let holder = Holder { pid: std::process::id(), address: address.to_owned() };
        let text =
            serde_json::to_vec(&holder).map_err(|error| Error::Damaged(error.to_string()))?;
        let write = |lock: &mut File| {
            lock.set_len(0)?;
            lock.rewind()?;
            lock.write_all(&text)
        };
        write(&mut self.lock).map_err(at(&self.path.join("lock")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SQLite database.
    pub fn database(&self) -> PathBuf {
        self.path.join("mosaic.db")
    }
}

/// Somebody who only looks shares the lock for a moment: as long as it can be shared, nobody owns the directory.
fn try_lock(lock: &File) -> std::result::Result<(), TryLockError> {
    for _ in 0..LOOKS {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => lock.try_lock_shared()?,
            done => return done,
        }
        lock.unlock().map_err(TryLockError::Error)?;
        std::thread::yield_now();
    }
    lock.try_lock()
}

fn unusable(path: &Path) -> impl Fn(std::io::Error) -> Error + Copy {
    move |error| {
        Error::refused(
            format!("the data directory {} cannot be used: {error}", path.display()),
            "check its owner and permissions, or choose another with --data",
        )
    }
}

fn read_holder(lock: &mut File) -> Option<Holder> {
    let mut text = String::new();
    lock.rewind().ok()?;
    lock.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Makes a rename or a new file in this directory survive a power cut.
pub(crate) fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(at(path))
}
