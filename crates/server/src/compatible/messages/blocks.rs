//! The blocks of a message, as they come in.

use crate::compatible::{
    asked,
    reading::{Arguments, Bad, Given, Many, OneOrMany, Text, bad},
    sealed,
};
use mosaic_models::{CacheFor, Part, Request, Role};
use serde::Deserialize;

pub(super) use crate::compatible::asked::PARTS;

/// A block of any kind: which fields it has follows from its type.
#[derive(Deserialize)]
pub(super) struct Block<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) cache_control: Option<CacheControl<'a>>,
    #[serde(borrow)]
    source: Option<Box<Source<'a>>>,
    #[serde(borrow)]
    thinking: Option<Text<'a>>,
    #[serde(borrow)]
    signature: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    input: Option<Arguments>,
    #[serde(borrow)]
    tool_use_id: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<OneOrMany<'a, Block<'a>, PARTS>>,
    is_error: Option<bool>,
    #[serde(borrow)]
    title: Option<Text<'a>>,
}

/// Where a picture or a document is.
#[derive(Deserialize)]
struct Source<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    media_type: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<OneOrMany<'a, Block<'a>, PARTS>>,
    #[serde(default)]
    file_id: Given,
}

/// A mark: what comes up to here is worth keeping.
#[derive(Deserialize)]
pub(super) struct CacheControl<'a> {
    #[serde(borrow)]
    ttl: Option<Text<'a>>,
}

impl CacheControl<'_> {
    pub(super) fn lasts(&self) -> CacheFor {
        match self.ttl.as_deref() {
            Some("1h") => CacheFor::Hour,
            _ => CacheFor::Minutes,
        }
    }
}

/// What a message holds. Where a mark for the cache has no place, the cache is left to us.
pub(super) fn parts(
    request: &mut Request,
    content: OneOrMany<'_, Block<'_>, PARTS>,
    path: String,
    role: Role,
) -> Result<Vec<Part>, Bad> {
    let blocks = match content {
        OneOrMany::Text(text) => return Ok(vec![Part::text(text.owned())]),
        OneOrMany::Many(Many(blocks)) => blocks,
    };
    let mut parts = Vec::with_capacity(blocks.len());
    for (n, block) in blocks.into_iter().enumerate() {
        let marked = block.cache_control.is_some();
        let had = parts.len();
        part(block, &format!("{path}[{n}]"), role, &mut parts)?;
        let held = match parts.get(had..).and_then(<[Part]>::last) {
            Some(Part::Text { cache, .. }) => cache.is_some(),
            Some(Part::ToolResult { parts, .. }) => {
                matches!(parts.last(), Some(Part::Text { cache: Some(_), .. }))
            }
            _ => false,
        };
        request.cache |= marked && !held;
    }
    Ok(parts)
}

