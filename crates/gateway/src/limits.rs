//! How often somebody may try to log in.
//!
//! Three buckets: an account from one address, an account from everywhere, an address for everything. The first is
//! tight; the others are looser, so that a stranger who guesses cannot lock the owner out from elsewhere.

use crate::{Error, Result};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DashMapStateStore,
};
use std::num::NonZeroU32;

type Buckets = RateLimiter<String, DashMapStateStore<String>, DefaultClock>;

const LOOSER: u32 = 5;
/// More keys than this, and the quiet ones are dropped at once.
const MAX_KEYS: usize = 100_000;

pub(crate) struct LoginLimits {
    account_from_address: Buckets,
    account: Buckets,
    address: Buckets,
}

impl LoginLimits {
    pub(crate) fn new(per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let looser = per_minute.saturating_mul(NonZeroU32::new(LOOSER).unwrap_or(NonZeroU32::MIN));
        Self {
            account_from_address: RateLimiter::dashmap(Quota::per_minute(per_minute)),
            account: RateLimiter::dashmap(Quota::per_minute(looser)),
            address: RateLimiter::dashmap(Quota::per_minute(looser)),
        }
    }

    /// Counts one try on an account. `account` is whatever was typed, whether there is such an account or not.
    pub(crate) fn count(&self, account: &str, address: &str) -> Result<()> {
        self.count_stranger(account, address)?;
        check(&self.account, account.to_owned())
    }

    /// Counts one try at something that is nobody's account: a code, a provider. Only the address can be held to it;
    /// a bucket for all would let one stranger shut everybody out.
    pub(crate) fn count_stranger(&self, what: &str, address: &str) -> Result<()> {
        if self.account_from_address.len() > MAX_KEYS {
            self.shrink();
        }
        check(&self.address, address.to_owned())?;
        check(&self.account_from_address, format!("{what} {address}"))
    }

    pub(crate) fn shrink(&self) {
        for buckets in [&self.account_from_address, &self.account, &self.address] {
            buckets.retain_recent();
        }
    }
}

fn check(buckets: &Buckets, key: String) -> Result<()> {
    buckets.check_key(&key).map_err(|until| Error::Throttled {
        retry_after: until.wait_time_from(DefaultClock::default().now()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guesser_is_stopped_and_the_owner_elsewhere_is_not() {
        let limits = LoginLimits::new(3);
        for _ in 0..3 {
            assert!(limits.count("ada", "10.0.0.1").is_ok());
        }
        assert!(matches!(limits.count("ada", "10.0.0.1"), Err(Error::Throttled { .. })));
        assert!(limits.count("ada", "10.0.0.2").is_ok(), "the owner, from elsewhere");
        assert!(limits.count("bob", "10.0.0.1").is_ok(), "somebody else behind the same address");
    }

    #[test]
    fn many_addresses_together_do_not_get_more_than_the_looser_bound() {
        let limits = LoginLimits::new(3);
        let tried =
            (0..100).filter(|n| limits.count("ada", &format!("10.0.1.{n}")).is_ok()).count();
        assert_eq!(tried, 15);
    }
}
