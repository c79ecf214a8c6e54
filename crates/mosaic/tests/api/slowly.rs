//! Time and wires: callers that are slow or speak no HTTP, and a gateway that is told to stop while somebody is being served.

use crate::{cast::hash_of, support::*, wire::Wire};
use http::Method;
use rustix::process::Signal;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Begins an upload, and comes back when the gateway has begun to read it.
async fn begin_upload(gateway: &Gateway, who: &Person, bytes: &[u8]) -> Wire {
    let path = format!("/api/workspaces/{}/blobs/{}", who.workspace_id, hash_of(bytes));
    Wire::begin(gateway, who, Method::PUT, &path, "application/octet-stream", bytes.len()).await
}

/// As docs/operating.md says: there is no request yet that could be answered in due form.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_cannot_be_read_is_refused_without_a_body() {
    let gateway = Gateway::start_sqlite(&[]);
    let many = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: a\r\n".repeat(100));
    for (head, status) in [(many.as_str(), "431 "), ("no request at all\r\n\r\n", "400 ")] {
        let mut wire = Wire::to(&gateway).await;
        wire.say(head).await;
        let answer = wire.closed().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.ends_with("\r\n\r\n") && answer.contains("content-length: 0"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_callers_are_cut_off() {
    let gateway = Gateway::start_sqlite(&[("limits.request_seconds", "1")]);
    let root = gateway.admin().await;
    let begun = Instant::now();
    // Half a head, a head without an end, no word at all, and half a body.
    let mut half = Wire::to(&gateway).await;
    half.say("GET /api/info HTT").await;
    let mut endless = Wire::to(&gateway).await;
    endless.say("GET /api/info HTTP/1.1\r\nhost: localhost\r\nx-a: ").await;
    let mut silent = Wire::to(&gateway).await;
    let mut body = Wire::to(&gateway).await;
    body.say("POST /api/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{\"na").await;
    let answer = body.hear("\"timeout\"").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    for wire in [&mut half, &mut endless, &mut silent] {
        let heard = wire.closed().await;
        assert!(!heard.contains("200 OK"), "{heard}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    root.get("/api/me").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_what_is_under_way_finish() {
    let mut gateway = Gateway::start_sqlite(&[("limits.shutdown_seconds", "15")]);
    let root = gateway.admin().await;
    let bytes = vec![b'x'; 300_000];
    let mut upload = begin_upload(&gateway, &root, &bytes).await;
    upload.say(&bytes[..100_000]).await;
    let mut events = root.follow("/api/me/events").await;
    assert_eq!(events.next().await.unwrap().name, "me");
    let mut idle = Wire::to(&gateway).await;
    idle.say("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    idle.hear("\r\n\r\nok").await;

    gateway.signal(Signal::TERM);
    // Streams end, without saying that the login did; idle connections are closed; nobody new is let in.
    assert_eq!(events.next().await, None);
    idle.closed().await;
    let address = gateway.address();
    eventually("no new connections", PATIENCE, async || TcpStream::connect(address).await.is_err())
        .await;
    upload.say(&bytes[100_000..]).await;
    let answer = upload.closed().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(gateway.ended(PATIENCE).await.success());

    let gateway = Gateway::start_at(gateway.place().clone(), &[]);
    let path = format!("/api/workspaces/{}/blobs/{}", root.workspace_id, hash_of(&bytes));
    let root = root.with_client(&gateway);
    assert_eq!(root.get(&path).await.is(200).body, bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_ever() {
    let mut gateway = Gateway::start_sqlite(&[("limits.shutdown_seconds", "1")]);
    let root = gateway.admin().await;
    let mut upload = begin_upload(&gateway, &root, &[b'x'; 1000]).await;
    upload.say("xxx").await;
    let begun = Instant::now();
    gateway.signal(Signal::TERM);
    assert!(gateway.ended(PATIENCE).await.success());
    let took = begun.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(6)).contains(&took), "{took:?}");
    upload.closed().await;

    // A second signal means: at once.
    let mut gateway =
        Gateway::start_at(gateway.place().clone(), &[("limits.shutdown_seconds", "60")]);
    let root = root.with_client(&gateway);
    let _upload = begin_upload(&gateway, &root, &[b'x'; 1000]).await;
    gateway.signal(Signal::TERM);
    let address = gateway.address();
    eventually("stopping", PATIENCE, async || TcpStream::connect(address).await.is_err()).await;
    gateway.signal(Signal::TERM);
    let status = gateway.ended(Duration::from_secs(6)).await;
    assert_eq!(status.code(), Some(1), "{}", gateway.log());
    let place = gateway.place().clone();
    drop(gateway);
    Gateway::start_at(place, &[]).get("/readyz").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_full_house() {
    let settings = [("limits.connections", "16"), ("limits.shutdown_seconds", "60")];
    let mut gateway = Gateway::start_sqlite(&settings);
    let mut idle = vec![];
    for _ in 0..16 {
        let mut wire = Wire::to(&gateway).await;
        wire.say("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        wire.hear("\r\n\r\nok").await;
        idle.push(wire);
    }
    // Every place is taken; those who hold them ask for nothing.
    gateway.signal(Signal::TERM);
    assert!(gateway.ended(Duration::from_secs(6)).await.success());
}

/// Who waits for a lock in this database.
const WAITING: &str = "select l.pid::text from pg_locks l join pg_database d on d.oid = l.database
                       where not l.granted and d.datname = current_database()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_backup() {
    let settings = [("limits.shutdown_seconds", "1")];
    let Some(mut gateway) = Gateway::start(Database::Postgres, &settings) else { return };
    gateway.admin().await;
    // Somebody else holds a table that the backup must read.
    let holding = gateway.place().hold("lock table users in access exclusive mode").await;
    let (operator, file) = (gateway.operator(), gateway.place().beside("saved"));
    let request = serde_json::json!({ "path": file });
    let backup = tokio::spawn(async move {
        let request =
            Person::nobody(&operator).request(Method::POST, "/api/operator/backup", &request);
        operator.try_send(request).await
    });
    let place = gateway.place().clone();
    eventually("a backup that waits", PATIENCE, async || !place.rows(WAITING).await.is_empty())
        .await;
    gateway.signal(Signal::TERM);
    assert!(gateway.ended(Duration::from_secs(10)).await.success(), "{}", gateway.log());
    drop(holding);
    assert!(!file.exists());
    assert!(!backup.await.unwrap().is_ok_and(|answer| answer.status == 201));
    Gateway::start_at(place, &[]).get("/readyz").await.is(200);
}
