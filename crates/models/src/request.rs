//! What a model is asked, in words that no provider owns.

use mosaic_protocol::provider::{Effort, ProviderKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The model's id at its provider.
    pub model: String,
    /// What it is told before everything else.
    pub system: Vec<System>,
    /// What was said, oldest first. The first is the user's; roles need not alternate: wires that want that merge.
    pub messages: Vec<Message>,
    /// What it may call.
    pub tools: Vec<Tool>,
    /// Whether it must.
    pub tool_choice: ToolChoice,
    /// Whether it may call several tools at once; the provider's habit unless told.
    pub parallel_tools: Option<bool>,
    /// How much it may write.
    pub max_output: Option<u32>,
    /// How daring it is.
    pub temperature: Option<f64>,
    /// The same, by probability.
    pub top_p: Option<f64>,
    /// The same, by rank.
    pub top_k: Option<u32>,
    /// For the same answer again, where a provider promises that.
    pub seed: Option<i64>,
    /// Against saying again what was said.
    pub presence_penalty: Option<f64>,
    /// Against saying it often.
    pub frequency_penalty: Option<f64>,
    /// Where it stops.
    pub stop: Vec<String>,
    /// How much it thinks first.
    pub thinking: Thinking,
    /// What form the answer has.
    pub output: Output,
    /// Marks what stays the same for the provider's cache, where its format needs marks and none were given.
    pub cache: bool,
    /// Who it is for: an opaque word that the provider may use against abuse. Never a name.
    pub on_behalf: Option<String>,
}

/// A piece of the system prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// The text.
    pub text: String,
    /// What comes up to here is worth keeping in the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheFor>,
}

/// How long a cache is wanted to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheFor {
    /// Five minutes, or what the provider does by itself.
    Minutes,
    /// An hour.
    Hour,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// By whom.
    pub role: Role,
    /// What.
    pub parts: Vec<Part>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whoever asks, and their tools.
    User,
    /// The model.
    Assistant,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Words.
    Text {
        /// Which.
        text: String,
        /// What comes up to here is worth keeping in the provider's cache.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cache: Option<CacheFor>,
    },
    /// A picture.
    Image(Image),
    /// What the model thought before it spoke.
    Thinking {
        /// As far as it was shown.
        text: String,
        /// What its provider wants back unchanged. Another provider never gets it, nor the text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed: Option<Sealed>,
    },
    /// The model calls a tool.
    ToolCall {
        /// Unique in the conversation.
        id: String,
        /// Which tool.
        name: String,
        /// JSON as text, exactly as the model wrote it; it may be broken.
        arguments: String,
    },
    /// What the tool answered, in a message of the user.
    ToolResult {
        /// Which call it answers.
        call_id: String,
        /// Text and pictures.
        parts: Vec<Part>,
        /// The tool failed.
        #[serde(default)]
        failed: bool,
    },
}

impl Part {
    /// Words without a mark.
    pub fn text(text: impl Into<String>) -> Self {
        Part::Text { text: text.into(), cache: None }
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Its type, such as `image/png`.
    pub media_type: String,
    /// Itself.
    pub source: ImageSource,
}

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageSource {
    /// Here, in base64.
    Base64(String),
    /// At an address that the provider, not we, fetches.
    Url(String),
}

/// What only the provider that made it reads, such as a signature over what was thought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// Who made it.
    pub by: ProviderKind,
    /// As it came.
    pub value: Value,
}

/// Something that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The JSON schema of its arguments.
    pub schema: Value,
    /// Whether the provider holds the model to the schema.
    pub strict: Option<bool>,
    /// What comes up to here is worth keeping in the provider's cache.
    pub cache: Option<CacheFor>,
}

/// Whether tools must be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// As the model likes.
    #[default]
    Auto,
    /// None.
    Never,
    /// At least one.
    Some,
    /// This one.
    Named(String),
}

/// How much a model thinks before it speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Thinking {
    /// As it does by itself.
    #[default]
    Usual,
    /// Not at all, where that can be had.
    Off,
    /// So much.
    Effort(Effort),
    /// Up to so many tokens; providers that know levels only get the nearest.
    Budget(u32),
}

/// What form an answer has.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Output {
    /// Words.
    #[default]
    Text,
    /// Some JSON object.
    Json,
    /// JSON of this shape.
    Schema {
        /// What the shape is called.
        name: String,
        /// The JSON schema.
        schema: Value,
        /// Whether the provider holds the model to it.
        strict: bool,
    },
}
