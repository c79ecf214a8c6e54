//! What a refusal of the OpenAI family means, by its code, its words and its status. Pure; the tests are one table.

use crate::{Endpoint, Error, Key, retry_after::retry_after};
use http::HeaderMap;
use mosaic_protocol::provider::FailureClass as Class;
use serde_json::Value;

/// A refusal with a status.
pub(crate) fn refusal(endpoint: &Endpoint, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let text = String::from_utf8_lossy(body);
    let said = match serde_json::from_slice::<Value>(body) {
        Ok(value) => Said::of(&value),
        // A page for people tells nothing that can be shown in a line.
        Err(_) if text.trim_start().starts_with('<') => Said::default(),
        Err(_) => Said { message: text.into_owned(), ..Said::default() },
    };
    Error {
        retry_after: retry_after(headers),
        status: Some(status),
        ..said.error(Some(status), endpoint.key.as_ref())
    }
}

/// A refusal in the middle of an answer, or in an answer that looked like one.
pub(crate) fn of_value(error: &Value, key: Option<&Key>) -> Error {
    let said = Said::of(error);
    // OpenRouter's code is the status that it would have had.
    let status = said.code.parse().ok().filter(|status| (400..600).contains(status));
    said.error(status, key)
}

/// Something cannot be read.
pub(crate) fn malformed(what: &str, error: &serde_json::Error) -> Error {
    // Where, not what: the text may hold anything.
    let at = format!("{what} cannot be read: line {} column {}", error.line(), error.column());
    Error::new(Class::Malformed, at)
}

/// What a refusal says.
#[derive(Debug, Default)]
struct Said {
    code: String,
    /// A coarser word beside the code.
    kind: String,
    message: String,
}

impl Said {
    fn of(value: &Value) -> Self {
        let inner = match value.get("error") {
            Some(error) if !error.is_null() => error,
            _ => value,
        };
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let either = |field: &str| text(inner.get(field).or_else(|| value.get(field)));
        let mut message = match inner {
            Value::String(text) => text.clone(),
            _ => either("message"),
        };
        for field in ["detail", "msg", "error_msg"] {
            match value.get(field) {
                Some(Value::String(detail)) if message.is_empty() => message.clone_from(detail),
                Some(detail @ Value::Array(_)) if message.is_empty() => {
                    message = detail.to_string();
                }
                _ => {}
            }
        }
        // Behind OpenRouter, the one who knows what is wrong is somebody else.
        if let Some(Value::String(raw)) = inner.get("metadata").and_then(|all| all.get("raw")) {
            message = format!("{message}: {raw}");
        }
        let mut kind = either("type");
        if inner.get("metadata").is_some_and(|all| all.get("flagged_input").is_some()) {
            "moderation".clone_into(&mut kind);
        }
        Self { code: either("code"), kind, message }
    }

    fn error(&self, status: Option<u16>, key: Option<&Key>) -> Error {
        let class = self.class(status);
        let message = match (self.message.trim(), status) {
            ("", Some(status)) => format!("the provider answered with status {status}"),
            ("", None) => "the provider reported an error without a word".to_owned(),
            (message, _) => message.to_owned(),
        };
        Error { status, ..Error::said(class, &message, key) }
    }

    fn class(&self, status: Option<u16>) -> Class {
        by_code(&self.code)
            .or_else(|| by_code(&self.kind))
            .or_else(|| by_words(&self.message.to_lowercase(), status))
            .unwrap_or_else(|| by_status(status, &self.kind))
    }
}

/// Codes that leave no doubt. The numbers are Z.ai's.
fn by_code(code: &str) -> Option<Class> {
    Some(match code {
        "invalid_api_key"
        | "invalid_authentication"
        | "account_deactivated"
        | "authentication_error"
        | "1000"
        | "1001"
        | "1002"
        | "1003"
        | "1004"
        | "1110"
        | "1111"
        | "1112"
        | "1121"
        | "1220" => Class::Auth,
        "insufficient_quota"
        | "insufficient_balance"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "1113"
        | "1304"
        | "1308"
        | "1309"
        | "1310" => Class::Quota,
        "rate_limit_exceeded" | "rate_limit_error" | "slow_down" | "1302" | "1303" | "1313" => {
            Class::Rate
        }
        "server_is_overloaded"
        | "overloaded_error"
        | "engine_overloaded"
        | "1305"
        | "1312"
        | "1234" => Class::Overload,
        "context_length_exceeded"
        | "exceed_context_size_error"
        | "context_window_exceeded"
        | "1261" => Class::ContextTooLong,
        "content_policy_violation"
        | "content_filter"
        | "content_policy"
        | "moderation"
        | "data_inspection_failed"
        | "moderation_blocked"
        | "1301" => Class::Refused,
        "model_not_found" | "model_not_available" | "1211" | "1311" => Class::NoSuchModel,
        _ => return None,
    })
}

/// Words that servers use for what has no code with them.
fn by_words(message: &str, status: Option<u16>) -> Option<Class> {
    const CONTEXT: &[&str] = &[
        "maximum context length",
        "context length",
        "context window",
        "exceeds the context",
        "exceed context",
        "context size",
        "context limit",
        "maximum prompt length",
        "prompt is too long",
        "prompt too long",
        "input is too long",
        "too many input tokens",
        "max_prompt_tokens",
        "input length",
        "reduce the length of the messages",
        "超长",
    ];
    const QUOTA: &[&str] = &[
        "insufficient balance",
        "insufficient credits",
        "requires more credits",
        "exceeded your current quota",
        "out of credits",
        "余额不足",
        "欠费",
    ];
    const AUTH: &[&str] =
        &["invalid api key", "incorrect api key", "api key not valid", "no auth credentials"];
    const MODEL: &[&str] = &[
        "is not a valid model",
        "no endpoints found",
        "model not exist",
        "model does not exist",
        "unknown model",
        "model_not_found",
        "invalid model name",
    ];
    let has = |all: &[&str]| all.iter().any(|words| message.contains(words));
    match status {
        // Too many calls are that, whatever they are measured in.
        Some(429) => has(QUOTA).then_some(Class::Quota),
        Some(401..=403) => has(QUOTA).then_some(Class::Quota),
        _ if has(CONTEXT) => Some(Class::ContextTooLong),
        _ if has(QUOTA) => Some(Class::Quota),
        _ if has(AUTH) => Some(Class::Auth),
        _ if has(MODEL) => Some(Class::NoSuchModel),
        Some(404) if message.contains("model") => Some(Class::NoSuchModel),
        _ => None,
    }
}

fn by_status(status: Option<u16>, kind: &str) -> Class {
    match status {
        Some(401 | 403) => Class::Auth,
        Some(402) => Class::Quota,
        Some(408 | 504) => Class::Timeout,
        Some(413) => Class::ContextTooLong,
        Some(425 | 429) => Class::Rate,
        Some(500..=599) => Class::Overload,
        Some(_) => Class::BadRequest,
        None if kind == "invalid_request_error" => Class::BadRequest,
        // It took the call and then failed: its own trouble.
        None => Class::Overload,
    }
}

#[cfg(test)]
mod tests;
