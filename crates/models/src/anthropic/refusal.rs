//! What a failure means, told from its status, its type and its words.

use crate::{Error, Key, retry_after::retry_after};
use http::HeaderMap;
use mosaic_protocol::provider::FailureClass;
use serde::Deserialize;

/// The provider's words for a failure.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Failure {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Refused {
    error: Failure,
}

/// What an answer with a bad status means.
pub(super) fn refusal(status: u16, headers: &HeaderMap, body: &[u8], key: Option<&Key>) -> Error {
    let failure = match serde_json::from_slice::<Refused>(body) {
        Ok(refused) => refused.error,
        // Something between us and the provider.
        Err(_) => Failure { kind: String::new(), message: String::from_utf8_lossy(body).into() },
    };
    let mut error = said(Some(status), &failure, key);
    error.retry_after = retry_after(headers);
    error
}

/// A failure, in an answer of this status or in the middle of a stream.
pub(super) fn said(status: Option<u16>, failure: &Failure, key: Option<&Key>) -> Error {
    let class = class(status, failure);
    let words = match (failure.message.trim(), status) {
        ("", Some(status)) => format!("the provider answered with status {status}"),
        ("", None) => format!("the provider failed: {}", failure.kind),
        (words, _) => words.to_owned(),
    };
    Error::said(class, &words, key)
}

fn class(status: Option<u16>, failure: &Failure) -> FailureClass {
    use FailureClass as F;
    let words = failure.message.to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    // What it says is more exact than its type: most of this comes as an invalid request.
    if says(&["prompt is too long", "input is too long", "exceed context limit", "context window"])
    {
        return F::ContextTooLong;
    }
    if says(&["credit balance", "usage limits", "plans & billing", "purchase credits"]) {
        return F::Quota;
    }
    if says(&["content filtering policy", "usage policy"]) {
        return F::Refused;
    }
    let by_status = || match status {
        Some(401 | 403) => F::Auth,
        Some(402) => F::Quota,
        Some(408 | 504) => F::Timeout,
        Some(413) => F::ContextTooLong,
        Some(429) => F::Rate,
        Some(502) => F::Transport,
        Some(500..) | None => F::Overload,
        Some(_) => F::BadRequest,
    };
    match failure.kind.as_str() {
        "authentication_error" | "permission_error" => F::Auth,
        "billing_error" => F::Quota,
        "rate_limit_error" => F::Rate,
        "overloaded_error" | "api_error" => F::Overload,
        "timeout_error" => F::Timeout,
        "request_too_large" => F::ContextTooLong,
        "not_found_error" if says(&["model"]) => F::NoSuchModel,
        "not_found_error" | "invalid_request_error" => F::BadRequest,
        _ => by_status(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureClass as F;

    #[test]
    fn failures_are_told_apart_by_words_then_type_then_status() {
        let cases = [
            (401, "authentication_error", "invalid x-api-key", F::Auth),
            (403, "permission_error", "Your API key does not have permission", F::Auth),
            (402, "billing_error", "There is an issue with your billing", F::Quota),
            (400, "invalid_request_error", "Your credit balance is too low to access", F::Quota),
            (
                400,
                "invalid_request_error",
                "You have reached your specified API usage limits",
                F::Quota,
            ),
            (429, "rate_limit_error", "This request would exceed your rate limit", F::Rate),
            (529, "overloaded_error", "Overloaded", F::Overload),
            (529, "", "", F::Overload),
            (503, "", "upstream connect error", F::Overload),
            (500, "api_error", "Internal server error", F::Overload),
            (502, "", "<html>Bad gateway</html>", F::Transport),
            (504, "timeout_error", "Request timed out", F::Timeout),
            (
                400,
                "invalid_request_error",
                "prompt is too long: 208310 tokens > 200000 maximum",
                F::ContextTooLong,
            ),
            (
                400,
                "invalid_request_error",
                "input length and `max_tokens` exceed context limit: 1",
                F::ContextTooLong,
            ),
            (413, "request_too_large", "Request exceeds the maximum size", F::ContextTooLong),
            (404, "not_found_error", "model: claude-nothing", F::NoSuchModel),
            (404, "not_found_error", "Not found", F::BadRequest),
            (404, "", "404 page not found", F::BadRequest),
            (400, "invalid_request_error", "messages: roles must alternate", F::BadRequest),
            (
                400,
                "invalid_request_error",
                "Output blocked by content filtering policy",
                F::Refused,
            ),
            (418, "something_new", "", F::BadRequest),
        ];
        for (status, kind, message, class) in cases {
            let failure = Failure { kind: kind.into(), message: message.into() };
            assert_eq!(
                said(Some(status), &failure, None).class,
                class,
                "{status} {kind} {message}"
            );
        }
    }

    #[test]
    fn what_is_not_the_providers_own_is_understood_by_its_status() {
        let error = refusal(503, &HeaderMap::new(), b"<html>\nbusy \xff</html>", None);
        assert_eq!(
            (error.class, error.message.as_str()),
            (F::Overload, "<html> busy \u{fffd}</html>")
        );
        let empty = refusal(401, &HeaderMap::new(), b"", None);
        assert_eq!(empty.message, "the provider answered with status 401");
    }
}
