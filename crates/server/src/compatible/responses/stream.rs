//! An answer as the events of a response. Each part of the reply is an item at its place; words and thoughts are told one
//! after the other, calls side by side, because their arguments may come mixed.

use super::answer::{Item, Piece, Response, Stands, Status, item, item_id, refusing, response};
use crate::compatible::{
    bill::{self, Bill, Call, put},
    errors::Told,
    telling::Telling,
};
use mosaic_models::{Event, Part, Reply, Why};
use serde::Serialize;

/// Tells the steps of a response.
pub(crate) struct Steps {
    call: Call,
    /// What came up to now.
    reply: Reply,
    began: bool,
    sequence_number: u64,
    /// The place of the words or thoughts that are being told.
    open: Option<usize>,
    /// The places of the calls, in the order of their numbers.
    calls: Vec<usize>,
}

#[derive(Serialize)]
struct Step<T> {
    r#type: &'static str,
    sequence_number: u64,
    #[serde(flatten)]
    of: T,
}

#[derive(Serialize)]
struct Whole<'a> {
    response: Response<'a>,
}

#[derive(Serialize)]
struct OfItem<'a> {
    output_index: usize,
    item: Item<'a>,
}

/// Where in an item something happens.
#[derive(Serialize)]
struct Place {
    item_id: String,
    output_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_index: Option<u32>,
}

#[derive(Serialize)]
struct Happened<'a> {
    #[serde(flatten)]
    place: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Piece<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<[(); 0]>,
}

impl Place {
    fn says(self) -> Happened<'static> {
        Happened {
            place: self,
            part: None,
            delta: None,
            text: None,
            refusal: None,
            name: None,
            arguments: None,
            logprobs: None,
        }
    }
}

fn step(name: &'static str, of: impl Serialize, number: &mut u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    put(out, &Step { r#type: name, sequence_number: *number, of });
    out.extend_from_slice(b"\n\n");
    *number += 1;
}

fn place(call: &Call, part: &Part, at: usize) -> Place {
    let (content_index, summary_index) = match part {
        Part::Thinking { .. } => (None, Some(0)),
        Part::ToolCall { .. } => (None, None),
        Part::Text { .. } | Part::Image(_) | Part::ToolResult { .. } => (Some(0), None),
    };
    let item_id = item_id(call, part, at);
    Place { item_id, output_index: at, content_index, summary_index }
}

impl Steps {
    pub(crate) fn new(call: Call) -> Self {
        let reply = Reply::default();
        Steps { call, reply, began: false, sequence_number: 0, open: None, calls: vec![] }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.began, true) {
            let begun = Reply::default();
            for name in ["response.created", "response.in_progress"] {
                let of = Whole { response: response(&self.call, &begun, &Stands::Begun) };
                step(name, of, &mut self.sequence_number, out);
            }
        }
    }

    /// The item at this place begins. Words and thoughts before it are told.
    fn added(&mut self, at: usize, out: &mut Vec<u8>) {
        self.close(out);
        let Some(part) = self.reply.parts.get(at) else { return };
        let (call, number) = (&self.call, &mut self.sequence_number);
        let item = match item(call, part, at, Status::InProgress) {
            Item::Message { id, status, role, .. } => {
                Item::Message { id, status, role, content: vec![] }
            }
            Item::FunctionCall { id, status, call_id, name, .. } => {
                Item::FunctionCall { id, status, call_id, name, arguments: "" }
            }
            Item::Reasoning { id, .. } => {
                Item::Reasoning { id, summary: vec![], encrypted_content: None }
            }
        };
        step("response.output_item.added", OfItem { output_index: at, item }, number, out);
        let place = place(call, part, at);
        match part {
            Part::Text { .. } => {
                let part = Some(Piece::text(""));
                let of = Happened { part, ..place.says() };
                step("response.content_part.added", of, number, out);
                self.open = Some(at);
            }
            Part::Thinking { text, .. } => {
                if !text.is_empty() {
                    let part = Some(Piece::SummaryText { text: "" });
                    let of = Happened { part, ..place.says() };
                    step("response.reasoning_summary_part.added", of, number, out);
                }
                self.open = Some(at);
            }
            Part::ToolCall { .. } | Part::Image(_) | Part::ToolResult { .. } => {}
        }
    }

    /// What is open has been told.
    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(at) = self.open.take() else { return };
        self.done(at, Status::Completed, out);
    }

    fn done(&mut self, at: usize, status: Status, out: &mut Vec<u8>) {
        let Some(part) = self.reply.parts.get(at) else { return };
        let (call, number) = (&self.call, &mut self.sequence_number);
        let place = || place(call, part, at);
        match part {
            Part::Text { text, .. } => {
                let (words, logprobs) = (Some(text.as_str()), Some([]));
                let of = Happened { text: words, logprobs, ..place().says() };
                step("response.output_text.done", of, number, out);
                let of = Happened { part: Some(Piece::text(text)), ..place().says() };
                step("response.content_part.done", of, number, out);
            }
            Part::Thinking { text, .. } if !text.is_empty() => {
                let of = Happened { text: Some(text), ..place().says() };
                step("response.reasoning_summary_text.done", of, number, out);
                let of = Happened { part: Some(Piece::SummaryText { text }), ..place().says() };
                step("response.reasoning_summary_part.done", of, number, out);
            }
            Part::ToolCall { name, arguments, .. } => {
                let arguments = if arguments.is_empty() { "{}" } else { arguments };
                let (name, arguments) = (Some(name.as_str()), Some(arguments));
                let of = Happened { name, arguments, ..place().says() };
                step("response.function_call_arguments.done", of, number, out);
            }
            Part::Thinking { .. } | Part::Image(_) | Part::ToolResult { .. } => {}
        }
        let of = OfItem { output_index: at, item: item(call, part, at, status) };
        step("response.output_item.done", of, number, out);
    }

    fn delta(&mut self, name: &'static str, at: usize, delta: &str, out: &mut Vec<u8>) {
        let Some(part) = self.reply.parts.get(at) else { return };
        let logprobs = matches!(part, Part::Text { .. }).then_some([]);
        let of = Happened { delta: Some(delta), logprobs, ..place(&self.call, part, at).says() };
        step(name, of, &mut self.sequence_number, out);
    }
}

