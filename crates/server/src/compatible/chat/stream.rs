//! An answer as `chat.completion.chunk`s. Its end is a reason and `[DONE]`; one that breaks has neither.

use super::answer::finish_reason;
use crate::compatible::{
    bill::{self, Besides, Bill, Call, ChatUsage, put},
    errors::Told,
    telling::Telling,
};
use mosaic_models::{Event, Why};
use serde::Serialize;

/// Tells chunks.
pub(crate) struct Chunks {
    call: Call,
    wants_usage: bool,
    /// What every chunk begins with; no piece is written anew for each word.
    head: Vec<u8>,
    began: bool,
    /// Which calls have had arguments.
    calls: Vec<bool>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallDelta<'a>; 1]>,
}

#[derive(Serialize)]
struct CallDelta<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: FunctionDelta<'a>,
}

#[derive(Serialize)]
struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Head<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
}

#[derive(Serialize)]
struct Last<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    choices: [(); 0],
    usage: ChatUsage,
    mosaic: Besides<'a>,
}

impl Chunks {
    pub(crate) fn new(call: Call, wants_usage: bool) -> Self {
        let head = begin(&call);
        Chunks { call, wants_usage, head, began: false, calls: vec![] }
    }

    fn chunk(&self, delta: &Delta<'_>, finish: Option<&str>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        put(out, delta);
        out.extend_from_slice(b",\"finish_reason\":");
        put(out, &finish);
        out.extend_from_slice(b"}]}\n\n");
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.began, true) {
            let delta = Delta { role: Some("assistant"), content: Some(""), ..Delta::default() };
            self.chunk(&delta, None, out);
        }
    }

    fn arguments(&self, index: u32, arguments: &str, out: &mut Vec<u8>) {
        let function = FunctionDelta { name: None, arguments };
        let call = CallDelta { index, id: None, r#type: None, function };
        self.chunk(&Delta { tool_calls: Some([call]), ..Delta::default() }, None, out);
    }
}

fn head_of(call: &Call) -> Head<'_> {
    Head {
        id: format!("chatcmpl-{}", call.id),
        object: "chat.completion.chunk",
        created: call.created,
        model: &call.model,
    }
}

fn begin(call: &Call) -> Vec<u8> {
    let mut head = b"data: ".to_vec();
    put(&mut head, &head_of(call));
    // The object goes on.
    head.pop();
    head.extend_from_slice(b",\"choices\":[{\"index\":0,\"delta\":");
    head
}

impl Telling for Chunks {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Began { .. } => self.begin(out),
            Event::Text(text) => {
                self.begin(out);
                self.chunk(&Delta { content: Some(text), ..Delta::default() }, None, out);
            }
            Event::Thinking(text) => {
                self.begin(out);
                let delta = Delta { reasoning_content: Some(text), ..Delta::default() };
                self.chunk(&delta, None, out);
            }
            Event::ToolCall { index, id, name } => {
                self.begin(out);
                self.calls.push(false);
                let function = FunctionDelta { name: Some(name), arguments: "" };
                let call =
                    CallDelta { index: *index, id: Some(id), r#type: Some("function"), function };
                self.chunk(&Delta { tool_calls: Some([call]), ..Delta::default() }, None, out);
            }
            Event::Arguments { index, piece } => {
                let at = usize::try_from(*index).ok();
                if let Some(has) = at.and_then(|at| self.calls.get_mut(at)) {
                    *has |= !piece.is_empty();
                }
                self.arguments(*index, piece, out);
            }
            // This format has no place for what is sealed, and says at the end what was used.
            Event::Sealed(_) | Event::Usage(_) | Event::Ended(_) => {}
        }
    }

    fn switched(&mut self, to: &str) {
        to.clone_into(&mut self.call.model);
        self.head = begin(&self.call);
    }

    fn quiet(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b": still here\n\n");
    }

    fn ended(&mut self, why: &Why, bill: &Bill, out: &mut Vec<u8>) {
        self.begin(out);
        for (index, has) in (0..).zip(&self.calls) {
            if !has {
                // Programs read this as JSON, and no text is none.
                self.arguments(index, "{}", out);
            }
        }
        if let Some(words) = bill::refusal(why) {
            self.chunk(&Delta { refusal: Some(words), ..Delta::default() }, None, out);
        }
        let finish = finish_reason(why, !self.calls.is_empty());
        self.chunk(&Delta::default(), Some(finish), out);
        if self.wants_usage {
            let last = Last {
                head: head_of(&self.call),
                choices: [],
                usage: bill::for_chat(&bill.usage),
                mosaic: bill.besides(),
            };
            out.extend_from_slice(b"data: ");
            put(out, &last);
            out.extend_from_slice(b"\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn broken(&mut self, told: &Told, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&told.openai());
        out.extend_from_slice(b"\n\n");
    }
}
