//! The body of a call: everything but the conversation, which is in `blocks.rs`.

use super::{
    blocks::{self, Block, Spoken},
    caching::{self, write_mark},
    habits::{self, Asked, Habits},
};
use crate::{CacheFor, Error, Output, Request, Result, Tool, ToolChoice, wire::How};
use mosaic_protocol::provider::FailureClass;
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;

/// What stands for what was said before the first word of the user.
const BEFORE: &str = "(What came before is not shown.)";

/// How a model that does not take a begun answer is asked to go on with it.
const GO_ON: &str = "Go on exactly where you stopped.";

/// The longest name of a tool.
const NAME_CHARS: usize = 128;

#[derive(Debug, Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) system: Vec<Block<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<ToolShape<'a>>,
    pub(super) messages: Vec<Spoken<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    stream: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct ToolShape<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    input_schema: Cow<'a, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_mark")]
    pub(super) cache_control: Option<CacheFor>,
}

/// Writes a call.
pub(super) fn body(request: &Request, how: How) -> Result<Body<'_>> {
    let habits = habits::habits(&request.model);
    let max_tokens = request.max_output.unwrap_or(habits.output).max(1);
    let mut messages = blocks::messages(request)?;
    if messages.is_empty() {
        let message = "there is nothing to answer: the conversation is empty";
        return Err(Error::new(FailureClass::BadRequest, message));
    }
    if !messages.first().is_some_and(Spoken::is_user) {
        messages.insert(0, Spoken::user(BEFORE));
    }
    let mut system: Vec<Block<'_>> = request
        .system
        .iter()
        .filter(|system| !system.text.trim().is_empty())
        .map(|system| Block::text(&system.text, system.cache))
        .collect();
    let tools = tools(request, habits, &messages)?;
    let (thinking, forced) = thinking(request, habits, max_tokens, &messages, &mut system);
    if !messages.last().is_some_and(Spoken::is_user) {
        if habits.prefill && !matches!(thinking, Asked::Budget(_) | Asked::Adaptive(_)) {
            blocks::trim_last(&mut messages);
        } else {
            messages.push(Spoken::user(GO_ON));
        }
    }
    let format = format(&request.output, habits, &mut system);
    let sampling = habits.sampling && thinking.is_off(habits);
    let sampled =
        |value: Option<f64>| value.filter(|_| sampling).map(|value| value.clamp(0.0, 1.0));
    let temperature = sampled(request.temperature);
    let mut body = Body {
        model: &request.model,
        max_tokens,
        system,
        tool_choice: tool_choice(request, forced, tools.is_empty()),
        tools,
        messages,
        thinking: match thinking {
            Asked::Nothing => None,
            Asked::Budget(tokens) => Some(json!({"type": "enabled", "budget_tokens": tokens})),
            // Left to itself, a newer model shows nothing of what it thinks.
            Asked::Adaptive(_) => Some(json!({"type": "adaptive", "display": "summarized"})),
            Asked::Disabled => Some(json!({"type": "disabled"})),
            Asked::BetweenTools => Some(json!({"type": "between_tools"})),
        },
        output_config: output_config(thinking, format),
        temperature,
        // Newer models take one of the two.
        top_p: sampled(request.top_p).filter(|_| temperature.is_none()),
        top_k: request.top_k.filter(|_| sampling),
        stop_sequences: request
            .stop
            .iter()
            .map(String::as_str)
            .filter(|stop| !stop.trim().is_empty())
            .collect(),
        metadata: request.on_behalf.as_ref().map(|user_id| json!({"user_id": user_id})),
        stream: how == How::Stream,
    };
    caching::mark(&mut body, request.cache);
    Ok(body)
}

/// How much is thought, and whether a tool may be forced: a model does not do both.
fn thinking(
    request: &Request,
    habits: Habits,
    most: u32,
    messages: &[Spoken<'_>],
    system: &mut Vec<Block<'_>>,
) -> (Asked, bool) {
    let wanted = match &request.tool_choice {
        ToolChoice::Some | ToolChoice::Named(_) if habits.off == habits::Off::Never => {
            // Its thinking cannot be switched off: it is told in words.
            let words = match &request.tool_choice {
                ToolChoice::Named(name) => format!("Call the tool `{name}` now."),
                _ => "Call one of the tools now.".to_owned(),
            };
            system.push(Block::text(words, None));
            return (habits::thinking(habits, request.thinking, most), false);
        }
        ToolChoice::Some | ToolChoice::Named(_) => crate::Thinking::Off,
        ToolChoice::Auto | ToolChoice::Never => request.thinking,
    };
    let asked = habits::thinking(habits, wanted, most);
    // With a budget, what an assistant says while tools are called has to begin with what it thought. Another
    // provider's thoughts are not there to begin with: until that turn is over the model does not think.
    match asked {
        Asked::Budget(_) if blocks::calls_without_thought(messages) => (Asked::Nothing, true),
        asked => (asked, true),
    }
}

fn tool_choice(request: &Request, forced: bool, no_tools: bool) -> Option<Value> {
    if no_tools {
        return None;
    }
    let mut choice = match &request.tool_choice {
        // What was called before is defined again, and not to be called.
        _ if request.tools.is_empty() => return Some(json!({"type": "none"})),
        ToolChoice::Never => return Some(json!({"type": "none"})),
        ToolChoice::Some if forced => json!({"type": "any"}),
        ToolChoice::Named(name) if forced => json!({"type": "tool", "name": name}),
        ToolChoice::Auto if request.parallel_tools.is_none() => return None,
        ToolChoice::Auto | ToolChoice::Some | ToolChoice::Named(_) => json!({"type": "auto"}),
    };
    if let (Some(parallel), Some(fields)) = (request.parallel_tools, choice.as_object_mut()) {
        fields.insert("disable_parallel_tool_use".into(), Value::Bool(!parallel));
    }
    Some(choice)
}

fn tools<'a>(
    request: &'a Request,
    habits: Habits,
    messages: &[Spoken<'a>],
) -> Result<Vec<ToolShape<'a>>> {
    if request.tools.is_empty() {
        // A conversation with calls in it is only taken with tools.
        return Ok(blocks::called(messages).into_iter().map(stub).collect());
    }
    request.tools.iter().map(|tool| shape(tool, habits)).collect()
}

