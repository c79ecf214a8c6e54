//! What nodes say to each other. It comes from outside: a kind that is not known (a newer node's) is passed over, and
//! nothing here is believed beyond what its comment says.

use crate::live::drafts::Length;
use mosaic_protocol::{DraftId, NodeId, Seq, UserId, frame::PresenceState, log::DraftPiece};
use serde::{Deserialize, Serialize};

/// No message is longer. A piece of a draft is the longest, its bytes escaped.
pub(crate) const MESSAGE_BYTES: usize = 128 * 1024;

/// Who says it, and what. A node passes over what it said itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope<T> {
    pub(crate) node: NodeId,
    pub(crate) said: T,
}

/// Said to those who follow one log, on the channel of that log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OfLog {
    /// It has come so far. Whoever does not know that yet looks into the database.
    Reached { seq: Seq, access_version: i64 },
    /// It was deleted. Whoever hears it looks into the database.
    Gone {},
    /// More is being typed. Shown as it is.
    Draft(DraftPiece),
    /// A draft of this node was given up.
    DraftDropped { draft_id: DraftId },
    /// All drafts of this node that are open, from time to time.
    Drafting { open: Vec<Length> },
    /// Somebody is there, or types. Shown as it is.
    Presence { user: UserId, state: PresenceState },
    /// Who came late, or missed something, asks for everything that is typed, and who is there.
    Ask {},
}

/// Said to all nodes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OfAll {
    /// This node is there, several times a second.
    Here {},
    /// This node stops.
    Bye {},
    /// Look at all logs that are followed.
    Look {},
    /// Accounts, sessions or tokens have changed: ask the database again.
    Accounts {},
}
