//! Puts a conversation into the order that strict formats want: roles alternate, and the results of calls come right
//! after them, one for each. Whatever is amiss (a stop, a crash, a summary, another provider's habits) is repaired here.
//! Knows no format.

use crate::{CacheFor, Image, Message, Part, Role, Sealed};
use std::collections::{HashMap, VecDeque};

/// What the model is told where a call has no result.
pub(crate) const NO_RESULT: &str = "no result was recorded";

/// What the model is told before a result whose call is not there any more.
pub(crate) const LOST: &str = "The result of a tool call that is not shown here:";

/// The longest id of a call. No format takes less.
const ID_CHARS: usize = 64;

/// All that one side said before the other side spoke.
#[derive(Debug, PartialEq)]
pub(crate) struct Turn<'a> {
    pub(crate) role: Role,
    /// The results of all calls of the turn before, in the order of the calls. They come first.
    pub(crate) answered: Vec<Answered<'a>>,
    pub(crate) said: Vec<Said<'a>>,
}

/// The result of a call.
#[derive(Debug, PartialEq)]
pub(crate) struct Answered<'a> {
    /// As in the call.
    pub(crate) id: String,
    /// The tool's name, for formats that want it again.
    pub(crate) name: &'a str,
    /// What it answered, and whether it failed. `None`: nobody knows.
    pub(crate) found: Option<(&'a [Part], bool)>,
}

/// A part of a turn.
#[derive(Debug, PartialEq)]
pub(crate) enum Said<'a> {
    /// Never blank.
    Text { text: &'a str, cache: Option<CacheFor> },
    /// Only in turns of the user.
    Image(&'a Image),
    /// Only in turns of the assistant, never the last thing there, and only where it may be shown to this provider.
    Thought { text: &'a str, sealed: &'a Sealed },
    /// Only in turns of the assistant. The id is unique and plain: letters, digits, `_` and `-`.
    Call { id: String, name: &'a str, arguments: &'a str },
    /// A result whose call is not there. Only in turns of the user.
    Lost(&'a [Part]),
}

/// A call, and what is known of its result.
struct Call<'a> {
    turn: usize,
    answered: Answered<'a>,
}

/// The conversation in that order. `ours`: whether what was thought may be sent back to where it goes now.
pub(crate) fn turns<'a>(messages: &'a [Message], ours: &dyn Fn(&Sealed) -> bool) -> Vec<Turn<'a>> {
    let mut turns: Vec<Turn<'a>> = vec![];
    let mut calls: Vec<Call<'a>> = vec![];
    let mut ids = HashMap::new();
    // The calls without a result, by the id they had.
    let mut open: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for message in messages {
        for part in &message.parts {
            let (role, said) = match part {
                Part::Text { text, .. } if text.trim().is_empty() => continue,
                Part::Text { text, cache } => {
                    (message.role, Some(Said::Text { text, cache: *cache }))
                }
                Part::Image(image) => (Role::User, Some(Said::Image(image))),
                Part::Thinking { text, sealed: Some(sealed) } if ours(sealed) => {
                    (Role::Assistant, Some(Said::Thought { text, sealed }))
                }
                // Without a seal nobody knows whose it is; with another's seal it is not for this provider.
                Part::Thinking { .. } => continue,
                Part::ToolCall { id, name, arguments } => {
                    open.entry(id).or_default().push_back(calls.len());
                    let id = plain(id, &mut ids);
                    calls.push(Call {
                        turn: at(&mut turns, Role::Assistant),
                        answered: Answered { id: id.clone(), name, found: None },
                    });
                    (Role::Assistant, Some(Said::Call { id, name, arguments }))
                }
                Part::ToolResult { call_id, parts, failed } => {
                    let call = open.get_mut(call_id.as_str()).and_then(VecDeque::pop_front);
                    match call.and_then(|call| calls.get_mut(call)) {
                        Some(call) => {
                            call.answered.found = Some((parts, *failed));
                            (Role::User, None)
                        }
                        None => (Role::User, Some(Said::Lost(parts))),
                    }
                }
            };
            // A result that was taken out still ends the turn of the assistant.
            let turn = at(&mut turns, role);
            if let (Some(turn), Some(said)) = (turns.get_mut(turn), said) {
                turn.said.push(said);
            }
        }
    }
    join(turns, calls)
}

