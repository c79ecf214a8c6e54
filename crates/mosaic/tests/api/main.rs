//! The HTTP API of a running gateway, from outside: what every route promises to every kind of caller.
//!
//! What depends on the database is tried on both: `sqlite::` and `postgres::`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

#[path = "../common/support.rs"]
mod support;

mod arriving;
mod bad_input;
mod browser;
mod cast;
mod compatible;
mod conversations;
mod credentials;
mod crowds;
mod doors;
mod endings;
mod isolation;
mod login;
mod nodes;
mod openapi;
mod owners;
mod provider_logins;
mod providers;
mod providers_of_models;
mod records;
mod returning;
mod routing_rules;
mod rows;
mod searching;
mod slowly;
mod sockets;
mod spending;
mod takeover;
mod teams;
mod telemetry;
mod transfer;
mod upstream;
mod wire;
mod withdrawn;

/// A test per database of each async function, which takes the `Database` it is to run on.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::support::Database::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::support::Database::Postgres).await;
            })*
        }
    };
}
pub(crate) use on_both;
