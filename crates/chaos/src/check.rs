//! The laws, as a pure function: a history in, what it violates out.
//!
//! Every command carries its own id as the first word of what it says, so its effect can be found again wherever it is.

use crate::history::{Event, Noted};
use mosaic_protocol::{
    CommandId, ErrorCode, LogId, Seq,
    command::Command,
    entry::Fact,
    log::{Body, Entry},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What must hold, whatever happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Law {
    /// What was acknowledged is there, once, and where the acknowledgement says.
    AcknowledgedOnce,
    /// What was not acknowledged is there once or not at all.
    AtMostOnce,
    /// What was refused for good is not there.
    RefusedHasNoEffect,
    /// An id that was used for one thing is refused for another.
    ReusedIsRefused,
    /// The same command has the same answer, however often it is sent.
    SameAnswer,
    /// A log is numbered 1, 2, 3 up to its head.
    Gapless,
    /// What anybody ever saw at a place of a log is there for ever.
    Stable,
    /// No two commands have the same place.
    NeverReused,
    /// A reader is told each entry once, in order.
    InOrder,
    /// A reader comes to have everything that is stored.
    Converges,
    /// What was deleted is gone, and nothing else.
    Gone,
    /// A copy begins with what was copied.
    Copies,
    /// `mosaic verify` finds nothing.
    Verified,
    /// The gateway comes back and acknowledges again.
    Recovers,
    /// The gateway ends only when it is told to, and does not panic.
    Lives,
}

/// Something that a law forbids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Violation {
    pub(crate) law: Law,
    pub(crate) log: Option<LogId>,
    pub(crate) seq: Option<Seq>,
    pub(crate) what: String,
    /// What was seen, and when.
    pub(crate) seen: Vec<String>,
}

/// One that is known from elsewhere than the history.
pub(crate) fn violation(law: Law, what: impl Into<String>) -> Violation {
    Violation { law, log: None, seq: None, what: what.into(), seen: vec![] }
}

/// How many moments of one violation are told.
const MOMENTS: usize = 12;

/// Everything that the history violates.
pub(crate) fn check(noted: &[Noted]) -> Vec<Violation> {
    let stored = stored(noted);
    let commands = commands(noted);
    let mut found = Found { noted, violations: vec![] };
    gapless(&mut found, &stored);
    copies(&mut found, &stored);
    places(&mut found, &stored);
    readers(&mut found);
    effects(&mut found, &stored, &commands);
    answers(&mut found, &commands);
    deleted(&mut found, &stored, &commands);
    found.violations
}

struct Found<'a> {
    noted: &'a [Noted],
    violations: Vec<Violation>,
}

impl Found<'_> {
    fn add(&mut self, law: Law, log: LogId, seq: Option<Seq>, what: String, about: &[usize]) {
        let seen = about.iter().take(MOMENTS).map(|n| moment(&self.noted[*n])).collect();
        self.violations.push(Violation { law, log: Some(log), seq, what, seen });
    }
}

/// A line of the history, short enough to read.
fn moment(noted: &Noted) -> String {
    let mut text = serde_json::to_string(&noted.event).unwrap_or_default();
    if let Some((at, _)) = text.char_indices().nth(400) {
        text.truncate(at);
        text.push('…');
    }
    format!("line {} at {} ms: {text}", noted.n, noted.ms)
}

/// The newest reading of each log: its place in the history, and what it holds. `None`: it is not there.
type Stored<'a> = BTreeMap<LogId, (usize, Option<Log<'a>>)>;

struct Log<'a> {
    head: Seq,
    entries: &'a [Entry],
    /// Where its own entries begin, after what was copied.
    own: usize,
}

fn stored(noted: &[Noted]) -> Stored<'_> {
    let mut stored = Stored::new();
    for (n, it) in noted.iter().enumerate() {
        match &it.event {
            Event::Stored { log, head, entries } => {
                let own = entries.iter().rposition(begins).unwrap_or(0);
                stored.insert(*log, (n, Some(Log { head: *head, entries, own })));
            }
            Event::NotStored { log } => drop(stored.insert(*log, (n, None))),
            _ => {}
        }
    }
    stored
}

