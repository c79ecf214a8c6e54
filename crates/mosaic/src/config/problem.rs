//! What is wrong with a configuration, all of it at once, and the guess at what was meant.
//! Leaves out: where problems are found (the layers) and colours (the command line).

use std::fmt;

/// One thing to mend: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub place: String,
    pub text: String,
}

/// Every problem found, one per line. Never contains the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}: {}", problem.place, problem.text)?;
        }
        Ok(())
    }
}

/// Longer names get no guess: the distance costs the product of both lengths.
const LONGEST_GUESSED: usize = 80;

/// The candidate that `given` was probably meant to be. A right last word in the wrong table counts as close,
/// because forgetting (or not leaving) a `[table]` is the commonest slip in a TOML file.
pub(super) fn nearest(given: &str, candidates: &[String]) -> Option<String> {
    if given.len() > LONGEST_GUESSED {
        return None;
    }
    let distance = |candidate: &String| strsim::damerau_levenshtein(given, candidate);
    let closest = candidates.iter().min_by_key(|candidate| distance(candidate))?;
    if distance(closest) <= (given.len() / 4).clamp(1, 4) {
        return Some(closest.clone());
    }
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let mut same_last = candidates.iter().filter(|candidate| last(candidate) == last(given));
    match (same_last.next(), same_last.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => None,
    }
}

/// Text from outside, fit for one line of a terminal: no control characters, not endless.
pub(super) fn printable(text: &str) -> String {
    const LONGEST_SHOWN: usize = 60;
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", escaped(&text[..end])),
        None => escaped(text),
    }
}

/// The same at any length. Quotes stay as they are: no terminal minds them, and people recognise their own text.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}
