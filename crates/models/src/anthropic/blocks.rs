//! The conversation as the provider wants it: messages of blocks.

use super::{
    caching::write_mark,
    habits::{Version, version},
};
use crate::{
    CacheFor, Error, Image, ImageSource, Part, Request, Result, Role, Sealed,
    pairing::{Answered, LOST, NO_RESULT, Said, turns},
};
use mosaic_protocol::provider::{FailureClass, ProviderKind};
use serde::Serialize;
use serde_json::{Value, json};
use std::{borrow::Cow, collections::BTreeSet};

/// The kinds of pictures that are taken.
const PICTURES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// A message.
#[derive(Debug, Serialize)]
pub(super) struct Spoken<'a> {
    role: Role,
    pub(super) content: Vec<Block<'a>>,
}

impl<'a> Spoken<'a> {
    pub(super) fn user(text: &'a str) -> Self {
        Self { role: Role::User, content: vec![Block::text(text, None)] }
    }

    pub(super) fn is_user(&self) -> bool {
        self.role == Role::User
    }
}

/// A part of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_mark")]
        cache_control: Option<CacheFor>,
    },
    Image {
        source: Source<'a>,
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_mark")]
        cache_control: Option<CacheFor>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: String,
        name: String,
        input: Value,
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_mark")]
        cache_control: Option<CacheFor>,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "is_false")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_mark")]
        cache_control: Option<CacheFor>,
    },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Source<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
}

fn is_false(is: &bool) -> bool {
    !is
}

impl<'a> Block<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>, cache: Option<CacheFor>) -> Self {
        Block::Text { text: text.into(), cache_control: cache }
    }

    /// Where its mark for the cache is; thoughts have none.
    pub(super) fn cache_mut(&mut self) -> Option<&mut Option<CacheFor>> {
        match self {
            Block::Text { cache_control, .. }
            | Block::Image { cache_control, .. }
            | Block::ToolUse { cache_control, .. }
            | Block::ToolResult { cache_control, .. } => Some(cache_control),
            Block::Thinking { .. } | Block::RedactedThinking { .. } => None,
        }
    }
}

/// The conversation of a call.
pub(super) fn messages(request: &Request) -> Result<Vec<Spoken<'_>>> {
    let version = version(&request.model);
    let ours = |sealed: &Sealed| is_ours(sealed, version.as_ref());
    turns(&request.messages, &ours)
        .into_iter()
        .map(|turn| {
            let (mut content, mut pictures) = (vec![], vec![]);
            for answered in turn.answered {
                content.push(result(answered, &mut pictures)?);
            }
            content.append(&mut pictures);
            for said in turn.said {
                block(said, &mut content)?;
            }
            Ok(Spoken { role: turn.role, content })
        })
        .collect()
}

/// Whether thoughts may go back: the provider made them, with a model of this family and version. Newer models refuse
/// the thoughts of others.
fn is_ours(sealed: &Sealed, version: Option<&Version>) -> bool {
    let field = |name| sealed.value.get(name).and_then(Value::as_str);
    if sealed.by != ProviderKind::Anthropic || field("signature").or(field("data")).is_none() {
        return false;
    }
    match (field("model").and_then(super::habits::version), version) {
        (Some(made), Some(asked)) => made == *asked,
        // Somebody who speaks the format with models of their own.
        _ => true,
    }
}

fn block<'a>(said: Said<'a>, content: &mut Vec<Block<'a>>) -> Result<()> {
    match said {
        Said::Text { text, cache } => content.push(Block::text(text, cache)),
        Said::Image(picture) => content.push(image(picture)?),
        Said::Thought { text, sealed } => {
            let field = |name| sealed.value.get(name).and_then(Value::as_str);
            if let Some(signature) = field("signature") {
                content.push(Block::Thinking { thinking: text, signature });
            } else if let Some(data) = field("data") {
                content.push(Block::RedactedThinking { data });
            }
        }
        Said::Call { id, name, arguments } => content.push(Block::ToolUse {
            id,
            name: plain_name(name),
            input: input(arguments),
            cache_control: None,
        }),
        Said::Lost(parts) => {
            content.push(Block::text(LOST, None));
            content.append(&mut inner(parts)?);
        }
    }
    Ok(())
}

