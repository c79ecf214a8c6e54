//! The body of a call to Ollama, and how large a context it asks for.

use crate::{
    Error, Image, ImageSource, Output, Part, Request, Result, Role, Sealed, Thinking, Tool,
    ToolChoice,
    pairing::{Answered, LOST, NO_RESULT, Said, Turn, turns},
    wire::How,
};
use mosaic_protocol::provider::{FailureClass, ProviderKind};
use serde::Serialize;
use serde_json::{Value, json};

/// The smallest context that is asked for. A model is loaded again whenever another size is asked for, so that there
/// are few: this, and its doubles.
const LEAST_CONTEXT: u64 = 8_192;

/// The largest; memory for it is taken whether it is used or not. A model that reads less gets what it reads.
const MOST_CONTEXT: u64 = 131_072;

/// How much is kept for the answer unless the call says how long that may be.
const ANSWER_TOKENS: u64 = 4_096;

/// What a picture counts for.
const PICTURE_TOKENS: u64 = 1_500;

#[derive(Debug, Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    messages: Vec<Spoken<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Value>,
    options: Options<'a>,
    stream: bool,
    /// What is too long is to be an error, not cut off at the front where nobody sees it.
    truncate: bool,
}

#[derive(Debug, Default, Serialize)]
struct Spoken<'a> {
    role: &'static str,
    content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    thinking: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct Options<'a> {
    num_ctx: u64,
    num_predict: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
}

/// Writes a call.
pub(super) fn body(request: &Request, how: How) -> Result<Body<'_>> {
    let mut messages = vec![];
    let system = system(request);
    if !system.is_empty() {
        messages.push(Spoken { role: "system", content: system, ..Spoken::default() });
    }
    let ours = |sealed: &Sealed| sealed.by == ProviderKind::Ollama;
    let turns = turns(&request.messages, &ours);
    if turns.is_empty() {
        let message = "there is nothing to answer: the conversation is empty";
        return Err(Error::new(FailureClass::BadRequest, message));
    }
    for turn in turns {
        speak(turn, &mut messages)?;
    }
    let tools: Vec<Value> = offered(request).map(tool).collect();
    let most = request.max_output.map_or(ANSWER_TOKENS, u64::from);
    let prompt = estimate(&messages, &tools);
    let num_ctx = context(prompt.saturating_add(most));
    let options = Options {
        num_ctx,
        // Without a bound it writes until somebody stops it.
        num_predict: request
            .max_output
            .map_or_else(|| num_ctx.saturating_sub(prompt).max(ANSWER_TOKENS), u64::from),
        temperature: request.temperature,
        top_p: request.top_p,
        top_k: request.top_k,
        seed: request.seed,
        presence_penalty: request.presence_penalty,
        frequency_penalty: request.frequency_penalty,
        stop: &request.stop,
    };
    Ok(Body {
        model: &request.model,
        messages,
        tools,
        format: match &request.output {
            Output::Text => None,
            Output::Json => Some(&JSON),
            Output::Schema { schema, .. } => Some(schema),
        },
        think: think(&request.model, request.thinking),
        options,
        stream: how == How::Stream,
        truncate: false,
    })
}

static JSON: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!("json"));

/// One text; and in words what the format has no field for.
fn system(request: &Request) -> String {
    let mut parts: Vec<&str> = request
        .system
        .iter()
        .map(|system| system.text.as_str())
        .filter(|text| !text.trim().is_empty())
        .collect();
    let words;
    if !request.tools.is_empty() {
        match &request.tool_choice {
            ToolChoice::Auto | ToolChoice::Never => {}
            ToolChoice::Some => parts.push("Call one of the tools now."),
            ToolChoice::Named(name) => {
                words = format!("Call the tool `{name}` now.");
                parts.push(&words);
            }
        }
    }
    parts.join("\n\n")
}

/// The tools that may be called. There is no field for who must be called: the others are not offered.
fn offered(request: &Request) -> impl Iterator<Item = &Tool> {
    request.tools.iter().filter(|tool| match &request.tool_choice {
        ToolChoice::Auto | ToolChoice::Some => true,
        ToolChoice::Never => false,
        ToolChoice::Named(name) => tool.name == *name,
    })
}

fn tool(tool: &Tool) -> Value {
    let parameters = match &tool.schema {
        Value::Object(fields) if fields.contains_key("type") => tool.schema.clone(),
        Value::Object(fields) => {
            let mut fields = fields.clone();
            fields.insert("type".into(), "object".into());
            Value::Object(fields)
        }
        _ => json!({"type": "object", "properties": {}}),
    };
    let function =
        json!({"name": tool.name, "description": tool.description, "parameters": parameters});
    json!({"type": "function", "function": function})
}

/// One family thinks in levels and cannot be stopped; the others do or do not.
fn think(model: &str, thinking: Thinking) -> Option<Value> {
    use crate::Effort;
    let leveled = model.rsplit('/').next().is_some_and(|name| name.starts_with("gpt-oss"));
    let level = match thinking {
        Thinking::Usual => return None,
        Thinking::Off if leveled => "low",
        Thinking::Off => return Some(Value::Bool(false)),
        Thinking::Effort(Effort::Minimal | Effort::Low) | Thinking::Budget(..=4_096) => "low",
        Thinking::Effort(Effort::Medium) | Thinking::Budget(..=12_000) => "medium",
        Thinking::Effort(Effort::High | Effort::Max) | Thinking::Budget(_) => "high",
    };
    Some(if leveled { level.into() } else { Value::Bool(true) })
}

