//! `mosaic usage` and `mosaic budget`.

use super::{
    find_user,
    whose::{dollars, path},
};
use crate::{
    args::{BudgetCommand, SetBudget, UsageArgs},
    config::Settings,
    control::Control,
    out,
};
use http::Method;
use mosaic_protocol::{
    budget::{Budget, BudgetRequest, Subject, UsageReport, UsageRow},
    page::Page,
};
use serde::Serialize;
use std::process::ExitCode;

/// `mosaic usage`.
pub(crate) async fn usage(settings: &Settings, args: UsageArgs) -> anyhow::Result<ExitCode> {
    let control = Control::open(settings).await?;
    let report = report(&control, &args).await;
    control.close().await;
    let report = report?;
    if args.json {
        return out::say(&serde_json::to_string_pretty(&report)?);
    }
    if report.rows.is_empty() {
        return out::say("Nothing was used in these days.");
    }
    let by = word(&report.by);
    let head = [by.as_str(), "calls", "failed", "tokens in", "tokens out", "cost", ""];
    let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).into()];
    rows.extend(report.rows.iter().map(|it| row(it, &it.key)));
    rows.push(row(&report.total, "together"));
    out::say(&out::table(&rows))
}

async fn report(control: &Control, args: &UsageArgs) -> anyhow::Result<UsageReport> {
    let query = |workspace_id: Option<String>| {
        [
            ("by", Some(word(&args.by))),
            ("from", args.from.clone()),
            ("to", args.to.clone()),
            ("workspace_id", workspace_id),
        ]
    };
    let Some(name) = &args.whose.user else {
        let workspace_id = args.whose.workspace.map(|id| id.to_string());
        return control.get(&path("/api/usage", &query(workspace_id))).await;
    };
    let user = find_user(control, &name.0).await?;
    control.get(&path(&format!("/api/operator/users/{}/usage", user.id), &query(None))).await
}

fn row(row: &UsageRow, name: &str) -> Vec<String> {
    let usage = &row.usage;
    let mut notes = vec![];
    if row.unpriced > 0 {
        notes.push(format!("{} without a known price", row.unpriced));
    }
    if row.estimated > 0 {
        notes.push(format!("{} estimated", row.estimated));
    }
    vec![
        if name.is_empty() { "-".to_owned() } else { name.to_owned() },
        row.calls.to_string(),
        row.failed.to_string(),
        usage.prompt().to_string(),
        usage.output.to_string(),
        dollars(row.micros),
        notes.join(", "),
    ]
}

/// A word of a closed set as JSON has it.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// `mosaic budget`.
pub(crate) async fn budget(
    settings: &Settings,
    command: BudgetCommand,
) -> anyhow::Result<ExitCode> {
    let control = Control::open(settings).await?;
    let done = run(&control, command).await;
    control.close().await;
    done
}

async fn run(control: &Control, command: BudgetCommand) -> anyhow::Result<ExitCode> {
    match command {
        BudgetCommand::List { json } => {
            let all = all(control).await?;
            if json {
                return out::say(&serde_json::to_string_pretty(&all)?);
            }
            if all.is_empty() {
                return out::say("There are no budgets: nothing bounds what is spent.");
            }
            let head = ["for", "each", "money", "gone", "tokens", "gone", "", "id"];
            let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).into()];
            rows.extend(all.iter().map(budget_row));
            out::say(&out::table(&rows))
        }
        BudgetCommand::Set(set) => {
            let subject = subject(control, &set).await?;
            let SetBudget { period, dollars: micros, tokens, .. } = set;
            let request = BudgetRequest { subject, period, micros, tokens };
            let budget: Budget = control.call(Method::PUT, "/api/budgets", Some(&request)).await?;
            out::say(&format!("{}  {}", budget.id, bound(&budget)))
        }
        BudgetCommand::Remove { budget } => {
            control.delete(&format!("/api/budgets/{budget}")).await?;
            out::say("It is taken away.")
        }
    }
}

async fn subject(control: &Control, set: &SetBudget) -> anyhow::Result<Subject> {
    if let Some(name) = &set.user {
        return Ok(Subject::User(find_user(control, &name.0).await?.id));
    }
    Ok(match (&set.workspace, &set.agent) {
        (Some(id), _) => Subject::Workspace(*id),
        (None, Some(name)) => Subject::Agent(name.clone()),
        (None, None) => Subject::Server,
    })
}

async fn all(control: &Control) -> anyhow::Result<Vec<Budget>> {
    let mut all = vec![];
    let mut after = None;
    loop {
        let query = [("limit", Some("500".to_owned())), ("after", after)];
        let page: Page<Budget> = control.get(&path("/api/admin/budgets", &query)).await?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

fn bound(budget: &Budget) -> String {
    let money = budget.micros.map(dollars);
    let tokens = budget.tokens.map(|tokens| format!("{tokens} tokens"));
    let bounds: Vec<String> = money.into_iter().chain(tokens).collect();
    format!("at most {} a {}", bounds.join(" and "), word(&budget.period))
}

fn budget_row(budget: &Budget) -> Vec<String> {
    let (kind, id) = budget.subject.columns();
    let any = || "any".to_owned();
    let spent = &budget.spent;
    vec![
        format!("{kind} {id}").trim_end().to_owned(),
        word(&budget.period),
        budget.micros.map_or_else(any, dollars),
        dollars(spent.micros.saturating_add(spent.held_micros)),
        budget.tokens.map_or_else(any, |tokens| tokens.to_string()),
        spent.tokens.saturating_add(spent.held_tokens).to_string(),
        if budget.warning { "four fifths are gone".to_owned() } else { String::new() },
        budget.id.to_string(),
    ]
}
