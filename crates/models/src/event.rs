//! What comes back from a model while it answers.

use crate::Sealed;
use mosaic_protocol::usage::Usage;

/// Something that happened in an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The provider took the call.
    Began {
        /// Its name for the answer.
        id: Option<String>,
        /// The model that it says is answering.
        model: Option<String>,
    },
    /// More words.
    Text(String),
    /// More thoughts.
    Thinking(String),
    /// What seals the thoughts before it, or stands in for them.
    Sealed(Sealed),
    /// A tool call begins. Calls are numbered 0, 1, 2… as they begin; pieces of several may mix.
    ToolCall {
        /// Its number.
        index: u32,
        /// Its id; never empty, made up where the provider gives none.
        id: String,
        /// Which tool.
        name: String,
    },
    /// More of a call's arguments: what is new, never what was there before.
    Arguments {
        /// Of which call.
        index: u32,
        /// JSON text.
        piece: String,
    },
    /// What was used up to now. The last one counts.
    Usage(Reported),
    /// The proper end. Nothing comes after it; without it an answer is incomplete.
    Ended(Why),
}

/// What the provider says was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reported {
    /// Tokens.
    pub usage: Usage,
    /// What it charges, where it says so.
    pub cost_micros: Option<u64>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// All was said.
    Done,
    /// It may not write more.
    MaxOutput,
    /// At one of the texts where it was to stop, if the provider says which.
    Stop(Option<String>),
    /// Tools are to be called.
    ToolCalls,
    /// The provider or the model does not want to go on; perhaps in its words.
    Refused(Option<String>),
}
