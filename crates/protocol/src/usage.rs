//! What a model call used and cost, in one normal form for every provider.
//!
//! Tokens are counted once: `input` is what was neither read from nor written to a cache, and `output` holds what was
//! reasoned too. Money is whole micro-dollars.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tokens of one call, or of many together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Read anew, at the full price.
    #[serde(default)]
    pub input: u64,
    /// Read from the provider's cache.
    #[serde(default)]
    pub cache_read: u64,
    /// Written to a cache that lasts minutes.
    #[serde(default)]
    pub cache_write: u64,
    /// Written to a cache that lasts an hour.
    #[serde(default)]
    pub cache_write_hour: u64,
    /// Written by the model, with its reasoning.
    #[serde(default)]
    pub output: u64,
    /// How much of `output` was reasoning.
    #[serde(default)]
    pub reasoning: u64,
}

impl Usage {
    /// Everything that went in, from a cache or not.
    pub const fn prompt(&self) -> u64 {
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write)
            .saturating_add(self.cache_write_hour)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Usage) -> Usage {
        Usage {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            cache_write_hour: self.cache_write_hour.saturating_add(other.cache_write_hour),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }

    /// Everything, in and out.
    pub const fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
}

/// What a call cost, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Micro-dollars; null where nobody knows the price.
    pub micros: Option<u64>,
    /// Where the price is from.
    pub source: PriceSource,
    /// Whether the provider said what was used. `false`: it never came, and was estimated from the text.
    pub exact: bool,
}

/// Where a price is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// The provider said with its answer what it charges.
    Provider,
    /// Somebody set it here.
    Override,
    /// The catalogue that came with this version.
    Catalogue,
    /// It runs on our own machine.
    Free,
    /// Nobody knows.
    Unknown,
}
