//! Reads answers, in pieces and whole.

use super::refusal::{self, Failure};
use crate::{
    Error, Event, Key, Reported, Result, Sealed, Why,
    wire::{Piece, Reader},
};
use mosaic_protocol::{
    provider::{FailureClass, ProviderKind},
    usage::Usage,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

/// What a stream consists of. One flat shape for all kinds: it is read once for every few letters of an answer, and
/// telling the kinds apart first would mean reading each twice.
#[derive(Deserialize)]
struct Told {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    index: u32,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    content_block: Option<Block>,
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    usage: Option<Counted>,
    #[serde(default)]
    error: Option<Failure>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    MessageStart,
    ContentBlockStart,
    ContentBlockDelta,
    ContentBlockStop,
    MessageDelta,
    MessageStop,
    Error,
    /// A sign of life, or something newer than this.
    #[serde(other)]
    Unknown,
}

/// A whole answer, or its beginning.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    content: Vec<Block>,
    #[serde(default)]
    usage: Option<Counted>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    stop_sequence: Option<String>,
    #[serde(default)]
    stop_details: Option<Value>,
    /// Instead of all else.
    #[serde(default)]
    error: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
        #[serde(default)]
        signature: String,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    /// What the provider's own tools do, and whatever is newer than this.
    #[serde(other)]
    Unknown,
}

/// More of a block, or of the whole answer. What is not there or newer than this is nothing.
#[derive(Deserialize)]
struct Delta {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    partial_json: Option<String>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    stop_sequence: Option<String>,
    #[serde(default)]
    stop_details: Option<Value>,
}

/// Why it ended.
#[derive(Default)]
struct End {
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    stop_details: Option<Value>,
}

impl End {
    fn why(self) -> Why {
        match self.stop_reason.as_deref() {
            Some("max_tokens" | "model_context_window_exceeded") => Why::MaxOutput,
            Some("stop_sequence") => Why::Stop(self.stop_sequence),
            Some("tool_use") => Why::ToolCalls,
            Some("refusal") => {
                let explanation = self.stop_details.as_ref().and_then(|it| it.get("explanation"));
                Why::Refused(explanation.and_then(Value::as_str).map(ToOwned::to_owned))
            }
            // `end_turn`, `pause_turn`, and what is newer than this: it has come to an end.
            _ => Why::Done,
        }
    }
}

