//! A whole answer as a `response`, and the items that it is made of. An item's place is that of its part in the reply.

use crate::compatible::{
    bill::{self, Besides, Bill, Call, ResponsesUsage, put},
    errors::Told,
    sealed,
};
use mosaic_models::{Part, Reply, Why};
use mosaic_protocol::ErrorCode;
use serde::Serialize;

/// How far a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

#[derive(Serialize)]
pub(super) struct Response<'a> {
    id: String,
    object: &'static str,
    created_at: i64,
    status: Status,
    error: Option<Failed<'a>>,
    incomplete_details: Option<Details>,
    instructions: (),
    metadata: Nothing,
    model: &'a str,
    output: Vec<Item<'a>>,
    parallel_tool_calls: bool,
    previous_response_id: (),
    store: bool,
    temperature: (),
    text: TextFormat,
    tool_choice: &'static str,
    tools: [(); 0],
    top_p: (),
    truncation: &'static str,
    usage: Option<ResponsesUsage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mosaic: Option<Besides<'a>>,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct TextFormat {
    format: Kind,
}

#[derive(Serialize)]
struct Kind {
    r#type: &'static str,
}

#[derive(Serialize)]
struct Failed<'a> {
    code: ErrorCode,
    message: &'a str,
}

#[derive(Serialize)]
struct Details {
    reason: &'static str,
}

/// Something in the output.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item<'a> {
    Reasoning {
        id: String,
        summary: Vec<Piece<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<String>,
    },
    Message {
        id: String,
        status: Status,
        role: &'static str,
        content: Vec<Piece<'a>>,
    },
    FunctionCall {
        id: String,
        status: Status,
        call_id: &'a str,
        name: &'a str,
        arguments: &'a str,
    },
}

/// A piece of an item.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Piece<'a> {
    OutputText { text: &'a str, annotations: [(); 0], logprobs: [(); 0] },
    Refusal { refusal: &'a str },
    SummaryText { text: &'a str },
}

impl<'a> Piece<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Piece::OutputText { text, annotations: [], logprobs: [] }
    }
}

/// The id of the item at a place.
pub(super) fn item_id(call: &Call, part: &Part, at: usize) -> String {
    let kind = match part {
        Part::Thinking { .. } => "rs",
        Part::ToolCall { .. } => "fc",
        Part::Text { .. } | Part::Image(_) | Part::ToolResult { .. } => "msg",
    };
    format!("{kind}_{}_{at}", call.id)
}

/// The item that a part is. Programs read arguments as JSON, and no text is none.
pub(super) fn item<'a>(call: &Call, part: &'a Part, at: usize, status: Status) -> Item<'a> {
    let id = item_id(call, part, at);
    match part {
        Part::Thinking { text, sealed } => Item::Reasoning {
            id,
            summary: match text.is_empty() {
                true => vec![],
                false => vec![Piece::SummaryText { text }],
            },
            encrypted_content: sealed.as_ref().map(sealed::for_responses),
        },
        Part::ToolCall { id: call_id, name, arguments } => Item::FunctionCall {
            id,
            status,
            call_id,
            name,
            arguments: if arguments.is_empty() { "{}" } else { arguments },
        },
        Part::Text { text, .. } => {
            Item::Message { id, status, role: "assistant", content: vec![Piece::text(text)] }
        }
        Part::Image(_) | Part::ToolResult { .. } => {
            Item::Message { id, status, role: "assistant", content: vec![] }
        }
    }
}

/// The item that holds what was said instead of an answer.
pub(super) fn refusing<'a>(call: &Call, words: &'a str, at: usize) -> Item<'a> {
    let id = format!("msg_{}_{at}", call.id);
    let content = vec![Piece::Refusal { refusal: words }];
    Item::Message { id, status: Status::Incomplete, role: "assistant", content }
}

/// How a response stands.
pub(super) enum Stands<'a> {
    /// It has only begun.
    Begun,
    /// It is over, for this reason.
    Over(&'a Why, &'a Bill),
    /// It broke.
    Broken(&'a Told, &'a str),
}

/// The whole object.
pub(super) fn response<'a>(call: &'a Call, reply: &'a Reply, stands: &Stands<'a>) -> Response<'a> {
    let (status, details) = match stands {
        Stands::Begun => (Status::InProgress, None),
        Stands::Broken(..) => (Status::Failed, None),
        Stands::Over(Why::MaxOutput, _) => (Status::Incomplete, Some("max_output_tokens")),
        Stands::Over(Why::Refused(_), _) => (Status::Incomplete, Some("content_filter")),
        Stands::Over(..) => (Status::Completed, None),
    };
    let last = reply.parts.len().saturating_sub(1);
    let of_part = |(at, part): (usize, &'a Part)| {
        // What was cut off is what came last.
        let whole = at != last || status == Status::Completed;
        item(call, part, at, if whole { Status::Completed } else { Status::Incomplete })
    };
    let mut output: Vec<Item<'a>> = reply.parts.iter().enumerate().map(of_part).collect();
    let mut usage = None;
    let mut mosaic = None;
    let mut error = None;
    match stands {
        Stands::Begun => {}
        Stands::Over(why, bill) => {
            let words = bill::refusal(why);
            output.extend(words.map(|words| refusing(call, words, reply.parts.len())));
            usage = Some(bill::for_responses(&bill.usage));
            mosaic = Some(bill.besides());
        }
        Stands::Broken(told, message) => error = Some(Failed { code: told.code, message }),
    }
    Response {
        id: format!("resp_{}", call.id),
        object: "response",
        created_at: call.created,
        status,
        error,
        incomplete_details: details.map(|reason| Details { reason }),
        instructions: (),
        metadata: Nothing {},
        model: &call.model,
        output,
        parallel_tool_calls: true,
        previous_response_id: (),
        store: false,
        temperature: (),
        text: TextFormat { format: Kind { r#type: "text" } },
        tool_choice: "auto",
        tools: [],
        top_p: (),
        truncation: "disabled",
        usage,
        mosaic,
    }
}

/// Writes a whole answer.
pub(crate) fn whole(call: &Call, reply: &Reply, why: &Why, bill: &Bill) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    put(&mut out, &response(call, reply, &Stands::Over(why, bill)));
    out
}
