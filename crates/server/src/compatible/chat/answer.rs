//! A whole answer as a `chat.completion`.

use crate::compatible::bill::{self, Besides, Bill, Call, ChatUsage, put};
use mosaic_models::{Part, Reply, Why};
use serde::Serialize;

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: ChatUsage,
    mosaic: Besides<'a>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: (),
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reasoning_content: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

/// Writes it.
pub(crate) fn whole(call: &Call, reply: &Reply, why: &Why, bill: &Bill) -> Vec<u8> {
    let mut thoughts = String::new();
    let mut tool_calls = vec![];
    for part in &reply.parts {
        match part {
            Part::Thinking { text, .. } => thoughts.push_str(text),
            Part::ToolCall { id, name, arguments } => {
                // Programs read this as JSON, and no text is none.
                let arguments = if arguments.is_empty() { "{}" } else { arguments };
                let function = Function { name, arguments };
                tool_calls.push(ToolCall { id, r#type: "function", function });
            }
            Part::Text { .. } | Part::Image(_) | Part::ToolResult { .. } => {}
        }
    }
    let refusal = bill::refusal(why);
    let text = reply.text();
    let content =
        (!text.is_empty() || (tool_calls.is_empty() && refusal.is_none())).then_some(text);
    let finish_reason = finish_reason(why, !tool_calls.is_empty());
    let message =
        Message { role: "assistant", content, refusal, reasoning_content: thoughts, tool_calls };
    let mut out = Vec::with_capacity(1024);
    put(
        &mut out,
        &Completion {
            id: format!("chatcmpl-{}", call.id),
            object: "chat.completion",
            created: call.created,
            model: &call.model,
            choices: [Choice { index: 0, message, logprobs: (), finish_reason }],
            usage: bill::for_chat(&bill.usage),
            mosaic: bill.besides(),
        },
    );
    out
}

/// Why it ended, in this format's words.
pub(super) fn finish_reason(why: &Why, calls: bool) -> &'static str {
    match why {
        Why::Done | Why::Stop(_) if calls => "tool_calls",
        Why::Done | Why::Stop(_) => "stop",
        Why::MaxOutput => "length",
        Why::ToolCalls => "tool_calls",
        Why::Refused(_) => "content_filter",
    }
}
