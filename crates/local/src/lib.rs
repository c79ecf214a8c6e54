//! Small real models in the process: embeddings and a chat model that need no key and no server.
//! Plain Rust in, plain Rust out; names no other crate of ours, and only the program names it.

mod bert;
mod chat;
mod cpu;
mod embedder;
mod error;
mod file;
mod kernel;
mod llama;
mod local;
mod math;
mod matrix;
pub mod place;
mod sampling;
mod spoken;
mod tokens;

pub use chat::{CHAT_FILE, Chat, Finished, MAX_CONTEXT, Role, Settings, Why};
pub use embedder::{E5_FILE, Embedder, Input, MAX_TOKENS};
pub use error::Error;
pub use local::{Local, Piece};
pub use place::folders;
