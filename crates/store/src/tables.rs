//! Every table and column, as data: what a backup holds, in an order that foreign keys allow.
//!
//! A test compares this list with both real schemas, so a migration cannot forget it.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Int,
    Bytes,
}

/// One table.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// Whether a backup holds it.
    pub(crate) kept: bool,
}

use Kind::{Bytes, Int, Text};

const fn kept(name: &'static str, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, columns, kept: true }
}

/// What is not in a backup: logins and one-time codes, because a restored one would be a revoked one come back; and
/// what is written anew (the bytes of blobs go into a backup as blobs).
const fn left_out(name: &'static str, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, columns, kept: false }
}

pub(crate) const TABLES: [Table; 37] = [
    left_out(
        "migrations",
        &[("number", Int), ("name", Text), ("digest", Bytes), ("applied_at", Int)],
    ),
    left_out("meta", &[("name", Text), ("value", Text)]),
    kept("keyring", &[("name", Text), ("key_id", Text), ("sealed", Bytes)]),
    kept(
        "users",
        &[
            ("id", Text),
            ("name", Text),
            ("display_name", Text),
            ("password", Text),
            ("admin", Int),
            ("state", Text),
            ("created_at", Int),
        ],
    ),
    kept("teams", &[("id", Text), ("name", Text), ("created_at", Int)]),
    kept("members", &[("team_id", Text), ("user_id", Text), ("role", Text), ("joined_at", Int)]),
    kept(
        "workspaces",
        &[
            ("id", Text),
            ("user_id", Text),
            ("team_id", Text),
            ("quota_bytes", Int),
            ("used_bytes", Int),
            ("created_at", Int),
        ],
    ),
    left_out(
        "sessions",
        &[
            ("id", Text),
            ("user_id", Text),
            ("digest", Bytes),
            ("created_at", Int),
            ("seen_at", Int),
            ("expires_at", Int),
            ("agent", Text),
            ("address", Text),
        ],
    ),
    kept(
        "tokens",
        &[
            ("id", Text),
            ("user_id", Text),
            ("name", Text),
            ("digest", Bytes),
            ("scopes", Text),
            ("created_at", Int),
            ("expires_at", Int),
            ("used_at", Int),
        ],
    ),
    left_out(
        "invites",
        &[
            ("id", Text),
            ("digest", Bytes),
            ("made_by", Text),
            ("creates_account", Int),
            ("team_id", Text),
            ("role", Text),
            ("created_at", Int),
            ("expires_at", Int),
        ],
    ),
    left_out(
        "links",
        &[
            ("id", Text),
            ("kind", Text),
            ("user_id", Text),
            ("digest", Bytes),
            ("created_at", Int),
            ("expires_at", Int),
        ],
    ),
    kept(
        "identities",
        &[
            ("id", Text),
            ("user_id", Text),
            ("provider", Text),
            ("subject", Text),
            ("created_at", Int),
        ],
    ),
    left_out(
        "oidc_flows",
        &[
            ("digest", Bytes),
            ("provider", Text),
            ("nonce", Text),
            ("verifier", Text),
            ("user_id", Text),
            ("expires_at", Int),
        ],
    ),
    kept(
        "blobs",
        &[("workspace_id", Text), ("hash", Text), ("size_bytes", Int), ("created_at", Int)],
    ),
    left_out(
        "blob_chunks",
        &[("workspace_id", Text), ("hash", Text), ("n", Int), ("bytes", Bytes)],
    ),
    kept(
        "secrets",
        &[
            ("id", Text),
            ("workspace_id", Text),
            ("name", Text),
            ("host", Text),
            ("key_id", Text),
            ("sealed", Bytes),
            ("updated_at", Int),
        ],
    ),
    kept(
        "logs",
        &[
            ("id", Text),
            ("kind", Text),
            ("workspace_id", Text),
            ("head", Int),
            ("term", Int),
            ("holder", Text),
            ("held_until", Int),
            ("access_version", Int),
            ("created_at", Int),
            ("updated_at", Int),
        ],
    ),
    kept(
        "entries",
        &[
            ("log_id", Text),
            ("seq", Int),
            ("at", Int),
            ("author", Text),
            ("kind", Text),
            ("body", Text),
        ],
    ),
    kept(
        "commands",
        &[
            ("actor", Text),
            ("id", Text),
            ("digest", Bytes),
            ("log_id", Text),
            ("seq", Int),
            ("at", Int),
        ],
    ),
    kept("inboxes", &[("user_id", Text), ("log_id", Text)]),
    kept(
        "conversations",
        &[
            ("log_id", Text),
            ("title", Text),
            ("created_by", Text),
            ("archived", Int),
            ("project_id", Text),
            ("parent_id", Text),
        ],
    ),
    kept("conversation_members", &[("log_id", Text), ("user_id", Text), ("role", Text)]),
    kept("conversation_teams", &[("log_id", Text), ("team_id", Text), ("role", Text)]),
    kept("conversation_tags", &[("log_id", Text), ("tag", Text)]),
    kept("pins", &[("log_id", Text), ("seq", Int)]),
    left_out("share_links", &[("log_id", Text), ("digest", Bytes), ("created_at", Int)]),
    kept("read_marks", &[("user_id", Text), ("log_id", Text), ("seq", Int)]),
    kept(
        "jobs",
        &[
            ("id", Text),
            ("kind", Text),
            ("payload", Text),
            ("unique_key", Text),
            ("run_at", Int),
            ("attempts", Int),
            ("term", Int),
            ("held_until", Int),
            ("created_at", Int),
        ],
    ),
    kept(
        "providers",
        &[
            ("id", Text),
            ("workspace_id", Text),
            ("name", Text),
            ("kind", Text),
            ("api", Text),
            ("base_url", Text),
            ("enabled", Int),
            ("credential", Text),
            ("hint", Text),
            ("key_id", Text),
            ("sealed", Bytes),
            ("generation", Int),
            ("renewing_until", Int),
            ("created_at", Int),
            ("updated_at", Int),
        ],
    ),
    left_out(
        "provider_logins",
        &[
            ("id", Text),
            ("digest", Bytes),
            ("provider_id", Text),
            ("user_id", Text),
            ("kind", Text),
            ("key_id", Text),
            ("sealed", Bytes),
            ("busy_until", Int),
            ("expires_at", Int),
        ],
    ),
    kept(
        "routing_rules",
        &[
            ("id", Text),
            ("workspace_id", Text),
            ("priority", Int),
            ("body", Text),
            ("updated_at", Int),
        ],
    ),
    kept("routing_overrides", &[("workspace_id", Text), ("rule_id", Text), ("body", Text)]),
    kept(
        "budgets",
        &[
            ("id", Text),
            ("subject_kind", Text),
            ("subject", Text),
            ("period", Text),
            ("micros", Int),
            ("tokens", Int),
            ("created_at", Int),
        ],
    ),
    kept(
        "spent",
        &[
            ("budget_id", Text),
            ("period_start", Int),
            ("micros", Int),
            ("tokens", Int),
            ("held_micros", Int),
            ("held_tokens", Int),
        ],
    ),
    kept(
        "calls",
        &[
            ("id", Text),
            ("at", Int),
            ("user_id", Text),
            ("workspace_id", Text),
            ("token_id", Text),
            ("log_id", Text),
            ("agent", Text),
            ("provider", Text),
            ("kind", Text),
            ("model", Text),
            ("asked", Text),
            ("rule", Text),
            ("state", Text),
            ("failure", Text),
            ("input", Int),
            ("cache_read", Int),
            ("cache_write", Int),
            ("cache_write_hour", Int),
            ("output", Int),
            ("reasoning", Int),
            ("micros", Int),
            ("price_source", Text),
            ("exact", Int),
            ("held_micros", Int),
            ("held_tokens", Int),
            ("held_until", Int),
            ("first_ms", Int),
            ("took_ms", Int),
            ("route", Text),
        ],
    ),
    kept("call_budgets", &[("call_id", Text), ("budget_id", Text), ("period_start", Int)]),
    kept(
        "audit",
        &[
            ("seq", Int),
            ("at", Int),
            ("actor", Text),
            ("action", Text),
            ("object", Text),
            ("detail", Text),
            ("digest", Bytes),
        ],
    ),
];

/// The audit log's head follows from its last entry, so it is in no backup.
pub(crate) const AUDIT_HEAD: &str = "audit_head";

#[cfg(test)]
mod tests;
