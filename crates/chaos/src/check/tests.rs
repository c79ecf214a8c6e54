//! A healthy history violates nothing, and each spoiled one exactly the law that it was spoiled for.

use super::*;
use mosaic_protocol::{
    Label, MessageText, Tag, Time, UserId, WorkspaceId, entry::Origin, log::Author,
};
use uuid::Uuid;

fn id(n: u128) -> CommandId {
    CommandId::new(Uuid::from_u128(n))
}

fn log(n: u128) -> LogId {
    LogId::new(Uuid::from_u128(0x1000 + n))
}

fn label(n: u128) -> Label {
    Label::try_from(id(n).to_string()).unwrap()
}

fn text(n: u128, more: &str) -> MessageText {
    MessageText::try_from(format!("{} {more}", id(n))).unwrap()
}

fn says(n: u128, to: u128) -> Command {
    let (text, origin) = (text(n, "words"), Origin::default());
    Command::SendMessage { log: log(to), text, attachments: vec![], reply_to: None, origin }
}

fn creates(n: u128) -> Command {
    Command::CreateConversation { workspace_id: None, title: Some(label(n)) }
}

fn entry(seq: i64, fact: Fact) -> Entry {
    let author = Author::User { id: UserId::new(Uuid::from_u128(1)) };
    Entry { seq: Seq(seq), at: Time(seq), author, body: Body::Fact(fact) }
}

fn home() -> WorkspaceId {
    WorkspaceId::new(Uuid::from_u128(2))
}

fn began(n: u128) -> Entry {
    entry(1, Fact::Began { title: label(n), workspace_id: home() })
}

fn said(seq: i64, n: u128) -> Entry {
    let (text, origin) = (text(n, "words"), Origin::default());
    entry(seq, Fact::UserMessage { text, attachments: vec![], reply_to: None, origin })
}

fn forked(seq: i64, n: u128, parent: u128, at: i64) -> Entry {
    let (parent, at, title) = (log(parent), Seq(at), label(n));
    entry(seq, Fact::Forked { parent, at, edited: None, title, workspace_id: home() })
}

fn sent(attempt: u64, n: u128, command: Command) -> Event {
    Event::Sent { attempt, writer: "w".to_owned(), command_id: id(n), command }
}

fn accepted(attempt: u64, to: u128, seq: i64) -> Event {
    Event::Accepted { attempt, log: log(to), seq: Seq(seq) }
}

fn follows(to: u128, after: i64) -> Event {
    Event::Follows { reader: "r".to_owned(), log: log(to), after: Seq(after) }
}

fn saw(to: u128, entry: Entry) -> Event {
    Event::Saw { reader: "r".to_owned(), log: log(to), entry }
}

fn due(to: u128, head: i64) -> Event {
    Event::Due { reader: "r".to_owned(), log: log(to), head: Seq(head) }
}

fn stored_log(n: u128, entries: Vec<Entry>) -> Event {
    let head = entries.last().map_or(Seq::START, |entry| entry.seq);
    Event::Stored { log: log(n), head, entries }
}

/// Log 1: created by 10, then 11 (acknowledged), 12 (unanswered, there), 13 (unanswered, not there). Log 2: a copy of
/// it up to 2 by 20. Log 3: created by 30, deleted by 31. A reader that was cut after 2.
fn healthy() -> Vec<Event> {
    vec![
        sent(1, 10, creates(10)),
        accepted(1, 1, 1),
        sent(2, 11, says(11, 1)),
        accepted(2, 1, 2),
        follows(1, 0),
        saw(1, began(10)),
        saw(1, said(2, 11)),
        sent(3, 12, says(12, 1)),
        Event::Unanswered { attempt: 3 },
        sent(4, 13, says(13, 1)),
        Event::Refused { attempt: 4, code: ErrorCode::DiskFull },
        follows(1, 2),
        saw(1, said(3, 12)),
        due(1, 3),
        // Sent again: the first answer. For something else: refused.
        sent(5, 11, says(11, 1)),
        accepted(5, 1, 2),
        sent(6, 11, says(99, 1)),
        Event::Refused { attempt: 6, code: ErrorCode::Conflict },
        sent(7, 14, says(14, 9)),
        Event::Refused { attempt: 7, code: ErrorCode::NotFound },
        sent(
            8,
            20,
            Command::Fork {
                log: log(1),
                at: Some(Seq(2)),
                workspace_id: None,
                title: Some(label(20)),
            },
        ),
        accepted(8, 2, 3),
        sent(9, 30, creates(30)),
        accepted(9, 3, 1),
        sent(10, 31, Command::DeleteConversation { log: log(3) }),
        accepted(10, 3, 1),
        Event::SawGone { reader: "r".to_owned(), log: log(3) },
        stored_log(1, vec![began(10), said(2, 11), said(3, 12)]),
        stored_log(2, vec![began(10), said(2, 11), forked(3, 20, 1, 2)]),
        Event::NotStored { log: log(3) },
    ]
}

