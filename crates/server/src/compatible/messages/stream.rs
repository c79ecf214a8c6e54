//! An answer as the events of a message. This format has one block open at a time, while arguments of several calls may
//! come mixed: the first block is told as it comes, and what belongs to later ones waits in the reply until it is whole.

use super::answer::{redacted, signature, stop_reason};
use crate::compatible::{
    bill::{self, Besides, Bill, Call, MessagesUsage, put},
    errors::Told,
    telling::Telling,
};
use mosaic_models::{Event, Part, Reply, Why};
use mosaic_protocol::usage::Usage;
use serde::Serialize;

/// Tells blocks.
pub(crate) struct Blocks {
    call: Call,
    began: bool,
    usage: Usage,
    /// What came up to now; a part's place is its block's.
    reply: Reply,
    /// The block that is being told.
    at: usize,
    /// It has begun, and so many of its bytes have been told.
    open: Option<usize>,
    /// Whether the arguments told so far are a whole value.
    scan: Scan,
}

/// How far a JSON object or list has come.
#[derive(Debug, Default)]
struct Scan {
    depth: u32,
    in_text: bool,
    escaped: bool,
    whole: bool,
}

impl Scan {
    fn read(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match (self.in_text, byte) {
                (true, _) if self.escaped => self.escaped = false,
                (true, b'\\') => self.escaped = true,
                (true, b'"') => self.in_text = false,
                (true, _) => {}
                (false, b'"') => self.in_text = true,
                (false, b'{' | b'[') => {
                    self.depth = self.depth.saturating_add(1);
                    self.whole = false;
                }
                (false, b'}' | b']') => {
                    self.depth = self.depth.saturating_sub(1);
                    self.whole = self.depth == 0;
                }
                (false, _) => {}
            }
        }
    }
}

#[derive(Serialize)]
struct Start<'a> {
    r#type: &'static str,
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: [(); 0],
    stop_reason: (),
    stop_sequence: (),
    usage: MessagesUsage,
}

#[derive(Serialize)]
struct BlockStart<'a> {
    r#type: &'static str,
    index: usize,
    content_block: Empty<'a>,
}

/// A block without what comes into it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Empty<'a> {
    Text { text: &'static str },
    Thinking { thinking: &'static str, signature: &'static str },
    RedactedThinking { data: String },
    ToolUse { id: &'a str, name: &'a str, input: Nothing },
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct BlockDelta<'a> {
    r#type: &'static str,
    index: usize,
    delta: Delta<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
}

#[derive(Serialize)]
struct BlockStop {
    r#type: &'static str,
    index: usize,
}

#[derive(Serialize)]
struct End<'a> {
    r#type: &'static str,
    delta: Ending<'a>,
    usage: MessagesUsage,
    mosaic: Besides<'a>,
}

#[derive(Serialize)]
struct Ending<'a> {
    stop_reason: &'a str,
    stop_sequence: Option<&'a str>,
}

fn tell(name: &'static str, of: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    put(out, of);
    out.extend_from_slice(b"\n\n");
}

