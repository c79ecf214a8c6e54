//! What the operator has chosen for the HTTP side.

use ipnet::IpNet;
use std::time::Duration;
use url::Url;

/// What the operator has chosen for the HTTP side.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest JSON body.
    pub body_bytes: usize,
    /// The largest blob.
    pub blob_bytes: usize,
    /// How long a request may take.
    pub request_time: Duration,
    /// The largest request head.
    pub header_bytes: usize,
    /// How many connections at once.
    pub connections: usize,
    /// How many of them from one address, proxies that we trust aside.
    pub connections_per_address: usize,
    /// How many streams one person may have open, in all their browsers and programs together.
    pub streams_per_user: usize,
    /// How long requests under way may go on when the gateway stops.
    pub shutdown_time: Duration,
    /// Where people reach the gateway, if that is not where it listens.
    pub public_url: Option<Url>,
    /// Host names that the gateway answers to, besides `localhost`, IP addresses and `public_url`.
    pub allowed_hosts: Vec<String>,
    /// Other sites whose pages may call the API, with tokens.
    pub cors_origins: Vec<String>,
    /// Proxies whose word on the caller's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether anybody may read the metrics.
    pub metrics_open: bool,
    /// How often providers of models are asked whether they work.
    pub probe_every: Duration,
    /// How many requests in a minute.
    pub throttles: Throttles,
}

/// How many requests in a minute.
#[derive(Debug, Clone, Copy)]
pub struct Throttles {
    /// Of one address.
    pub address_per_minute: u32,
    /// Of one user, however many tokens and sessions they use.
    pub user_per_minute: u32,
    /// Of one token.
    pub token_per_minute: u32,
}
