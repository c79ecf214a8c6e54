//! The words of Mosaic as plain data: ids, validated text, who may do what, API bodies and error codes.
//!
//! Everything here is pure. No IO, no clock, no randomness: ids and times are made elsewhere and passed in.

pub mod access;
pub mod account;
pub mod audit;
pub mod budget;
pub mod command;
pub mod conversation;
pub mod entry;
pub mod error;
pub mod frame;
mod id;
pub mod invite;
mod label;
pub mod log;
pub mod operator;
pub mod page;
pub mod provider;
pub mod provider_login;
pub mod replay;
pub mod route;
pub mod rule;
mod seq;
pub mod team;
mod text;
mod time;
pub mod token;
pub mod transfer;
pub mod usage;
pub mod workspace;

pub use error::{ErrorBody, ErrorCode};
pub use id::*;
pub use seq::Seq;
pub use text::*;
pub use time::Time;
