//! The audit log as readers see it: who did what to what, by ids only, each entry bound to the one before.

use crate::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// Its place: 1, 2, 3, without gaps.
    pub seq: i64,
    /// When.
    pub at: Time,
    /// Who: `user:<id>`, `system`, or `nobody` before a login.
    pub actor: String,
    /// What: `login`, `suspend_user`…
    pub action: String,
    /// To what: `team:<id>`…
    pub object: String,
    /// More ids, never names or contents.
    pub detail: String,
    /// Binds this entry to all before it.
    pub digest: String,
}

/// Whether the chain is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditReport {
    /// How many entries were checked.
    pub entries: i64,
    /// The last digest. Note it elsewhere: a log cut at its end can only be told from outside.
    pub head: String,
    /// The first entry that does not fit, if any.
    pub broken_at: Option<i64>,
    /// In words.
    pub message: String,
}

/// Which entries to check the chain against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditVerifyQuery {
    /// A `seq:digest` noted earlier, which must still be in the chain.
    #[serde(default)]
    pub expect: Option<String>,
}
