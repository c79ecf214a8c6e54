//! Words of a text as classification sees them: lower case, in any script, with no dictionary.

/// Of one part of a message, this many words count.
pub(super) const MAX_WORDS: usize = 160;
/// A longer word is cut: nothing is told by the rest of it.
const MAX_WORD_BYTES: usize = 48;

/// The words of a text, in lower case. Writing without spaces yields each run as one word.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if words.len() >= MAX_WORDS {
            break;
        }
        if belongs(c) {
            let dense = dense(c);
            // A run without spaces goes on as the next word where one would be cut.
            let full = dense && word.len() >= MAX_WORD_BYTES;
            if full || word.chars().next_back().is_some_and(|last| self::dense(last) != dense) {
                push(&mut words, &mut word);
            }
            if word.len() < MAX_WORD_BYTES {
                word.extend(c.to_lowercase());
            }
        } else if matches!(c, '\'' | '’') && word.chars().count() > 2 {
            // "what's" is one word, "l'eau" is two.
        } else {
            push(&mut words, &mut word);
        }
    }
    push(&mut words, &mut word);
    words
}

fn push(words: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() && words.len() < MAX_WORDS {
        words.push(std::mem::take(word));
    }
}

/// Letters and digits, with the marks that some scripts put inside words.
fn belongs(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{93c}' | '\u{94d}' | '\u{9cd}' | '\u{a4d}' | '\u{acd}' | '\u{b4d}'
            | '\u{bcd}' | '\u{c4d}' | '\u{ccd}' | '\u{d4d}' | '\u{64b}'..='\u{65f}' | '\u{e31}'..='\u{e4e}')
}

/// Whether a script puts no spaces between words.
pub(super) fn dense(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{1780}'..='\u{17ff}' | '\u{e80}'..='\u{eff}')
}

/// A number for a text that is the same on every machine (FNV-1a with a final mix).
pub(super) fn number(field: u8, text: &[&str]) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    let mut take = |byte: u8| hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    take(field);
    for piece in text {
        piece.bytes().for_each(&mut take);
        take(0);
    }
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x2c1b_3c6d);
    hash ^ (hash >> 13)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_scripts() {
        for (text, expected) in [
            ("Don't panic, it's l'eau!", vec!["dont", "panic", "it", "s", "l", "eau"]),
            ("Größe_x 3.5", vec!["größe", "x", "3", "5"]),
            ("用Python写", vec!["用", "python", "写"]),
            ("बस हिन्दी", vec!["बस", "हिन्दी"]),
            ("\0 🙂 --", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn there_is_an_end_to_words() {
        assert_eq!(words(&"a ".repeat(10_000)).len(), MAX_WORDS);
        assert_eq!(words(&"長".repeat(40)).concat().chars().count(), 40);
        assert!(words(&"a".repeat(10_000)).iter().all(|word| word.len() <= MAX_WORD_BYTES));
    }
}
