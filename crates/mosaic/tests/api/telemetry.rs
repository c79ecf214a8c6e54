//! Traces reach a collector when one is configured, with its headers and without secrets.

use crate::support::*;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

/// Takes requests in and says that all is well. As much of a collector as is needed.
async fn collect(listener: TcpListener, received: Arc<Mutex<Vec<Vec<u8>>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(take(stream, received.clone()));
    }
}

async fn take(mut stream: TcpStream, received: Arc<Mutex<Vec<Vec<u8>>>>) {
    let mut bytes = vec![];
    while stream.read_buf(&mut bytes).await.is_ok_and(|n| n > 0) {
        while let Some(length) = whole(&bytes) {
            let request: Vec<u8> = bytes.drain(..length).collect();
            received.lock().await.push(request);
            let ok = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            if stream.write_all(ok).await.is_err() {
                return;
            }
        }
    }
}

/// How long the first request is, once it is all there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let length = head + length.trim().parse::<usize>().ok()?;
    (bytes.len() >= length).then_some(length)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|it| it == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_reach_the_collector() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let received = Arc::new(Mutex::new(vec![]));
    tokio::spawn(collect(listener, received.clone()));

    let settings = [
        ("telemetry.endpoint", endpoint.as_str()),
        ("telemetry.headers", "x-tenant=engines,authorization=Basic c2VjcmV0"),
    ];
    let gateway = Gateway::start_sqlite(&settings);
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let team = ada.make_team("Analytical Engines").await;
    let team_id = team["id"].as_str().unwrap().to_owned();
    ada.get(&format!("/api/teams/{team_id}?x=1")).await.is(200);
    gateway.post("/api/login", json!({ "name": "ada", "password": "a wrong one" })).await.is(401);
    let secret = ada.secret().to_owned();
    gateway.stop().await;

    let received = received.lock().await;
    assert!(!received.is_empty(), "nothing was sent");
    for request in received.iter() {
        let text = String::from_utf8_lossy(request);
        assert!(text.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{text}");
        let head = text.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(head.contains("\r\nx-tenant: engines"), "{head}");
        assert!(head.contains("\r\nauthorization: basic c2vjcmv0"), "{head}");
        for word in [&secret, PASSWORD, "a wrong one", SETUP_CODE, &team_id, "Analytical"] {
            assert!(!holds(request, word), "`{word}` was sent away");
        }
    }
    for word in ["mosaic", "GET /api/teams/{team_id}", "POST /api/login", "request_id"] {
        assert!(received.iter().any(|it| holds(it, word)), "`{word}` was not sent");
    }
}

/// A collector that is away costs traces, nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_stops_nothing() {
    let mut gateway = Gateway::start_sqlite(&[("telemetry.endpoint", "http://127.0.0.1:1")]);
    gateway.admin().await.get("/api/me").await.is(200);
    gateway.signal(rustix::process::Signal::TERM);
    assert!(gateway.ended(Duration::from_secs(10)).await.success());
}
