//! What was asked for, what was answered and what was seen, in the order in which it was noted. Kept in memory for the
//! checker and, line by line, in a file for people.

use mosaic_protocol::{CommandId, ErrorCode, LogId, Seq, command::Command, log::Entry};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// A round begins.
    Round { round: u64, plan: String },
    /// Something was done to a gateway, or to what it depends on.
    Fault { what: String },
    /// A command was sent. The same command sent again is another try.
    Sent { attempt: u64, writer: String, command_id: CommandId, command: Command },
    /// It was acknowledged.
    Accepted { attempt: u64, log: LogId, seq: Seq },
    /// It was refused. Whether it may have had an effect all the same, the code says.
    Refused { attempt: u64, code: ErrorCode },
    /// No answer came.
    Unanswered { attempt: u64 },
    /// A reader asks for a log from a place on.
    Follows { reader: String, log: LogId, after: Seq },
    /// It was told an entry.
    Saw { reader: String, log: LogId, entry: Entry },
    /// It was told that the log is gone.
    SawGone { reader: String, log: LogId },
    /// It was told that the data is of another life.
    SawRestart { reader: String, log: LogId },
    /// The reader was given time, and had to have come this far.
    Due { reader: String, log: LogId, head: Seq },
    /// Everything that a log holds, read when nobody wrote any more.
    Stored { log: LogId, head: Seq, entries: Vec<Entry> },
    /// There is no such log, when nobody wrote any more.
    NotStored { log: LogId },
}

/// With its number, and when it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Noted {
    pub(crate) n: u64,
    pub(crate) ms: u64,
    #[serde(flatten)]
    pub(crate) event: Event,
}

/// Where everything is noted. Cheap to clone.
#[derive(Clone)]
pub(crate) struct History {
    inner: Arc<Mutex<Inner>>,
    path: PathBuf,
}

struct Inner {
    begun: Instant,
    noted: Vec<Noted>,
    attempts: u64,
    file: BufWriter<File>,
}

impl History {
    pub(crate) fn begin(path: &Path) -> anyhow::Result<History> {
        let file = BufWriter::new(File::create(path)?);
        let inner = Inner { begun: Instant::now(), noted: vec![], attempts: 0, file };
        Ok(History { inner: Arc::new(Mutex::new(inner)), path: path.to_owned() })
    }

    pub(crate) fn note(&self, event: Event) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.note(event);
    }

    /// Notes that a command is sent. Answers the number of the try.
    pub(crate) fn sent(&self, writer: &str, command_id: CommandId, command: &Command) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.attempts += 1;
        let attempt = inner.attempts;
        let (writer, command) = (writer.to_owned(), command.clone());
        inner.note(Event::Sent { attempt, writer, command_id, command });
        attempt
    }

    /// Everything so far.
    pub(crate) fn so_far(&self) -> Vec<Noted> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // Who looks into the file afterwards finds what was looked at here.
        let _ = inner.file.flush();
        inner.noted.clone()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Inner {
    fn note(&mut self, event: Event) {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let noted = Noted { n: self.noted.len() as u64 + 1, ms, event };
        if serde_json::to_writer(&mut self.file, &noted).is_ok() {
            let _ = self.file.write_all(b"\n");
        }
        self.noted.push(noted);
    }
}
