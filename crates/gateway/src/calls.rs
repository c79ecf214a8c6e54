//! Calling a model on somebody's behalf: chosen, held against their budgets, sent with a key that is theirs to use, failed
//! over, settled.

mod answering;
mod choosing;
mod counting;
mod embedding;
mod second_look;
mod sending;

pub use answering::{Answering, Said};
pub use embedding::{Embed, Embedded};

use mosaic_models::Request;
use mosaic_protocol::WorkspaceId;

/// What somebody asks of a model.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The request; its `model` is filled in once one is chosen.
    pub request: Request,
    /// What was asked for: `auto`, `cheap`, `standard`, `premium`, a family such as `opus`, `provider/model` or `model`.
    pub model: String,
    /// All at once, or in pieces.
    pub whole: bool,
    /// In which workspace; one's own unless told.
    pub workspace_id: Option<WorkspaceId>,
    /// Where it came from, such as `api`.
    pub channel: &'static str,
    /// What to do when a model fails in the middle of its answer.
    pub switching: Switching,
}

/// What to do when a model fails in the middle of its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Switching {
    /// The answer ends there, incomplete.
    #[default]
    Stop,
    /// Another model goes on from what was shown.
    Continue,
}
