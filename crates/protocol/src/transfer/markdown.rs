//! Conversations as Markdown, for people; and taken in again with every author, time and text as it was.
//!
//! Before each text stands a comment that does not show, with its length in bytes. The reader takes exactly so many
//! bytes and never looks for a meaning in them, so a text may hold headings, fences, or what looks like such a comment.

use super::{
    BadFile, Head, Import, Said, VERSION,
    said::{AGAIN, Taken, Wrong, heard},
};
use crate::{
    Label, MessageText, Seq, Time,
    entry::{Attachment, Fact},
    log::{Body, Entry},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::Write;

const CONVERSATION: &str = "<!-- mosaic-conversation ";
const MESSAGE: &str = "<!-- mosaic-message ";
const END: &str = "<!-- mosaic-end ";
const CLOSE: &str = " -->";
/// How the lines for people begin, which are not read.
const FOR_PEOPLE: [&str; 3] = ["# ", "### ", "- File: "];

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    format: u32,
    title: Label,
    exported_at: Time,
}

/// The line before a text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    /// Which message: 1, 2, 3 without gaps.
    n: usize,
    at: Time,
    name: String,
    kind: Kind,
    /// How long its text is.
    bytes: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    incomplete: bool,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    UserMessage,
    AssistantReply,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    n_messages: usize,
}

pub(super) fn begin(head: &Head) -> String {
    let Head { title, exported_at, .. } = head;
    let first = First { format: VERSION, title: title.clone(), exported_at: *exported_at };
    format!("{}\n# {}\n\n", comment(CONVERSATION, &first), shown(title.as_str()))
}

/// One entry, if it is something said. `said` has the places of those before it.
pub(super) fn entry(out: &mut String, entry: &Entry, head: &Head, said: &mut Vec<Seq>) {
    let nothing: &[Attachment] = &[];
    let (kind, text, attachments, reply_to, incomplete) = match &entry.body {
        Body::Fact(Fact::UserMessage { text, attachments, reply_to, .. }) => {
            (Kind::UserMessage, text, attachments.as_slice(), *reply_to, false)
        }
        Body::Fact(Fact::AssistantReply { text, incomplete, .. }) => {
            (Kind::AssistantReply, text, nothing, None, *incomplete)
        }
        _ => return,
    };
    let reply_to = reply_to.and_then(|to| said.binary_search(&to).ok()).map(|n| n + 1);
    said.push(entry.seq);
    let name = head.name(&entry.author).unwrap_or_else(|| "Somebody".to_owned());
    let (n, text) = (said.len(), text.as_str());
    let _ = write!(out, "### {}", shown(&name));
    if kind == Kind::AssistantReply {
        out.push_str(" (agent)");
    }
    let _ = write!(out, ", {}, message {n}", entry.at.utc());
    if let Some(to) = reply_to {
        let _ = write!(out, ", in reply to message {to}");
    }
    if incomplete {
        out.push_str(", cut short");
    }
    let attachments = attachments.to_vec();
    let files: Vec<_> = attachments.iter().map(file).collect();
    let bytes = text.len();
    let before = Before { n, at: entry.at, name, kind, bytes, attachments, reply_to, incomplete };
    let _ = write!(out, "\n\n{}{text}\n\n", comment(MESSAGE, &before));
    for file in &files {
        out.push_str(file);
    }
    if !files.is_empty() {
        out.push('\n');
    }
}

pub(super) fn end(n_messages: usize) -> String {
    comment(END, &Last { n_messages })
}

/// A line of JSON that does not show. What would end a comment is spelt differently, and stands in texts only.
fn comment(open: &str, value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    format!("{open}{}{CLOSE}\n", json.replace('>', "\\u003e").replace("--", "-\\u002d"))
}

fn file(attachment: &Attachment) -> String {
    let Attachment { name, hash, media_type } = attachment;
    let media_type: String = media_type.chars().filter(|c| !c.is_control()).collect();
    format!("- File: {}, {}, SHA-256 {hash}\n", shown(name.as_str()), shown(&media_type))
}

