//! Providers of models as plain data: their kinds, how their calls fail, and what is shown of them.

use crate::{
    ModelProviderId, ModelProviderName, SecretValue, Time, WorkspaceId, label::labels, route::Tier,
    usage::PriceSource,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

labels! {
    /// Whose wire format and habits a provider has.
    ProviderKind {
        /// Anthropic's Messages.
        Anthropic "anthropic",
        /// OpenAI itself.
        OpenAi "openai",
        /// OpenRouter.
        OpenRouter "openrouter",
        /// Z.ai, with its GLM models.
        Zai "zai",
        /// DeepSeek.
        DeepSeek "deepseek",
        /// An Ollama server, by its own API.
        Ollama "ollama",
        /// Any server that speaks OpenAI's Chat Completions.
        Compatible "compatible",
        /// The small model in our own process.
        Local "local",
        /// Plays a script, for tests and demonstrations.
        Scripted "scripted",
    }
    /// How much a model thinks before it speaks.
    Effort {
        /// A glance.
        Minimal "minimal",
        /// A little.
        Low "low",
        /// Some.
        Medium "medium",
        /// Much.
        High "high",
        /// As much as there is.
        Max "max",
    }
    /// Which of OpenAI's two formats a provider is spoken to in.
    Api {
        /// Chat Completions.
        Chat "chat",
        /// Responses.
        Responses "responses",
    }
    /// What a provider is used with.
    CredentialKind {
        /// Nothing.
        None "none",
        /// A key.
        Key "key",
        /// Tokens that are renewed.
        OAuth "oauth",
    }
    /// Why a call failed, as far as somebody acts differently on it.
    FailureClass {
        /// The key is wrong, missing or may not do this.
        Auth "auth",
        /// What was paid for is used up.
        Quota "quota",
        /// Too many calls; it may say when to come back.
        Rate "rate",
        /// The provider has too much to do.
        Overload "overload",
        /// More than the model can read.
        ContextTooLong "context_too_long",
        /// The provider does not want to answer this.
        Refused "refused",
        /// It has no such model.
        NoSuchModel "no_such_model",
        /// The provider does not understand the request.
        BadRequest "bad_request",
        /// It could not be reached, or the connection broke.
        Transport "transport",
        /// It took too long.
        Timeout "timeout",
        /// What it sent is not what its format says.
        Malformed "malformed",
        /// The stream ended without its proper end.
        Incomplete "incomplete",
    }
    /// Whether a provider can be used, as far as that was tried.
    HealthState {
        /// Nothing was tried yet, or too long ago to tell.
        Unknown "unknown",
        /// It answered when it was last asked.
        Up "up",
        /// It did not.
        Down "down",
        /// It answers again later: too many calls, or nothing left of what was paid for.
        Limited "limited",
    }
    /// What a provider's limit counts.
    Limits {
        /// Calls.
        Requests "requests",
        /// Tokens.
        Tokens "tokens",
    }
}

/// How a provider does, as far as calls and probes have shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderHealth {
    /// In a word.
    pub state: HealthState,
    /// When it was last tried.
    pub tried_at: Option<Time>,
    /// When it last answered as it should.
    pub worked_at: Option<Time>,
    /// How long it took then, in milliseconds.
    pub latency_ms: Option<u64>,
    /// Until when it is limited, if it is.
    pub limited_until: Option<Time>,
    /// How it last failed; kept when it works again.
    pub last_error: Option<LastError>,
    /// What it last said of its limits: of several, the one that is nearest.
    pub rate_limit: Option<RateLimit>,
}

/// How a provider last failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastError {
    /// Why.
    pub class: FailureClass,
    /// What happened, for people, without anything secret.
    pub message: String,
    /// When.
    pub at: Time,
}

/// A limit of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RateLimit {
    /// What it counts.
    pub of: Limits,
    /// How many there are in its window.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
    /// When there are more again, if it says.
    pub reset_at: Option<Time>,
}

impl Default for ProviderHealth {
    /// Nothing was tried.
    fn default() -> Self {
        Self {
            state: HealthState::Unknown,
            tried_at: None,
            worked_at: None,
            latency_ms: None,
            limited_until: None,
            last_error: None,
            rate_limit: None,
        }
    }
}

