//! What is taken out of a file: messages with a name, a time and a text, each checked once for both formats.

use super::{BadFile, MAX_FILES, MAX_MESSAGES};
use crate::{
    BlobHash, Label, MessageText, Seq, Time,
    entry::{Attachment, Fact, Origin},
    log::Author,
};
use std::collections::BTreeSet;

/// How many files one message may have.
const MAX_ATTACHMENTS: usize = 20;
/// How far ahead a time may be: as much as the clocks of two gateways may differ. It becomes the time of the import.
const AHEAD_MS: i64 = 24 * 3600 * 1000;

/// A conversation out of a file, before it has a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// What it was called.
    pub title: Label,
    /// What was said, in order.
    pub messages: Vec<Message>,
    /// How many entries stayed behind.
    pub n_left_out: usize,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// When.
    pub at: Time,
    /// By whom: a name, and no more than that.
    pub name: Label,
    /// What.
    pub text: MessageText,
    /// By a person or an agent.
    pub said: Said,
}

/// Who said it, and what comes with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A person.
    Message {
        /// Files that came with it.
        attachments: Vec<Attachment>,
        /// The message that it answers: how many were before that one.
        reply_to: Option<usize>,
    },
    /// An agent.
    Reply {
        /// It was cut short.
        incomplete: bool,
    },
}

/// What is wrong, before it is known in which line.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) problem: String,
    pub(super) next: &'static str,
}

/// For what only an edited or damaged file has.
pub(super) const AGAIN: &str = "export the conversation again and import that file as it is";
const SHORTER: &str = "fork the conversation at an earlier place, and export and import the fork";

impl Wrong {
    pub(super) fn edited(problem: impl Into<String>) -> Wrong {
        Wrong { problem: problem.into(), next: AGAIN }
    }

    pub(super) fn at(self, line: usize) -> BadFile {
        BadFile { line, problem: self.problem, next: self.next }
    }
}

/// What the parser said, without its own count of lines.
pub(super) fn heard(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match (text.rsplit_once(" at line "), error.column()) {
        (Some((said, _)), 0) if error.line() > 0 => said.to_owned(),
        (Some((said, _)), column) if error.line() > 0 => format!("{said}, in column {column}"),
        _ => text,
    }
}

/// Gathers what is taken, within bounds.
#[derive(Debug)]
pub(super) struct Taken {
    now: Time,
    n_left_out: usize,
    messages: Vec<Message>,
    files: BTreeSet<BlobHash>,
}

impl Taken {
    pub(super) fn new(now: Time) -> Taken {
        Taken { now, n_left_out: 0, messages: vec![], files: BTreeSet::new() }
    }

    /// How many messages there are so far.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Something that is not taken along.
    pub(super) fn leave_out(&mut self) {
        self.n_left_out += 1;
    }

    pub(super) fn take(
        &mut self,
        at: Time,
        name: Option<String>,
        text: MessageText,
        said: Said,
    ) -> Result<(), Wrong> {
        if self.messages.len() >= MAX_MESSAGES {
            return Err(Wrong {
                problem: format!(
                    "an import has at most {MAX_MESSAGES} messages, and here is one more"
                ),
                next: SHORTER,
            });
        }
        let name = name.ok_or_else(|| Wrong {
            problem: "its author has no name: `people` in the first line does not have this id"
                .into(),
            next: "name them there, or export the conversation again",
        })?;
        let name =
            Label::try_from(name).map_err(|bad| Wrong::edited(format!("its author: {bad}")))?;
        if at.0 < 0 || at > self.now.plus_ms(AHEAD_MS) {
            return Err(Wrong {
                problem: format!("the time {} is before 1970 or more than a day ahead", at.0),
                next: "times are UTC milliseconds since 1970: correct it",
            });
        }
        if let Said::Message { attachments, .. } = &said {
            if attachments.len() > MAX_ATTACHMENTS {
                return Err(Wrong::edited(format!(
                    "a message has at most {MAX_ATTACHMENTS} files"
                )));
            }
            let long = |it: &Attachment| it.media_type.len() > 200 || it.media_type.contains('\0');
            if attachments.iter().any(long) {
                return Err(Wrong::edited("a `media_type` has at most 200 bytes and no NUL"));
            }
            self.files.extend(attachments.iter().map(|it| it.hash.clone()));
            if self.files.len() > MAX_FILES {
                return Err(Wrong {
                    problem: format!("an import names at most {MAX_FILES} different files"),
                    next: SHORTER,
                });
            }
        }
        self.messages.push(Message { at: at.min(self.now), name, text, said });
        Ok(())
    }

    pub(super) fn end(self, title: Label) -> Import {
        Import { title, messages: self.messages, n_left_out: self.n_left_out }
    }
}

impl Import {
    /// What the new log tells after its first entry: by whom, when, what.
    pub fn told(self) -> impl Iterator<Item = (Author, Time, Fact)> {
        self.messages.into_iter().map(|Message { at, name, text, said }| {
            let fact = match said {
                Said::Message { attachments, reply_to } => Fact::UserMessage {
                    text,
                    attachments,
                    // The log's first entry says that it was imported; the first message is its second.
                    reply_to: reply_to
                        .and_then(|n| Some(Seq(i64::try_from(n).ok()?.checked_add(2)?))),
                    origin: Origin { surface: "import".to_owned(), ..Origin::default() },
                },
                Said::Reply { incomplete } => {
                    Fact::AssistantReply { text, draft_id: None, incomplete }
                }
            };
            (Author::Named { name: name.into() }, at, fact)
        })
    }
}
