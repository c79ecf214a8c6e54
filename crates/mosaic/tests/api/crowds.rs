//! Places are for all: who takes none of what was asked for, or comes a thousand times at once, keeps nobody out.

use crate::{cast::hash_of, support::*, wire::Wire};
use bytes::Bytes;
use http::{Method, Request};
use tokio::net::{TcpSocket, TcpStream};

/// More than the kernel holds between two ends that do not read.
const LARGE: usize = 24 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_and_does_not_listen_holds_no_place() {
    let settings = [("limits.connections", "16"), ("limits.request_seconds", "1")];
    let gateway = Gateway::start_sqlite(&settings);
    let root = gateway.admin().await;
    let bytes = vec![b'x'; LARGE];
    let path = format!("/api/workspaces/{}/blobs/{}", root.workspace_id, hash_of(&bytes));
    root.send_bytes(Method::PUT, &path, bytes).await.is(200);
    let mut deaf = vec![];
    for _ in 0..16 {
        let request = root.sign(Request::get(&path).body(Bytes::new()).unwrap());
        let mut wire = Wire::to(&gateway).await;
        wire.head(&gateway, &request, "").await;
        deaf.push(wire);
    }
    // All places are taken, and nobody gives one back of their own will.
    let whole = root.get(&path).await.is(200);
    assert_eq!(whole.body.len(), LARGE);
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_does_not_take_every_place() {
    let gateway = Gateway::start_sqlite(&[("limits.connections_per_address", "3")]);
    let from = async |source: &str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
        let wire = Wire(socket.connect(gateway.address()).await.unwrap());
        let asked = wire.0.try_write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
        (asked.is_ok() && wire.0.readable().await.is_ok()).then_some(wire)
    };
    let mut kept = vec![];
    for _ in 0..3 {
        let mut wire = from("127.0.0.2").await.unwrap();
        wire.hear("\r\n\r\nok").await;
        kept.push(wire);
    }
    if let Some(mut wire) = from("127.0.0.2").await {
        assert_eq!(wire.closed().await, "");
    }
    // Somebody from elsewhere, and the same one after leaving.
    let mut other = from("127.0.0.3").await.unwrap();
    other.hear("\r\n\r\nok").await;
    kept.clear();
    eventually("a place", PATIENCE, async || {
        let Some(mut wire) = from("127.0.0.2").await else { return false };
        wire.closed_or("\r\n\r\nok").await
    })
    .await;

    // A proxy that is trusted stands for many.
    let settings = [("limits.connections_per_address", "1"), ("trusted_proxies", "127.0.0.1")];
    let gateway = Gateway::start_sqlite(&settings);
    let _first = TcpStream::connect(gateway.address()).await.unwrap();
    gateway.get("/healthz").await.is(200);
    gateway.get("/healthz").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_does_not_follow_with_every_connection() {
    let gateway = Gateway::start_sqlite(&[("limits.streams_per_user", "20")]);
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let token = ada.with_token(&["read"]).await;
    let mut open = vec![];
    for n in 0..20 {
        let who = if n % 2 == 0 { &ada } else { &token };
        let mut events = who.follow("/api/me/events").await;
        assert_eq!(events.next().await.unwrap().name, "me");
        open.push(events);
    }
    for who in [&ada, &token] {
        let refused = who.get("/api/me/events").await.refused(429, "throttled");
        assert!(refused.text().contains("streams") && !refused.header("retry-after").is_empty());
    }
    // Everything else of hers works, and so do others' streams; and a place that is left is free.
    ada.get("/api/me").await.is(200);
    root.get("/api/me/events").await.is(200);
    open.pop();
    eventually("a free place", PATIENCE, async || ada.get("/api/me/events").await.status == 200)
        .await;
}