fn begins(entry: &Entry) -> bool {
    matches!(&entry.body, Body::Fact(Fact::Began { .. } | Fact::Forked { .. }))
}

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Accepted(LogId, Seq),
    /// Refused, and it had no effect.
    Refused,
    /// Nobody knows.
    Unknown,
}

struct Attempt {
    /// Where in the history it was sent, and where its outcome was noted.
    lines: Vec<usize>,
    outcome: Outcome,
}

/// A command and every try of it.
struct Asked<'a> {
    command: &'a Command,
    attempts: Vec<Attempt>,
    /// Tries of something else under the same id.
    others: Vec<(&'a Command, Attempt)>,
}

impl Asked<'_> {
    fn accepted(&self) -> Option<(LogId, Seq)> {
        self.attempts.iter().find_map(|it| match it.outcome {
            Outcome::Accepted(log, seq) => Some((log, seq)),
            _ => None,
        })
    }

    fn lines(&self) -> Vec<usize> {
        self.attempts.iter().flat_map(|it| it.lines.iter().copied()).collect()
    }
}

type Commands<'a> = BTreeMap<CommandId, Asked<'a>>;

/// Whether a refusal says for sure that nothing was done.
pub(crate) fn is_final(code: ErrorCode) -> bool {
    !matches!(
        code,
        ErrorCode::Unavailable
            | ErrorCode::Internal
            | ErrorCode::DiskFull
            | ErrorCode::Timeout
            | ErrorCode::Throttled
    )
}

fn commands(noted: &[Noted]) -> Commands<'_> {
    let mut outcomes: HashMap<u64, (usize, Outcome)> = HashMap::new();
    for (n, it) in noted.iter().enumerate() {
        let (attempt, outcome) = match &it.event {
            Event::Accepted { attempt, log, seq } => (attempt, Outcome::Accepted(*log, *seq)),
            Event::Refused { attempt, code } if is_final(*code) => (attempt, Outcome::Refused),
            Event::Refused { attempt, .. } | Event::Unanswered { attempt } => {
                (attempt, Outcome::Unknown)
            }
            _ => continue,
        };
        outcomes.insert(*attempt, (n, outcome));
    }
    let mut commands = Commands::new();
    for (n, it) in noted.iter().enumerate() {
        let Event::Sent { attempt, command_id, command, .. } = &it.event else { continue };
        let (lines, outcome) = match outcomes.get(attempt) {
            Some((answered, outcome)) => (vec![n, *answered], *outcome),
            None => (vec![n], Outcome::Unknown),
        };
        let made = Attempt { lines, outcome };
        let empty = || Asked { command, attempts: vec![], others: vec![] };
        let asked = commands.entry(*command_id).or_insert_with(empty);
        if asked.command == command {
            asked.attempts.push(made);
        } else {
            asked.others.push((command, made));
        }
    }
    commands
}

fn gapless(found: &mut Found, stored: &Stored) {
    for (log, (n, it)) in stored {
        let Some(it) = it else { continue };
        for (place, entry) in (1..).zip(it.entries) {
            if entry.seq != Seq(place) {
                let what = format!("the stored entry after {} is {}", place - 1, entry.seq);
                found.add(Law::Gapless, *log, Some(Seq(place)), what, &[*n]);
                break;
            }
        }
        let last = it.entries.last().map_or(Seq::START, |entry| entry.seq);
        if last != it.head {
            let what = format!("its head is {}, and its last stored entry {last}", it.head);
            found.add(Law::Gapless, *log, Some(last), what, &[*n]);
        }
    }
}

