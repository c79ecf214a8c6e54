//! What only the one who runs the program on its own machine may ask for, over the control socket.

use crate::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes a backup to a file on the machine that runs the gateway.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// An absolute path.
    pub path: String,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupReport {
    /// Where it was written.
    pub path: String,
    /// When its picture of the data was taken.
    pub taken_at: Time,
    /// Rows of all tables.
    pub n_rows: i64,
    /// Blobs.
    pub n_blobs: i64,
    /// The file's size.
    pub size_bytes: i64,
    /// Which master key opens the secrets inside. The key itself is not in the file.
    pub key_id: String,
}

/// What a change of the master key did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RotateReport {
    /// How many secrets were sealed anew.
    pub n_secrets: i64,
    /// The key that opened them before.
    pub old_key_id: String,
    /// The key that opens them now.
    pub new_key_id: String,
    /// Where the old key is kept, for backups made before; null if keys come from the configuration.
    pub old_key_file: Option<String>,
}
