//! Providers of models as plain data: their kinds, how their calls fail, and what is shown of them.

use crate::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident { $($(#[$label_doc:meta])* $label:ident $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {$(
            $(#[$label_doc])*
            #[serde(rename = $text)]
            $label,
        )*}

        impl $name {
            /// All of them, in a fixed order.
            pub const ALL: &[$name] = &[$($name::$label),*];

            /// Its name in JSON, on the command line and in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$label => $text,)*
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                match text {
                    $($text => Ok($name::$label),)*
                    _ => Err(()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

names! {
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
    /// Which of OpenAI's two formats a provider is spoken to in.
    Api {
        /// Chat Completions.
        Chat "chat",
        /// Responses.
        Responses "responses",
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
