//! `mosaic doctor`: looks at everything that an installation needs, changes nothing, and says what to do.

mod checks;
mod models;

pub(crate) use models::are;

use crate::{FAILED, config::Settings, out};
use serde::Serialize;
use std::{path::Path, process::ExitCode};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// As it should be.
    Good,
    /// It works, but somebody should know.
    Note,
    /// It will not work, or not for long.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What was looked at.
    pub what: &'static str,
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, level: Level::Good, found: found.into(), remedy: None }
    }

    fn note(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, level: Level::Note, found: found.into(), remedy: Some(remedy.into()) }
    }

    fn bad(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, level: Level::Bad, found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// Looks, prints, and exits with 1 if something is bad.
pub(crate) async fn run(settings: &Settings, json: bool) -> anyhow::Result<ExitCode> {
    let findings = checks::all(settings).await;
    if json {
        out::say(&serde_json::to_string_pretty(&findings)?)?;
    } else {
        out::say(&text(&findings))?;
    }
    let worst = findings.iter().map(|finding| finding.level).max();
    Ok(if worst == Some(Level::Bad) { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// What a start says about the disk: reading works on a full one, but whoever starts it should know.
pub(crate) fn warn_of_little_room(data: &Path) {
    let Finding { level, found, remedy, .. } = checks::disk(data);
    if level == Level::Bad {
        tracing::warn!(found, next = remedy, "there is little room on the disk");
    }
}

fn text(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let mark = match finding.level {
            Level::Good => "good",
            Level::Note => "note",
            Level::Bad => "BAD ",
        };
        let remedy = finding
            .remedy
            .as_ref()
            .map_or_else(String::new, |remedy| format!("\n      → {remedy}"));
        format!("{mark}  {}: {}{remedy}", finding.what, finding.found)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