/// What was copied is as it is there. (The other log may have been deleted since.)
fn copies(found: &mut Found, stored: &Stored) {
    for (log, (n, it)) in stored {
        let Some(it) = it else { continue };
        let Some(Entry { body: Body::Fact(Fact::Forked { parent, at, .. }), .. }) =
            it.entries.get(it.own)
        else {
            continue;
        };
        if it.own as i64 != at.0 {
            let what = format!("a copy up to {at} has {} entries of it", it.own);
            found.add(Law::Copies, *log, Some(*at), what, &[*n]);
        }
        let Some((other, Some(parent))) = stored.get(parent) else { continue };
        let differs = it.entries[..it.own].iter().zip(parent.entries).find(|(a, b)| a != b);
        if let Some((entry, _)) = differs {
            let what = "a copy differs from what was copied".to_owned();
            found.add(Law::Copies, *log, Some(entry.seq), what, &[*n, *other]);
        }
    }
}

/// What anybody saw anywhere is one thing, and stays.
fn places(found: &mut Found, stored: &Stored) {
    let mut first: HashMap<(LogId, Seq), (usize, &Entry)> = HashMap::new();
    let mut told: BTreeSet<(LogId, Seq)> = BTreeSet::new();
    let noted = found.noted;
    let seen = noted.iter().enumerate().flat_map(|(n, it)| {
        let entries: Vec<(LogId, &Entry)> = match &it.event {
            Event::Saw { log, entry, .. } => vec![(*log, entry)],
            Event::Stored { log, entries, .. } => entries.iter().map(|it| (*log, it)).collect(),
            _ => vec![],
        };
        entries.into_iter().map(move |(log, entry)| (n, log, entry))
    });
    for (n, log, entry) in seen {
        let place = (log, entry.seq);
        let (before, known) = *first.entry(place).or_insert((n, entry));
        if known != entry && told.insert(place) {
            let what = "two different entries were seen there".to_owned();
            found.add(Law::Stable, log, Some(entry.seq), what, &[before, n]);
        }
    }
    for ((log, seq), (n, _)) in first {
        if let Some((read, Some(it))) = stored.get(&log)
            && seq > it.head
        {
            let what = format!("it was seen, and is not stored: the log ends at {}", it.head);
            found.add(Law::Stable, log, Some(seq), what, &[n, *read]);
        }
    }
}

fn readers(found: &mut Found) {
    // The last place that each reader has, and the line that says so.
    let mut last: HashMap<(&str, LogId), (Seq, usize)> = HashMap::new();
    let noted = found.noted;
    for (n, it) in noted.iter().enumerate() {
        match &it.event {
            Event::Follows { reader, log, after } => {
                last.insert((reader, *log), (*after, n));
            }
            Event::Saw { reader, log, entry } => {
                let before = last.insert((reader, *log), (entry.seq, n));
                let (has, line) = before.unwrap_or((Seq(-1), n));
                if entry.seq != has.plus(1) {
                    let what = format!(
                        "`{reader}` had everything up to {has}, and was told {}",
                        entry.seq
                    );
                    found.add(Law::InOrder, *log, Some(entry.seq), what, &[line, n]);
                }
            }
            Event::SawRestart { reader, log } => {
                let what = format!("`{reader}` was told that the data is of another life");
                found.add(Law::Stable, *log, None, what, &[n]);
            }
            Event::Due { reader, log, head } => {
                let (has, line) =
                    last.get(&(reader.as_str(), *log)).copied().unwrap_or((Seq(-1), n));
                if has != *head {
                    let what = format!(
                        "`{reader}` has everything up to {has}, and the log ends at {head}"
                    );
                    found.add(Law::Converges, *log, Some(has), what, &[line, n]);
                }
            }
            _ => {}
        }
    }
}

/// The command that an entry is the effect of, if it says so.
fn told_by(entry: &Entry) -> Option<CommandId> {
    let Body::Fact(fact) = &entry.body else { return None };
    let text = match fact {
        Fact::UserMessage { text, .. } => text.as_str(),
        // An edit takes the title of what it is a branch of.
        Fact::Began { title, .. }
        | Fact::Renamed { title }
        | Fact::Forked { title, edited: None, .. } => title.as_str(),
        Fact::Tagged { tags } => tags.first()?.as_str(),
        _ => return None,
    };
    text.get(..36)?.parse().ok()
}

