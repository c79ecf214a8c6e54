//! Coming back after having missed much: from connecting until everything is there.

use super::opening::filled;
use crate::{
    figure::{Bar, Figure, Spread},
    out,
    process::Running,
    program::Program,
    talk::Talk,
};
use anyhow::ensure;
use std::time::Instant;

const MISSED: usize = 1000;
const TIMES: usize = 100;

pub(super) async fn run(program: &Program, ours: &Running) -> anyhow::Result<Vec<Figure>> {
    out::progress(&format!("coming back after {MISSED} entries"));
    let mut talk = Talk::open(ours.address, &program.token, &[]).await?;
    let log = filled(&mut talk, program, ours, "Missed", MISSED).await?;
    let mut took = vec![];
    for _ in 0..TIMES {
        let begun = Instant::now();
        // The first entry says that the conversation began; that one was had.
        let mut reader = Talk::open(ours.address, &program.token, &[(&log, 1)]).await?;
        let mut n = 0;
        loop {
            let heard = reader.socket.hear().await?;
            if heard.contains("\"type\":\"live\"") {
                break;
            }
            n += usize::from(heard.contains("\"type\":\"entry\""));
        }
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
        ensure!(n == MISSED, "{n} entries came instead of {MISSED}");
    }
    let took = Spread::of(took);
    let what = format!("back after {MISSED} entries");
    Ok(vec![
        Figure::new(format!("{what}, median"), "ms", took.median()),
        Figure::new(format!("{what}, p99"), "ms", took.percentile(99.0)).bar(Bar::Under(50.0)),
    ])
}
