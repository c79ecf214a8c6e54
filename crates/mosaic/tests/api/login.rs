//! Logging in by password: a stranger learns nothing from the answer or its time, and cannot go on guessing.

use crate::{on_both, support::*};
use http::HeaderMap;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_both!(a_failed_login_tells_nothing, guessing_is_throttled);

fn login(name: &str) -> Value {
    json!({ "name": name, "password": "not the password" })
}

/// The headers that can tell something: those that are there, and what they say, but for the request's own.
fn outline(headers: &HeaderMap) -> Vec<String> {
    let own = ["x-request-id", "date"];
    let lines = headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    lines.map(|(name, value)| format!("{name}: {value:?}")).collect()
}

async fn a_failed_login_tells_nothing(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    gateway.invite(&root, "known").await;
    let suspended = gateway.invite(&root, "suspended").await;
    root.post(&format!("/api/users/{}/suspend", suspended.id), Value::Null).await.is(200);
    root.post("/api/users", json!({ "name": "without-password" })).await.is(201);
    let right = json!({ "name": "suspended", "password": PASSWORD });

    let tries =
        [login("known"), login("nobody"), login("suspended"), right, login("without-password")];
    let expected = gateway.post("/api/login", login("known")).await.refused(401, "wrong_login");
    // Others run on the same cores; what is true shows in one of a few tries.
    let mut seen = vec![];
    for _ in 0..4 {
        let mut times = vec![vec![]; tries.len()];
        for _ in 0..12 {
            for (n, json) in tries.iter().enumerate() {
                let begun = Instant::now();
                let answer = gateway.post("/api/login", json.clone()).await;
                times[n].push(begun.elapsed());
                assert_eq!(answer.face(), expected.face(), "{json}");
                assert_eq!(outline(&answer.headers), outline(&expected.headers), "{json}");
            }
        }
        let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
        let ratios: Vec<f64> = medians.iter().map(|it| it / medians[0]).collect();
        if ratios.iter().all(|ratio| (0.7..1.4).contains(ratio)) {
            return;
        }
        seen.push(ratios);
    }
    panic!("the time tells who is known: {seen:.2?}");
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

async fn guessing_is_throttled(database: Database) {
    let settings = [
        ("throttle.login_per_minute", "3"),
        ("throttle.token_per_minute", "4"),
        ("throttle.user_per_minute", "20"),
    ];
    let Some(gateway) = Gateway::start(database, &settings) else { return };
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;

    // Whether there is such an account makes no difference here, either.
    for name in ["ada", "nobody"] {
        for _ in 0..3 {
            gateway.post("/api/login", login(name)).await.refused(401, "wrong_login");
        }
        let refused = gateway.post("/api/login", login(name)).await.refused(429, "throttled");
        let wait: u32 = refused.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    // Also with the right password; and somebody else is not kept out by it.
    let right = json!({ "name": "ada", "password": PASSWORD });
    gateway.post("/api/login", right).await.refused(429, "throttled");
    gateway.post("/api/login", json!({ "name": "root", "password": PASSWORD })).await.is(200);
    ada.get("/api/me").await.is(200);

    // A password that is asked for once more is guessed at no faster.
    let change = json!({ "current": "not it", "new": "battery staple" });
    for _ in 0..3 {
        ada.post("/api/me/password", change.clone()).await.refused(401, "wrong_login");
    }
    ada.post("/api/me/password", change).await.refused(429, "throttled");

    // A token has its own share of what its owner has.
    let (first, second) = (ada.with_token(&["read"]).await, ada.with_token(&["read"]).await);
    for _ in 0..4 {
        first.get("/api/me").await.is(200);
    }
    let refused = first.get("/api/me").await.refused(429, "throttled");
    assert_ne!(refused.header("retry-after"), "");
    second.get("/api/me").await.is(200);
    let mut statuses = vec![];
    for _ in 0..20 {
        statuses.push(ada.get("/api/me").await.status);
    }
    assert_eq!((statuses[0], statuses[19]), (200, 429), "{statuses:?}");
    root.get("/api/me").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_its_share() {
    let settings = [("throttle.address_per_minute", "5"), ("trusted_proxies", "127.0.0.1")];
    let gateway = Gateway::start_sqlite(&settings);
    let from = async |address: &str| {
        let request = http::Request::get("/healthz").header("x-forwarded-for", address);
        gateway.send(request.body(bytes::Bytes::new()).unwrap()).await
    };
    for _ in 0..5 {
        from("203.0.113.1").await.is(200);
    }
    let refused = from("203.0.113.1").await.refused(429, "throttled");
    assert_ne!(refused.header("retry-after"), "");
    assert_ne!(refused.header("content-security-policy"), "");
    from("203.0.113.2").await.is(200);
    // Somebody with a whole IPv6 network is one somebody.
    for n in 0..5 {
        from(&format!("2001:db8::{n}")).await.is(200);
    }
    from("2001:db8::ffff:ffff").await.refused(429, "throttled");
    from("2001:db8:0:1::1").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessers_from_everywhere_do_not_lock_the_owner_out() {
    let settings = [("throttle.login_per_minute", "4"), ("trusted_proxies", "127.0.0.1")];
    let gateway = Gateway::start_sqlite(&settings);
    gateway.admin().await;
    let from = async |gateway: &Gateway, address: &str, json: Value| {
        let request = http::Request::post("/api/login")
            .header("x-forwarded-for", address)
            .header("content-type", "application/json")
            .body(json.to_string().into());
        gateway.send(request.unwrap()).await
    };
    let right = || json!({ "name": "root", "password": PASSWORD });
    // One IPv6 customer is one guesser, whatever address of theirs they come from.
    for n in 0..4 {
        from(&gateway, &format!("2001:db8:0:1::{n}"), login("root")).await.is(401);
    }
    from(&gateway, "2001:db8:0:1:ffff::", login("root")).await.refused(429, "throttled");
    from(&gateway, "2001:db8:0:2::1", right()).await.is(200);

    // All together have emptied what the account has for strangers.
    let guess = async |gateway: &Gateway, net: u8| {
        let mut refused = 0;
        for n in 0..30 {
            let tried = from(gateway, &format!("203.0.{net}.{n}"), login("root")).await;
            refused += u32::from(tried.status == 429);
        }
        assert!(refused >= 9, "{refused}");
        from(gateway, "198.51.100.1", right()).await.refused(429, "throttled");
    };
    guess(&gateway, 113).await;
    from(&gateway, "2001:db8:0:2::99", right()).await.is(200);
    // After a start, the sessions that are open still tell where the owner comes from.
    let gateway = Gateway::start_at(gateway.stop().await, &settings);
    guess(&gateway, 114).await;
    from(&gateway, "2001:db8:0:2:aaaa::", right()).await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_code_costs_no_password_hash() {
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let path = format!("/api/users/{}/recovery", root.id);
    let link = root.post(&path, Value::Null).await.ok()["link"].clone();
    let recovery = |code: &str| json!({ "code": code, "password": "battery staple" });
    // Others run on the same cores: the best of a few tells what the work is.
    let mut quickest = Duration::MAX;
    for _ in 0..8 {
        let begun = Instant::now();
        gateway.post("/api/recovery", recovery("wrong-code")).await.refused(403, "bad_code");
        quickest = quickest.min(begun.elapsed());
    }
    let begun = Instant::now();
    gateway.post("/api/recovery", recovery(&code_of(&link))).await.is(204);
    assert!(quickest * 3 < begun.elapsed(), "{quickest:?}, with a hash {:?}", begun.elapsed());
    let setup = json!({ "code": "wrong-code", "name": "eve", "password": PASSWORD });
    gateway.post("/api/setup", setup).await.refused(403, "bad_code");
}
