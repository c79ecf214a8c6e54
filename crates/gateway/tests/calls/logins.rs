//! Logging in to a provider: by a code on another device and in the browser. Whose a login is, what is kept of it and how,
//! and all the ways to end one that is not one's own.

use crate::{
    server::{CLIENT_SECRET, Reply},
    upstream::{Scene, provider, request, with_session},
};
use mosaic_gateway::{Error, Returned};
use mosaic_protocol::{
    access::{Actor, Denial},
    audit::Deed,
    provider::{ChangeProviderRequest, CredentialKind},
    provider_login::LoginState,
};
use serde_json::{Value, json};
use std::path::Path;

fn hidden<T>(result: Result<T, Error>) -> bool {
    matches!(result.err(), Some(Error::NotFound | Error::Denied(Denial::Hidden)))
}

/// Whether a text stands anywhere in what is stored.
fn is_stored(dir: &Path, text: &str) -> bool {
    let mut files = vec![dir.to_owned()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|it| it == text.as_bytes())
        {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_login_on_another_device_is_finished_by_who_began_it_and_kept_sealed() {
    let scene = Scene::new().await;
    assert!(hidden(scene.begin(&scene.bob, scene.settings()).await));
    let login = scene.begin(&scene.ada, scene.settings()).await.unwrap();
    assert_eq!((login.user_code.as_str(), login.wait_seconds), ("WDJB-MJHT", 5));
    assert!(!format!("{login:?}").contains("WDJB"));
    // Asked too early nobody is asked, and nobody else may ask.
    let n = scene.server.n_asked();
    let early = scene.poll(&scene.ada, &login).await.unwrap();
    assert_eq!((early.state, early.wait_seconds), (LoginState::Pending, Some(5)));
    assert!(hidden(scene.poll(&scene.bob, &login).await));
    assert!(hidden(scene.poll(&Actor::System, &login).await));
    assert_eq!(scene.server.n_asked(), n);

    let replies =
        [Reply::Refuse("authorization_pending"), Reply::Refuse("slow_down"), Reply::Grant];
    scene.server.state().device.extend(replies);
    for wait in [5, 10] {
        scene.place.clock.advance_ms(5_000);
        assert!(hidden(scene.poll(&scene.bob, &login).await));
        let asked = scene.poll(&scene.ada, &login).await.unwrap();
        assert_eq!((asked.state, asked.wait_seconds), (LoginState::Pending, Some(wait)));
    }
    // It stays the slower one that the server wanted.
    scene.place.clock.advance_ms(9_000);
    let asked = scene.poll(&scene.ada, &login).await.unwrap();
    assert_eq!((asked.state, asked.wait_seconds), (LoginState::Pending, Some(1)));
    scene.place.clock.advance_ms(1_000);
    let done = scene.poll(&scene.ada, &login).await.unwrap();
    assert_eq!(done.state, LoginState::Done);
    let provider = done.provider.unwrap();
    assert_eq!((provider.credential, provider.hint.as_str()), (CredentialKind::OAuth, "127.0.0.1"));
    assert!(hidden(scene.poll(&scene.ada, &login).await), "it is good once");

    assert_eq!(scene.call().await.unwrap(), "hello");
    let tokens = scene.api.bearers();
    assert!(tokens.len() == 1 && tokens[0].starts_with("access/token+"), "{tokens:?}");
    let dir = scene.place.dir.path();
    for secret in [&tokens[0], "refresh/token+", CLIENT_SECRET, "device/code+1"] {
        assert!(!is_stored(dir, secret), "{secret}");
    }
    assert!(is_stored(dir, "mine"), "the search finds what is there");
    let shown = scene.place.gateway.list_providers(&scene.ada, None).await.unwrap().items;
    assert!(!serde_json::to_string(&shown).unwrap().contains("token"));
    let page = mosaic_protocol::page::PageQuery { after: None, limit: Some(200) };
    let audit = scene.place.gateway.list_audit(&Actor::System, &page).await.unwrap();
    assert!(audit.items.iter().any(|entry| entry.action == Deed::ChangeProvider.as_str()));
}

#[tokio::test]
async fn a_login_ends_by_no_by_time_and_by_too_many_others() {
    let scene = Scene::new().await;
    for (reply, state) in
        [("access_denied", LoginState::Denied), ("expired_token", LoginState::Expired)]
    {
        let login = scene.begin(&scene.ada, scene.settings()).await.unwrap();
        scene.server.state().device.push_back(Reply::Refuse(reply));
        scene.place.clock.advance_ms(5_000);
        assert_eq!(scene.poll(&scene.ada, &login).await.unwrap().state, state);
        assert!(hidden(scene.poll(&scene.ada, &login).await));
    }
    let login = scene.begin(&scene.ada, scene.settings()).await.unwrap();
    let n = scene.server.n_asked();
    scene.place.clock.advance_ms(300_000);
    assert_eq!(scene.poll(&scene.ada, &login).await.unwrap().state, LoginState::Expired);
    assert_eq!(scene.server.n_asked(), n);
    // What was abandoned makes room, and takes nobody else's.
    let bobs = provider(&scene.place, &scene.bob, &scene.api.at).await.unwrap().id;
    let gateway = &scene.place.gateway;
    let of_bob = gateway.begin_device_login(&scene.bob, bobs, &request(scene.settings())).await;
    let of_bob = of_bob.unwrap();
    let mut logins = vec![];
    for _ in 0..12 {
        logins.push(scene.begin(&scene.ada, scene.settings()).await.unwrap());
        scene.place.clock.advance_ms(1);
    }
    let mut left = 0;
    for login in &logins {
        left += usize::from(scene.poll(&scene.ada, login).await.is_ok());
    }
    assert_eq!(left, 10);
    assert!(scene.poll(&scene.ada, &logins[11]).await.is_ok());
    assert!(scene.poll(&scene.bob, &of_bob).await.is_ok());
}

#[tokio::test]
async fn who_may_no_longer_change_the_provider_does_not_finish_either() {
    let scene = Scene::new().await;
    let login = scene.begin(&scene.ada, scene.settings()).await.unwrap();
    scene.server.state().device.push_back(Reply::Grant);
    scene.place.clock.advance_ms(5_000);
    scene.place.gateway.delete_provider(&scene.ada, scene.provider_id).await.unwrap();
    assert!(hidden(scene.poll(&scene.ada, &login).await), "it went with its provider");

    // A session that has ended meanwhile finishes nothing.
    let scene = Scene::new().await;
    let login = scene.begin(&scene.ada, scene.settings()).await.unwrap();
    scene.server.state().device.push_back(Reply::Grant);
    scene.place.clock.advance_ms(5_000);
    let Actor::User(person) = &scene.ada else { panic!("a person") };
    let mosaic_protocol::access::Grant::Session(id) = person.grant else { panic!("a session") };
    let mut tx = scene.place.gateway.store().write().await.unwrap();
    mosaic_store::sessions::delete(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(scene.poll(&scene.ada, &login).await, Err(Error::Unauthenticated)));
    let shown = scene.place.gateway.list_providers(&scene.ada, None).await.unwrap().items;
    assert_eq!(shown[0].credential, CredentialKind::None);
}

#[tokio::test]
async fn a_provider_that_moves_meanwhile_or_later_does_not_take_the_login_along() {
    let scene = Scene::new().await;
    let gateway = &scene.place.gateway;
    let moved = |to: String, untested: bool| -> ChangeProviderRequest {
        serde_json::from_value(json!({ "base_url": to, "untested": untested })).unwrap()
    };
    // The same server under another name is another host.
    let elsewhere = scene.server.at.clone();
    let login = scene.begin(&scene.ada, scene.settings()).await.unwrap();
    let request = moved(elsewhere.clone(), true);
    gateway.change_provider(&scene.ada, scene.provider_id, &request).await.unwrap();
    scene.server.state().device.push_back(Reply::Grant);
    scene.place.clock.advance_ms(5_000);
    assert!(matches!(scene.poll(&scene.ada, &login).await, Err(Error::Conflict { .. })));

    let request = moved(scene.api.at.clone(), true);
    gateway.change_provider(&scene.ada, scene.provider_id, &request).await.unwrap();
    scene.log_in(scene.settings()).await;
    // On the same host it stays.
    let path = moved(format!("{}/v1", scene.api.at), false);
    let stayed = gateway.change_provider(&scene.ada, scene.provider_id, &path).await.unwrap();
    assert_eq!(stayed.credential, CredentialKind::OAuth);
    scene.call().await.unwrap();
    assert!(scene.api.bearers()[0].starts_with("access/token+"));
    let request = moved(elsewhere.clone(), false);
    let asked = gateway.change_provider(&scene.ada, scene.provider_id, &request).await;
    assert!(
        matches!(&asked, Err(Error::Invalid(said)) if said.contains("log in again")),
        "{asked:?}"
    );
    let request = moved(elsewhere, true);
    let ended = gateway.change_provider(&scene.ada, scene.provider_id, &request).await.unwrap();
    assert_eq!((ended.credential, ended.hint.as_str()), (CredentialKind::None, ""));
    assert!(scene.begin(&scene.ada, Value::Null).await.is_err(), "the settings went with it");
}

#[tokio::test]
async fn settings_are_checked_and_lead_to_no_private_address() {
    let scene = Scene::new().await;
    let with = |field: &str, value: Value| {
        let mut settings = scene.settings();
        settings[field] = value;
        settings
    };
    let n = scene.server.n_asked();
    for (field, value) in [
        ("client_id", json!("")),
        ("client_secret", json!("hush\r\nx: y")),
        ("token_url", json!("http://login.example.org/token")),
        ("token_url", json!("https://user:hush@login.example.org/token")),
        ("token_url", json!("https://10.0.0.1/token")),
        ("token_url", json!("https://169.254.169.254/token")),
        ("device_url", json!("http://127.0.0.1:1/device")),
        ("device_url", json!("https://[::1]/device")),
        ("scopes", json!(["a b"])),
        ("extra", json!({ "client_id": "x" })),
    ] {
        match scene.begin(&scene.ada, with(field, value.clone())).await {
            Err(Error::Invalid(said)) => assert!(!said.contains("hush"), "{said}"),
            other => panic!("{field} {value}: {other:?}"),
        }
    }
    assert_eq!(scene.server.n_asked(), n);
    assert!(matches!(scene.begin(&scene.ada, Value::Null).await, Err(Error::Invalid(_))));
    let no_device = scene.begin(&scene.ada, with("device_url", Value::Null)).await;
    assert!(matches!(no_device, Err(Error::Refused { .. })));
    // What the server says of a wrong secret is told without it.
    let wrong = scene.begin(&scene.ada, with("client_secret", json!("another hush"))).await;
    match wrong {
        Err(Error::Refused { problem, .. }) => assert!(!problem.contains("hush"), "{problem}"),
        other => panic!("{other:?}"),
    }
    // Beside them the good ones, with nothing to find fault with.
    assert!(scene.begin(&scene.ada, scene.settings()).await.is_ok());
    // What runs in our own process has no login.
    let play = scene.place.scripted(&scene.ada, "play", false).await;
    let asked = request(scene.settings());
    let asked = scene.place.gateway.begin_device_login(&scene.ada, play.id, &asked).await;
    assert!(matches!(asked, Err(Error::Invalid(_))));
}

/// What the browser of somebody brings back.
fn back(query: &str) -> Returned {
    let mut returned = Returned::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "state" => returned.state = Some(value.into_owned()),
            "code" => returned.code = Some(value.into_owned()),
            "error" => returned.error = Some(value.into_owned()),
            _ => {}
        }
    }
    returned
}

