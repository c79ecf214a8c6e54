//! What comes back, as its JSON is. Only what is read is named; the rest may be anything.

use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// What kind of event it is, before more of it is read: of unknown kinds nothing is expected.
#[derive(Deserialize)]
pub(crate) struct Kind<'a> {
    #[serde(rename = "type", borrow, default)]
    pub(crate) name: Cow<'a, str>,
}

/// More of a text or of arguments.
#[derive(Deserialize)]
pub(crate) struct More {
    #[serde(default)]
    pub(crate) output_index: u64,
    #[serde(default)]
    pub(crate) summary_index: u64,
    #[serde(default)]
    pub(crate) delta: String,
    /// The whole of it, at its end.
    #[serde(default)]
    pub(crate) arguments: String,
}

/// An item of the answer begins or is whole.
#[derive(Deserialize)]
pub(crate) struct AnItem {
    #[serde(default)]
    pub(crate) output_index: u64,
    pub(crate) item: Item,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Item {
    Message {
        #[serde(default)]
        content: Vec<Content>,
    },
    FunctionCall {
        call_id: Option<String>,
        name: Option<String>,
        #[serde(default)]
        arguments: String,
    },
    Reasoning {
        id: Option<String>,
        #[serde(default)]
        summary: Vec<Content>,
        #[serde(default)]
        content: Option<Vec<Content>>,
        encrypted_content: Option<String>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Content {
    OutputText {
        text: String,
    },
    SummaryText {
        text: String,
    },
    ReasoningText {
        text: String,
    },
    Refusal {
        refusal: String,
    },
    #[serde(other)]
    Other,
}

/// An event that carries the answer as far as it is.
#[derive(Deserialize)]
pub(crate) struct OfResponse {
    pub(crate) response: Response,
}

/// The answer.
#[derive(Deserialize)]
pub(crate) struct Response {
    pub(crate) id: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) output: Vec<Item>,
    pub(crate) usage: Option<UsageIn>,
    pub(crate) error: Option<Value>,
    pub(crate) incomplete_details: Option<Incomplete>,
}

#[derive(Deserialize)]
pub(crate) struct Incomplete {
    pub(crate) reason: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct UsageIn {
    #[serde(default)]
    pub(crate) input_tokens: u64,
    #[serde(default)]
    pub(crate) output_tokens: u64,
    pub(crate) input_tokens_details: Option<InputDetails>,
    pub(crate) output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
pub(crate) struct InputDetails {
    #[serde(default)]
    pub(crate) cached_tokens: u64,
}

#[derive(Deserialize)]
pub(crate) struct OutputDetails {
    #[serde(default)]
    pub(crate) reasoning_tokens: u64,
}
