//! What a failure of Ollama means: it has a status and a sentence.

use crate::{Error, Key, retry_after::retry_after};
use http::HeaderMap;
use mosaic_protocol::provider::FailureClass;
use serde::Deserialize;

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// What an answer with a bad status means.
pub(super) fn refusal(status: u16, headers: &HeaderMap, body: &[u8], key: Option<&Key>) -> Error {
    let words = match serde_json::from_slice::<Refused>(body) {
        Ok(refused) => refused.error,
        // Something between us and the server.
        Err(_) => String::from_utf8_lossy(body).into(),
    };
    let mut error = said(Some(status), &words, key);
    error.retry_after = retry_after(headers);
    error
}

/// A failure, in an answer of this status or in the middle of a stream.
pub(super) fn said(status: Option<u16>, words: &str, key: Option<&Key>) -> Error {
    let class = class(status, words);
    match (words.trim(), status) {
        ("", Some(status)) => {
            Error::new(class, format!("the server answered with status {status}"))
        }
        ("", None) => Error::new(class, "the server failed and does not say why"),
        (words, _) => Error::said(class, words, key),
    }
}

fn class(status: Option<u16>, words: &str) -> FailureClass {
    use FailureClass as F;
    let words = words.to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["context length", "context size", "prompt too long", "prompt is too long"]) {
        return F::ContextTooLong;
    }
    if words.contains("model") && says(&["not found", "try pulling"]) {
        return F::NoSuchModel;
    }
    if says(&["does not support"]) {
        return F::BadRequest;
    }
    if says(&["server busy", "pending requests", "more system memory", "out of memory"]) {
        return F::Overload;
    }
    match status {
        Some(401 | 403) => F::Auth,
        Some(402) => F::Quota,
        Some(408 | 504) => F::Timeout,
        Some(413) => F::ContextTooLong,
        Some(429) => F::Rate,
        Some(502) => F::Transport,
        Some(500..) | None => F::Overload,
        Some(_) => F::BadRequest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureClass as F;

    #[test]
    fn failures_are_told_apart() {
        let cases = [
            (Some(404), r#"model "x" not found, try pulling it first"#, F::NoSuchModel),
            (Some(404), "model 'x' not found", F::NoSuchModel),
            (Some(404), "404 page not found", F::BadRequest),
            (Some(400), r#""x" does not support tools"#, F::BadRequest),
            (Some(400), "the input length exceeds the context length", F::ContextTooLong),
            (
                Some(400),
                "prompt too long; exceeded max context length by 4 tokens",
                F::ContextTooLong,
            ),
            (Some(401), "unauthorized", F::Auth),
            (Some(402), "", F::Quota),
            (Some(429), "slow down", F::Rate),
            (
                Some(503),
                "server busy, please try again.  maximum pending requests exceeded",
                F::Overload,
            ),
            (Some(500), "model requires more system memory (8 GiB) than is available", F::Overload),
            (Some(502), "bad gateway", F::Transport),
            (None, "an error was encountered while running the model", F::Overload),
        ];
        for (status, words, class) in cases {
            assert_eq!(said(status, words, None).class, class, "{status:?} {words}");
        }
    }
}