/// A turn, as one message or several: each result is one of its own.
fn speak<'a>(turn: Turn<'a>, messages: &mut Vec<Spoken<'a>>) -> Result<()> {
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let mut spoken = Spoken { role, ..Spoken::default() };
    for answered in turn.answered {
        messages.push(result(answered, &mut spoken.images)?);
    }
    for said in turn.said {
        match said {
            Said::Text { text, .. } => add(&mut spoken.content, text),
            Said::Image(picture) => spoken.images.push(base64(picture)?),
            Said::Thought { text, .. } => add(&mut spoken.thinking, text),
            Said::Call { id, name, arguments } => spoken.tool_calls.push(json!({
                "id": id,
                "function": {"name": name, "arguments": object(arguments)},
            })),
            Said::Lost(parts) => {
                add(&mut spoken.content, LOST);
                inner(parts, &mut spoken.content, &mut spoken.images)?;
            }
        }
    }
    let is_empty = spoken.content.is_empty()
        && spoken.images.is_empty()
        && spoken.tool_calls.is_empty()
        && spoken.thinking.is_empty();
    if !is_empty {
        messages.push(spoken);
    }
    Ok(())
}

/// A result. Its pictures come after all results, in what the user says: models look for them only there.
fn result<'a>(answered: Answered<'a>, images: &mut Vec<&'a str>) -> Result<Spoken<'a>> {
    let mut content = String::new();
    match answered.found {
        Some((parts, failed)) => {
            inner(parts, &mut content, images)?;
            if failed {
                content = format!("The tool failed: {content}");
            }
        }
        None => content.push_str(NO_RESULT),
    }
    Ok(Spoken {
        role: "tool",
        content,
        tool_name: Some(answered.name),
        tool_call_id: Some(answered.id),
        ..Spoken::default()
    })
}

fn inner<'a>(parts: &'a [Part], content: &mut String, images: &mut Vec<&'a str>) -> Result<()> {
    for part in parts {
        match part {
            Part::Text { text, .. } => add(content, text),
            Part::Image(picture) => images.push(base64(picture)?),
            Part::Thinking { .. } | Part::ToolCall { .. } | Part::ToolResult { .. } => {}
        }
    }
    Ok(())
}

fn add(content: &mut String, text: &str) {
    if !content.is_empty() {
        content.push('\n');
    }
    content.push_str(text);
}

fn base64(picture: &Image) -> Result<&str> {
    match &picture.source {
        ImageSource::Base64(data) => Ok(data),
        ImageSource::Url(_) => Err(Error::new(
            FailureClass::BadRequest,
            "Ollama takes pictures themselves, not their addresses",
        )),
    }
}

/// Arguments as the object that they have to be; what is none is kept as text.
fn object(arguments: &str) -> Value {
    match serde_json::from_str(arguments) {
        Ok(value @ Value::Object(_)) => value,
        _ if arguments.trim().is_empty() => json!({}),
        _ => json!({ "unreadable_arguments": arguments }),
    }
}

/// How many tokens a prompt may have: rather too many than too few.
fn estimate(messages: &[Spoken<'_>], tools: &[Value]) -> u64 {
    let bytes = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
    let texts = messages.iter().map(|message| {
        let calls: u64 = message.tool_calls.iter().map(|call| bytes(&call.to_string())).sum();
        let pictures = u64::try_from(message.images.len()).unwrap_or(u64::MAX);
        // Each message is framed by a few tokens.
        (bytes(&message.content) + bytes(&message.thinking) + calls) / 3
            + 8
            + pictures.saturating_mul(PICTURE_TOKENS)
    });
    let tools = tools.iter().map(|tool| bytes(&tool.to_string()) / 3);
    texts.chain(tools).fold(0, u64::saturating_add)
}

/// The smallest of the sizes that has room for so many tokens, or the largest.
fn context(tokens: u64) -> u64 {
    let mut size = LEAST_CONTEXT;
    while size < tokens && size < MOST_CONTEXT {
        size *= 2;
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Effort;

    #[test]
    fn the_context_has_few_sizes_and_a_bound() {
        let sizes = [0, 8_192, 8_193, 20_000, 131_072, 10_000_000].map(context);
        assert_eq!(sizes, [8_192, 8_192, 16_384, 32_768, 131_072, 131_072]);
    }

    #[test]
    fn only_one_family_thinks_in_levels() {
        let level = |model, thinking| think(model, thinking).map(|think| think.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(level("qwen3:8b", Thinking::Usual), None);
        assert_eq!(level("qwen3:8b", Thinking::Off), some("false"));
        assert_eq!(level("qwen3:8b", Thinking::Effort(Effort::Low)), some("true"));
        assert_eq!(level("gpt-oss:20b", Thinking::Off), some("\"low\""));
        assert_eq!(level("gpt-oss:20b", Thinking::Effort(Effort::Max)), some("\"high\""));
        assert_eq!(level("me/gpt-oss:20b", Thinking::Budget(8_000)), some("\"medium\""));
    }
}
