//! How long to wait before coming back: longer each time, and not all at the same moment.

use std::time::Duration;

const FIRST_MS: u64 = 100;
const MOST_MS: u64 = 10_000;

/// Counts the tries that failed.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failed: u32,
}

impl Backoff {
    /// It worked.
    pub(crate) fn reset(&mut self) {
        self.failed = 0;
    }

    /// How long to wait now. `chance` is any number: a gateway that restarts must not be met by all at once.
    pub(crate) fn next(&mut self, chance: u64) -> Duration {
        let most = FIRST_MS.saturating_mul(1 << self.failed.min(10)).min(MOST_MS);
        self.failed += 1;
        Duration::from_millis(most / 2 + chance % (most / 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_and_never_too_long() {
        let mut backoff = Backoff::default();
        let least: Vec<u128> = (0..9).map(|_| backoff.next(0).as_millis()).collect();
        assert_eq!(least, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert!(backoff.next(u64::MAX) <= Duration::from_millis(MOST_MS));
        backoff.reset();
        assert_eq!(backoff.next(0).as_millis(), 50);
    }
}
