//! Every wire format against a fake of its provider over real sockets. Nothing here leaves the machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a failure is a panic"
)]

mod anthropic;
mod fake;
mod ollama;
mod openai;
