//! Streams, 16 at once: how soon the first words are there, and how many streams get through.
//!
//! Twice: at the pace of a quick model, where the machine has time, and as fast as they come, where it has none.

use super::{AT_ONCE, stand::Side, telling::Listener, upstream::Pace};
use crate::{
    figure::{Bar, Figure, Spread},
    out, usage, wire,
};
use anyhow::ensure;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Two hundred words in a second, for a fifth of a second.
const PACED: Pace = Pace { chunks: 40, gap_ms: 5 };
const FLAT_OUT: Pace = Pace { chunks: 200, gap_ms: 0 };
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);
const WARM_UP: Duration = Duration::from_secs(1);

struct Round {
    per_second: f64,
    /// In milliseconds, until the first words.
    first: Spread,
    /// Processor time of the server for one stream, in microseconds.
    cost: f64,
}

pub(super) async fn run(ours: &Side, floor: &Side) -> anyhow::Result<Vec<Figure>> {
    let mut figures = vec![];
    let kinds = [(PACED, "streams at a pace"), (FLAT_OUT, "streams as fast as they come")];
    for (pace, what) in kinds {
        out::progress(&format!("{AT_ONCE} {what}, in turns"));
        for side in [ours, floor] {
            round(side, pace, WARM_UP).await?;
        }
        let (mut us, mut them) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            us.push(round(ours, pace, ROUND).await?);
            them.push(round(floor, pace, ROUND).await?);
        }
        let row = |name: &str, unit, of: &dyn Fn(&Round) -> f64| {
            let median = |side: &[Round]| Spread::of(side.iter().map(of).collect()).median();
            let ratios = us.iter().zip(&them).map(|(us, them)| of(us) / of(them)).collect();
            Figure::new(format!("{what}, {name}"), unit, median(&us))
                .beside(median(&them))
                .rounds(ratios)
        };
        figures.push(row("first words, median", "ms", &|it| it.first.median()));
        let late = row("first words, p99", "ms", &|it| it.first.percentile(99.0));
        figures.push(late.bar(Bar::RatioAtMost(1.5)));
        figures.push(row("in a second", "/s", &|it| it.per_second).bar(Bar::RatioAtLeast(0.8)));
        figures.push(row("server's processor time for one", "µs", &|it| it.cost));
    }
    Ok(figures)
}

/// Asks again and again, over connections that are kept. Any stream that is not the whole of it ends the round.
async fn round(side: &Side, pace: Pace, time: Duration) -> anyhow::Result<Round> {
    let (address, pid) = (side.running.address, side.running.pid());
    let body = side.body(&pace.model(), true);
    let request: Arc<[u8]> =
        wire::request(address, "POST", side.path(), &side.headers(), &body).into();
    let text: Arc<str> = pace.text().into();
    let mut listeners = vec![];
    for _ in 0..AT_ONCE {
        listeners.push(Listener::open(address).await?);
    }
    let before = usage::processor_seconds(pid);
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for mut listener in listeners {
        let (request, text) = (request.clone(), text.clone());
        asking.spawn(async move {
            let mut firsts = vec![];
            while begun.elapsed() < time {
                let told = listener.ask(&request).await?;
                ensure!(told.is(&text), "a stream is not whole: {:?}", told.text);
                firsts.push(told.first.as_secs_f64() * 1000.0);
            }
            anyhow::Ok(firsts)
        });
    }
    let mut firsts = vec![];
    while let Some(done) = asking.join_next().await {
        firsts.extend(done??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let spent = before.zip(usage::processor_seconds(pid)).map(|(before, after)| after - before);
    let n = firsts.len() as f64;
    let cost = spent.map_or(f64::NAN, |spent| spent * 1e6 / n);
    Ok(Round { per_second: n / seconds, first: Spread::of(firsts), cost })
}