/// Whether the command names itself in its effect.
fn names_itself(command: &Command) -> bool {
    matches!(
        command,
        Command::CreateConversation { .. }
            | Command::SendMessage { .. }
            | Command::EditMessage { .. }
            | Command::Fork { .. }
            | Command::Rename { .. }
            | Command::SetTags { .. }
    )
}

/// Whether this is what the command comes to.
fn is_effect(command: &Command, entry: &Entry) -> bool {
    let Body::Fact(fact) = &entry.body else { return false };
    match (command, fact) {
        (Command::CreateConversation { title, .. }, Fact::Began { title: told, .. }) => {
            title.as_ref() == Some(told)
        }
        (
            Command::SendMessage { text, reply_to, .. },
            Fact::UserMessage { text: told, reply_to: to, .. },
        ) => (text, reply_to) == (told, to),
        (Command::EditMessage { text, .. }, Fact::UserMessage { text: told, .. }) => text == told,
        (Command::Fork { log, title, .. }, Fact::Forked { parent, title: told, .. }) => {
            (Some(log), title.as_ref()) == (Some(parent), Some(told))
        }
        (Command::Rename { title, .. }, Fact::Renamed { title: told }) => title == told,
        (Command::SetTags { tags, .. }, Fact::Tagged { tags: told }) => tags == told,
        (Command::Pin { seq, .. }, Fact::Pinned { seq: told })
        | (Command::Unpin { seq, .. }, Fact::Unpinned { seq: told }) => seq == told,
        (Command::Archive { .. }, Fact::Archived {})
        | (Command::Unarchive { .. }, Fact::Unarchived {}) => true,
        (
            Command::SetMember { user_id, role, .. },
            Fact::MemberSet { user_id: told, role: as_told },
        ) => (user_id, role) == (told, as_told),
        (Command::RemoveMember { user_id, .. }, Fact::MemberRemoved { user_id: told }) => {
            user_id == told
        }
        _ => false,
    }
}

fn effects(found: &mut Found, stored: &Stored, commands: &Commands) {
    let mut there: HashMap<CommandId, Vec<(LogId, &Entry)>> = HashMap::new();
    for (log, (_, it)) in stored {
        let Some(it) = it else { continue };
        for entry in &it.entries[it.own..] {
            if let Some(id) = told_by(entry) {
                there.entry(id).or_default().push((*log, entry));
            }
        }
    }
    for (id, asked) in commands {
        let none = vec![];
        let places = there.get(id).unwrap_or(&none);
        let (theirs, others): (Vec<_>, Vec<_>) =
            places.iter().partition(|(_, entry)| is_effect(asked.command, entry));
        let lines = asked.lines();
        if let Some((log, entry)) = others.first() {
            let what = format!("something else than command {id} asked for is there in its name");
            found.add(Law::ReusedIsRefused, *log, Some(entry.seq), what, &lines);
        }
        if let Some((log, seq)) = asked.accepted() {
            acknowledged(found, stored, asked, *id, (log, seq), &theirs, &lines);
        } else if let Some((log, entry)) = theirs.first() {
            let is_refused = asked.attempts.iter().all(|it| it.outcome == Outcome::Refused);
            if is_refused {
                let what = format!("command {id} was refused, and is there");
                found.add(Law::RefusedHasNoEffect, *log, Some(entry.seq), what, &lines);
            } else if theirs.len() > 1 {
                let what = format!(
                    "command {id} was not acknowledged, and is there {} times",
                    theirs.len()
                );
                found.add(Law::AtMostOnce, *log, Some(entry.seq), what, &lines);
            }
        }
    }
}

