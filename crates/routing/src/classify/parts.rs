//! Splits a message into what is asked and what is only brought along: a pasted log, letter, table or program.
//! Looks at a bounded window of the text, so that a prompt of ten megabytes costs what a page costs.

use super::tokens::dense;

/// How much of a text's beginning is looked at.
const HEAD_BYTES: usize = 3000;
/// How much of a long text's end is looked at: people paste first and ask afterwards.
const TAIL_BYTES: usize = 1000;
/// A block that is longer is hardly a question.
const ASK_BYTES: usize = 700;
/// Of a single long block, this much at the beginning and end counts as the ask.
const CUT_HEAD: usize = 300;
const CUT_TAIL: usize = 200;

/// A quotation of this many characters is brought along; a shorter one belongs to the ask.
const QUOTED: usize = 70;
/// The same for scripts that say more with a character.
const QUOTED_DENSE: usize = 25;
/// What begins a quotation, and what may end it.
const QUOTES: &[(char, &[char])] = &[
    ('"', &['"']),
    ('“', &['”']),
    ('„', &['“', '”', '"']),
    ('«', &['»']),
    ('»', &['«']),
    ('「', &['」']),
    ('『', &['』']),
];

/// A text, told apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// What stands before the paste, or everything when nothing is pasted.
    pub(super) ask: String,
    /// What is asked after the paste.
    pub(super) after: String,
    /// The beginning of what is pasted.
    pub(super) paste: String,
    /// How long the text is, seen or not.
    pub(super) n_bytes: usize,
    /// How many lines the text has: counted where it is short, estimated from the window where not.
    pub(super) n_lines: usize,
}

/// Tells the parts of a text apart.
pub(super) fn split(text: &str) -> Parts {
    let (head, tail) = window(text);
    let seen = head.len() + tail.len();
    let lines = head.lines().count() + tail.lines().count();
    let n_lines = (lines * text.len()).checked_div(seen).unwrap_or(0);
    let mut parts = Parts { n_bytes: text.len(), n_lines, ..Parts::default() };
    let head = blocks(head);
    let tail = blocks(tail);
    let all: Vec<&str> = head.iter().chain(&tail).map(String::as_str).collect();
    match all.as_slice() {
        [] => {}
        [only] => single(only, &mut parts),
        many => several(many, &mut parts),
    }
    parts
}

/// What of a message to embed, in tenths of a letter's cost: about forty of a model's tokens, in any script,
/// which is what it can read in the time that classifying may take.
const EMBED_COST: u32 = 1500;
/// Of that, this much is for what is asked after a paste.
const EMBED_AFTER: u32 = 500;

impl Parts {
    /// The text whose embedding stands for the message: what is asked, before and after, cut to a bound.
    pub(super) fn to_embed(&self) -> String {
        let (ask, after) = (self.ask.trim(), self.after.trim());
        if after.is_empty() {
            return affordable(ask.chars(), EMBED_COST).collect();
        }
        if ask.is_empty() {
            return last(after, EMBED_COST);
        }
        let ask: String = affordable(ask.chars(), EMBED_COST - EMBED_AFTER).collect();
        format!("{ask} … {}", last(after, EMBED_AFTER))
    }
}

fn last(text: &str, budget: u32) -> String {
    let back: Vec<char> = affordable(text.chars().rev(), budget).collect();
    back.into_iter().rev().collect()
}

/// As many characters as the budget pays for: scripts with many signs need more tokens for each.
fn affordable(chars: impl Iterator<Item = char>, mut budget: u32) -> impl Iterator<Item = char> {
    chars.map(|c| if c == '\0' { ' ' } else { c }).take_while(move |c| {
        let cost = match u32::from(*c) {
            0..0x250 => 10,
            0x250..0x2e80 => 16,
            _ => 30,
        };
        let paid = budget.checked_sub(cost);
        budget = paid.unwrap_or(0);
        paid.is_some()
    })
}

