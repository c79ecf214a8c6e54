//! What a message is about, and which model was chosen for it and why: plain data, shown with every reply.

use crate::label::labels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

labels! {
    /// What somebody holds in their hands at the end.
    Task {
        /// Code, configuration or infrastructure, written, changed, explained.
        Coding "coding",
        /// Facts found out, with sources.
        Research "research",
        /// Given prose made shorter.
        Summarization "summarization",
        /// A conclusion from given facts.
        Analysis "analysis",
        /// A text to use.
        Creative "creative",
        /// An exchange.
        Conversation "conversation",
    }
    /// How much work it is for an expert.
    Complexity {
        /// One short step.
        Simple "simple",
        /// Several steps, or some design.
        Moderate "moderate",
        /// Architecture, many parts, strong constraints.
        Complex "complex",
    }
    /// The trade whose knowledge is needed.
    Domain {
        /// What a user sees.
        Frontend "frontend",
        /// Servers, algorithms, programs.
        Backend "backend",
        /// Build, machines, networks, shell.
        Devops "devops",
        /// Databases, tables, statistics.
        Data "data",
        /// Documentation itself.
        Docs "docs",
        /// Everything else.
        General "general",
    }
    /// What the model must be able to do besides.
    Need {
        /// Open files, run commands, look things up.
        Tools "tools",
        /// Look at pictures.
        Vision "vision",
        /// Read more than about 50 pages.
        LongContext "long_context",
        /// Think in dependent steps.
        Reasoning "reasoning",
    }
    /// What a model costs, as a class that rules can name.
    Tier {
        /// For what is simple.
        Cheap "cheap",
        /// For most things.
        Standard "standard",
        /// For what is hard.
        Premium "premium",
    }
    /// How a classification was made.
    ClassifiedBy {
        /// By meaning, from the local model's embedding.
        Meaning "meaning",
        /// By words alone, because no embedding was available.
        Words "words",
        /// A language model was asked, because confidence was low.
        Model "model",
    }
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Classification {
    /// What is wanted.
    pub task: Task,
    /// How much work it is.
    pub complexity: Complexity,
    /// Whose trade it is.
    pub domain: Domain,
    /// What it takes, in the order of `Need`, each once.
    pub needs: Vec<Need>,
    /// How sure the task is, 0 to 1.
    pub confidence: f32,
    /// How this was found.
    pub by: ClassifiedBy,
}

/// Which model was chosen for a message, and why: shown with every reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// What the message is about; null where nobody had to ask, because the model was named.
    pub classification: Option<Classification>,
    /// The rule that decided; null where none did.
    pub rule: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
    /// What the provider is called here.
    pub provider: String,
    /// What kind it is.
    pub kind: crate::provider::ProviderKind,
    /// The model's id there.
    pub model: String,
    /// What was looked at, in order, up to the one that was taken and some after it.
    pub considered: Vec<Considered>,
    /// What it may cost, in micro-dollars; null where nobody knows.
    pub expected_micros: Option<u64>,
}

/// A model that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Considered {
    /// What the provider is called here, or its kind where nobody has set one up.
    pub provider: String,
    /// The model's id there.
    pub model: String,
    /// Why it was not taken; null: it could be.
    pub skipped: Option<String>,
}

/// Asks which model would be chosen, without calling any.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// The message.
    #[schemars(length(max = 200_000))]
    pub text: String,
    /// What comes with it.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub attachments: Vec<AttachedKind>,
    /// In which workspace; one's own unless told.
    #[serde(default)]
    pub workspace_id: Option<crate::WorkspaceId>,
    /// What would be asked for; `auto` unless told.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub model: Option<String>,
}

/// What kind of file comes with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttachedKind {
    /// A picture.
    Image,
    /// Anything to read.
    Document,
}
