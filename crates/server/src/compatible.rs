//! A gateway for other programs: the formats of OpenAI and Anthropic, in and out. Each format is read into a
//! `models::Request` and written from events; how a model is chosen, paid for and called is `gateway`'s.
//!
//! What would change an answer and cannot be honoured is refused by name; what only hints is passed over.

pub(crate) mod asked;
pub(crate) mod bill;
pub(crate) mod chat;
pub(crate) mod embeddings;
pub(crate) mod errors;
pub(crate) mod headers;
pub(crate) mod listing;
pub(crate) mod messages;
#[cfg(test)]
mod pieces;
pub(crate) mod reading;
pub(crate) mod responses;
pub(crate) mod sealed;
pub(crate) mod serving;
pub(crate) mod telling;

pub(crate) use errors::Tongue;

/// The largest body. Pictures ride in it, and prompts of many megabytes; OpenAI and Anthropic take about as much.
pub(crate) const BODY_BYTES: usize = 32 * 1024 * 1024;

/// A body of more than this is held only while there is room for large ones.
pub(crate) const LARGE_BYTES: usize = 1024 * 1024;

/// How much room there is for large bodies, in pieces of `LARGE_BYTES`: with what they are read into, a machine with
/// little memory still has some left.
pub(crate) const LARGE_ROOM: usize = 256;

/// How many large bodies one person may be sending: the room is for all.
pub(crate) const LARGE_PER_USER: usize = 4;

/// How many answers one person may be waiting for, in all their programs. A team of agents asks many models at once, and
/// each answer holds a connection to a provider, which bounds them too. Where `limits.streams_per_user` is higher, that.
pub(crate) const ANSWERS_PER_USER: usize = 64;

/// Any body, through all three readers: for fuzzing. What they take is within its bounds.
pub fn read_any(bytes: &[u8]) {
    for parse in [chat::parse, responses::parse, messages::parse] {
        match parse(bytes) {
            Ok(asked) => {
                assert!(!asked.request.messages.is_empty(), "nothing to answer");
                assert!(!asked.model.is_empty() && asked.model.len() <= 800, "a model's name");
                assert!(asked.request.messages.len() <= asked::MESSAGES + 1, "too many messages");
                assert!(asked.request.tools.len() <= asked::TOOLS, "too many tools");
            }
            Err(bad) => assert!(!bad.message.is_empty() && bad.message.len() < 4096, "{bad:?}"),
        }
    }
    let _ = embeddings::parse(bytes);
}
