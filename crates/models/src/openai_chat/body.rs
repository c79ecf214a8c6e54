//! The body of a call as it goes over the wire, written straight from the request without copying its texts.

use crate::{Image, ImageSource, Output, Request, Tool, ToolChoice};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;
use std::borrow::Cow;

/// A call. What is `None` or empty is left out.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Body<'a> {
    pub(crate) model: &'a str,
    pub(crate) messages: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) tools: Vec<ToolOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_effort: Option<&'static str>,
    /// OpenRouter's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning: Option<Reasoning>,
    /// Z.ai's and DeepSeek's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thinking: Option<Switch>,
    /// What local servers hand to the model's template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chat_template_kwargs: Option<Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) safety_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream_options: Option<StreamOptions>,
    /// Z.ai's: arguments come as they are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_stream: Option<bool>,
    /// OpenRouter's: with what it charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Include>,
}

/// A message.
#[derive(Debug, Serialize)]
pub(crate) struct Said<'a> {
    pub(crate) role: &'static str,
    pub(crate) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) reasoning_details: Vec<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) tool_calls: Vec<CallOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_call_id: Option<Cow<'a, str>>,
}

impl<'a> Said<'a> {
    pub(crate) fn new(role: &'static str, content: Option<Content<'a>>) -> Self {
        let (reasoning_details, tool_calls) = (vec![], vec![]);
        let (reasoning_content, tool_call_id) = (None, None);
        Said { role, content, reasoning_content, reasoning_details, tool_calls, tool_call_id }
    }
}

/// What a message says. Text alone stays a string: not every server takes parts.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<PartOut<'a>>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum PartOut<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Mark>,
    },
    ImageUrl {
        image_url: ImageUrl<'a>,
    },
}

/// A mark for the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "ephemeral")]
pub(crate) struct Mark {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ImageUrl<'a> {
    pub(crate) url: Picture<'a>,
}

/// A picture's address; one that is here becomes a data URL as it is written.
#[derive(Debug)]
pub(crate) struct Picture<'a>(pub(crate) &'a Image);

impl Serialize for Picture<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0.source {
            ImageSource::Url(url) => to.serialize_str(url),
            ImageSource::Base64(data) => {
                to.collect_str(&format_args!("data:{};base64,{data}", self.0.media_type))
            }
        }
    }
}

/// A call that the model made.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "function")]
pub(crate) struct CallOut<'a> {
    pub(crate) id: String,
    pub(crate) function: Function<'a>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: &'a str,
}

/// A tool.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "function")]
pub(crate) struct ToolOut<'a> {
    pub(crate) function: Described<'a>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Described<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strict: Option<bool>,
}

impl<'a> From<&'a Tool> for ToolOut<'a> {
    fn from(tool: &'a Tool) -> Self {
        let Tool { name, description, schema: parameters, strict, cache: _ } = tool;
        Self { function: Described { name, description, parameters, strict: *strict } }
    }
}

/// Whether tools must be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    Never,
    Some,
    Named(&'a str),
}

impl<'a> Choice<'a> {
    /// `None` where the model may do as it likes, which is what it does anyway.
    pub(crate) fn of(choice: &'a ToolChoice) -> Option<Self> {
        match choice {
            ToolChoice::Auto => None,
            ToolChoice::Never => Some(Choice::Never),
            ToolChoice::Some => Some(Choice::Some),
            ToolChoice::Named(name) => Some(Choice::Named(name)),
        }
    }
}

impl Serialize for Choice<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Name<'a> {
            name: &'a str,
        }
        match self {
            Choice::Never => to.serialize_str("none"),
            Choice::Some => to.serialize_str("required"),
            Choice::Named(name) => {
                let mut one = to.serialize_struct("Choice", 2)?;
                one.serialize_field("type", "function")?;
                one.serialize_field("function", &Name { name })?;
                one.end()
            }
        }
    }
}

/// What form the answer has.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Format<'a> {
    JsonObject,
    JsonSchema { json_schema: Shape<'a> },
}

#[derive(Debug, Serialize)]
pub(crate) struct Shape<'a> {
    name: &'a str,
    schema: &'a Value,
    strict: bool,
}

impl<'a> Format<'a> {
    pub(crate) fn of(request: &'a Request) -> Option<Self> {
        match &request.output {
            Output::Text => None,
            Output::Json => Some(Format::JsonObject),
            Output::Schema { name, schema, strict } => {
                Some(Format::JsonSchema { json_schema: Shape { name, schema, strict: *strict } })
            }
        }
    }
}

/// How much is thought, in OpenRouter's words: one of these.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reasoning {
    Effort(&'static str),
    MaxTokens(u32),
}

/// Whether is thought, in Z.ai's and DeepSeek's words.
#[derive(Debug, Serialize)]
pub(crate) struct Switch {
    #[serde(rename = "type")]
    pub(crate) way: &'static str,
    /// Z.ai's: thoughts of earlier turns are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clear_thinking: Option<bool>,
}

impl Switch {
    pub(crate) const ON: Switch = Switch { way: "enabled", clear_thinking: None };
    pub(crate) const OFF: Switch = Switch { way: "disabled", clear_thinking: None };
}

#[derive(Debug, Serialize)]
pub(crate) struct Template {
    pub(crate) enable_thinking: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct StreamOptions {
    pub(crate) include_usage: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Include {
    pub(crate) include: bool,
}
