//! People, their logins, and the bodies with which they set up, log in and look after themselves.

use crate::{
    AccountName, Code, IdentityId, Label, NewPassword, Password, ProviderName, SessionId, Time,
    UserId, WorkspaceId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// Can log in.
    Active,
    /// Cannot log in; nothing is deleted.
    Suspended,
}

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// What the person logs in with.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// May administer this server.
    pub admin: bool,
    /// Whether the account can be used.
    pub state: UserState,
    /// Since when.
    pub created_at: Time,
}

/// The answer to "who am I".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Me {
    /// The person.
    pub user: User,
    /// Their personal workspace.
    pub workspace_id: WorkspaceId,
}

/// What a page needs to know before anyone has logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Info {
    /// The program's version.
    pub version: String,
    /// No admin exists yet: the setup link is what is needed.
    pub setup_needed: bool,
    /// Login providers.
    pub providers: Vec<Provider>,
}

/// A login provider, as a button shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provider {
    /// Its name in paths.
    pub name: String,
    /// Its name for people.
    pub label: String,
}

/// Makes the first admin.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupRequest {
    /// Out of the setup link.
    pub code: Code,
    /// The admin's account name.
    pub name: AccountName,
    /// The admin's password.
    pub password: NewPassword,
}

/// A login by password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The account name.
    pub name: AccountName,
    /// The password.
    pub password: Password,
}

/// A new password by a one-time link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRequest {
    /// Out of the link.
    pub code: Code,
    /// The new password.
    pub password: NewPassword,
}

/// Changes what others see of me.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMeRequest {
    /// The new name.
    pub display_name: Label,
}

/// Changes my password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordRequest {
    /// The present one. Left out only by those who have none, because they log in with a provider.
    #[serde(default)]
    pub current: Option<Password>,
    /// The new one.
    pub new: NewPassword,
}

/// Deletes my account and everything in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteMeRequest {
    /// The account name once more, as a brake.
    pub name: AccountName,
    /// The password, for those who have one.
    #[serde(default)]
    pub password: Option<Password>,
}

/// A login in one browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// When it began.
    pub created_at: Time,
    /// When it was last used, to the minute.
    pub seen_at: Time,
    /// When it ends by itself.
    pub expires_at: Time,
    /// What the browser calls itself.
    pub agent: String,
    /// Where it was opened from.
    pub address: String,
    /// It is the one that asks.
    pub current: bool,
}

/// An account at a login provider that is linked to mine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Which.
    pub id: IdentityId,
    /// At which provider.
    pub provider: String,
    /// Since when.
    pub created_at: Time,
}

/// Begins to link an account at a login provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkIdentityRequest {
    /// Which provider.
    pub provider: ProviderName,
    /// The password, for those who have one.
    #[serde(default)]
    pub password: Option<Password>,
}

/// Where to go next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Goto {
    /// Open this.
    pub url: String,
}

/// Makes an account for somebody else.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUserRequest {
    /// The account name.
    pub name: AccountName,
    /// A first password; without one, hand out a recovery link.
    #[serde(default)]
    pub password: Option<NewPassword>,
}

/// Changes what a user may do on this server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUserRequest {
    /// Whether they administer it.
    pub admin: bool,
}

/// A one-time link, shown once.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct OneTimeLink {
    /// The link; it works once.
    pub link: String,
    /// It works until then.
    pub expires_at: Time,
}
