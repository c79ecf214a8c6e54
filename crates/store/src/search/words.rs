//! The words that a text is found by, and what somebody who searches asks for. Pure, and the same for both databases:
//! their own tokenizers differ, and neither finds a part of a Chinese or Japanese sentence.
//!
//! Words are folded: case, width and accents do not count. Where a script puts no space between words, every character
//! is a word of its own, and a run of them is looked for as a phrase.

use mosaic_protocol::conversation::SnippetPiece;
use std::ops::Range;
use unicode_normalization::char::decompose_compatible;

/// What is longer is cut, in texts and in questions alike.
const WORD_CHARS: usize = 64;
/// How many words, and how many terms, a question may have.
const MAX_WORDS: usize = 64;
/// What begins with less is most of everything, and takes a second to be found.
const SHORTEST: usize = 3;
/// How much of a text is shown before the first word that was found, and in all.
const LEAD: usize = 60;
const LOOKED_AT: usize = 10_000;
const SHOWN: usize = 240;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it is looked for.
    pub(crate) folded: String,
    /// Where it is in the text, in bytes.
    pub(crate) at: Range<usize>,
}

/// The words of a text, in their order.
pub(crate) fn words(text: &str) -> impl Iterator<Item = Word> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = chars.next()?;
            if !is_letter(first) {
                continue;
            }
            let mut word = Word { folded: String::new(), at: start..start + first.len_utf8() };
            fold(first, &mut word.folded);
            let mut n = 1;
            while !stands_alone(first)
                && let Some((at, c)) =
                    chars.next_if(|(_, c)| (is_letter(*c) || is_accent(*c)) && !stands_alone(*c))
            {
                n += 1;
                if n <= WORD_CHARS {
                    fold(c, &mut word.folded);
                }
                word.at.end = at + c.len_utf8();
            }
            if !word.folded.is_empty() {
                return Some(word);
            }
        }
    })
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric()
}

/// A mark on the letter before it.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200c}' | '\u{200d}')
}

/// A character of a script that puts no space between words, or of Korean, where what is looked for is often the
/// beginning or the middle of one.
fn stands_alone(c: char) -> bool {
    matches!(
        u32::from(c),
        0x0e00..=0x0eff // Thai, Lao
            | 0x1000..=0x109f // Burmese
            | 0x1780..=0x17ff // Khmer
            | 0x2e80..=0x2fdf
            | 0x3005..=0x3007
            | 0x3040..=0x30ff // Japanese
            | 0x3100..=0x312f
            | 0x31a0..=0x31bf
            | 0x31f0..=0x31ff
            | 0x3400..=0x4dbf // Chinese
            | 0x4e00..=0x9fff
            | 0xac00..=0xd7af // Korean
            | 0xf900..=0xfaff
            | 0xff66..=0xff9f
            | 0x20000..=0x3ffff
    )
}

fn fold(c: char, into: &mut String) {
    if c.is_ascii() {
        into.push(c.to_ascii_lowercase());
    } else if is_accent(c) {
    } else if stands_alone(c) && !matches!(c, '\u{ff66}'..='\u{ff9f}') {
        into.push(c);
    } else {
        decompose_compatible(c, |part| {
            // What a database would take for a space or a sign has no place in a word.
            into.extend(part.to_lowercase().filter(|c| is_letter(*c) && !is_accent(*c)));
        });
    }
}

/// One thing that must be in a text, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// These words, one after the other.
    pub(crate) words: Vec<String>,
    /// The last one may go on.
    pub(crate) prefix: bool,
    /// It must not be there.
    pub(crate) not: bool,
}

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question(Vec<Term>);

