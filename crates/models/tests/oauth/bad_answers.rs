//! Servers that answer too much, too late, something else, or what they were sent: each is an error of ours, with a
//! class that says whether to come back, and with nothing secret in it.

use crate::{
    NOW, RANDOM, back, key, outbound, reach,
    server::{Asked, CLIENT_SECRET, Fault, Server},
    settings,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use mosaic_models::{
    Error,
    oauth::{
        OAuthServer, Scopes, TokenKind, Tokens, device,
        pkce::{self, Returned},
    },
};
use mosaic_outbound::{Outbound, Reach};
use mosaic_protocol::provider::FailureClass;
use serde_json::json;
use std::time::Duration;

const REFRESH: &str = "refresh/tok+en of mine";

fn tokens() -> Tokens {
    Tokens {
        access: key("access/tok+en of mine"),
        refresh: Some(key(REFRESH)),
        expires_at: Some(NOW),
        scopes: Scopes::default(),
        kind: TokenKind::Bearer,
    }
}

async fn refresh(server: &Server, outbound: &Outbound) -> Error {
    let settings = settings(&server.at, json!({}));
    tokens().refresh(&reach(outbound, &settings), NOW).await.unwrap_err()
}

#[tokio::test]
async fn what_is_not_what_it_should_be_is_an_error_of_its_class() {
    use FailureClass as F;
    let (server, outbound) = (Server::start().await, outbound());
    let granted = "{\"access_token\":\"t\",\"token_type\":\"bearer\"";
    let huge = |n: usize| format!("{granted},\"pad\":\"{}\"}}", "x".repeat(n));
    for (status, headers, body, class) in [
        (200, "", "<!doctype html><title>Log in</title>".to_owned(), F::Malformed),
        (200, "content-type: application/json\r\n", String::new(), F::Malformed),
        (200, "", "{".to_owned(), F::Malformed),
        (200, "", granted.to_owned(), F::Malformed),
        (200, "", "[]".to_owned(), F::Malformed),
        (200, "", "null".to_owned(), F::Malformed),
        (200, "", "{\"token_type\":\"bearer\"}".to_owned(), F::Malformed),
        (200, "", format!("{granted},\"access_token\":\"u\"}}"), F::Malformed),
        (200, "", format!("{granted},\"expires_in\":[]}}"), F::Malformed),
        (200, "", "{\"access_token\":\"t\",\"token_type\":\"mac\"}".to_owned(), F::Malformed),
        (200, "", "access_token=t&token_type=bearer".to_owned(), F::Malformed),
        (200, "", "[".repeat(60_000), F::Malformed),
        (200, "", huge(64 * 1024), F::Malformed),
        (200, "", huge(10_000_000), F::Malformed),
        (200, "", "{\"error\":\"invalid_grant\"}".to_owned(), F::Auth),
        (200, "", format!("{granted},\"error\":\"invalid_grant\"}}"), F::Auth),
        (400, "", "{\"error\":\"invalid_grant\"}".to_owned(), F::Auth),
        (400, "", "{\"error\":\"invalid_scope\"}".to_owned(), F::BadRequest),
        (400, "", "{\"error\":{\"code\":7}}".to_owned(), F::BadRequest),
        (400, "", huge(10_000_000), F::BadRequest),
        (401, "", "{\"error\":\"invalid_client\"}".to_owned(), F::Auth),
        (401, "", "<html>".to_owned(), F::Auth),
        (404, "", "<html>".to_owned(), F::BadRequest),
        (429, "", "<html>".to_owned(), F::Rate),
        (500, "", "{\"error\":\"server_error\"}".to_owned(), F::Overload),
        (502, "", "{\"error\":\"my own\"}".to_owned(), F::Overload),
        (503, "", huge(10_000_000), F::Overload),
        (302, "location: http://127.0.0.1:1/elsewhere\r\n", String::new(), F::BadRequest),
        (307, "location: /elsewhere\r\n", String::new(), F::BadRequest),
    ] {
        let begin = body.chars().take(60).collect::<String>();
        server.say(status, headers, body);
        let n_asked = server.n_asked();
        let error = refresh(&server, &outbound).await;
        assert_eq!(error.class, class, "{status} {begin}: {error}");
        assert!(error.message.len() < 300, "{error}");
        assert_eq!(server.n_asked(), n_asked + 1, "{status} {begin}: it was asked again");
    }
    // Its neighbour, right at the bound, is taken.
    let rest = huge(0).len();
    server.say(200, "", huge(64 * 1024 - rest));
    let settings = settings(&server.at, json!({}));
    tokens().refresh(&reach(&outbound, &settings), NOW).await.unwrap();
}

#[tokio::test]
async fn a_server_that_says_when_is_believed_within_a_day() {
    let (server, outbound) = (Server::start().await, outbound());
    for (said, seconds) in [("17", 17), ("99999999999", 86_400)] {
        server.say(429, &format!("retry-after: {said}\r\n"), "");
        let error = refresh(&server, &outbound).await;
        let after = Some(Duration::from_secs(seconds));
        assert_eq!((error.retry_after, error.status), (after, Some(429)));
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_breaks_off_may_be_asked_again() {
    let (server, outbound) = (Server::start().await, outbound());
    server.fail(Fault::Cut);
    let error = refresh(&server, &outbound).await;
    assert_eq!((error.class, error.class.passes()), (FailureClass::Transport, true));

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let at = format!("http://{}", closed.unwrap().local_addr().unwrap());
    let settings = settings(&at, json!({}));
    let error = tokens().refresh(&reach(&outbound, &settings), NOW).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Transport);

    // A private address is not asked unless somebody allowed that.
    let server_at = OAuthServer { outbound: &outbound, reach: Reach::Public, settings: &settings };
    let error = tokens().refresh(&server_at, NOW).await.unwrap_err();
    assert_eq!(error.class, FailureClass::BadRequest);
}

#[tokio::test]
async fn a_server_that_says_nothing_or_hardly_anything_is_not_waited_for_for_ever() {
    for slow in [Fault::Hang, Fault::Trickle] {
        let server = Server::start().await;
        server.fail(slow);
        let (outbound, settings) = (outbound(), settings(&server.at, json!({})));
        let stuck = server.stuck.clone();
        let asking = tokio::spawn(async move {
            tokens().refresh(&reach(&outbound, &settings), NOW).await.unwrap_err()
        });
        // From here on only time passes.
        stuck.notified().await;
        tokio::time::pause();
        let begun = tokio::time::Instant::now();
        let error = asking.await.unwrap();
        assert_eq!((error.class, error.class.passes()), (FailureClass::Timeout, true), "{error}");
        assert!(begun.elapsed() <= Duration::from_secs(21), "{:?}", begun.elapsed());
        tokio::time::resume();
    }
}

/// Says back everything that it was sent, in every place that it has.
fn echo(status: u16, json: bool) -> Fault {
    Fault::Say(Box::new(move |asked: &Asked| {
        let mut all: Vec<String> = asked.form.values().cloned().collect();
        all.extend(asked.headers.get("authorization").cloned());
        all.push(asked.body.clone());
        let all = all.join(" ");
        let headers = format!("x-said: {}\r\nwww-authenticate: {}\r\n", asked.body, asked.body);
        let body = match json {
            true => {
                json!({ "error": all, "error_description": all, "error_uri": all, "access_token": [all] })
            }
            false => json!(format!("<html>{all}</html>")),
        };
        (status, headers, body.to_string())
    }))
}

#[tokio::test]
async fn a_server_that_says_back_what_it_was_sent_is_not_quoted() {
    let (server, outbound) = (Server::start().await, outbound());
    for auth in ["basic", "body"] {
        let settings = settings(&server.at, json!({ "client_auth": auth }));
        let server_at = reach(&outbound, &settings);
        for (status, json) in
            [(200, true), (200, false), (400, true), (400, false), (401, true), (500, false)]
        {
            let departure = pkce::begin(&settings, &back(), RANDOM).unwrap();
            let query = server.authorize(&departure.url);
            let mut shown = format!("{departure:?} {:?} {:?}", tokens(), Returned::read(&query));
            let mut secrets = vec![CLIENT_SECRET.to_owned(), REFRESH.to_owned()];
            let mut said = |error: Error| shown.push_str(&format!(" {error:?} {error}"));

            server.fail(echo(status, json));
            said(
                pkce::finish(&server_at, departure.flow, Returned::read(&query), NOW)
                    .await
                    .unwrap_err(),
            );
            secrets.extend(["code", "code_verifier"].map(|it| server.last().form[it].clone()));
            server.fail(echo(status, json));
            said(tokens().refresh(&server_at, NOW).await.unwrap_err());
            let mut started = device::begin(&server_at, NOW).await.unwrap();
            server.fail(echo(status, json));
            let later = NOW.plus_ms(5000);
            said(device::poll(&server_at, &mut started, later).await.unwrap_err());
            secrets.push(server.last().form["device_code"].clone());
            server.fail(echo(status, json));
            said(device::begin(&server_at, NOW).await.unwrap_err());
            shown.push_str(&format!("{started:?} {settings:?}"));

            for secret in &secrets {
                let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                let coded = STANDARD.encode(secret.as_bytes());
                for trace in [secret.clone(), url, coded] {
                    assert!(!shown.contains(&trace), "{trace} in {shown}");
                }
            }
            assert!(!shown.contains("Basic "), "{shown}");
        }
    }
}
