//! The configuration: built-in defaults, then `mosaic.toml`, then `MOSAIC_*`, then flags, each over the one before.
//! Pure: the caller reads the file, the environment and the arguments, so that every answer here can be tested as
//! text in, text out. One closed table ([`table`]) drives reading, checking, showing and the reference page.
//! Leaves out: finding the file (`MOSAIC_CONFIG`, `--config`), file permissions, resolving relative paths.

mod environment;
mod file;
mod key;
mod layers;
mod networks;
mod numbers;
mod parse;
mod problem;
#[cfg(test)]
mod properties;
mod reference;
pub(crate) mod settings;
mod show;
mod table;
#[cfg(test)]
mod tests;
mod urls;

use layers::{Layers, Raw, Row, Source};

pub(crate) use key::env_names;
pub(crate) use mosaic_protocol::Sensitive as Secret;
pub(crate) use problem::ConfigError;
pub(crate) use settings::{LogFormat, Settings};

/// A `MOSAIC_*` name that is not a setting: it names the configuration file, and the caller reads it.
pub(crate) const FILE_VARIABLE: &str = "MOSAIC_CONFIG";

/// Another one: the key that `mosaic provider add` takes. Other users of the machine cannot read it there.
pub(crate) const KEY_VARIABLE: &str = "MOSAIC_PROVIDER_KEY";

/// Everything a configuration is made from, already read.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// The file's name as messages should show it, and its text.
    pub file: Option<(&'a str, &'a str)>,
    /// The whole environment; names that do not start with `MOSAIC_` are ignored.
    pub env: &'a [(String, String)],
    /// Flags that were given, by key (`limits.body_bytes`, not `--limits-body-bytes`).
    pub flags: &'a [(String, String)],
    /// The data directory when nobody names one.
    pub default_data: &'a str,
}

/// A checked configuration, and where each value came from.
#[derive(Debug)]
pub(crate) struct Config {
    pub settings: Settings,
    rows: Vec<Row>,
}

/// Merges and checks all layers. Every problem in every layer is reported, also in values that a later layer
/// replaces: a broken line in the file should not wait for the day the environment variable is removed.
pub(crate) fn load(sources: &Sources<'_>) -> Result<Config, ConfigError> {
    let mut layers = Layers::with_defaults(sources.default_data);
    if let Some((name, text)) = sources.file {
        file::read(name, text, &mut layers);
    }
    environment::read(sources.env, &mut layers);
    for (key, value) in sources.flags {
        let flag = key::flag_name(key);
        match key::locate(key) {
            Some(spot) => layers.set(&spot, &Raw::Loose(value.clone()), &Source::Flag(flag)),
            None => {
                let text = file::unknown(key, &layers);
                layers.problem(&Source::Flag(flag), text);
            }
        }
    }
    layers.check_combinations();
    layers.finish()
}

/// The reference page, docs/configuration.md, as markdown.
pub(crate) fn reference() -> String {
    reference::page()
}
