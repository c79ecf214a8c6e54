//! Reads an answer, event by event. Unknown events are passed over; an item whose pieces never came is taken whole when
//! it is there. An answer that came all at once is a list of such items.

use super::answer::{AnItem, Content, Item, Kind, More, OfResponse, Response, UsageIn};
use crate::{
    Endpoint, Error, Event, Key, Reported, Result, Sealed, Why,
    openai_chat::failure,
    wire::{Piece, Reader},
};
use mosaic_protocol::{
    provider::{FailureClass, ProviderKind},
    usage::Usage,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

/// How many items one answer may have.
const MAX_ITEMS: usize = 1024;

/// What has come of an answer.
pub(crate) struct Stream {
    /// Whose seals.
    kind: ProviderKind,
    /// To keep it out of errors.
    key: Option<Key>,
    began: bool,
    items: HashMap<u64, Begun>,
    calls: u32,
    refusal: String,
    seed: u64,
}

/// What has come of one item.
#[derive(Debug, Default, Clone, Copy)]
struct Begun {
    /// Its number among the calls, if it is one.
    call: Option<u32>,
    /// Some of it was handed on already.
    has_pieces: bool,
}

impl Stream {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        Self {
            kind: endpoint.kind,
            key: endpoint.key.clone(),
            began: false,
            items: HashMap::new(),
            calls: 0,
            refusal: String::new(),
            // For calls of servers that give no ids.
            seed: RandomState::new().build_hasher().finish(),
        }
    }

    /// An answer that came all at once.
    pub(crate) fn whole(&mut self, mut response: Response, events: &mut Vec<Event>) -> Result<()> {
        self.begin(&mut response, events);
        for (at, item) in (0..).zip(std::mem::take(&mut response.output)) {
            self.item(at, item, events)?;
        }
        self.end(response, events)
    }

    fn begin(&mut self, response: &mut Response, events: &mut Vec<Event>) {
        if !self.began {
            self.began = true;
            events.push(Event::Began { id: response.id.take(), model: response.model.take() });
        }
    }

    fn at(&mut self, index: u64) -> Result<&mut Begun> {
        if self.items.len() >= MAX_ITEMS && !self.items.contains_key(&index) {
            return Err(Error::new(FailureClass::Malformed, "the answer has too many items"));
        }
        Ok(self.items.entry(index).or_default())
    }

    /// More of a text; nothing is said twice at its end.
    fn more(&mut self, more: &More) -> Result<()> {
        self.at(more.output_index)?.has_pieces = true;
        Ok(())
    }

    fn arguments(&mut self, more: More, events: &mut Vec<Event>) -> Result<()> {
        let begun = self.at(more.output_index)?;
        let Some(index) = begun.call else {
            return Err(Error::new(FailureClass::Malformed, "arguments came without their call"));
        };
        // At the end all of them are repeated, for whoever did not listen before.
        let piece =
            if more.delta.is_empty() && !begun.has_pieces { more.arguments } else { more.delta };
        if !piece.is_empty() {
            begun.has_pieces = true;
            events.push(Event::Arguments { index, piece });
        }
        Ok(())
    }

    /// A call begins, once.
    fn call(
        &mut self,
        at: u64,
        id: Option<String>,
        name: Option<String>,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        if self.at(at)?.call.is_some() {
            return Ok(());
        }
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(Error::new(FailureClass::Malformed, "a tool call has no name"));
        };
        let index = self.calls;
        self.calls += 1;
        self.at(at)?.call = Some(index);
        let id = id.filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| format!("call_{:016x}{index:02x}", self.seed));
        events.push(Event::ToolCall { index, id, name });
        Ok(())
    }

    /// An item is whole.
    fn item(&mut self, at: u64, item: Item, events: &mut Vec<Event>) -> Result<()> {
        let has_pieces = self.at(at)?.has_pieces;
        match item {
            Item::Message { content } => {
                for content in content.into_iter().filter(|_| !has_pieces) {
                    match content {
                        Content::OutputText { text } if !text.is_empty() => {
                            events.push(Event::Text(text));
                        }
                        Content::Refusal { refusal } => self.refusal.push_str(&refusal),
                        _ => {}
                    }
                }
            }
            Item::FunctionCall { call_id, name, arguments } => {
                self.call(at, call_id, name, events)?;
                let more =
                    More { output_index: at, summary_index: 0, delta: String::new(), arguments };
                self.arguments(more, events)?;
            }
            Item::Reasoning { id, summary, content, encrypted_content } => {
                let texts = summary.iter().chain(content.iter().flatten());
                let words: Vec<_> = texts.filter_map(words).collect();
                if !has_pieces && !words.is_empty() {
                    events.push(Event::Thinking(words.join("\n\n")));
                }
                if let Some(encrypted) = encrypted_content {
                    let summary = summary.iter().filter_map(words_of_summary);
                    let value = json!({
                        "id": id,
                        "summary": summary.collect::<Vec<_>>(),
                        "encrypted_content": encrypted,
                    });
                    events.push(Event::Sealed(Sealed { by: self.kind, value }));
                }
            }
            Item::Other => {}
        }
        self.at(at)?.has_pieces = true;
        Ok(())
    }

    /// The answer says that it is over.
    fn end(&mut self, response: Response, events: &mut Vec<Event>) -> Result<()> {
        if let Some(usage) = &response.usage {
            events.push(Event::Usage(reported(usage)));
        }
        let reason = response.incomplete_details.and_then(|details| details.reason);
        let why = match (response.status.as_deref(), reason.as_deref()) {
            (Some("failed" | "cancelled"), _) => {
                let error = response.error.unwrap_or_default();
                return Err(failure::of_value(&error, self.key.as_ref()));
            }
            _ if !self.refusal.is_empty() => Why::Refused(Some(std::mem::take(&mut self.refusal))),
            (Some("incomplete"), Some("content_filter")) => Why::Refused(None),
            (Some("incomplete"), _) => Why::MaxOutput,
            (Some("completed") | None, _) if self.calls > 0 => Why::ToolCalls,
            (Some("completed") | None, _) => Why::Done,
            (Some(_), _) => {
                return Err(Error::new(
                    FailureClass::Incomplete,
                    "the answer stopped without its end",
                ));
            }
        };
        events.push(Event::Ended(why));
        Ok(())
    }
}

