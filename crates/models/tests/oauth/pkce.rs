//! The login by browser: it works once, for whoever began it, and in no other way.

use crate::{
    NOW, RANDOM, back, key, outbound, reach,
    server::{CLIENT_SECRET, Server},
    settings,
};
use mosaic_models::oauth::{
    TokenKind, Tokens,
    pkce::{self, Flow, Returned},
};
use mosaic_protocol::provider::FailureClass;
use serde_json::json;

#[tokio::test]
async fn a_login_brings_tokens_however_the_client_proves_itself() {
    let (server, outbound) = (Server::start().await, outbound());
    for (more, proof) in [
        (json!({}), "header"),
        (json!({ "client_auth": "body" }), "form"),
        (json!({ "client_secret": null }), "none"),
    ] {
        let settings = settings(&server.at, more);
        let departure = pkce::begin(&settings, &back(), RANDOM).unwrap();
        assert!(!departure.url.contains(CLIENT_SECRET) && !departure.url.contains("secret"));
        let returned = Returned::read(&server.authorize(&departure.url));
        // It lies in a table meanwhile.
        let flow = Flow::from_json(&departure.flow.to_json()).unwrap();
        let tokens = pkce::finish(&reach(&outbound, &settings), flow, returned, NOW).await.unwrap();
        assert!(tokens.access.expose().starts_with("access/token+"));
        assert!(tokens.refresh.unwrap().expose().starts_with("refresh/token+"));
        assert_eq!(tokens.expires_at, Some(NOW.plus_hours(1)));
        assert_eq!(tokens.scopes.iter().collect::<Vec<_>>(), ["chat", "offline_access"]);
        assert_eq!(tokens.kind, TokenKind::Bearer);
        let asked = server.last();
        let in_header = asked.headers.contains_key("authorization");
        let in_form = asked.form.contains_key("client_secret");
        assert_eq!((in_header, in_form), (proof == "header", proof == "form"), "{proof}");
    }
}

#[tokio::test]
async fn what_did_not_come_back_as_it_left_is_refused_before_anything_is_sent() {
    let (server, outbound) = (Server::start().await, outbound());
    let settings = settings(&server.at, json!({}));
    let server_at = reach(&outbound, &settings);
    let begin = |random| pkce::begin(&settings, &back(), random).unwrap();
    let other = begin([[1; 32], [2; 32]]);
    let others = Returned::read(&server.authorize(&other.url)).state;

    for (what, change) in [
        ("no state", (|it| it.state = None) as fn(&mut Returned)),
        ("an empty state", |it| it.state = Some(key(""))),
        ("a wrong state", |it| it.state = Some(key("AAAA"))),
        ("a shorter state", |it| {
            let text = it.state.take().unwrap().expose().to_owned();
            it.state = Some(key(&text[..text.len() - 1]));
        }),
        ("no code", |it| it.code = None),
        ("an empty code", |it| it.code = Some(key(""))),
        ("a code with a line break", |it| it.code = Some(key("a\r\nb"))),
        ("no state, and a refusal", |it| {
            it.state = None;
            it.error = Some("access_denied".into());
        }),
    ] {
        let departure = begin(RANDOM);
        let mut returned = Returned::read(&server.authorize(&departure.url));
        change(&mut returned);
        let failed = pkce::finish(&server_at, departure.flow, returned, NOW).await.unwrap_err();
        assert_eq!(failed.class, FailureClass::BadRequest, "{what}: {failed}");
    }
    let departure = begin(RANDOM);
    let mut returned = Returned::read(&server.authorize(&departure.url));
    returned.state = others;
    assert!(pkce::finish(&server_at, departure.flow, returned, NOW).await.is_err());

    // A person who says no is told so; the code for it is theirs, the words are ours.
    let departure = begin(RANDOM);
    let state = Returned::read(&server.authorize(&departure.url)).state;
    let returned = Returned { code: None, state, error: Some("access_denied".into()) };
    let failed = pkce::finish(&server_at, departure.flow, returned, NOW).await.unwrap_err();
    assert_eq!(failed.class, FailureClass::Refused);
    assert_eq!(server.n_asked(), 0);
}

#[tokio::test]
async fn a_code_works_once_and_only_with_its_verifier() {
    let (server, outbound) = (Server::start().await, outbound());
    let settings = settings(&server.at, json!({}));
    let server_at = reach(&outbound, &settings);
    let departure = pkce::begin(&settings, &back(), RANDOM).unwrap();
    let query = server.authorize(&departure.url);

    // Somebody who has the code and the state, but not the verifier.
    let thief = pkce::begin(&settings, &back(), [[9; 32], RANDOM[1]]).unwrap();
    let failed = pkce::finish(&server_at, thief.flow, Returned::read(&query), NOW).await;
    assert_eq!(failed.unwrap_err().class, FailureClass::Auth);

    let again = Flow::from_json(&departure.flow.to_json()).unwrap();
    let tokens: Tokens =
        pkce::finish(&server_at, departure.flow, Returned::read(&query), NOW).await.unwrap();
    let failed = pkce::finish(&server_at, again, Returned::read(&query), NOW).await.unwrap_err();
    assert_eq!(failed.class, FailureClass::Auth);
    assert!(failed.to_string().contains("log in again"), "{failed}");
    // The server takes the second use for theft, and ends what the first one gave.
    let failed = tokens.refresh(&server_at, NOW).await.unwrap_err();
    assert_eq!(failed.class, FailureClass::Auth);
}

#[tokio::test]
async fn a_wrong_client_secret_is_said_to_be_that() {
    let (server, outbound) = (Server::start().await, outbound());
    for auth in ["basic", "body"] {
        let settings =
            settings(&server.at, json!({ "client_secret": "not-it", "client_auth": auth }));
        let departure = pkce::begin(&settings, &back(), RANDOM).unwrap();
        let returned = Returned::read(&server.authorize(&departure.url));
        let failed =
            pkce::finish(&reach(&outbound, &settings), departure.flow, returned, NOW).await;
        let failed = failed.unwrap_err();
        assert_eq!((failed.class, failed.status), (FailureClass::Auth, Some(401)));
        assert!(failed.to_string().contains("client secret"), "{failed}");
    }
}
