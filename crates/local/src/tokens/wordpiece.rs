//! BERT's way of cutting: lower case without accents, words and punctuation apart, each word into the longest known
//! pieces.

use crate::error::Fault;
use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Longer words are unknown.
const MAX_WORD_CHARACTERS: usize = 100;
/// No text is looked at beyond so many bytes per token that is wanted.
const BYTES_PER_TOKEN: usize = 64;

/// A vocabulary.
pub(crate) struct WordPiece {
    pieces: HashMap<String, u32>,
    lower_case: bool,
    begin: u32,
    end: u32,
    unknown: u32,
}

impl WordPiece {
    pub(crate) fn new(pieces: HashMap<String, u32>, lower_case: bool) -> Result<Self, Fault> {
        let special = |name: &str| {
            pieces.get(name).copied().ok_or(Fault::Content("a control token is missing"))
        };
        let (begin, end, unknown) = (special("[CLS]")?, special("[SEP]")?, special("[UNK]")?);
        Ok(Self { pieces, lower_case, begin, end, unknown })
    }

    pub(crate) fn n_pieces(&self) -> usize {
        self.pieces.values().max().map_or(0, |most| *most as usize + 1)
    }

    /// At most `max_tokens` tokens, with those for beginning and end.
    pub(crate) fn tokens(&self, text: &str, max_tokens: usize) -> Vec<u32> {
        let max_bytes = max_tokens.saturating_mul(BYTES_PER_TOKEN).min(text.len());
        let clean = self.clean(&text[..text.floor_char_boundary(max_bytes)]);
        let mut tokens = vec![self.begin];
        for word in words(&clean) {
            self.cut(word, &mut tokens);
        }
        tokens.truncate(max_tokens.saturating_sub(1));
        tokens.push(self.end);
        tokens
    }

    fn clean(&self, text: &str) -> String {
        let mut clean = String::new();
        for character in text.chars() {
            match character {
                '\t' | '\n' | '\r' => clean.push(' '),
                '\0' | '\u{fffd}' => {}
                _ if character.general_category_group() == GeneralCategoryGroup::Other => {}
                _ if character.is_whitespace() => clean.push(' '),
                _ if is_ideograph(character) => clean.extend([' ', character, ' ']),
                _ => clean.push(character),
            }
        }
        if !self.lower_case {
            return clean;
        }
        let bare = clean
            .nfd()
            .filter(|character| character.general_category() != GeneralCategory::NonspacingMark);
        bare.flat_map(char::to_lowercase).collect()
    }

    fn cut(&self, word: &str, out: &mut Vec<u32>) {
        let begin = out.len();
        if word.chars().count() > MAX_WORD_CHARACTERS {
            return out.push(self.unknown);
        }
        let (mut from, mut piece) = (0, String::new());
        while from < word.len() {
            let ends = word[from..]
                .char_indices()
                .map(|(at, character)| from + at + character.len_utf8())
                .rev();
            let found = ends.map(|end| {
                piece.clear();
                piece.push_str(if from == 0 { "" } else { "##" });
                piece.push_str(&word[from..end]);
                (self.pieces.get(&piece), end)
            });
            let Some((token, end)) = found.filter_map(|(token, end)| Some((*token?, end))).next()
            else {
                out.truncate(begin);
                return out.push(self.unknown);
            };
            out.push(token);
            from = end;
        }
    }
}

/// What stands between spaces, and every mark of punctuation by itself.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(char::is_whitespace)
        .flat_map(|part| {
            part.split_inclusive(is_punctuation).flat_map(|with| {
                match with.char_indices().next_back() {
                    Some((at, last)) if is_punctuation(last) => [&with[..at], &with[at..]],
                    _ => [with, ""],
                }
            })
        })
        .filter(|word| !word.is_empty())
}

fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || character.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// Characters that are words of their own.
fn is_ideograph(character: char) -> bool {
    matches!(u32::from(character),
        0x4e00..=0x9fff | 0x3400..=0x4dbf | 0x20000..=0x2a6df | 0x2a700..=0x2b73f | 0x2b740..=0x2b81f
        | 0x2b920..=0x2ceaf | 0xf900..=0xfaff | 0x2f800..=0x2fa1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_into_the_longest_known_pieces() {
        let pieces =
            ["[CLS]", "[SEP]", "[UNK]", "un", "##aff", "##able", "cafe", "!", "中", "unaff"];
        let pieces = (0..).zip(pieces).map(|(id, piece)| (piece.to_owned(), id)).collect();
        let cut = WordPiece::new(pieces, true).unwrap();
        assert_eq!(
            cut.tokens("UNaffable  CAFÉ!中\u{200b}\0 [CLS]", 64),
            [0, 9, 5, 6, 7, 8, 2, 2, 2, 1]
        );
        assert_eq!(cut.tokens(&"cafe ".repeat(1000), 4), [0, 6, 6, 1]);
        assert_eq!(cut.tokens(&"x".repeat(101), 9), [0, 2, 1]);
        assert_eq!(cut.tokens("", 9), [0, 1]);
    }
}
