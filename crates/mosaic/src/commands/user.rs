//! `mosaic user`.

use super::{date, find_user, print_link};
use crate::{args::UserCommand, config::Settings, control::Control, out};
use http::Method;
use mosaic_protocol::{
    AccountName,
    account::{OneTimeLink, User, UserState},
    page::Page,
};
use serde_json::json;
use std::process::ExitCode;

pub(crate) async fn user(settings: &Settings, command: UserCommand) -> anyhow::Result<ExitCode> {
    let control = Control::open(settings).await?;
    let done = run(&control, command).await;
    control.close().await;
    done
}

async fn run(control: &Control, command: UserCommand) -> anyhow::Result<ExitCode> {
    match command {
        UserCommand::List => list(control).await,
        UserCommand::Add { name } => {
            let user: User = control.post("/api/users", &json!({ "name": name.0 })).await?;
            out::say(&format!(
                "{} has an account. Hand over this link to choose a password:",
                user.name
            ))?;
            recover(control, &user).await
        }
        UserCommand::Show { name } => {
            let user = find_user(control, &name.0).await?;
            out::say(&out::table(&[
                vec!["id".into(), user.id.to_string()],
                vec!["name".into(), user.name.clone()],
                vec!["shown as".into(), user.display_name.clone()],
                vec!["state".into(), state(&user).into()],
                vec!["since".into(), date(user.created_at)],
            ]))
        }
        UserCommand::Recover { name } => {
            recover(control, &find_user(control, &name.0).await?).await
        }
        UserCommand::Suspend { name } => set(control, &name.0, "suspend", "suspended").await,
        UserCommand::Resume { name } => set(control, &name.0, "resume", "active again").await,
        UserCommand::Admin { name, remove } => {
            let user = find_user(control, &name.0).await?;
            let path = format!("/api/users/{}", user.id);
            let user: User =
                control.call(Method::PATCH, &path, Some(&json!({ "admin": !remove }))).await?;
            out::say(&format!("{} is {}an admin", user.name, if user.admin { "" } else { "not " }))
        }
        UserCommand::Delete { name, yes } => {
            let user = find_user(control, &name.0).await?;
            if !yes {
                let question = format!(
                    "This deletes the account {} and everything in it, for good.",
                    user.name
                );
                out::confirm(&question, &user.name)?;
            }
            control.delete(&format!("/api/users/{}", user.id)).await?;
            out::say(&format!("{} is deleted", user.name))
        }
    }
}

async fn list(control: &Control) -> anyhow::Result<ExitCode> {
    let mut rows = vec![];
    let mut after = String::new();
    loop {
        let page: Page<User> = control.get(&format!("/api/users?limit=500&after={after}")).await?;
        rows.extend(
            page.items
                .iter()
                .map(|user| vec![user.name.clone(), state(user).into(), user.id.to_string()]),
        );
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    if rows.is_empty() {
        out::say("There are no accounts yet.")
    } else {
        out::say(&out::table(&rows))
    }
}

fn state(user: &User) -> &'static str {
    match (user.state, user.admin) {
        (UserState::Suspended, _) => "suspended",
        (UserState::Active, true) => "admin",
        (UserState::Active, false) => "active",
    }
}

async fn recover(control: &Control, user: &User) -> anyhow::Result<ExitCode> {
    let link: OneTimeLink = control.post_empty(&format!("/api/users/{}/recovery", user.id)).await?;
    print_link(&link)
}

async fn set(
    control: &Control,
    name: &AccountName,
    action: &str,
    result: &str,
) -> anyhow::Result<ExitCode> {
    let user = find_user(control, name).await?;
    let user: User = control.post_empty(&format!("/api/users/{}/{action}", user.id)).await?;
    out::say(&format!("{} is {result}", user.name))
}