impl Telling for Steps {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        self.begin(out);
        let had = self.reply.parts.len();
        // The end is told with the bill.
        if !matches!(event, Event::Ended(_) | Event::Usage(_)) {
            self.reply.push(event);
        }
        let n = self.reply.parts.len();
        if n > had {
            self.added(had, out);
        }
        let last = n.saturating_sub(1);
        match event {
            Event::Text(text) => self.delta("response.output_text.delta", last, text, out),
            Event::Thinking(text) => {
                self.delta("response.reasoning_summary_text.delta", last, text, out);
            }
            Event::ToolCall { .. } => self.calls.push(last),
            Event::Arguments { index, piece } => {
                let at = usize::try_from(*index).ok().and_then(|index| self.calls.get(index));
                if let Some(at) = at.copied() {
                    self.delta("response.function_call_arguments.delta", at, piece, out);
                }
            }
            Event::Began { .. } | Event::Sealed(_) | Event::Usage(_) | Event::Ended(_) => {}
        }
    }

    fn switched(&mut self, to: &str) {
        to.clone_into(&mut self.call.model);
    }

    fn quiet(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b": still here\n\n");
    }

    fn ended(&mut self, why: &Why, bill: &Bill, out: &mut Vec<u8>) {
        self.begin(out);
        let is_whole = !matches!(why, Why::MaxOutput | Why::Refused(_));
        let last = self.reply.parts.len().saturating_sub(1);
        let left = self.open.take().into_iter().chain(std::mem::take(&mut self.calls));
        for at in left.collect::<Vec<_>>() {
            let whole = is_whole || at != last;
            self.done(at, if whole { Status::Completed } else { Status::Incomplete }, out);
        }
        if let Some(words) = bill::refusal(why) {
            self.refused(words, out);
        }
        let name = if is_whole { "response.completed" } else { "response.incomplete" };
        let of = Whole { response: response(&self.call, &self.reply, &Stands::Over(why, bill)) };
        step(name, of, &mut self.sequence_number, out);
    }

    fn broken(&mut self, told: &Told, out: &mut Vec<u8>) {
        self.begin(out);
        let sentence = told.sentence();
        let stands = Stands::Broken(told, &sentence);
        let of = Whole { response: response(&self.call, &self.reply, &stands) };
        step("response.failed", of, &mut self.sequence_number, out);
    }
}

impl Steps {
    fn refused(&mut self, words: &str, out: &mut Vec<u8>) {
        let at = self.reply.parts.len();
        let (call, number) = (&self.call, &mut self.sequence_number);
        let id = format!("msg_{}_{at}", call.id);
        let place = || Place {
            item_id: id.clone(),
            output_index: at,
            content_index: Some(0),
            summary_index: None,
        };
        let (status, role) = (Status::InProgress, "assistant");
        let item = Item::Message { id: id.clone(), status, role, content: vec![] };
        step("response.output_item.added", OfItem { output_index: at, item }, number, out);
        let part = Some(Piece::Refusal { refusal: "" });
        let of = Happened { part, ..place().says() };
        step("response.content_part.added", of, number, out);
        let of = Happened { delta: Some(words), ..place().says() };
        step("response.refusal.delta", of, number, out);
        let of = Happened { refusal: Some(words), ..place().says() };
        step("response.refusal.done", of, number, out);
        let part = Some(Piece::Refusal { refusal: words });
        let of = Happened { part, ..place().says() };
        step("response.content_part.done", of, number, out);
        let of = OfItem { output_index: at, item: refusing(call, words, at) };
        step("response.output_item.done", of, number, out);
    }
}
