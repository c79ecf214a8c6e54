//! Whether a call that failed before it said anything is sent again, and after how long. Pure.

use crate::Error;
use mosaic_protocol::provider::FailureClass;
use std::time::Duration;

/// How often, and how long altogether.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// How many times it is sent again, at most.
    pub most: u32,
    /// How long may be waited, all in all.
    pub within: Duration,
    /// For the jitter: another number for every call, so that many calls do not come back together.
    pub seed: u64,
}

impl Retries {
    /// Never again.
    pub const NONE: Retries = Retries { most: 0, within: Duration::ZERO, seed: 0 };
}

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);

/// How long to wait before the next try; `None`: give up. `tried`: how often it was sent. `waited`: how long so far.
pub(crate) fn wait(
    retries: Retries,
    tried: u32,
    waited: Duration,
    error: &Error,
) -> Option<Duration> {
    // Whoever was silent, or was cut, may have done the work, and charges for it: that is not asked for twice.
    let may_have_worked = matches!(
        error.class,
        FailureClass::Timeout | FailureClass::Malformed | FailureClass::Incomplete
    );
    if tried > retries.most || !error.class.passes() || may_have_worked {
        return None;
    }
    let doubled = FIRST.saturating_mul(1 << tried.saturating_sub(1).min(8)).min(LONGEST);
    // From half to all of it.
    let share = 0.5 + 0.5 * fraction(retries.seed.wrapping_add(u64::from(tried)));
    let wait = match error.retry_after {
        // The provider knows better; a little later than it says, not sooner.
        Some(after) => after.saturating_add(doubled.mul_f64(0.25 * share)),
        None => doubled.mul_f64(share),
    };
    (waited.saturating_add(wait) <= retries.within).then_some(wait)
}

/// A number from 0 to 1 that looks random (splitmix64).
fn fraction(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let top = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(u32::MAX);
    f64::from(top) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: Retries = Retries { most: 3, within: Duration::from_secs(5), seed: 1 };

    fn failed(class: FailureClass) -> Error {
        Error::new(class, "x")
    }

    #[test]
    fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        for class in FailureClass::ALL {
            let again = wait(SOME, 1, Duration::ZERO, &failed(*class)).is_some();
            let expected = [FailureClass::Rate, FailureClass::Overload, FailureClass::Transport];
            assert_eq!(again, expected.contains(class), "{class}");
        }
        let rate = failed(FailureClass::Rate);
        assert!(wait(SOME, 3, Duration::ZERO, &rate).is_some());
        assert_eq!(wait(SOME, 4, Duration::ZERO, &rate), None);
        assert_eq!(wait(Retries::NONE, 1, Duration::ZERO, &rate), None);
    }

    #[test]
    fn waits_grow_differ_and_stay_inside_the_bound() {
        let overload = failed(FailureClass::Overload);
        for seed in 0..100 {
            let retries = Retries { seed, ..SOME };
            let mut waited = Duration::ZERO;
            for tried in 1..=3 {
                let next = wait(retries, tried, waited, &overload).unwrap();
                let whole = FIRST * (1 << (tried - 1));
                assert!(next >= whole / 2 && next <= whole, "{next:?}");
                waited += next;
            }
            assert!(waited <= SOME.within);
        }
        let first = |seed| wait(Retries { seed, ..SOME }, 1, Duration::ZERO, &overload);
        assert_ne!(first(1), first(2));
        assert_eq!(wait(SOME, 1, Duration::from_millis(4999), &overload), None);
    }

    #[test]
    fn a_provider_that_says_when_is_believed_within_the_bound() {
        let mut rate = failed(FailureClass::Rate);
        rate.retry_after = Some(Duration::from_secs(2));
        let next = wait(SOME, 1, Duration::ZERO, &rate).unwrap();
        assert!(next >= Duration::from_secs(2) && next < Duration::from_secs(3));
        rate.retry_after = Some(Duration::from_secs(3600));
        assert_eq!(wait(SOME, 1, Duration::ZERO, &rate), None);
    }
}
