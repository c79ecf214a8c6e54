//! Reads an answer, chunk by chunk. An answer that came all at once is one chunk.

use super::{
    answer::{CallIn, Choice, Chunk, Delta},
    calls::Calls,
    details::Details,
    dialect::{Dialect, Thoughts},
    failure,
    usage::reported,
};
use crate::{
    Endpoint, Error, Event, Key, Result, Sealed, Why,
    wire::{Piece, Reader},
};
use mosaic_protocol::provider::FailureClass;
use serde_json::Value;
use std::hash::{BuildHasher, Hasher, RandomState};

/// What has come of an answer.
pub(crate) struct Stream {
    dialect: &'static Dialect,
    /// To keep it out of errors.
    key: Option<Key>,
    began: bool,
    calls: Calls,
    details: Details,
    /// There are thoughts whose seal is still to come.
    unsealed: bool,
    refusal: String,
    /// Why it ended, as the provider says it.
    finish: Option<Finish>,
}

#[derive(Debug, PartialEq, Eq)]
struct Finish {
    reason: String,
    stop: String,
}

impl Stream {
    pub(crate) fn new(dialect: &'static Dialect, endpoint: &Endpoint) -> Self {
        // A number that no other answer has: servers without ids for calls get some that are unique.
        Self::seeded(dialect, endpoint.key.clone(), RandomState::new().build_hasher().finish())
    }

    fn seeded(dialect: &'static Dialect, key: Option<Key>, seed: u64) -> Self {
        Self {
            dialect,
            key,
            began: false,
            calls: Calls::new(seed),
            details: Details::default(),
            unsealed: false,
            refusal: String::new(),
            finish: None,
        }
    }

    /// One chunk.
    pub(crate) fn take(&mut self, chunk: Chunk, events: &mut Vec<Event>) -> Result<()> {
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(failure::of_value(&error, self.key.as_ref()));
        }
        if !self.began {
            self.began = true;
            let named = |name: Option<String>| name.filter(|name| !name.is_empty());
            events.push(Event::Began { id: named(chunk.id), model: named(chunk.model) });
        }
        // Only one answer was asked for; usage comes with an empty list.
        let mut usage = chunk.usage;
        if let Some(mut choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) {
            usage = usage.or(choice.usage.take());
            self.choice(choice, events)?;
        }
        if let Some(usage) = usage {
            events.push(Event::Usage(reported(&usage, self.dialect.says_cost)));
        }
        Ok(())
    }

    fn choice(&mut self, choice: Choice, events: &mut Vec<Event>) -> Result<()> {
        if let Some(error) = choice.error.filter(|error| !error.is_null()) {
            return Err(failure::of_value(&error, self.key.as_ref()));
        }
        if let Some(delta) = choice.delta.or(choice.message) {
            self.delta(delta, events)?;
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.seal(events);
            self.finish = Some(Finish { reason, stop: choice.stop_reason.0 });
        }
        Ok(())
    }

    fn delta(&mut self, delta: Delta, events: &mut Vec<Event>) -> Result<()> {
        let details = delta.reasoning_details.unwrap_or_default();
        // Servers that know several names for it say it under each.
        let thoughts = [delta.reasoning_content.0, delta.reasoning.0];
        let thought = thoughts.into_iter().find(|thought| !thought.is_empty());
        let thought = thought.unwrap_or_else(|| Details::words(&details));
        if !thought.is_empty() {
            self.unsealed = true;
            events.push(Event::Thinking(thought));
        }
        self.details.push(details);
        if !delta.content.0.is_empty() {
            self.seal(events);
            events.push(Event::Text(delta.content.0));
        }
        self.refusal.push_str(&delta.refusal.0);
        let old = delta.function_call.map(|function| CallIn {
            index: Some(0),
            id: None,
            function: Some(function),
        });
        for call in delta.tool_calls.into_iter().flatten().chain(old) {
            self.seal(events);
            self.calls.push(call, events)?;
        }
        Ok(())
    }

    /// What was thought up to here is sealed, where its provider wants it back.
    fn seal(&mut self, events: &mut Vec<Event>) {
        let value = match self.dialect.thoughts {
            Thoughts::None => None,
            // The text itself is what they want back.
            Thoughts::All | Thoughts::ToolTurns => self.unsealed.then_some(Value::Null),
            Thoughts::Details => self.details.take(),
        };
        self.unsealed = false;
        if let Some(value) = value {
            events.push(Event::Sealed(Sealed { by: self.dialect.kind, value }));
        }
    }

    /// Nothing more comes. Without a reason it is no proper end.
    pub(crate) fn ended(&mut self, events: &mut Vec<Event>) -> Result<()> {
        let Some(Finish { reason, stop }) = self.finish.take() else {
            return Err(Error::new(
                FailureClass::Incomplete,
                "the answer stopped without saying why",
            ));
        };
        self.calls.over()?;
        self.seal(events);
        let called = !self.calls.is_empty();
        let why = match reason.as_str() {
            _ if !self.refusal.is_empty() => Why::Refused(Some(std::mem::take(&mut self.refusal))),
            "content_filter" | "sensitive" | "refusal" => Why::Refused(None),
            "length" | "max_tokens" | "model_context_window_exceeded" => Why::MaxOutput,
            "insufficient_system_resource" | "network_error" | "error" => {
                let message = format!("the provider gave up in the middle of the answer: {reason}");
                return Err(Error::new(FailureClass::Overload, message));
            }
            // Some say "stop" after calls, and some "tool_calls" without any.
            _ if called => Why::ToolCalls,
            _ if !stop.is_empty() => Why::Stop(Some(stop)),
            _ => Why::Done,
        };
        events.push(Event::Ended(why));
        Ok(())
    }
}

impl Reader for Stream {
    fn read(&mut self, piece: Piece<'_>, events: &mut Vec<Event>) -> Result<()> {
        let data = piece.data.trim();
        if data == "[DONE]" {
            return self.ended(events);
        }
        if data.is_empty() {
            return Ok(());
        }
        let chunk = serde_json::from_str(data)
            .map_err(|error| failure::malformed("an event of the stream", &error))?;
        self.take(chunk, events)
    }

    fn over(&mut self, events: &mut Vec<Event>) -> Result<()> {
        // Some servers close without a farewell.
        if self.finish.is_some() { self.ended(events) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
