//! `mosaic verify`: prints what was looked at, a line each, and below it what is wrong and what to do.

use crate::{FAILED, config::Settings, out, up::store_options};
use mosaic_store::{
    Store,
    verify::{Change, Check, How, Report},
};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// How often it is said how far it is.
const EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn verify(
    settings: &Settings,
    rebuild: bool,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let how = if rebuild { How::Rebuild } else { How::Look };
    let (mut said_at, mut has_said) = (Instant::now(), false);
    let mut told = |what: &'static str, n: u64| {
        if said_at.elapsed() >= EVERY {
            out::progress(&format!("{what}: {n} so far…"));
            (said_at, has_said) = (Instant::now(), true);
        }
    };
    let report = Store::verify(&store_options(settings), how, &mut told).await;
    if has_said {
        out::progress_done();
    }
    let report = report?;
    if json {
        out::say(&serde_json::to_string_pretty(&report)?)?;
    } else {
        out::say(&text(&report))?;
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn text(report: &Report) -> String {
    let mut lines: Vec<String> = vec![];
    let rebuilt = !report.changes.is_empty();
    for check in &report.checks {
        lines.extend(check_lines(check, rebuilt));
    }
    lines.extend(report.changes.iter().map(change_line));
    lines.extend(report.not_rebuilt.clone());
    let n_wrong = report.checks.iter().filter(|check| check.n_problems > 0).count();
    lines.push(match (n_wrong, report.is_clean()) {
        (0, _) => "Everything is as it should be.".to_owned(),
        (_, true) => "Everything is as it should be now.".to_owned(),
        (n, false) => format!("{n} of {} checks found something wrong.", report.checks.len()),
    });
    lines.join("\n")
}

fn check_lines(check: &Check, rebuilt: bool) -> Vec<String> {
    let Check { what, found, n_problems, problems, remedy } = check;
    if *n_problems == 0 {
        return vec![format!("good  {what}: {found}")];
    }
    let mut lines = vec![format!("BAD   {what}: {n_problems} wrong")];
    lines.extend(problems.iter().map(|it| format!("      {}: {}", it.place, it.found)));
    if *n_problems > problems.len() {
        lines.push(format!("      and {} more", n_problems - problems.len()));
    }
    if !rebuilt || !remedy.contains("--rebuild") {
        lines.push(format!("      → {remedy}"));
    }
    lines
}

fn change_line(change: &Change) -> String {
    let Change { what, n_added, n_changed, n_removed } = change;
    format!("rebuilt  {what}: {n_added} added, {n_changed} changed, {n_removed} removed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_store::verify::Problem;

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let good = Check {
            what: "logs",
            found: "2, without gaps".to_owned(),
            n_problems: 0,
            problems: vec![],
            remedy: "restore",
        };
        let problem = Problem { place: "log a".to_owned(), found: "entry 3 is missing".to_owned() };
        let bad = Check { n_problems: 21, problems: vec![problem], ..good.clone() };
        let report = Report { checks: vec![good, bad], changes: vec![], not_rebuilt: None };
        assert_eq!(
            text(&report),
            "good  logs: 2, without gaps\nBAD   logs: 21 wrong\n      log a: entry 3 is missing\n      \
             and 20 more\n      → restore\n1 of 2 checks found something wrong."
        );
    }
}
