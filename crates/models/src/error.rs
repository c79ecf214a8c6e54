//! How a call fails: a class that somebody acts on, and a sentence for people without anything secret in it.

use crate::Key;
use mosaic_protocol::provider::FailureClass;
use std::time::Duration;

/// The results of calls.
pub type Result<T> = std::result::Result<T, Error>;

/// How much of what a provider said is kept.
const SAID_CHARS: usize = 500;

/// A call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What to do about it.
    pub class: FailureClass,
    /// What happened, for people.
    pub message: String,
    /// The provider says when to come back.
    pub retry_after: Option<Duration>,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
}

impl Error {
    /// A failure in our own words.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), retry_after: None, status: None }
    }

    /// A failure with words of the provider: shortened, made one line, and without the key that it was sent.
    #[must_use]
    pub fn said(class: FailureClass, said: &str, key: Option<&Key>) -> Self {
        Self::new(class, cleaned(said, key))
    }
}

/// Words of a provider as they may be shown and logged.
fn cleaned(said: &str, key: Option<&Key>) -> String {
    let mut text = said.to_owned();
    if let Some(key) = key {
        // What is shorter than this is no key, and would blot out half the text.
        for secret in key.traces().iter().filter(|secret| secret.len() >= 6) {
            text = text.replace(secret.as_str(), "***");
        }
    }
    let plain = |c: char| if c.is_control() || is_invisible(c) { ' ' } else { c };
    let mut text: String = text.chars().map(plain).take(SAID_CHARS).collect();
    text.truncate(text.trim_end().len());
    text
}

/// Characters that reorder or hide others.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_returns_the_key_in_its_error_does_not_show_it() {
        let key = Key::new("sk-very/secret+key".to_owned());
        let said = [
            "Incorrect API key provided: sk-very/secret+key.",
            "no: Bearer c2stdmVyeS9zZWNyZXQra2V5 x",
            "url was /v1?key=sk-very%2Fsecret%2Bkey",
            "{\"key\":\"sk-very\\/secret+key\"}",
        ];
        for said in said {
            let error = Error::said(FailureClass::Auth, said, Some(&key));
            assert!(error.message.contains("***"), "{}", error.message);
            assert!(!error.message.contains("secret"), "{}", error.message);
        }
        let neighbour = Error::said(FailureClass::Auth, "the key is wrong", Some(&key));
        assert_eq!(neighbour.message, "the key is wrong");
    }

    #[test]
    fn what_a_provider_says_is_short_and_on_one_line() {
        let error = Error::said(FailureClass::Refused, &"\u{1b}[2J\n\u{202e}x".repeat(1000), None);
        assert!(error.message.chars().count() <= SAID_CHARS);
        assert!(!error.message.contains(|c: char| c.is_control() || is_invisible(c)));
    }
}
