//! OpenAI's Responses, as they come in. Nothing is kept here from one call to the next, so all that was said comes with
//! each. What goes out is in `responses/answer.rs` and `responses/stream.rs`.

mod answer;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use answer::whole;
pub(crate) use stream::Steps;

use super::{
    asked::{self, Asked, MESSAGES, PARTS, TOOLS},
    chat::shaped,
    reading::{Bad, Given, Many, OneOrMany, Text, Tree, bad, read},
    sealed,
};
use mosaic_models::{Message, Output, Part, Request, Role, Thinking, ToolChoice};
use serde::Deserialize;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    input: Option<OneOrMany<'a, Item<'a>, MESSAGES>>,
    #[serde(borrow)]
    instructions: Option<Text<'a>>,
    stream: Option<bool>,
    #[serde(borrow)]
    tools: Option<Many<Offered<'a>, TOOLS>>,
    #[serde(borrow, default)]
    tool_choice: Option<Choice<'a>>,
    parallel_tool_calls: Option<bool>,
    max_output_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    #[serde(borrow)]
    reasoning: Option<Reasoning<'a>>,
    #[serde(borrow)]
    text: Option<Written<'a>>,
    #[serde(borrow)]
    user: Option<Text<'a>>,
    #[serde(borrow)]
    safety_identifier: Option<Text<'a>>,
    #[serde(borrow)]
    include: Option<Many<Text<'a>, 32>>,
    #[serde(default)]
    background: Given,
    #[serde(default)]
    previous_response_id: Given,
    #[serde(default)]
    conversation: Given,
    #[serde(default)]
    prompt: Given,
    #[serde(default)]
    top_logprobs: Given,
}

#[derive(Deserialize)]
struct Reasoning<'a> {
    #[serde(borrow)]
    effort: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    format: Option<Format<'a>>,
}

#[derive(Deserialize)]
struct Format<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    schema: Option<Tree>,
    strict: Option<bool>,
}

#[derive(Deserialize)]
struct Offered<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
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
        name: Option<Text<'a>>,
    },
}

/// Something that was said, called, answered or thought.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    role: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<OneOrMany<'a, Piece<'a>, PARTS>>,
    #[serde(borrow)]
    call_id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    arguments: Option<Text<'a>>,
    #[serde(borrow)]
    output: Option<OneOrMany<'a, Piece<'a>, PARTS>>,
    #[serde(borrow)]
    summary: Option<Many<Piece<'a>, PARTS>>,
    #[serde(borrow)]
    encrypted_content: Option<Text<'a>>,
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
    image_url: Option<Text<'a>>,
    #[serde(default)]
    file_id: Given,
}

/// Reads a body.
pub(crate) fn parse(bytes: &[u8]) -> Result<Asked, Bad> {
    let body: Body<'_> = read(bytes)?;
    refuse(&body)?;
    let effort = body.reasoning.and_then(|it| it.effort);
    let (tools, left_out) = tools(body.tools)?;
    let mut request = Request {
        tools,
        tool_choice: choice(body.tool_choice)?,
        parallel_tools: body.parallel_tool_calls,
        max_output: asked::size(body.max_output_tokens, "max_output_tokens")?,
        temperature: body.temperature,
        top_p: body.top_p,
        thinking: match effort {
            Some(word) => asked::effort(&word, "reasoning.effort")?,
            None => Thinking::Usual,
        },
        output: body.text.and_then(|it| it.format).map_or(Ok(Output::Text), output)?,
        on_behalf: asked::behalf([body.safety_identifier, body.user]),
        ..Request::default()
    };
    let instructions = body.instructions.filter(|it| !it.is_empty()).map(Text::owned);
    asked::instruct(&mut request, instructions.into_iter());
    match body.input {
        None => {}
        Some(OneOrMany::Text(text)) => request.messages.push(asked::user_text(text.owned())),
        Some(OneOrMany::Many(Many(items))) => {
            for (at, it) in items.into_iter().enumerate() {
                item(&mut request, it, at)?;
            }
        }
    }
    let stream = body.stream.unwrap_or_default();
    Asked { request, model: body.model.owned(), stream, wants_usage: true, left_out }.checked()
}

fn refuse(body: &Body<'_>) -> Result<(), Bad> {
    let mut include = body.include.iter().flat_map(|many| &many.0);
    let logprobs = Given(include.any(|word| word.contains("logprobs")));
    let kept = "nothing is kept here between calls: send the whole conversation in `input`";
    asked::refuse(&[
        ("background", body.background, "answers are not kept, so none can be fetched later"),
        ("previous_response_id", body.previous_response_id, kept),
        ("conversation", body.conversation, kept),
        ("prompt", body.prompt, "there are no stored prompts here: use `instructions`"),
        (
            "top_logprobs",
            body.top_logprobs,
            "not every model gives probabilities, so none are given",
        ),
        ("include", logprobs, "not every model gives probabilities, so none are given"),
    ])
}

