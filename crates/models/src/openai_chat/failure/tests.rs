//! Refusals as providers word them, and what each means.

use super::*;
use http::HeaderValue;
use mosaic_outbound::Reach;
use mosaic_protocol::provider::{Api, ProviderKind};
use std::time::Duration;

fn endpoint() -> Endpoint {
    Endpoint {
        kind: ProviderKind::OpenAi,
        api: Api::Chat,
        base_url: "https://api.openai.com/v1".parse().unwrap(),
        key: Some(Key::new("sk-0123456789".to_owned())),
        reach: Reach::Public,
    }
}

#[test]
fn every_wording_has_its_class() {
    let all: &[(u16, &str, Class)] = &[
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            Class::Auth,
        ),
        (
            403,
            r#"{"error":{"message":"Country, region, or territory not supported","code":"unsupported_country_region_territory"}}"#,
            Class::Auth,
        ),
        (
            400,
            r#"{"error":{"message":"API key not valid. Please pass a valid API key.","code":400}}"#,
            Class::Auth,
        ),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Class::Quota,
        ),
        (
            429,
            r#"{"error":{"message":"Rate limit reached for gpt-4o on tokens per min: Limit 30000","type":"tokens","code":"rate_limit_exceeded"}}"#,
            Class::Rate,
        ),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 128000 tokens.","code":"context_length_exceeded"}}"#,
            Class::ContextTooLong,
        ),
        (
            400,
            r#"{"error":{"message":"Your input exceeds the context window of this model.","code":null}}"#,
            Class::ContextTooLong,
        ),
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 2048 tokens. However, you requested 4096","type":"BadRequestError","code":400}"#,
            Class::ContextTooLong,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}"#,
            Class::ContextTooLong,
        ),
        (413, "Request Entity Too Large", Class::ContextTooLong),
        (
            400,
            r#"{"error":{"message":"max_tokens is too large: 999999. This model supports at most 16384 completion tokens","code":"invalid_value"}}"#,
            Class::BadRequest,
        ),
        (
            404,
            r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","code":"model_not_found"}}"#,
            Class::NoSuchModel,
        ),
        (
            404,
            r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","code":404}"#,
            Class::NoSuchModel,
        ),
        (404, "<html><body>Not Found</body></html>", Class::BadRequest),
        (
            400,
            r#"{"error":{"message":"x/y is not a valid model ID","code":400}}"#,
            Class::NoSuchModel,
        ),
        (
            404,
            r#"{"error":{"message":"No endpoints found for x/y.","code":404}}"#,
            Class::NoSuchModel,
        ),
        (
            400,
            r#"{"error":{"message":"Your request was rejected by our safety system","code":"content_policy_violation"}}"#,
            Class::Refused,
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"Input was flagged","metadata":{"reasons":["violence"],"flagged_input":"x"}}}"#,
            Class::Refused,
        ),
        (
            402,
            r#"{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens."}}"#,
            Class::Quota,
        ),
        (
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#,
            Class::Quota,
        ),
        (
            429,
            r#"{"error":{"code":"1113","message":"Insufficient balance or no resource package. Please recharge."}}"#,
            Class::Quota,
        ),
        (
            429,
            r#"{"error":{"code":"1302","message":"High concurrency usage of this API"}}"#,
            Class::Rate,
        ),
        (429, r#"{"error":{"code":1303,"message":"High frequency usage"}}"#, Class::Rate),
        (
            429,
            r#"{"error":{"code":"1305","message":"The service may be temporarily overloaded"}}"#,
            Class::Overload,
        ),
        (
            400,
            r#"{"error":{"code":"1261","message":"Prompt exceeds max length"}}"#,
            Class::ContextTooLong,
        ),
        (
            400,
            r#"{"error":{"code":"1301","message":"unsafe or sensitive content"}}"#,
            Class::Refused,
        ),
        (
            400,
            r#"{"error":{"code":"1211","message":"Unknown Model, please check the model code."}}"#,
            Class::NoSuchModel,
        ),
        (
            400,
            r#"{"error":{"message":"Unsupported parameter: 'stop'","code":"unsupported_parameter"}}"#,
            Class::BadRequest,
        ),
        (
            422,
            r#"{"detail":[{"loc":["body","messages"],"msg":"field required"}]}"#,
            Class::BadRequest,
        ),
        (500, "oops", Class::Overload),
        (
            502,
            r#"{"error":{"code":502,"message":"Provider returned error","metadata":{"raw":"upstream died"}}}"#,
            Class::Overload,
        ),
        (
            503,
            r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#,
            Class::Overload,
        ),
        (504, "", Class::Timeout),
        (301, "", Class::BadRequest),
    ];
    for (status, body, class) in all {
        let error = refusal(&endpoint(), *status, &HeaderMap::new(), body.as_bytes());
        assert_eq!(error.class, *class, "{status} {body}: {error}");
        assert!(!error.message.is_empty() && !error.message.contains('<'), "{error}");
        assert_eq!(error.status, Some(*status));
    }
}

#[test]
fn what_whoever_is_behind_the_provider_says_is_shown() {
    let body = r#"{"error":{"code":502,"message":"Provider returned error","metadata":{"raw":"upstream died"}}}"#;
    let error = refusal(&endpoint(), 502, &HeaderMap::new(), body.as_bytes());
    assert_eq!(error.message, "Provider returned error: upstream died");
    let detail = refusal(&endpoint(), 400, &HeaderMap::new(), br#"{"detail":"no such field"}"#);
    assert_eq!(detail.message, "no such field");
}

#[test]
fn a_key_in_a_refusal_is_not_shown_and_the_wait_is_read() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("7"));
    let body = br#"{"error":{"message":"no: sk-0123456789","code":"rate_limit_exceeded"}}"#;
    let error = refusal(&endpoint(), 429, &headers, body);
    assert_eq!(error.message, "no: ***");
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn an_error_in_the_middle_has_a_class_too() {
    let all = [
        (r#"{"code":502,"message":"Provider disconnected"}"#, Class::Overload),
        (r#"{"code":429,"message":"Rate limited"}"#, Class::Rate),
        (r#"{"code":"server_error","message":"x"}"#, Class::Overload),
        (r#"{"type":"invalid_request_error","message":"x"}"#, Class::BadRequest),
        (r#"{"message":"maximum context length is 10"}"#, Class::ContextTooLong),
        (r#""boom""#, Class::Overload),
    ];
    for (error, class) in all {
        let value = serde_json::from_str(error).unwrap();
        assert_eq!(of_value(&value, None).class, class, "{error}");
    }
}
