//! The local models as they are: compared with what others make of the same texts. Needs the files of `make models`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "in a test a failure is a panic, and a test that is skipped says so"
)]

mod chat;
mod damage;
mod found;
mod reference;
mod tensors;
mod threads;