impl Blocks {
    pub(crate) fn new(call: Call) -> Self {
        Blocks {
            call,
            began: false,
            usage: Usage::default(),
            reply: Reply::default(),
            at: 0,
            open: None,
            scan: Scan::default(),
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.began, true) {
            return;
        }
        let message = Message {
            id: format!("msg_{}", self.call.id),
            r#type: "message",
            role: "assistant",
            model: &self.call.model,
            content: [],
            stop_reason: (),
            stop_sequence: (),
            usage: bill::for_messages(&self.usage),
        };
        tell("message_start", &Start { r#type: "message_start", message }, out);
    }

    /// Tells what can be told: of the block that is open all that is there, and then of those after it, if it is whole.
    fn flush(&mut self, out: &mut Vec<u8>) {
        while self.reply.parts.len() > self.at {
            self.more(out);
            let is_last = self.at + 1 == self.reply.parts.len();
            let is_call = matches!(self.reply.parts.get(self.at), Some(Part::ToolCall { .. }));
            if is_last || (is_call && !self.scan.whole) {
                return;
            }
            self.close(out);
        }
    }

    /// Tells what is there of the block that is open, or opens it.
    fn more(&mut self, out: &mut Vec<u8>) {
        let index = self.at;
        let Some(part) = self.reply.parts.get(index) else { return };
        let (name, r#type) = ("content_block_start", "content_block_start");
        if self.open.is_none() {
            let content_block = match part {
                Part::Thinking { text, sealed } => match redacted(text, sealed.as_ref()) {
                    Some(data) => Empty::RedactedThinking { data },
                    None => Empty::Thinking { thinking: "", signature: "" },
                },
                Part::ToolCall { id, name, .. } => Empty::ToolUse { id, name, input: Nothing {} },
                Part::Text { .. } | Part::Image(_) | Part::ToolResult { .. } => {
                    Empty::Text { text: "" }
                }
            };
            tell(name, &BlockStart { r#type, index, content_block }, out);
            self.scan = Scan::default();
        }
        let told = self.open.unwrap_or_default();
        let text = match part {
            Part::Text { text, .. } | Part::Thinking { text, .. } => text,
            Part::ToolCall { arguments, .. } => arguments,
            Part::Image(_) | Part::ToolResult { .. } => "",
        };
        self.open = Some(text.len());
        let Some(rest) = text.get(told..).filter(|rest| !rest.is_empty()) else { return };
        let delta = match part {
            Part::Thinking { .. } => Delta::Thinking { thinking: rest },
            Part::ToolCall { .. } => {
                self.scan.read(rest);
                Delta::Input { partial_json: rest }
            }
            Part::Text { .. } | Part::Image(_) | Part::ToolResult { .. } => {
                Delta::Text { text: rest }
            }
        };
        let r#type = "content_block_delta";
        tell(r#type, &BlockDelta { r#type, index, delta }, out);
    }

    /// The block that is open has been told; the next one is to come.
    fn close(&mut self, out: &mut Vec<u8>) {
        let index = self.at;
        if let Some(Part::Thinking { text, sealed: Some(sealed) }) = self.reply.parts.get(index)
            && redacted(text, Some(sealed)).is_none()
        {
            let r#type = "content_block_delta";
            let delta = Delta::Signature { signature: signature(Some(sealed)) };
            tell(r#type, &BlockDelta { r#type, index, delta }, out);
        }
        let r#type = "content_block_stop";
        tell(r#type, &BlockStop { r#type, index }, out);
        self.open = None;
        self.at += 1;
    }
}

impl Telling for Blocks {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            // What was read is said with the beginning, if it is known by then.
            Event::Usage(reported) => self.usage = reported.usage,
            Event::Began { .. } | Event::Ended(_) => {}
            event => {
                self.begin(out);
                self.reply.push(event);
                self.flush(out);
            }
        }
    }

    fn switched(&mut self, to: &str) {
        to.clone_into(&mut self.call.model);
    }

    fn quiet(&self, out: &mut Vec<u8>) {
        match self.began {
            true => out.extend_from_slice(b"event: ping\ndata: {\"type\":\"ping\"}\n\n"),
            // Programs expect the beginning before everything else.
            false => out.extend_from_slice(b": still here\n\n"),
        }
    }

    fn ended(&mut self, why: &Why, bill: &Bill, out: &mut Vec<u8>) {
        self.begin(out);
        if let Some(words) = bill::refusal(why) {
            // After calls or thoughts, or after the words that were said before it: a block of its own.
            let text = Part::text(words);
            self.reply.parts.push(text);
        }
        while self.at < self.reply.parts.len() {
            self.more(out);
            self.close(out);
        }
        let calls = self.reply.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
        let (stop_reason, stop_sequence) = stop_reason(why, calls);
        let r#type = "message_delta";
        let end = End {
            r#type,
            delta: Ending { stop_reason, stop_sequence },
            usage: bill::for_messages(&bill.usage),
            mosaic: bill.besides(),
        };
        tell(r#type, &end, out);
        tell("message_stop", &Nameless { r#type: "message_stop" }, out);
    }

    fn broken(&mut self, told: &Told, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: error\ndata: ");
        out.extend_from_slice(&told.anthropic());
        out.extend_from_slice(b"\n\n");
    }
}

#[derive(Serialize)]
struct Nameless {
    r#type: &'static str,
}