/// The beginning and, of a long text, the end; both cut between characters.
fn window(text: &str) -> (&str, &str) {
    if text.len() <= HEAD_BYTES + TAIL_BYTES {
        return (text, "");
    }
    (before(text, HEAD_BYTES), after(text, text.len() - TAIL_BYTES))
}

/// The text up to about `at` bytes.
pub(super) fn before(text: &str, at: usize) -> &str {
    &text[..text.floor_char_boundary(at.min(text.len()))]
}

fn after(text: &str, at: usize) -> &str {
    &text[text.ceil_char_boundary(at.min(text.len()))..]
}

/// What stands between blank lines; a fenced piece is one block however it looks inside.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block = String::new();
    let mut fenced = false;
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        if !fenced && (fence || line.trim().is_empty()) {
            push(&mut blocks, &mut block);
        }
        if !line.trim().is_empty() {
            block.push_str(line);
            block.push('\n');
        }
        if fence {
            fenced = !fenced;
            if !fenced {
                push(&mut blocks, &mut block);
            }
        }
    }
    push(&mut blocks, &mut block);
    blocks
}

fn push(blocks: &mut Vec<String>, block: &mut String) {
    let text = block.trim();
    if !text.is_empty() {
        blocks.push(text.to_owned());
    }
    block.clear();
}

/// One block: short is all ask; of several lines the first asks; of one long line the ends do.
fn single(block: &str, parts: &mut Parts) {
    if let Some((first, rest)) = block.split_once('\n')
        && !pasted(first)
        && (pasted(rest) || rest.len() > ASK_BYTES || first.trim_end().ends_with(':'))
    {
        parts.ask = before(first, ASK_BYTES).trim().to_owned();
        parts.paste = rest.trim().to_owned();
        return;
    }
    if let Some((ask, paste, after)) = quotation(block) {
        (parts.ask, parts.paste, parts.after) =
            (ask.trim().to_owned(), paste.to_owned(), after.trim().to_owned());
        return;
    }
    if block.len() <= ASK_BYTES {
        parts.ask = block.to_owned();
        return;
    }
    parts.ask = before(block, CUT_HEAD).to_owned();
    parts.after = after(block, block.len() - CUT_TAIL).to_owned();
    parts.paste = block[parts.ask.len()..].to_owned();
}

/// Several blocks: the first asks unless it is a paste, and then the last does; a short last one asks too.
fn several(blocks: &[&str], parts: &mut Parts) {
    let [first, between @ .., last] = blocks else { return };
    let asks = |block: &str| !pasted(block) && block.len() <= ASK_BYTES;
    let mut paste: Vec<&str> = between.to_vec();
    if asks(first) {
        parts.ask = (*first).to_owned();
    } else {
        paste.insert(0, first);
    }
    // After a head that asked already, the end asks again only when it is short and stands behind something else, or is
    // no longer than the head: otherwise it is the letter that the head speaks of.
    let again = last.len() <= ASK_BYTES / 2
        && (between.iter().any(|block| pasted(block)) || last.len() <= parts.ask.len().max(40));
    if asks(last) && !quoted_end(last) && (parts.ask.is_empty() || again) {
        parts.after = (*last).to_owned();
    } else {
        paste.push(last);
    }
    if parts.ask.is_empty() && parts.after.is_empty() {
        parts.ask = before(first, CUT_HEAD).to_owned();
    }
    parts.paste = paste.join("\n");
}

/// A long quotation inside a block, with what stands before and behind it.
fn quotation(block: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some((open, at)) =
        block[from..].char_indices().find_map(|(at, c)| opening(c).map(|open| (open, from + at)))
    {
        let inner = at + open.0.len_utf8();
        let end = inner + block[inner..].find(open.1)?;
        let quoted = &block[inner..end];
        let after = block[end..].trim_start_matches(open.1);
        if quoted.chars().count() >= if quoted.contains(dense) { QUOTED_DENSE } else { QUOTED } {
            let alone = block[..at].trim().is_empty() && after.trim().is_empty();
            return (!alone).then_some((&block[..at], quoted, after));
        }
        from = block.len() - after.len();
    }
    None
}

