//! How much of what all need one of them may hold at once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// What each holder has now. Whoever holds nothing takes no room.
pub(crate) struct Shares<K: Eq + Hash> {
    most: usize,
    held: Mutex<HashMap<K, usize>>,
}

/// One part of what a holder may have, given back when dropped.
pub(crate) struct Share<K: Eq + Hash> {
    of: Arc<Shares<K>>,
    holder: K,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// One more for this holder, or `None` where it has as many as it may.
    pub(crate) fn take(self: &Arc<Self>, holder: K) -> Option<Share<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let n = held.get(&holder).copied().unwrap_or_default();
        if n >= self.most {
            return None;
        }
        held.insert(holder.clone(), n + 1);
        drop(held);
        Some(Share { of: self.clone(), holder })
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut held = self.of.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.holder) {
            Some(n) if *n > 1 => *n -= 1,
            _ => drop(held.remove(&self.holder)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn one_takes_no_more_than_its_share_and_leaves_no_trace() {
        let shares = Shares::new(2);
        let first = shares.take("eve").unwrap();
        let second = shares.take("eve").unwrap();
        assert!(shares.take("eve").is_none());
        let other = shares.take("ada").unwrap();
        drop(first);
        let third = shares.take("eve").unwrap();
        assert!(shares.take("eve").is_none());
        drop((second, third, other));
        assert!(shares.held.lock().unwrap().is_empty());
    }
}
