//! The words of Mosaic as plain data: ids, validated text, who may do what, API bodies and error codes.
//!
//! Everything here is pure. No IO, no clock, no randomness: ids and times are made elsewhere and passed in.

pub mod access;
pub mod account;
pub mod audit;
pub mod error;
mod id;
pub mod invite;
pub mod operator;
pub mod page;
pub mod team;
mod text;
mod time;
pub mod token;
pub mod workspace;

pub use error::{ErrorBody, ErrorCode};
pub use id::*;
pub use text::*;
pub use time::Time;
