//! What the log costs: durable appends, opening a long conversation, coming back, many readers, many who only wait.

mod appends;
mod catching_up;
mod fan_out;
mod idle;
mod opening;

pub(crate) use appends::AT_ONCE;
pub(crate) use idle::raise_the_limit_of_files;

use crate::{
    figure::{Report, Section},
    process::Running,
    program::Program,
    wire,
};
use anyhow::Context;
use clap::ValueEnum;
use serde_json::Value;
use std::sync::Arc;

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Durable appends, beside one commit of the bare database
    Appends,
    /// The last page of a long conversation, beside that of a short one
    Opening,
    /// Coming back after a thousand entries
    CatchingUp,
    /// One says something, many hear it
    FanOut,
    /// Ten thousand connections that wait
    Idle,
}

/// Measures these parts, or all.
pub(crate) async fn run(parts: &[Part]) -> anyhow::Result<Report> {
    let program = Program::prepare().await?;
    let tokens = people(&program)?;
    let parts = if parts.is_empty() { Part::value_variants() } else { parts };
    let mut sections = vec![];
    for part in parts {
        // Started anew for each: what came before is not to be in its memory.
        let ours = program.launch().start().await?;
        let (beside, figures) = match part {
            Part::Appends => ("bare commit", appends::run(&program, &ours).await?),
            Part::Opening => ("of 100 entries", opening::run(&program, &ours).await?),
            Part::CatchingUp => ("", catching_up::run(&program, &ours).await?),
            Part::FanOut => ("", fan_out::run(&ours, &tokens).await?),
            Part::Idle => ("", idle::run(&ours, &tokens).await?),
        };
        ours.stop().await;
        sections.push(Section { beside: beside.into(), figures });
    }
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
        talk.invite(&log, &id_of(ours, token).await?).await?;
    }
    Ok(log)
}

/// Whose token that is.
pub(crate) async fn id_of(ours: &Running, token: &str) -> anyhow::Result<String> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let me = wire::call(ours.address, "GET", "/api/me", &headers, "").await?;
    let me: Value = serde_json::from_slice(&me)?;
    let id = me["user"]["id"].as_str().or(me["id"].as_str());
    Ok(id.context("somebody without an id")?.to_owned())
}
