//! Invitations: single use, expiring. An admin's may create an account; a team owner's brings in somebody who has one.

use crate::{AccountName, Code, InviteId, NewPassword, TeamId, Time, team::Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An invitation, without its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invite {
    /// Which.
    pub id: InviteId,
    /// Whether it may create an account.
    pub creates_account: bool,
    /// The team it leads into.
    pub team_id: Option<TeamId>,
    /// With which role.
    pub role: Option<Role>,
    /// When it was made.
    pub created_at: Time,
    /// It works until then.
    pub expires_at: Time,
}

/// Invites somebody to this server, and into a team if one is named.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInviteRequest {
    /// Into this team.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// With this role; member unless told.
    #[serde(default)]
    pub role: Option<Role>,
    /// For how many hours; 72 unless told, 720 at most.
    #[serde(default)]
    #[schemars(range(min = 1, max = 720))]
    pub expires_in_hours: Option<u32>,
}

/// Invites somebody who has an account into a team.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTeamInviteRequest {
    /// With this role; member unless told.
    #[serde(default)]
    pub role: Option<Role>,
    /// For how many hours; 72 unless told, 720 at most.
    #[serde(default)]
    #[schemars(range(min = 1, max = 720))]
    pub expires_in_hours: Option<u32>,
}

/// A new invitation and, this once, its link.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct CreatedInvite {
    /// The invitation.
    pub invite: Invite,
    /// Hand this to the one who is invited.
    pub link: String,
}

/// Makes an account with an invitation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInviteRequest {
    /// Out of the link.
    pub code: Code,
    /// The account name.
    pub name: AccountName,
    /// The password.
    pub password: NewPassword,
}

/// Joins a team with an invitation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// Out of the link.
    pub code: Code,
}
