//! Mosaic beside other self-hosted gateways: starting, memory at rest, requests that do next to nothing, and calls to a
//! model that is made up.

use super::Start;
use crate::{
    calls::{
        self,
        stand::{Side, Stand},
    },
    figure::{Bar, Figure, Spread},
    load::Target,
    out,
    process::{Launch, Running},
    program::Program,
    usage,
    versus::{self, Bars},
};
use serde::Deserialize;
use std::collections::BTreeMap;

const STARTS: usize = 3;

/// What is to be known of a gateway.
#[derive(Deserialize)]
pub(super) struct Gateway {
    #[serde(flatten)]
    start: Start,
    /// The path that is asked under load, and with which headers.
    path: String,
    headers: BTreeMap<String, String>,
    /// What Mosaic is asked meanwhile.
    beside: String,
    /// How it is called for a model.
    calls: Option<Calls>,
}

/// How a gateway is called for a model.
#[derive(Deserialize)]
struct Calls {
    path: String,
    headers: BTreeMap<String, String>,
    /// Our processor time, of its.
    most_cost: f64,
}

impl Gateway {
    pub(super) fn name(&self) -> &str {
        &self.start.name
    }

    pub(super) async fn measure(&self, program: &Program) -> anyhow::Result<Vec<Figure>> {
        let stand = Stand::start().await?;
        let upstream = stand.upstream();
        let launch = || self.start.launch_with(&[("{upstream}", &upstream)]);
        out::progress(&format!("{}: {STARTS} starts each", self.start.name));
        // The first start of a peer may compile or unpack something.
        launch()?.timed().await?;
        let (mut ours, mut theirs) = (vec![], vec![]);
        for _ in 0..STARTS {
            ours.push(program.launch().timed().await?);
            theirs.push(launch()?.timed().await?);
        }
        let (ours, theirs) = (Spread::of(ours), Spread::of(theirs));
        let start = Figure::new("start to the first answer", "ms", ours.median());
        let mut figures = vec![start.beside(theirs.median())];

        let (ours, theirs) = (program.launch().start().await?, launch()?.start().await?);
        figures.extend(self.memory(&ours, &theirs).await);
        figures.extend(self.requests(program, &ours, &theirs).await?);
        ours.stop().await;
        theirs.stop().await;
        if let Some(calls) = &self.calls {
            figures.extend(self.calls(calls, &stand, &launch()?).await?);
        }
        stand.stop().await;
        Ok(figures)
    }

    /// Calls that are answered in one piece.
    async fn calls(
        &self,
        calls: &Calls,
        stand: &Stand,
        launch: &Launch,
    ) -> anyhow::Result<Vec<Figure>> {
        out::progress(&format!("{}: calls in turns", self.start.name));
        let upstream = stand.upstream();
        let headers = calls.headers.iter();
        let headers =
            headers.map(|(name, value)| (name.clone(), value.replace("{upstream}", &upstream)));
        let theirs = Side::of(launch.start().await?, &calls.path, headers.collect());
        let ours = stand.gateway().await?;
        let bar = Bar::RatioAtMost(calls.most_cost);
        let figures = calls::whole("a call", &ours, &theirs, bar).await?;
        ours.running.stop().await;
        theirs.running.stop().await;
        Ok(figures)
    }

    /// Proportional memory: a peer may be several programs that share much.
    async fn memory(&self, ours: &Running, theirs: &Running) -> Option<Figure> {
        out::progress(&format!("{}: memory at rest", self.start.name));
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
        out::progress(&format!("{}: requests in turns", self.start.name));
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
            Bars::default(),
            &versus::Side { running: ours, target: us },
            &versus::Side { running: theirs, target: them },
        )
        .await
    }
}
