//! Many who say something at once, each in a conversation of their own, each waiting until it is kept.

use crate::{
    crew::{Crew, Orders},
    figure::Spread,
    talk::Talk,
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// What came of one round.
pub(crate) struct Round {
    pub(crate) appends: usize,
    pub(crate) per_second: f64,
    /// In milliseconds.
    pub(crate) latency: Spread,
}

pub(crate) struct Writers {
    crew: Crew<Round>,
}

impl Writers {
    /// So many, each with a conversation of their own.
    pub(crate) async fn open(
        address: SocketAddr,
        token: String,
        n: usize,
    ) -> anyhow::Result<Writers> {
        let open = async move {
            let mut writers = vec![];
            for n in 0..n {
                let mut talk = Talk::open(address, &token, &[]).await?;
                let log = talk.create(&format!("Conversation {n}")).await?;
                writers.push((talk, log));
            }
            Ok(writers)
        };
        Ok(Writers { crew: Crew::open(open, work).await? })
    }

    pub(crate) async fn round(&self, time: Duration) -> anyhow::Result<Round> {
        self.crew.round(time).await
    }
}

async fn work(mut writers: Vec<(Talk, String)>, mut orders: Orders<Round>) {
    while let Some((time, answer)) = orders.recv().await {
        let begun = Instant::now();
        let mut writing = JoinSet::new();
        for writer in writers.drain(..) {
            writing.spawn(write(writer, begun + time));
        }
        let mut took = vec![];
        let mut failed = None;
        while let Some(done) = writing.join_next().await {
            match done.map_err(Into::into).flatten() {
                Ok((writer, more)) => {
                    writers.push(writer);
                    took.extend(more);
                }
                Err(error) => failed = Some(error),
            }
        }
        let (appends, seconds) = (took.len(), begun.elapsed().as_secs_f64());
        let _ = answer.send(match failed {
            Some(error) => Err(error),
            None => Ok(Round {
                appends,
                per_second: appends as f64 / seconds,
                latency: Spread::of(took),
            }),
        });
    }
}

type Writer = (Talk, String);

async fn write((mut talk, log): Writer, until: Instant) -> anyhow::Result<(Writer, Vec<f64>)> {
    let text = "x".repeat(200);
    let mut took = vec![];
    let mut now = Instant::now();
    while now < until {
        talk.send(&log, &text).await?;
        let done = Instant::now();
        took.push((done - now).as_secs_f64() * 1000.0);
        now = done;
    }
    Ok(((talk, log), took))
}
