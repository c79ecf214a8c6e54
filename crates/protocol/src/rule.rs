//! Rules of routing as plain data: conditions on what a message is, and what is to happen then.

use crate::{
    AgentName, Label, ModelName, RuleId, WorkspaceId,
    provider::{Effort, ProviderKind},
    route::Tier,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whom a rule is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RuleScope {
    /// Everybody on this server.
    System,
    /// Everybody in a workspace; in a personal one, its owner wherever they are.
    Workspace,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Which.
    pub id: RuleId,
    /// What people call it; the reason of a choice names it.
    pub name: Label,
    /// Whom it is for.
    pub scope: RuleScope,
    /// The workspace, where it is for one.
    pub workspace_id: Option<WorkspaceId>,
    /// Lower ones are asked first, among rules of one scope. Workspaces' rules are asked before the system's.
    pub priority: i64,
    /// Whether it is asked at all. For a rule of the system this is what holds for the one who asks.
    pub enabled: bool,
    /// All of these must hold. None: always.
    pub when: Vec<Condition>,
    /// What happens then.
    pub then: Action,
}

/// What is said of a rule when it is made or changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleBody {
    /// What people call it.
    pub name: Label,
    /// The workspace that it is for; without one it is for everybody on this server, which takes an admin.
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
    /// Lower ones are asked first; after all others unless told.
    #[serde(default)]
    pub priority: Option<i64>,
    /// Whether it is asked at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// All of these must hold. None: always.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub when: Vec<Condition>,
    /// What happens then.
    pub then: Action,
}

fn yes() -> bool {
    true
}

/// A rule as it was saved, with what looks wrong with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SavedRule {
    /// The rule.
    pub rule: Rule,
    /// Sentences: it can never match, another one always comes first, and the like.
    pub warnings: Vec<String>,
}

/// Changes a rule of the system for one workspace only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleOverride {
    /// For whom: a personal workspace, or a team's.
    pub workspace_id: WorkspaceId,
    /// Whether it is asked there; null: as everywhere.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// What happens there instead; null: as everywhere.
    #[serde(default)]
    pub then: Option<Action>,
}

/// The order in which rules are asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleOrder {
    /// Whose rules; null: the system's.
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
    /// All of them, the first to be asked first.
    #[schemars(length(max = 200))]
    pub ids: Vec<RuleId>,
}

/// Something that must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Of what.
    pub field: Field,
    /// How it is compared.
    pub op: Op,
    /// With what: a word, a number, or a list of words.
    pub value: Value,
}

/// What can be asked about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// What is wanted.
    Task,
    /// How much work it is: simple, moderate, complex, in this order.
    Complexity,
    /// Whose trade it is.
    Domain,
    /// What it takes.
    Needs,
    /// The class that was asked for, if any: cheap, standard, premium, in this order.
    Tier,
    /// Which agent answers.
    Agent,
    /// Where the message came from: web, tui, api, matrix…
    Channel,
    /// Its language, such as `en`.
    Language,
    /// How long it is with all that goes with it, in estimated tokens.
    Size,
    /// The hour of the day, 0 to 23, UTC.
    Hour,
    /// The day of the week, 1 (Monday) to 7, UTC.
    Weekday,
    /// How much of the tightest budget is left, in percent; 100 without budgets.
    BudgetLeft,
    /// Which kinds of provider can be asked now.
    Reachable,
}

/// How something is compared.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// The same.
    Eq,
    /// Not the same.
    Ne,
    /// One of these.
    In,
    /// None of these.
    NotIn,
    /// At least.
    Gte,
    /// At most.
    Lte,
    /// Has this.
    Contains,
    /// Has all of these.
    ContainsAll,
    /// Has one of these.
    ContainsAny,
    /// Has none of these.
    ContainsNone,
}

/// What something is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A word.
    Word(String),
    /// Several words.
    Words(Vec<String>),
}

/// What happens when a rule holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Which model answers; the first of these that can. None: the rules after this one decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub models: Vec<Target>,
    /// When none of them can: go on with this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<RuleId>,
    /// Which agent answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// What the model is told instead of its usual system prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20_000))]
    pub system_prompt: Option<String>,
    /// The only tools that it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub tools: Option<Vec<String>>,
    /// How much it thinks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Effort>,
}

/// Which model. Exactly one of `model`, `family`, `class` and `provider` decides; `provider` may narrow the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Of this kind of provider only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderKind>,
    /// This model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// The newest of a family, such as `opus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Any of this class; the cheapest that can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Tier>,
}
