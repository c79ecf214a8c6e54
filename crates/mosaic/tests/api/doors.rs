//! What is true of every answer, and who is let in at all: headers, methods, hosts, proxies, other sites, sizes.

use crate::support::*;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use serde_json::{Value, json};

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::new()).unwrap()
}

/// A login with these headers.
fn login(headers: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = request(Method::POST, "/api/login", headers);
    let json = "application/json".parse().unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    let body = json!({ "name": "root", "password": PASSWORD }).to_string();
    request.map(|_| body.into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_guarded() {
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let mut answers = vec![];
    for path in [
        "/",
        "/docs",
        "/openapi.json",
        "/healthz",
        "/readyz",
        "/api/info",
        "/api/nothing",
        "/nothing",
    ] {
        answers.push((path.to_owned(), gateway.get(path).await));
        answers
            .push((format!("HEAD {path}"), gateway.send(request(Method::HEAD, path, &[])).await));
    }
    answers.push(("me".into(), root.get("/api/me").await));
    answers.push(("401".into(), gateway.get("/api/me").await.refused(401, "unauthenticated")));
    let delete = gateway.call(Method::DELETE, "/api/info", Value::Null).await;
    assert_ne!(delete.header("allow"), "");
    answers.push(("405".into(), delete.refused(405, "method_not_allowed")));
    let host = request(Method::GET, "/", &[("host", "evil.example")]);
    answers.push(("403".into(), gateway.send(host).await.refused(403, "wrong_origin")));
    answers
        .push(("400".into(), gateway.post("/api/login", json!({})).await.refused(400, "invalid")));

    let mut ids = std::collections::BTreeSet::new();
    for (what, answer) in answers {
        let policy = answer.header("content-security-policy");
        for part in
            ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(part), "{what}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", ""),
            ("server", ""),
        ] {
            assert_eq!(answer.header(name), value, "{what}");
        }
        let media = answer.header("content-type");
        assert!(!media.starts_with("text/") || media.contains("charset=utf-8"), "{what}: {media}");
        let kept = answer.header("cache-control");
        assert!(matches!(kept, "no-store" | "no-cache"), "{what}: {kept}");
        assert!(ids.insert(answer.header("x-request-id").to_owned()), "{what}: an id twice");
        match what.starts_with("HEAD") {
            true => assert!(answer.body.is_empty(), "{what}"),
            false if answer.status >= 400 && what != "/" => drop(answer.in_due_form()),
            false => {}
        }
    }
    gateway.send(request(Method::HEAD, "/healthz", &[])).await.is(200);
    gateway.send(request(Method::HEAD, "/nothing", &[])).await.is(404);
    gateway.send(request(Method::HEAD, "/api/me", &[])).await.is(401);
    // A path has one spelling.
    for path in ["/api/me/", "//api/me", "/API/me", "/api/%6De", "/api/./me", "/api/x/../me"] {
        root.get(path).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_the_page_do_not_lead_out_of_it() {
    let gateway = Gateway::start_sqlite(&[]);
    for path in [
        "/../Cargo.toml",
        "/..%2fCargo.toml",
        "/%2e%2e/Cargo.toml",
        "/assets/../../package.json",
        "/assets/..%2f..%2f..%2fpackage.json",
        "/..\\package.json",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/assets/",
        "/index.html%00",
    ] {
        let Ok(uri) = path.parse::<http::Uri>() else { continue };
        let answer = gateway.get(&uri.to_string()).await;
        answer.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_must_be_known() {
    let settings =
        [("allowed_hosts", "mosaic.internal"), ("public_url", "https://chat.example.org")];
    let gateway = Gateway::start_sqlite(&settings);
    let port = gateway.address().port();
    let status = async |host: &str| {
        gateway.send(request(Method::GET, "/api/info", &[("host", host)])).await.status
    };
    for host in [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1",
        "[::1]:6672",
        "192.168.7.7",
        "mosaic.internal",
        "Mosaic.Internal:8080",
        "chat.example.org",
        "CHAT.example.org",
        &format!("localhost:{port}"),
    ] {
        assert_eq!(status(host).await, 200, "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "mosaic.internal.evil.example",
        "xmosaic.internal",
        "chat.example.org.evil.example",
        "chat.example.org:8443",
        "127.0.0.1.nip.io",
        "[::1",
        "user@localhost",
        "",
    ] {
        assert_eq!(status(host).await, 403, "{host}");
    }
    // At the public address it is TLS that people speak, whatever the proxy says.
    gateway.admin().await;
    let public = [("host", "chat.example.org"), ("origin", "https://chat.example.org")];
    let answer = gateway.send(login(&public)).await.is(200);
    assert!(answer.header("set-cookie").starts_with("__Host-mosaic_session="));
    let plain = [("host", "chat.example.org"), ("origin", "http://chat.example.org")];
    gateway.send(login(&plain)).await.refused(403, "wrong_origin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_proxies_that_are_trusted_are_believed() {
    let forwarded =
        [("x-forwarded-for", "198.51.100.7, 203.0.113.9"), ("x-forwarded-proto", "https")];
    for trusted in [true, false] {
        let settings: &[_] = if trusted { &[("trusted_proxies", "127.0.0.0/8")] } else { &[] };
        let gateway = Gateway::start_sqlite(settings);
        gateway.admin().await;
        let answer = gateway.send(login(&forwarded)).await.is(200);
        let cookie = answer.header("set-cookie").to_owned();
        let secret = answer.cookie("mosaic_session").unwrap();
        assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
        assert!(cookie.contains("; Path=/") && !cookie.contains("Domain"), "{cookie}");
        assert_eq!(cookie.contains("; Secure"), trusted, "{cookie}");
        assert_eq!(cookie.starts_with("__Host-"), trusted, "{cookie}");
        assert_eq!(!answer.header("strict-transport-security").is_empty(), trusted);

        let name = if trusted { "__Host-mosaic_session" } else { "mosaic_session" };
        let cookie = format!("{name}={secret}");
        let mut headers = forwarded.to_vec();
        headers.push(("cookie", &cookie));
        let sessions = gateway.send(request(Method::GET, "/api/me/sessions", &headers)).await.ok();
        let items = sessions["items"].as_array().unwrap();
        let current = items.iter().find(|it| it["current"] == true).unwrap();
        let address = if trusted { "203.0.113.9" } else { "127.0.0.1" };
        assert_eq!(current["address"], address, "what lies behind a stranger's word is not read");
        // The cookie of one way is none on the other.
        let way: &[_] = if trusted { &[] } else { &forwarded };
        let mut headers = way.to_vec();
        headers.push(("cookie", &cookie));
        let other = gateway.send(request(Method::GET, "/api/me", &headers)).await;
        assert_eq!(other.status, if trusted { 401 } else { 200 });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sites_are_let_in_only_where_listed_and_without_cookies() {
    const SITE: &str = "https://notes.example.com";
    let preflight = |origin| {
        let headers = [("origin", origin), ("access-control-request-method", "PATCH")];
        request(Method::OPTIONS, "/api/me", &headers)
    };
    let cors = |headers: &HeaderMap| {
        let names = headers.keys().filter(|name| name.as_str().starts_with("access-control"));
        names.map(ToString::to_string).collect::<Vec<_>>()
    };
    let closed = Gateway::start_sqlite(&[]);
    let refused = closed.send(preflight(SITE)).await.refused(403, "wrong_origin");
    assert_eq!(cors(&refused.headers), Vec::<String>::new());
    let own = closed.origin();
    let answer = closed.send(preflight(&own)).await;
    assert_eq!((answer.status, cors(&answer.headers)), (405, vec![]));

    let gateway = Gateway::start_sqlite(&[("cors_origins", SITE)]);
    let root = gateway.admin().await;
    let answer = gateway.send(preflight(SITE)).await.is(204);
    assert_eq!(answer.header("access-control-allow-origin"), SITE);
    assert!(answer.header("access-control-allow-methods").contains("PATCH"));
    assert!(answer.header("access-control-allow-headers").contains("authorization"));
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    assert_eq!(answer.header("vary"), "Origin");
    let evil = gateway.send(preflight("https://evil.example")).await;
    assert_eq!(cors(&evil.refused(403, "wrong_origin").headers), Vec::<String>::new());

    let token = root.with_token(&["read", "write"]).await;
    let with_origin = |who: &Person, method: Method| {
        let mut request = who.request(method, "/api/me", &Value::Null);
        request.headers_mut().insert(header::ORIGIN, SITE.parse().unwrap());
        request
    };
    let answer = gateway.send(with_origin(&token, Method::GET)).await.is(200);
    assert_eq!(answer.header("access-control-allow-origin"), SITE);
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    // A browser would not send the cookie along; if it did, nothing could be changed by it.
    let answer = gateway.send(with_origin(&root, Method::DELETE)).await;
    answer.refused(403, "wrong_origin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_have_a_limit() {
    let settings = [("limits.body_bytes", "4 KiB"), ("limits.blob_bytes", "64 KiB")];
    let gateway = Gateway::start_sqlite(&settings);
    let root = gateway.admin().await;
    let body = |n: usize| json!({ "display_name": "a".repeat(n) });
    root.patch("/api/me", body(90)).await.is(200);
    root.patch("/api/me", body(4000)).await.refused(400, "invalid");
    for n in [4096, 100_000, 5_000_000] {
        root.patch("/api/me", body(n)).await.refused(413, "too_large");
    }
    let blob = |n: usize| {
        let bytes = vec![b'b'; n];
        let path =
            format!("/api/workspaces/{}/blobs/{}", root.workspace_id, crate::cast::hash_of(&bytes));
        (path, bytes)
    };
    let (path, bytes) = blob(65_536);
    root.send_bytes(Method::PUT, &path, bytes).await.is(200);
    for n in [65_537, 5_000_000] {
        let (path, bytes) = blob(n);
        root.send_bytes(Method::PUT, &path, bytes).await.refused(413, "too_large");
    }
    // Who may not store anything is told so, however much they are sending.
    let (path, bytes) = blob(5_000_000);
    gateway.nobody().send_bytes(Method::PUT, &path, bytes).await.refused(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_closed_unless_opened() {
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    gateway.get("/metrics").await.refused(401, "unauthenticated");
    ada.get("/metrics").await.refused(403, "forbidden");
    let reader = root.with_token(&["metrics"]).await;
    root.get(&format!("/api/users/{}", ada.id)).await.is(200);
    gateway.call("INVENTED".parse().unwrap(), "/api/nothing", Value::Null).await.is(404);
    let text = reader.get("/metrics").await.is(200).body;
    let text = String::from_utf8(text.to_vec()).unwrap();
    for line in [
        "mosaic_http_requests_total{method=\"GET\",route=\"/api/users/{user_id}\",status=\"200\"} 1",
        "route=\"/api/setup\"",
        "mosaic_http_request_seconds_bucket{",
        "method=\"other\",route=\"-\"",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
    assert!(!text.contains(&ada.id) && !text.contains("INVENTED"), "{text}");
    // It reads the metrics, and nothing else.
    reader.get("/api/me").await.refused(403, "missing_scope");
    reader.get("/api/users").await.refused(403, "missing_scope");

    let gateway = Gateway::start_sqlite(&[("metrics_open", "true")]);
    let text = gateway.get("/metrics").await.is(200);
    assert!(text.header("content-type").starts_with("text/plain; version=0.0.4"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_is_only_at_the_control_socket() {
    let gateway = Gateway::start_sqlite(&[]);
    let socket = gateway.place().data().join("control.sock");
    let mode = std::os::unix::fs::PermissionsExt::mode(&socket.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // Whatever a request claims, over the network it is not the operator's.
    for headers in [[("x-forwarded-for", "operator")], [("host", "localhost")]] {
        let request = request(Method::POST, "/api/operator/setup", &headers);
        gateway.send(request).await.refused(401, "unauthenticated");
    }
    let link = gateway.operator().post("/api/operator/setup", Value::Null).await.is(201);
    assert!(link.json["link"].as_str().unwrap().contains("/#setup="));
    // What is a person's own is nobody's there.
    gateway.operator().get("/api/me").await.refused(403, "forbidden");
}
