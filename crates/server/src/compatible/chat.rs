//! OpenAI's Chat Completions, as it comes in. What goes out is in `chat/answer.rs` and `chat/stream.rs`.

mod answer;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use answer::whole;
pub(crate) use stream::Chunks;

use super::{
    asked::{self, Asked, MESSAGES, PARTS, TOOLS},
    reading::{Bad, Given, Many, OneOrMany, Text, Tree, bad, read},
};
use mosaic_models::{Message, Output, Part, Request, Role, Thinking, ToolChoice};
use serde::Deserialize;

/// OpenAI takes no more.
const STOPS: usize = 4;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    messages: Many<Said<'a>, MESSAGES>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    #[serde(borrow)]
    tools: Option<Many<Offered<'a>, TOOLS>>,
    #[serde(borrow, default)]
    tool_choice: Option<Choice<'a>>,
    parallel_tool_calls: Option<bool>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
    seed: Option<i64>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    #[serde(borrow)]
    stop: Option<OneOrMany<'a, Text<'a>, STOPS>>,
    #[serde(borrow)]
    reasoning_effort: Option<Text<'a>>,
    #[serde(borrow)]
    response_format: Option<Format<'a>>,
    #[serde(borrow)]
    user: Option<Text<'a>>,
    #[serde(borrow)]
    safety_identifier: Option<Text<'a>>,
    #[serde(borrow)]
    modalities: Option<Many<Text<'a>, 8>>,
    n: Option<u64>,
    #[serde(default)]
    logprobs: Given,
    #[serde(default)]
    top_logprobs: Given,
    #[serde(default)]
    logit_bias: Given,
    #[serde(default)]
    audio: Given,
    #[serde(default)]
    prediction: Given,
    #[serde(default)]
    web_search_options: Given,
    #[serde(default)]
    functions: Given,
    #[serde(default)]
    function_call: Given,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    content: Option<OneOrMany<'a, Piece<'a>, PARTS>>,
    #[serde(borrow)]
    refusal: Option<Text<'a>>,
    #[serde(borrow)]
    reasoning_content: Option<Text<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Many<Call<'a>, PARTS>>,
    #[serde(borrow)]
    tool_call_id: Option<Text<'a>>,
    #[serde(default)]
    function_call: Given,
    #[serde(default)]
    audio: Given,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    refusal: Option<Text<'a>>,
    #[serde(borrow)]
    image_url: Option<ImageUrl<'a>>,
}

#[derive(Deserialize)]
struct ImageUrl<'a> {
    #[serde(borrow)]
    url: Text<'a>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    function: Option<Called<'a>>,
}

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    arguments: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Offered<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    parameters: Option<Tree>,
    strict: Option<bool>,
}

/// A word, or an object that names a tool.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a word, or an object that names a function")]
enum Choice<'a> {
    Word(#[serde(borrow)] Text<'a>),
    Named {
        #[serde(borrow, rename = "type")]
        kind: Text<'a>,
        #[serde(borrow)]
        function: Option<Named<'a>>,
    },
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct Format<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    json_schema: Option<Shape<'a>>,
}

#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    schema: Option<Tree>,
    strict: Option<bool>,
}

/// Reads a body.
pub(crate) fn parse(bytes: &[u8]) -> Result<Asked, Bad> {
    let body: Body<'_> = read(bytes)?;
    refuse(&body)?;
    let mut request = Request {
        tools: tools(body.tools)?,
        tool_choice: choice(body.tool_choice)?,
        parallel_tools: body.parallel_tool_calls,
        max_output: match body.max_completion_tokens {
            None => asked::size(body.max_tokens, "max_tokens")?,
            size => asked::size(size, "max_completion_tokens")?,
        },
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        seed: body.seed,
        presence_penalty: body.presence_penalty,
        frequency_penalty: body.frequency_penalty,
        stop: asked::stops(body.stop, "stop")?,
        thinking: match body.reasoning_effort {
            Some(word) => asked::effort(&word, "reasoning_effort")?,
            None => Thinking::Usual,
        },
        output: body.response_format.map_or(Ok(Output::Text), output)?,
        on_behalf: asked::behalf([body.safety_identifier, body.user]),
        ..Request::default()
    };
    for (at, said) in body.messages.0.into_iter().enumerate() {
        message(&mut request, said, at)?;
    }
    let wants_usage = body.stream_options.and_then(|it| it.include_usage).unwrap_or_default();
    let stream = body.stream.unwrap_or_default();
    Asked { request, model: body.model.owned(), stream, wants_usage, left_out: vec![] }.checked()
}

