//! Anthropic's Messages, as they come in. What goes out is in `messages/answer.rs` and `messages/stream.rs`.

mod answer;
mod blocks;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use answer::{count, whole};
pub(crate) use stream::Blocks;

use super::{
    asked::{self, Asked, MESSAGES, STOPS, TOOLS},
    reading::{Bad, Given, Many, OneOrMany, Text, Tree, bad, read},
};
use blocks::{Block, CacheControl, PARTS};
use mosaic_models::{Message, Output, Part, Request, Role, System, Thinking, ToolChoice};
use serde::Deserialize;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    messages: Many<Said<'a>, MESSAGES>,
    #[serde(borrow)]
    system: Option<OneOrMany<'a, Block<'a>, PARTS>>,
    stream: Option<bool>,
    max_tokens: Option<u64>,
    #[serde(borrow)]
    tools: Option<Many<Offered<'a>, TOOLS>>,
    #[serde(borrow)]
    tool_choice: Option<Choice<'a>>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
    #[serde(borrow)]
    stop_sequences: Option<Many<Text<'a>, STOPS>>,
    #[serde(borrow)]
    thinking: Option<Thought<'a>>,
    #[serde(borrow)]
    output_config: Option<OutputConfig<'a>>,
    #[serde(borrow)]
    output_format: Option<Format<'a>>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow)]
    cache_control: Option<CacheControl<'a>>,
    #[serde(default)]
    mcp_servers: Given,
    #[serde(default)]
    container: Given,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    content: OneOrMany<'a, Block<'a>, PARTS>,
}

#[derive(Deserialize)]
struct Offered<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    input_schema: Option<Tree>,
    strict: Option<bool>,
    #[serde(borrow)]
    cache_control: Option<CacheControl<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    disable_parallel_tool_use: Option<bool>,
}

#[derive(Deserialize)]
struct Thought<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    budget_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputConfig<'a> {
    #[serde(borrow)]
    effort: Option<Text<'a>>,
    #[serde(borrow)]
    format: Option<Format<'a>>,
}

#[derive(Deserialize)]
struct Format<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    schema: Option<Tree>,
}

/// Reads a body.
pub(crate) fn parse(bytes: &[u8]) -> Result<Asked, Bad> {
    let body: Body<'_> = read(bytes)?;
    let hosted = "what runs at the provider is not supported: offer a function";
    asked::refuse(&[
        ("mcp_servers", body.mcp_servers, hosted),
        ("container", body.container, hosted),
    ])?;
    let (effort, format) = match body.output_config {
        Some(config) => (config.effort, config.format),
        None => (None, None),
    };
    let (choice, single) = match body.tool_choice {
        None => (ToolChoice::Auto, None),
        Some(it) => (choice(&it)?, it.disable_parallel_tool_use),
    };
    let format = match format {
        Some(format) => Some((format, "output_config.format")),
        None => body.output_format.map(|format| (format, "output_format")),
    };
    let mut request = Request {
        tools: tools(body.tools)?,
        tool_choice: choice,
        parallel_tools: single.map(|single| !single),
        max_output: asked::size(body.max_tokens, "max_tokens")?,
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        stop: asked::stops(body.stop_sequences.map(OneOrMany::Many), "stop_sequences")?,
        thinking: thinking(body.thinking, effort)?,
        output: format.map_or(Ok(Output::Text), output)?,
        on_behalf: asked::behalf([body.metadata.and_then(|it| it.user_id), None]),
        cache: body.cache_control.is_some(),
        ..Request::default()
    };
    system(&mut request, body.system)?;
    for (at, said) in body.messages.0.into_iter().enumerate() {
        message(&mut request, said, at)?;
    }
    let stream = body.stream.unwrap_or_default();
    Asked { request, model: body.model.owned(), stream, wants_usage: true, left_out: vec![] }
        .checked()
}

