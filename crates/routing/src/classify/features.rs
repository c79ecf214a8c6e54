//! The numbers that the trained reading sees of a message besides its embedding. Training asks for them through
//! `features` as well, so that there is one way of computing them.

use super::{
    Attached, Message,
    parts::Parts,
    shape::Shape,
    tokens::{dense, number, words},
    words::{
        Hints,
        cues::{N_CUES, count},
    },
};

/// How many named numbers there are.
pub const N_LIGHT: usize = 48 + 2 * N_CUES;
/// How many places hashed words and word pairs share.
pub const N_GRAMS: usize = 8192;
/// Of one message, this many hashed words count.
const MAX_GRAMS: usize = 700;

/// Named numbers, and hashed words with their weights, each place once and in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Named numbers, most between 0 and 1.
    pub light: Vec<f32>,
    /// Places of hashed words, with a weight each.
    pub grams: Vec<(u32, f32)>,
}

/// The words of a message, once.
pub(super) struct Words {
    ask: Vec<String>,
    paste: Vec<String>,
}

impl Words {
    pub(super) fn of(parts: &Parts) -> Self {
        let mut ask = words(&parts.ask);
        ask.extend(words(&parts.after));
        Self { ask, paste: words(&parts.paste) }
    }

    pub(super) fn hints(&self) -> Hints {
        Hints { ask: count(&self.ask), paste: count(&self.paste) }
    }
}

/// Computes the numbers.
pub(super) fn features(
    message: &Message,
    parts: &Parts,
    shape: &Shape,
    words: &Words,
    hints: &Hints,
) -> Features {
    Features { light: light(message, parts, shape, words, hints), grams: grams(words) }
}

/// Squeezes a count into 0 to 1: the first few matter most.
fn squeeze(n: f32, half: f32) -> f32 {
    n / (n + half)
}

fn log(n: usize) -> f32 {
    (n as f32 + 1.0).ln() / 8.0
}

fn light(
    message: &Message,
    parts: &Parts,
    shape: &Shape,
    words: &Words,
    hints: &Hints,
) -> Vec<f32> {
    let yes = |is: bool| f32::from(u8::from(is));
    let ask = &parts.ask;
    let pasted = !parts.paste.is_empty();
    let letters = ask.chars().filter(|c| c.is_alphabetic()).count().max(1) as f32;
    let of = |range: std::ops::RangeInclusive<char>| {
        ask.chars().filter(|c| range.contains(c)).count() as f32 / letters
    };
    let images = message.attachments.iter().filter(|a| **a == Attached::Image).count();
    let documents = message.attachments.len() - images;
    let n_words = words.ask.len();
    let mean_word = words.ask.iter().map(String::len).sum::<usize>() as f32 / n_words.max(1) as f32;
    let mut light = vec![
        log(shape.ask_chars),
        log(shape.paste_chars),
        log(parts.n_bytes),
        log(parts.n_lines),
        yes(shape.ask_chars < 15),
        yes(shape.ask_chars < 35),
        yes(shape.ask_chars < 70),
        yes(shape.ask_chars > 140),
        yes(shape.ask_chars > 260),
        yes(pasted),
        yes(pasted && parts.paste.len() < 300),
        yes(parts.paste.len() > 900),
        yes(pasted && parts.ask.is_empty()),
        yes(pasted && !parts.after.is_empty()),
        shape.code,
        shape.log,
        shape.table,
        shape.prose,
        yes(pasted) * shape.prose,
        yes(pasted) * shape.code,
        squeeze(shape.demands, 1.5),
        squeeze(shape.demands, 5.0),
        yes(shape.demands >= 3.0),
        yes(shape.demands >= 5.5),
        squeeze(shape.asks, 1.0),
        yes(shape.asks > 1.0),
        yes(shape.ends_asking),
        yes(shape.ends_asking && shape.ask_chars < 90),
        squeeze(shape.numbers, 2.0),
        yes(shape.numbers >= 4.0),
        squeeze(shape.maths, 1.0),
        squeeze(shape.identifiers, 1.0),
        yes(shape.links > 0.0),
        shape.bulk / 5.0,
        yes(shape.bulk >= 1.7),
        yes(shape.bulk >= 2.5),
        squeeze(shape.cheer, 1.0),
        squeeze(shape.quotes, 1.0),
        squeeze(shape.sentences, 3.0),
        log(n_words),
        (mean_word / 10.0).min(2.0),
        yes(images > 0),
        yes(documents > 0),
        yes(super::long_document(message)),
        of('a'..='z') + of('A'..='Z'),
        of('\u{400}'..='\u{52f}') + of('\u{600}'..='\u{6ff}') + of('\u{900}'..='\u{97f}'),
        yes(ask.chars().any(dense)),
        yes(ask.chars().next().is_some_and(char::is_uppercase)),
    ];
    light.extend(hints.ask.iter().map(|n| squeeze(f32::from(*n), 1.0)));
    light.extend(hints.paste.iter().map(|n| squeeze(f32::from(*n), 2.0)));
    debug_assert_eq!(light.len(), N_LIGHT);
    light
}

/// Hashed words, their pairs and starts, in fields: what asks, how it begins and ends, and what is pasted.
fn grams(words: &Words) -> Vec<(u32, f32)> {
    let mut places = std::collections::BTreeMap::<u32, f32>::new();
    let mut add = |field: u8, pieces: &[&str], weight: f32| {
        if places.len() < MAX_GRAMS {
            let place = places.entry(number(field, pieces) % N_GRAMS as u32).or_default();
            *place = place.max(weight);
        }
    };
    let mut last = "";
    for (at, word) in words.ask.iter().enumerate() {
        if word.chars().next().is_some_and(dense) {
            let chars: Vec<usize> =
                word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
            for pair in chars.windows(3) {
                add(1, &[&word[pair[0]..pair[2]]], 1.0);
            }
            for one in chars.windows(2) {
                add(1, &[&word[one[0]..one[1]]], 0.5);
            }
        } else {
            let word = if word.chars().all(|c| c.is_numeric()) { "0" } else { word };
            add(1, &[word], 1.0);
            if let Some((end, _)) = word.char_indices().nth(5) {
                add(2, &[&word[..end]], 0.7);
            }
        }
        if !last.is_empty() {
            add(3, &[last, word], 0.8);
        }
        if at < 2 {
            add(4 + at as u8, &[word], 1.0);
        }
        last = word;
    }
    if let Some(word) = words.ask.last() {
        add(6, &[word], 0.7);
    }
    let scale = 1.0 / (words.ask.len().max(4) as f32).sqrt();
    for word in words.paste.iter().take(100) {
        if let Some((end, _)) = word.char_indices().nth(3) {
            let end = word[end..].char_indices().nth(3).map_or(word.len(), |(more, _)| end + more);
            add(7, &[&word[..end]], 0.4);
        }
    }
    places.into_iter().map(|(place, weight)| (place, weight * scale)).collect()
}
