//! Models, whoever provides them: one request, one stream of events, one set of failures.
//!
//! What is particular to a provider (its JSON, its headers, its way of ending a stream) stays in that provider's file.
//! Which model is called, with whose key and out of whose budget, is decided above.

mod anthropic;
mod breaker;
mod call;
mod catalogue;
mod compatible;
mod cost;
mod deepseek;
mod endpoint;
mod error;
mod event;
mod frames;
mod kinds;
mod nearest;
pub mod oauth;
mod ollama;
mod openai;
mod openai_chat;
mod openai_responses;
mod openrouter;
mod pairing;
mod prices;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod replay;
mod reply;
mod request;
mod retry;
mod retry_after;
#[cfg(test)]
mod sample;
mod scripted;
mod thinking;
mod wire;
mod zai;

pub use breaker::{
    Allow, Breaker, Concerns, Gate, Outcome, Pass, Seen, Shut, Ticket, concerns, health_at,
    health_seen, rate_limit,
};
pub use call::{Calling, InProcess, Models, Patiences};
pub use catalogue::{Catalogue, Level, Model, OverrideError};
pub use cost::{Priced, Said, charge, charge_at_most, cost, estimate_request, estimate_tokens};
pub use endpoint::{Endpoint, Key, usual_base_url};
pub use error::{Error, Result};
pub use event::{Event, Reported, Why};
pub use mosaic_protocol::provider::Effort;
pub use nearest::nearest;
pub use prices::{Price, Rates};
pub use reply::Reply;
pub use request::{
    CacheFor, Image, ImageSource, Message, Output, Part, Request, Role, Sealed, System, Thinking,
    Tool, ToolChoice,
};
pub use retry::Retries;
pub use wire::{Listed, Vectors};
