//! `mosaic provider` and `mosaic models`.

use super::whose::{dollars, in_workspace, workspace};
use crate::{
    FAILED,
    args::{AddProvider, ModelsArgs, ProviderCommand, Whose},
    config::{KEY_VARIABLE, Settings},
    control::Control,
    out,
};
use anyhow::{Context, bail};
use mosaic_protocol::{
    ModelProviderId,
    page::Page,
    provider::{ModelShown, Provider, ProviderKind, ProviderReport},
};
use serde_json::json;
use std::{
    io::{IsTerminal, Read},
    process::ExitCode,
};

/// No key is longer.
const KEY_BYTES: u64 = 64 * 1024;

pub(crate) async fn provider(
    settings: &Settings,
    command: ProviderCommand,
) -> anyhow::Result<ExitCode> {
    // What is typed is asked for before anything is opened, so that nobody waits for somebody who thinks.
    let key = match &command {
        ProviderCommand::Add(add) => key(add)?,
        _ => None,
    };
    let control = Control::open(settings).await?;
    let done = run(&control, command, key).await;
    control.close().await;
    done
}

async fn run(
    control: &Control,
    command: ProviderCommand,
    key: Option<String>,
) -> anyhow::Result<ExitCode> {
    match command {
        ProviderCommand::Add(add) => self::add(control, &add, key).await,
        ProviderCommand::List { whose, json } => {
            let all = all(control, &whose).await?;
            if json {
                return out::say(&serde_json::to_string_pretty(&all)?);
            }
            if all.is_empty() {
                return out::say(
                    "There are no providers yet: mosaic provider add NAME --kind KIND",
                );
            }
            out::say(&out::table(&all.iter().map(row).collect::<Vec<_>>()))
        }
        ProviderCommand::Test { provider, whose } => {
            let id = find(control, &provider, &whose).await?;
            let path = format!("/api/providers/{id}/test");
            let report: ProviderReport = control.post_empty(&path).await?;
            if report.works {
                return out::say(&format!("{} ({} ms)", report.message, report.latency_ms));
            }
            out::complain(&report.message);
            Ok(ExitCode::from(FAILED))
        }
        ProviderCommand::Remove { provider, whose } => {
            let id = find(control, &provider, &whose).await?;
            control.delete(&format!("/api/providers/{id}")).await?;
            out::say(&format!("{provider} is removed, and its key with it"))
        }
    }
}

async fn add(
    control: &Control,
    add: &AddProvider,
    key: Option<String>,
) -> anyhow::Result<ExitCode> {
    let workspace_id = workspace(control, &add.whose).await?;
    let body = json!({
        "name": add.name,
        "kind": add.kind,
        "workspace_id": workspace_id,
        "server": workspace_id.is_none(),
        "base_url": add.base_url,
        "api": add.api,
        "key": key,
        "untested": add.untested,
    });
    let provider: Provider = control.post("/api/providers", &body).await?;
    let who = match provider.workspace_id {
        None => "everybody on this server can use it",
        Some(_) if add.whose.user.is_some() => "only they can use it",
        Some(_) => "whoever calls models in that workspace can use it",
    };
    let tested = if add.untested { "not tested" } else { "it answers" };
    out::say(&format!("{} is set up ({tested}); {who}", provider.name))
}

/// The key, from wherever it is given.
fn key(add: &AddProvider) -> anyhow::Result<Option<String>> {
    let stdin = std::io::stdin();
    let (text, given) = if add.key_stdin {
        let mut text = String::new();
        let read = stdin.take(KEY_BYTES).read_to_string(&mut text);
        read.context("the key on standard input is not text")?;
        (text, true)
    } else if let Some(text) = std::env::var_os(KEY_VARIABLE) {
        let Ok(text) = text.into_string() else { bail!("{KEY_VARIABLE} is not text") };
        (text, true)
    } else {
        match add.kind {
            ProviderKind::Ollama | ProviderKind::Local | ProviderKind::Scripted => return Ok(None),
            // Many of these want none.
            ProviderKind::Compatible if !stdin.is_terminal() => return Ok(None),
            _ if !stdin.is_terminal() => {
                bail!("the key is missing\n  give it in {KEY_VARIABLE}, or with --key-stdin")
            }
            ProviderKind::Compatible => {
                (out::ask_hidden("Key (empty if it wants none; it is not shown): ")?, false)
            }
            _ => (out::ask_hidden("Key (it is not shown): ")?, true),
        }
    };
    let text = text.trim();
    match text.is_empty() {
        true if given => bail!("the key is empty"),
        true => Ok(None),
        false => Ok(Some(text.to_owned())),
    }
}

