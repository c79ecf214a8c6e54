//! What OpenAI and those who speak like it find wrong with a request. The first part of the path says who is asked.

use crate::fake::{Asked, KEY};
use serde_json::Value;

fn ensure(is: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if is { Ok(()) } else { Err(otherwise.into()) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn plain(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    !name.is_empty() && name.len() <= 64 && name.chars().all(fits)
}

/// What every dialect knows.
const COMMON: &[&str] = &[
    "model",
    "messages",
    "tools",
    "tool_choice",
    "temperature",
    "top_p",
    "stop",
    "response_format",
    "stream",
];

/// What only some know.
const MORE: &[(&str, &[&str])] = &[
    (
        "openai",
        &[
            "max_completion_tokens",
            "parallel_tool_calls",
            "seed",
            "presence_penalty",
            "frequency_penalty",
            "safety_identifier",
            "reasoning_effort",
            "stream_options",
        ],
    ),
    (
        "openrouter",
        &[
            "max_tokens",
            "parallel_tool_calls",
            "seed",
            "presence_penalty",
            "frequency_penalty",
            "user",
            "top_k",
            "reasoning",
            "usage",
            "stream_options",
        ],
    ),
    ("zai", &["max_tokens", "thinking", "reasoning_effort", "user_id", "tool_stream"]),
    (
        "deepseek",
        &[
            "max_tokens",
            "thinking",
            "reasoning_effort",
            "presence_penalty",
            "frequency_penalty",
            "stream_options",
        ],
    ),
    (
        "compatible",
        &[
            "max_tokens",
            "parallel_tool_calls",
            "seed",
            "presence_penalty",
            "frequency_penalty",
            "user",
            "top_k",
            "reasoning_effort",
            "chat_template_kwargs",
            "stream_options",
        ],
    ),
];

/// What the provider would say: nothing, or why it is wrong.
pub(crate) fn strict(asked: &Asked) -> Result<(), String> {
    let who = asked.path.split('/').nth(1).unwrap_or("");
    let path = asked.path.get(who.len() + 1..).unwrap_or("");
    let bearer = format!("Bearer {KEY}");
    ensure(asked.header("authorization") == Some(&bearer), "the key")?;
    ensure(!asked.body.to_string().contains("sk-"), "a secret in the body")?;
    ensure(!asked.path.contains("sk-"), "a secret in the path")?;
    if path == "/v1/models" {
        return ensure(asked.method == "GET", "the method");
    }
    ensure(asked.header("content-type") == Some("application/json"), "the type")?;
    let body = &asked.body;
    ensure(!text(&body["model"]).is_empty(), "no model")?;
    match path {
        "/v1/chat/completions" => chat(who, body),
        "/v1/responses" => responses(body),
        "/v1/embeddings" => ensure(list(&body["input"]).iter().all(Value::is_string), "input"),
        other => Err(format!("no such path: {other}")),
    }
}

fn chat(who: &str, body: &Value) -> Result<(), String> {
    let more = MORE.iter().find(|(name, _)| *name == who).map_or(&[][..], |(_, more)| *more);
    for (field, value) in body.as_object().ok_or("no body")? {
        ensure(
            COMMON.contains(&&**field) || more.contains(&&**field),
            format!("unknown: {field}"),
        )?;
        ensure(!value.is_null(), format!("{field} is null"))?;
    }
    let tools = list(&body["tools"]);
    for tool in tools {
        ensure(tool["type"] == "function" && plain(text(&tool["function"]["name"])), "a tool")?;
        ensure(tool["function"]["parameters"].is_object(), "a tool's schema")?;
    }
    let choice = body.get("tool_choice");
    ensure(choice.is_none() || !tools.is_empty(), "a choice without tools")?;
    ensure(body.get("tools").is_none() || !tools.is_empty(), "no tools")?;
    ensure(who != "zai" || choice.is_none_or(|choice| choice == "auto"), "only auto")?;
    let stops = list(&body["stop"]).len();
    ensure(stops <= if who == "zai" { 1 } else { 4 }, "too many stops")?;
    let format = &body["response_format"];
    match text(&format["type"]) {
        "json_schema" => {
            ensure(!matches!(who, "zai" | "deepseek"), "no schemas here")?;
            ensure(plain(text(&format["json_schema"]["name"])), "the schema's name")?;
            ensure(format["json_schema"]["schema"].is_object(), "the schema")?;
        }
        "json_object" => {
            let said = body["messages"].to_string().to_lowercase();
            ensure(said.contains("json"), "'messages' must contain the word 'json'")?;
        }
        other => ensure(other.is_empty(), format!("the format {other}"))?,
    }
    let model = text(&body["model"]);
    if who == "openai" && (model.starts_with("gpt-5") || model.starts_with('o')) {
        for field in ["temperature", "top_p", "presence_penalty", "frequency_penalty", "stop"] {
            ensure(body.get(field).is_none(), format!("{field} with a model that reasons"))?;
        }
    }
    messages(who, body)
}

fn messages(who: &str, body: &Value) -> Result<(), String> {
    let messages = list(&body["messages"]);
    let mut open: Vec<&str> = vec![];
    let mut marks = 0;
    for (at, message) in messages.iter().enumerate() {
        let role = text(&message["role"]);
        if role != "tool" {
            ensure(open.is_empty(), format!("message {at}: calls without results: {open:?}"))?;
        }
        let calls = list(&message["tool_calls"]);
        match (&message["content"], role) {
            (Value::String(words), _) => {
                ensure(!words.is_empty(), format!("message {at} is empty"))?;
            }
            (Value::Null, "assistant") => {
                ensure(!calls.is_empty(), format!("message {at} is empty"))?;
            }
            (Value::Array(parts), "user" | "system") => {
                ensure(!parts.is_empty() && who != "deepseek", format!("message {at} has parts"))?;
                for part in parts {
                    marks += usize::from(part.get("cache_control").is_some());
                    match text(&part["type"]) {
                        "text" => ensure(!text(&part["text"]).is_empty(), "an empty text")?,
                        "image_url" => {
                            let url = text(&part["image_url"]["url"]);
                            let is_picture =
                                url.starts_with("data:image/") || url.starts_with("https://");
                            ensure(is_picture && role == "user", "a picture")?;
                        }
                        other => return Err(format!("a part of type {other}")),
                    }
                }
            }
            _ => return Err(format!("message {at} has no content that is taken")),
        }
        match role {
            "system" => ensure(at == 0, "the system prompt is not first")?,
            "user" => {}
            "assistant" => {
                for call in calls {
                    let id = text(&call["id"]);
                    ensure(plain(id) && !open.contains(&id), "a call's id")?;
                    ensure(
                        call["type"] == "function" && plain(text(&call["function"]["name"])),
                        "a call",
                    )?;
                    let arguments = text(&call["function"]["arguments"]);
                    let is_json =
                        serde_json::from_str::<Value>(arguments).is_ok_and(|all| all.is_object());
                    ensure(is_json || matches!(who, "openai" | "deepseek"), "arguments")?;
                    open.push(id);
                }
            }
            "tool" => {
                let id = text(&message["tool_call_id"]);
                let place = open.iter().position(|open| *open == id);
                open.remove(place.ok_or(format!("message {at}: a result without its call"))?);
            }
            other => return Err(format!("message {at} is of {other}")),
        }
        ensure(
            message.get("reasoning_content").is_none() || matches!(who, "zai" | "deepseek"),
            "thoughts",
        )?;
        ensure(
            message.get("reasoning_details").is_none() || who == "openrouter",
            "sealed thoughts",
        )?;
        let thinks = body["thinking"]["type"] != "disabled";
        if who == "deepseek" && thinks && !calls.is_empty() {
            let thought = message["reasoning_content"].is_string();
            ensure(thought, "the `reasoning_content` in the thinking mode must be passed back")?;
        }
    }
    ensure(marks <= 4, "too many marks")?;
    ensure(messages.iter().any(|message| message["role"] != "system"), "nothing to answer")?;
    ensure(open.is_empty(), "calls without results at the end")
}

fn responses(body: &Value) -> Result<(), String> {
    const KNOWN: &[&str] = &[
        "model",
        "instructions",
        "input",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "reasoning",
        "text",
        "include",
        "store",
        "safety_identifier",
        "stream",
    ];
    for (field, value) in body.as_object().ok_or("no body")? {
        ensure(KNOWN.contains(&&**field) && !value.is_null(), format!("unknown: {field}"))?;
    }
    ensure(body["store"] == false, "something is kept")?;
    let reasons = text(&body["model"]).starts_with("gpt-5");
    ensure(!reasons || body.get("temperature").is_none(), "temperature with a model that reasons")?;
    for tool in list(&body["tools"]) {
        ensure(tool["type"] == "function" && plain(text(&tool["name"])), "a tool")?;
        ensure(tool["strict"].is_boolean() && tool["parameters"].is_object(), "a tool's schema")?;
    }
    if let Some(format) = body.get("text").map(|text| &text["format"]) {
        let has_schema = format["type"] == "json_schema" && format["schema"].is_object();
        ensure(has_schema || format["type"] == "json_object", "the format")?;
    }
    let input = list(&body["input"]);
    ensure(!input.is_empty(), "nothing to answer")?;
    let mut open: Vec<&str> = vec![];
    for (at, item) in input.iter().enumerate() {
        let kind = text(&item["type"]);
        match kind {
            "message" => {
                let side = if item["role"] == "assistant" { "output_" } else { "input_" };
                let parts = list(&item["content"]);
                ensure(!parts.is_empty(), format!("item {at} is empty"))?;
                let fits = |part: &Value| text(&part["type"]).starts_with(side);
                ensure(parts.iter().all(fits), format!("item {at} has parts of the other side"))?;
                ensure(item["role"] == "assistant" || open.is_empty(), "calls without results")?;
            }
            "reasoning" => {
                let sealed = item["encrypted_content"].is_string() && item["summary"].is_array();
                ensure(reasons && sealed, "reasoning")?;
                let next = input.get(at + 1).map(|next| (text(&next["type"]), text(&next["role"])));
                let follows =
                    matches!(next, Some(("function_call" | "reasoning", _) | (_, "assistant")));
                ensure(follows, "reasoning without what follows it")?;
            }
            "function_call" => {
                let id = text(&item["call_id"]);
                ensure(
                    plain(id) && plain(text(&item["name"])) && item["arguments"].is_string(),
                    "a call",
                )?;
                open.push(id);
            }
            "function_call_output" => {
                let place = open.iter().position(|open| item["call_id"] == *open);
                open.remove(place.ok_or("a result without its call")?);
                ensure(!text(&item["output"]).is_empty(), "an empty result")?;
            }
            other => return Err(format!("an item of type {other}")),
        }
    }
    ensure(open.is_empty(), "calls without results at the end")
}
