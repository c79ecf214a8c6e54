//! What a message is about: task, complexity, domain and needs, from its text, what is attached, and an embedding when
//! one is at hand. A pure function; the text is only ever data, whatever it says about routing.
//! Making the embedding is not done here: `to_embed` says of what.

mod features;
mod parts;
mod shape;
mod tokens;
mod words;

pub use features::{Features, N_GRAMS, N_LIGHT};
use mosaic_protocol::route::Classification;

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

/// By words alone.
pub fn by_words(message: &Message) -> Classification {
    let parts = parts::split(message.text);
    let shape = shape::measure(&parts);
    let words = features::Words::of(&parts);
    words::classify(message, &parts, &shape, &words.hints())
}

/// The numbers for training.
pub fn numbers(message: &Message) -> Features {
    let parts = parts::split(message.text);
    let shape = shape::measure(&parts);
    let words = features::Words::of(&parts);
    let hints = words.hints();
    features::features(message, &parts, &shape, &words, &hints)
}

/// Experiment.
pub fn parts3(text: &str) -> (String, String, String) {
    let p = parts::split(text);
    (p.ask, p.after, p.paste)
}
