//! The body of a call as it goes over the wire.

use crate::{
    Output, Tool, ToolChoice,
    openai_chat::{self, body::Picture},
};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;
use std::borrow::Cow;

/// A call. What is `None` or empty is left out.
#[derive(Debug, Serialize)]
pub(crate) struct Body<'a> {
    pub(crate) model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<Cow<'a, str>>,
    pub(crate) input: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) tools: Vec<ToolOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<TextOut<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) include: &'static [&'static str],
    pub(crate) store: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) safety_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream: bool,
}

/// Something in the conversation.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Item<'a> {
    Message { role: &'static str, content: Vec<PartOut<'a>> },
    Reasoning { summary: &'a Value, encrypted_content: &'a str },
    FunctionCall { call_id: String, name: &'a str, arguments: &'a str },
    FunctionCallOutput { call_id: String, output: Cow<'a, str> },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum PartOut<'a> {
    InputText { text: Cow<'a, str> },
    InputImage { image_url: Picture<'a> },
    OutputText { text: &'a str },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "function")]
pub(crate) struct ToolOut<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
    // Left out means held to the schema, and with most schemas an error.
    strict: bool,
}

impl<'a> From<&'a Tool> for ToolOut<'a> {
    fn from(tool: &'a Tool) -> Self {
        let Tool { name, description, schema: parameters, strict, cache: _ } = tool;
        Self { name, description, parameters, strict: strict.unwrap_or(false) }
    }
}

/// Whether tools must be called; as in Chat Completions, except for a named one.
#[derive(Debug)]
pub(crate) struct Choice<'a>(openai_chat::body::Choice<'a>);

impl<'a> Choice<'a> {
    pub(crate) fn of(choice: &'a ToolChoice) -> Option<Self> {
        openai_chat::body::Choice::of(choice).map(Self)
    }
}

impl Serialize for Choice<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            openai_chat::body::Choice::Named(name) => {
                let mut one = to.serialize_struct("Choice", 2)?;
                one.serialize_field("type", "function")?;
                one.serialize_field("name", name)?;
                one.end()
            }
            other => other.serialize(to),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Reasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct TextOut<'a> {
    pub(crate) format: Format<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Format<'a> {
    JsonObject,
    JsonSchema { name: &'a str, schema: &'a Value, strict: bool },
}

impl<'a> Format<'a> {
    pub(crate) fn of(output: &'a Output) -> Option<Self> {
        match output {
            Output::Text => None,
            Output::Json => Some(Format::JsonObject),
            Output::Schema { name, schema, strict } => {
                Some(Format::JsonSchema { name, schema, strict: *strict })
            }
        }
    }
}