/// The last turn, if it is this side's, or a new one.
fn at(turns: &mut Vec<Turn<'_>>, role: Role) -> usize {
    if turns.last().is_none_or(|turn| turn.role != role) {
        turns.push(Turn { role, answered: vec![], said: vec![] });
    }
    turns.len() - 1
}

/// Puts the results behind their calls, and leaves out what is empty.
fn join<'a>(turns: Vec<Turn<'a>>, calls: Vec<Call<'a>>) -> Vec<Turn<'a>> {
    let mut joined: Vec<Turn<'a>> = vec![];
    let mut calls = calls.into_iter().peekable();
    for (index, mut turn) in turns.into_iter().enumerate() {
        while turn.role == Role::Assistant
            && turn.said.pop_if(|said| matches!(said, Said::Thought { .. })).is_some()
        {}
        if !turn.said.is_empty() {
            match joined.last_mut() {
                Some(last) if last.role == turn.role => last.said.append(&mut turn.said),
                _ => joined.push(turn),
            }
        }
        let mut answered = vec![];
        while let Some(call) = calls.next_if(|call| call.turn == index) {
            answered.push(call.answered);
        }
        if !answered.is_empty() {
            joined.push(Turn { role: Role::User, answered, said: vec![] });
        }
    }
    joined
}

