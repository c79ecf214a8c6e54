//! A whole answer as a `message`.

use crate::compatible::{
    asked::Asked,
    bill::{self, Besides, Bill, Call, MessagesUsage, put},
    reading::Arguments,
    sealed::{self, Word},
};
use mosaic_models::{Part, Reply, Sealed, Why, estimate_request};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Value, json};

#[derive(Serialize)]
struct Whole<'a> {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
    usage: MessagesUsage,
    mosaic: Besides<'a>,
}

/// A block of the answer.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
    },
    Thinking {
        thinking: &'a str,
        signature: String,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        #[serde(serialize_with = "object")]
        input: &'a str,
    },
}

/// Arguments as this format wants them: an object. What is none is handed on as it was written, under a name that says
/// so; the tool refuses it, and the model is told.
fn object<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    if text.trim().is_empty() {
        return json!({}).serialize(to);
    }
    match serde_json::from_str::<Arguments>(text) {
        Ok(_) => serde_json::from_str::<Value>(text).map_err(S::Error::custom)?.serialize(to),
        Err(_) => json!({ "broken_arguments": text }).serialize(to),
    }
}

/// Whether thoughts are only there in sealed form.
pub(super) fn redacted(text: &str, sealed: Option<&Sealed>) -> Option<String> {
    match sealed::for_messages(sealed.filter(|_| text.is_empty())?) {
        Word::Redacted(data) => Some(data),
        Word::Signature(_) => None,
    }
}

/// What stands below thoughts; nothing where they are not sealed.
pub(super) fn signature(sealed: Option<&Sealed>) -> String {
    match sealed.map(sealed::for_messages) {
        Some(Word::Signature(word) | Word::Redacted(word)) => word,
        None => String::new(),
    }
}

fn block(part: &Part) -> Option<Block<'_>> {
    Some(match part {
        Part::Text { text, .. } => Block::Text { text },
        Part::Thinking { text, sealed } => match redacted(text, sealed.as_ref()) {
            Some(data) => Block::RedactedThinking { data },
            None => Block::Thinking { thinking: text, signature: signature(sealed.as_ref()) },
        },
        Part::ToolCall { id, name, arguments } => Block::ToolUse { id, name, input: arguments },
        Part::Image(_) | Part::ToolResult { .. } => return None,
    })
}

/// Why it ended, in this format's words, and at which text.
pub(super) fn stop_reason(why: &Why, calls: bool) -> (&'static str, Option<&str>) {
    match why {
        Why::Stop(Some(text)) if !calls => ("stop_sequence", Some(text)),
        Why::Done | Why::Stop(_) if calls => ("tool_use", None),
        Why::Done | Why::Stop(_) => ("end_turn", None),
        Why::MaxOutput => ("max_tokens", None),
        Why::ToolCalls => ("tool_use", None),
        Why::Refused(_) => ("refusal", None),
    }
}

/// Writes it.
pub(crate) fn whole(call: &Call, reply: &Reply, why: &Why, bill: &Bill) -> Vec<u8> {
    let mut content: Vec<Block<'_>> = reply.parts.iter().filter_map(block).collect();
    let calls = content.iter().any(|block| matches!(block, Block::ToolUse { .. }));
    content.extend(bill::refusal(why).map(|text| Block::Text { text }));
    let (stop_reason, stop_sequence) = stop_reason(why, calls);
    let mut out = Vec::with_capacity(1024);
    put(
        &mut out,
        &Whole {
            id: format!("msg_{}", call.id),
            r#type: "message",
            role: "assistant",
            model: &call.model,
            content,
            stop_reason,
            stop_sequence,
            usage: bill::for_messages(&bill.usage),
            mosaic: bill.besides(),
        },
    );
    out
}

/// About how many tokens a request has: the exact number is known only to whoever answers it.
pub(crate) fn count(asked: &Asked) -> Vec<u8> {
    let mut out = vec![];
    put(&mut out, &json!({ "input_tokens": estimate_request(&asked.request) }));
    out
}
