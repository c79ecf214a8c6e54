//! How much is to be thought, in the levels that providers know. Pure.

use crate::{Effort, Thinking};

/// The level nearest to so many tokens.
pub(crate) fn nearest(tokens: u32) -> Effort {
    match tokens {
        0..=1023 => Effort::Minimal,
        1024..=4095 => Effort::Low,
        4096..=16_383 => Effort::Medium,
        16_384..=32_767 => Effort::High,
        32_768.. => Effort::Max,
    }
}

/// What is wanted, in levels: `None` is the model's habit, `Some(None)` is not at all.
pub(crate) fn level(thinking: Thinking) -> Option<Option<Effort>> {
    match thinking {
        Thinking::Usual => None,
        Thinking::Off | Thinking::Budget(0) => Some(None),
        Thinking::Effort(effort) => Some(Some(effort)),
        Thinking::Budget(tokens) => Some(Some(nearest(tokens))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_becomes_the_nearest_level() {
        let levels = [
            (0, None),
            (512, Some(Effort::Minimal)),
            (2_000, Some(Effort::Low)),
            (8_000, Some(Effort::Medium)),
            (20_000, Some(Effort::High)),
            (64_000, Some(Effort::Max)),
        ];
        for (tokens, wanted) in levels {
            assert_eq!(level(Thinking::Budget(tokens)), Some(wanted), "{tokens}");
        }
        assert_eq!(level(Thinking::Usual), None);
        assert_eq!(level(Thinking::Off), Some(None));
    }
}
