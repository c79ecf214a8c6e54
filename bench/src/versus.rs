//! Load on two servers in turns, so that whatever else the machine does hits both.

use crate::{
    figure::{Bar, Figure, Spread},
    load::{self, Round, Target},
    process::Running,
    usage,
};
use std::time::Duration;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);

/// One of the two.
pub(crate) struct Side<'a> {
    pub(crate) running: &'a Running,
    pub(crate) target: Target,
}

/// What two of the rows should be.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bars {
    pub(crate) requests: Option<Bar>,
    pub(crate) processor: Option<Bar>,
}

struct Measured {
    round: Round,
    /// Processor time of the server for one request, in microseconds.
    cost: Option<f64>,
}

/// Loads ours and the other in turns; the rows are called after `what`.
pub(crate) async fn run(
    what: &str,
    bars: Bars,
    ours: &Side<'_>,
    other: &Side<'_>,
) -> anyhow::Result<Vec<Figure>> {
    for side in [ours, other] {
        load::round(&side.target, WARM_UP).await?;
    }
    let (mut us, mut them) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        us.push(measure(ours).await?);
        them.push(measure(other).await?);
    }
    let median = |side: &[Measured], of: &dyn Fn(&Measured) -> f64| {
        Spread::of(side.iter().map(of).collect()).median()
    };
    let row = |name: &str, unit, bar: Option<Bar>, of: &dyn Fn(&Measured) -> f64| {
        let ratios = us.iter().zip(&them).map(|(us, them)| of(us) / of(them)).collect();
        let figure = Figure::new(format!("{what}, {name}"), unit, median(&us, of))
            .beside(median(&them, of))
            .rounds(ratios);
        match bar {
            Some(bar) => figure.bar(bar),
            None => figure,
        }
    };
    let mut rows = vec![
        row("requests per second", "/s", bars.requests, &|it| it.round.per_second),
        row("latency, median", "ms", None, &|it| it.round.latency.median()),
        row("latency, p99", "ms", None, &|it| it.round.latency.percentile(99.0)),
    ];
    if us.iter().chain(&them).all(|it| it.cost.is_some()) {
        let cost = |it: &Measured| it.cost.unwrap_or_default();
        rows.push(row("server's processor time", "µs", bars.processor, &cost));
    }
    Ok(rows)
}

async fn measure(side: &Side<'_>) -> anyhow::Result<Measured> {
    let pid = side.running.pid();
    let before = usage::processor_seconds(pid);
    let round = load::round(&side.target, ROUND).await?;
    let spent = before.zip(usage::processor_seconds(pid)).map(|(before, after)| after - before);
    let cost = spent.map(|seconds| seconds * 1e6 / round.requests.max(1) as f64);
    Ok(Measured { round, cost })
}
