//! How many requests an address, a user and a token may make in a minute, all at once or evenly.

use crate::{Throttles, refusal::Refusal};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DashMapStateStore,
};
use std::num::NonZeroU32;

type Buckets = RateLimiter<String, DashMapStateStore<String>, DefaultClock>;

/// More keys than this, and the quiet ones are dropped at once.
const MAX_KEYS: usize = 100_000;

pub(crate) struct Throttle {
    addresses: Buckets,
    users: Buckets,
    tokens: Buckets,
    clock: DefaultClock,
}

impl Throttle {
    pub(crate) fn new(throttles: Throttles) -> Throttle {
        let buckets = |n| {
            RateLimiter::dashmap(Quota::per_minute(NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)))
        };
        Throttle {
            addresses: buckets(throttles.address_per_minute),
            users: buckets(throttles.user_per_minute),
            tokens: buckets(throttles.token_per_minute),
            clock: DefaultClock::default(),
        }
    }

    fn take(&self, buckets: &Buckets, key: &str) -> Result<(), Refusal> {
        if buckets.len() > MAX_KEYS {
            buckets.retain_recent();
        }
        buckets
            .check_key(&key.to_owned())
            .map_err(|until| Refusal::throttled(until.wait_time_from(self.clock.now())))
    }

    pub(crate) fn address(&self, address: &str) -> Result<(), Refusal> {
        self.take(&self.addresses, address)
    }

    pub(crate) fn user(&self, id: &str) -> Result<(), Refusal> {
        self.take(&self.users, id)
    }

    pub(crate) fn token(&self, id: &str) -> Result<(), Refusal> {
        self.take(&self.tokens, id)
    }

    /// Forgets who has been quiet.
    pub(crate) fn shrink(&self) {
        for buckets in [&self.addresses, &self.users, &self.tokens] {
            buckets.retain_recent();
        }
    }
}
