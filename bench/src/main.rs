//! The benchmarks: what Mosaic costs, beside a floor or a peer measured in the same run.
//!
//! This file is the table of contents. A benchmark reports and never fails because of a figure; it fails when it could
//! not measure. What the rows mean is in docs/benchmarks.md.

mod bare; // the least an append can do: one commit of the bare database
mod calls; // benchmark: calls to models, beside a proxy that only passes them on
mod crew; // tool: a load client on a thread of its own
mod figure; // a measured value, what it is held against, and the table of them
mod filling; // tool: fills conversations
mod floor; // the least a server can do: bare axum
mod gateway; // benchmark: starting, memory, requests, logins, beside the floor
mod load; // tool: many connections that ask the same thing for a while
mod log; // benchmark: appends, opening, coming back, many readers
mod out; // tool: what is printed
mod peers; // benchmark: the same beside other gateways
mod process; // tool: programs that are started, watched and stopped
mod program; // tool: the gateway's own program, with an account and a token
mod room; // tool: one who says something, many who hear it
mod search; // benchmark: searching among many messages
mod talk; // tool: somebody who talks to the gateway
mod usage; // tool: memory and processor time of running programs
mod versus; // tool: load on two servers in turns
mod websocket; // tool: one WebSocket
mod wire; // tool: one HTTP/1.1 connection
mod writers; // tool: many who say something at once

use clap::{Parser, Subcommand};
use figure::Report;
use std::{path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};

/// Measures what Mosaic costs.
#[derive(Parser)]
#[command(name = "mosaic-bench")]
struct Args {
    #[command(subcommand)]
    benchmark: Benchmark,
    /// Write the figures to this file, as JSON
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Benchmark {
    /// Start time, memory, requests per second and logins, beside a floor
    Gateway,
    /// Durable appends, opening, coming back, fan-out, idle connections
    Log {
        /// Only these
        part: Vec<log::Part>,
    },
    /// Searching among many messages
    Search {
        /// How many; they are all written first, durably
        #[arg(long, default_value_t = 1_000_000)]
        messages: usize,
    },
    /// Calls to models, beside a proxy that only passes them on
    Calls {
        /// Only these
        part: Vec<calls::Part>,
        /// Measure the proxy beside itself: how far the ratios can be trusted here
        #[arg(long)]
        floor_twice: bool,
    },
    /// Beside other programs, each described by a file (scripts/bench_peers.sh writes them)
    Peers {
        /// A description of a peer
        #[arg(required = true)]
        peer: Vec<PathBuf>,
    },
    /// The provider that is made up
    #[command(hide = true)]
    Upstream,
    /// The proxy that only passes on
    #[command(hide = true)]
    CallFloor {
        /// Where to
        #[arg(long)]
        upstream: axum::http::Uri,
    },
    /// The floor itself
    #[command(hide = true)]
    Floor {
        /// What /api/me answers
        #[arg(long)]
        body: PathBuf,
    },
}

fn main() -> ExitCode {
    log::raise_the_limit_of_files();
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let measured = async {
            match args.benchmark {
                Benchmark::Floor { body } => floor::serve(&body).await.map(|()| None),
                Benchmark::Upstream => calls::upstream::serve().await.map(|()| None),
                Benchmark::CallFloor { upstream } => {
                    calls::floor::serve(upstream).await.map(|()| None)
                }
                Benchmark::Calls { part, floor_twice } => {
                    let ours = if floor_twice { calls::Ours::Floor } else { calls::Ours::Gateway };
                    calls::run(&part, ours).await.map(Some)
                }
                Benchmark::Gateway => gateway::run().await.map(Some),
                Benchmark::Log { part } => log::run(&part).await.map(Some),
                Benchmark::Search { messages } => search::run(messages).await.map(Some),
                Benchmark::Peers { peer } => peers::run(&peer).await.map(Some),
            }
        };
        // Leaving in order ends the programs that were started.
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let report: Option<Report> = tokio::select! {
            report = measured => report?,
            _ = interrupt.recv() => anyhow::bail!("interrupted"),
            _ = terminate.recv() => anyhow::bail!("told to stop"),
        };
        let Some(report) = report else { return Ok(()) };
        out::say(&report.table());
        match &args.json {
            Some(file) => report.write(file),
            None => Ok(()),
        }
    })
}
