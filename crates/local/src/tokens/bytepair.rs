//! Byte pairs as GPT-2 cuts them, with digits one by one, which SmolLM2 wants. Every text can be cut and is put
//! together again byte by byte. Control tokens are never found in a text: only the chat template writes them.

use crate::error::Fault;
use std::collections::HashMap;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Words are cut here at the latest, because merging costs the square of their length.
const MAX_WORD_BYTES: usize = 256;

/// Said of a token that is written by the template alone.
const CONTROL: i64 = 3;

/// A vocabulary with the order in which pairs become one.
pub(crate) struct BytePairs {
    /// What each token stands for; of a control token, nothing.
    texts: Vec<Box<[u8]>>,
    control: HashMap<String, u32>,
    bytes: [Option<u32>; 256],
    /// Two tokens: when they are merged, and into what.
    merges: HashMap<(u32, u32), (u32, u32)>,
    max_bytes: usize,
}

impl BytePairs {
    /// Takes tokens and merges as GGUF writes them: every byte is a visible character.
    pub(crate) fn new(tokens: &[String], kinds: &[i64], merges: &[String]) -> Result<Self, Fault> {
        let visible = visible_bytes();
        let (mut texts, mut control, mut ids) = (Vec::new(), HashMap::new(), HashMap::new());
        for (id, token) in (0..).zip(tokens) {
            if kinds.get(texts.len()) == Some(&CONTROL) {
                control.insert(token.clone(), id);
                texts.push(Box::default());
                continue;
            }
            let text: Option<Vec<u8>> =
                token.chars().map(|character| visible.get(&character).copied()).collect();
            texts.push(
                text.ok_or(Fault::Content("a token is not made of bytes"))?.into_boxed_slice(),
            );
            ids.insert(token.as_str(), id);
        }
        let mut bytes = [None; 256];
        for (character, byte) in &visible {
            bytes[usize::from(*byte)] = ids.get(character.to_string().as_str()).copied();
        }
        let mut pairs = HashMap::with_capacity(merges.len());
        for (order, merge) in (0..).zip(merges) {
            let found = merge.split_once(' ').and_then(|(left, right)| {
                Some((
                    (*ids.get(left)?, *ids.get(right)?),
                    (order, *ids.get(format!("{left}{right}").as_str())?),
                ))
            });
            let (pair, into) =
                found.ok_or(Fault::Content("a merge names a token that is not there"))?;
            pairs.entry(pair).or_insert(into);
        }
        let max_bytes = texts.iter().map(|text| text.len()).max().unwrap_or(0).max(1);
        Ok(Self { texts, control, bytes, merges: pairs, max_bytes })
    }

    /// The longest text of one token.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// A token that only a template writes.
    pub(crate) fn control(&self, name: &str) -> Option<u32> {
        self.control.get(name).copied()
    }

    /// The bytes that a token stands for; they need not be whole characters.
    pub(crate) fn bytes_of(&self, token: u32) -> &[u8] {
        self.texts.get(token as usize).map_or(&[], |text| text)
    }

    /// Cuts a text. None of its tokens is a control token, whatever it says.
    pub(crate) fn tokens(&self, text: &str, out: &mut Vec<u32>) {
        let mut from = 0;
        for (at, character) in text.char_indices() {
            if character.is_numeric() {
                self.words(&text[from..at], out);
                from = at + character.len_utf8();
                self.word(&text.as_bytes()[at..from], out);
            }
        }
        self.words(&text[from..], out);
    }

    fn words(&self, mut text: &str, out: &mut Vec<u32>) {
        while !text.is_empty() {
            let length = word_length(text);
            let mut end = length.min(MAX_WORD_BYTES);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            self.word(&text.as_bytes()[..end], out);
            text = &text[end..];
        }
    }

    fn word(&self, word: &[u8], out: &mut Vec<u32>) {
        // A byte that the vocabulary lacks is left out; it stands in no text that is valid UTF-8.
        let mut tokens: Vec<u32> =
            word.iter().filter_map(|byte| self.bytes[usize::from(*byte)]).collect();
        loop {
            let pairs = tokens.windows(2).enumerate();
            let merges = pairs.filter_map(|(at, pair)| {
                self.merges.get(&(pair[0], pair[1])).map(|merge| (merge, at))
            });
            let Some(((_, into), at)) = merges.min_by_key(|((order, _), at)| (*order, *at)) else {
                break;
            };
            tokens[at] = *into;
            tokens.remove(at + 1);
        }
        out.extend(tokens);
    }
}

