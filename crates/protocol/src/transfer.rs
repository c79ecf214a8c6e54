//! Conversations as files: what is written out, and how it is taken in again. docs/transfer.md shows the formats.
//!
//! A file comes from outside: nobody in it is believed to be anybody here. Whoever spoke is taken in by name only, as
//! `Author::Named`; what is not something said (who takes part, links, moves, what tools put out) stays behind and is
//! counted; what cannot be right refuses the whole file, with its line. Pure: the time is an argument.

mod lines;
mod markdown;
mod said;

pub use said::{Import, Message, Said};

use crate::{CommandId, Label, LogId, Seq, Time, UserId, WorkspaceId, log::Author, log::Entry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the formats that is written, and the only one that there has been.
pub const VERSION: u32 = 1;
/// How many messages a file may hold: they are written in one transaction, which nobody should wait for very long.
pub const MAX_MESSAGES: usize = 100_000;
/// How many different files its messages may name.
pub const MAX_FILES: usize = 10_000;

/// How a conversation is written into a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For people: what was said, by whom and when.
    #[default]
    Markdown,
    /// One JSON object with all entries.
    Json,
    /// A line about the file, then each entry as a line of JSON.
    Jsonl,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 3] = [Format::Markdown, Format::Json, Format::Jsonl];

    /// How the name of such a file ends.
    pub const fn extension(self) -> &'static str {
        match self {
            Format::Markdown => "md",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
        }
    }
}

/// How to export.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// As what; `markdown` unless told.
    #[serde(default)]
    pub format: Format,
}

/// What to import, and where to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// Made by the client: the same file with the same id again has no second effect.
    pub command_id: CommandId,
    /// What the file is.
    pub format: Format,
    /// Where the conversation is to live; in one's own workspace unless told.
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
}

/// What came of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportReport {
    /// Which command it was.
    pub command_id: CommandId,
    /// The new conversation.
    pub log: LogId,
    /// Its last entry.
    pub seq: Seq,
    /// How many messages it has.
    pub n_messages: usize,
    /// How many entries of the file were nothing said, or not known here, and stayed behind.
    pub n_left_out: usize,
    /// How many attachments stayed behind because the workspace does not have their files.
    pub n_files_left_out: usize,
}

/// What a file in JSON says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The version of its format.
    pub format: u32,
    /// What the conversation was called.
    pub title: Label,
    /// When it was written.
    pub exported_at: Time,
    /// How many entries follow: a file that was cut off is known by it.
    pub n_entries: i64,
    /// What the people who wrote entries are called, by their ids there.
    #[serde(default)]
    pub people: BTreeMap<UserId, Label>,
}

/// Why a file was not taken. Nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the file: {problem}")]
pub struct BadFile {
    /// Where.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
    /// What to do next.
    pub next: &'static str,
}

/// Reads a file that somebody has, at this time.
pub fn read(format: Format, bytes: &[u8], now: Time) -> Result<Import, BadFile> {
    match format {
        Format::Markdown => markdown::read(bytes, now),
        Format::Json => lines::read_json(bytes, now),
        Format::Jsonl => lines::read_jsonl(bytes, now),
    }
}

/// Writes a conversation into a file, piece by piece: `begin`, `entries` as often as there are some, `end`.
#[derive(Debug)]
pub struct Writer {
    format: Format,
    head: Head,
    /// Whether an entry was written.
    begun: bool,
    /// The places of the messages that were written.
    said: Vec<Seq>,
}

impl Writer {
    /// For a conversation of which this is known.
    pub fn new(format: Format, head: Head) -> Writer {
        Writer { format, head, begun: false, said: vec![] }
    }

    /// What comes before all entries.
    pub fn begin(&self) -> String {
        match self.format {
            Format::Markdown => markdown::begin(&self.head),
            Format::Json => lines::begin_json(&self.head),
            Format::Jsonl => lines::begin_jsonl(&self.head),
        }
    }

    /// The next entries.
    pub fn entries(&mut self, entries: &[Entry]) -> String {
        let mut out = String::new();
        for entry in entries {
            match self.format {
                Format::Markdown => markdown::entry(&mut out, entry, &self.head, &mut self.said),
                Format::Json => {
                    out.push_str(if self.begun { ",\n" } else { "" });
                    out.push_str(&lines::line(entry));
                }
                Format::Jsonl => {
                    out.push_str(&lines::line(entry));
                    out.push('\n');
                }
            }
            self.begun = true;
        }
        out
    }

    /// What comes after all entries.
    pub fn end(&self) -> String {
        match self.format {
            Format::Markdown => markdown::end(self.said.len()),
            Format::Json => "\n]}\n".to_owned(),
            Format::Jsonl => String::new(),
        }
    }
}

impl Head {
    /// What an author is called outside. `None`: a person whom the file does not name.
    fn name(&self, author: &Author) -> Option<String> {
        match author {
            Author::User { id } => self.people.get(id).map(ToString::to_string),
            Author::Agent { name, .. } => Some(name.to_string()),
            Author::System => Some("Mosaic".to_owned()),
            Author::Named { name } => Some(name.clone()),
            Author::Gone => Some("Somebody".to_owned()),
        }
    }
}

/// A name for the file, for every system: the ASCII one, and the one in full.
pub fn file_name(title: &str, format: Format) -> (String, String) {
    let shorten = |keep: fn(char) -> bool| {
        let mut name = String::new();
        for c in title.chars().take(60) {
            match keep(c) {
                true => name.push(c),
                false if name.ends_with('-') => {}
                false => name.push('-'),
            }
        }
        // A dot in front hides a file; some systems cannot have one at the end.
        let name = name.trim_matches(['-', '.', ' ']);
        format!("{}.{}", if name.is_empty() { "conversation" } else { name }, format.extension())
    };
    (
        shorten(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')),
        shorten(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ')),
    )
}

#[cfg(test)]
mod tests;
