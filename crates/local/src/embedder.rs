//! Text to a vector of its meaning: opening a model of either family, and asking it.

use crate::bert::Bert;
use crate::error::{Error, Fault};
use crate::file;
use crate::file::e5::{E5, MAGIC};
use crate::math;
use crate::tokens::unigram::Unigram;
use std::path::Path;

/// The name of the 4-bit file of the default model.
pub const E5_FILE: &str = "e5-small-q4.bin";
/// More tokens than this are never looked at: the models know no more positions.
pub const MAX_TOKENS: usize = 512;

/// What a text is to be compared as. The default model was taught to tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// What somebody looks for.
    Query,
    /// What may be found.
    Passage,
}

/// A model that turns text into vectors of length 1.
pub struct Embedder {
    bert: Bert,
    vocabulary: Vocabulary,
}

enum Vocabulary {
    /// multilingual-e5: it wants to be told what a text is.
    Unigram(Unigram),
}

impl Embedder {
    /// Opens a file, or what is in a folder: the 4-bit file, else `model.safetensors` beside its `tokenizer.json`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let inside = path.join(E5_FILE);
        let path = if inside.is_file() { &inside } else { path };
        Self::open_file(path).map_err(|fault| fault.of(path))
    }

    fn open_file(path: &Path) -> Result<Self, Fault> {
        let bytes = file::read(path)?;
        if !bytes.starts_with(MAGIC) {
            return Err(Fault::Content("it is of no known format"));
        }
        let (mut source, vocabulary) = E5::parse(bytes)?;
        Ok(Self { bert: Bert::read(&mut source)?, vocabulary: Vocabulary::Unigram(vocabulary) })
    }

    /// How many numbers a vector has.
    pub fn n_dimensions(&self) -> usize {
        self.bert.shape().hidden
    }

    /// The vector of a text. Only its first `MAX_TOKENS` tokens count.
    pub fn embed(&mut self, input: Input, text: &str) -> Vec<f32> {
        self.embed_within(input, text, MAX_TOKENS)
    }

    /// The vector of the first `max_tokens` tokens of a text, for who would rather be answered sooner.
    pub fn embed_within(&mut self, input: Input, text: &str, max_tokens: usize) -> Vec<f32> {
        let tokens = self.tokens(input, text, max_tokens);
        let mut vector = self.bert.encode(&tokens);
        math::to_length_one(&mut vector);
        vector
    }

    /// The vectors of several texts, in their order.
    pub fn embed_many(&mut self, input: Input, texts: &[&str]) -> Vec<Vec<f32>> {
        texts.iter().map(|text| self.embed(input, text)).collect()
    }

    /// How many tokens of a text count, with those that the model adds.
    pub fn n_tokens(&self, input: Input, text: &str) -> usize {
        self.tokens(input, text, MAX_TOKENS).len()
    }

    fn tokens(&self, input: Input, text: &str, max_tokens: usize) -> Vec<u32> {
        let max_tokens = max_tokens.clamp(3, self.bert.shape().n_positions.min(MAX_TOKENS));
        match &self.vocabulary {
            Vocabulary::Unigram(unigram) => {
                let prefix = match input {
                    Input::Query => "query: ",
                    Input::Passage => "passage: ",
                };
                unigram.tokens(&[prefix, text], max_tokens)
            }
        }
    }
}
