//! What a wire format is: how a call is written in it, and how its answers are read. Pure; sending is in `call.rs`.

use crate::{Endpoint, Event, Request, Result};
use http::HeaderMap;

/// How the answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// In pieces.
    Stream,
    /// All at once.
    Whole,
}

/// How the pieces of a stream are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Sse,
    /// A JSON document in every line.
    Lines,
}

/// One piece of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// The event's name, if it had one.
    pub(crate) event: Option<&'a str>,
    /// What it holds.
    pub(crate) data: &'a str,
}

/// A request to send: what is in it besides the method, which is POST with a body and GET without.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
}

/// A wire format. Each implementation is one file.
pub(crate) trait Wire: Send + Sync {
    /// Writes a call.
    fn call(&self, endpoint: &Endpoint, request: &Request, how: How) -> Result<Outgoing>;

    /// How the pieces of its streams are told apart.
    fn framing(&self) -> Framing;

    /// Reads a stream, from its first piece.
    fn reader(&self, endpoint: &Endpoint) -> Box<dyn Reader>;

    /// Reads an answer that came all at once: the same events that its stream would have had.
    fn whole(&self, endpoint: &Endpoint, body: &[u8]) -> Result<Vec<Event>>;

    /// What a refusal means.
    fn refusal(
        &self,
        endpoint: &Endpoint,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> crate::Error;

    /// Asks which models there are.
    fn list(&self, endpoint: &Endpoint) -> Result<Outgoing>;

    /// Reads which models there are.
    fn listed(&self, body: &[u8]) -> Result<Vec<Listed>>;

    /// Asks for embeddings. `None`: this format has none.
    fn embed(&self, endpoint: &Endpoint, model: &str, texts: &[String])
    -> Option<Result<Outgoing>>;

    /// Reads embeddings, in the order of the texts.
    fn embedded(&self, body: &[u8]) -> Result<Vectors>;
}

/// Reads one stream. Driven piece by piece; after `Ended` no more is read.
pub(crate) trait Reader: Send {
    /// One piece; what it means is put after what is there.
    fn read(&mut self, piece: Piece<'_>, events: &mut Vec<Event>) -> Result<()>;

    /// The stream is over. A format that ends by closing the connection, and by nothing else, may end properly here;
    /// otherwise it is incomplete, which the caller sees by the missing `Ended`.
    fn over(&mut self, _: &mut Vec<Event>) -> Result<()> {
        Ok(())
    }
}

/// A model as its provider lists it. What a provider does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// How much it reads.
    pub context: Option<u64>,
    /// How much it writes at most.
    pub max_output: Option<u64>,
    /// Whether it calls tools.
    pub tools: Option<bool>,
    /// Whether it sees.
    pub vision: Option<bool>,
    /// Whether it thinks.
    pub thinking: Option<bool>,
    /// Whether it makes embeddings, and nothing else.
    pub embedding: Option<bool>,
    /// Micro-dollars for a million tokens in and out, where the provider says.
    pub price: Option<(u64, u64)>,
}

/// Embeddings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    /// One for each text.
    pub vectors: Vec<Vec<f32>>,
    /// How many tokens the texts had, if the provider says.
    pub tokens: Option<u64>,
}
