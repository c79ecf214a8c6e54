//! What a key is, and its three spellings: in the file, in the environment and as a flag.
//! Leaves out: the keys themselves (`table.rs`) and reading values (`parse.rs`).

use std::{net::SocketAddr, path::PathBuf};

use ipnet::IpNet;
use url::Url;

use super::{FILE_VARIABLE, LogFormat, Secret, Settings, table::KEYS};

pub(super) const ENV_PREFIX: &str = "MOSAIC_";
/// The only pattern among the keys: one group for each provider of logins.
const PROVIDER_PATTERN: &str = "oidc.<name>.";
const LONGEST_PROVIDER: usize = 32;

/// One row of the table.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub preset: Preset,
    /// One or two sentences for the reference page.
    pub doc: &'static str,
}

/// The value of a key that no layer gives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Preset {
    Absent,
    /// Read by the same rules as an environment variable.
    Text(&'static str),
    /// The directory that the caller found for this machine.
    DataDirectory,
    /// The provider's own name.
    ProviderName,
}

/// Stores a checked value; the text is the provider's name, empty for a key without one.
pub(super) type Put<T> = fn(&mut Settings, &str, T);

/// How a value is read and checked, and the field it ends in. A key is a secret by its kind, so that no row can
/// forget to say so.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Truth(Put<bool>),
    Whole {
        min: u64,
        max: u64,
        put: Put<u64>,
    },
    Size {
        min: u64,
        max: u64,
        put: Put<u64>,
    },
    Address(Put<SocketAddr>),
    Directory(Put<PathBuf>),
    Format(Put<LogFormat>),
    Text(Put<String>),
    /// An http or https URL without a path.
    Origin(Put<Url>),
    /// An http or https URL.
    Endpoint(Put<Url>),
    /// An https URL, http only to this machine.
    Issuer(Put<String>),
    Hosts(Put<Vec<String>>),
    Origins(Put<Vec<String>>),
    Networks(Put<Vec<IpNet>>),
    Secret {
        min_chars: usize,
        put: Put<Secret>,
    },
    HexKey(Put<Secret>),
    Headers(Put<Vec<(String, Secret)>>),
    /// Only the password inside is masked.
    DatabaseUrl(Put<Secret>),
    /// Only the password inside is masked.
    BusUrl(Put<Secret>),
}

impl Key {
    pub(super) fn secret(&self) -> bool {
        use Kind::{BusUrl, DatabaseUrl, Headers, HexKey, Secret};
        matches!(self.kind, Secret { .. } | HexKey(_) | Headers(_) | DatabaseUrl(_) | BusUrl(_))
    }

    /// The part after `oidc.<name>.`, for the keys of a provider.
    pub(super) fn provider_field(&self) -> Option<&'static str> {
        self.name.strip_prefix(PROVIDER_PATTERN)
    }

    pub(super) fn name_for(&self, provider: &str) -> String {
        self.name.replace("<name>", provider)
    }

    pub(super) fn env_name_for(&self, provider: &str) -> String {
        let name = self.name_for(provider);
        format!("{ENV_PREFIX}{}", name.to_uppercase().replace(['.', '-'], "_"))
    }
}

/// A key, and for the keys of a provider whose it is. Ordered so that a provider's keys stand together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub provider: String,
    pub index: usize,
}

impl Spot {
    pub(super) fn key(&self) -> &'static Key {
        &KEYS[self.index]
    }

    pub(super) fn name(&self) -> String {
        self.key().name_for(&self.provider)
    }
}

/// The key that a name in the file's spelling stands for. The provider's name is not checked yet.
pub(super) fn locate(name: &str) -> Option<Spot> {
    let (provider, wanted) = match name.strip_prefix("oidc.").and_then(|rest| rest.split_once('.'))
    {
        Some((provider, field)) => (provider, format!("{PROVIDER_PATTERN}{field}")),
        None => ("", name.to_owned()),
    };
    let index = KEYS.iter().position(|key| key.name == wanted)?;
    Some(Spot { provider: provider.to_owned(), index })
}

/// The key that an environment variable stands for. What stands between `MOSAIC_OIDC_` and the field is the name.
pub(super) fn locate_env(variable: &str) -> Option<Spot> {
    for (index, key) in KEYS.iter().enumerate() {
        let Some(field) = key.provider_field() else {
            if key.env_name_for("") == variable {
                return Some(Spot { provider: String::new(), index });
            }
            continue;
        };
        let name = variable
            .strip_prefix("MOSAIC_OIDC_")
            .and_then(|rest| rest.strip_suffix(&field.to_uppercase()))
            .and_then(|rest| rest.strip_suffix('_'))
            .filter(|name| !name.is_empty() && !name.contains(|c: char| c.is_lowercase()));
        if let Some(name) = name {
            let provider = name.to_lowercase().replace('_', "-");
            return Some(Spot { provider, index });
        }
    }
    None
}

/// Whether keys start with this name and a dot: `limits`, `oidc`, `oidc.company`.
pub(super) fn is_group(name: &str) -> bool {
    let provider = name.strip_prefix("oidc.").is_some_and(|rest| !rest.contains('.'));
    let starts = |key: &Key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    provider || KEYS.iter().any(starts)
}

pub(super) fn is_provider_name(name: &str) -> bool {
    name.len() <= LONGEST_PROVIDER
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// What people type for a key: a few have flags of their own (`args.rs`), the others go through `--set`.
pub(super) fn flag_name(key: &str) -> String {
    const OWN: [&str; 4] = ["listen", "data", "database_url", "setup_code"];
    if OWN.contains(&key) { format!("--{}", key.replace('_', "-")) } else { format!("--set {key}") }
}

/// Every environment variable, with `<NAME>` for the name of a provider, and the one that names the file.
pub(crate) fn env_names() -> Vec<String> {
    let settings = KEYS.iter().map(|key| key.env_name_for("<NAME>"));
    std::iter::once(FILE_VARIABLE.to_owned()).chain(settings).collect()
}
