//! What the log costs: durable appends, opening a long conversation, coming back, many readers, many who only wait.

mod appends;
mod catching_up;
mod fan_out;
mod idle;
mod opening;

pub(crate) use appends::AT_ONCE;
pub(crate) use idle::raise_the_limit_of_files;

use crate::{
    figure::{Figure, Report, Section},
    process::Running,
    program::Program,
    wire,
};
use anyhow::Context;
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn run() -> anyhow::Result<Report> {
    let program = Program::prepare().await?;
    let tokens = people(&program)?;
    let ours = program.launch().start().await?;
    let mut sections = vec![];
    let mut section = |beside: &str, figures: Vec<Figure>| {
        sections.push(Section { beside: beside.into(), figures });
    };
    section("bare commit", appends::run(&program, &ours).await?);
    section("of 100 entries", opening::run(&program, &ours).await?);
    section("", catching_up::run(&program, &ours).await?);
    // Started anew: what came before is not to be in its memory.
    ours.stop().await;
    let ours = program.launch().start().await?;
    section("", fan_out::run(&ours, &tokens).await?);
    ours.stop().await;
    let ours = program.launch().start().await?;
    section("", idle::run(&ours, &tokens).await?);
    ours.stop().await;
    Ok(Report { sections })
}

/// Ten accounts besides the first, whose token is the first here: a conversation is read by several people.
pub(crate) fn people(program: &Program) -> anyhow::Result<Arc<Vec<String>>> {
    let others = (0..10).map(|n| program.another(&format!("reader-{n}")));
    let first = std::iter::once(Ok(program.token.clone()));
    Ok(Arc::new(first.chain(others).collect::<anyhow::Result<_>>()?))
}

/// A conversation of the first in which the others take part.
pub(crate) async fn conversation_of(ours: &Running, tokens: &[String]) -> anyhow::Result<String> {
    let first = tokens.first().context("nobody takes part")?;
    let mut talk = crate::talk::Talk::open(ours.address, first, &[]).await?;
    let log = talk.create("A room").await?;
    for token in tokens.iter().skip(1) {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let me = wire::call(ours.address, "GET", "/api/me", &headers, "").await?;
        let me: Value = serde_json::from_slice(&me)?;
        let id = me["user"]["id"].as_str().or(me["id"].as_str());
        talk.invite(&log, id.context("somebody without an id")?).await?;
    }
    Ok(log)
}
