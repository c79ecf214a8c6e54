//! Mosaic beside other programs: gateways, servers that send to many, a queue that keeps what it is given.
//!
//! A peer is described by a file. How it is installed and configured is no matter of this program.

mod fan_out;
mod gateway;
mod queue;

use crate::{
    figure::{Report, Section},
    out,
    process::{self, Launch},
    program::Program,
};
use anyhow::Context;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// What is to be known of a peer.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Peer {
    Gateway(gateway::Gateway),
    FanOut(fan_out::FanOut),
    Queue(queue::Queue),
}

/// How it is started.
#[derive(Deserialize)]
struct Start {
    name: String,
    /// The program and its arguments; `{port}` stands for the port that it is to listen on, `{upstream}` in the
    /// description of a gateway for the provider that is made up.
    command: Vec<String>,
    env: BTreeMap<String, String>,
    /// Where it runs.
    folder: PathBuf,
    /// The path that answers 200 once it is ready.
    ready: String,
}

pub(crate) async fn run(files: &[PathBuf]) -> anyhow::Result<Report> {
    let program = Program::prepare().await?;
    let mut sections = vec![];
    for file in files {
        let peer = Peer::read(file)?;
        let (name, measured) = match &peer {
            Peer::Gateway(peer) => (peer.name(), peer.measure(&program).await),
            Peer::FanOut(peer) => (peer.name(), peer.measure(&program).await),
            Peer::Queue(peer) => (peer.name(), peer.measure(&program).await),
        };
        // One peer that does not work is no reason to know nothing of the others.
        match measured {
            Ok(figures) => sections.push(Section { beside: name.to_owned(), figures }),
            Err(error) => out::complain(&format!("{name} IS SKIPPED: {error:#}")),
        }
    }
    Ok(Report { sections })
}

impl Peer {
    fn read(file: &Path) -> anyhow::Result<Peer> {
        let text = std::fs::read_to_string(file);
        let text = text.with_context(|| format!("reading {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))
    }
}

impl Start {
    /// On a port that is free now.
    fn launch(&self) -> anyhow::Result<Launch> {
        self.launch_with(&[])
    }

    /// The same, with more words that stand for something.
    fn launch_with(&self, more: &[(&str, &str)]) -> anyhow::Result<Launch> {
        let address = process::free_address()?;
        let port = address.port().to_string();
        let filled = |text: &String| {
            let text = text.replace("{port}", &port);
            more.iter().fold(text, |text, (word, value)| text.replace(word, value))
        };
        let mut words = self.command.iter().map(filled);
        Ok(Launch {
            program: words.next().context("a peer without a command")?.into(),
            args: words.map(Into::into).collect(),
            env: self.env.iter().map(|(name, value)| (name.clone(), filled(value))).collect(),
            folder: self.folder.clone(),
            address: Some(address),
            ready: self.ready.clone(),
            patience: Duration::from_secs(120),
        })
    }
}
