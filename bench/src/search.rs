//! Searching among many messages: by somebody who may read all of them, and by somebody who takes part in twenty
//! conversations; newest first.

mod words;

use crate::{
    figure::{Bar, Figure, Report, Section, Spread},
    filling::fill,
    log::{id_of, people},
    out,
    process::Running,
    program::Program,
    talk::Talk,
    wire::{self, Connection},
};
use anyhow::{Context, bail, ensure};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use words::{Question, Words};

/// How many messages one conversation has.
const EACH: usize = 500;
/// In how many of them the second person takes part.
const OWN: usize = 20;
/// How often each kind of question is asked.
const TIMES: usize = 200;
/// How long the index may take to have everything.
const PATIENCE: Duration = Duration::from_secs(900);

pub(crate) async fn run(messages: usize) -> anyhow::Result<Report> {
    let program = Program::prepare().await?;
    let tokens = people(&program)?;
    let all = tokens.first().context("nobody")?.as_str();
    let some = tokens.get(1).context("nobody else")?.as_str();
    let ours = program.launch().start().await?;
    if !can_search(&ours, all).await? {
        out::complain("SEARCH IS NOT MEASURED: this gateway has no /api/conversations/search");
        return Ok(Report { sections: vec![] });
    }

    out::progress(&format!("{messages} messages"));
    let begun = Instant::now();
    converse(&ours, all, some, messages).await?;
    let per_second = messages as f64 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    indexed(&ours, all).await?;
    let behind = begun.elapsed().as_secs_f64();

    let mut figures = vec![
        Figure::new(format!("{messages} messages, written"), "/s", per_second),
        Figure::new("until the last one is found", "s", behind),
    ];
    let words = Words::new();
    for (whose, token) in [("all conversations", all), ("own twenty", some)] {
        for question in Question::ALL {
            out::progress(&format!("{whose}: {}", question.name()));
            figures.extend(ask(&ours, token, whose, question, &words).await?);
        }
    }
    ours.stop().await;
    Ok(Report { sections: vec![Section { beside: String::new(), figures }] })
}

/// The first owns all conversations, the second takes part in some that lie far apart.
async fn converse(ours: &Running, all: &str, some: &str, messages: usize) -> anyhow::Result<()> {
    let mut talk = Talk::open(ours.address, all, &[]).await?;
    let n = messages.div_ceil(EACH);
    let mut logs: Vec<Arc<str>> = vec![];
    for at in 0..n {
        logs.push(talk.create(&format!("Conversation {at}")).await?.into());
    }
    let other = id_of(ours, some).await?;
    for log in logs.iter().step_by(n.div_ceil(OWN)) {
        talk.invite(log, &other).await?;
    }
    let mut words = Words::new();
    // In turns, as people talk: what is newest is in all of them.
    let said = (0..messages).map(move |n| (logs[n % logs.len()].clone(), words.message()));
    fill(ours.address, all, said).await?;
    // Another one: whoever says nothing for so long is taken for gone.
    let mut talk = Talk::open(ours.address, all, &[]).await?;
    let log = talk.create("The last").await?;
    talk.send(&log, words::LAST).await
}

fn path(question: &str) -> String {
    let encoded: String = question.bytes().map(|byte| format!("%{byte:02x}")).collect();
    format!("/api/conversations/search?q={encoded}")
}

async fn can_search(ours: &Running, token: &str) -> anyhow::Result<bool> {
    let (bearer, path) = (format!("Bearer {token}"), path("anything"));
    let headers = [("authorization", bearer.as_str())];
    let request = wire::request(ours.address, "GET", &path, &headers, "");
    Ok(Connection::open(ours.address).await?.send(&request).await?.status == 200)
}

/// The index is a little behind what is written.
async fn indexed(ours: &Running, token: &str) -> anyhow::Result<()> {
    let (bearer, begun) = (format!("Bearer {token}"), Instant::now());
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while begun.elapsed() < PATIENCE {
        ticks.tick().await;
        let headers = [("authorization", bearer.as_str())];
        let found = wire::call(ours.address, "GET", &path(words::LAST), &headers, "").await?;
        if count(&found) > 0 {
            return Ok(());
        }
    }
    bail!("the last message is not found after {} s", PATIENCE.as_secs())
}

/// How much was found.
fn count(answer: &[u8]) -> usize {
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    answer["items"].as_array().map_or(0, Vec::len)
}

async fn ask(
    ours: &Running,
    token: &str,
    whose: &str,
    question: Question,
    words: &Words,
) -> anyhow::Result<[Figure; 2]> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let mut connection = Connection::open(ours.address).await?;
    let (mut took, mut found) = (vec![], 0);
    for n in 0..TIMES {
        let path = path(&words.question(question, n));
        let request = wire::request(ours.address, "GET", &path, &headers, "");
        let begun = Instant::now();
        let answer = connection.send(&request).await?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
        ensure!(answer.status == 200, "a search was answered with {}", answer.status);
        found += count(&connection.body(&answer));
    }
    let took = Spread::of(took);
    let name = format!("{whose}, {} ({:.1} found)", question.name(), found as f64 / TIMES as f64);
    Ok([
        Figure::new(format!("{name}, median"), "ms", took.median()),
        Figure::new(format!("{name}, p99"), "ms", took.percentile(99.0)).bar(Bar::Under(60.0)),
    ])
}
