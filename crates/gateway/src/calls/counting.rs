//! What a call comes to: what its provider reported, within reason, or what can be told without a report. Pure.

use mosaic_models::{Model, Reported, Said, cost};
use mosaic_protocol::{
    provider::FailureClass,
    usage::{Cost, Usage},
};
use mosaic_store::ledger::State;

/// No call uses more tokens than this, whatever a provider says: a hundred times the largest context there is.
const MOST_TOKENS: u64 = 1_000_000_000;

/// No call costs more than this, whatever a provider says: ten thousand dollars.
const MOST_MICROS: u64 = 10_000_000_000;

/// What was heard of a call until it ended.
pub(super) struct Heard {
    pub(super) state: State,
    /// It failed in a way that costs nothing.
    pub(super) unbilled: bool,
    pub(super) reported: Option<Reported>,
    pub(super) prompt_tokens: u64,
    /// About how many tokens came.
    pub(super) written: u64,
    /// What was held for it, in micro-dollars and tokens, where a budget binds it.
    pub(super) held: Option<(i64, i64)>,
}

/// Whether a failure costs nothing: the provider refused, or was never reached. Whoever was asked and then fell silent may
/// well charge for it.
pub(super) fn is_unbilled(error: &mosaic_models::Error) -> bool {
    match error.class {
        FailureClass::Timeout | FailureClass::Malformed | FailureClass::Incomplete => false,
        FailureClass::Auth
        | FailureClass::Quota
        | FailureClass::Rate
        | FailureClass::Overload
        | FailureClass::ContextTooLong
        | FailureClass::Refused
        | FailureClass::NoSuchModel
        | FailureClass::BadRequest
        | FailureClass::Transport => true,
    }
}

impl Heard {
    /// Tokens and money.
    pub(super) fn comes_to(&self, model: &Model) -> (Usage, Cost) {
        let priced = |usage: &Usage, said: Said| {
            let mut cost = cost(model.priced(), usage, said);
            cost.micros = cost.micros.map(|micros| micros.min(MOST_MICROS));
            cost
        };
        let ended = self.state == State::Done;
        if let Some(reported) = self.reported {
            let mut usage = bounded(reported.usage);
            if !ended {
                // A stream that was cut told what had gone in, and not yet all that came out.
                usage.output = usage.output.max(self.written);
            }
            let said = Said { exact: ended, cost_micros: reported.cost_micros };
            return (usage, priced(&usage, said));
        }
        if self.unbilled && self.written == 0 {
            let nothing = Usage::default();
            let cost = priced(&nothing, Said { exact: true, cost_micros: None });
            return (nothing, Cost { micros: Some(0), ..cost });
        }
        let usage = Usage { input: self.prompt_tokens, output: self.written, ..Usage::default() };
        let guessed = priced(&usage, Said { exact: false, cost_micros: None });
        match self.held {
            // Nobody knows what was written and not shown: under a budget it counts for what was held.
            Some((micros, tokens)) if !ended => {
                let at_least = |guess: u64, held: i64| guess.max(u64::try_from(held).unwrap_or(0));
                let output = usage.output.max(at_least(0, tokens).saturating_sub(usage.input));
                let micros = guessed.micros.map(|guess| at_least(guess, micros));
                (Usage { output, ..usage }, Cost { micros, ..guessed })
            }
            _ => (usage, guessed),
        }
    }
}

/// What a provider reports, within reason: it is their word, and other people's budgets count it too.
fn bounded(usage: Usage) -> Usage {
    let within = |tokens: u64| tokens.min(MOST_TOKENS);
    Usage {
        input: within(usage.input),
        cache_read: within(usage.cache_read),
        cache_write: within(usage.cache_write),
        cache_write_hour: within(usage.cache_write_hour),
        output: within(usage.output),
        reasoning: within(usage.reasoning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_models::{Catalogue, Error};
    use mosaic_protocol::provider::ProviderKind;

    fn heard(state: State) -> Heard {
        Heard { state, unbilled: false, reported: None, prompt_tokens: 100, written: 0, held: None }
    }

    #[test]
    fn a_reports_numbers_are_bounded() {
        let model = Catalogue::bundled().get(ProviderKind::OpenRouter, "x/y");
        let usage = Usage { input: u64::MAX, output: u64::MAX, ..Usage::default() };
        let reported = Some(Reported { usage, cost_micros: Some(u64::MAX) });
        let (usage, cost) = Heard { reported, ..heard(State::Done) }.comes_to(&model);
        assert_eq!((usage.total(), cost.micros), (2 * MOST_TOKENS, Some(MOST_MICROS)));
    }

    #[test]
    fn what_was_refused_costs_nothing_and_what_fell_silent_may_cost_what_was_held() {
        let model = Catalogue::bundled().get(ProviderKind::Anthropic, "claude-opus-4-5");
        let refused = Heard { unbilled: true, ..heard(State::Failed) }.comes_to(&model);
        assert_eq!((refused.0.total(), refused.1.micros), (0, Some(0)));
        let free = heard(State::Failed).comes_to(&model);
        assert!(free.0.input == 100 && !free.1.exact);
        let held = Some((5_000, 2_000));
        let silent = Heard { held, ..heard(State::Failed) }.comes_to(&model);
        assert_eq!(
            (silent.0.total(), silent.1.micros, silent.1.exact),
            (2_000, Some(5_000), false)
        );
        let dropped = Heard { held, ..heard(State::Incomplete) }.comes_to(&model);
        assert_eq!(dropped.1.micros, Some(5_000), "hanging up gives nothing back");
        let whole = Heard { held, written: 10, ..heard(State::Done) }.comes_to(&model);
        assert_eq!(whole.0.total(), 110, "an end without a report is estimated");
        for class in FailureClass::ALL {
            let silent = matches!(
                class,
                FailureClass::Timeout | FailureClass::Malformed | FailureClass::Incomplete
            );
            assert_eq!(is_unbilled(&Error::new(*class, "x")), !silent, "{class}");
        }
    }
}
