//! The breakers of one provider: its own, and one for each model that failed. Pure.

use super::{Allow, Breaker, Concerns, Outcome, Ticket, concerns};
use mosaic_protocol::{Time, provider::FailureClass};
use std::collections::BTreeMap;

/// So many models have a breaker; those that fail beyond that are held by the provider's alone.
const MODELS: usize = 1_000;

/// Whether a provider's models are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    provider: Breaker,
    models: BTreeMap<String, Breaker>,
}

/// What a call was let through with; given back with its outcome, whatever that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    provider: Ticket,
    model: Ticket,
    /// It is the one call that tries whether it works again.
    pub probe: bool,
}

/// Why a call is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shut {
    /// Before then.
    pub until: Time,
    /// What it failed with.
    pub why: FailureClass,
    /// Whether all models of the provider are shut, or this one.
    pub all: bool,
}

impl Gate {
    /// Whether a call would be let through, for explaining a choice.
    pub fn looks(&self, model: &str, now: Time) -> Result<(), Shut> {
        let fresh = Breaker::default();
        let model = self.models.get(model).unwrap_or(&fresh);
        for (breaker, all) in [(&self.provider, true), (model, false)] {
            if let Allow::No { until, why } = breaker.looks(now) {
                return Err(Shut { until, why, all });
            }
        }
        Ok(())
    }

    /// Lets a call through, or not. Nothing is taken from one breaker while the other is open.
    pub fn enter(&mut self, model: &str, now: Time) -> Result<Pass, Shut> {
        self.looks(model, now)?;
        let mut fresh = Breaker::default();
        let of_model = self.models.get_mut(model).unwrap_or(&mut fresh);
        let take = |breaker: &mut Breaker, all| match breaker.allows(now) {
            Allow::Yes(ticket) => Ok((ticket, false)),
            Allow::Probe(ticket) => Ok((ticket, true)),
            Allow::No { until, why } => Err(Shut { until, why, all }),
        };
        let (provider, one) = take(&mut self.provider, true)?;
        let (model, two) = take(of_model, false)?;
        Ok(Pass { provider, model, probe: one || two })
    }

    /// Hears how a call went that was let through.
    pub fn settle(&mut self, model: &str, pass: Pass, outcome: Outcome, now: Time) {
        use FailureClass as F;
        let (of_provider, of_model) = match outcome {
            Outcome::Worked | Outcome::Dropped => (outcome, outcome),
            Outcome::Failed { class, .. } => match (concerns(class), class) {
                // It says nothing about the model, which may be as well as ever.
                (Concerns::Provider, _) => (outcome, Outcome::Dropped),
                // Somebody answered, and knows the key.
                (Concerns::Model, F::Rate | F::Overload) => (Outcome::Worked, outcome),
                (Concerns::Model, _) => (Outcome::Dropped, outcome),
                (Concerns::Request, _) => (outcome, outcome),
            },
        };
        self.provider.settle(pass.provider, of_provider, now);
        if let Some(breaker) = self.models.get_mut(model) {
            breaker.settle(pass.model, of_model, now);
        } else if of_model != Outcome::Worked && of_model != Outcome::Dropped {
            self.make_room();
            if self.models.len() < MODELS {
                let mut breaker = Breaker::default();
                breaker.settle(pass.model, of_model, now);
                self.models.insert(model.to_owned(), breaker);
            }
        }
    }

    /// Forgets models that work, when there are too many.
    fn make_room(&mut self) {
        if self.models.len() >= MODELS {
            self.models.retain(|_, breaker| !breaker.is_calm());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_800_000_000_000);

    fn failed(class: FailureClass) -> Outcome {
        Outcome::Failed { class, retry_after_ms: None }
    }

    fn call(gate: &mut Gate, model: &str, outcome: Outcome, now: Time) {
        let pass = gate.enter(model, now).unwrap();
        gate.settle(model, pass, outcome, now);
    }

    #[test]
    fn a_failure_shuts_what_it_speaks_against() {
        use FailureClass as F;
        for (class, times, shuts_same, shuts_other) in [
            (F::Auth, 1, true, true),
            (F::Quota, 1, true, true),
            (F::Transport, 3, true, true),
            (F::Rate, 1, true, false),
            (F::Overload, 3, true, false),
            (F::Timeout, 3, true, false),
            (F::Malformed, 3, true, false),
            (F::Incomplete, 3, true, false),
            (F::ContextTooLong, 5, false, false),
            (F::NoSuchModel, 5, false, false),
        ] {
            let mut gate = Gate::default();
            (0..times).for_each(|_| call(&mut gate, "a", failed(class), NOW));
            assert_eq!(gate.looks("a", NOW).is_err(), shuts_same, "{class}");
            assert_eq!(gate.looks("b", NOW).is_err(), shuts_other, "{class}");
            assert_eq!(gate.enter("a", NOW).err().map(|shut| shut.all), {
                shuts_same.then_some(shuts_other)
            });
        }
    }

    #[test]
    fn a_shut_model_does_not_use_up_the_probe_of_its_provider() {
        let mut gate = Gate::default();
        let long = Outcome::Failed { class: FailureClass::Rate, retry_after_ms: Some(3_600_000) };
        call(&mut gate, "a", long, NOW);
        call(&mut gate, "b", failed(FailureClass::Auth), NOW);
        let later = NOW.plus_ms(600_000);
        assert!(!gate.enter("a", later).unwrap_err().all);
        let pass = gate.enter("b", later).unwrap();
        assert!(pass.probe);
        assert!(gate.enter("c", later).unwrap_err().all);
        gate.settle("b", pass, Outcome::Worked, later);
        assert!(!gate.enter("c", later).unwrap().probe);
    }

    #[test]
    fn what_speaks_against_the_provider_is_not_held_against_the_model_too() {
        let mut gate = Gate::default();
        // Its breaker is there already.
        call(&mut gate, "a", failed(FailureClass::Timeout), NOW);
        call(&mut gate, "a", failed(FailureClass::Auth), NOW);
        let later = NOW.plus_ms(600_000);
        call(&mut gate, "b", Outcome::Worked, later);
        assert!(!gate.enter("a", later).unwrap().probe);
    }

    #[test]
    fn models_that_nobody_has_take_no_room_and_there_is_room_for_so_many() {
        let mut gate = Gate::default();
        for n in 0..2 * MODELS {
            call(&mut gate, &format!("none-{n}"), failed(FailureClass::Rate), NOW);
        }
        assert_eq!(gate.models.len(), MODELS);
        let mut gate = Gate::default();
        for n in 0..2 * MODELS {
            call(&mut gate, &format!("good-{n}"), Outcome::Worked, NOW);
        }
        assert!(gate.models.is_empty());
        for n in 0..2 * MODELS {
            let model = format!("mended-{n}");
            call(&mut gate, &model, failed(FailureClass::Timeout), NOW);
            call(&mut gate, &model, Outcome::Worked, NOW);
        }
        call(&mut gate, "last", failed(FailureClass::Rate), NOW);
        assert!(gate.looks("last", NOW).is_err() && gate.models.len() <= MODELS);
    }
}