/// A result. One of a failure may hold text only: its pictures come after all results.
fn result<'a>(answered: Answered<'a>, pictures: &mut Vec<Block<'a>>) -> Result<Block<'a>> {
    let (mut content, is_error) = match answered.found {
        Some((parts, failed)) => (inner(parts)?, failed),
        None => (vec![Block::text(NO_RESULT, None)], true),
    };
    if is_error {
        pictures.extend(content.extract_if(.., |block| matches!(block, Block::Image { .. })));
    }
    if is_error && content.is_empty() {
        content.push(Block::text("the tool failed", None));
    }
    Ok(Block::ToolResult { tool_use_id: answered.id, content, is_error, cache_control: None })
}

/// The text and the pictures of a result.
fn inner(parts: &[Part]) -> Result<Vec<Block<'_>>> {
    let mut content = vec![];
    for part in parts {
        match part {
            Part::Text { text, .. } if text.trim().is_empty() => {}
            Part::Text { text, .. } => content.push(Block::text(text.as_str(), None)),
            Part::Image(picture) => content.push(image(picture)?),
            Part::Thinking { .. } | Part::ToolCall { .. } | Part::ToolResult { .. } => {}
        }
    }
    Ok(content)
}

fn image(picture: &Image) -> Result<Block<'_>> {
    let refused = |what: String| Err(Error::new(FailureClass::BadRequest, what));
    let source = match &picture.source {
        ImageSource::Url(url) if url.starts_with("https://") || url.starts_with("http://") => {
            Source::Url { url }
        }
        ImageSource::Url(_) => {
            return refused("the address of a picture has to begin with https://".into());
        }
        ImageSource::Base64(data) => {
            let media_type = match picture.media_type.as_str() {
                "image/jpg" => "image/jpeg",
                other => other,
            };
            if !PICTURES.contains(&media_type) {
                let kind: String = picture.media_type.chars().take(40).collect();
                return refused(format!(
                    "Anthropic takes pictures as JPEG, PNG, GIF and WebP, not as {kind:?}"
                ));
            }
            Source::Base64 { media_type, data }
        }
    };
    Ok(Block::Image { source, cache_control: None })
}

/// Arguments as the object that they have to be; what is none is kept as text.
fn input(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return json!({});
    }
    match serde_json::from_str(arguments) {
        Ok(value @ Value::Object(_)) => value,
        Ok(_) | Err(_) => json!({ "unreadable_arguments": arguments }),
    }
}

/// A tool's name in the letters that are taken: an earlier call may be of a tool that another provider took.
fn plain_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let plain: String = name.chars().take(128).map(|c| if fits(c) { c } else { '_' }).collect();
    if plain.is_empty() { "unnamed".into() } else { plain }
}

/// Every tool that was called.
pub(super) fn called(messages: &[Spoken<'_>]) -> BTreeSet<String> {
    messages
        .iter()
        .flat_map(|message| &message.content)
        .filter_map(|block| match block {
            Block::ToolUse { name, .. } => Some(name.clone()),
            _ => None,
        })
        .collect()
}

/// Whether tools are being called right now, by an assistant whose words do not begin with what it thought.
pub(super) fn calls_without_thought(messages: &[Spoken<'_>]) -> bool {
    let is_result = |block: &Block<'_>| matches!(block, Block::ToolResult { .. });
    for pair in messages.windows(2).rev() {
        let [before, after] = pair else { return false };
        match after.role {
            Role::User if after.content.iter().any(is_result) => {}
            Role::User => return false,
            Role::Assistant => continue,
        }
        let thought = matches!(
            before.content.first(),
            Some(Block::Thinking { .. } | Block::RedactedThinking { .. })
        );
        if !thought {
            return true;
        }
    }
    false
}

/// A begun answer may not end in white space.
pub(super) fn trim_last(messages: &mut [Spoken<'_>]) {
    if let Some(Block::Text { text, .. }) =
        messages.last_mut().and_then(|message| message.content.last_mut())
    {
        let end = text.trim_end().len();
        text.to_mut().truncate(end);
    }
}
