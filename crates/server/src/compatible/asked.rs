//! What a body of any of the formats comes to, and the words that they share: pictures, efforts, sizes, names.

use super::reading::{Bad, Given, Many, OneOrMany, Text, Tree, bad};
use mosaic_models::{
    Effort, Image, ImageSource, Message, Part, Request, Role, System, Thinking, Tool, ToolChoice,
};
use serde_json::{Value, json};

/// The most messages. A program that says more has forgotten to end its conversation.
pub(crate) const MESSAGES: usize = 10_000;
/// The most parts of one message.
pub(crate) const PARTS: usize = 10_000;
/// The most tools.
pub(crate) const TOOLS: usize = 512;
/// The most texts at which an answer stops; OpenAI takes four, Anthropic says no number.
pub(crate) const STOPS: usize = 16;
/// The longest name of a model. Providers' own have fewer than a hundred letters.
const MODEL_CHARS: usize = 200;
/// The longest name of a tool, and of a shape.
const NAME_CHARS: usize = 256;
/// The longest word for whom a call is made.
const BEHALF_CHARS: usize = 256;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    /// The request; its model is chosen later.
    pub(crate) request: Request,
    /// The model as they named it.
    pub(crate) model: String,
    /// In pieces, or all at once.
    pub(crate) stream: bool,
    /// At the end of a stream they want to know what was used.
    pub(crate) wants_usage: bool,
    /// Tools that were offered and that only the format's own maker could run; the model is not told of them.
    pub(crate) left_out: Vec<String>,
}

impl Asked {
    /// The same, with what belongs together: whether a cache is worth while.
    pub(crate) fn checked(mut self) -> Result<Self, Bad> {
        let n_chars = self.model.chars().count();
        if n_chars == 0 || n_chars > MODEL_CHARS {
            return bad("model", format!("the name of a model has 1 to {MODEL_CHARS} characters"));
        }
        if let ToolChoice::Named(name) = &self.request.tool_choice
            && !self.request.tools.iter().any(|tool| tool.name == *name)
        {
            let name: String = name.chars().take(100).collect();
            return bad("tool_choice", format!("there is no tool `{name}` in `tools`"));
        }
        if self.request.tool_choice == ToolChoice::Some && self.request.tools.is_empty() {
            return bad("tool_choice", "a tool must be called, and there are none in `tools`");
        }
        // Where everything was said before the user said anything, the last of it is what they say.
        if self.request.messages.is_empty() {
            let Some(last) = self.request.system.pop() else {
                return bad("messages", "there must be something to answer");
            };
            self.request.messages.push(user_text(last.text));
        }
        // Formats without marks for a cache leave it to the provider. A conversation that goes on is worth one.
        self.request.cache |= !marks(&self.request)
            && (self.request.messages.len() > 1 || !self.request.tools.is_empty());
        Ok(self)
    }
}

fn marks(request: &Request) -> bool {
    request.system.iter().any(|it| it.cache.is_some())
        || request.tools.iter().any(|it| it.cache.is_some())
        || request.messages.iter().flat_map(|it| &it.parts).any(|part| match part {
            Part::Text { cache, .. } => cache.is_some(),
            Part::ToolResult { parts, .. } => {
                parts.iter().any(|part| matches!(part, Part::Text { cache: Some(_), .. }))
            }
            _ => false,
        })
}

/// Refuses what would change the answer and cannot be honoured.
pub(crate) fn refuse(fields: &[(&str, Given, &str)]) -> Result<(), Bad> {
    match fields.iter().find(|(_, given, _)| given.0) {
        Some((name, _, why)) => bad(*name, why),
        None => Ok(()),
    }
}

/// A message of the user with one text.
pub(crate) fn user_text(text: String) -> Message {
    Message { role: Role::User, parts: vec![Part::text(text)] }
}

/// What the model is told before everything else, or, once the conversation has begun, in its place there: formats
/// differ in what may stand where, and the order of what was said must not change.
pub(crate) fn instruct(request: &mut Request, texts: impl Iterator<Item = String>) {
    for text in texts {
        if request.messages.is_empty() {
            request.system.push(System { text, cache: None });
        } else {
            request.messages.push(user_text(text));
        }
    }
}

