//! The load: connections that are kept and ask the same thing again as soon as they are answered.
//!
//! A closed loop without pipelining: it shows what a server can do, not how it behaves when more is asked of it than it
//! can do.

use crate::{
    figure::Spread,
    wire::{self, Connection},
};
use anyhow::bail;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// A round that reaches this many requests is over. The gateway's throttles cannot be turned off, only be set so high that
/// all rounds of a run fit under them; on a fast machine time alone would not keep them there.
const MOST_REQUESTS: usize = 150_000;

/// Enough to keep two cores busy, few enough for no queue to hide behind.
const CONNECTIONS: usize = 32;

/// What is asked, and whom.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    request: Vec<u8>,
    connections: usize,
}

impl Target {
    pub(crate) fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Target {
        let request = wire::request(address, "GET", path, headers, "");
        Target { address, request, connections: CONNECTIONS }
    }

    pub(crate) fn post(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Target {
        let request = wire::request(address, "POST", path, headers, body);
        Target { address, request, connections: CONNECTIONS }
    }

    /// Over so many connections.
    pub(crate) fn over(self, connections: usize) -> Target {
        Target { connections, ..self }
    }
}

/// What came of one round.
pub(crate) struct Round {
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    /// In milliseconds.
    pub(crate) latency: Spread,
}

/// Asks for `time` at most. Any answer but 200 ends it: a refusal is quick and would pass for speed.
pub(crate) async fn round(target: &Target, time: Duration) -> anyhow::Result<Round> {
    let mut connections = vec![];
    for _ in 0..target.connections {
        connections.push(Connection::open(target.address).await?);
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for connection in connections {
        asking.spawn(ask(connection, target.request.clone(), begun + time, asked.clone()));
    }
    let mut latencies = vec![];
    while let Some(latency) = asking.join_next().await {
        latencies.extend(latency??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let requests = latencies.len();
    Ok(Round { requests, per_second: requests as f64 / seconds, latency: Spread::of(latencies) })
}

async fn ask(
    mut connection: Connection,
    request: Vec<u8>,
    until: Instant,
    asked: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<f64>> {
    let mut latencies = vec![];
    let mut now = Instant::now();
    while now < until && asked.fetch_add(1, Ordering::Relaxed) < MOST_REQUESTS {
        let answer = connection.send(&request).await?;
        if answer.status != 200 {
            let body = connection.body(&answer);
            bail!("under load: {}: {}", answer.status, String::from_utf8_lossy(&body));
        }
        let answered = Instant::now();
        latencies.push((answered - now).as_secs_f64() * 1000.0);
        now = answered;
    }
    Ok(latencies)
}
