//! What can go wrong with a model on this machine.

use std::path::{Path, PathBuf};

/// Why a local model does not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there.
    #[error("the local model file {name} is missing: looked in {}; run `make models` to fetch it", places(.looked_in))]
    Missing {
        /// The file's name.
        name: String,
        /// Where it was looked for.
        looked_in: Vec<PathBuf>,
    },
    /// The system would not give it out.
    #[error("the local model file {} could not be read: {source}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what it should be: cut short, damaged, or another kind of file.
    #[error("the local model file {} is damaged or of another kind: {what}; delete it and run `make models`", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// More text than the model can look at.
    #[error("the messages have {tokens} tokens, and the local model can look at {limit}")]
    TooLong {
        /// How many there are.
        tokens: usize,
        /// How many there may be.
        limit: usize,
    },
    /// So much is waiting for the model already that this was not taken.
    #[error("the local model is busy, and {waiting} requests are waiting for it already")]
    Busy {
        /// How many wait.
        waiting: usize,
    },
    /// The thread that owns the model has ended.
    #[error("the local model has stopped")]
    Stopped,
}

fn places(places: &[PathBuf]) -> String {
    if places.is_empty() {
        return "no place, because none is known".to_owned();
    }
    places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// What is wrong within a file; whoever opened it adds which.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Its content.
    Content(&'static str),
    /// Reading it.
    Reading(std::io::Error),
}

impl Fault {
    pub(crate) fn of(self, path: &Path) -> Error {
        match self {
            Self::Content(what) => Error::Damaged { path: path.to_owned(), what },
            Self::Reading(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
                Error::Damaged { path: path.to_owned(), what: "it ends too early" }
            }
            Self::Reading(source) if source.kind() == std::io::ErrorKind::NotFound => {
                Error::Missing {
                    name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                    looked_in: path.parent().map(Path::to_owned).into_iter().collect(),
                }
            }
            Self::Reading(source) => Error::Unreadable { path: path.to_owned(), source },
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(source: std::io::Error) -> Self {
        Self::Reading(source)
    }
}
