//! Attacks on the Host and Origin checks, each beside the neighbour that must still work.

use super::*;
use crate::Throttles;
use http::Request;
use std::time::Duration;

fn origins(public: Option<&str>) -> Origins {
    Origins::new(&Settings {
        body_bytes: 1,
        blob_bytes: 1,
        request_time: Duration::from_secs(1),
        header_bytes: 1,
        connections: 1,
        connections_per_address: 1,
        streams_per_user: 1,
        shutdown_time: Duration::from_secs(1),
        public_url: public.map(|url| url.parse().unwrap()),
        allowed_hosts: vec!["mosaic.lan".into()],
        cors_origins: vec!["https://app.example".into()],
        trusted_proxies: vec![],
        metrics_open: false,
        probe_every: Duration::from_secs(1),
        throttles: Throttles { address_per_minute: 1, user_per_minute: 1, token_per_minute: 1 },
    })
}

fn parts(method: &str, host: &str, origin: Option<&str>) -> Parts {
    let mut request = Request::builder().method(method).uri("/api/me").header("host", host);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    request.body(()).unwrap().into_parts().0
}

#[test]
fn names_must_be_configured_and_addresses_need_not() {
    let origins = origins(Some("https://mosaic.example"));
    for host in [
        "127.0.0.1:6672",
        "localhost:6672",
        "[::1]:6672",
        "192.168.1.4",
        "mosaic.lan:80",
        "MOSAIC.lan",
        "mosaic.example",
    ] {
        assert!(origins.check(&parts("GET", host, None)).is_ok(), "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "mosaic.example.evil",
        "",
        "[evil]",
    ] {
        assert!(origins.check(&parts("GET", host, None)).is_err(), "{host}");
    }
}

#[test]
fn another_sites_page_is_refused_whatever_it_does() {
    let origins = origins(None);
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://127.0.0.1:6672.evil.example",
        "",
    ] {
        for method in ["GET", "POST"] {
            assert!(
                origins.check(&parts(method, "127.0.0.1:6672", Some(origin))).is_err(),
                "{method} {origin}"
            );
        }
    }
    assert!(origins.check(&parts("POST", "127.0.0.1:6672", Some("http://127.0.0.1:6672"))).is_ok());
    assert!(origins.check(&parts("POST", "127.0.0.1:6672", Some("https://app.example"))).is_ok());
}

#[test]
fn a_cookie_vouches_only_for_our_own_page() {
    let origins = origins(Some("https://mosaic.example"));
    let check = |host, origin| origins.check_cookie_request(&parts("POST", host, origin));
    assert!(check("127.0.0.1:6672", Some("http://127.0.0.1:6672")).is_ok());
    assert!(check("mosaic.example", Some("https://mosaic.example")).is_ok());
    assert!(check("127.0.0.1:6672", None).is_err(), "a program with a cookie and no Origin");
    assert!(
        check("127.0.0.1:6672", Some("https://app.example")).is_err(),
        "a listed site may use tokens only"
    );
    assert!(
        check("mosaic.example", Some("http://mosaic.example")).is_err(),
        "our own name without TLS"
    );
    assert!(origins.check_cookie_request(&parts("GET", "127.0.0.1:6672", None)).is_ok());
}
