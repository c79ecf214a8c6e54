//! `mosaic token`.

use super::{date, find_user};
use crate::{args::TokenCommand, config::Settings, control::Control, out};
use mosaic_protocol::token::CreatedToken;
use serde_json::json;
use std::process::ExitCode;

pub(crate) async fn token(settings: &Settings, command: TokenCommand) -> anyhow::Result<ExitCode> {
    let TokenCommand::Create { user, name, scopes, days } = command;
    let control = Control::open(settings).await?;
    let made = async {
        let user = find_user(&control, &user.0).await?;
        let body = json!({ "name": name, "scopes": scopes, "expires_in_days": days });
        control
            .post::<CreatedToken>(&format!("/api/operator/users/{}/tokens", user.id), &body)
            .await
    };
    let made = made.await;
    control.close().await;
    let made = made?;
    out::progress(&format!(
        "Keep it: it cannot be shown again. It works until {}.\n",
        date(made.token.expires_at)
    ));
    // Alone on stdout, so that a script can take it.
    out::say(&made.secret)
}
