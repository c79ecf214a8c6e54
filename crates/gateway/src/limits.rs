//! How often somebody may try to log in.
//!
//! Three buckets: an account from one network, an account from everywhere, a network for everything. The first is
//! tight; the others are looser. Guessers in many networks can empty the account's; that must not keep its owner out,
//! so networks that the owner has logged in from are held to the first and the last only.

use crate::{Error, Result, buckets::Buckets};
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

const LOOSER: u32 = 5;

/// People log in from a few places; the oldest is forgotten.
const MAX_NETWORKS: usize = 20;
/// More accounts than this are not remembered; their sessions still speak for them.
const MAX_ACCOUNTS: usize = 20_000;

pub(crate) struct LoginLimits {
    account_from_network: Buckets,
    account: Buckets,
    network: Buckets,
    /// From where each account has been logged in to since the start.
    familiar: Mutex<HashMap<String, VecDeque<String>>>,
}

/// How a network stands to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its owner has logged in from there.
    Familiar,
    /// Anybody's.
    Strange,
}

impl LoginLimits {
    pub(crate) fn new(per_minute: u32) -> Self {
        let looser = per_minute.saturating_mul(LOOSER);
        Self {
            account_from_network: Buckets::per_minute(per_minute),
            account: Buckets::per_minute(looser),
            network: Buckets::per_minute(looser),
            familiar: Mutex::default(),
        }
    }

    /// Counts one try on an account, as far as where it comes from goes. `account` is whatever was typed, whether
    /// there is such an account or not; so for what is nobody's account: a code, a provider. Only the network can be
    /// held to those; a bucket for all would let one stranger shut everybody out.
    pub(crate) fn count_here(&self, what: &str, network: &str) -> Result<()> {
        check(&self.network, network)?;
        check(&self.account_from_network, &format!("{what} {network}"))
    }

    /// Counts the same try on the account from everywhere.
    pub(crate) fn count_everywhere(&self, account: &str) -> Result<()> {
        check(&self.account, account)
    }

    /// Notes that the account's owner was there.
    pub(crate) fn welcome(&self, account: &str, network: &str) {
        let mut familiar = self.familiar.lock().unwrap_or_else(PoisonError::into_inner);
        if familiar.len() >= MAX_ACCOUNTS && !familiar.contains_key(account) {
            return;
        }
        let networks = familiar.entry(account.to_owned()).or_default();
        networks.retain(|known| known != network);
        networks.push_back(network.to_owned());
        if networks.len() > MAX_NETWORKS {
            networks.pop_front();
        }
    }

    /// Whether the account's owner was there, as far as this process remembers.
    pub(crate) fn standing(&self, account: &str, network: &str) -> Standing {
        let familiar = self.familiar.lock().unwrap_or_else(PoisonError::into_inner);
        let known = familiar.get(account).is_some_and(|it| it.iter().any(|it| it == network));
        if known { Standing::Familiar } else { Standing::Strange }
    }

    pub(crate) fn shrink(&self) {
        for buckets in [&self.account_from_network, &self.account, &self.network] {
            buckets.shrink();
        }
    }
}

/// What is counted together with an address: an IPv6 customer has a whole /64.
pub fn network_of(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(v6)) => {
            let s = v6.segments();
            format!("{:x}:{:x}:{:x}:{:x}::/64", s[0], s[1], s[2], s[3])
        }
        _ => address.to_owned(),
    }
}

fn check(buckets: &Buckets, key: &str) -> Result<()> {
    buckets.take(key).map_err(|retry_after| Error::Throttled { retry_after })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn count(limits: &LoginLimits, account: &str, network: &str) -> Result<()> {
        limits.count_here(account, network)?;
        match limits.standing(account, network) {
            Standing::Familiar => Ok(()),
            Standing::Strange => limits.count_everywhere(account),
        }
    }

    #[test]
    fn a_guesser_is_stopped_and_the_owner_elsewhere_is_not() {
        let limits = LoginLimits::new(3);
        for _ in 0..3 {
            assert!(count(&limits, "ada", "10.0.0.1").is_ok());
        }
        assert!(matches!(count(&limits, "ada", "10.0.0.1"), Err(Error::Throttled { .. })));
        assert!(count(&limits, "ada", "10.0.0.2").is_ok(), "the owner, from elsewhere");
        assert!(count(&limits, "bob", "10.0.0.1").is_ok(), "somebody else behind the same address");
    }

    #[test]
    fn many_networks_together_do_not_get_more_than_the_looser_bound() {
        let limits = LoginLimits::new(3);
        limits.welcome("ada", "10.0.0.2");
        let tried =
            (0..100).filter(|n| count(&limits, "ada", &format!("10.0.1.{n}")).is_ok()).count();
        assert_eq!(tried, 15);
        // The owner gets in from where the owner always does, and whoever guesses there is still held.
        let there = (0..100).filter(|_| count(&limits, "ada", "10.0.0.2").is_ok()).count();
        assert_eq!(there, 3);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let limits = LoginLimits::new(3);
        for n in 0..=MAX_NETWORKS {
            limits.welcome("ada", &n.to_string());
        }
        assert_eq!(limits.standing("ada", "0"), Standing::Strange);
        assert_eq!(limits.standing("ada", "1"), Standing::Familiar);
        for n in 0..MAX_ACCOUNTS {
            limits.welcome(&format!("account-{n}"), "there");
        }
        assert_eq!(limits.familiar.lock().unwrap().len(), MAX_ACCOUNTS);
    }

    #[test]
    fn an_ipv6_customer_is_one() {
        assert_eq!(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network_of("2001:db8:1:2::9"), network_of("2001:db8:1:2:ffff::"));
        assert_ne!(network_of("2001:db8:1:2::9"), network_of("2001:db8:1:3::9"));
        assert_eq!(network_of("10.0.0.1"), "10.0.0.1");
    }
}
