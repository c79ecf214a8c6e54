//! The format of scripts: which turn is next, and what is said in it. Pure. What the fields mean for people is in
//! docs/scripted-model.md.

use super::steps::Asked;
use crate::{Error, Request, Result, Role};
use mosaic_protocol::{provider::FailureClass, usage::Usage};
use serde::Deserialize;
use serde_json::Value;

/// The bounds of a script.
const TURNS: usize = 200;
const CALLS: usize = 100;
const BYTES: usize = 1024 * 1024;
const PAUSE_MS: u64 = 60_000;

/// A script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    turns: Vec<Turn>,
}

/// One answer of the model.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    /// Plays as the scripted model of this name instead.
    #[serde(rename = "as")]
    pub(super) plays: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) calls: Vec<Call>,
    /// Before each word.
    #[serde(default)]
    pub(super) pause_ms: u64,
    pub(super) usage: Option<Used>,
    #[serde(default)]
    pub(super) ends: Ends,
}

/// A tool call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) tool: String,
    #[serde(default = "nothing")]
    pub(super) arguments: Value,
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

/// How a turn ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ends {
    /// As it should: with tool calls, if there are some.
    #[default]
    Properly,
    MaxOutput,
    Refused,
    /// Without an end.
    Cut,
    /// Never.
    Stall,
}

/// What a turn says that it used: the fields of `Usage`, with misspelled ones refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Used {
    input: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_hour: u64,
    output: u64,
    reasoning: u64,
}

impl From<Used> for Usage {
    fn from(used: Used) -> Usage {
        let Used { input, cache_read, cache_write, cache_write_hour, output, reasoning } = used;
        Usage { input, cache_read, cache_write, cache_write_hour, output, reasoning }
    }
}

/// The turn that is next: as many as there were answers since the script.
pub(super) fn next_turn(request: &Request, asked: &Asked) -> Result<Turn> {
    let mut found = None;
    for (at, message) in request.messages.iter().enumerate().rev() {
        if message.role == Role::User
            && let Some(text) = script_in(&super::steps::words_of(&message.parts))
        {
            found = Some((text, super::steps::answers(request.messages.get(at..).unwrap_or(&[]))));
            break;
        }
    }
    let in_system =
        || request.system.iter().find_map(|system| Some((script_in(&system.text)?, asked.answers)));
    let Some((text, played)) = found.or_else(in_system) else {
        return wrong("there is no script: neither a user's message nor the system prompt has one");
    };
    let script: Script = serde_json::from_str(&text)
        .or_else(|error| wrong(format!("the script cannot be read: {error}")))?;
    let turns = script.turns.len();
    if text.len() > BYTES || turns > TURNS {
        return wrong(format!("a script has at most {TURNS} turns and {BYTES} bytes"));
    }
    let at = usize::try_from(played).unwrap_or(usize::MAX);
    let Some(mut turn) = script.turns.into_iter().nth(at) else {
        return wrong(format!("the script has {turns} turns, and all were played"));
    };
    if turn.calls.len() > CALLS || turn.pause_ms > PAUSE_MS {
        return wrong(format!("a turn has at most {CALLS} calls and pauses of {PAUSE_MS} ms"));
    }
    if turn.plays.is_some() && turn != (Turn { plays: turn.plays.clone(), ..Turn::default() }) {
        return wrong("a turn that says \"as\" says nothing else");
    }
    for text in [&mut turn.text, &mut turn.thinking].into_iter().flatten() {
        let results = asked.results.as_deref().unwrap_or_default();
        *text = text.replace("{{results}}", results);
    }
    Ok(turn)
}

/// The script in a text: all of it, or what is fenced as `script`.
fn script_in(text: &str) -> Option<String> {
    let whole = text.trim();
    if whole.starts_with('{') && whole.contains("\"turns\"") {
        return Some(whole.to_owned());
    }
    let (_, fenced) = text.split_once("```script\n")?;
    Some(fenced.split_once("```").map_or(fenced, |(fenced, _)| fenced).to_owned())
}

fn wrong<T>(message: impl Into<String>) -> Result<T> {
    Err(Error { status: Some(400), ..Error::new(FailureClass::BadRequest, message) })
}
