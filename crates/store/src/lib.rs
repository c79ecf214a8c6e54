//! Everything durable: accounts, blobs, secrets, the audit log, backups, on SQLite or PostgreSQL.
//!
//! Nothing here decides who may do what; `gateway` asks `access::may` first. SQL rows stop here.

pub mod ambient;
pub mod audit;
pub mod backup;
pub mod batch;
pub mod blobs;
pub mod budgets;
pub mod bus;
mod commit;
pub mod conversations;
mod datadir;
mod db;
mod error;
mod follow;
pub mod identities;
pub mod invites;
pub mod jobs;
pub mod keyring;
pub mod ledger;
pub mod links;
mod live;
pub mod logs;
mod looking;
mod lost;
mod many;
mod migrate;
mod open;
pub mod provider_logins;
pub mod providers;
pub mod restore;
pub mod rules;
pub mod search;
pub mod secrets;
pub mod sessions;
pub mod sweep;
mod tables;
pub mod teams;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod verify;
pub mod workspaces;

pub use ambient::Ambient;
pub use datadir::{DataDir, Holder, LockState};
pub use db::{Db, Dialect, Tx};
pub use error::{Error, Result};
pub use follow::{Follower, Update, apart};
pub use live::Kept;
pub use lost::LostBlobs;
pub use migrate::latest as latest_migration;
pub use open::{Options, Store};
