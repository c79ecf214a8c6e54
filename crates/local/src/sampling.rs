//! Which token comes next, out of how likely each is; the same seed makes the same choices.

/// A source of numbers that look random (splitmix64). Its seed comes from outside.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0 to below 1.
    fn throw(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 40) as f32 / 16_777_216.0
    }
}

/// The most likely at temperature 0; else one of the most likely that together make up `top_p`.
pub(crate) fn choose(logits: &[f32], temperature: f32, top_p: f32, dice: &mut Dice) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (token, logit) in (0..).zip(logits) {
        if *logit > best.1 {
            best = (token, *logit);
        }
    }
    if temperature.is_nan() || temperature < 0.01 {
        return best.0;
    }
    // Whatever is a million times less likely than the best is not looked at: there would be little but sorting.
    let floor = best.1 - 14.0 * temperature.min(10.0);
    let mut likely: Vec<(f32, u32)> = (0..)
        .zip(logits)
        .filter(|(_, logit)| **logit >= floor)
        .map(|(token, logit)| (((logit - best.1) / temperature).exp(), token))
        .collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all: f32 = likely.iter().map(|(weight, _)| weight).sum();
    let top_p = if top_p.is_nan() { 1.0 } else { top_p.clamp(0.0, 1.0) };
    let mut kept = 0.0;
    let n = likely.iter().take_while(|(weight, _)| {
        let more = kept < all * top_p;
        kept += if more { *weight } else { 0.0 };
        more
    });
    let n = n.count().max(1);
    let mut rest = dice.throw() * likely.iter().take(n).map(|(weight, _)| weight).sum::<f32>();
    for (weight, token) in likely.iter().take(n) {
        rest -= weight;
        if rest <= 0.0 {
            return *token;
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_temperature_zero_the_best_is_taken() {
        assert_eq!(choose(&[0.0, 3.0, 2.9, f32::NAN], 0.0, 1.0, &mut Dice::new(1)), 1);
        assert_eq!(choose(&[f32::NAN; 4], 1.0, 0.5, &mut Dice::new(1)), 0);
    }

    #[test]
    fn choices_follow_the_odds_and_keep_within_top_p() {
        let mut dice = Dice::new(7);
        let mut counts = [0; 3];
        for _ in 0..10_000 {
            counts
                [choose(&[2.0_f32.ln(), 0.0, f32::NEG_INFINITY], 1.0, 1.0, &mut dice) as usize] +=
                1;
        }
        assert!((6400..6950).contains(&counts[0]) && counts[2] == 0, "{counts:?}");
        assert!((0..1000).all(|_| choose(&[2.0, 1.0, 0.5], 1.0, 0.6, &mut dice) == 0));
    }

    #[test]
    fn one_seed_makes_the_same_choices() {
        let all = |seed| {
            let mut dice = Dice::new(seed);
            (0..50).map(|_| choose(&[0.0; 100], 1.0, 1.0, &mut dice)).collect::<Vec<_>>()
        };
        assert_eq!(all(3), all(3));
        assert_ne!(all(3), all(4));
    }
}
