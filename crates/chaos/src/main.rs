//! Drives the real program from outside, breaks what it stands on, and checks that it keeps its promises.
//!
//! This file is the table of contents, and counts the rounds. What the promises are is in `check.rs`.

mod args; // the command line
mod chance; // everything random, out of one seed
mod check; // the laws: a history in, violations out. Pure
mod fault; // what is broken, and when
mod history; // what was asked for, answered and seen
mod http; // tool: requests
mod life; // a directory, a database, gateways, people
mod node; // one gateway as a process
mod out; // tool: what is printed
mod people; // those who write and read
mod proxy; // between a gateway and its database
mod reader; // those who read
mod reading; // what is stored in the end
mod round; // one round
mod socket; // tool: a WebSocket
mod writer; // those who write

use anyhow::Context;
use args::{Args, Database};
use check::Violation;
use clap::Parser;
use fault::Kind;
use life::Life;
use node::Program;
use round::Outcome;
use std::{collections::BTreeMap, process::ExitCode, time::Duration};

/// How many rounds one life of the data lasts.
const LIFE: u64 = 5;

/// A law was violated, or the rounds could not be run.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let args = Args::parse();
    let ran = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(&args)));
    match ran {
        Ok(code) => code,
        Err(error) => {
            out::complain(&format!("{error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

/// What all rounds came to.
#[derive(Default)]
struct Total {
    n_rounds: u64,
    n_commands: u64,
    n_accepted: u64,
    n_entries: u64,
    n_verified: u64,
    faults: BTreeMap<Kind, u64>,
    slowest: Duration,
}

async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let is_postgres = matches!(args.database, Database::Postgres(_));
    let wanted = if args.faults.is_empty() { &Kind::ALL[..] } else { &args.faults };
    let kinds: Vec<Kind> = wanted.iter().copied().filter(|kind| kind.fits(is_postgres)).collect();
    anyhow::ensure!(
        !kinds.is_empty(),
        "none of these faults can be had with this database\n  full-disk and write-error go with sqlite, cut with postgres"
    );
    let seed = args.seed.unwrap_or_else(|| {
        let (a, b) = uuid::Uuid::new_v4().as_u64_pair();
        (a ^ b) % 1_000_000_000
    });
    let program = program(args)?;
    let database = if is_postgres { "PostgreSQL" } else { "SQLite" };
    out::say(&format!("{} rounds on {database}, seed {seed}", args.rounds));
    let mut total = Total::default();
    let mut life: Option<Life> = None;
    for n in 0..args.rounds {
        if n.is_multiple_of(LIFE)
            && let Some(life) = life.take()
        {
            life.end().await?;
        }
        if life.is_none() {
            life = Some(Life::begin(args, &program, &kinds, n / LIFE, seed).await?);
            if let Some(life) = &life
                && kinds.contains(&Kind::FullDisk)
                && n == 0
            {
                let with = if life.disk.is_some() {
                    "a small disk that is mounted"
                } else {
                    "calls that fail"
                };
                out::say(&format!("a full disk is {with}"));
            }
        }
        let Some(now) = &mut life else { continue };
        let outcome = match round::run(args, &kinds, now, seed, n).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let kept = life.take().map(Life::keep).unwrap_or_default();
                anyhow::bail!(
                    "round {n} of seed {seed} could not be run: {error:#}\n  everything is kept in {kept}"
                );
            }
        };
        let what = format!(
            "{} of {}: {}",
            now.nodes[outcome.plan.node].name,
            now.nodes.len(),
            outcome.plan.fault
        );
        out::say(&line(n, &what, &outcome));
        total.add(&outcome);
        if !outcome.violations.is_empty() {
            tell(&outcome.violations);
            let kept = life.take().map(Life::keep).unwrap_or_default();
            out::say(&format!(
                "round {n} of seed {seed} violated {} laws; everything is kept in {kept}",
                outcome.violations.len()
            ));
            out::say(&total.text());
            return Ok(ExitCode::from(FAILED));
        }
    }
    if let Some(life) = life.take() {
        life.end().await?;
    }
    out::say(&total.text());
    Ok(ExitCode::SUCCESS)
}

/// The program to drive.
fn program(args: &Args) -> anyhow::Result<Program> {
    let path = match &args.program {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("mosaic"),
    };
    let path = path.canonicalize().with_context(|| {
        format!(
            "{} is not there\n  build it (cargo build -p mosaic), or name it with --program",
            path.display()
        )
    })?;
    Ok(Program { path, set: args.set.clone() })
}

fn line(n: u64, what: &str, outcome: &Outcome) -> String {
    let verified = if outcome.verified { ", verified" } else { ", runs on" };
    let bad = match outcome.violations.len() {
        0 => String::new(),
        n => format!(", {n} VIOLATIONS"),
    };
    format!(
        "{:>4}  {what}: {} commands, {} acknowledged, {} entries, back after {} ms{verified}{bad}",
        n + 1,
        outcome.n_commands,
        outcome.n_accepted,
        outcome.n_entries,
        outcome.recovery.as_millis()
    )
}

/// How many violations are told one by one.
const TOLD: usize = 10;

fn tell(violations: &[Violation]) {
    for Violation { law, log, seq, what, seen } in violations.iter().take(TOLD) {
        let log = log.map(|log| format!(" log {log}")).unwrap_or_default();
        let seq = seq.map(|seq| format!(" seq {seq}")).unwrap_or_default();
        out::say(&format!("VIOLATED  {law:?}:{log}{seq}: {what}"));
        for moment in seen {
            out::say(&format!("          {moment}"));
        }
    }
}

impl Total {
    fn add(&mut self, outcome: &Outcome) {
        self.n_rounds += 1;
        self.n_commands += outcome.n_commands;
        self.n_accepted += outcome.n_accepted;
        self.n_entries += outcome.n_entries;
        self.n_verified += u64::from(outcome.verified);
        *self.faults.entry(outcome.plan.kind).or_default() += 1;
        self.slowest = self.slowest.max(outcome.recovery);
    }

    fn text(&self) -> String {
        let faults: Vec<String> =
            self.faults.iter().map(|(kind, n)| format!("{n} {kind:?}")).collect();
        format!(
            "{} rounds ({}): {} commands, {} acknowledged, {} entries compared, verified {} times, slowest recovery {} ms",
            self.n_rounds,
            faults.join(", "),
            self.n_commands,
            self.n_accepted,
            self.n_entries,
            self.n_verified,
            self.slowest.as_millis()
        )
    }
}