fn refuse(body: &Body<'_>) -> Result<(), Bad> {
    let modalities = body.modalities.iter().flat_map(|many| &many.0);
    let other = Given(modalities.into_iter().any(|word| &**word != "text"));
    asked::refuse(&[
        (
            "n",
            Given(body.n.is_some_and(|n| n != 1)),
            "there is one answer to a call: ask again for more",
        ),
        ("modalities", other, "answers are text"),
        ("audio", body.audio, "answers are text"),
        ("logprobs", body.logprobs, "not every model gives probabilities, so none are given"),
        (
            "top_logprobs",
            body.top_logprobs,
            "not every model gives probabilities, so none are given",
        ),
        ("logit_bias", body.logit_bias, "tokens differ from model to model"),
        ("prediction", body.prediction, "predicted outputs are not supported"),
        (
            "web_search_options",
            body.web_search_options,
            "there are no hosted tools here: offer a function",
        ),
        ("functions", body.functions, "use `tools`"),
        ("function_call", body.function_call, "use `tool_choice`"),
    ])
}

fn message(request: &mut Request, said: Said<'_>, at: usize) -> Result<(), Bad> {
    let path = |field: &str| format!("messages[{at}].{field}");
    if said.function_call.0 {
        return bad(path("function_call"), "use `tool_calls`");
    }
    match &*said.role {
        "system" | "developer" => {
            let texts = texts(said.content, &path("content"))?;
            asked::instruct(request, texts.into_iter());
        }
        "user" => {
            let parts = parts(said.content, &path("content"), Role::User)?;
            request.messages.push(Message { role: Role::User, parts });
        }
        "assistant" => {
            if said.audio.0 {
                return bad(path("audio"), "answers are text");
            }
            let thought = said.reasoning_content.filter(|text| !text.is_empty());
            let thought = thought.map(|text| Part::Thinking { text: text.owned(), sealed: None });
            let mut all: Vec<Part> = thought.into_iter().collect();
            all.extend(parts(said.content, &path("content"), Role::Assistant)?);
            all.extend(said.refusal.filter(|it| !it.is_empty()).map(|it| Part::text(it.owned())));
            let calls = said.tool_calls.map(|calls| calls.0).unwrap_or_default();
            for (n, call) in calls.into_iter().enumerate() {
                all.push(called(call, || path(&format!("tool_calls[{n}]")))?);
            }
            request.messages.push(Message { role: Role::Assistant, parts: all });
        }
        "tool" => {
            let Some(id) = said.tool_call_id.filter(|id| !id.is_empty()) else {
                return bad(path("tool_call_id"), "which call does this answer?");
            };
            let parts = parts(said.content, &path("content"), Role::User)?;
            let result = Part::ToolResult { call_id: id.owned(), parts, failed: false };
            request.messages.push(Message { role: Role::User, parts: vec![result] });
        }
        "function" => return bad(path("role"), "use `tool`"),
        _ => {
            let roles = "one of `system`, `developer`, `user`, `assistant`, `tool`";
            return bad(path("role"), roles);
        }
    }
    Ok(())
}

fn parts(
    content: Option<OneOrMany<'_, Piece<'_>, PARTS>>,
    path: &str,
    role: Role,
) -> Result<Vec<Part>, Bad> {
    let pieces = match content {
        None => return Ok(vec![]),
        Some(OneOrMany::Text(text)) => return Ok(vec![Part::text(text.owned())]),
        Some(OneOrMany::Many(Many(pieces))) => pieces,
    };
    let part = |(n, piece): (usize, Piece<'_>)| {
        let path = |field: &str| format!("{path}[{n}].{field}");
        match (&*piece.kind, role) {
            ("text", _) => match piece.text {
                Some(text) => Ok(Part::text(text.owned())),
                None => bad(path("text"), "it is missing"),
            },
            ("refusal", Role::Assistant) => match piece.refusal {
                Some(text) => Ok(Part::text(text.owned())),
                None => bad(path("refusal"), "it is missing"),
            },
            ("image_url", Role::User) => match piece.image_url {
                Some(image) => asked::picture(image.url, || path("image_url.url")),
                None => bad(path("image_url"), "it is missing"),
            },
            ("input_audio" | "file", _) => bad(path("type"), "only text and pictures are taken"),
            _ => bad(path("type"), "one of `text`, `image_url` (`refusal` of the assistant)"),
        }
    };
    pieces.into_iter().enumerate().map(part).collect()
}

