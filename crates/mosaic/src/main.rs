//! The program: reads the configuration, and starts the gateway or does one thing to it.
//!
//! This file is the table of contents. What each command does is in `commands/`.

mod args;
mod commands;
mod config;
mod control;
mod doctor;
mod environment;
mod local;
mod logs;
mod out;
mod port;
mod redact;
mod setting;
mod telemetry;
mod up;

use args::{Args, Command, RouteCommand};
use clap::Parser;
use std::process::ExitCode;

/// Something could not be done.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong (clap uses the same).
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    // Whatever this process makes is nobody else's business.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let args = Args::parse();
    // The one place that chooses who does the cryptography of TLS.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        out::complain("the TLS provider was chosen twice");
        return ExitCode::from(FAILED);
    }
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            out::complain(&redact::redact(&format!("{error:#}")));
            let misused = error.is::<config::ConfigError>() || error.is::<setting::Unreadable>();
            ExitCode::from(if misused { MISUSED } else { FAILED })
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        // These need no configuration: a broken one must not stand in their way.
        Command::Version => return out::say(&format!("mosaic {}", env!("CARGO_PKG_VERSION"))),
        Command::Completions { shell } => return commands::completions(shell),
        Command::Reference { page } => return commands::reference(page),
        Command::Route { command: RouteCommand::Explain { ref message, .. } } if message == "-" => {
            let data = args.options.data.as_deref().map(std::path::Path::new);
            return commands::explain_lines(data);
        }
        _ => {}
    }
    let config = setting::load(&args.options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let settings = &config.settings;
        match args.command {
            Command::Up => up::run(settings).await,
            Command::Doctor { json } => doctor::run(settings, json).await,
            Command::Config { command } => commands::config(&config, &command),
            Command::Restore(args) => commands::restore(settings, &args).await,
            Command::Backup { file } => commands::backup(settings, &file).await,
            Command::Verify { rebuild, json } => commands::verify(settings, rebuild, json).await,
            Command::SetupLink => commands::setup_link(settings).await,
            Command::User { command } => commands::user(settings, command).await,
            Command::Team { command } => commands::team(settings, command).await,
            Command::Invite { command } => commands::invite(settings, command).await,
            Command::Token { command } => commands::token(settings, command).await,
            Command::Provider { command } => commands::provider(settings, command).await,
            Command::Models(args) => commands::models(settings, args).await,
            Command::Route { command } => commands::route(settings, command).await,
            Command::Usage(args) => commands::usage(settings, args).await,
            Command::Budget { command } => commands::budget(settings, command).await,
            Command::Audit { command } => commands::audit(settings, command).await,
            Command::Secrets { command } => commands::secrets(settings, &command).await,
            Command::Version | Command::Completions { .. } | Command::Reference { .. } => {
                Ok(ExitCode::SUCCESS)
            }
        }
    });
    // A blocked lookup or a hung disk must not keep the process alive after everything else is done.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    done
}
