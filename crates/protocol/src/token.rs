//! API tokens: what programs log in with.

use crate::{Label, Time, TokenId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// What a token may be used for. A token never has more rights than its owner.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To read what the owner may read.
    Read,
    /// To change what the owner may change.
    Write,
    /// To administer the server, if the owner may.
    Admin,
    /// To read `/metrics`.
    Metrics,
    /// To call models, which costs money.
    Models,
}

impl Scope {
    /// Its name in the database, on the command line and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Admin => "admin",
            Scope::Metrics => "metrics",
            Scope::Models => "models",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Scope, String> {
        [Scope::Read, Scope::Write, Scope::Admin, Scope::Metrics, Scope::Models]
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| {
                format!(
                    "`{text}` is not a scope; the scopes are read, write, admin, metrics and models"
                )
            })
    }
}

/// An API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// Which.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was last used, to the minute.
    pub used_at: Option<Time>,
}

/// Makes an API token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTokenRequest {
    /// What to call it.
    pub name: Label,
    /// What it may be used for.
    #[schemars(length(min = 1))]
    pub scopes: BTreeSet<Scope>,
    /// For how many days; 90 unless told, 3650 at most.
    #[serde(default)]
    #[schemars(range(min = 1, max = 3650))]
    pub expires_in_days: Option<u32>,
}

/// A new token and, this once, its secret.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct CreatedToken {
    /// The token.
    pub token: Token,
    /// What a program sends as `Authorization: Bearer …`. It cannot be shown again.
    pub secret: String,
}
