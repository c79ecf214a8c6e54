//! The tool calls of one answer, told apart however the server numbers them. Pure.
//!
//! Servers leave out the index, give every call the index 0, send a call whole, repeat its name or id in every piece,
//! or repeat all arguments with every piece. What comes out has one beginning and only new text for each call.

use super::answer::CallIn;
use crate::{Error, Event, Result};
use mosaic_protocol::provider::FailureClass;
use std::collections::HashSet;

/// How many calls one answer may have.
const MAX_CALLS: usize = 256;

/// The calls so far.
#[derive(Debug)]
pub(crate) struct Calls {
    calls: Vec<Call>,
    /// How many have begun: their name came.
    begun: u32,
    ids: HashSet<String>,
    /// Makes ids unique where the server gives none.
    seed: u64,
}

#[derive(Debug)]
struct Call {
    index: Option<u64>,
    /// The id as the server gave it.
    said_id: String,
    /// Its number, once it has begun.
    number: u32,
    /// Empty until its name came.
    name: String,
    /// All arguments so far.
    arguments: String,
    way: Way,
}

/// How a call's arguments come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// There was no second piece yet.
    Unknown,
    /// Every piece is new.
    Pieces,
    /// Every piece begins with all that was there before.
    Repeated,
}

impl Calls {
    pub(crate) fn new(seed: u64) -> Self {
        Self { calls: vec![], begun: 0, ids: HashSet::new(), seed }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// One more piece of a call.
    pub(crate) fn push(&mut self, piece: CallIn, events: &mut Vec<Event>) -> Result<()> {
        let id = piece.id.unwrap_or_default();
        let function = piece.function.unwrap_or_default();
        let name = function.name.unwrap_or_default();
        let at = match self.find(piece.index, &id, &name) {
            Some(at) => at,
            None if self.calls.len() >= MAX_CALLS => {
                return Err(malformed("the answer has too many tool calls"));
            }
            None => {
                self.calls.push(Call {
                    index: piece.index,
                    said_id: id.clone(),
                    number: 0,
                    name: String::new(),
                    arguments: String::new(),
                    way: Way::Unknown,
                });
                self.calls.len() - 1
            }
        };
        let Some(call) = self.calls.get_mut(at) else { return Ok(()) };
        if call.said_id.is_empty() {
            call.said_id = id;
        }
        let begins = call.name.is_empty() && !name.is_empty();
        let made = if begins { Some((self.unique(at), self.begun)) } else { None };
        let Some(call) = self.calls.get_mut(at) else { return Ok(()) };
        let more = function.arguments.0;
        let kept = call.take(&more);
        if let Some((id, number)) = made {
            self.begun += 1;
            call.number = number;
            call.name.clone_from(&name);
            events.push(Event::ToolCall { index: number, id, name });
            // What came before its name was held back.
            if !call.arguments.is_empty() {
                events.push(Event::Arguments { index: number, piece: call.arguments.clone() });
            }
        } else if !call.name.is_empty()
            && let Some(piece) = more.get(kept..).filter(|piece| !piece.is_empty())
        {
            events.push(Event::Arguments { index: call.number, piece: piece.to_owned() });
        }
        Ok(())
    }

    /// All calls are over.
    pub(crate) fn over(&self) -> Result<()> {
        if self.calls.iter().any(|call| call.name.is_empty()) {
            return Err(malformed("a tool call has no name"));
        }
        Ok(())
    }

    /// Which call a piece belongs to; `None`: a new one.
    fn find(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        let is_other = |call: &Call| {
            // Pieces of one call may repeat its id and name. Another id with a name is another call.
            !id.is_empty() && !call.said_id.is_empty() && call.said_id != id && !name.is_empty()
        };
        if index.is_some() {
            let found = self.calls.iter().rposition(|call| call.index == index)?;
            return self.calls.get(found).is_none_or(|call| !is_other(call)).then_some(found);
        }
        if !id.is_empty() {
            return self.calls.iter().rposition(|call| call.said_id == id);
        }
        if name.is_empty() { self.calls.len().checked_sub(1) } else { None }
    }

    /// The id that a call gets: the server's, if it is the first with it.
    fn unique(&mut self, at: usize) -> String {
        let said = self.calls.get(at).map(|call| call.said_id.as_str()).unwrap_or_default();
        let id = if said.is_empty() || self.ids.contains(said) {
            format!("call_{:016x}{at:02x}", self.seed)
        } else {
            said.to_owned()
        };
        self.ids.insert(id.clone());
        id
    }
}

impl Call {
    /// Takes a piece of arguments; how many bytes at its beginning are not new.
    fn take(&mut self, piece: &str) -> usize {
        if self.arguments.is_empty() || piece.is_empty() {
            self.arguments.push_str(piece);
            return 0;
        }
        let repeats = piece.len() >= self.arguments.len() && piece.starts_with(&self.arguments);
        let kept = match self.way {
            // Shorter texts may well come twice in a row.
            Way::Unknown if repeats && self.arguments.starts_with('{') => {
                self.way = Way::Repeated;
                self.arguments.len()
            }
            Way::Unknown => {
                self.way = Way::Pieces;
                0
            }
            Way::Repeated if repeats => self.arguments.len(),
            // All of it once more, as a farewell.
            Way::Pieces if piece == self.arguments && piece.ends_with('}') => piece.len(),
            Way::Repeated | Way::Pieces => 0,
        };
        self.arguments.push_str(piece.get(kept..).unwrap_or_default());
        kept
    }
}

fn malformed(what: &str) -> Error {
    Error::new(FailureClass::Malformed, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn shown(pieces: &[&str]) -> String {
        let mut calls = Calls::new(7);
        let mut events = vec![];
        for piece in pieces {
            calls.push(serde_json::from_str(piece).unwrap(), &mut events).unwrap();
        }
        calls.over().unwrap();
        let lines = events.iter().map(|event| match event {
            Event::ToolCall { index, id, name } => format!("{index} {id} {name}"),
            Event::Arguments { index, piece } => format!("{index}   {piece}"),
            other => format!("{other:?}"),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn pieces_of_several_calls_are_told_apart() {
        let two = shown(&[
            r#"{"index":0,"id":"a","type":"function","function":{"name":"x","arguments":""}}"#,
            r#"{"index":1,"id":"b","function":{"name":"y","arguments":""}}"#,
            r#"{"index":0,"function":{"arguments":"{\"p\":"}}"#,
            r#"{"index":1,"function":{"arguments":"{\"q\":"}}"#,
            r#"{"index":0,"function":{"arguments":"1}"}}"#,
            r#"{"index":1,"function":{"arguments":"2}"}}"#,
        ]);
        expect![[r#"
            0 a x
            1 b y
            0   {"p":
            1   {"q":
            0   1}
            1   2}"#]]
        .assert_eq(&two);
    }

    #[test]
    fn calls_without_an_index_or_all_with_the_same_are_told_apart() {
        let whole = shown(&[
            r#"{"id":"a","function":{"name":"x","arguments":"{}"}}"#,
            r#"{"id":"b","function":{"name":"x","arguments":{"p":1}}}"#,
            r#"{"function":{"name":"z","arguments":"{\"r\""}}"#,
            r#"{"function":{"arguments":":3}"}}"#,
        ]);
        expect![[r#"
            0 a x
            0   {}
            1 b x
            1   {"p":1}
            2 call_000000000000000702 z
            2   {"r"
            2   :3}"#]]
        .assert_eq(&whole);
        let zeros = shown(&[
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":"{}"}}"#,
            r#"{"index":0,"id":"b","function":{"name":"x","arguments":"{\"p\":"}}"#,
            r#"{"index":0,"id":"b","function":{"name":"x","arguments":"1}"}}"#,
        ]);
        expect![[r#"
            0 a x
            0   {}
            1 b x
            1   {"p":
            1   1}"#]]
        .assert_eq(&zeros);
        let same_ids = shown(&[
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":"{}"}}"#,
            r#"{"index":1,"id":"a","function":{"name":"x","arguments":"{}"}}"#,
        ]);
        expect![[r#"
            0 a x
            0   {}
            1 call_000000000000000701 x
            1   {}"#]]
        .assert_eq(&same_ids);
    }

    #[test]
    fn arguments_that_are_repeated_come_out_once() {
        let repeated = shown(&[
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":"{\"p\""}}"#,
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":"{\"p\":1"}}"#,
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":"{\"p\":1}"}}"#,
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":"{\"p\":1}"}}"#,
        ]);
        expect![[r#"
            0 a x
            0   {"p"
            0   :1
            0   }"#]]
        .assert_eq(&repeated);
        let farewell = shown(&[
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":"{\"p\""}}"#,
            r#"{"index":0,"function":{"arguments":":1}"}}"#,
            r#"{"index":0,"function":{"arguments":"{\"p\":1}"}}"#,
        ]);
        expect![[r#"
            0 a x
            0   {"p"
            0   :1}"#]]
        .assert_eq(&farewell);
        // The same piece twice is not a repetition of everything.
        let twice = shown(&[
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":"{\"p\":\""}}"#,
            r#"{"index":0,"function":{"arguments":"na"}}"#,
            r#"{"index":0,"function":{"arguments":"na"}}"#,
            r#"{"index":0,"function":{"arguments":"\"}"}}"#,
        ]);
        assert!(twice.ends_with("na\n0   na\n0   \"}"), "{twice}");
    }

    #[test]
    fn a_call_begins_with_its_name_whenever_that_comes() {
        let late = shown(&[
            r#"{"index":0,"function":{"arguments":"{\"p\""}}"#,
            r#"{"index":1,"id":"b","function":{"name":"y","arguments":"{}"}}"#,
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":":1}"}}"#,
        ]);
        expect![[r#"
            0 b y
            0   {}
            1 a x
            1   {"p":1}"#]]
        .assert_eq(&late);
    }

    #[test]
    fn a_call_without_a_name_is_no_call_and_there_is_a_bound() {
        let mut calls = Calls::new(7);
        let mut events = vec![];
        let piece = r#"{"index":0,"id":"a","function":{"arguments":"{"}}"#;
        calls.push(serde_json::from_str(piece).unwrap(), &mut events).unwrap();
        assert!(events.is_empty());
        assert!(calls.over().is_err());
        let mut one = |n: u64| {
            let function = FunctionIn { name: Some("x".into()), ..Default::default() };
            let piece = CallIn { index: Some(n), id: None, function: Some(function) };
            calls.push(piece, &mut events)
        };
        assert!((0..1000).any(|n| one(n).is_err()));
    }

    use super::super::answer::FunctionIn;
}