/// The characters that stand for bytes: those that can be seen for themselves, the others from 256 on.
fn visible_bytes() -> HashMap<char, u8> {
    let mut next = 256;
    let visible = (0..=255_u8).map(|byte| match byte {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => (char::from(byte), byte),
        _ => {
            next += 1;
            (char::from_u32(next - 1).unwrap_or_default(), byte)
        }
    });
    visible.collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Number,
    Space,
    Other,
}

fn class(character: char) -> Class {
    match character.general_category_group() {
        _ if character.is_whitespace() => Class::Space,
        GeneralCategoryGroup::Letter => Class::Letter,
        GeneralCategoryGroup::Number => Class::Number,
        _ => Class::Other,
    }
}

/// How long the first word is: an English ending, one space with what follows of one class, or spaces, of which the
/// last is left to the word behind them.
fn word_length(text: &str) -> usize {
    for ending in ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"] {
        if text.starts_with(ending) {
            return ending.len();
        }
    }
    let after_space = text.strip_prefix(' ').unwrap_or(text);
    let run = |text: &str, wanted: Class| -> usize {
        text.char_indices()
            .find(|(_, character)| class(*character) != wanted)
            .map_or(text.len(), |(at, _)| at)
    };
    match after_space.chars().next().map(class) {
        Some(wanted) if wanted != Class::Space => {
            text.len() - after_space.len() + run(after_space, wanted)
        }
        _ => {
            let spaces = run(text, Class::Space);
            let last = text[..spaces].chars().next_back().map_or(0, char::len_utf8);
            if spaces == text.len() || spaces == last { spaces } else { spaces - last }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(mut text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        while !text.is_empty() {
            let (word, rest) = text.split_at(word_length(text));
            words.push(word);
            text = rest;
        }
        words
    }

    #[test]
    fn text_is_cut_into_words_as_gpt_2_does() {
        assert_eq!(
            words("It's  a\n\n test, we'll see... "),
            ["It", "'s", " ", " a", "\n\n", " test", ",", " we", "'ll", " see", "...", " "]
        );
        assert_eq!(words("   x\t\ty  "), ["  ", " x", "\t", "\t", "y", "  "]);
        assert_eq!(words("日本語 текст ½ ’s"), ["日本語", " текст", " ½", " ’", "s"]);
    }

    /// The vocabulary of the real model, where it is.
    #[test]
    fn the_real_vocabulary_cuts_as_others_cut_with_it() {
        let folder = std::env::var_os("MOSAIC_MODELS").map_or_else(
            || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models"),
            Into::into,
        );
        let Ok(bytes) = std::fs::read(folder.join(crate::CHAT_FILE)) else {
            eprintln!("!! {} IS MISSING: this test is NOT run", crate::CHAT_FILE);
            assert_ne!(
                std::env::var("CI").as_deref(),
                Ok("true"),
                "a model is missing, and CI=true"
            );
            return;
        };
        let file = crate::file::gguf::Gguf::parse(bytes).unwrap();
        let pairs = BytePairs::new(
            file.texts("tokenizer.ggml.tokens"),
            file.numbers("tokenizer.ggml.token_type"),
            file.texts("tokenizer.ggml.merges"),
        )
        .unwrap();
        let cases: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../../../fixtures/embeddings/smollm2.json"))
                .unwrap();
        for case in cases {
            let (text, mut tokens) = (case["text"].as_str().unwrap(), Vec::new());
            pairs.tokens(text, &mut tokens);
            assert_eq!(serde_json::json!(tokens), case["ids"], "{text:?}");
            let back: Vec<u8> =
                tokens.iter().flat_map(|token| pairs.bytes_of(*token)).copied().collect();
            assert_eq!(String::from_utf8_lossy(&back), text);
        }
    }

    #[test]
    fn all_bytes_can_be_seen_and_differ() {
        let visible = visible_bytes();
        assert_eq!(visible.len(), 256);
        assert_eq!((visible[&'Ġ'], visible[&'Ċ'], visible[&'a']), (b' ', b'\n', b'a'));
    }
}
