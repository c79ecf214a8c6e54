//! Whether a value of a backup can have been written by us: what is a checked type at every other door is one here.
//!
//! Lengths and kinds of what means nothing to us are left to the database; the audit log is left to its chain.

use crate::backup::Value;
use mosaic_protocol::{
    AccountName, BlobHash, HostName, IdentityId, Label, ProviderName, SecretId, SecretName, TeamId,
    TokenId, UserId, WorkspaceId, team::Role, token::Scope,
};
use std::str::FromStr;

/// What a password hash may ask for: several times what ours do, and nothing that stops a login for everybody.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 8;
/// A display name, or what somebody is called at a provider.
const MAX_TEXT_BYTES: usize = 1024;
/// The longest message, all of it escaped by six, and what is around it.
const MAX_LONG_TEXT_BYTES: usize = 2 * 1024 * 1024;

/// Whether the value makes sense in this column.
pub(super) fn is_sound(table: &str, column: &str, value: &Value) -> bool {
    match value {
        Value::Text(text) => is_text(table, column, text),
        Value::Int(int) => is_int(column, *int),
        // Whether something may be missing, the table says.
        Value::Null | Value::Bytes { .. } => true,
    }
}

fn parses<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

fn is<T: TryFrom<String>>(text: &str) -> bool {
    T::try_from(text.to_owned()).is_ok()
}

fn is_text(table: &str, column: &str, text: &str) -> bool {
    match (table, column) {
        ("audit", _) => !text.contains('\0'),
        ("users", "id") | (_, "user_id") => parses::<UserId>(text),
        ("teams", "id") | (_, "team_id") => parses::<TeamId>(text),
        ("workspaces", "id") | (_, "workspace_id") => parses::<WorkspaceId>(text),
        ("tokens", "id") => parses::<TokenId>(text),
        ("identities", "id") => parses::<IdentityId>(text),
        ("secrets", "id") => parses::<SecretId>(text),
        ("users", "name") => is::<AccountName>(text),
        ("teams" | "tokens", "name") => is::<Label>(text),
        ("secrets", "name") => is::<SecretName>(text),
        ("secrets", "host") => is::<HostName>(text),
        ("keyring", "name") => matches!(text, "check" | "audit"),
        ("identities", "provider") => is::<ProviderName>(text),
        ("blobs", "hash") => is::<BlobHash>(text),
        ("users", "password") => is_password_hash(text),
        ("users", "state") => matches!(text, "active" | "suspended"),
        ("members", "role") => parses::<Role>(text),
        ("tokens", "scopes") => text.split_whitespace().all(parses::<Scope>),
        ("entries" | "routing_rules" | "routing_overrides", "body")
        | ("jobs", "payload")
        | ("calls", "route") => is_long_text(text),
        _ => text.len() <= MAX_TEXT_BYTES && !text.chars().any(char::is_control),
    }
}

/// What people and programs say: any text at all, as JSON or nothing.
fn is_long_text(text: &str) -> bool {
    let is_json = |text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    text.len() <= MAX_LONG_TEXT_BYTES && !text.contains('\0') && (text.is_empty() || is_json(text))
}

fn is_int(column: &str, int: i64) -> bool {
    match column {
        "admin" => matches!(int, 0 | 1),
        "quota_bytes" | "used_bytes" | "size_bytes" => int >= 0,
        _ => true,
    }
}

/// `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, within bounds: checking a password costs what its hash asks for.
fn is_password_hash(text: &str) -> bool {
    let parts: Vec<&str> = text.split('$').collect();
    let ["", "argon2id", "v=19", costs, salt, hash] = parts[..] else { return false };
    let cost = |name: &str| {
        let mut named = costs.split(',').filter_map(|cost| cost.strip_prefix(name));
        named.next().and_then(|cost| cost.strip_prefix('=')?.parse::<u32>().ok())
    };
    let within = |name, max| cost(name).is_some_and(|cost| (1..=max).contains(&cost));
    costs.split(',').count() == 3
        && within("m", MAX_MEMORY_KIB)
        && within("t", MAX_PASSES)
        && within("p", MAX_LANES)
        && (1..=128).contains(&salt.len())
        && (1..=128).contains(&hash.len())
}

#[cfg(test)]
mod tests {
    use super::{Value, is_sound};

    #[test]
    fn values_that_we_never_wrote_are_told_from_ours() {
        let hash = |costs: &str| format!("$argon2id$v=19${costs}$c2FsdHNhbHQ$aGFzaGhhc2g");
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        for (column, text, sound) in [
            ("users.id", id, true),
            ("users.id", "1", false),
            ("users.name", "ada", true),
            ("users.name", "Ada", false),
            ("users.state", "active", true),
            ("users.state", "", false),
            ("users.display_name", "Ada Lovelace", true),
            ("users.display_name", "Ada\u{1b}[2J", false),
            ("users.password", &hash("m=19456,t=2,p=1"), true),
            ("users.password", &hash("m=4194304,t=2,p=1"), false),
            ("users.password", &hash("m=19456,t=4000000,p=1"), false),
            ("users.password", &hash("m=19456,t=2,p=1,m=4194304"), false),
            ("users.password", "hash", false),
            ("members.role", "viewer", true),
            ("members.role", "king", false),
            ("members.user_id", "x", false),
            ("tokens.scopes", "read write", true),
            ("tokens.scopes", "read everything", false),
            ("secrets.host", "api.example.com", true),
            ("secrets.host", "a b", false),
            ("blobs.hash", "../../escaped", false),
            ("keyring.name", "other", false),
            ("entries.body", r#"{"text":"a\nb"}"#, true),
            ("entries.body", &format!("{{\"text\":\"{}\"}}", "\u{85}".repeat(99_999)), true),
            ("entries.body", "{", false),
            ("entries.kind", &"x".repeat(1025), false),
        ] {
            let (table, name) = column.split_once('.').unwrap();
            assert_eq!(is_sound(table, name, &Value::Text(text.into())), sound, "{column} {text}");
        }
        assert!(is_sound("workspaces", "quota_bytes", &Value::Int(5)));
        assert!(!is_sound("workspaces", "quota_bytes", &Value::Int(-1)));
        assert!(!is_sound("users", "admin", &Value::Int(2)));
    }
}
