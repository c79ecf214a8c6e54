//! Text to a vector of its meaning: opening a model of either family, and asking it.

use crate::bert::Bert;
use crate::error::{Error, Fault};
use crate::file;
use crate::file::e5::E5;
use crate::file::safetensors::Safetensors;
use crate::math;
use crate::tokens::json::Vocabulary;
use serde::Deserialize;
use std::path::Path;

/// The name of the 4-bit file of the default model.
pub const E5_FILE: &str = "e5-small-q4.bin";
/// The name that tensors have elsewhere.
const TENSORS: &str = "model.safetensors";
/// The small English models were taught with texts of this length at most.
const WORD_PIECE_TOKENS: usize = 256;
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

/// What `config.json` says that the tensors do not.
#[derive(Default, Deserialize)]
struct Config {
    num_attention_heads: Option<usize>,
    layer_norm_eps: Option<f32>,
}

impl Embedder {
    /// Opens a file, or what is in a folder: the 4-bit file, else `model.safetensors`. Beside safetensors there must be
    /// their `tokenizer.json`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let inside =
            [E5_FILE, TENSORS].map(|name| path.join(name)).into_iter().find(|path| path.is_file());
        let path = match &inside {
            Some(inside) => inside.clone(),
            None if path.is_dir() => path.join(E5_FILE),
            None => path.to_owned(),
        };
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            return Self::open_tensors(&path);
        }
        Self::open_four_bits(&path).map_err(|fault| fault.of(&path))
    }

    fn open_four_bits(path: &Path) -> Result<Self, Fault> {
        let (mut source, vocabulary) = E5::parse(file::read(path)?)?;
        Ok(Self { bert: Bert::read(&mut source)?, vocabulary: Vocabulary::Unigram(vocabulary) })
    }

    fn open_tensors(path: &Path) -> Result<Self, Error> {
        let (tokenizer, config) =
            (path.with_file_name("tokenizer.json"), path.with_file_name("config.json"));
        let config: Config = match file::read(&config) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
                Fault::Content("it is not the configuration of a model").of(&config)
            })?,
            Err(_) => Config::default(),
        };
        let vocabulary = Vocabulary::read(&tokenizer).map_err(|fault| fault.of(&tokenizer))?;
        let read = || {
            let mut source =
                Safetensors::open(path, config.num_attention_heads, config.layer_norm_eps)?;
            let bert = Bert::read(&mut source)?;
            if vocabulary.n_pieces() > bert.shape().n_words {
                return Err(Fault::Content("it has fewer words than the vocabulary beside it"));
            }
            Ok(bert)
        };
        Ok(Self { bert: read().map_err(|fault: Fault| fault.of(path))?, vocabulary })
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
            // This family wants to be told what a text is.
            Vocabulary::Unigram(unigram) => {
                let prefix = match input {
                    Input::Query => "query: ",
                    Input::Passage => "passage: ",
                };
                unigram.tokens(&[prefix, text], max_tokens)
            }
            Vocabulary::WordPiece(pieces) => pieces.tokens(text, max_tokens.min(WORD_PIECE_TOKENS)),
        }
    }
}