impl Question {
    /// Reads what was typed: words that must all be there, `"words in this order"`, `begin*`, `-unwanted`.
    pub fn read(text: &str) -> Result<Question, &'static str> {
        let mut terms = vec![];
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let not = rest.strip_prefix('-').filter(|rest| !rest.starts_with(char::is_whitespace));
            let quoted = not.unwrap_or(rest).strip_prefix('"');
            let (said, after) = match quoted {
                Some(inner) => inner.split_once('"').unwrap_or((inner, "")),
                None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
            };
            let starred = quoted.is_some() && after.starts_with('*');
            let words: Vec<String> = words(said).map(|word| word.folded).collect();
            if let Some(last) = words.last() {
                // A single character of its own is found in the middle of anything, without a star.
                let prefix = (starred || said.ends_with('*')) && !last.starts_with(stands_alone);
                if prefix && last.chars().count() < SHORTEST {
                    return Err("give at least three letters before a star");
                }
                let term = Term { words, prefix, not: not.is_some() };
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
            rest = after.strip_prefix('*').unwrap_or(after).trim_start();
        }
        if terms.iter().all(|term| term.not) {
            return Err("give at least one word to look for");
        }
        if terms.iter().map(|term| term.words.len()).sum::<usize>() > MAX_WORDS {
            return Err("these are too many words to look for at once: at most 64");
        }
        Ok(Question(terms))
    }

    pub(crate) fn wanted(&self) -> impl Iterator<Item = &Term> {
        self.0.iter().filter(|term| !term.not)
    }

    pub(crate) fn unwanted(&self) -> impl Iterator<Item = &Term> {
        self.0.iter().filter(|term| term.not)
    }
}

/// The part of a text in which something was found, in pieces: what was looked for, and what is around it.
pub fn snippet(text: &str, question: &Question) -> Vec<SnippetPiece> {
    // What is found further behind is not shown: somebody waits for this.
    let words: Vec<Word> = words(text).take(LOOKED_AT).collect();
    let hits = hits(&words, question);
    let first = hits.first().map_or(0, |hit| hit.start);
    let before = text[..first].char_indices().rev().take(LEAD).last().map_or(first, |it| it.0);
    // Not from the middle of a word, where words have spaces between them.
    let space = text[before..first].find(char::is_whitespace).filter(|_| before > 0);
    let start = before + space.unwrap_or(0);
    let end = text[start..].char_indices().nth(SHOWN).map_or(text.len(), |it| start + it.0);

    let mut pieces = vec![];
    let mut push = |text: String, hit| {
        if !text.is_empty() {
            pieces.push(SnippetPiece { text, hit });
        }
    };
    let mut at = start;
    let mut open = if start > 0 { "…" } else { "" };
    for hit in hits.into_iter().filter(|hit| hit.start >= start && hit.end <= end) {
        push(format!("{open}{}", on_one_line(&text[at..hit.start])), false);
        push(on_one_line(&text[hit.clone()]), true);
        (at, open) = (hit.end, "");
    }
    let close = if end < text.len() { "…" } else { "" };
    push(format!("{open}{}{close}", on_one_line(&text[at..end])), false);
    pieces
}

/// Where in the text something is that was looked for: in order, and apart from each other.
fn hits(words: &[Word], question: &Question) -> Vec<Range<usize>> {
    let mut hits: Vec<Range<usize>> = vec![];
    for term in question.wanted() {
        for found in words.windows(term.words.len()) {
            let last = term.words.len() - 1;
            let fits = |(n, (word, wanted)): (usize, (&Word, &String))| {
                word.folded == *wanted
                    || (n == last && term.prefix && word.folded.starts_with(wanted.as_str()))
            };
            if found.iter().zip(&term.words).enumerate().all(fits) {
                hits.push(found[0].at.start..found[last].at.end);
            }
        }
    }
    hits.sort_unstable_by_key(|hit| (hit.start, hit.end));
    let mut apart: Vec<Range<usize>> = vec![];
    for hit in hits {
        match apart.last_mut() {
            Some(last) if hit.start < last.end => last.end = last.end.max(hit.end),
            _ => apart.push(hit),
        }
    }
    apart
}

fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_whitespace() && line.ends_with(' ') => {}
            c if c.is_whitespace() => line.push(' '),
            c => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).map(|word| word.folded).collect()
    }

    fn shown(text: &str, question: &str) -> String {
        let pieces = snippet(text, &Question::read(question).unwrap());
        let mark = |piece: &SnippetPiece| match piece.hit {
            true => format!("[{}]", piece.text),
            false => piece.text.clone(),
        };
        pieces.iter().map(mark).collect()
    }

    #[test]
    fn case_width_and_accents_do_not_count() {
        assert_eq!(folded("Ünïted NATIONS, Ｆｕｌｌ"), ["united", "nations", "full"]);
        assert_eq!(folded("cafe\u{301} café"), ["cafe", "cafe"]);
        assert_eq!(folded("foo_bar/baz-42 it's"), ["foo", "bar", "baz", "42", "it", "s"]);
        assert_eq!(folded("ﬁne ①"), ["fine", "1"]);
        assert_eq!(folded(" …!? \u{0} "), Vec::<String>::new());
        assert_eq!(folded(&"x".repeat(10_000)), ["x".repeat(WORD_CHARS)]);
    }

    #[test]
    fn scripts_without_spaces_are_taken_apart() {
        assert_eq!(folded("東京タワーへ行く"), ["東", "京", "タ", "ワ", "ー", "へ", "行", "く"]);
        assert_eq!(folded("我用Rust写代码"), ["我", "用", "rust", "写", "代", "码"]);
        assert_eq!(folded("한국어"), ["한", "국", "어"]);
    }

    #[test]
    fn a_word_is_only_letters_and_digits() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            for word in words(&format!("a{c}b {c}")) {
                assert!(word.folded.chars().all(char::is_alphanumeric), "{c:?} {word:?}");
            }
        }
    }

    #[test]
    fn questions_are_read() {
        let read = |text: &str| Question::read(text).map(|question| question.0);
        let term = |words: &[&str], prefix, not| Term {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            prefix,
            not,
        };
        assert_eq!(
            read(r#"Rust "in this  order" begin* -not -"never so" a-b 東京"#).unwrap(),
            [
                term(&["rust"], false, false),
                term(&["in", "this", "order"], false, false),
                term(&["begin"], true, false),
                term(&["not"], false, true),
                term(&["never", "so"], false, true),
                term(&["a", "b"], false, false),
                term(&["東", "京"], false, false),
            ]
        );
        assert_eq!(read(r#""open"#).unwrap(), [term(&["open"], false, false)]);
        assert_eq!(read(r#""one two"* - x"#).unwrap()[0], term(&["one", "two"], true, false));
        assert_eq!(read("東*").unwrap(), [term(&["東"], false, false)]);
        assert!(read("ab*").is_err() && read("\"x ab\"*").is_err() && read("abc*").is_ok());
        for nothing in ["", "  ", "-", "-a", "\"\"", "*", "?! ''", "\"", "-\""] {
            assert!(read(nothing).is_err(), "{nothing}");
        }
        assert_eq!(read(&"a ".repeat(65)).unwrap(), [term(&["a"], false, false)], "once is enough");
        let many: Vec<String> = (0..65).map(|n| format!("a{n}")).collect();
        assert!(read(&many.join(" ")).is_err());
        // What a database would take for its own language is words here.
        assert_eq!(read("NEAR(a b) OR marks:x'--").unwrap().len(), 4);
    }

    #[test]
    fn snippets_show_what_was_found() {
        assert_eq!(shown("one two  three", "two"), "one [two] three");
        assert_eq!(shown("Two\ntwos", "two*"), "[Two] [twos]");
        assert_eq!(shown("今日は東京へ行く", "東京"), "今日は[東京]へ行く");
        assert_eq!(shown("nothing of it", "else"), "nothing of it");
        assert_eq!(shown("a b a b", r#""a b" b"#), "[a b] [a b]");
        let long = format!("{}needle{}", "hay ".repeat(500), " hay".repeat(500));
        let found = shown(&long, "needle");
        assert!(found.starts_with("… hay") && found.contains("[needle]") && found.ends_with('…'));
        assert!(found.chars().count() < SHOWN + 10, "{found}");
        let cjk = format!("{}東京{}", "森".repeat(5000), "林".repeat(5000));
        assert!(shown(&cjk, "東京").contains("[東京]"));
        // Further behind than anybody would wait for, the beginning is shown.
        let far = format!("{}needle", "hay ".repeat(LOOKED_AT));
        assert!(
            shown(&far, "needle").starts_with("hay hay") && !shown(&far, "needle").contains('[')
        );
    }
}