impl FailureClass {
    /// Whether the same call, sent again, may well work.
    pub const fn passes(self) -> bool {
        matches!(
            self,
            Self::Rate
                | Self::Overload
                | Self::Transport
                | Self::Timeout
                | Self::Malformed
                | Self::Incomplete
        )
    }
}

/// A provider of models that somebody has set up, without its credential: that is never given out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Provider {
    /// Which.
    pub id: ModelProviderId,
    /// What it is called where it is.
    pub name: ModelProviderName,
    /// The workspace that it is for; null: everybody on this server.
    pub workspace_id: Option<WorkspaceId>,
    /// What kind it is.
    pub kind: ProviderKind,
    /// Which of OpenAI's formats it is spoken to in, where that is a question.
    pub api: Api,
    /// Where it is; empty for what runs in our own process.
    pub base_url: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// What it is used with.
    pub credential: CredentialKind,
    /// The last characters of a key, for people who have several; of a login, where it was made.
    pub hint: String,
    /// It came out of the environment of the program, and is changed there.
    pub from_environment: bool,
    /// How it is.
    pub health: ProviderHealth,
}

/// Sets up a provider. It is asked once before it is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddProviderRequest {
    /// What to call it; `name/model` then names its models.
    pub name: ModelProviderName,
    /// What kind it is.
    pub kind: ProviderKind,
    /// For which workspace; one's own unless told.
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
    /// For everybody on this server, which takes an admin.
    #[serde(default)]
    pub server: bool,
    /// Where it is, with the version (`https://api.example.com/v1`); the kind's own place unless told.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub base_url: Option<String>,
    /// Which of OpenAI's formats.
    #[serde(default)]
    pub api: Option<Api>,
    /// Its key.
    #[serde(default)]
    pub key: Option<SecretValue>,
    /// Keep it even if it does not answer now.
    #[serde(default)]
    pub untested: bool,
}

/// Changes a provider. What is missing stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeProviderRequest {
    /// What to call it.
    #[serde(default)]
    pub name: Option<ModelProviderName>,
    /// Where it is. Another host takes the key again: it was entered for the old one. A login ends there, which takes
    /// `untested`.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub base_url: Option<String>,
    /// Which of OpenAI's formats.
    #[serde(default)]
    pub api: Option<Api>,
    /// Its key.
    #[serde(default)]
    pub key: Option<SecretValue>,
    /// Whether it may be used.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Keep it even if it does not answer now.
    #[serde(default)]
    pub untested: bool,
}

/// What came of asking a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderReport {
    /// It answered, with this key.
    pub works: bool,
    /// In a sentence.
    pub message: String,
    /// How long it took.
    pub latency_ms: u64,
    /// How many models it lists.
    pub n_models: u64,
}

/// How one provider does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthShown {
    /// Which.
    pub id: ModelProviderId,
    /// What it is called where it is.
    pub name: ModelProviderName,
    /// What kind it is.
    pub kind: ProviderKind,
    /// How it does.
    pub health: ProviderHealth,
}

/// A model that can be used, with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelShown {
    /// `provider/model`: what to ask for.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What its provider is called here.
    pub provider: String,
    /// What kind that is.
    pub kind: ProviderKind,
    /// The model's id there.
    pub model: String,
    /// How many tokens it reads.
    pub context: u64,
    /// How many it writes.
    pub max_output: u64,
    /// Whether it calls tools.
    pub tools: bool,
    /// Whether it sees.
    pub vision: bool,
    /// Whether it answers in a given form.
    pub structured: bool,
    /// How much it can think; empty: it does not.
    pub thinking: Vec<Effort>,
    /// Whether it makes embeddings, and nothing else.
    pub embedding: bool,
    /// What it costs, as a class.
    pub tier: Tier,
    /// What it costs, where anybody knows.
    pub price: Option<PriceShown>,
    /// Whether it can be asked now; otherwise why not.
    pub unavailable: Option<String>,
}

/// What a million tokens cost, in micro-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriceShown {
    /// Read.
    pub input: u64,
    /// Written.
    pub output: u64,
    /// Read from a cache.
    pub cache_read: Option<u64>,
    /// Written to a cache.
    pub cache_write: Option<u64>,
    /// Where this is from.
    pub source: PriceSource,
}