#[tokio::test]
async fn a_browser_comes_back_once_as_it_left_to_whom_it_left_from() {
    let scene = Scene::new().await;
    let gateway = &scene.place.gateway;
    let begin = || async {
        let asked = request(scene.settings());
        let away =
            gateway.begin_browser_login(&scene.ada, scene.provider_id, &asked).await.unwrap();
        assert!(away.url.contains(
            "redirect_uri=http%3A%2F%2F127.0.0.1%3A6672%2Fapi%2Fproviders%2Flogin%2Fcallback"
        ));
        let query = scene.server.authorize(&away.url);
        (away, query)
    };
    assert!(hidden(
        gateway
            .begin_browser_login(&scene.bob, scene.provider_id, &request(scene.settings()))
            .await
    ));
    let (away, query) = begin().await;
    let (ada, state) = (Some(&scene.ada), Some(away.state.as_str()));
    let n = scene.server.n_asked();
    let bad = |result: Result<_, Error>| matches!(result.map(drop), Err(Error::BadCode));
    // With no cookie, another one, another state, none; as somebody else, as nobody.
    assert!(bad(gateway.finish_browser_login(ada, None, back(&query)).await));
    assert!(bad(gateway.finish_browser_login(ada, Some("x"), back(&query)).await));
    assert!(bad(gateway.finish_browser_login(ada, Some("x"), back("state=x&code=y")).await));
    assert!(bad(gateway.finish_browser_login(ada, state, back("code=y")).await));
    assert!(bad(gateway.finish_browser_login(Some(&scene.bob), state, back(&query)).await));
    let nobody = gateway.finish_browser_login(None, state, back(&query)).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated)));
    assert_eq!(scene.server.n_asked(), n, "nothing was sent");
    // None of that took it from her.
    let provider = gateway.finish_browser_login(ada, state, back(&query)).await.unwrap();
    assert_eq!(provider.credential, CredentialKind::OAuth);
    assert!(bad(gateway.finish_browser_login(ada, state, back(&query)).await), "it is good once");
    assert_eq!(scene.call().await.unwrap(), "hello");

    // Too late, refused, with a code that was not given; each spends it.
    let (away, query) = begin().await;
    scene.place.clock.advance_ms(600_000);
    let state = Some(away.state.as_str());
    assert!(bad(gateway.finish_browser_login(ada, state, back(&query)).await));
    let (away, _) = begin().await;
    let state = Some(away.state.as_str());
    let no = format!("state={}&error=access_denied", away.state);
    assert!(bad(gateway.finish_browser_login(ada, state, back(&no)).await));
    let (away, query) = begin().await;
    let state = Some(away.state.as_str());
    let forged = format!("state={}&code=forged", away.state);
    let forged = gateway.finish_browser_login(ada, state, back(&forged)).await;
    assert!(matches!(forged, Err(Error::ProviderFailed(_))));
    assert!(bad(gateway.finish_browser_login(ada, state, back(&query)).await));
    // Nor does a session that ended, although it is hers.
    let (away, query) = begin().await;
    let (stranger, _) = with_session(&scene.place, "eve").await;
    let (Actor::User(mine), Actor::User(other)) = (&scene.ada, &stranger) else { panic!() };
    let mixed =
        Actor::User(mosaic_protocol::access::Person { grant: other.grant.clone(), ..mine.clone() });
    let state = Some(away.state.as_str());
    let ended = gateway.finish_browser_login(Some(&mixed), state, back(&query)).await;
    assert!(matches!(ended, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn a_changed_master_key_opens_logins_and_those_under_way() {
    let scene = Scene::new().await;
    scene.log_in(scene.settings()).await;
    let login = scene.begin(&scene.ada, Value::Null).await.unwrap();
    scene.place.gateway.store().rotate_secrets(&Actor::System).await.unwrap();
    scene.place.clock.advance_ms(5_000);
    scene.call().await.unwrap();
    assert!(scene.api.bearers()[0].starts_with("access/token+"));
    scene.server.state().device.push_back(Reply::Grant);
    assert_eq!(scene.poll(&scene.ada, &login).await.unwrap().state, LoginState::Done);
    scene.call().await.unwrap();
}
