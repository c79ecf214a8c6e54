//! What the tests that start a real gateway share: a place to live, the process, people who talk to it.
//!
//! Included with `#[path]` by each test binary. Leaves out what only one of them needs.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "in a test a failure is a panic, and a test that is skipped says so"
)]

mod client;
mod events;
mod gateway;
mod person;
mod place;
mod proxy;
mod socket;
mod valkey;

pub(crate) use client::{Answer, Client};
pub(crate) use events::{Event, Events};
pub(crate) use gateway::{Gateway, Output, SETUP_CODE, command};
pub(crate) use person::{Credential, PASSWORD, Person, code_of};
pub(crate) use place::{Database, Place};
pub(crate) use proxy::Proxy;
pub(crate) use socket::Socket;
pub(crate) use valkey::Valkey;

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until it is so. Panics when it is not within the time.
pub(crate) async fn eventually<F>(what: &str, within: Duration, mut is_so: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        if is_so().await {
            return;
        }
        assert!(begun.elapsed() < within, "not within {within:?}: {what}");
    }
}

/// A fresh UUID of version 7, of a thing that never existed.
pub(crate) fn fresh_id() -> String {
    mosaic_store::Ambient::real().id(|id| id.to_string())
}

/// Whether what the tests need from outside must be there; otherwise its absence only skips them.
pub(crate) fn is_required() -> bool {
    std::env::var_os("TEST_REQUIRED").is_some()
}

/// The value of a variable that lends a real part, or None where the test is to be skipped.
pub(crate) fn part(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        assert!(!is_required(), "{variable} is not set");
        eprintln!("skipped: {variable} is not set");
    }
    value
}