/// A picture at a web address, or written into the address itself.
pub(crate) fn picture(url: Text<'_>, param: impl Fn() -> String) -> Result<Part, Bad> {
    if let Some(data) = url.strip_prefix("data:") {
        let Some((head, data)) = data.split_once(',') else {
            return bad(param(), "this is no data URL");
        };
        let Some(media_type) = head.strip_suffix(";base64") else {
            return bad(param(), "the picture must be in base64");
        };
        return base64(media_type, data.to_owned(), param);
    }
    if url.starts_with("https://") || url.starts_with("http://") {
        if url.len() > 8192 {
            return bad(param(), "this address is too long");
        }
        let source = ImageSource::Url(url.owned());
        return Ok(Part::Image(Image { media_type: "image/*".into(), source }));
    }
    bad(param(), "a picture is at an `https:` address or in a `data:` URL")
}

/// A picture in base64.
pub(crate) fn base64(
    media_type: &str,
    data: String,
    param: impl Fn() -> String,
) -> Result<Part, Bad> {
    let media_type = match media_type.split(';').next().unwrap_or_default() {
        "image/png" => "image/png",
        "image/jpeg" | "image/jpg" => "image/jpeg",
        "image/gif" => "image/gif",
        "image/webp" => "image/webp",
        _ => return bad(param(), "pictures are PNG, JPEG, GIF or WebP"),
    };
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if data.is_empty() || !data.bytes().all(is_base64) {
        return bad(param(), "this is no base64");
    }
    let source = ImageSource::Base64(data);
    Ok(Part::Image(Image { media_type: media_type.into(), source }))
}

/// How much to think, in OpenAI's words and Anthropic's.
pub(crate) fn effort(word: &str, param: &str) -> Result<Thinking, Bad> {
    Ok(Thinking::Effort(match word {
        "none" => return Ok(Thinking::Off),
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" | "max" => Effort::Max,
        _ => {
            return bad(param, "one of `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`");
        }
    }))
}

/// How much it may write.
pub(crate) fn size(value: Option<u64>, param: &str) -> Result<Option<u32>, Bad> {
    match value {
        None => Ok(None),
        Some(0) => bad(param, "at least 1"),
        Some(n) => Ok(Some(u32::try_from(n).unwrap_or(u32::MAX))),
    }
}

/// Where it stops.
pub(crate) fn stops<const MOST: usize>(
    stop: Option<OneOrMany<'_, Text<'_>, MOST>>,
    param: &str,
) -> Result<Vec<String>, Bad> {
    let stops: Vec<String> = match stop {
        None => vec![],
        Some(OneOrMany::Text(text)) => vec![text.owned()],
        Some(OneOrMany::Many(Many(texts))) => texts.into_iter().map(Text::owned).collect(),
    };
    match stops.iter().any(String::is_empty) {
        true => bad(param, "an empty text is everywhere"),
        false => Ok(stops),
    }
}

/// A tool that the program runs itself.
pub(crate) fn tool(
    name: Option<Text<'_>>,
    description: Option<Text<'_>>,
    schema: Option<Tree>,
    strict: Option<bool>,
    param: impl Fn(&str) -> String,
) -> Result<Tool, Bad> {
    let Some(name) = name.filter(|name| fits(name)) else {
        return bad(param("name"), format!("a tool's name has 1 to {NAME_CHARS} characters"));
    };
    let schema = match schema.map(|tree| tree.0) {
        None | Some(Value::Null) => json!({ "type": "object", "properties": {} }),
        Some(schema @ Value::Object(_)) => schema,
        Some(_) => return bad(param("parameters"), "a JSON schema is an object"),
    };
    let description = description.map(Text::owned).unwrap_or_default();
    Ok(Tool { name: name.owned(), description, schema, strict, cache: None })
}

/// Whether a name is one.
pub(crate) fn fits(name: &str) -> bool {
    !name.is_empty() && name.chars().take(NAME_CHARS + 1).count() <= NAME_CHARS
}

/// For whom a call is made, as an opaque word.
pub(crate) fn behalf(words: [Option<Text<'_>>; 2]) -> Option<String> {
    let word = words.into_iter().flatten().find(|word| !word.is_empty())?;
    Some(word.chars().take(BEHALF_CHARS).collect())
}
