//! The real program as a process: its commands, what it says to bad input, and what is left of it after a kill.
//!
//! Leaves out the HTTP API, which tests/api looks at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "in a test a failure is a panic, and these tests start programs"
)]

#[path = "../common/support.rs"]
mod support;

mod bad_config;
mod bad_database;
mod bad_place;
mod cli;
mod explaining;
mod exposed;
mod keys;
mod kill_calls;
mod kill_import;
mod kill_log;
mod laws;
mod nodes;
mod saying;
mod seed;
mod stuck;
mod telling;
mod verify;

#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod kill_backup;
#[cfg(target_os = "linux")]
mod kill_postgres;
#[cfg(target_os = "linux")]
mod kill_restore;
#[cfg(target_os = "linux")]
mod kill_rotate;
#[cfg(target_os = "linux")]
mod kill_start;
#[cfg(target_os = "linux")]
mod shim;
mod whole;
