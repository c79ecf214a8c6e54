//! Opening a conversation: its last page, where it is long and where it is short.

use crate::{
    figure::{Bar, Figure, Spread},
    filling::fill,
    out,
    process::Running,
    program::Program,
    talk::Talk,
    wire::{self, Connection},
};
use anyhow::ensure;
use std::{sync::Arc, time::Instant};

const LONG: usize = 100_000;
const SHORT: usize = 100;
const TIMES: usize = 500;

pub(super) async fn run(program: &Program, ours: &Running) -> anyhow::Result<Vec<Figure>> {
    out::progress(&format!("a conversation of {LONG} entries"));
    let mut talk = Talk::open(ours.address, &program.token, &[]).await?;
    let begun = Instant::now();
    let long = filled(&mut talk, program, ours, "Long", LONG).await?;
    let per_second = LONG as f64 / begun.elapsed().as_secs_f64();
    let short = filled(&mut talk, program, ours, "Short", SHORT).await?;

    out::progress("opening its last page");
    let bearer = program.bearer();
    let ask = |log: &str| {
        let path = format!("/api/logs/{log}/entries");
        wire::request(ours.address, "GET", &path, &[("authorization", &bearer)], "")
    };
    let (ask_long, ask_short) = (ask(&long), ask(&short));
    let mut connection = Connection::open(ours.address).await?;
    let (mut longs, mut shorts) = (vec![], vec![]);
    for _ in 0..TIMES {
        for (request, took) in [(&ask_long, &mut longs), (&ask_short, &mut shorts)] {
            let begun = Instant::now();
            let answer = connection.send(request).await?;
            took.push(begun.elapsed().as_secs_f64() * 1000.0);
            ensure!(answer.status == 200, "a page was answered with {}", answer.status);
        }
    }
    let (longs, shorts) = (Spread::of(longs), Spread::of(shorts));
    Ok(vec![
        Figure::new(format!("last page of {LONG} entries, median"), "ms", longs.median())
            .beside(shorts.median())
            .bar(Bar::RatioUnder(2.0)),
        Figure::new(format!("last page of {LONG} entries, p99"), "ms", longs.percentile(99.0))
            .beside(shorts.percentile(99.0)),
        Figure::new("appends to one conversation, 256 at once", "/s", per_second),
    ])
}

/// A conversation with so many messages.
pub(super) async fn filled(
    talk: &mut Talk,
    program: &Program,
    ours: &Running,
    title: &str,
    n: usize,
) -> anyhow::Result<String> {
    let log = talk.create(title).await?;
    let shared: Arc<str> = log.as_str().into();
    let said = (0..n).map(move |n| (shared.clone(), format!("message {n:08} {:.<183}", "")));
    fill(ours.address, &program.token, said).await?;
    Ok(log)
}
