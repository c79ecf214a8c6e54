//! A moment, as UTC milliseconds since 1970. Where it comes from is somebody else's business.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// UTC milliseconds since 1970.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// This moment and so many milliseconds more; stops at the end of time instead of wrapping round.
    pub const fn plus_ms(self, ms: i64) -> Time {
        Time(self.0.saturating_add(ms))
    }

    /// This moment and so many minutes more.
    pub const fn plus_minutes(self, minutes: i64) -> Time {
        self.plus_ms(minutes.saturating_mul(60_000))
    }

    /// This moment and so many hours more.
    pub const fn plus_hours(self, hours: i64) -> Time {
        self.plus_minutes(hours.saturating_mul(60))
    }

    /// This moment and so many days more.
    pub const fn plus_days(self, days: i64) -> Time {
        self.plus_hours(days.saturating_mul(24))
    }

    /// The start of the minute that this moment lies in: as fine as "last used" is ever stored.
    pub const fn to_the_minute(self) -> Time {
        Time(self.0 - self.0.rem_euclid(60_000))
    }
}

impl From<i64> for Time {
    fn from(ms: i64) -> Time {
        Time(ms)
    }
}
