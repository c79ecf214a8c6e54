//! What settings are taken, and that none is repeated in a refusal.

use super::*;
use serde_json::{Value, json};

fn plain() -> Value {
    json!({ "client_id": "mosaic", "token_url": "https://login.example.org/token" })
}

fn with(field: &str, value: Value) -> Result<OAuthSettings, String> {
    let mut settings = plain();
    settings[field] = value;
    serde_json::from_value(settings).map_err(|error| error.to_string())
}

#[test]
fn addresses_are_https_or_on_this_machine() {
    for good in [
        "https://login.example.org/token",
        "https://login.example.org:8443/token?tenant=a",
        "http://127.0.0.1:9000/token",
        "http://127.9.9.9/",
        "http://[::1]:9000/token",
        "http://localhost:9000/token",
    ] {
        for field in ["token_url", "authorize_url", "device_url", "redirect_uri"] {
            with(field, json!(good)).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
    }
    for bad in [
        "http://login.example.org/token",
        "http://localhost.example.org/token",
        "http://10.0.0.1/token",
        "ftp://127.0.0.1/token",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "",
        "token",
        "https://user@login.example.org/",
        "https://:pass-word@login.example.org/",
        "https://login.example.org/#x",
        "https://login.example.org/?state=mine",
        "https://login.example.org/?a=b&redirect%5furi=https://evil.example",
        "https://login.example.org/a b",
        "https://login.exam\nple.org/",
    ] {
        for field in ["token_url", "authorize_url", "device_url", "redirect_uri"] {
            let error = with(field, json!(bad)).expect_err(bad);
            assert!(!error.contains("pass-word") && !error.contains("alert"), "{error}");
        }
    }
    let long = format!("https://login.example.org/{}", "a".repeat(URL_BYTES));
    assert!(with("token_url", json!(long)).is_err());
}

#[test]
fn what_is_misspelled_or_without_bounds_is_refused() {
    let many = |n: usize| (0..n).map(|n| format!("s{n}")).collect::<Vec<_>>();
    let extras = |n: usize| many(n).into_iter().map(|name| (name, json!("x"))).collect::<Value>();
    for (field, good, bad) in [
        ("client_id", json!("a".repeat(512)), json!("a".repeat(513))),
        ("client_id", json!("https://us.example/id"), json!("")),
        ("client_id", json!("a b"), json!("a\u{0}b")),
        ("client_secret", json!("s".repeat(16_384)), json!("s".repeat(16_385))),
        ("client_secret", json!(null), json!("s\ns")),
        ("client_auth", json!("body"), json!("query")),
        ("scopes", json!(many(64)), json!(many(65))),
        ("scopes", json!(["a:b/c"]), json!(["a b"])),
        ("scopes", json!([]), json!([""])),
        ("extra", extras(16), extras(17)),
        ("extra", json!({ "audience": "a" }), json!({ "state": "a" })),
        ("extra", json!({ "a": "x".repeat(512) }), json!({ "a": "x".repeat(513) })),
        ("extra", json!({ "a": "" }), json!({ "": "a" })),
        ("extra", json!({ "a-b.c_d": "x y" }), json!({ "a b": "x" })),
        ("extra", json!({}), json!({ "a": "x\ny" })),
        ("scopes", json!(["a"]), json!("a")),
    ] {
        with(field, good.clone()).unwrap_or_else(|error| panic!("{field} {good}: {error}"));
        assert!(with(field, bad.clone()).is_err(), "{field} {bad}");
    }
    assert!(with("clientsecret", json!("x")).unwrap_err().contains("unknown field"));
    assert!(serde_json::from_value::<OAuthSettings>(json!({ "client_id": "a" })).is_err());
}

#[test]
fn the_client_secret_is_written_for_sealing_and_shown_nowhere() {
    let settings = with("client_secret", json!("hush-hush")).unwrap();
    assert!(!format!("{settings:?}").contains("hush"));
    assert!(!serde_json::to_string(&settings).unwrap().contains("hush"));
    let sealed = settings.to_json();
    let again: OAuthSettings = serde_json::from_str(&sealed).unwrap();
    assert_eq!(again.client_secret.unwrap().expose(), "hush-hush");
    assert_eq!(again.token_url, settings.token_url);
    // A wrong type is not repeated either.
    let error = with("client_secret", json!(987_654_321)).unwrap_err();
    assert!(!error.contains("987"), "{error}");
}

#[test]
fn secrets_are_bound_to_every_host_that_is_sent_one() {
    let mut settings = with("device_url", json!("https://device.example.org:8443/d")).unwrap();
    let hosts: Vec<_> = settings.hosts().into_iter().collect();
    assert_eq!(hosts, ["device.example.org:8443", "login.example.org"]);
    settings.device_url = None;
    assert_eq!(settings.hosts().len(), 1);
}