impl Reader for Stream {
    fn read(&mut self, piece: Piece<'_>, events: &mut Vec<Event>) -> Result<()> {
        let data = piece.data;
        let Kind { name } = read(data)?;
        match &*name {
            "response.created" | "response.in_progress" => {
                let mut event: OfResponse = read(data)?;
                self.begin(&mut event.response, events);
            }
            "response.output_text.delta" => {
                let more: More = read(data)?;
                self.more(&more)?;
                events.push(Event::Text(more.delta));
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                let more: More = read(data)?;
                self.more(&more)?;
                events.push(Event::Thinking(more.delta));
            }
            "response.reasoning_summary_part.added" => {
                let more: More = read(data)?;
                if more.summary_index > 0 {
                    events.push(Event::Thinking("\n\n".to_owned()));
                }
            }
            "response.refusal.delta" => {
                let more: More = read(data)?;
                self.more(&more)?;
                self.refusal.push_str(&more.delta);
            }
            "response.function_call_arguments.delta" | "response.function_call_arguments.done" => {
                self.arguments(read(data)?, events)?;
            }
            "response.output_item.added" => {
                let AnItem { output_index, item } = read(data)?;
                if let Item::FunctionCall { call_id, name, .. } = item {
                    self.call(output_index, call_id, name, events)?;
                }
            }
            "response.output_item.done" => {
                let AnItem { output_index, item } = read(data)?;
                self.item(output_index, item, events)?;
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                let mut event: OfResponse = read(data)?;
                self.begin(&mut event.response, events);
                self.end(event.response, events)?;
            }
            "error" => {
                let error: Value = read(data)?;
                return Err(failure::of_value(&error, self.key.as_ref()));
            }
            _ => {}
        }
        Ok(())
    }
}

fn read<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T> {
    serde_json::from_str(data).map_err(|error| failure::malformed("an event of the stream", &error))
}

fn words(content: &Content) -> Option<&str> {
    match content {
        Content::SummaryText { text } | Content::ReasoningText { text } => Some(text),
        Content::OutputText { .. } | Content::Refusal { .. } | Content::Other => None,
    }
}

/// A summary as it must go back.
fn words_of_summary(content: &Content) -> Option<Value> {
    match content {
        Content::SummaryText { text } => Some(json!({"type": "summary_text", "text": text})),
        _ => None,
    }
}

fn reported(said: &UsageIn) -> Reported {
    let cached = said.input_tokens_details.as_ref().map_or(0, |details| details.cached_tokens);
    let reasoning =
        said.output_tokens_details.as_ref().map_or(0, |details| details.reasoning_tokens);
    let cache_read = cached.min(said.input_tokens);
    let usage = Usage {
        input: said.input_tokens - cache_read,
        cache_read,
        output: said.output_tokens,
        reasoning: reasoning.min(said.output_tokens),
        ..Usage::default()
    };
    Reported { usage, cost_micros: None }
}