fn laws(events: Vec<Event>) -> Vec<Law> {
    let noted: Vec<Noted> = (1..).zip(events).map(|(n, event)| Noted { n, ms: n, event }).collect();
    let mut laws: Vec<Law> = check(&noted).into_iter().map(|it| it.law).collect();
    laws.sort_unstable();
    laws.dedup();
    laws
}

/// The healthy history with one event in another's place.
fn with(old: &Event, new: &[Event]) -> Vec<Law> {
    let mut events = healthy();
    let at = events.iter().rposition(|event| event == old).expect("an event of the history");
    events.splice(at..=at, new.iter().cloned());
    laws(events)
}

fn first() -> Event {
    stored_log(1, vec![began(10), said(2, 11), said(3, 12)])
}

fn second() -> Event {
    stored_log(2, vec![began(10), said(2, 11), forked(3, 20, 1, 2)])
}

#[test]
fn a_healthy_history_violates_nothing() {
    assert_eq!(laws(healthy()), []);
    assert_eq!(laws(vec![]), []);
}

#[test]
fn what_was_acknowledged_and_is_not_there_is_found() {
    // Lost with everything after it; nobody saw it.
    let mut events = healthy();
    events.retain(|event| {
        !matches!(event, Event::Saw { .. } | Event::Follows { .. } | Event::Due { .. })
    });
    let at = events.iter().position(|event| *event == first()).unwrap();
    events[at] = stored_log(1, vec![began(10)]);
    assert_eq!(laws(events), [Law::AcknowledgedOnce]);
    // Something else in its place.
    assert_eq!(
        with(&first(), &[stored_log(1, vec![began(10), said(2, 12)])]),
        [Law::AcknowledgedOnce, Law::Stable, Law::Copies]
    );
}

#[test]
fn what_was_acknowledged_and_is_there_twice_is_found() {
    let twice = stored_log(1, vec![began(10), said(2, 11), said(3, 12), said(4, 11)]);
    assert_eq!(with(&first(), &[twice]), [Law::AcknowledgedOnce]);
    // In another log.
    let elsewhere = stored_log(2, vec![began(10), said(2, 11), forked(3, 20, 1, 2), said(4, 11)]);
    assert_eq!(with(&second(), &[elsewhere]), [Law::AcknowledgedOnce]);
    // A conversation that was begun twice.
    let other = stored_log(4, vec![began(10)]);
    assert_eq!(with(&second(), &[second(), other]), [Law::AcknowledgedOnce]);
}

#[test]
fn what_was_acknowledged_elsewhere_than_it_is_is_found() {
    assert_eq!(with(&accepted(8, 2, 3), &[accepted(8, 2, 2)]), [Law::AcknowledgedOnce]);
}

#[test]
fn what_was_not_acknowledged_and_is_there_twice_is_found() {
    let twice = stored_log(1, vec![began(10), said(2, 11), said(3, 12), said(4, 12)]);
    assert_eq!(with(&first(), &[twice]), [Law::AtMostOnce]);
}

#[test]
fn what_was_refused_and_is_there_is_found() {
    let there = stored_log(1, vec![began(10), said(2, 11), said(3, 12), said(4, 14)]);
    let mut events = healthy();
    for event in &mut events {
        if let Event::Sent { command_id, command, .. } = event
            && *command_id == id(14)
        {
            *command = says(14, 1);
        }
        if *event == first() {
            *event = there.clone();
        }
    }
    assert_eq!(laws(events), [Law::RefusedHasNoEffect]);
    // A full disk says nothing for sure.
    let there = stored_log(1, vec![began(10), said(2, 11), said(3, 12), said(4, 13)]);
    assert_eq!(with(&first(), &[there]), []);
}

#[test]
fn an_id_that_is_taken_for_two_things_is_found() {
    let refused = Event::Refused { attempt: 6, code: ErrorCode::Conflict };
    assert_eq!(with(&refused, &[accepted(6, 1, 4)]), [Law::ReusedIsRefused]);
    // It was refused, and done.
    let mut other = says(11, 1);
    if let Command::SendMessage { text: it, .. } = &mut other {
        *it = text(11, "other words");
    }
    let mut events = healthy();
    for event in &mut events {
        if let Event::Sent { attempt: 6, command, .. } = event {
            *command = other.clone();
        }
        if *event == first() {
            let fact = Fact::UserMessage {
                text: text(11, "other words"),
                attachments: vec![],
                reply_to: None,
                origin: Origin::default(),
            };
            *event = stored_log(1, vec![began(10), said(2, 11), said(3, 12), entry(4, fact)]);
        }
    }
    assert_eq!(laws(events), [Law::ReusedIsRefused]);
}

