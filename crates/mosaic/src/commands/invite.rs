//! `mosaic invite`.

use super::date;
use crate::{args::InviteCommand, config::Settings, control::Control, out};
use mosaic_protocol::{
    invite::{CreatedInvite, Invite},
    page::Page,
};
use serde_json::json;
use std::process::ExitCode;

pub(crate) async fn invite(
    settings: &Settings,
    command: InviteCommand,
) -> anyhow::Result<ExitCode> {
    let control = Control::open(settings).await?;
    let done = run(&control, command).await;
    control.close().await;
    done
}

async fn run(control: &Control, command: InviteCommand) -> anyhow::Result<ExitCode> {
    match command {
        InviteCommand::List => {
            let page: Page<Invite> = control.get("/api/invites").await?;
            let row = |it: &Invite| {
                let what = if it.creates_account { "account" } else { "team" };
                let team = it.team_id.map_or_else(String::new, |id| format!("team {id}"));
                vec![
                    it.id.to_string(),
                    what.to_owned(),
                    format!("until {}", date(it.expires_at)),
                    team,
                ]
            };
            let rows: Vec<_> = page.items.iter().map(row).collect();
            if rows.is_empty() {
                out::say("There are no open invitations.")
            } else {
                out::say(&out::table(&rows))
            }
        }
        InviteCommand::Add { team, role, hours } => {
            let body = json!({ "team_id": team, "role": role, "expires_in_hours": hours });
            let made: CreatedInvite = control.post("/api/invites", &body).await?;
            out::say(&made.link)?;
            out::say(&format!("It makes one account, until {}.", date(made.invite.expires_at)))
        }
        InviteCommand::Delete { invite } => {
            control.delete(&format!("/api/invites/{invite}")).await?;
            out::say("It is taken back.")
        }
    }
}