/// What was used so far. What is not there is as it was.
#[derive(Default, Deserialize)]
struct Counted {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<Written>,
    output_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Written {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
struct Details {
    thinking_tokens: Option<u64>,
}

impl Counted {
    fn add_to(&self, usage: &mut Usage) {
        let hour = self.cache_creation.as_ref().and_then(|it| it.ephemeral_1h_input_tokens);
        let reasoning = self.output_tokens_details.as_ref().and_then(|it| it.thinking_tokens);
        let mut written = usage.cache_write.saturating_add(usage.cache_write_hour);
        let set = |into: &mut u64, value: Option<u64>| *into = value.unwrap_or(*into);
        set(&mut usage.input, self.input_tokens);
        set(&mut usage.output, self.output_tokens);
        set(&mut usage.cache_read, self.cache_read_input_tokens);
        set(&mut usage.reasoning, reasoning);
        set(&mut written, self.cache_creation_input_tokens);
        set(&mut usage.cache_write_hour, hour);
        usage.cache_write = written.saturating_sub(usage.cache_write_hour);
    }
}

/// A block that is not over.
enum Open {
    /// Nothing more to know of it.
    Plain,
    Thought {
        signature: String,
    },
    Call {
        index: u32,
        input: Value,
        pieces: bool,
    },
    /// Not for us, and none of its pieces.
    Ignored,
}

/// Reads one stream.
pub(super) struct Answers {
    key: Option<Key>,
    model: Option<String>,
    open: HashMap<u32, Open>,
    n_calls: u32,
    usage: Usage,
    end: End,
}

impl Answers {
    pub(super) fn new(key: Option<Key>) -> Self {
        let (open, usage, end) = (HashMap::new(), Usage::default(), End::default());
        Self { key, model: None, open, n_calls: 0, usage, end }
    }

    /// Reads an answer that came all at once.
    pub(super) fn whole(mut self, body: &[u8]) -> Result<Vec<Event>> {
        let mut message: Message =
            serde_json::from_slice(body).map_err(|error| malformed(&error))?;
        if let Some(error) = message.error {
            return Err(refusal::said(None, &error, self.key.as_ref()));
        }
        let mut events = vec![];
        let content = std::mem::take(&mut message.content);
        let end = End {
            stop_reason: message.stop_reason.take(),
            stop_sequence: message.stop_sequence.take(),
            stop_details: message.stop_details.take(),
        };
        self.begin(message, &mut events);
        for (index, block) in (0..).zip(content) {
            self.open(index, block, &mut events);
            self.close(index, &mut events);
        }
        // Without a reason it has not ended.
        if end.stop_reason.is_some() {
            events.push(Event::Ended(end.why()));
        }
        Ok(events)
    }

    fn begin(&mut self, message: Message, events: &mut Vec<Event>) {
        self.model.clone_from(&message.model);
        events.push(Event::Began { id: message.id, model: message.model });
        self.count(message.usage, events);
    }

    fn count(&mut self, counted: Option<Counted>, events: &mut Vec<Event>) {
        if let Some(counted) = counted {
            counted.add_to(&mut self.usage);
            events.push(Event::Usage(Reported { usage: self.usage, cost_micros: None }));
        }
    }

    fn open(&mut self, at: u32, block: Block, events: &mut Vec<Event>) {
        let open = match block {
            Block::Text { text } => {
                if !text.is_empty() {
                    events.push(Event::Text(text));
                }
                Open::Plain
            }
            Block::Thinking { thinking, signature } => {
                if !thinking.is_empty() {
                    events.push(Event::Thinking(thinking));
                }
                Open::Thought { signature }
            }
            Block::RedactedThinking { data } => {
                events.push(self.sealed("data", &data));
                Open::Plain
            }
            Block::ToolUse { id, name, input } => {
                let index = self.n_calls;
                self.n_calls += 1;
                let id = if id.is_empty() { format!("call_{index}") } else { id };
                events.push(Event::ToolCall { index, id, name });
                Open::Call { index, input, pieces: false }
            }
            Block::Unknown => Open::Ignored,
        };
        self.open.insert(at, open);
    }

    fn more(&mut self, at: u32, delta: Delta, events: &mut Vec<Event>) {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        match self.open.get_mut(&at) {
            // Some who speak this format do not say that a block begins.
            Some(Open::Plain) | None => events.extend(some(delta.text).map(Event::Text)),
            Some(Open::Thought { signature }) => {
                events.extend(some(delta.thinking).map(Event::Thinking));
                signature.push_str(delta.signature.as_deref().unwrap_or_default());
            }
            Some(Open::Call { index, pieces, .. }) => {
                if let Some(piece) = some(delta.partial_json) {
                    *pieces = true;
                    events.push(Event::Arguments { index: *index, piece });
                }
            }
            Some(Open::Ignored) => {}
        }
    }

    fn close(&mut self, at: u32, events: &mut Vec<Event>) {
        match self.open.remove(&at) {
            Some(Open::Thought { signature }) if !signature.is_empty() => {
                events.push(self.sealed("signature", &signature));
            }
            Some(Open::Call { index, input, pieces: false }) => {
                let piece = if input.is_object() { input.to_string() } else { "{}".into() };
                events.push(Event::Arguments { index, piece });
            }
            _ => {}
        }
    }

    /// What goes back with the next call; the model too, because some models refuse the thoughts of others.
    fn sealed(&self, field: &str, value: &str) -> Event {
        let value = match &self.model {
            Some(model) => json!({field: value, "model": model}),
            None => json!({field: value}),
        };
        Event::Sealed(Sealed { by: ProviderKind::Anthropic, value })
    }
}

impl Reader for Answers {
    fn read(&mut self, piece: Piece<'_>, events: &mut Vec<Event>) -> Result<()> {
        if piece.data.trim().is_empty() {
            return Ok(());
        }
        let told: Told = match serde_json::from_str(piece.data) {
            Ok(told) => told,
            Err(_) if is_newer(piece.data) => return Ok(()),
            Err(error) => return Err(malformed(&error)),
        };
        let at = told.index;
        let missing = || Error::new(FailureClass::Malformed, "Anthropic sent half an event");
        match told.kind {
            Kind::MessageStart => self.begin(told.message.ok_or_else(missing)?, events),
            Kind::ContentBlockStart => {
                self.open(at, told.content_block.ok_or_else(missing)?, events);
            }
            Kind::ContentBlockDelta => self.more(at, told.delta.ok_or_else(missing)?, events),
            Kind::ContentBlockStop => self.close(at, events),
            Kind::MessageDelta => {
                if let Some(delta) = told.delta {
                    self.end = End {
                        stop_reason: delta.stop_reason,
                        stop_sequence: delta.stop_sequence,
                        stop_details: delta.stop_details,
                    };
                }
                self.count(told.usage, events);
            }
            Kind::MessageStop => events.push(Event::Ended(std::mem::take(&mut self.end).why())),
            Kind::Error => {
                let failure = told.error.unwrap_or_default();
                return Err(refusal::said(None, &failure, self.key.as_ref()));
            }
            Kind::Unknown => {}
        }
        Ok(())
    }
}

/// Whether this is of a kind that is newer than this, and uses the names of fields in another way.
fn is_newer(data: &str) -> bool {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: Kind,
    }
    serde_json::from_str(data).is_ok_and(|typed: Typed| typed.kind == Kind::Unknown)
}

/// What it sent is not quoted: it may be long, and what a person said may be in it.
fn malformed(error: &serde_json::Error) -> Error {
    let message = format!("Anthropic sent what is not its format, at column {}", error.column());
    Error::new(FailureClass::Malformed, message)
}
