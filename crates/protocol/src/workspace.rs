//! Workspaces: the boundary of data and policy, with their blobs and secrets.

use crate::{BlobHash, HostName, SecretId, SecretValue, TeamId, Time, WorkspaceId, team::Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose a workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceKind {
    /// One user's.
    Personal,
    /// A team's.
    Shared,
}

/// A workspace, as somebody who belongs to it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// Which.
    pub id: WorkspaceId,
    /// The name of its user or team.
    pub name: String,
    /// Whose it is.
    pub kind: WorkspaceKind,
    /// The team that shares it.
    pub team_id: Option<TeamId>,
    /// What the one who asks may do in it; null where an admin only looks after its quota.
    pub role: Option<Role>,
    /// How much disk it uses.
    pub used_bytes: i64,
    /// How much it may use.
    pub quota_bytes: i64,
}

/// Of which workspace something is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceQuery {
    /// Which; one's own unless told.
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
}

/// Changes how much disk a workspace may use.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaRequest {
    /// The new limit.
    #[schemars(range(min = 0))]
    pub quota_bytes: i64,
}

/// A stored blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Blob {
    /// Its SHA-256.
    pub hash: BlobHash,
    /// Its size.
    pub size_bytes: i64,
}

/// A stored secret, without its value: that is never given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Secret {
    /// Which.
    pub id: SecretId,
    /// Its name in the workspace.
    pub name: String,
    /// The one host that it may be sent to.
    pub host: String,
    /// When it was last set.
    pub updated_at: Time,
}

/// Stores a secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSecretRequest {
    /// The value; it is never given out again.
    pub value: SecretValue,
    /// The one host that it may be sent to.
    pub host: HostName,
}