fn system(
    request: &mut Request,
    content: Option<OneOrMany<'_, Block<'_>, PARTS>>,
) -> Result<(), Bad> {
    let blocks = match content {
        None => return Ok(()),
        Some(OneOrMany::Text(text)) => {
            asked::instruct(request, std::iter::once(text.owned()));
            return Ok(());
        }
        Some(OneOrMany::Many(Many(blocks))) => blocks,
    };
    for (n, block) in blocks.into_iter().enumerate() {
        match (&*block.kind, block.text) {
            ("text", Some(text)) => {
                let cache = block.cache_control.map(|it| it.lasts());
                request.system.push(System { text: text.owned(), cache });
            }
            _ => return bad(format!("system[{n}].type"), "only `text` is taken"),
        }
    }
    Ok(())
}

fn message(request: &mut Request, said: Said<'_>, at: usize) -> Result<(), Bad> {
    let path = || format!("messages[{at}].content");
    let role = match &*said.role {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => {
            let parts = blocks::parts(request, said.content, path(), Role::User)?;
            let texts = parts.into_iter().filter_map(|part| match part {
                Part::Text { text, .. } => Some(text),
                _ => None,
            });
            asked::instruct(request, texts);
            return Ok(());
        }
        _ => return bad(format!("messages[{at}].role"), "one of `user`, `assistant`, `system`"),
    };
    let parts = blocks::parts(request, said.content, path(), role)?;
    request.messages.push(Message { role, parts });
    Ok(())
}

fn tools(tools: Option<Many<Offered<'_>, TOOLS>>) -> Result<Vec<mosaic_models::Tool>, Bad> {
    let tool = |(n, it): (usize, Offered<'_>)| {
        let path = |field: &str| {
            let field = if field == "parameters" { "input_schema" } else { field };
            format!("tools[{n}].{field}")
        };
        match it.kind.as_deref().unwrap_or("custom") {
            "custom" => {
                let cache = it.cache_control.map(|it| it.lasts());
                let tool = asked::tool(it.name, it.description, it.input_schema, it.strict, path)?;
                Ok(mosaic_models::Tool { cache, ..tool })
            }
            _ => bad(path("type"), "tools have a schema of their own: none are built in here"),
        }
    };
    tools.map(|many| many.0).unwrap_or_default().into_iter().enumerate().map(tool).collect()
}

fn choice(choice: &Choice<'_>) -> Result<ToolChoice, Bad> {
    match (&*choice.kind, &choice.name) {
        ("auto", _) => Ok(ToolChoice::Auto),
        ("any", _) => Ok(ToolChoice::Some),
        ("none", _) => Ok(ToolChoice::Never),
        ("tool", Some(name)) => Ok(ToolChoice::Named((**name).to_owned())),
        ("tool", None) => bad("tool_choice.name", "it is missing"),
        _ => bad("tool_choice.type", "one of `auto`, `any`, `tool`, `none`"),
    }
}

/// Adaptive thinking without an effort is as much as the format's own provider does then.
fn thinking(thought: Option<Thought<'_>>, word: Option<Text<'_>>) -> Result<Thinking, Bad> {
    let effort = word.map(|word| asked::effort(&word, "output_config.effort")).transpose()?;
    let Some(thought) = thought else { return Ok(effort.unwrap_or_default()) };
    match (&*thought.kind, thought.budget_tokens) {
        ("disabled", _) => Ok(Thinking::Off),
        ("adaptive", _) => Ok(effort.unwrap_or(Thinking::Effort(mosaic_models::Effort::High))),
        ("enabled", Some(n)) if n > 0 => Ok(Thinking::Budget(u32::try_from(n).unwrap_or(u32::MAX))),
        ("enabled", _) => bad("thinking.budget_tokens", "at least 1"),
        _ => bad("thinking.type", "one of `enabled`, `disabled`, `adaptive`"),
    }
}

fn output((format, path): (Format<'_>, &str)) -> Result<Output, Bad> {
    match &*format.kind {
        "json_schema" => super::chat::shaped(None, format.schema, Some(true), path),
        _ => bad(format!("{path}.type"), "only `json_schema` is taken"),
    }
}
