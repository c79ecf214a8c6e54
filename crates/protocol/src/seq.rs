//! The place of an entry in its log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// 1, 2, 3, without gaps. 0 is before the first.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Seq(#[schemars(range(min = 0))] pub i64);

impl Seq {
    /// Before the first entry.
    pub const START: Seq = Seq(0);

    /// So many places further.
    pub const fn plus(self, n: i64) -> Seq {
        Seq(self.0.saturating_add(n))
    }

    /// The place before this one.
    pub const fn before(self) -> Seq {
        Seq(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<i64> for Seq {
    fn from(n: i64) -> Seq {
        Seq(n)
    }
}