fn part(block: Block<'_>, path: &str, role: Role, parts: &mut Vec<Part>) -> Result<(), Bad> {
    let missing = |field: &str| bad(format!("{path}.{field}"), "it is missing");
    let mark = block.cache_control.map(|it| it.lasts());
    match (&*block.kind, role) {
        ("text", _) => match block.text {
            Some(text) => parts.push(Part::Text { text: text.owned(), cache: mark }),
            None => return missing("text"),
        },
        ("image", Role::User) => match block.source {
            Some(source) => parts.push(image(*source, path)?),
            None => return missing("source"),
        },
        ("document", Role::User) => match block.source {
            Some(source) => {
                let title = block.title.filter(|title| !title.is_empty()).map(Text::owned);
                parts.extend(title.map(Part::text));
                document(*source, path, parts)?;
                if let (Some(Part::Text { cache, .. }), Some(mark)) = (parts.last_mut(), mark) {
                    *cache = Some(mark);
                }
            }
            None => return missing("source"),
        },
        ("tool_result", Role::User) => {
            let Some(call_id) = block.tool_use_id.filter(|id| !id.is_empty()) else {
                return missing("tool_use_id");
            };
            let mut inner = vec![];
            match block.content {
                None => {}
                Some(OneOrMany::Text(text)) => inner.push(Part::text(text.owned())),
                Some(OneOrMany::Many(Many(blocks))) => {
                    for (n, block) in blocks.into_iter().enumerate() {
                        let path = format!("{path}.content[{n}]");
                        if !matches!(&*block.kind, "text" | "image" | "document") {
                            let kinds = "a result holds `text`, `image` or `document`";
                            return bad(format!("{path}.type"), kinds);
                        }
                        part(block, &path, Role::User, &mut inner)?;
                    }
                }
            }
            if let (Some(Part::Text { cache, .. }), Some(mark)) = (inner.last_mut(), mark) {
                *cache = Some(mark);
            }
            let failed = block.is_error.unwrap_or_default();
            parts.push(Part::ToolResult { call_id: call_id.owned(), parts: inner, failed });
        }
        ("tool_use", Role::Assistant) => {
            let Some(id) = block.id.filter(|id| !id.is_empty()) else { return missing("id") };
            let Some(name) = block.name.filter(|name| asked::fits(name)) else {
                return bad(format!("{path}.name"), "this is no tool's name");
            };
            let arguments = block.input.map_or_else(|| "{}".to_owned(), |input| input.0);
            parts.push(Part::ToolCall { id: id.owned(), name: name.owned(), arguments });
        }
        ("thinking", Role::Assistant) => {
            let word = block.signature.as_deref().unwrap_or_default();
            let sealed = sealed::of_messages(word, "signature");
            let text = block.thinking.map(Text::owned).unwrap_or_default();
            parts.push(Part::Thinking { text, sealed });
        }
        ("redacted_thinking", Role::Assistant) => {
            let word = block.data.as_deref().unwrap_or_default();
            let sealed = sealed::of_messages(word, "data");
            parts.extend(sealed.map(|it| Part::Thinking { text: String::new(), sealed: Some(it) }));
        }
        _ => {
            let kinds = match role {
                Role::User => "of the user one of `text`, `image`, `document`, `tool_result`",
                Role::Assistant => {
                    "of the assistant one of `text`, `thinking`, `redacted_thinking`, `tool_use`"
                }
            };
            return bad(format!("{path}.type"), kinds);
        }
    }
    Ok(())
}

fn image(source: Source<'_>, path: &str) -> Result<Part, Bad> {
    let field = |field: &str| format!("{path}.source.{field}");
    match (&*source.kind, source.data, source.url) {
        ("base64", Some(data), _) => {
            let media_type = source.media_type.as_deref().unwrap_or_default();
            asked::base64(media_type, data.owned(), || field("data"))
        }
        ("url", _, Some(url)) => asked::picture(url, || field("url")),
        ("file", ..) => bad(field("type"), "there are no stored files here: send the picture"),
        _ => bad(field("type"), "`base64` with `data`, or `url` with `url`"),
    }
}

/// A document that is text already. What would have to be read by somebody who can read it is refused.
fn document(source: Source<'_>, path: &str, parts: &mut Vec<Part>) -> Result<(), Bad> {
    let field = |field: &str| format!("{path}.source.{field}");
    if source.file_id.0 {
        return bad(field("file_id"), "there are no stored files here: send the text");
    }
    match (&*source.kind, source.data, source.content) {
        ("text", Some(data), _) => parts.push(Part::text(data.owned())),
        ("content", _, Some(OneOrMany::Text(text))) => parts.push(Part::text(text.owned())),
        ("content", _, Some(OneOrMany::Many(Many(blocks)))) => {
            for (n, block) in blocks.into_iter().enumerate() {
                let path = format!("{path}.source.content[{n}]");
                match &*block.kind {
                    "text" | "image" => part(block, &path, Role::User, parts)?,
                    _ => return bad(format!("{path}.type"), "a document holds `text` or `image`"),
                }
            }
        }
        _ => return bad(field("type"), "documents are taken as text only: `text` or `content`"),
    }
    Ok(())
}
