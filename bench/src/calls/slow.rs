//! 2,000 streams at once, one chunk a second each: the memory they take, and whether every chunk arrives.

use super::{stand::Side, telling::Listener, upstream::Pace};
use crate::{
    figure::{Bar, Figure},
    out, usage, wire,
};
use anyhow::bail;
use rustix::process::{Resource, getrlimit};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

const STREAMS: usize = 2_000;
const SLOW: Pace = Pace { chunks: 20, gap_ms: 1000 };
/// They begin one after the other, as people do.
const APART: Duration = Duration::from_millis(1);
/// How long one may take: three times as long as it should.
const PATIENCE: Duration = Duration::from_secs(60);

struct Seen {
    /// The largest that was seen, in millions of bytes.
    memory: f64,
    incomplete: usize,
    /// Of the server, in seconds.
    processor: f64,
    /// Why the first incomplete one was so.
    why: Option<String>,
}

pub(super) async fn run(ours: &Side, floor: &Side) -> anyhow::Result<Vec<Figure>> {
    let files = getrlimit(Resource::Nofile).current;
    // The proxy has two connections for each.
    if files.is_some_and(|files| files < 2 * STREAMS as u64 + 200) {
        out::complain(&format!(
            "{STREAMS} SLOW STREAMS ARE NOT MEASURED: {files:?} open files are allowed here (ulimit -n)"
        ));
        return Ok(vec![]);
    }
    out::progress(&format!("{STREAMS} slow streams, first the floor's"));
    let them = many(floor).await?;
    if let Some(why) = them.why {
        bail!("a slow stream did not arrive through the floor: {why}");
    }
    out::progress(&format!("{STREAMS} slow streams"));
    let us = many(ours).await?;
    if let Some(why) = &us.why {
        out::complain(&format!("a slow stream did not arrive: {why}"));
    }
    let row = |name: &str, unit, us, them| {
        Figure::new(format!("{STREAMS} slow streams, {name}"), unit, us).beside(them)
    };
    Ok(vec![
        row("most memory, resident", "MB", us.memory, them.memory).bar(Bar::Under(150.0)),
        // Alone: a ratio to none is no number.
        Figure::new(format!("{STREAMS} slow streams, incomplete"), "", us.incomplete as f64)
            .bar(Bar::Under(1.0)),
        row("server's processor time", "s", us.processor, them.processor),
    ])
}

async fn many(side: &Side) -> anyhow::Result<Seen> {
    let (address, pid) = (side.running.address, side.running.pid());
    let body = side.body(&SLOW.model(), true);
    let request: Arc<[u8]> =
        wire::request(address, "POST", side.path(), &side.headers(), &body).into();
    let text: Arc<str> = SLOW.text().into();
    let spent = || usage::processor_seconds(pid).unwrap_or(f64::NAN);
    let before = spent();
    let mut telling = JoinSet::new();
    let mut apart = tokio::time::interval(APART);
    for _ in 0..STREAMS {
        apart.tick().await;
        let (request, text) = (request.clone(), text.clone());
        telling.spawn(async move {
            let told = async { Listener::open(address).await?.ask(&request).await };
            match tokio::time::timeout(PATIENCE, told).await {
                Ok(Ok(told)) if told.is(&text) => None,
                Ok(Ok(told)) => Some(format!("it ended with {:?}", told.text)),
                Ok(Err(error)) => Some(format!("{error:#}")),
                Err(_) => Some(format!("it took more than {} s", PATIENCE.as_secs())),
            }
        });
    }
    let mut seen = Seen { memory: 0.0, incomplete: 0, processor: 0.0, why: None };
    let mut looks = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            _ = looks.tick() => {
                let now = usage::memory(pid).map_or(f64::NAN, |memory| memory.rss);
                seen.memory = if now.is_nan() { now } else { seen.memory.max(now) };
            }
            told = telling.join_next() => match told {
                None => break,
                Some(told) => if let Some(why) = told? {
                    seen.incomplete += 1;
                    seen.why.get_or_insert(why);
                }
            }
        }
    }
    seen.processor = spent() - before;
    Ok(seen)
}
