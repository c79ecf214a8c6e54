//! Renewing what a login gave, with a server that takes the second use of a refresh token for theft.

use crate::{NOW, RANDOM, back, outbound, reach, server::Server, settings};
use mosaic_models::oauth::{
    OAuthServer, OAuthSettings, Refresher, Tokens,
    pkce::{self, Returned},
};
use mosaic_outbound::{Outbound, Reach};
use mosaic_protocol::provider::FailureClass;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::sync::Barrier;

async fn log_in(server: &Server, outbound: &Outbound, settings: &OAuthSettings) -> Tokens {
    let departure = pkce::begin(settings, &back(), RANDOM).unwrap();
    let returned = Returned::read(&server.authorize(&departure.url));
    pkce::finish(&reach(outbound, settings), departure.flow, returned, NOW).await.unwrap()
}

#[tokio::test]
async fn a_refresh_token_changes_and_its_second_use_ends_the_login() {
    let (server, outbound) = (Server::start().await, outbound());
    let settings = settings(&server.at, json!({}));
    let server_at = reach(&outbound, &settings);
    let first = log_in(&server, &outbound, &settings).await;
    let later = NOW.plus_hours(2);
    assert!(first.needs_refresh(later, std::time::Duration::ZERO));
    let second = first.refresh(&server_at, later).await.unwrap();
    assert_ne!(second.refresh.as_ref().unwrap().expose(), first.refresh.as_ref().unwrap().expose());
    assert_ne!(second.access.expose(), first.access.expose());
    assert_eq!(second.expires_at, Some(later.plus_hours(1)));

    let failed = first.refresh(&server_at, later).await.unwrap_err();
    assert_eq!((failed.class, failed.class.passes()), (FailureClass::Auth, false));
    assert!(failed.to_string().contains("log in again"), "{failed}");
    assert!(second.refresh(&server_at, later).await.is_err());
}

#[tokio::test]
async fn an_old_refresh_token_stays_where_no_new_one_comes() {
    let (server, outbound) = (Server::start().await, outbound());
    let settings = settings(&server.at, json!({}));
    server.state().keeps_refresh = true;
    let first = log_in(&server, &outbound, &settings).await;
    let second = first.refresh(&reach(&outbound, &settings), NOW).await.unwrap();
    assert_eq!(second.refresh.as_ref().unwrap().expose(), first.refresh.as_ref().unwrap().expose());
    let third = second.refresh(&reach(&outbound, &settings), NOW).await.unwrap();
    assert_ne!(third.access.expose(), first.access.expose());
    // Without one there is nothing to send.
    let n_asked = server.n_asked();
    let failed = Tokens { refresh: None, ..third }.refresh(&reach(&outbound, &settings), NOW).await;
    assert_eq!(failed.unwrap_err().class, FailureClass::Auth);
    assert_eq!(server.n_asked(), n_asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_renew_once_and_the_login_lives() {
    const CALLS: usize = 64;
    const ROUNDS: usize = 3;
    let (server, outbound) = (Server::start().await, outbound());
    let settings = settings(&server.at, json!({}));
    // What a table would hold.
    let stored = Arc::new(Mutex::new(log_in(&server, &outbound, &settings).await));
    let refresher = Arc::new(Refresher::new());
    for _ in 0..ROUNDS {
        let everybody = Arc::new(Barrier::new(CALLS));
        let calls: Vec<_> = (0..CALLS)
            .map(|_| {
                let (refresher, everybody, stored) =
                    (refresher.clone(), everybody.clone(), stored.clone());
                let (outbound, settings) = (outbound.clone(), settings.clone());
                tokio::spawn(async move {
                    let held = stored.lock().unwrap().clone();
                    everybody.wait().await;
                    let old = held.clone();
                    let run = || async move {
                        let server = OAuthServer {
                            outbound: &outbound,
                            reach: Reach::Private,
                            settings: &settings,
                        };
                        let tokens = old.refresh(&server, NOW).await?;
                        *stored.lock().unwrap() = tokens.clone();
                        Ok(tokens)
                    };
                    refresher
                        .renew("provider", &held, run)
                        .await
                        .unwrap()
                        .access
                        .expose()
                        .to_owned()
                })
            })
            .collect();
        let mut got = vec![];
        for call in calls {
            got.push(call.await.unwrap());
        }
        got.dedup();
        assert_eq!(got, [stored.lock().unwrap().access.expose()]);
    }
    assert_eq!(server.n_asked(), 1 + ROUNDS);
    // No token was used twice, or the login would have ended.
    let held = stored.lock().unwrap().clone();
    held.refresh(&reach(&outbound, &settings), NOW).await.unwrap();
}
