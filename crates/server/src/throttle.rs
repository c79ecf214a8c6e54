//! How many requests an address, a user and a token may make in a minute, all at once or evenly.

use crate::{Throttles, refusal::Refusal};
use mosaic_gateway::Buckets;

pub(crate) struct Throttle {
    addresses: Buckets,
    users: Buckets,
    tokens: Buckets,
}

impl Throttle {
    pub(crate) fn new(throttles: Throttles) -> Throttle {
        Throttle {
            addresses: Buckets::per_minute(throttles.address_per_minute),
            users: Buckets::per_minute(throttles.user_per_minute),
            tokens: Buckets::per_minute(throttles.token_per_minute),
        }
    }

    pub(crate) fn address(&self, address: &str) -> Result<(), Refusal> {
        self.addresses.take(address).map_err(Refusal::throttled)
    }

    pub(crate) fn user(&self, id: &str) -> Result<(), Refusal> {
        self.users.take(id).map_err(Refusal::throttled)
    }

    pub(crate) fn token(&self, id: &str) -> Result<(), Refusal> {
        self.tokens.take(id).map_err(Refusal::throttled)
    }

    /// Forgets who has been quiet.
    pub(crate) fn shrink(&self) {
        for buckets in [&self.addresses, &self.users, &self.tokens] {
            buckets.shrink();
        }
    }
}
