//! Logging in to a provider of models in a browser, through the real routes: only the browser that left, of the person who
//! left, comes back, once. What the gateway itself holds to is tried beside it.

use crate::{
    browser::{Browser, SITE},
    on_both,
    support::*,
};
use http::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

on_both!(the_browser_that_left_comes_back_once);

/// A server that gives a token to whoever asks by POST, and lists models to whoever shows it.
async fn gives_tokens() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut text, mut piece) = (String::new(), [0; 4096]);
            while let Ok(n) = stream.read(&mut piece).await {
                text.push_str(&String::from_utf8_lossy(&piece[..n]));
                let is_whole = match text.split_once("\r\n\r\n") {
                    Some((head, body)) => {
                        !head.starts_with("POST") || body.contains("code_verifier=")
                    }
                    None => false,
                };
                if is_whole || n == 0 {
                    break;
                }
            }
            let (status, body) = match (text.starts_with("POST"), text.contains("Bearer given-1")) {
                (true, _) => (200, json!({ "access_token": "given-1", "token_type": "bearer" })),
                (false, true) => (200, json!({ "data": [{ "id": "m", "object": "model" }] })),
                (false, false) => (401, json!({})),
            };
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(body.as_bytes()).await;
        }
    });
    at
}

async fn the_browser_that_left_comes_back_once(database: Database) {
    let at = gives_tokens().await;
    let settings = [("public_url", SITE), ("providers.private_hosts", at.as_str())];
    let Some(gateway) = Gateway::start(database, &settings) else { return };
    let root = gateway.admin().await;
    let (mut ada, mut bob) = (Browser::new(&gateway), Browser::new(&gateway));
    let mut tokens = vec![];
    for (browser, name) in [(&mut ada, "ada"), (&mut bob, "bob")] {
        tokens.push(gateway.invite(&root, name).await);
        browser.log_in_by_password(name).await;
    }
    let add = json!({
        "name": "theirs", "kind": "compatible", "base_url": format!("http://{at}/v1"), "untested": true,
    });
    let added = ada.call(Method::POST, "/api/providers", add).await;
    let id = added.json["id"].as_str().unwrap().to_owned();
    let login = json!({ "settings": {
        "client_id": "us",
        "authorize_url": "https://login.example.org/authorize",
        "token_url": format!("http://{at}/token"),
    } });
    let path = format!("/api/providers/{id}/login/pkce");
    // By somebody else, and by a token: there is no browser behind one.
    bob.call(Method::POST, &path, login.clone()).await.refused(404, "not_found");
    let token = tokens[0].with_token(&["read", "write"]).await;
    token.post(&path, login.clone()).await.refused(403, "forbidden");

    let away = ada.call(Method::POST, &path, login.clone()).await.ok();
    let url = url::Url::parse(away["url"].as_str().unwrap()).unwrap();
    let of = |name: &str| {
        let (_, value) = url.query_pairs().find(|(it, _)| it == name).unwrap();
        value.into_owned()
    };
    let callback = format!("{SITE}/api/providers/login/callback");
    assert_eq!(of("redirect_uri"), callback);
    let link = format!("{callback}?code=granted&state={}", of("state"));
    // In a browser that did not leave, in one that left elsewhere, and with another state.
    let mut elsewhere = Browser::new(&gateway);
    assert_eq!(elsewhere.come_back(&link).await, "/#problem=bad_code");
    elsewhere.log_in_by_password("ada").await;
    assert_eq!(elsewhere.come_back(&link).await, "/#problem=bad_code");
    assert_eq!(bob.come_back(&link).await, "/#problem=bad_code");
    let shown = |answer: Answer| answer.ok()["items"][0]["credential"].clone();
    assert_eq!(shown(ada.get("/api/providers").await), "none");
    assert_eq!(ada.come_back(&link).await, "/#provider-login=done");
    let listed = ada.get("/api/providers").await;
    assert_eq!(
        listed.json["items"][0]["health"]["state"], "up",
        "the token is what it is asked with"
    );
    assert!(!listed.text().contains("given-1"));
    assert_eq!(shown(listed), "oauth");
    assert_eq!(ada.come_back(&link).await, "/#problem=bad_code", "it is good once");

    // Who has logged out on the way, or is somebody else by now, does not come back.
    for name in [None, Some("bob")] {
        let away = ada.call(Method::POST, &path, json!({ "settings": null })).await.ok();
        let url = url::Url::parse(away["url"].as_str().unwrap()).unwrap();
        let (_, state) = url.query_pairs().find(|(it, _)| it == "state").unwrap();
        let link = format!("{callback}?code=granted&state={state}");
        ada.call(Method::POST, "/api/logout", Value::Null).await.is(204);
        let problem = match name {
            None => "/#problem=unauthenticated",
            Some(name) => {
                ada.log_in_by_password(name).await;
                "/#problem=bad_code"
            }
        };
        assert_eq!(ada.come_back(&link).await, problem);
        ada.forget();
        ada.log_in_by_password("ada").await;
    }
    assert!(!gateway.log().contains("given-1"), "the log holds no token");
}
