//! SentencePiece's unigram way of cutting: of all ways to cut a text into known pieces, the one whose scores add up to
//! the most. Knows the normalising and the marks for spaces of XLM-RoBERTa, which multilingual-e5 uses.

use crate::error::Fault;
use crate::tokens::charsmap::Charsmap;

/// Stands for a space, and before the first word.
const SPACE: char = '\u{2581}';
/// How much worse than the worst piece an unknown character is.
const UNKNOWN_PENALTY: f32 = 10.0;
/// A piece that is longer is never found. The longest known one has 48.
const MAX_PIECE_BYTES: usize = 256;

/// Tokens with a meaning of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Special {
    pub(crate) begin: u32,
    pub(crate) end: u32,
    pub(crate) unknown: u32,
}

/// What takes the place of which characters before the text is cut.
pub(crate) enum Normaliser {
    /// Single characters, sorted.
    Map(Vec<(u32, Box<str>)>),
    /// SentencePiece's own, which also knows several characters in a row.
    Compiled(Charsmap),
}

impl Normaliser {
    pub(crate) fn map(mut map: Vec<(u32, Box<str>)>) -> Self {
        map.sort_by_key(|(character, _)| *character);
        Self::Map(map)
    }

    /// Hands out the characters that stand for the beginning of `text`, and says how many bytes that was.
    fn next<'a>(&'a self, text: &'a str) -> (&'a str, usize) {
        let Some(first) = text.chars().next() else { return ("", 0) };
        let length = first.len_utf8();
        match self {
            Self::Map(map) => {
                match map.binary_search_by_key(&u32::from(first), |(character, _)| *character) {
                    Ok(at) => (&map[at].1, length),
                    Err(_) => (&text[..length], length),
                }
            }
            Self::Compiled(map) => map.find(text).unwrap_or((&text[..length], length)),
        }
    }
}

/// A vocabulary with scores.
pub(crate) struct Unigram {
    text: Vec<u8>,
    /// Where each piece begins in `text`; one more for the end of the last.
    begins: Vec<u32>,
    scores: Vec<f32>,
    special: Special,
    unknown_score: f32,
    max_bytes: usize,
    /// Pieces by hash, with open addressing: a piece plus one, or nothing.
    slots: Vec<u32>,
    normaliser: Normaliser,
}

impl Unigram {
    pub(crate) fn new(
        text: Vec<u8>,
        begins: Vec<u32>,
        scores: Vec<f32>,
        special: Special,
        normaliser: Normaliser,
    ) -> Result<Self, Fault> {
        let ordered =
            begins.is_sorted() && begins.last().is_some_and(|end| *end as usize <= text.len());
        if !ordered || begins.len() != scores.len() + 1 || scores.is_empty() {
            return Err(Fault::Content("its vocabulary is not in order"));
        }
        if scores.iter().any(|score| !score.is_finite()) {
            return Err(Fault::Content("a score in its vocabulary is not a number"));
        }
        let unknown_score = scores.iter().copied().fold(f32::MAX, f32::min) - UNKNOWN_PENALTY;
        let max_bytes =
            begins.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0);
        let mut unigram = Self {
            slots: vec![0; (scores.len() * 2).next_power_of_two()],
            max_bytes: max_bytes.min(MAX_PIECE_BYTES),
            text,
            begins,
            scores,
            special,
            unknown_score,
            normaliser,
        };
        for piece in 0..unigram.scores.len() as u32 {
            let hash = unigram.piece(piece).iter().fold(HASH, |hash, byte| mix(hash, *byte));
            let mut slot = unigram.slot(hash);
            while unigram.slots[slot] != 0 {
                slot = (slot + 1) & (unigram.slots.len() - 1);
            }
            unigram.slots[slot] = piece + 1;
        }
        Ok(unigram)
    }

    pub(crate) fn n_pieces(&self) -> usize {
        self.scores.len()
    }

    fn piece(&self, piece: u32) -> &[u8] {
        let piece = piece as usize;
        &self.text[self.begins[piece] as usize..self.begins[piece + 1] as usize]
    }

    fn slot(&self, hash: u64) -> usize {
        (hash ^ hash >> 29) as usize & (self.slots.len() - 1)
    }

    fn find(&self, bytes: &[u8], hash: u64) -> Option<u32> {
        let mut slot = self.slot(hash);
        loop {
            let piece = self.slots[slot].checked_sub(1)?;
            if self.piece(piece) == bytes {
                return Some(piece);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// The tokens of some texts, as if they were one, between those for beginning and end: at most `max_tokens` with them.
    pub(crate) fn tokens(&self, parts: &[&str], max_tokens: usize) -> Vec<u32> {
        let room = max_tokens.saturating_sub(2);
        let normal =
            self.normalise(parts, room.saturating_add(1).saturating_mul(self.max_bytes.max(4)));
        let mut tokens = vec![self.special.begin];
        tokens.extend(self.cut(&normal).into_iter().take(room));
        tokens.push(self.special.end);
        tokens
    }

    /// Normalised, spaces in a row made one and marked. No more than `max_bytes`: what comes later is not looked at.
    fn normalise(&self, parts: &[&str], max_bytes: usize) -> String {
        let (mut normal, mut last) = (String::new(), None);
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() && normal.len() < max_bytes {
                let (instead, taken) = self.normaliser.next(rest);
                rest = &rest[taken..];
                for character in instead.chars().filter(|character| *character != '\0') {
                    if last.is_none() && character != ' ' {
                        normal.push(SPACE);
                    }
                    match character {
                        ' ' if last == Some(' ') => {}
                        ' ' => normal.push(SPACE),
                        other => normal.push(other),
                    }
                    last = Some(character);
                }
            }
        }
        if normal.is_empty() {
            normal.push(SPACE);
        }
        normal
    }

    /// The best way to cut, by looking at every piece that ends at every character.
    fn cut(&self, text: &str) -> Vec<u32> {
        #[derive(Clone, Copy)]
        struct Best {
            score: f32,
            piece: u32,
            from: usize,
        }
        let bytes = text.as_bytes();
        let mut best = vec![
            Best { score: f32::NEG_INFINITY, piece: self.special.unknown, from: 0 };
            bytes.len() + 1
        ];
        best[0].score = 0.0;
        for (from, first) in text.char_indices() {
            let score = best[from].score;
            let mut offer = |to: usize, score: f32, piece: u32| {
                if score > best[to].score {
                    best[to] = Best { score, piece, from };
                }
            };
            let mut hash = HASH;
            for to in from + 1..=bytes.len().min(from + self.max_bytes) {
                hash = mix(hash, bytes[to - 1]);
                if text.is_char_boundary(to)
                    && let Some(piece) = self.find(&bytes[from..to], hash)
                    && piece != self.special.unknown
                {
                    offer(to, score + self.scores[piece as usize], piece);
                }
            }
            offer(from + first.len_utf8(), score + self.unknown_score, self.special.unknown);
        }
        let mut tokens = Vec::new();
        let mut at = bytes.len();
        while at > 0 {
            tokens.push(best[at].piece);
            at = best[at].from;
        }
        tokens.reverse();
        tokens
    }
}

const HASH: u64 = 0xcbf2_9ce4_8422_2325;

fn mix(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}
