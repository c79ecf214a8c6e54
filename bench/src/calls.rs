//! What a call to a model costs on its way through the gateway, beside a proxy that only passes it on: whole answers,
//! streams, and many slow streams at once. The model is made up and costs nothing.

pub(crate) mod floor; // the least a proxy can do
mod slow; // 2,000 streams at once
pub(crate) mod stand; // what runs: the provider, the proxy, the gateway
mod streams; // streams at a pace, and as fast as they come
mod telling; // tool: one stream, read as it comes
pub(crate) mod upstream; // the provider that is made up
mod whole; // answers in one piece

pub(crate) use whole::whole;

use crate::{
    figure::{Bar, Report, Section},
    out,
};
use clap::ValueEnum;
use stand::{Side, Stand};

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Answers in one piece
    Whole,
    /// Streams
    Streams,
    /// 2,000 slow streams at once
    Slow,
}

/// What stands on our side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ours {
    Gateway,
    /// The floor again: how far the ratios can be trusted.
    Floor,
}

/// How many streams or requests there are at once, where nothing else is said.
const AT_ONCE: usize = 16;

pub(crate) async fn run(parts: &[Part], ours: Ours) -> anyhow::Result<Report> {
    let stand = Stand::start().await?;
    let ours = match ours {
        Ours::Gateway => stand.gateway().await?,
        Ours::Floor => stand.floor().await?,
    };
    let floor = stand.floor().await?;
    let parts = if parts.is_empty() { Part::value_variants() } else { parts };
    let mut figures = vec![];
    for part in parts {
        figures.extend(match part {
            Part::Whole => {
                let bar = Bar::RatioAtMost(3.0);
                whole("POST /v1/chat/completions", &ours, &floor, bar).await?
            }
            Part::Streams => streams::run(&ours, &floor).await?,
            Part::Slow => slow::run(&ours, &floor).await?,
        });
    }
    for side in [ours, floor] {
        side.running.stop().await;
    }
    stand.stop().await;
    Ok(Report { sections: vec![Section { beside: "floor".into(), figures }] })
}

/// That both give the same answer: a refusal is quick and would pass for speed.
async fn same(ours: &Side, floor: &Side) -> anyhow::Result<()> {
    for side in [ours, floor] {
        let said = side.said("small").await?;
        let wanted = "word0 word1 ";
        anyhow::ensure!(said.starts_with(wanted), "{} says {said:?}", side.running.address);
    }
    out::progress("the same answer from both");
    Ok(())
}