/// An id that every format takes, and that no other call has. `taken`: those that are, each with the number that is
/// tried first when it comes again.
fn plain(id: &str, taken: &mut HashMap<String, u32>) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut plain: String =
        id.chars().take(ID_CHARS).map(|c| if fits(c) { c } else { '_' }).collect();
    if plain.is_empty() {
        plain.push_str("call");
    }
    let mut unique = plain.clone();
    while let Some(number) = taken.get_mut(&plain).filter(|_| unique == plain) {
        let suffix = format!("_{number}");
        *number += 1;
        let stem = plain.get(..ID_CHARS - suffix.len()).unwrap_or(&plain);
        let next = format!("{stem}{suffix}");
        if !taken.contains_key(&next) {
            unique = next;
        }
    }
    taken.insert(unique.clone(), 2);
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_protocol::provider::ProviderKind;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::collections::HashSet;

    fn message(role: Role, parts: Vec<Part>) -> Message {
        Message { role, parts }
    }

    fn call(id: &str) -> Part {
        Part::ToolCall { id: id.into(), name: "look".into(), arguments: "{}".into() }
    }

    fn result(id: &str) -> Part {
        let parts = vec![Part::text(format!("of {id}"))];
        Part::ToolResult { call_id: id.into(), parts, failed: false }
    }

    /// One line for each turn.
    fn told(messages: &[Message]) -> Vec<String> {
        let ours = |sealed: &Sealed| sealed.by == ProviderKind::Anthropic;
        turns(messages, &ours)
            .iter()
            .map(|turn| {
                let mut words = vec![format!("{:?}:", turn.role)];
                words.extend(turn.answered.iter().map(|answered| match answered.found {
                    Some(_) => format!("={}", answered.id),
                    None => format!("?{}", answered.id),
                }));
                words.extend(turn.said.iter().map(|said| match said {
                    Said::Text { text, .. } => (*text).to_owned(),
                    Said::Image(_) => "image".into(),
                    Said::Thought { text, .. } => format!("({text})"),
                    Said::Call { id, .. } => format!("!{id}"),
                    Said::Lost(_) => "lost".into(),
                }));
                words.join(" ")
            })
            .collect()
    }

    #[test]
    fn results_come_first_and_right_after_their_calls() {
        let told = told(&[
            message(Role::User, vec![Part::text("a")]),
            message(Role::User, vec![Part::text(" \n"), Part::text("b")]),
            message(Role::Assistant, vec![call("1"), call("2"), call("3")]),
            message(Role::User, vec![Part::text("wait"), result("2"), result("9")]),
            message(Role::Assistant, vec![Part::text("so")]),
            message(Role::User, vec![result("1"), result("1")]),
            message(Role::Assistant, vec![Part::text("x"), call("2")]),
        ]);
        let wanted = [
            "User: a b",
            "Assistant: !1 !2 !3",
            "User: =1 =2 ?3 wait lost",
            "Assistant: so",
            "User: lost",
            "Assistant: x !2_2",
            "User: ?2_2",
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn what_others_thought_is_left_out_with_what_is_empty_after_that() {
        let thought = |text: &str, by: Option<ProviderKind>| Part::Thinking {
            text: text.into(),
            sealed: by.map(|by| Sealed { by, value: Value::Null }),
        };
        let (ours, other) = (Some(ProviderKind::Anthropic), Some(ProviderKind::OpenAi));
        let told = told(&[
            message(Role::User, vec![Part::text("a")]),
            message(Role::Assistant, vec![thought("theirs", other), thought("whose", None)]),
            message(Role::User, vec![Part::text("b")]),
            message(Role::Assistant, vec![thought("mine", ours), Part::text("c")]),
            message(Role::Assistant, vec![thought("cut", ours)]),
        ]);
        assert_eq!(told, ["User: a b", "Assistant: (mine) c"]);
    }

    #[test]
    fn ids_are_plain_and_stay_apart() {
        let long = "x".repeat(100);
        let told = told(&[
            message(Role::Assistant, vec![call("a:b"), call("a.b"), call(""), call(&long)]),
            message(Role::User, vec![result("a.b"), result("a:b"), result(&long), result("")]),
        ]);
        let x = "x".repeat(ID_CHARS);
        let wanted =
            [format!("Assistant: !a_b !a_b_2 !call !{x}"), format!("User: =a_b =a_b_2 =call ={x}")];
        assert_eq!(told, wanted);
    }

    #[test]
    fn a_hundred_thousand_calls_of_one_id_take_no_square_of_that() {
        let calls = (0..100_000).map(|_| call("x")).collect();
        let messages = [message(Role::Assistant, calls)];
        let turns = turns(&messages, &|_| false);
        assert_eq!(turns[1].answered.last().unwrap().id, "x_100000");
    }

    fn any_part() -> impl Strategy<Value = Part> {
        let id = prop::sample::select(vec!["1", "2", "a:b", "a.b", ""]);
        let by = prop::sample::select(vec![
            None,
            Some(ProviderKind::Anthropic),
            Some(ProviderKind::OpenAi),
        ]);
        prop_oneof![
            prop::sample::select(vec!["", "x", "  "]).prop_map(Part::text),
            id.clone().prop_map(call),
            id.prop_map(result),
            by.prop_map(|by| Part::Thinking {
                text: "t".into(),
                sealed: by.map(|by| Sealed { by, value: Value::Null }),
            }),
        ]
    }

    proptest! {
        #[test]
        fn whatever_was_said_comes_out_in_order(
            said in prop::collection::vec((any::<bool>(), prop::collection::vec(any_part(), 0..4)), 0..8),
        ) {
            let messages: Vec<_> = said
                .into_iter()
                .map(|(user, parts)| message(if user { Role::User } else { Role::Assistant }, parts))
                .collect();
            let turns = turns(&messages, &|sealed| sealed.by == ProviderKind::Anthropic);
            let mut ids = HashSet::new();
            let mut called: Vec<String> = vec![];
            for (index, turn) in turns.iter().enumerate() {
                if let Some(before) = index.checked_sub(1) {
                    prop_assert_ne!(turns[before].role, turn.role);
                }
                let answered: Vec<_> = turn.answered.iter().map(|one| one.id.clone()).collect();
                prop_assert_eq!(&answered, &called);
                prop_assert!(!turn.said.is_empty() || !answered.is_empty());
                let ends_in_thought = matches!(turn.said.last(), Some(Said::Thought { .. }));
                prop_assert!(!ends_in_thought);
                called = turn.said.iter().filter_map(|said| match said {
                    Said::Call { id, .. } => Some(id.clone()),
                    _ => None,
                }).collect();
                for id in &called {
                    prop_assert!(ids.insert(id.clone()));
                }
            }
            prop_assert!(called.is_empty());
        }
    }
}
