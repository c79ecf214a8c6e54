//! Calling a model on somebody's behalf: chosen, held against their budgets, sent with a key that is theirs to use, failed
//! over, settled.

use crate::{Gateway, Result};
use mosaic_models::{Event, Request};
use mosaic_protocol::{
    WorkspaceId,
    access::Actor,
    route::Route,
    usage::{Cost, Usage},
};

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

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// More of the answer.
    Event(Event),
    /// Another model goes on, because the one before failed.
    Switched {
        /// The one before: `provider/model`.
        from: String,
        /// The one that goes on.
        to: String,
        /// Why.
        why: String,
    },
}

/// An answer that is coming. Dropped, it stops the model, and what was used up to there is settled.
pub struct Answering {
    route: Route,
    warnings: Vec<String>,
    settled: Option<(Usage, Cost)>,
}

impl Answering {
    /// Which model answers, and why.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// What the caller should know: a budget is nearly used up.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What is next; `None` after the proper end. An error ends the answer.
    pub async fn next(&mut self) -> Result<Option<Said>> {
        Ok(None)
    }

    /// What was used and what it cost, once the answer has ended.
    pub fn settled(&self) -> Option<(Usage, Cost)> {
        self.settled
    }
}

impl Gateway {
    /// Calls a model. The first event has come when this returns, or the whole answer if that was asked for.
    pub async fn call_model(&self, _: &Actor, _: Ask) -> Result<Answering> {
        Err(crate::Error::Internal("not yet".into()))
    }
}
