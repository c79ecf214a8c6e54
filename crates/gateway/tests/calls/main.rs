//! Calls of models through the gateway, on a store of their own: whose keys, whose budgets, what happens when a model
//! fails. The models are scripted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a failure is a panic"
)]

mod budgets;
mod failing;
mod logins;
mod people;
mod renewals;
mod tenants;
mod upstream;

/// The OAuth server that the protocol itself is tested against.
#[path = "../../../models/tests/oauth/server.rs"]
#[allow(dead_code, reason = "what these tests do not need of it others do")]
mod server;
