//! Providers of models as plain data: their kinds, how their calls fail, and what is shown of them.

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