/// Parts that must all be text.
fn texts(content: Option<OneOrMany<'_, Piece<'_>, PARTS>>, path: &str) -> Result<Vec<String>, Bad> {
    let parts = parts(content, path, Role::User)?.into_iter().enumerate();
    let text = |(n, part): (usize, Part)| match part {
        Part::Text { text, .. } => Ok(text),
        _ => bad(format!("{path}[{n}].type"), "here only text is taken"),
    };
    parts.map(text).collect()
}

fn called(call: Call<'_>, path: impl Fn() -> String) -> Result<Part, Bad> {
    match (call.kind.as_deref().unwrap_or("function"), call.function) {
        ("function", Some(called)) if asked::fits(&called.name) => Ok(Part::ToolCall {
            id: call.id.owned(),
            name: called.name.owned(),
            arguments: called.arguments.map(Text::owned).unwrap_or_default(),
        }),
        ("function", Some(_)) => bad(format!("{}.function.name", path()), "this is no tool's name"),
        ("function", None) => bad(format!("{}.function", path()), "it is missing"),
        _ => bad(format!("{}.type", path()), "tools are functions"),
    }
}

fn tools(tools: Option<Many<Offered<'_>, TOOLS>>) -> Result<Vec<mosaic_models::Tool>, Bad> {
    let tool = |(n, offered): (usize, Offered<'_>)| {
        let path = |field: &str| format!("tools[{n}].{field}");
        match (offered.kind.as_deref().unwrap_or("function"), offered.function) {
            ("function", Some(it)) => {
                let path = |field: &str| path(&format!("function.{field}"));
                asked::tool(it.name, it.description, it.parameters, it.strict, path)
            }
            ("function", None) => bad(path("function"), "it is missing"),
            _ => bad(path("type"), "tools are functions: there are no custom or hosted tools here"),
        }
    };
    tools.map(|many| many.0).unwrap_or_default().into_iter().enumerate().map(tool).collect()
}

fn choice(choice: Option<Choice<'_>>) -> Result<ToolChoice, Bad> {
    match choice {
        None => Ok(ToolChoice::Auto),
        Some(Choice::Word(word)) => match &*word {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::Never),
            "required" => Ok(ToolChoice::Some),
            _ => bad("tool_choice", "one of `none`, `auto`, `required`, or a function"),
        },
        Some(Choice::Named { kind, function: Some(Named { name }) }) if &*kind == "function" => {
            Ok(ToolChoice::Named(name.owned()))
        }
        Some(Choice::Named { .. }) => bad("tool_choice.type", "only `function` is taken"),
    }
}

fn output(format: Format<'_>) -> Result<Output, Bad> {
    match (&*format.kind, format.json_schema) {
        ("text", _) => Ok(Output::Text),
        ("json_object", _) => Ok(Output::Json),
        ("json_schema", Some(shape)) => {
            shaped(shape.name, shape.schema, shape.strict, "response_format.json_schema")
        }
        ("json_schema", None) => bad("response_format.json_schema", "it is missing"),
        _ => bad("response_format.type", "one of `text`, `json_object`, `json_schema`"),
    }
}

/// JSON of a shape.
pub(super) fn shaped(
    name: Option<Text<'_>>,
    schema: Option<Tree>,
    strict: Option<bool>,
    path: &str,
) -> Result<Output, Bad> {
    let Some(schema) = schema.map(|tree| tree.0).filter(serde_json::Value::is_object) else {
        return bad(format!("{path}.schema"), "a JSON schema is an object");
    };
    let name = name.filter(|name| asked::fits(name)).map_or_else(|| "answer".into(), Text::owned);
    Ok(Output::Schema { name, schema, strict: strict.unwrap_or_default() })
}
