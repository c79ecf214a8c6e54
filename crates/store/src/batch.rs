//! Everything that one decision writes, as data: it is committed at once, or not at all.

use mosaic_protocol::{
    CommandId, LogId, NodeId, Seq, Time, WorkspaceId,
    entry::Fact,
    log::{Author, LogKind},
};

/// Everything that one decision writes.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The command that asks for it; the same one again writes nothing.
    pub command: Option<CommandKey>,
    /// What the decision was based on.
    pub expects: Vec<Expect>,
    /// A lease that is taken.
    pub lease: Option<Lease>,
    /// Logs that begin.
    pub new_logs: Vec<NewLog>,
    /// Entries, log by log.
    pub appends: Vec<Append>,
    /// The digest of the link that the `LinkOpened` in it opens.
    pub link: Option<Vec<u8>>,
    /// Logs that end, with all that is in them.
    pub deletes: Vec<LogId>,
    /// Work for later.
    pub jobs: Vec<crate::jobs::NewJob>,
}

/// Which command it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommandKey {
    /// Whose; ids are unique per actor.
    pub actor: String,
    /// Its client's name for it.
    pub id: CommandId,
    /// Of what it asks for: the same id for something else is refused.
    pub digest: Vec<u8>,
}

/// Who may do what in this log was looked at, and must not have changed since.
#[derive(Debug, Clone, Copy)]
pub struct Expect {
    /// Which log.
    pub log: LogId,
    /// What its access version was.
    pub access_version: i64,
}

/// The right to speak in a log as the one who works on it. Refused while another one holds it.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// Which log.
    pub log: LogId,
    /// Who takes it.
    pub holder: NodeId,
    /// Until when, if it is not renewed.
    pub until: Time,
}

/// A log that begins.
#[derive(Debug, Clone, Copy)]
pub struct NewLog {
    /// Its id.
    pub id: LogId,
    /// What it is the log of.
    pub kind: LogKind,
    /// Where it lives.
    pub workspace_id: WorkspaceId,
    /// The log whose entries it begins with, up to a place.
    pub copy_of: Option<(LogId, Seq)>,
}

/// What is appended to one log.
#[derive(Debug, Clone)]
pub struct Append {
    /// Which.
    pub log: LogId,
    /// The term of the lease under which it is said: refused if a later one has been given. People need none.
    pub term: Option<i64>,
    /// What.
    pub entries: Vec<NewEntry>,
}

/// An entry before it has a place.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Who.
    pub author: Author,
    /// When, if not now.
    pub at: Option<Time>,
    /// What.
    pub fact: Fact,
}

impl Append {
    /// One entry by somebody, now.
    pub fn one(log: LogId, author: Author, fact: Fact) -> Append {
        Append { log, term: None, entries: vec![NewEntry { author, at: None, fact }] }
    }
}

/// What a commit has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The log that it appended to first, or that it began or ended.
    pub log: LogId,
    /// That log's last entry then.
    pub seq: Seq,
    /// The term of the lease, if one was taken.
    pub term: Option<i64>,
    /// It had been done before: nothing was written now.
    pub before: bool,
}