/// A name, so that it shows as it is.
fn shown(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if "\\`*_[]<>#&~|".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// What is left of a file, and in which line that begins.
struct Rest<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> Rest<'a> {
    /// The next line, without its end.
    fn line(&mut self) -> Option<&'a str> {
        if self.text.is_empty() {
            return None;
        }
        let (line, rest) = self.text.split_once('\n').unwrap_or((self.text, ""));
        self.text = rest;
        self.line += 1;
        Some(line)
    }

    /// So many bytes of text, and the empty line after them.
    fn bytes(&mut self, n: usize) -> Option<&'a str> {
        let (text, rest) = self.text.split_at_checked(n)?;
        self.text = rest.strip_prefix("\n\n")?;
        self.line += text.matches('\n').count() + 2;
        Some(text)
    }
}

pub(super) fn read(bytes: &[u8], now: Time) -> Result<Import, BadFile> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Wrong::edited("this is not UTF-8").at(line)
    })?;
    let mut rest = Rest { text, line: 0 };
    let first = rest.line().unwrap_or_default();
    let First { format, title, .. } = parsed(first, CONVERSATION)
        .unwrap_or_else(|| {
            Err(Wrong {
                problem: format!("it does not begin with `{CONVERSATION}`, as such a file does"),
                next: "choose the format that the file was exported in; other programs' files cannot be imported",
            })
        })
        .map_err(|wrong| wrong.at(1))?;
    if format != VERSION {
        let problem = format!("the file is of format {format}, and this program reads {VERSION}");
        let next = "update Mosaic, or export the conversation with this version";
        return Err(Wrong { problem, next }.at(1));
    }
    let mut taken = Taken::new(now);
    loop {
        let Some(line) = rest.line() else {
            let problem = format!("the file was cut off: it does not end with `{END}`");
            return Err(Wrong { problem, next: AGAIN }.at(rest.line.max(1)));
        };
        let at = rest.line;
        if let Some(before) = parsed::<Before>(line, MESSAGE) {
            before
                .and_then(|before| message(before, &mut rest, &mut taken))
                .map_err(|it| it.at(at))?;
        } else if let Some(last) = parsed::<Last>(line, END) {
            let n = last.map_err(|wrong| wrong.at(at))?.n_messages;
            if n != taken.len() {
                let problem = format!(
                    "the file says that it has {n} messages, and {} were found",
                    taken.len()
                );
                return Err(Wrong::edited(problem).at(at));
            }
            if !rest.text.trim().is_empty() {
                return Err(Wrong::edited("there is more after the file's end").at(at + 1));
            }
            return Ok(taken.end(title));
        } else if !line.is_empty() && !FOR_PEOPLE.iter().any(|start| line.starts_with(start)) {
            // To pass over it would lose it quietly.
            return Err(Wrong::edited("this belongs to no message: was the file edited?").at(at));
        }
    }
}

/// The JSON of a line that begins like this. `None`: it does not.
fn parsed<T: DeserializeOwned>(line: &str, open: &str) -> Option<Result<T, Wrong>> {
    let json = line.strip_prefix(open)?;
    Some(match json.strip_suffix(CLOSE) {
        None => Err(Wrong::edited(format!("this does not end with `{CLOSE}`"))),
        Some(json) => serde_json::from_str(json)
            .map_err(|error| Wrong::edited(format!("this is not understood: {}", heard(&error)))),
    })
}

fn message(before: Before, rest: &mut Rest<'_>, taken: &mut Taken) -> Result<(), Wrong> {
    let Before { n, at, name, kind, bytes, attachments, reply_to, incomplete } = before;
    let next = taken.len() + 1;
    if n != next {
        return Err(Wrong::edited(format!(
            "this message has the number {n} where {next} comes next: they go 1, 2, 3 without gaps"
        )));
    }
    let text = rest.bytes(bytes).ok_or_else(|| {
        Wrong::edited(format!(
            "the text that follows is not {bytes} bytes long with an empty line after it: was the file edited or cut off, or were its line ends changed?"
        ))
    })?;
    let text =
        MessageText::try_from(text.to_owned()).map_err(|bad| Wrong::edited(bad.to_string()))?;
    let said = match kind {
        Kind::UserMessage => {
            if reply_to.is_some_and(|to| to >= n || to < 1) {
                return Err(Wrong::edited("`reply_to` names no message before this one"));
            }
            Said::Message { attachments, reply_to: reply_to.map(|to| to - 1) }
        }
        Kind::AssistantReply => Said::Reply { incomplete },
    };
    taken.take(at, Some(name), text, said)
}
