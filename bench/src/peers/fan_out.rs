//! Mosaic beside servers that do nothing but send what one says to many, by the same client, in turns.

use super::Start;
use crate::{
    figure::{Bar, Figure, Spread},
    log::{conversation_of, people},
    out,
    program::Program,
    room::{Measured, Room, Tongue},
    usage,
};
use serde::Deserialize;
use std::time::Duration;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);

/// What is to be known of such a server.
#[derive(Deserialize)]
pub(super) struct FanOut {
    #[serde(flatten)]
    start: Start,
    speaks: Tongue,
    /// What part of its processor time for one delivery ours may take.
    most_cost: f64,
}

impl FanOut {
    pub(super) fn name(&self) -> &str {
        &self.start.name
    }

    pub(super) async fn measure(&self, program: &Program) -> anyhow::Result<Vec<Figure>> {
        let tokens = people(program)?;
        let mut figures = vec![];
        for readers in [100, 1000] {
            out::progress(&format!("{}: {readers} readers, in turns", self.name()));
            let (ours, theirs) =
                (program.launch().start().await?, self.start.launch()?.start().await?);
            let log = conversation_of(&ours, &tokens).await?;
            let idle = (usage::memory(ours.pid()), usage::memory(theirs.pid()));
            let tongue = Tongue::Mosaic { tokens: tokens.clone(), log };
            let our_room = Room::open(ours.address, tongue, readers).await?;
            let their_room = Room::open(theirs.address, self.speaks.clone(), readers).await?;
            our_room.round(WARM_UP).await?;
            their_room.round(WARM_UP).await?;
            let (mut us, mut them) = (vec![], vec![]);
            for _ in 0..ROUNDS {
                us.push(our_room.measure(&ours, ROUND).await?);
                them.push(their_room.measure(&theirs, ROUND).await?);
            }
            figures.extend(self.rows(readers, &us, &them));
            let now = (usage::memory(ours.pid()), usage::memory(theirs.pid()));
            if let ((Some(a), Some(b)), (Some(c), Some(d))) = (idle, now) {
                let name = format!("{readers} readers, memory more than without");
                figures.push(Figure::new(name, "MB", c.rss - a.rss).beside(d.rss - b.rss));
            }
            ours.stop().await;
            theirs.stop().await;
        }
        Ok(figures)
    }

    fn rows(&self, readers: usize, us: &[Measured], them: &[Measured]) -> Vec<Figure> {
        let row = |name: &str, unit, of: &dyn Fn(&Measured) -> f64| {
            let median = |side: &[Measured]| Spread::of(side.iter().map(of).collect()).median();
            let ratios = us.iter().zip(them).map(|(us, them)| of(us) / of(them)).collect();
            Figure::new(format!("{readers} readers, {name}"), unit, median(us))
                .beside(median(them))
                .rounds(ratios)
        };
        let late = row("p99", "ms", &|it| it.round.latency.percentile(99.0));
        let cost = row("server's processor time for one", "µs", &|it| it.cost.unwrap_or(f64::NAN));
        let (late, cost) = match readers {
            1000 => (late.bar(Bar::RatioUnder(1.0)), cost.bar(Bar::RatioAtMost(self.most_cost))),
            _ => (late, cost),
        };
        vec![row("median", "ms", &|it| it.round.latency.median()), late, cost]
    }
}