fn acknowledged(
    found: &mut Found,
    stored: &Stored,
    asked: &Asked,
    id: CommandId,
    (log, seq): (LogId, Seq),
    theirs: &[(LogId, &Entry)],
    lines: &[usize],
) {
    if matches!(asked.command, Command::DeleteConversation { .. } | Command::MarkRead { .. }) {
        return;
    }
    // Whether a log may be gone is asked elsewhere.
    let Some((read, Some(it))) = stored.get(&log) else { return };
    let lines: Vec<usize> = lines.iter().copied().chain([*read]).collect();
    let at = it.entries.iter().find(|entry| entry.seq == seq);
    if !at.is_some_and(|entry| is_effect(asked.command, entry)) {
        let what =
            format!("command {id} was acknowledged there, and something else is there, or nothing");
        found.add(Law::AcknowledgedOnce, log, Some(seq), what, &lines);
    } else if names_itself(asked.command) && theirs.len() != 1 {
        let places: Vec<String> =
            theirs.iter().map(|(log, entry)| format!("{log} {}", entry.seq)).collect();
        let what = format!("command {id} is there {} times: {}", theirs.len(), places.join(", "));
        found.add(Law::AcknowledgedOnce, log, Some(seq), what, &lines);
    }
}

fn answers(found: &mut Found, commands: &Commands) {
    let mut taken: HashMap<(LogId, Seq), (CommandId, usize)> = HashMap::new();
    for (id, asked) in commands {
        for (_, attempt) in &asked.others {
            if let Outcome::Accepted(log, seq) = attempt.outcome {
                let what =
                    format!("the id {id} was used again for something else, and that was taken");
                let lines: Vec<usize> =
                    asked.lines().into_iter().chain(attempt.lines.clone()).collect();
                found.add(Law::ReusedIsRefused, log, Some(seq), what, &lines);
            }
        }
        let Some((log, seq)) = asked.accepted() else { continue };
        // No id is kept of marks: they only go forward, and answer how far.
        if matches!(asked.command, Command::MarkRead { .. }) {
            continue;
        }
        let other = asked.attempts.iter().find(|it| match it.outcome {
            Outcome::Accepted(l, s) => (l, s) != (log, seq),
            _ => false,
        });
        if other.is_some() {
            let what = format!("command {id} has two answers");
            found.add(Law::SameAnswer, log, Some(seq), what, &asked.lines());
        }
        // It answers with a place that was there before.
        if matches!(asked.command, Command::DeleteConversation { .. }) {
            continue;
        }
        let line = asked.lines().last().copied().unwrap_or(0);
        if let Some((other, before)) = taken.insert((log, seq), (*id, line)) {
            let what = format!("two commands were acknowledged there: {other} and {id}");
            found.add(Law::NeverReused, log, Some(seq), what, &[before, line]);
        }
    }
}

fn deleted(found: &mut Found, stored: &Stored, commands: &Commands) {
    // Logs that somebody tried to delete, and whether that was acknowledged.
    let mut deletes: BTreeMap<LogId, (bool, Vec<usize>)> = BTreeMap::new();
    for asked in commands.values() {
        if let Command::DeleteConversation { log } = asked.command
            && asked.attempts.iter().any(|it| it.outcome != Outcome::Refused)
        {
            let entry = deletes.entry(*log).or_default();
            entry.0 |= asked.accepted().is_some();
            entry.1.extend(asked.lines());
        }
    }
    for (log, (n, it)) in stored {
        match (deletes.get(log), it) {
            (Some((true, lines)), Some(it)) => {
                let what = "its deletion was acknowledged, and it is there".to_owned();
                let lines: Vec<usize> = lines.iter().copied().chain([*n]).collect();
                found.add(Law::Gone, *log, Some(it.head), what, &lines);
            }
            (None, None) => {
                let what = "nobody deleted it, and it is gone".to_owned();
                found.add(Law::Gone, *log, None, what, &[*n]);
            }
            _ => {}
        }
    }
    let noted = found.noted;
    for (n, it) in noted.iter().enumerate() {
        if let Event::SawGone { reader, log } = &it.event
            && !deletes.contains_key(log)
        {
            let what = format!("`{reader}` was told that it is gone, and nobody deleted it");
            found.add(Law::Gone, *log, None, what, &[n]);
        }
    }
}

#[cfg(test)]
mod tests;
