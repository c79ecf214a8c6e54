//! Mosaic beside a queue that makes sure of what it is given, as Mosaic does: so many at once, in turns.

use super::Start;
use crate::{
    figure::{Bar, Figure, Spread},
    log::AT_ONCE,
    out,
    process::Running,
    program::Program,
    wire,
    writers::Writers,
};
use serde::Deserialize;
use std::time::Duration;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);

/// What is to be known of a queue.
#[derive(Deserialize)]
pub(super) struct Queue {
    #[serde(flatten)]
    start: Start,
}

/// What a round came to.
#[derive(Deserialize)]
struct Round {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl Queue {
    pub(super) fn name(&self) -> &str {
        &self.start.name
    }

    pub(super) async fn measure(&self, program: &Program) -> anyhow::Result<Vec<Figure>> {
        out::progress(&format!("{}: {AT_ONCE} at once, in turns", self.name()));
        // On the disk that our data is on.
        let disk = tempfile::TempDir::with_prefix_in("queue-", program.folder())?;
        let launch = self.start.launch_with(&[("{disk}", &disk.path().to_string_lossy())])?;
        let (ours, theirs) = (program.launch().start().await?, launch.start().await?);
        let writers = Writers::open(ours.address, program.token.clone(), AT_ONCE).await?;
        writers.round(ROUND).await?;
        adds(&theirs).await?;
        let (mut us, mut them) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            let round = writers.round(ROUND).await?;
            us.push(Round {
                per_second: round.per_second,
                p50_ms: round.latency.median(),
                p99_ms: round.latency.percentile(99.0),
            });
            them.push(adds(&theirs).await?);
        }
        ours.stop().await;
        theirs.stop().await;
        let row = |name: &str, unit, of: &dyn Fn(&Round) -> f64| {
            let median = |side: &[Round]| Spread::of(side.iter().map(of).collect()).median();
            let ratios = us.iter().zip(&them).map(|(us, them)| of(us) / of(them)).collect();
            Figure::new(format!("{AT_ONCE} at once, {name}"), unit, median(&us))
                .beside(median(&them))
                .rounds(ratios)
        };
        Ok(vec![
            row("kept", "/s", &|it| it.per_second).bar(Bar::RatioAtLeast(4.0)),
            row("median", "ms", &|it| it.p50_ms),
            row("p99", "ms", &|it| it.p99_ms),
        ])
    }
}

/// The queue's own client adds, in its own language: that is how it is used.
async fn adds(theirs: &Running) -> anyhow::Result<Round> {
    let path = format!("/?at_once={AT_ONCE}&ms={}", ROUND.as_millis());
    let answer = wire::call(theirs.address, "GET", &path, &[], "").await?;
    Ok(serde_json::from_slice(&answer)?)
}
