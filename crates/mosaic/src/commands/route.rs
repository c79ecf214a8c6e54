//! `mosaic route`: the rules, and which model they would choose. Leaves out: choosing without a gateway (`offline.rs`).

use super::{
    offline::{self, Told},
    whose::{dollars, in_workspace, workspace},
};
use crate::{FAILED, args::RouteCommand, config::Settings, control::Control, out};
use mosaic_protocol::{
    page::Page,
    route::Route,
    rule::{Action, Condition, Rule, Target, Value},
};
use mosaic_store::{DataDir, LockState};
use serde::Serialize;
use serde_json::json;
use std::{
    io::{BufRead, Read},
    path::Path,
    process::ExitCode,
};

/// A line of standard input is no longer.
const LINE_BYTES: u64 = 64 * 1024 * 1024;

pub(crate) async fn route(settings: &Settings, command: RouteCommand) -> anyhow::Result<ExitCode> {
    match command {
        RouteCommand::Rules { whose, json } => {
            let control = Control::open(settings).await?;
            let listed = async {
                let workspace_id = workspace(&control, &whose).await?;
                let path = in_workspace("/api/routing/rules", workspace_id);
                control.get::<Page<Rule>>(&path).await
            };
            let listed = listed.await;
            control.close().await;
            let rules = listed?.items;
            if json {
                return out::say(&serde_json::to_string_pretty(&rules)?);
            }
            out::say(&out::table(&rules.iter().map(|rule| row(rule, &rules)).collect::<Vec<_>>()))
        }
        RouteCommand::Explain { message, json } => {
            let told = match DataDir::look(&settings.data) {
                // The one that runs knows which providers there are, and how they do.
                Ok(LockState::Held(_)) => {
                    let control = Control::open(settings).await?;
                    let body = json!({ "text": message });
                    let route: Route = control.post("/api/routing/explain", &body).await?;
                    Told::of(&route)
                }
                _ => {
                    let data = settings.data.clone();
                    // The model computes, and is waited for: not in a thread that others need.
                    tokio::task::spawn_blocking(move || {
                        offline::explain(&offline::Reading::installed(Some(&data)), &message, &[])
                    })
                    .await?
                }
            };
            if json {
                return out::say(&serde_json::to_string_pretty(&told)?);
            }
            out::say(&text(&told))
        }
    }
}

/// What is answered to a line that is no message.
#[derive(Serialize)]
struct Malformed {
    error: String,
    line: u64,
}

/// Answers each line of standard input with a line, in order, at once.
pub(crate) fn explain_lines(data: Option<&Path>) -> anyhow::Result<ExitCode> {
    let reading = offline::Reading::installed(data);
    let (mut stdin, mut all_well) = (std::io::stdin().lock(), true);
    let mut bytes = vec![];
    for line in 1_u64.. {
        bytes.clear();
        if stdin.by_ref().take(LINE_BYTES + 1).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let answer = if bytes.len() as u64 > LINE_BYTES {
            stdin.skip_until(b'\n')?;
            Err(format!("the line has more than {} MiB", LINE_BYTES / 1024 / 1024))
        } else if bytes.trim_ascii().is_empty() {
            continue;
        } else {
            offline::explain_line(&reading, &bytes)
        };
        let text = match answer {
            Ok(told) => serde_json::to_string(&told)?,
            Err(error) => {
                all_well = false;
                serde_json::to_string(&Malformed { error, line })?
            }
        };
        if !out::heard(&text)? {
            break;
        }
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn text(told: &Told) -> String {
    let mut rows = vec![];
    let mut put = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    if let Some(task) = told.task {
        let about = [
            told.complexity.map(|it| it.to_string()),
            Some(task.to_string()),
            told.domain.map(|it| format!("({it})")),
        ];
        let about: Vec<String> = about.into_iter().flatten().collect();
        let sure =
            told.confidence.map_or_else(String::new, |it| format!(", {:.0} % sure", it * 100.0));
        put("about", format!("{}{sure}", about.join(" ")));
    }
    if !told.needs.is_empty() {
        let needs: Vec<&str> = told.needs.iter().map(|need| need.as_str()).collect();
        put("needs", needs.join(", "));
    }
    put("rule", told.rule.clone().unwrap_or_else(|| "none".to_owned()));
    put("model", format!("{}/{}", told.provider, told.model));
    put("why", told.reason.clone());
    if let Some(micros) = told.expected_micros {
        put("may cost", dollars(i64::try_from(micros).unwrap_or(i64::MAX)));
    }
    for considered in &told.considered {
        if let Some(skipped) = &considered.skipped {
            put("not", format!("{}/{}: {skipped}", considered.provider, considered.model));
        }
    }
    out::table(&rows)
}

fn row(rule: &Rule, all: &[Rule]) -> Vec<String> {
    let whose = if rule.workspace_id.is_some() { "workspace" } else { "server" };
    let when: Vec<String> = rule.when.iter().map(condition).collect();
    vec![
        rule.name.to_string(),
        whose.to_owned(),
        if rule.enabled { "on" } else { "off" }.to_owned(),
        if when.is_empty() { "always".to_owned() } else { when.join(", ") },
        format!("→ {}", action(&rule.then, all)),
    ]
}

fn condition(condition: &Condition) -> String {
    let value = match &condition.value {
        Value::Number(number) => number.to_string(),
        Value::Word(word) => word.clone(),
        Value::Words(words) => words.join("|"),
    };
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().replace('_', " ");
    let field = word(json!(condition.field));
    format!("{field} {} {value}", word(json!(condition.op)))
}

fn action(action: &Action, all: &[Rule]) -> String {
    let mut said: Vec<String> = action.models.iter().map(target).collect();
    if let Some(rule) = action.otherwise.and_then(|id| all.iter().find(|rule| rule.id == id)) {
        said.push(format!("else “{}”", rule.name));
    }
    said.extend(action.agent.as_ref().map(|name| format!("agent {name}")));
    said.extend(action.thinking.map(|effort| format!("thinking {effort}")));
    said.extend(action.tools.as_ref().map(|tools| format!("{} tools", tools.len())));
    said.extend(action.system_prompt.as_ref().map(|_| "its own system prompt".to_owned()));
    said.join(", ")
}

fn target(target: &Target) -> String {
    let what = match (&target.model, &target.family, target.class) {
        (Some(model), ..) => Some(model.to_string()),
        (None, Some(family), _) => Some(family.clone()),
        (None, None, class) => class.map(|tier| format!("any {tier}")),
    };
    match (what, target.provider) {
        (Some(what), Some(kind)) => format!("{what} at {kind}"),
        (Some(what), None) => what,
        (None, kind) => kind.map_or_else(String::new, |kind| kind.to_string()),
    }
}
