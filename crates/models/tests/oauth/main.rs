//! Logins over real sockets: against a small OAuth server of our own, which checks what it is sent and misbehaves when
//! it is told to, and against a real one where there is one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "in a test a failure is a panic, and what is skipped is said"
)]

mod bad_answers;
mod browser;
mod device;
mod pkce;
mod real;
mod renewals;
mod server;

use mosaic_models::{
    Key,
    oauth::{OAuthServer, OAuthSettings, ServerUrl},
};
use mosaic_outbound::{Outbound, Reach};
use mosaic_protocol::Time;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: Time = Time(1_800_000_000_000);
const RANDOM: [[u8; 32]; 2] = [[7; 32], [8; 32]];

fn outbound() -> Outbound {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Its own bounds are not those that count here.
    Outbound::new(Duration::from_secs(600), 64 * 1024 * 1024).unwrap()
}

/// Settings for a server at this address; `more` replaces fields.
fn settings(at: &str, more: Value) -> OAuthSettings {
    let mut settings = json!({
        "client_id": "mo saic:1",
        "client_secret": "client+secret/of ours",
        "authorize_url": format!("{at}/authorize"),
        "token_url": format!("{at}/token"),
        "device_url": format!("{at}/device"),
        "scopes": ["chat", "offline_access"],
    });
    for (field, value) in more.as_object().unwrap() {
        settings[field] = value.clone();
    }
    serde_json::from_value(settings).unwrap()
}

fn back() -> ServerUrl {
    ServerUrl::try_from("http://127.0.0.1:1455/back".to_owned()).unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text.to_owned())
}

/// A server that may be on this machine.
fn reach<'a>(outbound: &'a Outbound, settings: &'a OAuthSettings) -> OAuthServer<'a> {
    OAuthServer { outbound, reach: Reach::Private, settings }
}
