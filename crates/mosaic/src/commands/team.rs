//! `mosaic team`.

use super::find_user;
use crate::{args::TeamCommand, config::Settings, control::Control, out};
use http::Method;
use mosaic_protocol::{
    page::Page,
    team::{Member, Team},
};
use serde_json::json;
use std::process::ExitCode;

pub(crate) async fn team(settings: &Settings, command: TeamCommand) -> anyhow::Result<ExitCode> {
    let control = Control::open(settings).await?;
    let done = run(&control, command).await;
    control.close().await;
    done
}

async fn run(control: &Control, command: TeamCommand) -> anyhow::Result<ExitCode> {
    match command {
        TeamCommand::List => {
            let page: Page<Team> = control.get("/api/teams").await?;
            let rows: Vec<_> = page
                .items
                .iter()
                .map(|team| vec![team.id.to_string(), team.name.clone()])
                .collect();
            if rows.is_empty() {
                out::say("There are no teams yet.")
            } else {
                out::say(&out::table(&rows))
            }
        }
        TeamCommand::Add { name, owner } => {
            let owner = find_user(control, &owner.0).await?;
            let path = format!("/api/operator/users/{}/teams", owner.id);
            let team: Team = control.post(&path, &json!({ "name": name })).await?;
            out::say(&format!("{}  {}", team.id, team.name))
        }
        TeamCommand::Members { team } => {
            let page: Page<Member> = control.get(&format!("/api/teams/{team}/members")).await?;
            let row =
                |it: &Member| vec![it.name.clone(), it.role.to_string(), it.user_id.to_string()];
            out::say(&out::table(&page.items.iter().map(row).collect::<Vec<_>>()))
        }
        TeamCommand::Put { team, user, role } => {
            let user = find_user(control, &user.0).await?;
            let path = format!("/api/operator/teams/{team}/members/{}", user.id);
            control.call::<()>(Method::PUT, &path, Some(&json!({ "role": role }))).await?;
            out::say(&format!("{} is {role} of the team", user.name))
        }
        TeamCommand::Remove { team, user } => {
            let user = find_user(control, &user.0).await?;
            control.delete(&format!("/api/teams/{team}/members/{}", user.id)).await?;
            out::say(&format!("{} has left the team", user.name))
        }
        TeamCommand::Delete { team, yes } => {
            let found: Team = control.get(&format!("/api/teams/{team}")).await?;
            if !yes {
                let question =
                    format!("This deletes the team {} with its workspace, for good.", found.name);
                out::confirm(&question, &found.name)?;
            }
            control.delete(&format!("/api/teams/{team}")).await?;
            out::say(&format!("{} is deleted", found.name))
        }
    }
}