fn stub(name: String) -> ToolShape<'static> {
    ToolShape {
        name: Cow::Owned(name),
        description: "",
        input_schema: Cow::Owned(json!({"type": "object"})),
        strict: None,
        cache_control: None,
    }
}

fn shape(tool: &Tool, habits: Habits) -> Result<ToolShape<'_>> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if tool.name.is_empty() || tool.name.len() > NAME_CHARS || !tool.name.chars().all(fits) {
        let message = format!(
            "the tool name {:?} cannot be used with Anthropic: letters, digits, _ and - only, at most {NAME_CHARS}",
            tool.name.chars().take(NAME_CHARS).collect::<String>()
        );
        return Err(Error::new(FailureClass::BadRequest, message));
    }
    let strict = tool.strict.filter(|strict| *strict && habits.schema);
    let schema = if strict.is_some() {
        Cow::Owned(closed(&tool.schema))
    } else {
        Cow::Borrowed(&tool.schema)
    };
    let schema = match schema.get("type").and_then(Value::as_str) {
        Some("object") => schema,
        _ => {
            let mut fields = schema.as_object().cloned().unwrap_or_default();
            fields.insert("type".into(), "object".into());
            Cow::Owned(Value::Object(fields))
        }
    };
    Ok(ToolShape {
        name: Cow::Borrowed(&tool.name),
        description: &tool.description,
        input_schema: schema,
        strict,
        cache_control: tool.cache,
    })
}

/// The schema the answer is held to, or words for models that cannot be held to one.
fn format(output: &Output, habits: Habits, system: &mut Vec<Block<'_>>) -> Option<Value> {
    match output {
        Output::Text => None,
        Output::Json => {
            let words = "Answer with one JSON object and nothing else.";
            system.push(Block::text(words, None));
            None
        }
        Output::Schema { schema, .. } if habits.schema => {
            Some(json!({"type": "json_schema", "schema": closed(schema)}))
        }
        Output::Schema { schema, .. } => {
            let words = format!(
                "Answer with JSON of this schema and nothing else, no code fence:\n{schema}"
            );
            system.push(Block::text(words, None));
            None
        }
    }
}

fn output_config(thinking: Asked, format: Option<Value>) -> Option<Value> {
    let mut config = serde_json::Map::new();
    if let Asked::Adaptive(Some(level)) = thinking {
        config.insert("effort".into(), level.into());
    }
    if let Some(format) = format {
        config.insert("format".into(), format);
    }
    (!config.is_empty()).then_some(Value::Object(config))
}

/// The schema with every object closed to other fields, which the provider wants said.
fn closed(schema: &Value) -> Value {
    let fields = match schema {
        Value::Object(fields) => fields,
        Value::Array(schemas) => return schemas.iter().map(closed).collect(),
        other => return other.clone(),
    };
    let mut fields: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(name, value)| {
            let value = match (name.as_str(), value) {
                // Names of somebody's choice, each with a schema.
                (
                    "properties" | "patternProperties" | "$defs" | "definitions",
                    Value::Object(of),
                ) => of.iter().map(|(name, schema)| (name.clone(), closed(schema))).collect(),
                ("enum" | "const" | "default" | "examples" | "required", value) => value.clone(),
                (_, value) => closed(value),
            };
            (name.clone(), value)
        })
        .collect();
    let is_object = match fields.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        Some(_) => false,
        None => fields.contains_key("properties"),
    };
    if is_object && !fields.contains_key("additionalProperties") {
        fields.insert("additionalProperties".into(), Value::Bool(false));
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_and_what_only_looks_like_one_is_not() {
        let schema = json!({
            "type": ["object", "null"],
            "properties": {
                "type": {"type": "string", "enum": [{"type": "object"}]},
                "properties": {"anyOf": [{"properties": {}}, {"$ref": "#/$defs/a"}]},
            },
            "$defs": {"a": {"type": "object", "additionalProperties": true}},
        });
        let wanted = json!({
            "type": ["object", "null"],
            "properties": {
                "type": {"type": "string", "enum": [{"type": "object"}]},
                "properties": {"anyOf": [
                    {"properties": {}, "additionalProperties": false}, {"$ref": "#/$defs/a"}]},
            },
            "$defs": {"a": {"type": "object", "additionalProperties": true}},
            "additionalProperties": false,
        });
        assert_eq!(closed(&schema), wanted);
    }
}
