//! What an answer says besides its words: which call it is of, what was used, in each format's words, and what it cost.

use mosaic_models::Why;
use mosaic_protocol::usage::{Cost, Usage};
use serde::Serialize;

/// Which call an answer is of.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The request's id without dashes: names in the answer are made of it, so that they find it in the log.
    pub(crate) id: String,
    /// When it began, in seconds.
    pub(crate) created: i64,
    /// What runs: `provider/model`.
    pub(crate) model: String,
}

/// Another model went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Switch {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) why: String,
}

/// What was used and what it cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bill {
    pub(crate) usage: Usage,
    pub(crate) cost: Option<Cost>,
    pub(crate) switches: Vec<Switch>,
}

/// What only this gateway says, beside the fields of the format.
#[derive(Debug, Serialize)]
pub(crate) struct Besides<'a> {
    cost_micros: Option<u64>,
    cost_exact: bool,
    #[serde(skip_serializing_if = "<[Switch]>::is_empty")]
    switched: &'a [Switch],
}

impl Bill {
    pub(crate) fn besides(&self) -> Besides<'_> {
        Besides {
            cost_micros: self.cost.and_then(|cost| cost.micros),
            cost_exact: self.cost.is_some_and(|cost| cost.exact),
            switched: &self.switches,
        }
    }
}

/// Chat Completions.
#[derive(Debug, Serialize)]
pub(crate) struct ChatUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: Cached,
    completion_tokens_details: Reasoned,
}

/// Responses.
#[derive(Debug, Serialize)]
pub(crate) struct ResponsesUsage {
    input_tokens: u64,
    input_tokens_details: Cached,
    output_tokens: u64,
    output_tokens_details: Reasoned,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
struct Cached {
    cached_tokens: u64,
}

#[derive(Debug, Serialize)]
struct Reasoned {
    reasoning_tokens: u64,
}

/// Messages.
#[derive(Debug, Serialize)]
pub(crate) struct MessagesUsage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: Written,
    output_tokens: u64,
}

#[derive(Debug, Serialize)]
struct Written {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

pub(crate) fn for_chat(usage: &Usage) -> ChatUsage {
    ChatUsage {
        prompt_tokens: usage.prompt(),
        completion_tokens: usage.output,
        total_tokens: usage.total(),
        prompt_tokens_details: Cached { cached_tokens: usage.cache_read },
        completion_tokens_details: Reasoned { reasoning_tokens: usage.reasoning },
    }
}

pub(crate) fn for_responses(usage: &Usage) -> ResponsesUsage {
    ResponsesUsage {
        input_tokens: usage.prompt(),
        input_tokens_details: Cached { cached_tokens: usage.cache_read },
        output_tokens: usage.output,
        output_tokens_details: Reasoned { reasoning_tokens: usage.reasoning },
        total_tokens: usage.total(),
    }
}

pub(crate) fn for_messages(usage: &Usage) -> MessagesUsage {
    MessagesUsage {
        input_tokens: usage.input,
        cache_creation_input_tokens: usage.cache_write.saturating_add(usage.cache_write_hour),
        cache_read_input_tokens: usage.cache_read,
        cache_creation: Written {
            ephemeral_5m_input_tokens: usage.cache_write,
            ephemeral_1h_input_tokens: usage.cache_write_hour,
        },
        output_tokens: usage.output,
    }
}

/// What was said instead of an answer.
pub(crate) fn refusal(why: &Why) -> Option<&str> {
    match why {
        Why::Refused(Some(words)) if !words.is_empty() => Some(words),
        _ => None,
    }
}

/// Writes JSON. Into memory, where nothing fails.
pub(crate) fn put(out: &mut Vec<u8>, value: &impl Serialize) {
    if let Err(error) = serde_json::to_writer(out, value) {
        tracing::error!(%error, "an answer could not be written");
    }
}
