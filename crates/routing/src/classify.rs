//! What a message is about: task, complexity, domain and needs, from its text, what is attached, and an embedding when
//! one is at hand. A pure function; the text is only ever data, whatever it says about routing.
//! Making the embedding is not done here: `to_embed` says of what.

mod features;
mod meaning;
mod parts;
mod shape;
mod tokens;
mod weights;
mod words;

use features::Words;
pub use features::{Features, N_GRAMS, N_LIGHT};
use mosaic_protocol::route::Classification;
use parts::Parts;
use shape::Shape;
use weights::Weights;
use words::Hints;

/// A message to classify.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// What was written, of any length.
    pub text: &'a str,
    /// What came with it.
    pub attachments: &'a [Attached],
}

/// Something that came with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attached {
    /// A picture, a scan, a screenshot.
    Image,
    /// A text of any format.
    Document {
        /// How large it is.
        bytes: u64,
    },
    /// Anything else.
    Other,
}

/// A document of this size holds more than a model reads in passing: about 20,000 words of text.
const LONG_DOCUMENT_BYTES: u64 = 150_000;

/// Whether the material that came along is long, by its size alone.
fn long_document(message: &Message) -> bool {
    let bytes: u64 = message
        .attachments
        .iter()
        .map(|attached| match attached {
            Attached::Document { bytes } => *bytes,
            Attached::Image | Attached::Other => 0,
        })
        .fold(message.text.len() as u64, u64::saturating_add);
    bytes > LONG_DOCUMENT_BYTES
}

/// Below this confidence a task is about as likely wrong as right, and a second look is worth its price.
pub const UNSURE: f32 = 0.6;

/// The text whose embedding, as a query, `classify` wants: what is asked, cut to a bound.
pub fn to_embed(text: &str) -> String {
    parts::split(text).to_embed()
}

/// What a message is about. Without an embedding, or with one that cannot be used, words decide.
pub fn classify(message: &Message, embedding: Option<&[f32]>) -> Classification {
    let read = Read::of(message);
    match (embedding.and_then(meaning::usable), Weights::bundled()) {
        (Some(embedding), Some(weights)) => {
            meaning::classify(message, weights, &embedding, &read.features(message))
        }
        _ => words::classify(message, &read.parts, &read.shape, &read.hints),
    }
}

/// The numbers that training needs of a message besides its embedding.
pub fn features(message: &Message) -> Features {
    Read::of(message).features(message)
}

/// A message, taken apart and measured.
struct Read {
    parts: Parts,
    shape: Shape,
    words: Words,
    hints: Hints,
}

impl Read {
    fn of(message: &Message) -> Self {
        let parts = parts::split(message.text);
        let shape = shape::measure(&parts);
        let words = Words::of(&parts);
        let hints = words.hints();
        Self { parts, shape, words, hints }
    }

    fn features(&self, message: &Message) -> Features {
        features::features(message, &self.parts, &self.shape, &self.words, &self.hints)
    }
}

#[cfg(test)]
mod tests;
