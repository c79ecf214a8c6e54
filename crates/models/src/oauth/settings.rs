//! What is known of a provider's OAuth server: addresses, who we are to it, what is asked for. Every part is checked
//! when it is read, so that a value of these types can be used as it is.

use crate::{Key, oauth::secret};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use url::{Host, Url};
use zeroize::Zeroizing;

/// The longest address.
const URL_BYTES: usize = 2048;
/// The longest client id; some are whole URLs.
const CLIENT_ID_BYTES: usize = 512;
/// How many scopes, and how long each.
const SCOPES: usize = 64;
const SCOPE_BYTES: usize = 256;
/// How many further parameters, and how long each.
const EXTRAS: usize = 16;
const EXTRA_NAME_BYTES: usize = 64;
const EXTRA_VALUE_BYTES: usize = 512;

/// Parameters that the protocol itself sets.
const RESERVED: [&str; 14] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "device_code",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// Why a setting was not taken; it never repeats the setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSettings(&'static str);

/// An OAuth server and who we are to it. Written as JSON it lacks the client secret; see [`OAuthSettings::to_json`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthSettings {
    /// Who we are to it.
    pub client_id: ClientId,
    /// How we prove that, if it wants proof.
    #[serde(default, skip_serializing, deserialize_with = "secret::read_maybe")]
    pub client_secret: Option<Key>,
    /// Where the proof stands.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// The page where people log in; without it there is no login by browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize_url: Option<ServerUrl>,
    /// Where tokens are given out and renewed.
    pub token_url: ServerUrl,
    /// Where a login on another device begins; without it there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_url: Option<ServerUrl>,
    /// What is asked for.
    #[serde(default)]
    pub scopes: Scopes,
    /// Where the browser is sent back to, if the server insists on an address; otherwise the caller names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<ServerUrl>,
    /// Further parameters of the request that begins a login, such as `audience`.
    #[serde(default)]
    pub extra: Extra,
}

/// Where a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In the header, as every server must understand.
    #[default]
    Basic,
    /// In the form, as some servers insist.
    Body,
}

impl OAuthSettings {
    /// As JSON with the client secret, for sealing. It is read as any settings are.
    pub fn to_json(&self) -> Zeroizing<String> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            shown: &'a OAuthSettings,
            client_secret: Option<&'a str>,
        }
        let client_secret = self.client_secret.as_ref().map(Key::expose);
        secret::to_json(&Whole { shown: self, client_secret })
    }

    /// The hosts that are sent secrets: what the secrets are to be bound to.
    pub fn hosts(&self) -> BTreeSet<String> {
        [Some(&self.token_url), self.device_url.as_ref()]
            .into_iter()
            .flatten()
            .map(|url| url.0.authority().to_owned())
            .collect()
    }
}

/// An address that may be sent secrets: https, or http on this machine; without a user, a fragment, or a parameter
/// that the protocol sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = BadSettings;

    fn try_from(text: String) -> Result<Self, BadSettings> {
        let url = page(&text)?;
        if url.fragment().is_some() {
            return Err(BadSettings("an address has no fragment"));
        }
        if url.query_pairs().any(|(name, _)| RESERVED.contains(&name.as_ref())) {
            return Err(BadSettings("an address has no parameter that the login sets itself"));
        }
        Ok(Self(url))
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> String {
        url.0.into()
    }
}

/// An address that may be opened: https, or http on this machine; without a user.
pub(super) fn page(text: &str) -> Result<Url, BadSettings> {
    // The parser would drop these silently.
    if text.len() > URL_BYTES || text.bytes().any(|b| b <= 0x20 || b == 0x7f) {
        return Err(BadSettings("an address has at most 2048 bytes and no spaces"));
    }
    let url = Url::parse(text).map_err(|_| BadSettings("this is no address"))?;
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err(BadSettings("an address has a host")),
    };
    if !(url.scheme() == "https" || url.scheme() == "http" && here) {
        return Err(BadSettings(
            "an address begins with https://, or with http:// if it is on this machine",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadSettings("an address has no user and no password in it"));
    }
    Ok(url)
}

/// A client id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

impl ClientId {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClientId {
    type Error = BadSettings;

    fn try_from(text: String) -> Result<Self, BadSettings> {
        if (1..=CLIENT_ID_BYTES).contains(&text.len()) && secret::is_sound(&text) {
            Ok(Self(text))
        } else {
            Err(BadSettings("a client id has 1 to 512 plain characters"))
        }
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> String {
        id.0
    }
}

/// What tokens are good for, in the server's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// As one text, which is how they are sent. `None`: there are none.
    pub(super) fn joined(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join(" "))
    }

    /// From one text. Some servers put commas between them.
    pub(super) fn split(text: &str) -> Result<Self, BadSettings> {
        let each = text.split([' ', ',']).filter(|scope| !scope.is_empty());
        // One more than may be is enough to see that there are too many.
        each.take(SCOPES + 1).map(str::to_owned).collect::<Vec<_>>().try_into()
    }
}

impl TryFrom<Vec<String>> for Scopes {
    type Error = BadSettings;

    fn try_from(scopes: Vec<String>) -> Result<Self, BadSettings> {
        let sound = |scope: &String| {
            (1..=SCOPE_BYTES).contains(&scope.len())
                && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        };
        if scopes.len() <= SCOPES && scopes.iter().all(sound) {
            Ok(Self(scopes))
        } else {
            Err(BadSettings(
                "there are at most 64 scopes, each of 1 to 256 plain characters without spaces and quotes",
            ))
        }
    }
}

impl From<Scopes> for Vec<String> {
    fn from(scopes: Scopes) -> Vec<String> {
        scopes.0
    }
}

/// Further parameters of the request that begins a login.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Extra(BTreeMap<String, String>);

impl Extra {
    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl TryFrom<BTreeMap<String, String>> for Extra {
    type Error = BadSettings;

    fn try_from(extra: BTreeMap<String, String>) -> Result<Self, BadSettings> {
        if extra.len() > EXTRAS {
            return Err(BadSettings("there are at most 16 further parameters"));
        }
        for (name, value) in &extra {
            let named = (1..=EXTRA_NAME_BYTES).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
            if !named || value.len() > EXTRA_VALUE_BYTES || value.contains(char::is_control) {
                return Err(BadSettings(
                    "a further parameter has a plain name of at most 64 bytes and a value of at most 512",
                ));
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(BadSettings("a further parameter is none that the login sets itself"));
            }
        }
        Ok(Self(extra))
    }
}

impl From<Extra> for BTreeMap<String, String> {
    fn from(extra: Extra) -> BTreeMap<String, String> {
        extra.0
    }
}

#[cfg(test)]
mod tests;
