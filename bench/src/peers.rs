//! Mosaic beside other self-hosted gateways: starting, memory at rest, requests that do next to nothing.
//!
//! A peer is described by a file. How it is installed and configured is no matter of this program.

use crate::{
    figure::{Figure, Report, Section, Spread},
    load::Target,
    out,
    process::{self, Launch, Running},
    program::Program,
    usage,
    versus::{self, Side},
};
use anyhow::Context;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

const STARTS: usize = 3;

/// What is to be known of a peer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Peer {
    name: String,
    /// The program and its arguments; `{port}` stands for the port that it is to listen on.
    command: Vec<String>,
    env: BTreeMap<String, String>,
    /// Where it runs.
    folder: PathBuf,
    /// The path that answers 200 once it is ready.
    ready: String,
    /// The path that is asked under load, and with which headers.
    path: String,
    headers: BTreeMap<String, String>,
    /// What Mosaic is asked meanwhile.
    beside: String,
}

pub(crate) async fn run(files: &[PathBuf]) -> anyhow::Result<Report> {
    let program = Program::prepare().await?;
    let mut sections = vec![];
    for file in files {
        let peer = Peer::read(file)?;
        // One peer that does not work is no reason to know nothing of the others.
        match peer.measure(&program).await {
            Ok(section) => sections.push(section),
            Err(error) => out::complain(&format!("{} IS SKIPPED: {error:#}", peer.name)),
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

    /// On a port that is free now.
    fn launch(&self) -> anyhow::Result<Launch> {
        let address = process::free_address()?;
        let port = address.port().to_string();
        let filled = |text: &String| text.replace("{port}", &port);
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

    async fn measure(&self, program: &Program) -> anyhow::Result<Section> {
        out::progress(&format!("{}: {STARTS} starts each", self.name));
        // The first start of a peer may compile or unpack something.
        self.launch()?.timed().await?;
        let (mut ours, mut theirs) = (vec![], vec![]);
        for _ in 0..STARTS {
            ours.push(program.launch().timed().await?);
            theirs.push(self.launch()?.timed().await?);
        }
        let (ours, theirs) = (Spread::of(ours), Spread::of(theirs));
        let start = Figure::new("start to the first answer", "ms", ours.median());
        let mut figures = vec![start.beside(theirs.median())];

        let (ours, theirs) = (program.launch().start().await?, self.launch()?.start().await?);
        figures.extend(self.memory(&ours, &theirs).await);
        figures.extend(self.requests(program, &ours, &theirs).await?);
        ours.stop().await;
        theirs.stop().await;
        Ok(Section { beside: self.name.clone(), figures })
    }

    /// Proportional memory: a peer may be several programs that share much.
    async fn memory(&self, ours: &Running, theirs: &Running) -> Option<Figure> {
        out::progress(&format!("{}: memory at rest", self.name));
        let (ours, theirs) =
            tokio::join!(usage::settled_memory(ours.pid()), usage::settled_memory(theirs.pid()));
        let (ours, theirs) = (ours?.pss?, theirs?.pss?);
        Some(Figure::new("memory at rest, proportional", "MB", ours).beside(theirs))
    }

    async fn requests(
        &self,
        program: &Program,
        ours: &Running,
        theirs: &Running,
    ) -> anyhow::Result<Vec<Figure>> {
        out::progress(&format!("{}: requests in turns", self.name));
        let bearer = program.bearer();
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // Who is asked without credentials is compared without credentials.
        let own = [("authorization", bearer.as_str())];
        let own = if headers.is_empty() { &own[..0] } else { &own[..] };
        let us = Target::get(ours.address, &self.beside, own);
        let them = Target::get(theirs.address, &self.path, &headers);
        let what = format!("{} against {}", self.beside, self.path);
        versus::run(
            &what,
            None,
            &Side { running: ours, target: us },
            &Side { running: theirs, target: them },
        )
        .await
    }
}