#[test]
fn a_second_answer_is_found() {
    assert_eq!(with(&accepted(5, 1, 2), &[accepted(5, 1, 3)]), [Law::SameAnswer]);
}

#[test]
fn gaps_and_wrong_heads_are_found() {
    assert_eq!(
        with(&first(), &[stored_log(1, vec![began(10), said(2, 11), said(4, 12)])]),
        [Law::Gapless]
    );
    let entries = vec![began(10), said(2, 11), said(3, 12)];
    let short = Event::Stored { log: log(1), head: Seq(4), entries };
    assert_eq!(with(&first(), &[short]), [Law::Gapless]);
}

#[test]
fn a_place_that_changes_is_found() {
    let mut other = said(3, 12);
    other.at = Time(77);
    assert_eq!(
        with(&first(), &[stored_log(1, vec![began(10), said(2, 11), other])]),
        [Law::Stable]
    );
    // Seen, and gone.
    assert_eq!(with(&first(), &[stored_log(1, vec![began(10), said(2, 11)])]), [Law::Stable]);
    let restart = Event::SawRestart { reader: "r".to_owned(), log: log(1) };
    assert_eq!(with(&due(1, 3), &[due(1, 3), restart]), [Law::Stable]);
}

#[test]
fn a_place_that_is_given_twice_is_found() {
    let mut events = healthy();
    let at = events.iter().position(|event| *event == Event::Unanswered { attempt: 3 }).unwrap();
    events[at] = accepted(3, 1, 2);
    assert_eq!(laws(events), [Law::AcknowledgedOnce, Law::NeverReused]);
}

#[test]
fn a_reader_that_is_told_twice_or_too_little_is_found() {
    let third = saw(1, said(3, 12));
    assert_eq!(with(&third, &[third.clone(), third.clone()]), [Law::InOrder]);
    assert_eq!(with(&follows(1, 2), &[follows(1, 1)]), [Law::InOrder]);
    assert_eq!(with(&third, &[]), [Law::Converges]);
    assert_eq!(with(&due(1, 3), &[due(1, 4)]), [Law::Converges]);
}

#[test]
fn what_should_be_gone_and_what_should_not_is_found() {
    let back = stored_log(3, vec![began(30)]);
    assert_eq!(with(&Event::NotStored { log: log(3) }, &[back]), [Law::Gone]);
    assert_eq!(with(&second(), &[Event::NotStored { log: log(2) }]), [Law::Gone]);
    let gone = Event::SawGone { reader: "r".to_owned(), log: log(2) };
    assert_eq!(with(&second(), &[second(), gone]), [Law::Gone]);
    // A deletion that nobody answered may have been done or not.
    let mut events = healthy();
    for event in &mut events {
        if *event == accepted(10, 3, 1) {
            *event = Event::Unanswered { attempt: 10 };
        }
    }
    assert_eq!(laws(events), []);
}

#[test]
fn a_copy_that_differs_is_found() {
    let short = stored_log(2, vec![began(10), forked(2, 20, 1, 2)]);
    assert_eq!(with(&second(), &[short]), [Law::AcknowledgedOnce, Law::Copies]);
    let mut other = said(2, 11);
    other.at = Time(5);
    let differs = stored_log(2, vec![began(10), other, forked(3, 20, 1, 2)]);
    assert_eq!(with(&second(), &[differs]), [Law::Copies]);
}

#[test]
fn what_does_not_name_itself_is_looked_for_at_its_place() {
    let tags = vec![Tag::try_from(id(40).to_string()).unwrap()];
    let mut events = healthy();
    let at = events.iter().position(|event| *event == first()).unwrap();
    events.splice(
        at..=at,
        [
            sent(20, 40, Command::SetTags { log: log(1), tags: tags.clone() }),
            accepted(20, 1, 4),
            sent(21, 41, Command::Pin { log: log(1), seq: Seq(2) }),
            accepted(21, 1, 5),
            stored_log(
                1,
                vec![
                    began(10),
                    said(2, 11),
                    said(3, 12),
                    entry(4, Fact::Tagged { tags }),
                    entry(5, Fact::Pinned { seq: Seq(2) }),
                ],
            ),
        ],
    );
    assert_eq!(laws(events.clone()), []);
    for event in &mut events {
        if let Event::Stored { entries, .. } = event
            && let Some(pinned) = entries.get_mut(4)
        {
            pinned.body = Body::Fact(Fact::Pinned { seq: Seq(1) });
        }
    }
    assert_eq!(laws(events), [Law::AcknowledgedOnce]);
}
