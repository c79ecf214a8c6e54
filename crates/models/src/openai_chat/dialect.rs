//! What may differ between providers that speak Chat Completions. The values stand in the providers' own files.

use super::body::Body;
use crate::{Request, Result, wire::How};
use mosaic_protocol::provider::ProviderKind;

/// How one provider speaks Chat Completions.
pub(crate) struct Dialect {
    /// Whose it is, and whose name its seals carry.
    pub(crate) kind: ProviderKind,
    /// Which of its thoughts it wants back.
    pub(crate) thoughts: Thoughts,
    /// What becomes of arguments that are no JSON object.
    pub(crate) broken: Broken,
    /// What becomes of pictures.
    pub(crate) images: Images,
    /// What becomes of a schema for the answer.
    pub(crate) schemas: Schemas,
    /// For which models texts may be marked for the cache.
    pub(crate) marks: fn(model: &str) -> bool,
    /// Whether it makes embeddings.
    pub(crate) embeds: bool,
    /// Whether `usage.cost` is what it charges, in dollars.
    pub(crate) says_cost: bool,
    /// Changes a body, which has everything in OpenAI's words, into what this provider takes.
    pub(crate) adapt: for<'a> fn(&'a Request, How, &mut Body<'a>) -> Result<()>,
}

/// Which of its thoughts a provider wants back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thoughts {
    /// None.
    None,
    /// All, as `reasoning_content`.
    All,
    /// Those of turns in which tools were called, as `reasoning_content`, which must not be missing there.
    ToolTurns,
    /// All, as sealed `reasoning_details`.
    Details,
}

/// What becomes of arguments that are no JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// They go back as the model wrote them.
    AsWritten,
    /// The server would fail on them: an empty object goes back.
    Emptied,
}

/// What becomes of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Images {
    /// They are sent.
    Sent,
    /// Nothing there sees: the model is told that there was one.
    Mentioned,
}

/// What becomes of a schema for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schemas {
    /// The provider holds the model to it.
    Held,
    /// The provider only knows "some JSON": the model is told the schema.
    Told,
}
