//! How often each of many may do something in a minute, all at once or evenly.

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DashMapStateStore,
};
use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// So many turns, and those who have been quiet are forgotten. Looking for them costs as much as there are keys, and a
/// turn adds one at most: shared among so many turns, it costs each the same small bit, however busy the keys are.
const TURNS: usize = 50_000;

/// A bucket for each key.
pub struct Buckets {
    limiter: RateLimiter<String, DashMapStateStore<String>, DefaultClock>,
    clock: DefaultClock,
    turns: AtomicUsize,
}

impl Buckets {
    /// Buckets that let so many through in a minute.
    pub fn per_minute(most: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN));
        Self {
            limiter: RateLimiter::dashmap(quota),
            clock: DefaultClock::default(),
            turns: AtomicUsize::new(0),
        }
    }

    /// Takes one turn, or answers how long to wait for it.
    pub fn take(&self, key: &str) -> Result<(), Duration> {
        if self.is_due() {
            self.shrink();
        }
        self.limiter
            .check_key(&key.to_owned())
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Forgets who has been quiet.
    pub fn shrink(&self) {
        self.limiter.retain_recent();
    }

    fn is_due(&self) -> bool {
        (self.turns.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(TURNS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_for_quiet_keys_is_shared_among_many_turns() {
        let buckets = Buckets::per_minute(1);
        let due = (0..TURNS * 3).filter(|_| buckets.is_due()).count();
        assert_eq!(due, 3);
    }

    #[test]
    fn quiet_keys_are_forgotten_and_busy_ones_are_not() {
        // A thousand a second: what was taken is given back almost at once.
        let quick = Buckets::per_minute(60_000_000);
        let slow = Buckets::per_minute(1);
        for n in 0..TURNS * 2 {
            assert_eq!(quick.take(&n.to_string()), Ok(()));
            assert_eq!(slow.take(&n.to_string()), Ok(()));
        }
        assert!(quick.limiter.len() <= TURNS, "{}", quick.limiter.len());
        assert_eq!(slow.limiter.len(), TURNS * 2);
        assert!(slow.take("0").is_err_and(|wait| wait <= Duration::from_secs(60)));
    }
}
