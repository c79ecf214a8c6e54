//! Many who are connected and wait: what each of them costs, and whether others notice.

use super::conversation_of;
use crate::{
    figure::Figure,
    out,
    process::Running,
    room::{Room, Tongue},
    usage,
};
use anyhow::ensure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{sync::Arc, time::Duration};

const READERS: usize = 10_000;
/// How long is looked at what they cost.
const LOOK: Duration = Duration::from_secs(10);

/// Lets this program, and what it starts, have as many connections as the system allows.
pub(crate) fn raise_the_limit_of_files() {
    let limit = getrlimit(Resource::Nofile);
    // If it may not be, opening the connections will tell.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

pub(super) async fn run(ours: &Running, tokens: &Arc<Vec<String>>) -> anyhow::Result<Vec<Figure>> {
    let files = getrlimit(Resource::Nofile).current;
    if files.is_some_and(|files| files < READERS as u64 + 200) {
        out::complain(&format!(
            "{READERS} WEBSOCKETS ARE NOT MEASURED: {files:?} open files are allowed here (ulimit -n)"
        ));
        return Ok(vec![]);
    }
    out::progress(&format!("{READERS} WebSockets that wait"));
    let (waiting, other) =
        (conversation_of(ours, tokens).await?, conversation_of(ours, tokens).await?);
    let room = |log, n| Room::open(ours.address, Tongue::Mosaic { tokens: tokens.clone(), log }, n);
    let before = usage::settled_memory(ours.pid()).await;
    let crowd = room(waiting, READERS).await?;
    let after = usage::settled_memory(ours.pid()).await;
    let spent = usage::processor_seconds(ours.pid());
    tokio::time::sleep(LOOK).await;
    let spent =
        usage::processor_seconds(ours.pid()).zip(spent).map(|(after, before)| after - before);
    let pair = room(other, 1).await?;
    let latency = pair.round(Duration::from_secs(2)).await?.latency;
    // All of them are still there, and hear.
    let heard = crowd.round(Duration::from_millis(1)).await?;
    ensure!(heard.deliveries == READERS, "{} of {READERS} heard a message", heard.deliveries);

    let what = format!("{READERS} WebSockets that wait");
    let mut figures = vec![];
    if let (Some(before), Some(after)) = (before, after) {
        let each = (after.rss - before.rss) * 1e3 / READERS as f64;
        figures.push(Figure::new(format!("{what}, memory of each"), "kB", each));
    }
    if let Some(spent) = spent {
        let percent = spent * 100.0 / LOOK.as_secs_f64();
        figures.push(Figure::new(format!("{what}, of one core"), "%", percent));
    }
    figures.push(Figure::new(
        format!("{what}, message between two others, p99"),
        "ms",
        latency.percentile(99.0),
    ));
    let all = heard.latency.percentile(100.0);
    figures.push(Figure::new(format!("{what}, until all heard one message"), "ms", all));
    Ok(figures)
}
