//! What can go wrong in an operation: a variant exists where a surface answers differently.

use mosaic_protocol::access::Denial;
use std::time::Duration;

/// The gateway's results.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The access rule says no.
    #[error("{0}")]
    Denied(Denial),
    /// There is no such thing. The same answer as to `Denied(Hidden)`.
    #[error("there is no such thing")]
    NotFound,
    /// No valid session or token.
    #[error("no valid session or token")]
    Unauthenticated,
    /// Name and password do not belong together. Says no more.
    #[error("the name or the password is wrong")]
    WrongLogin,
    /// The code is wrong, used or expired. Says no more.
    #[error("this code is wrong, was used already, or has expired")]
    BadCode,
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The account name is taken.
    #[error("this name is taken")]
    NameTaken,
    /// Somebody changed at the same time what the decision was based on: decide again. Never leaves this crate.
    #[error("who may do this has changed just now")]
    Again,
    /// The state of things does not allow it.
    #[error("{problem}")]
    Conflict {
        /// What stands in the way.
        problem: &'static str,
        /// What to do first.
        next: &'static str,
    },
    /// The store cannot be used like this.
    #[error("{problem}")]
    Refused {
        /// What happened.
        problem: String,
        /// What to do next.
        next: String,
    },
    /// The quota is used up.
    #[error("the workspace's quota of {quota_bytes} bytes is used up")]
    QuotaExceeded {
        /// How much the workspace may use.
        quota_bytes: i64,
    },
    /// The disk is full. Nothing was changed.
    #[error("the disk that the gateway stores on is full; nothing was changed")]
    DiskFull,
    /// Too often.
    #[error("too many tries")]
    Throttled {
        /// Try again after this.
        retry_after: Duration,
    },
    /// The login provider could not be used.
    #[error("the login provider could not be used: {0}")]
    ProviderFailed(String),
    /// Nobody has a model of that name.
    #[error("there is no model `{asked}` for you here{}", meant(.nearest))]
    NoSuchModel {
        /// What was asked for.
        asked: String,
        /// Names that are near.
        nearest: Vec<String>,
    },
    /// There are models, and none of them can do this now.
    #[error("no model can answer this now: {why}")]
    NoModelCan {
        /// What was looked at, and why not, in a sentence.
        why: String,
    },
    /// A budget does not allow the call.
    #[error("{said}")]
    OverBudget {
        /// Which, and how much is left, in a sentence.
        said: String,
        /// When it begins anew.
        retry_after: Duration,
    },
    /// A model was called, and failed.
    #[error("{0}")]
    ModelFailed(mosaic_models::Error),
    /// Something that we depend on does not answer, or has no room.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of ours. The text is for the log only.
    #[error("{0}")]
    Internal(String),
}

/// The names that somebody may have meant.
fn meant(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        names => format!("; did you mean `{}`?", names.join("`, `")),
    }
}

impl From<mosaic_store::Error> for Error {
    fn from(error: mosaic_store::Error) -> Self {
        use mosaic_store::Error as Store;
        match error {
            Store::Taken => {
                Error::Conflict { problem: "this exists already", next: "choose another" }
            }
            Store::Gone => Error::NotFound,
            Store::QuotaExceeded { quota_bytes } => Error::QuotaExceeded { quota_bytes },
            Store::TooMany(_) => Error::Conflict {
                problem: "there are as many of these as there may be",
                next: "delete one that is no longer needed",
            },
            Store::NoLog => Error::NotFound,
            Store::AccessChanged => Error::Again,
            Store::CommandReused => Error::Conflict {
                problem: "this command id was used before, for something else",
                next: "make a new id for every command, and send the same one only for the same command",
            },
            Store::TermPassed | Store::Held => Error::Conflict {
                problem: "another node works on this conversation",
                next: "try again",
            },
            Store::DiskFull => Error::DiskFull,
            Store::Unavailable(_) => Error::Unavailable(error.to_string()),
            // It may speak of master keys and files: for whoever runs the machine, who is told with `to_operator`.
            Store::Refused { .. }
            | Store::Sealed(_)
            | Store::Damaged(_)
            | Store::File { .. }
            | Store::Database(_) => Error::Internal(error.to_string()),
        }
    }
}

/// The store's refusals, in full: where nobody but the operator comes this far, or they are about the request itself.
pub(crate) fn to_operator(error: mosaic_store::Error) -> Error {
    match error {
        mosaic_store::Error::Refused { problem, remedy } => {
            Error::Refused { problem, next: remedy }
        }
        error => error.into(),
    }
}