fn item(request: &mut Request, item: Item<'_>, at: usize) -> Result<(), Bad> {
    let path = |field: &str| format!("input[{at}].{field}");
    let said = |role, parts| Message { role, parts };
    match item.kind.as_deref().unwrap_or("message") {
        "message" => match item.role.as_deref() {
            Some("user") => {
                let parts = parts(item.content, &path("content"), Role::User)?;
                request.messages.push(said(Role::User, parts));
            }
            Some("assistant") => {
                let parts = parts(item.content, &path("content"), Role::Assistant)?;
                request.messages.push(said(Role::Assistant, parts));
            }
            Some("system" | "developer") => {
                let parts = parts(item.content, &path("content"), Role::User)?;
                let mut texts = vec![];
                for (n, part) in parts.into_iter().enumerate() {
                    let Part::Text { text, .. } = part else {
                        let path = path(&format!("content[{n}].type"));
                        return bad(path, "here only text is taken");
                    };
                    texts.push(text);
                }
                asked::instruct(request, texts.into_iter());
            }
            _ => {
                let roles = "one of `user`, `assistant`, `system`, `developer`";
                return bad(path("role"), roles);
            }
        },
        "function_call" => {
            let Some(id) = item.call_id.filter(|id| !id.is_empty()) else {
                return bad(path("call_id"), "it is missing");
            };
            let Some(name) = item.name.filter(|name| asked::fits(name)) else {
                return bad(path("name"), "this is no tool's name");
            };
            let arguments = item.arguments.map(Text::owned).unwrap_or_default();
            let call = Part::ToolCall { id: id.owned(), name: name.owned(), arguments };
            request.messages.push(said(Role::Assistant, vec![call]));
        }
        "function_call_output" => {
            let Some(id) = item.call_id.filter(|id| !id.is_empty()) else {
                return bad(path("call_id"), "which call does this answer?");
            };
            let parts = parts(item.output, &path("output"), Role::User)?;
            let result = Part::ToolResult { call_id: id.owned(), parts, failed: false };
            request.messages.push(said(Role::User, vec![result]));
        }
        "reasoning" => {
            let pieces = item.summary.map(|many| many.0).unwrap_or_default();
            let texts = pieces.into_iter().filter_map(|piece| piece.text.map(Text::owned));
            let summary: Vec<String> = texts.collect();
            let word = item.encrypted_content.as_deref().unwrap_or_default();
            let sealed = sealed::of_responses(word, &summary);
            let thought = Part::Thinking { text: summary.join("\n\n"), sealed };
            request.messages.push(said(Role::Assistant, vec![thought]));
        }
        "item_reference" => {
            return bad(path("type"), "nothing is kept here between calls: send the item itself");
        }
        _ => {
            let kinds = "one of `message`, `function_call`, `function_call_output`, `reasoning`";
            return bad(path("type"), kinds);
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
        None => return bad(path, "it is missing"),
        Some(OneOrMany::Text(text)) => return Ok(vec![Part::text(text.owned())]),
        Some(OneOrMany::Many(Many(pieces))) => pieces,
    };
    let part = |(n, piece): (usize, Piece<'_>)| {
        let path = |field: &str| format!("{path}[{n}].{field}");
        match (&*piece.kind, role) {
            ("input_text" | "output_text" | "text", _) => match piece.text {
                Some(text) => Ok(Part::text(text.owned())),
                None => bad(path("text"), "it is missing"),
            },
            ("refusal", Role::Assistant) => match piece.refusal {
                Some(text) => Ok(Part::text(text.owned())),
                None => bad(path("refusal"), "it is missing"),
            },
            ("input_image", _) if piece.file_id.0 => {
                bad(path("file_id"), "there are no stored files here: use `image_url`")
            }
            ("input_image", Role::User) => match piece.image_url {
                Some(url) => asked::picture(url, || path("image_url")),
                None => bad(path("image_url"), "it is missing"),
            },
            ("input_file" | "input_audio", _) => {
                bad(path("type"), "only text and pictures are taken")
            }
            _ => bad(path("type"), "one of `input_text`, `input_image`, `output_text`, `refusal`"),
        }
    };
    pieces.into_iter().enumerate().map(part).collect()
}

/// Tools that OpenAI's own servers run, or groups of them. Programs offer them to every server that they are pointed at;
/// a model that is not told of them does without.
const HOSTED: [&str; 9] = [
    "web_search",
    "web_search_preview",
    "file_search",
    "code_interpreter",
    "image_generation",
    "computer_use_preview",
    "tool_search",
    "namespace",
    "mcp",
];

/// The tools that a model is told of, and the kinds of those that it is not.
fn tools(
    tools: Option<Many<Offered<'_>, TOOLS>>,
) -> Result<(Vec<mosaic_models::Tool>, Vec<String>), Bad> {
    let (mut told, mut left_out) = (vec![], vec![]);
    for (n, it) in tools.map(|many| many.0).unwrap_or_default().into_iter().enumerate() {
        let path = |field: &str| format!("tools[{n}].{field}");
        match &*it.kind {
            "function" => {
                told.push(asked::tool(it.name, it.description, it.parameters, it.strict, path)?);
            }
            kind if HOSTED.contains(&kind) => left_out.push(kind.to_owned()),
            _ => return bad(path("type"), "tools are functions: there are no custom tools here"),
        }
    }
    left_out.sort_unstable();
    left_out.dedup();
    Ok((told, left_out))
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
        Some(Choice::Named { kind, name: Some(name) }) if &*kind == "function" => {
            Ok(ToolChoice::Named(name.owned()))
        }
        Some(Choice::Named { .. }) => bad("tool_choice.type", "only `function` is taken"),
    }
}

fn output(format: Format<'_>) -> Result<Output, Bad> {
    match &*format.kind {
        "text" => Ok(Output::Text),
        "json_object" => Ok(Output::Json),
        "json_schema" => shaped(format.name, format.schema, format.strict, "text.format"),
        _ => bad("text.format.type", "one of `text`, `json_object`, `json_schema`"),
    }
}
