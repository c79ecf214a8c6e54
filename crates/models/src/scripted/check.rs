//! What a strict provider would not take: results without calls, calls without results, thoughts that were changed. Whoever
//! builds requests is held to this by every test that plays a script. Pure.

use crate::{Error, Message, Part, Request, Result, Role, Sealed};
use mosaic_protocol::provider::{FailureClass, ProviderKind};
use serde_json::json;
use std::collections::HashSet;

/// Whether the request is in order.
pub(super) fn check(request: &Request) -> Result<()> {
    let wrong = |message: String| {
        Err(Error { status: Some(400), ..Error::new(FailureClass::BadRequest, message) })
    };
    if request.messages.first().is_none_or(|first| first.role != Role::User) {
        return wrong("the first message must be the user's".to_owned());
    }
    // Calls that have no result yet, and every call there was.
    let (mut open, mut known) = (Vec::new(), HashSet::new());
    for Message { role, parts } in &request.messages {
        for part in parts {
            match part {
                Part::ToolCall { id, .. } if *role == Role::Assistant => {
                    if !known.insert(id.as_str()) {
                        return wrong(format!("two tool calls have the id {id:?}"));
                    }
                    open.push(id.as_str());
                }
                Part::ToolResult { call_id, .. } if *role == Role::User => {
                    let Some(at) = open.iter().position(|id| id == call_id) else {
                        return wrong(format!("there is no open tool call {call_id:?}"));
                    };
                    open.remove(at);
                }
                Part::ToolCall { .. } | Part::ToolResult { .. } => {
                    return wrong("models call tools, and users answer".to_owned());
                }
                Part::Text { .. } if *role == Role::User && !open.is_empty() => {
                    return wrong("tool results come before the user's words".to_owned());
                }
                Part::Thinking { text, sealed: Some(sealed) }
                    if sealed.by == ProviderKind::Scripted && *sealed != seal(text) =>
                {
                    return wrong("what was thought came back changed".to_owned());
                }
                Part::Text { .. } | Part::Image(_) | Part::Thinking { .. } => {}
            }
        }
    }
    match open.first() {
        Some(id) => wrong(format!("the tool call {id:?} has no result")),
        None => Ok(()),
    }
}

/// What `thinks` seals its thoughts with: a number that another text very likely does not have (FNV-1a).
pub(super) fn seal(text: &str) -> Sealed {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Sealed { by: ProviderKind::Scripted, value: json!({ "seal": format!("{hash:016x}") }) }
}
