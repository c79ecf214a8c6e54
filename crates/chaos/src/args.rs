//! The command line, as data.

use crate::fault::Kind;
use clap::Parser;
use std::{path::PathBuf, str::FromStr};

/// Drives the real program, breaks what it stands on, and checks that it keeps its promises
///
/// Each round, many write and read, something is broken at a moment that the seed chooses, and when everybody has come
/// back everything is compared: what was asked for, what was answered, what was seen, what is stored.
#[derive(Debug, Parser)]
#[command(name = "mosaic-chaos", max_term_width = 100)]
pub(crate) struct Args {
    /// How many rounds
    #[arg(long, default_value_t = 20)]
    pub rounds: u64,
    /// What every choice comes from; a random one unless given, and printed
    #[arg(long)]
    pub seed: Option<u64>,
    /// sqlite, or postgres=URL of a server on which databases may be made
    #[arg(long, default_value = "sqlite")]
    pub database: Database,
    /// The gateway's program; the one beside this unless given
    #[arg(long, value_name = "PATH")]
    pub program: Option<PathBuf>,
    /// How many write at once
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub writers: u64,
    /// How many read at once
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(0..=100))]
    pub readers: u64,
    /// How many conversations everybody writes to
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub logs: u64,
    /// What is broken; all that the database can have unless given
    #[arg(long, value_delimiter = ',')]
    pub faults: Vec<Kind>,
    /// How many gateways on one PostgreSQL; unless given, one and three in turns
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=9))]
    pub nodes: Option<u64>,
    /// A setting of the gateways, such as bus_url=valkey://127.0.0.1:6379
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where the data is kept while it runs, and left if something is wrong
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres(String),
}

impl FromStr for Database {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Database, Self::Err> {
        match text.split_once('=') {
            None if text == "sqlite" => Ok(Database::Sqlite),
            Some(("postgres", url)) => Ok(Database::Postgres(url.to_owned())),
            _ => Err("write sqlite, or postgres=postgres://user@127.0.0.1:5432/postgres"),
        }
    }
}