async fn all(control: &Control, whose: &Whose) -> anyhow::Result<Vec<Provider>> {
    let workspace_id = workspace(control, whose).await?;
    let page: Page<Provider> = control.get(&in_workspace("/api/providers", workspace_id)).await?;
    Ok(page.items)
}

/// The id of what is called so, or is this id.
async fn find(control: &Control, text: &str, whose: &Whose) -> anyhow::Result<ModelProviderId> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    // The nearest one of a name comes first: a person's before the server's.
    let all = all(control, whose).await?;
    match all.iter().find(|provider| provider.name.as_str() == text) {
        Some(provider) => Ok(provider.id),
        None => bail!(
            "there is no provider `{text}` there\n  `mosaic provider list` shows the server's; --user and --workspace those of others"
        ),
    }
}

fn row(provider: &Provider) -> Vec<String> {
    let whose = match (provider.workspace_id, provider.from_environment) {
        (Some(_), _) => "workspace",
        (None, false) => "server",
        (None, true) => "environment",
    };
    let state = match provider.enabled {
        true => provider.health.state.to_string(),
        false => "turned off".to_owned(),
    };
    vec![
        provider.name.to_string(),
        provider.kind.to_string(),
        whose.to_owned(),
        state,
        provider.hint.clone(),
        provider.base_url.clone(),
        provider.id.to_string(),
    ]
}

/// `mosaic models`.
pub(crate) async fn models(settings: &Settings, args: ModelsArgs) -> anyhow::Result<ExitCode> {
    let control = Control::open(settings).await?;
    let listed = async {
        let workspace_id = workspace(&control, &args.whose).await?;
        control.get::<Page<ModelShown>>(&in_workspace("/api/models", workspace_id)).await
    };
    let listed = listed.await;
    control.close().await;
    let mut models = listed?.items;
    models.retain(|model| args.provider.as_ref().is_none_or(|name| model.provider == *name));
    if args.json {
        return out::say(&serde_json::to_string_pretty(&models)?);
    }
    if models.is_empty() {
        return out::say("There are no models to use here: mosaic provider add NAME --kind KIND");
    }
    let head = ["model", "context", "output", "can", "thinks", "class", "$ in", "$ out", ""];
    let head: Vec<String> = head.map(str::to_owned).into();
    let rows: Vec<_> = std::iter::once(head).chain(models.iter().map(model_row)).collect();
    out::say(&format!("{}\n($ for a million tokens; ? where nobody knows)", out::table(&rows)))
}

fn model_row(model: &ModelShown) -> Vec<String> {
    let can = [
        (model.tools, "tools"),
        (model.vision, "vision"),
        (model.structured, "structured"),
        (model.embedding, "embedding"),
    ];
    let can: Vec<&str> = can.iter().filter(|(can, _)| *can).map(|(_, name)| *name).collect();
    let thinks: Vec<&str> = model.thinking.iter().map(|effort| effort.as_str()).collect();
    let money = |micros: u64| dollars(i64::try_from(micros).unwrap_or(i64::MAX));
    let price = |of: fn(&mosaic_protocol::provider::PriceShown) -> u64| {
        model.price.as_ref().map_or_else(|| "?".to_owned(), |price| money(of(price)))
    };
    let thinks = if thinks.is_empty() { "-".to_owned() } else { thinks.join(",") };
    vec![
        model.id.clone(),
        model.context.to_string(),
        model.max_output.to_string(),
        can.join(","),
        thinks,
        model.tier.to_string(),
        price(|price| price.input),
        price(|price| price.output),
        model.unavailable.as_ref().map_or_else(String::new, |why| format!("not now: {why}")),
    ]
}
