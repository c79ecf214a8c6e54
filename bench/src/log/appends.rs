//! Durable appends: many conversations at once, and one alone beside a commit of the bare database.

use crate::{
    bare::Bare,
    figure::{Bar, Figure, Spread},
    out,
    process::Running,
    program::Program,
    usage,
    writers::Writers,
};
use std::time::Duration;

pub(crate) const AT_ONCE: usize = 64;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);
const ALONE: Duration = Duration::from_secs(1);

pub(super) async fn run(program: &Program, ours: &Running) -> anyhow::Result<Vec<Figure>> {
    out::progress(&format!("appends in {AT_ONCE} conversations at once"));
    let many = Writers::open(ours.address, program.token.clone(), AT_ONCE).await?;
    many.round(WARM_UP).await?;
    let (mut per_second, mut p50, mut p99, mut costs) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let before = usage::processor_seconds(ours.pid());
        let round = many.round(ROUND).await?;
        let spent = before.zip(usage::processor_seconds(ours.pid()));
        costs.extend(spent.map(|(before, after)| (after - before) * 1e6 / round.appends as f64));
        per_second.push(round.per_second);
        p50.push(round.latency.median());
        p99.push(round.latency.percentile(99.0));
    }
    drop(many);
    let median = |values: Vec<f64>| Spread::of(values).median();
    let at_once = format!("{AT_ONCE} conversations at once");
    let mut figures = vec![
        Figure::new(format!("{at_once}, appends"), "/s", median(per_second)),
        Figure::new(format!("{at_once}, median"), "ms", median(p50)),
        Figure::new(format!("{at_once}, p99"), "ms", median(p99)).bar(Bar::Under(25.0)),
        Figure::new(format!("{at_once}, server's processor time"), "µs", median(costs)),
    ];
    figures.extend(alone(program, ours).await?);
    Ok(figures)
}

/// In turns with the bare database, so that the disk is the same for both.
async fn alone(program: &Program, ours: &Running) -> anyhow::Result<Vec<Figure>> {
    out::progress("appends in one conversation, beside the bare database");
    let mut bare = Bare::open(program.folder()).await?;
    let one = Writers::open(ours.address, program.token.clone(), 1).await?;
    one.round(WARM_UP).await?;
    bare.round(WARM_UP).await?;
    let (mut us, mut them, mut beyond) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let (ours, other) = (one.round(ALONE).await?.latency, bare.round(ALONE).await?);
        beyond.push(ours.median() - other.median());
        us.push(ours);
        them.push(other);
    }
    let median = |side: &[Spread], percent| {
        Spread::of(side.iter().map(|it| it.percentile(percent)).collect()).median()
    };
    let row = |name: &str, percent| {
        Figure::new(format!("one conversation, {name}"), "ms", median(&us, percent))
            .beside(median(&them, percent))
    };
    Ok(vec![
        row("median", 50.0),
        row("p99", 99.0),
        Figure::new("one conversation, beyond the commit", "ms", Spread::of(beyond).median())
            .bar(Bar::Under(1.0)),
    ])
}
