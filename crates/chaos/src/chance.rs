//! Everything random, out of one seed: the same seed makes the same choices. (When they are made is up to the machine.)

use uuid::Uuid;

/// A stream of numbers. Splitmix64: small, and good enough to choose by.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// A stream of its own for each path of numbers.
    pub(crate) fn of(seed: u64, path: &[u64]) -> Chance {
        let mut chance = Chance(seed);
        for part in path {
            chance.0 = chance.next() ^ part.wrapping_mul(0xd134_2543_de82_ef95);
        }
        chance
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `least` up to and without `end`.
    pub(crate) fn among(&mut self, least: u64, end: u64) -> u64 {
        least + self.next() % end.saturating_sub(least).max(1)
    }

    /// Whether it happens, so often in a hundred.
    pub(crate) fn percent(&mut self, n: u64) -> bool {
        self.next() % 100 < n
    }

    /// One of these, if there is one.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let n = self.among(0, all.len() as u64);
        all.get(usize::try_from(n).unwrap_or(0))
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_everything() {
        let stream = |path: &[u64]| {
            let mut chance = Chance::of(7, path);
            (0..4).map(|_| chance.next()).collect::<Vec<_>>()
        };
        assert_eq!(stream(&[1, 2]), stream(&[1, 2]));
        assert_ne!(stream(&[1, 2]), stream(&[2, 1]));
        assert_ne!(stream(&[1]), stream(&[1, 0]));
        let mut chance = Chance::of(7, &[]);
        assert!((0..1000).all(|_| (3..9).contains(&chance.among(3, 9))));
        assert_eq!(chance.pick::<u8>(&[]), None);
    }
}
