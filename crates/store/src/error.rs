//! What can go wrong in the store: a variant exists where a caller acts on it.

use std::{io, path::Path};

/// The store's results.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name, or something else that must be unique, is taken.
    #[error("it is taken")]
    Taken,
    /// What it was to be put into is not there any more.
    #[error("it is gone")]
    Gone,
    /// The workspace's quota does not allow so many bytes.
    #[error("the workspace's quota of {quota_bytes} bytes is used up")]
    QuotaExceeded {
        /// How much the workspace may use.
        quota_bytes: i64,
    },
    /// A list that has a bound is full.
    #[error("there may be at most {0} of these")]
    TooMany(i64),
    /// There is no such log, or no such place in it.
    #[error("there is no such log")]
    NoLog,
    /// Who may do what in a log has changed since it was looked at: look again.
    #[error("who may do this has changed just now")]
    AccessChanged,
    /// A command's id was used before for something else.
    #[error("this command id was used before, for something else")]
    CommandReused,
    /// Somebody else has taken the lease since: whatever this holder wanted to say no longer counts.
    #[error("another one works on this log by now")]
    TermPassed,
    /// Somebody else holds the lease.
    #[error("another one works on this log")]
    Held,
    /// The disk is full.
    #[error("the disk is full\n  make room on it and try again; nothing was lost")]
    DiskFull,
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The store cannot be opened, or not be used like this; what happened and what to do next.
    #[error("{problem}\n  {remedy}")]
    Refused {
        /// What happened.
        problem: String,
        /// What to do next.
        remedy: String,
    },
    /// A sealed value cannot be opened with any key at hand.
    #[error(
        "a sealed value ({0}) cannot be opened: it was sealed under another master key, or changed"
    )]
    Sealed(String),
    /// A stored value is not what it must be.
    #[error("a stored value makes no sense: {0}")]
    Damaged(String),
    /// A file could not be read or written.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: String,
        /// Why. (Not `source`: its text is in ours already.)
        cause: io::Error,
    },
    /// Everything else.
    #[error("database: {}", said(.0))]
    Database(sqlx::Error),
}

impl Error {
    pub(crate) fn refused(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error::Refused { problem: problem.into(), remedy: remedy.into() }
    }
}

/// Names the file in an IO error; a full disk is told apart.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.display().to_string();
    move |cause| match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull,
        _ => Error::File { path, cause },
    }
}

/// What a database said, without the place in its own source where it did.
pub(crate) fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(inner) => inner.message().to_owned(),
        error => error.to_string(),
    }
}

/// The file that the connections share could not grow: SQLite has no other word for a disk that is full just then.
const SQLITE_IOERR_SHMSIZE: u32 = 4874;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(inner) = &error {
            if inner.is_unique_violation() {
                return Error::Taken;
            }
            // SQLite's result codes (the low byte is the kind) and PostgreSQL's SQLSTATEs.
            let code = inner.code().unwrap_or_default();
            let sqlite =
                inner.try_downcast_ref::<sqlx::sqlite::SqliteError>().and(code.parse::<u32>().ok());
            match (sqlite.map(|code| code & 0xff), code.as_ref()) {
                (Some(13), _) | (None, "53100") => return Error::DiskFull,
                _ if sqlite == Some(SQLITE_IOERR_SHMSIZE) => return Error::DiskFull,
                (Some(11 | 26), _) | (None, "XX001" | "XX002") => {
                    return Error::Damaged(format!("the database reports damage: {inner}"));
                }
                (Some(5 | 6 | 10 | 14), _) => return Error::Unavailable(inner.to_string()),
                // No connection, no room, shut down; and what goes well when it is tried again: a lock that was
                // waited for too long, a deadlock, two writers in each other's way, a transaction that stood idle.
                (None, code)
                    if ["08", "53", "57", "40"].iter().any(|class| code.starts_with(class))
                        || matches!(code, "55P03" | "25P03") =>
                {
                    return Error::Unavailable(inner.message().to_owned());
                }
                _ => {}
            }
        }
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed => Error::Unavailable(error.to_string()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Error::Damaged(error.to_string())
            }
            error => Error::Database(error),
        }
    }
}
