//! `tokenizer.json`, in which others keep vocabularies: unigrams with a map of characters, or word pieces.

use crate::error::Fault;
use crate::file;
use crate::tokens::charsmap::Charsmap;
use crate::tokens::unigram::{Normaliser, Special, Unigram};
use crate::tokens::wordpiece::WordPiece;
use base64::Engine;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

const MAX_BYTES: u64 = 64 << 20;
/// Lists in lists of normalisers end here.
const MAX_DEPTH: usize = 4;

#[derive(Deserialize)]
struct Tokenizer {
    model: Model,
    #[serde(default)]
    normalizer: Value,
}

#[derive(Deserialize)]
struct Model {
    vocab: Pieces,
    #[serde(default)]
    unk_id: Option<u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Pieces {
    Scored(Vec<(String, f32)>),
    Numbered(HashMap<String, u32>),
}

/// Either kind of vocabulary.
pub(crate) enum Vocabulary {
    /// Of multilingual-e5.
    Unigram(Unigram),
    /// Of BERT.
    WordPiece(WordPiece),
}

impl Vocabulary {
    pub(crate) fn read(path: &Path) -> Result<Self, Fault> {
        let (_, length) = file::open(path)?;
        if length > MAX_BYTES {
            return Err(Fault::Content("it is larger than 64 MiB"));
        }
        let read: Tokenizer = serde_json::from_slice(&file::read(path)?)
            .map_err(|_| Fault::Content("it is not a tokenizer of a known kind"))?;
        match read.model.vocab {
            Pieces::Numbered(pieces) => {
                let lower_case =
                    read.normalizer.get("lowercase").and_then(Value::as_bool).unwrap_or(false);
                Ok(Self::WordPiece(WordPiece::new(pieces, lower_case)?))
            }
            Pieces::Scored(pieces) => {
                let find = |wanted: &str| {
                    (0..).zip(&pieces).find(|(_, (piece, _))| piece == wanted).map(|(id, _)| id)
                };
                let missing = Fault::Content("a control token is missing");
                let (Some(begin), Some(end)) = (find("<s>"), find("</s>")) else {
                    return Err(missing);
                };
                let unknown = read.model.unk_id.or_else(|| find("<unk>")).ok_or(missing)?;
                let normaliser = match charsmap(&read.normalizer, MAX_DEPTH) {
                    Some(map) => {
                        let bytes = base64::engine::general_purpose::STANDARD.decode(map);
                        let bytes = bytes
                            .map_err(|_| Fault::Content("its map of characters is not base64"))?;
                        Normaliser::Compiled(Charsmap::parse(&bytes)?)
                    }
                    None => Normaliser::map(Vec::new()),
                };
                let (mut text, mut begins, mut scores) = (Vec::new(), vec![0], Vec::new());
                for (piece, score) in &pieces {
                    text.extend_from_slice(piece.as_bytes());
                    begins.push(text.len() as u32);
                    scores.push(*score);
                }
                let special = Special { begin, end, unknown };
                Ok(Self::Unigram(Unigram::new(text, begins, scores, special, normaliser)?))
            }
        }
    }

    pub(crate) fn n_pieces(&self) -> usize {
        match self {
            Self::Unigram(unigram) => unigram.n_pieces(),
            Self::WordPiece(pieces) => pieces.n_pieces(),
        }
    }
}

/// The compiled map, wherever among the normalisers it is.
fn charsmap(normaliser: &Value, depth: usize) -> Option<&str> {
    let here = normaliser.get("precompiled_charsmap").and_then(Value::as_str);
    here.or_else(|| {
        let inside = normaliser.get("normalizers")?.as_array()?;
        inside
            .iter()
            .take_while(|_| depth > 0)
            .find_map(|normaliser| charsmap(normaliser, depth - 1))
    })
}
