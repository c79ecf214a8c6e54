//! One who says something, many who hear it: how soon, and what it costs.

use super::conversation_of;
use crate::{
    figure::{Bar, Figure, Spread},
    out,
    process::Running,
    room::{Room, Tongue},
    usage,
};
use std::{sync::Arc, time::Duration};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) async fn run(ours: &Running, tokens: &Arc<Vec<String>>) -> anyhow::Result<Vec<Figure>> {
    let mut figures = vec![];
    for (readers, bar) in [(100, Some(Bar::Under(3.0))), (1000, None)] {
        out::progress(&format!("one says something, {readers} hear it"));
        let log = conversation_of(ours, tokens).await?;
        let idle = usage::settled_memory(ours.pid()).await;
        let tongue = Tongue::Mosaic { tokens: tokens.clone(), log };
        let room = Room::open(ours.address, tongue, readers).await?;
        room.round(WARM_UP).await?;
        let (mut p50, mut p99, mut costs) = (vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let measured = room.measure(ours, ROUND).await?;
            p50.push(measured.round.latency.median());
            p99.push(measured.round.latency.percentile(99.0));
            costs.extend(measured.cost);
        }
        let median = |values: Vec<f64>| Spread::of(values).median();
        let row = |name: &str, unit, value| {
            Figure::new(format!("{readers} readers, {name}"), unit, value)
        };
        let late = row("p99", "ms", median(p99));
        figures.push(row("median", "ms", median(p50)));
        figures.push(match bar {
            Some(bar) => late.bar(bar),
            None => late,
        });
        figures.push(row("server's processor time for one", "µs", median(costs)));
        let now = usage::settled_memory(ours.pid()).await;
        if let (Some(idle), Some(now), 1000) = (idle, now, readers) {
            let more = row("memory more than without", "MB", now.rss - idle.rss);
            figures.push(more.bar(Bar::Under(40.0)));
        }
    }
    Ok(figures)
}
