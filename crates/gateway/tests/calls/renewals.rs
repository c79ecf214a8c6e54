//! Tokens of a provider end, and calls go on: renewed once however many need it, on however many nodes, and not at all when
//! the login is over.

use crate::upstream::{Scene, call};
use mosaic_gateway::{Error, Gateway, ModelSettings, Settings};
use mosaic_protocol::provider::{FailureClass, HealthState, ProviderHealth};
use serde_json::Value;

const HOUR_MS: i64 = 3_600_000;

async fn health(scene: &Scene) -> ProviderHealth {
    let all = scene.place.gateway.providers_health(&scene.ada, None).await.unwrap().items;
    all.into_iter().find(|it| it.id == scene.provider_id).unwrap().health
}

fn class(result: Result<String, Error>) -> FailureClass {
    match result {
        Err(Error::ModelFailed(error)) => error.class,
        other => panic!("{other:?}"),
    }
}

/// Another node on the same store.
fn node(scene: &Scene) -> Gateway {
    let host = |at: &str| at.trim_start_matches("http://").to_owned();
    let private_hosts = vec![host(&scene.server.at), host(&scene.api.at)];
    let models = ModelSettings { private_hosts, ..ModelSettings::default() };
    let settings = Settings { session_days: 1, login_per_minute: 10, providers: vec![], models };
    Gateway::new(scene.place.gateway.store().clone(), settings, None).unwrap()
}

#[tokio::test]
async fn sixty_four_calls_with_an_ended_token_renew_it_once() {
    let scene = Scene::new().await;
    scene.log_in(scene.settings()).await;
    scene.call().await.unwrap();
    let first = scene.api.bearers().remove(0);
    assert_eq!(scene.renewals(), 0);
    // A second time too: the server gives another refresh token each time, and takes each once.
    let mut last = first;
    for n in 1..=2 {
        scene.place.clock.advance_ms(HOUR_MS);
        let calls = (0..64).map(|_| scene.call());
        for text in futures_util::future::join_all(calls).await {
            assert_eq!(text.unwrap(), "hello");
        }
        assert_eq!(scene.renewals(), n);
        let bearers = scene.api.bearers();
        assert_eq!(bearers.len(), 64);
        assert!(bearers.iter().all(|it| *it == bearers[0] && *it != last), "{bearers:?}");
        last.clone_from(&bearers[0]);
    }
    // What was kept is what a new process finds.
    let again = node(&scene);
    assert_eq!(call(&again, &scene.ada).await.unwrap(), "hello");
    assert_eq!(scene.api.bearers(), [last]);
    assert_eq!(scene.renewals(), 2);
}

#[tokio::test]
async fn two_nodes_renew_a_login_once() {
    let scene = Scene::new().await;
    scene.log_in(scene.settings()).await;
    let other = node(&scene);
    call(&other, &scene.ada).await.unwrap();
    scene.call().await.unwrap();
    scene.api.bearers();
    scene.place.clock.advance_ms(HOUR_MS);
    let calls = (0..16).flat_map(|_| [&scene.place.gateway, &other]);
    let calls = calls.map(|gateway| call(gateway, &scene.ada));
    for text in futures_util::future::join_all(calls).await {
        assert_eq!(text.unwrap(), "hello");
    }
    assert_eq!(scene.renewals(), 1);
    let bearers = scene.api.bearers();
    assert!(bearers.len() == 32 && bearers.iter().all(|it| *it == bearers[0]), "{bearers:?}");
}

#[tokio::test]
async fn a_login_that_is_over_is_shown_and_not_tried_again_until_somebody_logs_in() {
    let scene = Scene::new().await;
    scene.log_in(scene.settings()).await;
    scene.call().await.unwrap();
    scene.place.clock.advance_ms(HOUR_MS);
    scene.server.say(400, "", r#"{"error":"invalid_grant","error_description":"hush"}"#);
    assert_eq!(class(scene.call().await), FailureClass::Auth);
    let shown = health(&scene).await;
    let error = shown.last_error.unwrap();
    assert_eq!((shown.state, error.class), (HealthState::Down, FailureClass::Auth));
    assert!(error.message.contains("log in again") && !error.message.contains("hush"));
    let renewals = scene.renewals();
    scene.place.clock.advance_ms(HOUR_MS);
    assert!(scene.call().await.is_err());
    // Nor does a process that has seen nothing of it ask again.
    assert!(call(&node(&scene), &scene.ada).await.is_err());
    assert_eq!(scene.renewals(), renewals);
    let models = scene.place.gateway.list_models(&scene.ada, None).await.unwrap();
    assert!(
        models.iter().all(|it| it.unavailable.as_ref().is_some_and(|it| it.contains("log in")))
    );
    // With the settings of the login before.
    scene.api.bearers();
    scene.log_in(Value::Null).await;
    assert_eq!(scene.call().await.unwrap(), "hello");
    assert_eq!(scene.api.bearers().len(), 1);
}

#[tokio::test]
async fn a_login_server_that_is_away_for_a_moment_takes_nothing_from_a_token_that_lasts() {
    let scene = Scene::new().await;
    scene.log_in(scene.settings()).await;
    scene.call().await.unwrap();
    let first = scene.api.bearers().remove(0);
    scene.place.clock.advance_ms(HOUR_MS - 30_000);
    scene.server.say(503, "", "busy");
    for _ in 0..3 {
        assert_eq!(scene.call().await.unwrap(), "hello");
    }
    assert_eq!(scene.api.bearers(), [first.as_str(); 3]);
    assert_eq!(scene.renewals(), 1, "nobody tries again for a while");
    scene.place.clock.advance_ms(6_000);
    assert_eq!(scene.call().await.unwrap(), "hello");
    let second = scene.api.bearers().remove(0);
    assert_ne!(second, first);
    // One that has ended cannot be used, and a failure that passes ends no login.
    scene.place.clock.advance_ms(HOUR_MS);
    for _ in 0..2 {
        scene.server.say(503, "", "busy");
    }
    assert_eq!(class(scene.call().await), FailureClass::Overload);
    scene.server.state().faults.clear();
    scene.place.clock.advance_ms(HOUR_MS);
    assert_eq!(scene.call().await.unwrap(), "hello");
    assert_ne!(scene.api.bearers().remove(0), second);
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_renewed_and_the_call_sent_once_more() {
    let scene = Scene::new().await;
    scene.log_in(scene.settings()).await;
    scene.call().await.unwrap();
    let first = scene.api.bearers().remove(0);
    let n: usize = first.rsplit('+').next().unwrap().parse().unwrap();
    let second = format!("access/token+{}", n + 1);
    scene.api.takes_only(&second);
    assert_eq!(scene.call().await.unwrap(), "hello");
    assert_eq!(scene.api.bearers(), [first, second.clone()]);
    assert_eq!(scene.renewals(), 1);
    assert_eq!(scene.call().await.unwrap(), "hello");
    assert_eq!(scene.api.bearers(), [second]);
    // One that takes none at all is asked twice, and then it is its answer.
    scene.api.takes_only("nothing");
    assert_eq!(class(scene.call().await), FailureClass::Auth);
    assert_eq!((scene.api.bearers().len(), scene.renewals()), (2, 2));
}
