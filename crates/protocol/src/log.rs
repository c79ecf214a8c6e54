//! Logs: the one durable form of everything that happens. An entry is what happened, numbered and kept.
//!
//! How the set of entries may grow: a kind is added, never renamed or taken away; a field is added with a default,
//! never renamed, retyped or taken away. What a program does not know decodes to `Body::Other` and is kept as it is,
//! so that an older program shows what a newer one wrote. `fixtures/logs` holds entries of every released version; a
//! test reads them all.

use crate::{AgentName, CommandId, DraftId, LogId, Seq, Time, UserId, entry::Fact};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What a log is the log of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogKind {
    /// A conversation.
    Conversation,
    /// One execution of a workflow or a flow.
    Run,
    /// What needs one person, and what was shared with them or taken away. Ids only.
    Inbox,
}

impl LogKind {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            LogKind::Conversation => "conversation",
            LogKind::Run => "run",
            LogKind::Inbox => "inbox",
        }
    }
}

impl FromStr for LogKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [LogKind::Conversation, LogKind::Run, LogKind::Inbox]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(())
    }
}

/// Who wrote an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Author {
    /// A person, or a program with their token.
    User {
        /// Who.
        id: UserId,
    },
    /// An agent, on behalf of a person.
    Agent {
        /// Which.
        name: AgentName,
        /// For whom.
        #[serde(rename = "for")]
        for_user: Option<UserId>,
    },
    /// The gateway itself, or whoever runs the machine.
    System,
    /// Somebody of whom only a name is known: the author of what was imported.
    Named {
        /// The name that the import gave.
        name: String,
    },
    /// Somebody whose account was deleted.
    Gone,
}

impl Author {
    /// As one text, for the database.
    pub fn to_text(&self) -> String {
        match self {
            Author::User { id } => format!("user:{id}"),
            Author::Agent { name, for_user: Some(id) } => format!("agent:{name}:{id}"),
            Author::Agent { name, for_user: None } => format!("agent:{name}"),
            Author::System => "system".to_owned(),
            Author::Named { name } => format!("named:{name}"),
            Author::Gone => "gone".to_owned(),
        }
    }

    /// The author that a text of the database names; one that it does not is nobody any more.
    pub fn of_text(text: &str) -> Author {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "user" => rest.parse().map_or(Author::Gone, |id| Author::User { id }),
            "agent" => {
                let (name, id) =
                    rest.split_once(':').map_or((rest, None), |(name, id)| (name, id.parse().ok()));
                AgentName::try_from(name.to_owned())
                    .map_or(Author::Gone, |name| Author::Agent { name, for_user: id })
            }
            "system" => Author::System,
            "named" => Author::Named { name: rest.to_owned() },
            _ => Author::Gone,
        }
    }
}

/// What happened: a fact that this program knows, or one that a newer program wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Body {
    /// One of the closed set.
    Fact(Fact),
    /// Written by a newer program: shown as such, kept as it is, and never acted on.
    Other {
        /// What kind it says it is.
        kind: String,
        /// What it holds.
        body: serde_json::Value,
    },
}

impl Body {
    /// Reads what the database holds.
    pub fn decode(kind: &str, body: &str) -> Body {
        let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let tagged = serde_json::json!({ "kind": kind, "body": body });
        serde_json::from_value(tagged)
            .map_or_else(|_| Body::Other { kind: kind.to_owned(), body }, Body::Fact)
    }
}

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its place: 1, 2, 3, without gaps.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// Who.
    pub author: Author,
    /// What.
    #[serde(flatten)]
    pub body: Body,
}

/// Where a command's effect is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// Which command.
    pub command_id: CommandId,
    /// The log that it changed, or made.
    pub log: LogId,
    /// The last entry that it appended there.
    pub seq: Seq,
}

/// What a piece of a draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DraftChannel {
    /// The answer itself.
    Text,
    /// What the model thinks before it answers.
    Thinking,
    /// What a tool prints while it runs.
    Tool,
}

/// More of what is being typed. It is never stored; the entry that settles it names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DraftPiece {
    /// Which draft: a retried answer is another one.
    pub draft_id: DraftId,
    /// What it is a piece of.
    pub channel: DraftChannel,
    /// How many bytes of this channel came before it. 0 begins anew.
    pub offset: usize,
    /// The piece.
    pub text: String,
}
