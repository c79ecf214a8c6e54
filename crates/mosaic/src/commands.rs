//! What each command does, beside starting the gateway and examining the installation.

mod audit;
mod backup;
mod invite;
mod offline;
mod provider;
mod reference;
mod route;
mod secrets;
mod spending;
mod team;
mod token;
mod user;
mod verify;
mod whose;

pub(crate) use audit::audit;
pub(crate) use backup::{backup, restore};
pub(crate) use invite::invite;
pub(crate) use provider::{models, provider};
pub(crate) use reference::{completions, reference};
pub(crate) use route::{explain_lines, route};
pub(crate) use secrets::secrets;
pub(crate) use spending::{budget, usage};
pub(crate) use team::team;
pub(crate) use token::token;
pub(crate) use user::user;
pub(crate) use verify::verify;

use crate::{
    args::ConfigCommand,
    config::{Config, Settings},
    control::{Control, Refused},
    out,
};
use mosaic_protocol::{
    AccountName, ErrorCode, Time,
    account::{OneTimeLink, User},
};
use std::{
    process::ExitCode,
    time::{Duration, UNIX_EPOCH},
};

/// `mosaic config`.
pub(crate) fn config(config: &Config, command: &ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Show { json: false } => out::say(config.show().trim_end()),
        ConfigCommand::Show { json: true } => {
            out::say(&serde_json::to_string_pretty(&config.show_json())?)
        }
    }
}

/// `mosaic setup-link`.
pub(crate) async fn setup_link(settings: &Settings) -> anyhow::Result<ExitCode> {
    let control = Control::open(settings).await?;
    let link = control.post_empty("/api/operator/setup").await;
    control.close().await;
    print_link(&link?)
}

fn print_link(link: &OneTimeLink) -> anyhow::Result<ExitCode> {
    out::say(&link.link)?;
    out::say(&format!("It works once, until {}.", date(link.expires_at)))
}

async fn find_user(control: &Control, name: &AccountName) -> anyhow::Result<User> {
    let found = control.get(&format!("/api/operator/users/{name}")).await;
    found.map_err(|error| match error.downcast_ref::<Refused>() {
        Some(Refused(problem)) if problem.code == ErrorCode::NotFound => {
            anyhow::anyhow!("there is no account `{name}`\n  `mosaic user list` shows them all")
        }
        _ => error,
    })
}

/// A moment for people, in UTC.
fn date(time: Time) -> String {
    let since = Duration::from_millis(u64::try_from(time.0).unwrap_or(0));
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}
