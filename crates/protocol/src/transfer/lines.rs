//! Conversations as JSON, and as lines of JSON: the entries as they are in the log.

use super::{
    BadFile, Head, Import, Said, VERSION,
    said::{AGAIN, Taken, Wrong, heard},
};
use crate::{
    Seq, Time,
    entry::Fact,
    log::{Body, Entry},
};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use std::fmt;

/// The field that says that this is one of our files.
const MARK: &str = "mosaic_conversation";
const ENTRIES: &str = "entries";

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First<H> {
    mosaic_conversation: H,
}

pub(super) fn begin_jsonl(head: &Head) -> String {
    format!("{}\n", json(&First { mosaic_conversation: head }))
}

pub(super) fn begin_json(head: &Head) -> String {
    format!("{{\"{MARK}\":{},\"{ENTRIES}\":[\n", json(head))
}

pub(super) fn line(entry: &Entry) -> String {
    json(entry)
}

/// What we write is our own, and can be written.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn read_jsonl(bytes: &[u8], now: Time) -> Result<Import, BadFile> {
    let mut taking: Option<Taking> = None;
    let mut last = 1;
    for (n, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        last = n + 1;
        match &mut taking {
            None => {
                let First { mosaic_conversation: head } =
                    serde_json::from_slice(line).map_err(|error| not_first(&error).at(last))?;
                taking = Some(Taking::new(head, now).map_err(|wrong| wrong.at(last))?);
            }
            Some(taking) => {
                let entry =
                    serde_json::from_slice(line).map_err(|error| not_json(&error).at(last))?;
                taking.take(entry).map_err(|wrong| wrong.at(last))?;
            }
        }
    }
    let taking = taking.ok_or_else(|| empty().at(1))?;
    taking.end().map_err(|wrong| wrong.at(last))
}

pub(super) fn read_json(bytes: &[u8], now: Time) -> Result<Import, BadFile> {
    if bytes.trim_ascii().is_empty() {
        return Err(empty().at(1));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut whole = Whole { now, taking: None, wrong: None };
    let read = whole.deserialize(&mut json).and_then(|()| json.end());
    let Whole { taking, wrong, .. } = whole;
    if let Err(error) = read {
        let wrong = wrong.unwrap_or_else(|| match taking {
            None => not_first(&error),
            Some(_) => not_json(&error),
        });
        return Err(wrong.at(error.line().max(1)));
    }
    let last = bytes.trim_ascii_end().split(|byte| *byte == b'\n').count();
    let taking = taking.ok_or_else(|| empty().at(1))?;
    taking.end().map_err(|wrong| wrong.at(last))
}

fn empty() -> Wrong {
    Wrong { problem: "the file is empty".into(), next: AGAIN }
}

fn not_first(error: &serde_json::Error) -> Wrong {
    Wrong {
        problem: format!(
            "it does not say `{MARK}`, with which such a file begins: {}",
            heard(error)
        ),
        next: "choose the format that the file was exported in; other programs' files cannot be imported",
    }
}

fn not_json(error: &serde_json::Error) -> Wrong {
    Wrong::edited(match error.is_eof() {
        true => format!("the file was cut off: {}", heard(error)),
        false => format!("this is no entry: {}", heard(error)),
    })
}

/// A file while its entries are taken.
struct Taking {
    head: Head,
    taken: Taken,
    /// The entries that became messages.
    kept: Vec<Seq>,
    n: i64,
}

impl Taking {
    fn new(head: Head, now: Time) -> Result<Taking, Wrong> {
        if head.format != VERSION {
            return Err(Wrong {
                problem: format!(
                    "the file is of format {}, and this program reads {VERSION}",
                    head.format
                ),
                next: "update Mosaic, or export the conversation with this version",
            });
        }
        Ok(Taking { head, taken: Taken::new(now), kept: vec![], n: 0 })
    }

    fn take(&mut self, entry: Entry) -> Result<(), Wrong> {
        self.n += 1;
        let Entry { seq, at, author, body } = entry;
        if seq.0 != self.n {
            return Err(Wrong::edited(format!(
                "this entry has the number {seq} where {} comes next: they go 1, 2, 3 without gaps",
                self.n
            )));
        }
        let (text, said) = match body {
            Body::Fact(Fact::UserMessage { text, attachments, reply_to, .. }) => {
                if reply_to.is_some_and(|to| to >= seq || to.0 < 1) {
                    return Err(Wrong::edited("`reply_to` names no entry before this one"));
                }
                let reply_to = reply_to.and_then(|to| self.kept.binary_search(&to).ok());
                (text, Said::Message { attachments, reply_to })
            }
            Body::Fact(Fact::AssistantReply { text, incomplete, .. }) => {
                (text, Said::Reply { incomplete })
            }
            Body::Other { kind, .. } if Fact::KINDS.contains(&kind.as_str()) => {
                return Err(Wrong::edited(format!(
                    "this does not hold what an entry of the kind `{kind}` holds, or more than it may"
                )));
            }
            // Who took part there, what it was called meanwhile, what tools put out, what was erased, what a newer
            // program wrote.
            Body::Fact(_) | Body::Other { .. } => {
                self.taken.leave_out();
                return Ok(());
            }
        };
        self.kept.push(seq);
        self.taken.take(at, self.head.name(&author), text, said)
    }

    fn end(self) -> Result<Import, Wrong> {
        if self.n != self.head.n_entries {
            return Err(Wrong::edited(format!(
                "the file says that it has {} entries, and ends after {}: it was cut off or edited",
                self.head.n_entries, self.n
            )));
        }
        Ok(self.taken.end(self.head.title))
    }
}

/// The one object of a file in JSON, read entry by entry.
struct Whole {
    now: Time,
    taking: Option<Taking>,
    /// What is wrong, where the parser can only pass on a text.
    wrong: Option<Wrong>,
}

impl Whole {
    fn note<E: serde::de::Error>(&mut self, wrong: Wrong) -> E {
        let error = E::custom(&wrong.problem);
        self.wrong = Some(wrong);
        error
    }
}

impl<'de> DeserializeSeed<'de> for &mut Whole {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Whole {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{MARK}` and `{ENTRIES}`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if map.next_key::<String>()?.as_deref() != Some(MARK) {
            return Err(A::Error::custom(format!("`{MARK}` must come first")));
        }
        let head = map.next_value::<Head>()?;
        match Taking::new(head, self.now) {
            Ok(taking) => self.taking = Some(taking),
            Err(wrong) => return Err(self.note(wrong)),
        }
        if map.next_key::<String>()?.as_deref() != Some(ENTRIES) {
            return Err(A::Error::custom(format!("`{ENTRIES}` must come second")));
        }
        map.next_value_seed(AllEntries(self))?;
        match map.next_key::<String>()? {
            None => Ok(()),
            Some(key) => Err(A::Error::custom(format!("unknown field `{key}`"))),
        }
    }
}

struct AllEntries<'a>(&'a mut Whole);

impl<'de> DeserializeSeed<'de> for AllEntries<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for AllEntries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(entry) = seq.next_element::<Entry>()? {
            let taken = self.0.taking.as_mut().map_or(Ok(()), |taking| taking.take(entry));
            if let Err(wrong) = taken {
                return Err(self.0.note(wrong));
            }
        }
        Ok(())
    }
}
