//! What a WebSocket at `/ws` carries: JSON texts, one frame each. docs/realtime.md shows them to those who write clients.
//!
//! The versions of the protocol that this program speaks are `VERSIONS`; the client says in `hello` which it speaks.

use crate::{
    CommandId, Generation, LogId, Seq, UserId,
    command::Command,
    error::ErrorCode,
    log::{Accepted, DraftPiece, Entry},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The oldest and the newest version of the protocol that is spoken.
pub const VERSIONS: (u32, u32) = (1, 1);

/// A place in a log that a client has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Which log.
    pub log: LogId,
    /// The last entry that the client has; 0 for none.
    pub after: Seq,
}

/// What a client says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// The first frame.
    Hello {
        /// The oldest and the newest version that the client speaks.
        versions: (u32, u32),
        /// The generation that its positions are of; when it is another one by now, they begin at 0.
        #[serde(default)]
        generation: Option<Generation>,
        /// What it wants to go on following.
        #[serde(default)]
        resume: Vec<Position>,
    },
    /// Tell what happens in a log, from a place on.
    Follow {
        /// Which log.
        log: LogId,
        /// After this entry; 0 for all.
        #[serde(default)]
        after: Seq,
    },
    /// Tell it no longer.
    Unfollow {
        /// Which log.
        log: LogId,
    },
    /// Do this.
    Submit {
        /// Made by the client; the same id twice has one effect.
        command_id: CommandId,
        /// What is asked for.
        command: Command,
    },
    /// Tell those who follow the same conversation that one is there, or typing. Never stored.
    Presence {
        /// Where.
        log: LogId,
        /// What one does.
        state: PresenceState,
    },
    /// Answered by `pong`.
    Ping {},
}

/// What somebody does just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// Looks at the conversation.
    Here,
    /// Types a message.
    Typing,
    /// Looks elsewhere.
    Away,
}

/// The bounds that a client does well to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// How large a frame may be.
    pub frame_bytes: usize,
    /// How many logs one connection may follow.
    pub follows: usize,
    /// After so many seconds without a frame from the client, the connection ends: `ping` in time.
    pub idle_seconds: u64,
    /// How much may wait to be sent to a client that does not read.
    pub queue_bytes: usize,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to `hello`.
    Welcome {
        /// The version that is spoken from here on.
        version: u32,
        /// Which life of the data this is. When it changes, what a client has kept is of another life.
        generation: Generation,
        /// Who the client is.
        user: UserId,
        /// The log of their inbox.
        inbox: LogId,
        /// What may be submitted.
        commands: Vec<String>,
        /// Bounds.
        limits: Limits,
    },
    /// One entry of a log that is followed. Their places are without gaps.
    Entry {
        /// Which log.
        log: LogId,
        /// The entry.
        #[serde(flatten)]
        entry: Entry,
    },
    /// More of an answer that is being typed in a log that is followed.
    Draft {
        /// Which log.
        log: LogId,
        /// The piece.
        #[serde(flatten)]
        piece: DraftPiece,
    },
    /// Everything up to here has been told; what comes now is live.
    Live {
        /// Which log.
        log: LogId,
        /// Its last entry.
        head: Seq,
    },
    /// The log is no longer to be seen: it was deleted, or one no longer takes part. The same for one that never was.
    Gone {
        /// Which log.
        log: LogId,
    },
    /// The command was done, now or earlier, and this is where.
    Accepted(Accepted),
    /// The command was not done.
    Refused {
        /// Which.
        command_id: CommandId,
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        message: String,
        /// What to do next.
        next: String,
    },
    /// A frame was not understood, or not allowed.
    Error {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        message: String,
    },
    /// Somebody else who follows the same conversation.
    Presence {
        /// Where.
        log: LogId,
        /// Who.
        user: UserId,
        /// What they do.
        state: PresenceState,
    },
    /// The answer to `ping`.
    Pong {},
}
