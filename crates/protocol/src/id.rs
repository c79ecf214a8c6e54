//! One type per kind of id, so that a team's id can never be passed where a user's is meant.
//!
//! All are UUIDs of version 7. They are minted by the store, which holds the clock and the randomness.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, str::FromStr};
use uuid::Uuid;

/// A text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// Names an id that was minted or stored before.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bytes, for binding a ciphertext or a digest to this id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Takes the one canonical form only: an id has one spelling, in URLs and in the database.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let uuid = Uuid::try_parse(text).map_err(|_| NotAnId)?;
                let mut buffer = Uuid::encode_buffer();
                if uuid.hyphenated().encode_lower(&mut buffer) == text { Ok(Self(uuid)) } else { Err(NotAnId) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": "uuid" })
            }
        }
    )*};
}

ids! {
    /// A person with an account.
    UserId
    /// The boundary of data and policy; personal, or shared by a team.
    WorkspaceId
    /// A group of users that share a workspace.
    TeamId
    /// A login in one browser.
    SessionId
    /// An API token.
    TokenId
    /// An invitation to this server or to a team.
    InviteId
    /// An account at a login provider that is linked to a user.
    IdentityId
    /// A stored secret, such as a provider's key.
    SecretId
    /// A one-time link for setting up the server or a new password.
    LinkId
    /// One HTTP request, in logs and error answers.
    RequestId
    /// A log: of a conversation, which has the same id, of a run, or an inbox.
    LogId
    /// What a client calls one of its commands: the same one twice has one effect.
    CommandId
    /// A reply while it is being typed.
    DraftId
    /// A directory that agents may work in.
    ProjectId
    /// A piece of queued or scheduled work.
    JobId
    /// One running process, as others know it.
    NodeId
    /// A provider of models that somebody has set up.
    ModelProviderId
    /// A login to a provider of models that is under way.
    ProviderLoginId
    /// A rule of routing.
    RuleId
    /// A bound on what may be spent.
    BudgetId
    /// One call of a model.
    CallId
    /// Which life of the data this is; it changes when a backup is restored.
    Generation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let text = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(text.parse::<UserId>().map(|id| id.to_string()), Ok(text.to_owned()));
        for other in
            [&text.to_uppercase(), &text.replace('-', ""), &format!("{{{text}}}"), "", "x", "null"]
        {
            assert_eq!(other.parse::<UserId>(), Err(NotAnId), "{other}");
        }
    }
}
