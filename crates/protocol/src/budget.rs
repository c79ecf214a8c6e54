//! Budgets, and what was used, as plain data.

use crate::{BudgetId, Time, usage::Usage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whom a budget is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A person, wherever they call models.
    User(crate::UserId),
    /// A workspace, whoever calls models in it.
    Workspace(crate::WorkspaceId),
    /// An agent, by its name.
    Agent(crate::AgentName),
    /// Everything on this server.
    Server,
}

impl Subject {
    /// Its two columns.
    pub fn columns(&self) -> (&'static str, String) {
        match self {
            Subject::User(id) => ("user", id.to_string()),
            Subject::Workspace(id) => ("workspace", id.to_string()),
            Subject::Agent(name) => ("agent", name.to_string()),
            Subject::Server => ("server", String::new()),
        }
    }

    /// Out of its two columns.
    pub fn of_columns(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "user" => id.parse().ok().map(Subject::User),
            "workspace" => id.parse().ok().map(Subject::Workspace),
            "agent" => id.to_owned().try_into().ok().map(Subject::Agent),
            "server" => Some(Subject::Server),
            _ => None,
        }
    }
}

/// How long a budget lasts before it begins anew, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first to the first.
    Month,
}

/// A bound on what may be spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// Which.
    pub id: BudgetId,
    /// For whom.
    pub subject: Subject,
    /// For how long.
    pub period: Period,
    /// How much money, in micro-dollars; null: any.
    pub micros: Option<i64>,
    /// How many tokens, in and out; null: any.
    pub tokens: Option<i64>,
    /// What has gone in this period.
    pub spent: Spent,
    /// Four fifths of it, or more, have gone.
    pub warning: bool,
}

/// What has gone of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spent {
    /// When the period began.
    pub since: Time,
    /// Micro-dollars.
    pub micros: i64,
    /// Tokens.
    pub tokens: i64,
    /// Micro-dollars held for calls that are under way.
    pub held_micros: i64,
    /// Tokens held for them.
    pub held_tokens: i64,
}

/// Sets a budget, in place of the one for the same subject and period.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetRequest {
    /// For whom.
    pub subject: Subject,
    /// For how long.
    pub period: Period,
    /// How much money, in micro-dollars.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub micros: Option<i64>,
    /// How many tokens, in and out.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub tokens: Option<i64>,
}

/// By what usage is put together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageBy {
    /// Each day, UTC.
    #[default]
    Day,
    /// Each model.
    Model,
    /// Each provider.
    Provider,
    /// Each conversation.
    Conversation,
    /// Each person.
    Person,
    /// Each agent.
    Agent,
    /// Each API token.
    Token,
    /// Each rule that decided.
    Rule,
}

/// Which usage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    /// By what it is put together.
    #[serde(default)]
    pub by: UsageBy,
    /// From this day on (`2026-11-01`); thirty days back unless told.
    #[serde(default)]
    pub from: Option<String>,
    /// Up to and with this day.
    #[serde(default)]
    pub to: Option<String>,
    /// Of everybody in this workspace, which takes its owner. Without it, one's own.
    #[serde(default)]
    pub workspace_id: Option<crate::WorkspaceId>,
    /// Of everybody on this server, which takes an admin.
    #[serde(default)]
    pub everybody: bool,
}

/// Which usage of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonUsageQuery {
    /// By what it is put together.
    #[serde(default)]
    pub by: UsageBy,
    /// From this day on (`2026-11-01`); thirty days back unless told.
    #[serde(default)]
    pub from: Option<String>,
    /// Up to and with this day.
    #[serde(default)]
    pub to: Option<String>,
}

/// What was used, put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsageRow {
    /// The day, model, person… Empty where it is none.
    pub key: String,
    /// How many calls.
    pub calls: i64,
    /// How many of them failed or were cut.
    pub failed: i64,
    /// Tokens.
    pub usage: Usage,
    /// Micro-dollars, as far as prices are known.
    pub micros: i64,
    /// How many calls have no known price.
    pub unpriced: i64,
    /// How many calls had their tokens estimated.
    pub estimated: i64,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsageReport {
    /// By what.
    pub by: UsageBy,
    /// The rows; days in order, others by cost.
    pub rows: Vec<UsageRow>,
    /// Everything together.
    pub total: UsageRow,
}
