//! Models, whoever provides them: one request, one stream of events, one set of failures.
//!
//! What is particular to a provider (its JSON, its headers, its way of ending a stream) stays in that provider's file.
//! Which model is called, with whose key and out of whose budget, is decided above.

mod call;
mod endpoint;
mod error;
mod event;
mod frames;
mod kinds;
mod nearest;
pub mod oauth;
mod reply;
mod request;
mod retry;
mod scripted;
mod wire;

pub use call::{Calling, InProcess, Models, Patiences};
pub use endpoint::{Endpoint, Key, usual_base_url};
pub use error::{Error, Result};
pub use event::{Event, Reported, Why};
pub use mosaic_protocol::provider::Effort;
pub use reply::Reply;
pub use request::{
    CacheFor, Image, ImageSource, Message, Output, Part, Request, Role, Sealed, System, Thinking,
    Tool, ToolChoice,
};
pub use retry::Retries;
pub use wire::{Listed, Vectors};
