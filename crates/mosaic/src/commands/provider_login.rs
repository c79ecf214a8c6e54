//! `mosaic provider login`: shows a code, and waits until somebody has typed it elsewhere.

use crate::{FAILED, control::Control, out};
use anyhow::{Context, bail};
use mosaic_protocol::{
    ModelProviderId,
    provider_login::{DeviceLogin, LoginProgress, LoginState},
};
use serde_json::{Value, json};
use std::{io::Read, path::Path, process::ExitCode, time::Duration};

/// No settings are longer.
const SETTINGS_BYTES: u64 = 256 * 1024;

/// Somebody who waits is told so this often.
const TELL_SECONDS: u64 = 30;

/// The settings, from wherever they are.
pub(super) fn read(from: Option<&Path>) -> anyhow::Result<Option<Value>> {
    let Some(path) = from else { return Ok(None) };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(SETTINGS_BYTES).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path);
        file.and_then(|file| file.take(SETTINGS_BYTES).read_to_string(&mut text))
    };
    read.with_context(|| format!("the settings in {} cannot be read", path.display()))?;
    // What serde says of it repeats what stands there, which may be a secret.
    let parsed = serde_json::from_str(&text).ok().filter(Value::is_object);
    match parsed {
        Some(settings) => Ok(Some(settings)),
        None => bail!(
            "the settings in {} are no JSON object\n  docs/models.md says what they hold",
            path.display()
        ),
    }
}

/// Logs in.
pub(super) async fn login(
    control: &Control,
    id: ModelProviderId,
    settings: Option<Value>,
) -> anyhow::Result<ExitCode> {
    let path = format!("/api/providers/{id}/login/device");
    let begun: DeviceLogin = control.post(&path, &json!({ "settings": settings })).await?;
    out::say(&format!("Open {}\nand type {}", begun.verification_uri, begun.user_code))?;
    if let Some(address) = &begun.verification_uri_complete {
        out::say(&format!("or open {address}"))?;
    }
    out::progress(&format!("Waiting for that, until {}.", super::date(begun.expires_at)));
    let (mut wait, mut silent) = (begun.wait_seconds, 0);
    loop {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        silent += wait;
        if silent >= TELL_SECONDS {
            out::progress("still waiting…");
            silent = 0;
        }
        let path = format!("/api/providers/logins/{}", begun.login_id);
        let progress: LoginProgress = control.post_empty(&path).await?;
        let failed = match progress.state {
            LoginState::Pending => {
                wait = progress.wait_seconds.unwrap_or(begun.wait_seconds).max(1);
                continue;
            }
            LoginState::Done => {
                let name = progress.provider.map_or_else(|| id.to_string(), |it| it.name.into());
                return out::say(&format!("{name} is logged in; mosaic provider test {name}"));
            }
            LoginState::Denied => "the login was refused there",
            LoginState::Expired => "the login took too long\n  give the command again",
        };
        out::complain(failed);
        return Ok(ExitCode::from(FAILED));
    }
}
