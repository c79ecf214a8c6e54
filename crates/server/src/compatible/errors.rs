//! Refusals in the words of the formats: whoever speaks OpenAI's or Anthropic's is refused in it, wherever that happens.
//! Statuses, codes and sentences are those of `error.rs`; our own fields stand beside the format's.

use http::{HeaderMap, StatusCode};
use mosaic_protocol::ErrorCode;
use serde::Serialize;

/// In whose words a request is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Tongue {
    /// Our own.
    #[default]
    Own,
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

/// What went wrong.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) next: String,
    pub(crate) param: Option<String>,
    pub(crate) request_id: String,
}

impl Tongue {
    /// By the path alone, and where both share it by the header that Anthropic's programs send.
    pub(crate) fn of(path: &str, headers: &HeaderMap) -> Tongue {
        let Some(rest) = path.strip_prefix("/v1") else { return Tongue::Own };
        if !rest.is_empty() && !rest.starts_with('/') {
            return Tongue::Own;
        }
        let is_messages = rest == "/messages" || rest.starts_with("/messages/");
        match is_messages || headers.contains_key("anthropic-version") {
            true => Tongue::Anthropic,
            false => Tongue::OpenAi,
        }
    }
}

#[derive(Serialize)]
struct OpenAi<'a> {
    error: OpenAiError<'a>,
}

#[derive(Serialize)]
pub(crate) struct OpenAiError<'a> {
    message: String,
    r#type: &'static str,
    code: ErrorCode,
    param: Option<&'a str>,
    next: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Anthropic<'a> {
    r#type: &'static str,
    error: AnthropicError<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    r#type: &'static str,
    message: String,
    code: ErrorCode,
    next: &'a str,
    request_id: &'a str,
}

impl Told {
    /// The sentence, and what to do next: programs show nothing else.
    pub(crate) fn sentence(&self) -> String {
        format!("{} ({})", self.message, self.next)
    }

    /// The body in OpenAI's words.
    pub(crate) fn openai(&self) -> Vec<u8> {
        let error = OpenAiError {
            message: self.sentence(),
            r#type: openai_type(self.status),
            code: self.code,
            param: self.param.as_deref(),
            next: &self.next,
            request_id: &self.request_id,
        };
        serde_json::to_vec(&OpenAi { error }).unwrap_or_default()
    }

    /// The body in Anthropic's words.
    pub(crate) fn anthropic(&self) -> Vec<u8> {
        let error = AnthropicError {
            r#type: anthropic_type(self.status),
            message: self.sentence(),
            code: self.code,
            next: &self.next,
            request_id: &self.request_id,
        };
        let body = Anthropic { r#type: "error", error, request_id: &self.request_id };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

fn openai_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

fn anthropic_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        408 | 504 => "timeout_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn whoever_speaks_a_format_is_refused_in_it() {
        let none = HeaderMap::new();
        let mut theirs = HeaderMap::new();
        theirs.insert("anthropic-version", "2023-06-01".parse().unwrap());
        for (path, tongue) in [
            ("/api/me", Tongue::Own),
            ("/v1x", Tongue::Own),
            ("/", Tongue::Own),
            ("/v1", Tongue::OpenAi),
            ("/v1/nothing", Tongue::OpenAi),
            ("/v1/models", Tongue::OpenAi),
            ("/v1/messages", Tongue::Anthropic),
            ("/v1/messages/count_tokens", Tongue::Anthropic),
        ] {
            assert_eq!(Tongue::of(path, &none), tongue, "{path}");
        }
        assert_eq!(Tongue::of("/v1/models", &theirs), Tongue::Anthropic);
        assert_eq!(Tongue::of("/api/me", &theirs), Tongue::Own);
    }

    #[test]
    fn refusals_have_the_fields_of_the_format_and_ours() {
        let told = Told {
            status: StatusCode::NOT_FOUND,
            code: ErrorCode::NoSuchModel,
            message: "there is no model `gtp-5`".into(),
            next: "did you mean `gpt-5`?".into(),
            param: Some("model".into()),
            request_id: "r1".into(),
        };
        let text = |bytes| String::from_utf8(bytes).unwrap();
        expect![[r#"{"error":{"message":"there is no model `gtp-5` (did you mean `gpt-5`?)","type":"invalid_request_error","code":"no_such_model","param":"model","next":"did you mean `gpt-5`?","request_id":"r1"}}"#]]
            .assert_eq(&text(told.openai()));
        expect![[r#"{"type":"error","error":{"type":"not_found_error","message":"there is no model `gtp-5` (did you mean `gpt-5`?)","code":"no_such_model","next":"did you mean `gpt-5`?","request_id":"r1"},"request_id":"r1"}"#]]
            .assert_eq(&text(told.anthropic()));
    }
}
