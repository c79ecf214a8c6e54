//! Puts one layer over another, keeps where each value came from, and checks what only shows once all are there.
//! Leaves out: how a layer is spelt (`file.rs`, `environment.rs`) and what a value may be (`parse.rs`).

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use super::{
    Config, ConfigError, Settings,
    key::{Key, Preset, Spot, is_provider_name, locate},
    parse::{self, Shown},
    problem::{Problem, escaped, printable},
    table::KEYS,
};

/// A value before its key has looked at it. No `Debug`: it may be a secret.
pub(super) enum Raw {
    /// From the environment, a flag or a default: text that may stand for anything.
    Loose(String),
    /// The rest comes from the file, where types are written down and have to fit.
    Text(String),
    Whole(i64),
    Truth(bool),
    List(Vec<String>),
    /// A type that no key has, by its name.
    Other(&'static str),
}

/// Where a value came from, in the words that `config show` and errors use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Default,
    File { name: String, line: usize },
    Env(String),
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line } => write!(f, "{}:{line}", escaped(name)),
            Self::Env(name) | Self::Flag(name) => f.write_str(&printable(name)),
        }
    }
}

/// One line of `config show`.
#[derive(Debug)]
pub(super) struct Row {
    pub name: String,
    pub shown: Shown,
    pub source: Source,
}

pub(super) struct Layers {
    settings: Settings,
    rows: BTreeMap<Spot, Row>,
    /// Where each provider was first named.
    providers: BTreeMap<String, Source>,
    problems: Vec<Problem>,
}

impl Layers {
    pub(super) fn with_defaults(data: &str) -> Self {
        let mut layers = Self {
            settings: Settings::blank(),
            rows: BTreeMap::new(),
            providers: BTreeMap::new(),
            problems: Vec::new(),
        };
        for (index, key) in KEYS.iter().enumerate() {
            if key.provider_field().is_none() {
                layers.preset(key, Spot { provider: String::new(), index }, data);
            }
        }
        layers
    }

    /// Puts one value over whatever was there.
    pub(super) fn set(&mut self, spot: &Spot, raw: &Raw, source: &Source) {
        let key = spot.key();
        if key.provider_field().is_some() && !self.provider(&spot.provider, source) {
            return;
        }
        self.store(spot.clone(), raw, source);
    }

    /// Makes a provider known, with its defaults. False, with a problem, if it cannot be called that.
    pub(super) fn provider(&mut self, name: &str, source: &Source) -> bool {
        if !is_provider_name(name) {
            let text = format!(
                "`{}` cannot be the name of a login provider; it takes a lower-case letter, then up to 31 of a–z, 0–9 and -",
                printable(name)
            );
            self.problem(source, text);
            return false;
        }
        if !self.providers.contains_key(name) {
            self.providers.insert(name.to_owned(), source.clone());
            for (index, key) in KEYS.iter().enumerate() {
                if key.provider_field().is_some() {
                    self.preset(key, Spot { provider: name.to_owned(), index }, "");
                }
            }
        }
        true
    }

    pub(super) fn problem(&mut self, source: &Source, text: String) {
        self.problems.push(Problem { place: source.to_string(), text });
    }

    /// The names of the providers so far, for guesses.
    pub(super) fn provider_names(&self) -> impl Iterator<Item = &str> {
        self.providers.keys().map(String::as_str)
    }

    fn preset(&mut self, key: &Key, spot: Spot, data: &str) {
        let text = match key.preset {
            Preset::Absent => {
                let shown = Shown { text: "(not set)".to_owned(), json: Value::Null };
                // A provider's absent keys are all required ones: they get a row only when somebody gives them.
                if spot.provider.is_empty() {
                    let name = spot.name();
                    self.rows.insert(spot, Row { name, shown, source: Source::Default });
                }
                return;
            }
            Preset::Text(text) => text,
            Preset::DataDirectory => data,
            Preset::ProviderName => &spot.provider.clone(),
        };
        self.store(spot, &Raw::Loose(text.to_owned()), &Source::Default);
    }

    fn store(&mut self, spot: Spot, raw: &Raw, source: &Source) {
        let shown = match parse::store(spot.key(), &spot.provider, raw, &mut self.settings) {
            Ok(shown) => shown,
            Err(text) => {
                self.problem(source, format!("`{}` {text}", spot.name()));
                // The row still says that a value was given, so that no second problem says it is missing.
                Shown { text: String::new(), json: Value::Null }
            }
        };
        let name = spot.name();
        self.rows.insert(spot, Row { name, shown, source: source.clone() });
    }

    fn given(&self, name: &str) -> Option<&Source> {
        let row = self.rows.get(&locate(name)?)?;
        (row.source != Source::Default).then_some(&row.source)
    }

    /// What no single layer can know.
    pub(super) fn check_combinations(&mut self) {
        let mut found = Vec::new();
        if let (Some(source), None) = (self.given("master_key_previous"), self.given("master_key"))
        {
            let text = "`master_key_previous` is of use only next to the new `master_key`; set both or neither";
            found.push((source.clone(), text.to_owned()));
        }
        if let (Some(source), None) = (self.given("bus_url"), self.given("database_url")) {
            let text = "`bus_url` is of use only to nodes that share a PostgreSQL database; set `database_url`, too, or leave `bus_url` out";
            found.push((source.clone(), text.to_owned()));
        }
        for (provider, source) in &self.providers {
            let missing: Vec<String> = ["issuer", "client_id", "client_secret"]
                .iter()
                .map(|field| format!("oidc.{provider}.{field}"))
                .filter(|name| self.given(name).is_none())
                .map(|name| format!("`{name}`"))
                .collect();
            if !missing.is_empty() {
                found.push((
                    source.clone(),
                    format!("`oidc.{provider}` also needs {}", missing.join(", ")),
                ));
            }
        }
        for (source, text) in found {
            self.problem(&source, text);
        }
    }

    pub(super) fn finish(self) -> Result<Config, ConfigError> {
        if self.problems.is_empty() {
            Ok(Config { settings: self.settings, rows: self.rows.into_values().collect() })
        } else {
            Err(ConfigError::new(self.problems))
        }
    }
}
