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

    /// For people: `2027-01-15 08:00:00 UTC`. A time before 1970 or after the year 9999 stays a number.
    pub fn utc(self) -> String {
        let seconds = self.0.div_euclid(1000);
        if !(0..253_402_300_800).contains(&seconds) {
            return format!("{} ms", self.0);
        }
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
        let first_day = |year: i64| (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
        // No year is longer than 366 days, so this begins too early, and soon finds the right one.
        let mut year = 1970 + days / 366;
        while first_day(year + 1) <= days {
            year += 1;
        }
        let february = 28 + leap_days(year) - leap_days(year - 1);
        let (mut month, mut day) = (1, days - first_day(year));
        for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
            if day < length {
                break;
            }
            day -= length;
            month += 1;
        }
        let (hour, minute) = (second / 3600, second / 60 % 60);
        format!("{year:04}-{month:02}-{:02} {hour:02}:{minute:02}:{:02} UTC", day + 1, second % 60)
    }
}

impl From<i64> for Time {
    fn from(ms: i64) -> Time {
        Time(ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_to_people() {
        for (ms, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399_999, "2000-02-28 23:59:59 UTC"),
            (951_868_799_000, "2000-02-29 23:59:59 UTC"),
            (1_709_164_800_000, "2024-02-29 00:00:00 UTC"),
            (1_800_000_000_000, "2027-01-15 08:00:00 UTC"),
            (4_107_542_400_000, "2100-03-01 00:00:00 UTC"),
            (4_107_542_399_000, "2100-02-28 23:59:59 UTC"),
            (253_402_300_799_999, "9999-12-31 23:59:59 UTC"),
            (253_402_300_800_000, "253402300800000 ms"),
            (-1, "-1 ms"),
        ] {
            assert_eq!(Time(ms).utc(), text);
        }
    }
}
