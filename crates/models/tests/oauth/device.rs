//! The login on another device: every answer that a server can give.

use crate::{
    NOW, outbound, reach,
    server::{Reply, Server},
    settings,
};
use mosaic_models::oauth::device::{self, Polled, Started};
use mosaic_protocol::{Time, provider::FailureClass};
use serde_json::json;
use std::time::Duration;

fn told(polled: &Polled) -> String {
    match polled {
        Polled::Pending { wait } => format!("wait {}", wait.as_secs()),
        Polled::Done(tokens) => {
            assert!(tokens.access.expose().starts_with("access/token+"));
            "done".into()
        }
        Polled::Denied => "denied".into(),
        Polled::Expired => "expired".into(),
    }
}

/// Asks whenever it is time, and says what came of it.
async fn answers(replies: &[Reply], refuses_with_200: bool) -> Vec<String> {
    let (server, outbound) = (Server::start().await, outbound());
    let settings =
        settings(&server.at, json!({ "extra": { "audience": "https://api.example.org" } }));
    let server_at = reach(&outbound, &settings);
    server.state().refuses_with_200 = refuses_with_200;
    server.state().device = replies.iter().copied().collect();
    let mut started = device::begin(&server_at, NOW).await.unwrap();
    assert_eq!(server.last().form["audience"], "https://api.example.org");
    let (mut now, mut came) = (NOW, vec![]);
    loop {
        let wait = started.wait(now);
        now = now.plus_ms(i64::try_from(wait.as_millis()).unwrap());
        // It lies in a table between two questions.
        started = Started::from_json(&started.to_json()).unwrap();
        let polled = device::poll(&server_at, &mut started, now).await.unwrap();
        came.push(told(&polled));
        if !matches!(polled, Polled::Pending { .. }) {
            assert!(server.state().device.is_empty(), "{came:?}");
            return came;
        }
    }
}

#[tokio::test]
async fn it_is_asked_until_there_is_an_answer() {
    use Reply::{Grant, Refuse};
    const PENDING: Reply = Refuse("authorization_pending");
    for with_200 in [false, true] {
        assert_eq!(
            answers(&[PENDING, PENDING, Grant], with_200).await,
            ["wait 5", "wait 5", "done"]
        );
        assert_eq!(
            answers(&[Refuse("slow_down"), PENDING, Refuse("slow_down"), Grant], with_200).await,
            ["wait 10", "wait 10", "wait 15", "done"]
        );
        assert_eq!(answers(&[Refuse("access_denied")], with_200).await, ["denied"]);
        assert_eq!(
            answers(&[PENDING, Refuse("expired_token")], with_200).await,
            ["wait 5", "expired"]
        );
    }
    // Nobody answers: it ends by itself, and the last questions are not asked.
    let came = answers(&[PENDING; 59], false).await;
    assert_eq!((came.len(), came.last().unwrap().as_str()), (60, "expired"));
}

#[tokio::test]
async fn whoever_asks_too_early_waits_without_a_request() {
    let (server, outbound) = (Server::start().await, outbound());
    let settings = settings(&server.at, json!({}));
    let server_at = reach(&outbound, &settings);
    let mut started = device::begin(&server_at, NOW).await.unwrap();
    for seconds in 0..5 {
        let polled = device::poll(&server_at, &mut started, NOW.plus_ms(seconds * 1000)).await;
        assert_eq!(told(&polled.unwrap()), format!("wait {}", 5 - seconds));
    }
    let late = device::poll(&server_at, &mut started, NOW.plus_minutes(5)).await.unwrap();
    assert_eq!(told(&late), "expired");
    assert_eq!(server.n_asked(), 1);
}

#[tokio::test]
async fn a_failure_in_between_passes_and_is_asked_about_less_often() {
    let (server, outbound) = (Server::start().await, outbound());
    let settings = settings(&server.at, json!({}));
    let server_at = reach(&outbound, &settings);
    let mut started = device::begin(&server_at, NOW).await.unwrap();
    server.say(503, "retry-after: 40\r\n", "<html>busy</html>");
    let now = NOW.plus_ms(5000);
    let failed = device::poll(&server_at, &mut started, now).await.unwrap_err();
    assert_eq!(failed.class, FailureClass::Overload);
    assert_eq!(started.wait(now), Duration::from_secs(40));
    server.state().device = [Reply::Grant].into();
    let now = now.plus_ms(40_000);
    assert_eq!(told(&device::poll(&server_at, &mut started, now).await.unwrap()), "done");
    // What asking again does not mend is no reason to wait.
    server.say(401, "", "{\"error\":\"invalid_client\"}");
    let failed = device::poll(&server_at, &mut started, now.plus_minutes(1)).await.unwrap_err();
    assert_eq!(failed.class, FailureClass::Auth);
}

#[tokio::test]
async fn waiting_ends_with_the_persons_answer() {
    let (server, outbound) = (Server::start().await, outbound());
    let settings = settings(&server.at, json!({}));
    let server_at = reach(&outbound, &settings);
    let started = device::begin(&server_at, NOW).await.unwrap();
    let wait = async |reply, now: Time| {
        server.state().device = [reply].into();
        device::wait_for(&server_at, started.clone(), now).await
    };
    // It is time to ask, so nothing has to be waited for.
    let now = NOW.plus_ms(5000);
    assert!(wait(Reply::Grant, now).await.unwrap().refresh.is_some());
    let denied = wait(Reply::Refuse("access_denied"), now).await.unwrap_err();
    assert_eq!(denied.class, FailureClass::Refused);
    let expired = wait(Reply::Refuse("expired_token"), now).await.unwrap_err();
    assert_eq!(expired.class, FailureClass::Auth);
    let late = wait(Reply::Grant, NOW.plus_minutes(6)).await.unwrap_err();
    assert_eq!(late.class, FailureClass::Auth);
    assert_eq!(server.state().device.len(), 1, "it was asked after the end");
}

#[tokio::test]
async fn a_provider_without_it_says_so() {
    let outbound = outbound();
    let settings =
        settings("http://127.0.0.1:9", json!({ "device_url": null, "authorize_url": null }));
    let failed = device::begin(&reach(&outbound, &settings), NOW).await.unwrap_err();
    assert_eq!(failed.class, FailureClass::BadRequest);
    let failed = mosaic_models::oauth::pkce::begin(&settings, &crate::back(), crate::RANDOM);
    assert_eq!(failed.unwrap_err().class, FailureClass::BadRequest);
}
