//! `mosaic secrets`.

use crate::{args::SecretsCommand, config::Settings, control::Control, out};
use mosaic_protocol::operator::RotateReport;
use std::process::ExitCode;

pub(crate) async fn secrets(
    settings: &Settings,
    command: &SecretsCommand,
) -> anyhow::Result<ExitCode> {
    let SecretsCommand::Rotate = command;
    let control = Control::open(settings).await?;
    let done = control.post_empty::<RotateReport>("/api/operator/secrets/rotate").await;
    control.close().await;
    let done = done?;
    out::say(&format!(
        "{} secrets are sealed under the new master key {}. Keep a copy of it.",
        done.n_secrets, done.new_key_id
    ))?;
    out::say(&match done.old_key_file {
        Some(file) => format!(
            "Backups made before need the old key {}, kept as {file}; delete it when you have none of them left.",
            done.old_key_id
        ),
        None => {
            format!("Backups made before need the old key {}: keep it with them.", done.old_key_id)
        }
    })
}
