//! The same logins against a real provider, as its own program. It is lent by `TEST_OIDC_PROVIDER`; without it these
//! tests say so and are skipped, unless they are required.

use crate::{
    NOW, RANDOM,
    browser::{Browser, Says},
    outbound, reach,
};
use mosaic_models::oauth::{
    OAuthSettings, ServerUrl,
    device::{self, Polled, Started},
    pkce::{self, Returned},
};
use mosaic_protocol::{Time, provider::FailureClass};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

const BACK: &str = "http://127.0.0.1:1455/back";

/// The provider as a process; it ends with this.
struct Provider {
    child: Child,
    said: Value,
}

impl Provider {
    #[expect(clippy::disallowed_methods, reason = "a real provider is a program of its own")]
    fn start() -> Option<Provider> {
        const VARIABLE: &str = "TEST_OIDC_PROVIDER";
        let Ok(script) = std::env::var(VARIABLE) else {
            let required = std::env::var_os("TEST_REQUIRED").is_some()
                || std::env::var("CI").is_ok_and(|it| it == "true");
            assert!(!required, "{VARIABLE} is not set");
            eprintln!("skipped: {VARIABLE} is not set");
            return None;
        };
        let mut child = Command::new("node")
            .arg(script)
            .arg(json!({ "redirect_uri": BACK }).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(Provider { child, said: serde_json::from_str(&line).unwrap() })
    }

    /// With a secret, or as the client that has none.
    fn settings(&self, secret: Option<&str>) -> OAuthSettings {
        let issuer = self.said["issuer"].as_str().unwrap();
        let id = if secret.is_some() { "client_id" } else { "device_client_id" };
        serde_json::from_value(json!({
            "client_id": self.said[id],
            "client_secret": secret,
            "authorize_url": format!("{issuer}/auth"),
            "token_url": format!("{issuer}/token"),
            "device_url": format!("{issuer}/device/auth"),
            "scopes": ["openid", "offline_access"],
            // It gives refresh tokens only to who asks the person.
            "extra": { "prompt": "consent" },
        }))
        .unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_login_by_browser_is_renewed_and_a_refresh_token_works_once() {
    let Some(provider) = Provider::start() else { return };
    let outbound = outbound();
    let ours = ServerUrl::try_from(BACK.to_owned()).unwrap();
    for secret in [Some("test-secret"), None] {
        let settings = provider.settings(secret);
        let server = reach(&outbound, &settings);
        let departure = pkce::begin(&settings, &ours, RANDOM).unwrap();
        let link = Browser::new(&outbound).walk(&departure.url, BACK, Says::Yes).await;
        let query = link.split_once('?').unwrap().1;
        let again = pkce::Flow::from_json(&departure.flow.to_json()).unwrap();
        let first =
            pkce::finish(&server, departure.flow, Returned::read(query), NOW).await.unwrap();
        assert_eq!(first.expires_at, Some(NOW.plus_minutes(10)));
        let second = first.refresh(&server, NOW).await.unwrap();
        assert_ne!(second.access.expose(), first.access.expose());
        let (old, new) = (first.refresh.as_ref().unwrap(), second.refresh.as_ref().unwrap());
        // It changes the refresh tokens of clients that cannot prove who they are.
        assert_eq!(old.expose() != new.expose(), secret.is_none());
        if secret.is_none() {
            let failed = first.refresh(&server, NOW).await.unwrap_err();
            assert_eq!(failed.class, FailureClass::Auth);
            assert!(second.refresh(&server, NOW).await.is_err(), "the login should have ended");
        }
        let failed = pkce::finish(&server, again, Returned::read(query), NOW).await.unwrap_err();
        assert_eq!(failed.class, FailureClass::Auth, "a code worked twice");
    }

    // A wrong verifier.
    let settings = provider.settings(None);
    let server = reach(&outbound, &settings);
    let departure = pkce::begin(&settings, &ours, RANDOM).unwrap();
    let link = Browser::new(&outbound).walk(&departure.url, BACK, Says::Yes).await;
    let thief = pkce::begin(&settings, &ours, [[1; 32], RANDOM[1]]).unwrap();
    let returned = Returned::read(link.split_once('?').unwrap().1);
    let failed = pkce::finish(&server, thief.flow, returned, NOW).await.unwrap_err();
    assert_eq!(failed.class, FailureClass::Auth);
    // A wrong secret.
    let settings = provider.settings(Some("not-it"));
    let failed = first_question(&outbound, &settings).await.unwrap_err();
    assert_eq!(failed.class, FailureClass::Auth, "{failed}");
}

async fn first_question(
    outbound: &mosaic_outbound::Outbound,
    settings: &OAuthSettings,
) -> mosaic_models::Result<Started> {
    device::begin(&reach(outbound, settings), NOW).await
}

#[tokio::test]
async fn a_login_on_another_device_waits_for_its_person() {
    let Some(provider) = Provider::start() else { return };
    let outbound = outbound();
    let settings = provider.settings(None);
    let server = reach(&outbound, &settings);
    let ask = async |started: &mut Started, now: &mut Time| {
        *now = now.plus_ms(i64::try_from(started.wait(*now).as_millis()).unwrap());
        device::poll(&server, started, *now).await.unwrap()
    };
    for says in [Says::Yes, Says::No] {
        let mut now = NOW;
        let mut started = first_question(&outbound, &settings).await.unwrap();
        assert_eq!(started.expires_at, NOW.plus_minutes(10));
        let early = ask(&mut started, &mut now).await;
        assert!(matches!(early, Polled::Pending { .. }), "{early:?}");
        let page = started.verification_uri_complete.clone().unwrap();
        Browser::new(&outbound).walk(&page, "nowhere", says).await;
        match (says, ask(&mut started, &mut now).await) {
            (Says::Yes, Polled::Done(tokens)) => {
                let renewed = tokens.refresh(&server, NOW).await.unwrap();
                assert_ne!(renewed.access.expose(), tokens.access.expose());
            }
            (Says::No, Polled::Denied) => {}
            (says, polled) => panic!("{says:?}: {polled:?}"),
        }
    }
}