fn opening(c: char) -> Option<&'static (char, &'static [char])> {
    QUOTES.iter().find(|(open, _)| *open == c)
}

/// The end of something quoted belongs to it.
fn quoted_end(block: &str) -> bool {
    block.ends_with(['"', '”', '»', '」', '“', '’'])
}

/// Whether a block looks like something copied: code, a log, a table, a quotation.
fn pasted(block: &str) -> bool {
    if block.starts_with("```")
        || block.starts_with("> ")
        || block.starts_with(['"', '“', '«', '„', '「'])
    {
        return true;
    }
    let lines: Vec<&str> = block.lines().take(40).collect();
    let odd = lines.iter().filter(|line| odd(line)).count();
    odd * 2 > lines.len() || (lines.len() > 4 && odd * 3 > lines.len())
}

/// Whether a line is no prose: signs of programs, times of logs, cells of tables.
pub(super) fn odd(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() {
        return false;
    }
    let signs = line.chars().filter(|c| "{}();=<>[]|$\\`_#@&*\"".contains(*c)).count();
    let digits = line.chars().filter(char::is_ascii_digit).count();
    let cells = line.matches([',', ';', '\t']).count();
    let n = line.chars().count();
    let spaces = line.matches(' ').count();
    line.ends_with(['{', '}', ';', '\\'])
        || signs * 8 > n
        || (digits * 4 > n && n > 12)
        || (cells >= 2 && spaces < cells)
        || ["at ", "- ", "* ", "# ", "+ ", "// ", "-- ", "| ", "$ "]
            .iter()
            .any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_all_ask() {
        let parts = split("wifi name, we live above a dentist");
        assert_eq!(
            (parts.ask.as_str(), parts.paste.as_str()),
            ("wifi name, we live above a dentist", "")
        );
    }

    #[test]
    fn the_ask_is_found_before_and_after_a_paste() {
        let code = "fn main() {\n    let x = 1;\n\n    println!(\"{x}\");\n}";
        let parts = split(&format!("why does it print 1\n\n{code}\n\nand how do I test it?"));
        assert_eq!(
            (parts.ask.as_str(), parts.after.as_str()),
            ("why does it print 1", "and how do I test it?")
        );
        assert!(parts.paste.contains("println"));
        let parts = split(&format!("{code}\n\nshorter please"));
        assert_eq!((parts.ask.as_str(), parts.after.as_str()), ("", "shorter please"));
    }

    #[test]
    fn a_quoted_letter_is_not_the_ask() {
        let parts = split(
            "bottom line?\n\n\"Dear all, the pool is closed.\n\nParents wait in the foyer.\"",
        );
        assert_eq!((parts.ask.as_str(), parts.after.as_str()), ("bottom line?", ""));
    }

    #[test]
    fn a_long_quotation_is_told_from_what_is_said_of_it() {
        let letter =
            "Dear all, the pool is closed from Monday on because the large basin gets new tiles.";
        for (open, close) in [('"', '"'), ('„', '“'), ('«', '»')] {
            let parts = split(&format!("as a tweet: {open}{letter}{close} thanks"));
            assert_eq!(
                (parts.ask.as_str(), parts.paste.as_str(), parts.after.as_str()),
                ("as a tweet:", letter, "thanks")
            );
        }
        let short = format!(
            "did he say \"no\" {} or \"never\"?",
            "or anything like it, one way or another, ".repeat(4)
        );
        assert_eq!(split(&short).paste, "");
        assert_eq!(split(&format!("\"{letter}\"")).ask, format!("\"{letter}\""));
    }

    #[test]
    fn a_huge_text_costs_its_window() {
        let parts = split(&format!(
            "sum this up\n\n{}\n\nin one line",
            "Lorem ipsum dolor. ".repeat(500_000)
        ));
        assert_eq!((parts.ask.as_str(), parts.after.as_str()), ("sum this up", "in one line"));
        assert!(parts.paste.len() < HEAD_BYTES + TAIL_BYTES && parts.n_bytes > 9_000_000);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(split(""), Parts::default());
        assert_eq!(split(" \n\n\t").ask, "");
    }
}
