//! Rules of routing, and what workspaces make of the system's. What they mean is in `routing`.

use crate::{
    Error, Result, Store, Tx,
    db::{One, sql},
};
use mosaic_protocol::{
    RuleId, WorkspaceId,
    rule::{Rule, RuleOverride},
};
use sqlx::FromRow;

/// How many rules one workspace, or the system, may have.
pub const MAX: i64 = 200;

#[derive(FromRow)]
struct Body {
    priority: i64,
    body: String,
}

fn read(row: Body) -> Result<Rule> {
    let rule: Rule =
        serde_json::from_str(&row.body).map_err(|_| Error::Damaged("a rule of routing".into()))?;
    Ok(Rule { priority: row.priority, ..rule })
}

/// The rules of a workspace, or the system's, in the order in which they are asked.
pub async fn list(tx: &mut Tx, workspace_id: Option<WorkspaceId>) -> Result<Vec<Rule>> {
    let scope = workspace_id.map_or_else(String::new, |id| id.to_string());
    let text = "select priority, body from routing_rules where coalesce(workspace_id, '') = $1
        order by priority, id";
    let rows = sql!(tx, all Body, text, scope)?;
    rows.into_iter().map(read).collect()
}

/// One of them.
pub async fn get(tx: &mut Tx, id: RuleId) -> Result<Option<Rule>> {
    let text = "select priority, body from routing_rules where id = $1";
    sql!(tx, maybe Body, text, id)?.map(read).transpose()
}

/// Stores the rules that a new installation begins with, once: what an admin deletes stays deleted.
pub async fn seed(store: &Store, tx: &mut Tx, rules: &[Rule]) -> Result<bool> {
    let (n,) =
        sql!(tx, one One<i64>, "select count(*) from routing_rules where workspace_id is null")?;
    let text =
        "insert into meta (name, value) values ('rules_seeded', '1') on conflict (name) do nothing";
    if sql!(tx, run, text)? == 0 || n > 0 {
        return Ok(false);
    }
    for rule in rules {
        put(store, tx, rule).await?;
    }
    Ok(true)
}

/// Stores a rule, in place of the one with its id.
pub async fn put(store: &Store, tx: &mut Tx, rule: &Rule) -> Result<()> {
    let scope = rule.workspace_id.map_or_else(String::new, |id| id.to_string());
    let text =
        "select count(*) from routing_rules where coalesce(workspace_id, '') = $1 and id <> $2";
    let (n,) = sql!(tx, one One<i64>, text, scope, rule.id)?;
    if n >= MAX {
        return Err(Error::TooMany(MAX));
    }
    let body = serde_json::to_string(rule).map_err(|_| Error::Damaged("a rule".into()))?;
    sql!(
        tx,
        run,
        "insert into routing_rules (id, workspace_id, priority, body, updated_at) values ($1, $2, $3, $4, $5)
         on conflict (id) do update set priority = excluded.priority, body = excluded.body,
         updated_at = excluded.updated_at",
        rule.id,
        rule.workspace_id,
        rule.priority,
        body,
        store.ambient().now()
    )
    .map(drop)
}

/// Deletes a rule. False if there is none.
pub async fn delete(tx: &mut Tx, id: RuleId) -> Result<bool> {
    Ok(sql!(tx, run, "delete from routing_rules where id = $1", id)? == 1)
}

/// Gives a rule another place.
pub async fn set_priority(tx: &mut Tx, id: RuleId, priority: i64) -> Result<()> {
    let text = "update routing_rules set priority = $2 where id = $1";
    sql!(tx, run, text, id, priority).map(drop)
}

/// What a workspace makes of the system's rules.
pub async fn overrides(
    tx: &mut Tx,
    workspace_id: WorkspaceId,
) -> Result<Vec<(RuleId, RuleOverride)>> {
    let text = "select rule_id, body from routing_overrides where workspace_id = $1";
    let rows = sql!(tx, all(String, String), text, workspace_id)?;
    let read = |(id, body): (String, String)| {
        let damaged = || Error::Damaged("what a workspace makes of a rule".into());
        let body = serde_json::from_str(&body).map_err(|_| damaged())?;
        Ok((id.parse().map_err(|_| damaged())?, body))
    };
    rows.into_iter().map(read).collect()
}

/// Stores what a workspace makes of a rule.
pub async fn put_override(tx: &mut Tx, id: RuleId, body: &RuleOverride) -> Result<()> {
    let text = serde_json::to_string(body).map_err(|_| Error::Damaged("a rule".into()))?;
    sql!(
        tx,
        run,
        "insert into routing_overrides (workspace_id, rule_id, body) values ($1, $2, $3)
         on conflict (workspace_id, rule_id) do update set body = excluded.body",
        body.workspace_id,
        id,
        text
    )
    .map(drop)
}

/// Forgets what a workspace makes of a rule. False if it made nothing of it.
pub async fn delete_override(tx: &mut Tx, id: RuleId, workspace_id: WorkspaceId) -> Result<bool> {
    let text = "delete from routing_overrides where workspace_id = $1 and rule_id = $2";
    Ok(sql!(tx, run, text, workspace_id, id)? == 1)
}
