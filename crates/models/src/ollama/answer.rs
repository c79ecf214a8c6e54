//! Reads Ollama's answers: a JSON document in every line, the last one with `done`.

use super::refusal;
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

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    eval_count: Option<u64>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: String,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    id: Option<String>,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: Value,
}

/// Reads one answer. One that comes all at once is its only line.
pub(super) struct Answers {
    key: Option<Key>,
    began: bool,
    /// Thoughts came that are not sealed yet.
    thinks: bool,
    n_calls: u32,
}

impl Answers {
    pub(super) fn new(key: Option<Key>) -> Self {
        Self { key, began: false, thinks: false, n_calls: 0 }
    }

    pub(super) fn line(&mut self, line: &[u8], events: &mut Vec<Event>) -> Result<()> {
        let line: Line = serde_json::from_slice(line).map_err(|error| {
            let message =
                format!("Ollama sent what is not its format, at column {}", error.column());
            Error::new(FailureClass::Malformed, message)
        })?;
        if let Some(error) = line.error {
            return Err(refusal::said(None, &error, self.key.as_ref()));
        }
        if !self.began {
            self.began = true;
            events.push(Event::Began { id: None, model: line.model.clone() });
        }
        if let Some(message) = line.message {
            if let Some(thinking) = message.thinking.filter(|thinking| !thinking.is_empty()) {
                self.thinks = true;
                events.push(Event::Thinking(thinking));
            }
            let calls = message.tool_calls.unwrap_or_default();
            if !message.content.is_empty() || !calls.is_empty() {
                self.seal(line.model.as_deref(), events);
            }
            if !message.content.is_empty() {
                events.push(Event::Text(message.content));
            }
            for call in calls {
                self.call(call, line.created_at.as_deref(), events);
            }
        }
        if line.done {
            self.seal(line.model.as_deref(), events);
            if line.prompt_eval_count.is_some() || line.eval_count.is_some() {
                let usage = Usage {
                    input: line.prompt_eval_count.unwrap_or(0),
                    output: line.eval_count.unwrap_or(0),
                    ..Usage::default()
                };
                events.push(Event::Usage(Reported { usage, cost_micros: None }));
            }
            events.push(Event::Ended(match line.done_reason.as_deref() {
                Some("length") => Why::MaxOutput,
                _ if self.n_calls > 0 => Why::ToolCalls,
                _ => Why::Done,
            }));
        }
        Ok(())
    }

    /// Thoughts are not signed here; the seal says whose they are, so that no other provider gets them.
    fn seal(&mut self, model: Option<&str>, events: &mut Vec<Event>) {
        if std::mem::take(&mut self.thinks) {
            let value = json!({"model": model});
            events.push(Event::Sealed(Sealed { by: ProviderKind::Ollama, value }));
        }
    }

    /// Calls come whole, with an id only from newer servers. One that is made up has the time of the answer in it,
    /// so that it is another one in the next answer.
    fn call(&mut self, call: Call, created_at: Option<&str>, events: &mut Vec<Event>) {
        let index = self.n_calls;
        self.n_calls += 1;
        let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| {
            let time: String = created_at
                .unwrap_or_default()
                .chars()
                .filter(char::is_ascii_digit)
                .take(24)
                .collect();
            if time.is_empty() { format!("call_{index}") } else { format!("call_{time}_{index}") }
        });
        let piece = match call.function.arguments {
            Value::Null => "{}".to_owned(),
            // As text, from servers that only look like this one.
            Value::String(text) => text,
            other => other.to_string(),
        };
        events.push(Event::ToolCall { index, id, name: call.function.name });
        events.push(Event::Arguments { index, piece });
    }
}

impl Reader for Answers {
    fn read(&mut self, piece: Piece<'_>, events: &mut Vec<Event>) -> Result<()> {
        self.line(piece.data.as_bytes(), events)
    }
}
