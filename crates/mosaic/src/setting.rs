//! Reads what the configuration is made from: the file, the environment, the flags.

use crate::{
    args::Options,
    config::{self, Config, FILE_VARIABLE, Sources},
};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// A part of the configuration cannot even be read.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}\n  {remedy}")]
pub(crate) struct Unreadable {
    /// The file, the variable or the flag.
    place: String,
    problem: String,
    remedy: &'static str,
}

/// Merges and checks everything.
pub(crate) fn load(options: &Options) -> anyhow::Result<Config> {
    let env = environment()?;
    let named = options.config.clone().or_else(|| {
        env.iter().find(|(name, _)| name == FILE_VARIABLE).map(|(_, path)| PathBuf::from(path))
    });
    let file = match named {
        Some(path) => Some(read(&path)?),
        None if Path::new("mosaic.toml").exists() => Some(read(Path::new("mosaic.toml"))?),
        None => None,
    };
    let file = file.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    let flags = flags(options)?;
    let mut config =
        config::load(&Sources { file, env: &env, flags: &flags, default_data: &default_data() })?;
    // A relative path means the same after this, whoever reads it and from where.
    config.settings.data = std::path::absolute(&config.settings.data)?;
    Ok(config)
}

fn read(path: &Path) -> Result<(String, String), Unreadable> {
    let name = path.display().to_string();
    let problem = |problem: String, remedy| Unreadable { place: name.clone(), problem, remedy };
    let bytes = std::fs::read(path).map_err(|error| {
        problem(
            format!("the configuration file cannot be read: {error}"),
            "check the path, or leave --config and MOSAIC_CONFIG out",
        )
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        problem(
            format!("the configuration file is not UTF-8 from line {line} on"),
            "save it as UTF-8 text",
        )
    })?;
    Ok((name, text))
}

fn environment() -> Result<Vec<(String, String)>, Unreadable> {
    let unreadable = |name: &OsStr, problem: &str| Unreadable {
        place: name.display().to_string(),
        problem: problem.to_owned(),
        remedy: "set it anew, or unset it",
    };
    let ours =
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MOSAIC_"));
    ours.map(|(name, value)| match (name.into_string(), value.into_string()) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        (Ok(name), Err(_)) => Err(unreadable(name.as_ref(), "the value is not UTF-8")),
        (Err(name), _) => Err(unreadable(&name, "the name is not UTF-8")),
    })
    .collect()
}

fn flags(options: &Options) -> Result<Vec<(String, String)>, Unreadable> {
    let given = [
        ("listen", &options.listen),
        ("data", &options.data),
        ("database_url", &options.database_url),
        ("setup_code", &options.setup_code),
    ];
    let given = given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
    let set = options.set.iter().map(|pair| match pair.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(Unreadable {
            place: format!("--set {pair}"),
            problem: "there is no `=` in it".to_owned(),
            remedy: "write it as KEY=VALUE",
        }),
    });
    given.map(Ok).chain(set).collect()
}

/// Where data goes when nobody says so: where programs of this system keep theirs.
pub(crate) fn default_data() -> String {
    let var = |name: &str| std::env::var(name).ok().filter(|value| value.starts_with('/'));
    let home = var("HOME").unwrap_or_else(|| "/var/lib".to_owned());
    match var("XDG_DATA_HOME") {
        Some(base) => format!("{base}/mosaic"),
        None if cfg!(target_os = "macos") => format!("{home}/Library/Application Support/mosaic"),
        None => format!("{home}/.local/share/mosaic"),
    }
}
