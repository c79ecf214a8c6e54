//! Logging in to a provider of models instead of giving a key: what is known of its login server, and how far a login is.

use crate::{ProviderLoginId, SecretValue, Time, provider::Provider};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Begins a login to a provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderLoginRequest {
    /// Where and as what; as at the last login unless told.
    #[serde(default)]
    pub settings: Option<ProviderLoginSettings>,
}

/// A login server, and who we are to it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderLoginSettings {
    /// Who we are to it.
    #[schemars(length(max = 512))]
    pub client_id: String,
    /// How we prove that, if it wants proof.
    #[serde(default)]
    pub client_secret: Option<SecretValue>,
    /// Where the proof stands.
    #[serde(default)]
    pub client_auth: ClientProof,
    /// The page where people log in; needed for a login in the browser.
    #[serde(default)]
    #[schemars(length(max = 2048))]
    pub authorize_url: Option<String>,
    /// Where tokens are given out and renewed.
    #[schemars(length(max = 2048))]
    pub token_url: String,
    /// Where a login on another device begins; needed for one.
    #[serde(default)]
    #[schemars(length(max = 2048))]
    pub device_url: Option<String>,
    /// What is asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Further parameters of the request that begins a login, such as `audience`.
    #[serde(default)]
    pub extra: BTreeMap<String, String>,
}

/// Where a client proves who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientProof {
    /// In the header.
    #[default]
    Basic,
    /// In the form, as some servers insist.
    Body,
}

/// A login that a person finishes on another device.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeviceLogin {
    /// What to ask about it with.
    pub login_id: ProviderLoginId,
    /// What to type there.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same address with the code in it, if the server has one.
    pub verification_uri_complete: Option<String>,
    /// When it is too late.
    pub expires_at: Time,
    /// Ask how far it is after so many seconds.
    pub wait_seconds: u64,
}

/// How far a login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoginState {
    /// The person has not answered yet.
    Pending,
    /// The provider can be used.
    Done,
    /// The person said no.
    Denied,
    /// It took too long.
    Expired,
}

/// How far a login is, and what next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginProgress {
    /// In a word.
    pub state: LoginState,
    /// Ask again after so many seconds, while it is pending.
    pub wait_seconds: Option<u64>,
    /// The provider, when it is done.
    pub provider: Option<Provider>,
}

impl std::fmt::Debug for DeviceLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Who knows the code can take the login over, as long as nobody has typed it.
        f.debug_struct("DeviceLogin").field("login_id", &self.login_id).finish_non_exhaustive()
    }
}
