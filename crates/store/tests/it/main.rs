//! What the store promises, tried on SQLite and on PostgreSQL alike.
//!
//! A law is an async function of a [`place::Place`]; `laws!` makes a test of it per database. Laws that need private
//! parts are beside those parts in `src`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "in a test a failure is a panic, and a test that is skipped says so"
)]

mod accounts;
mod audit;
mod backups;
mod blobs;
mod blobs_apart;
mod bus;
mod codes;
mod damaged_backups;
mod forgetting;
mod jobs;
mod logs;
mod lost;
mod opening;
mod opening_damaged;
mod place;
#[path = "../../../mosaic/tests/common/proxy.rs"]
mod proxy;
mod replay;
mod restoring;
mod rotation;
mod searching;
mod secrets;
mod seed;
mod spending;
mod sweep;
mod teams;
#[path = "../../../mosaic/tests/common/valkey.rs"]
mod valkey;
mod verify;

/// One test per law and database: `sqlite::<law>` and `postgres::<law>`.
macro_rules! laws {
    ($($law:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                super::$law(crate::place::Place::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                crate::place::Place::on_postgres(super::$law).await;
            })*
        }
    };
}
pub(crate) use laws;
