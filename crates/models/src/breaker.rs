//! Whether a provider, or a model of it, is asked at all: what keeps failing is left alone for a while, then tried with one
//! call. Pure: time is an argument. Whoever calls keeps a `Gate` for each provider; what a shut one leads to is decided above.

mod gate;
mod health;
mod limits;

pub use gate::{Gate, Pass, Shut};
pub use health::{Seen, health_at, health_seen};
pub use limits::rate_limit;

use crate::Error;
use mosaic_protocol::{Time, provider::FailureClass};

/// So many failures in a row, and it is left alone.
const FAILURES: u32 = 3;

/// How long at first, and at most; doubled each time that it fails again.
const FIRST_MS: i64 = 5_000;
const LONGEST_MS: i64 = 5 * 60_000;

/// A wrong key is rarely mended within minutes, and a used-up account not either.
const AUTH_MS: i64 = 10 * 60_000;
const QUOTA_MS: i64 = 30 * 60_000;

/// What a provider may ask for with Retry-After.
const SHORTEST_RETRY_MS: i64 = 1_000;
const LONGEST_RETRY_MS: i64 = 60 * 60_000;

/// A probe that nothing was heard of for so long is lost. Longer than a call may take.
const PROBE_MS: i64 = 15 * 60_000;

/// Keeps calls from what does not answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    /// Goes up whenever it opens, closes or lets a probe through: what was allowed before that is old news.
    round: u64,
    /// How often it opened since it last worked.
    opened: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Calls go through; so many failed in a row.
    Closed { failures: u32 },
    /// None does until then; after it, one.
    Open { until: Time, why: FailureClass },
    /// One is on its way. It is given up then.
    Probing { until: Time, why: FailureClass },
}

impl Default for State {
    fn default() -> Self {
        State::Closed { failures: 0 }
    }
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allow {
    /// It may.
    Yes(Ticket),
    /// It may, alone, and what follows depends on it.
    Probe(Ticket),
    /// It may not.
    No {
        /// Before then.
        until: Time,
        /// Because it failed like this.
        why: FailureClass,
    },
}

/// What a call was allowed with; given back with its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It answered.
    Worked,
    /// It failed.
    Failed {
        /// Like this.
        class: FailureClass,
        /// The provider says when to come back, in milliseconds from then.
        retry_after_ms: Option<i64>,
    },
    /// Nobody waited for the end, which says nothing.
    Dropped,
}

impl From<&Error> for Outcome {
    fn from(error: &Error) -> Self {
        let ms = |after: std::time::Duration| i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        Outcome::Failed { class: error.class, retry_after_ms: error.retry_after.map(ms) }
    }
}

/// What a failure speaks against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concerns {
    /// All models of the provider.
    Provider,
    /// The model.
    Model,
    /// Only the request.
    Request,
}

/// What a failure speaks against, and so which breaker hears of it.
pub const fn concerns(class: FailureClass) -> Concerns {
    use FailureClass as F;
    match class {
        F::Auth | F::Quota | F::Transport => Concerns::Provider,
        // Providers have limits and queues for each model.
        F::Rate | F::Overload | F::Timeout | F::Malformed | F::Incomplete => Concerns::Model,
        F::ContextTooLong | F::Refused | F::NoSuchModel | F::BadRequest => Concerns::Request,
    }
}

impl Breaker {
    /// Whether a call would be allowed, without taking the probe.
    pub fn looks(&self, now: Time) -> Allow {
        match self.state {
            State::Closed { .. } => Allow::Yes(Ticket(self.round)),
            State::Open { until, why } | State::Probing { until, why } if now < until => {
                Allow::No { until, why }
            }
            State::Open { .. } | State::Probing { .. } => {
                Allow::Probe(Ticket(self.round.wrapping_add(1)))
            }
        }
    }

    /// Whether a call may be made now. After `Probe` nobody else may until its outcome is told.
    pub fn allows(&mut self, now: Time) -> Allow {
        let allow = self.looks(now);
        if let (Allow::Probe(_), State::Open { why, .. } | State::Probing { why, .. }) =
            (allow, self.state)
        {
            self.enter(State::Probing { until: now.plus_ms(PROBE_MS), why });
        }
        allow
    }

    /// Hears how an allowed call went.
    pub fn settle(&mut self, ticket: Ticket, outcome: Outcome, now: Time) {
        let current = ticket.0 == self.round;
        match outcome {
            Outcome::Failed { class, retry_after_ms } if concerns(class) != Concerns::Request => {
                self.failed(current, class, retry_after_ms, now);
            }
            // What was allowed before it opened may well end well after that, and proves nothing.
            Outcome::Worked | Outcome::Failed { .. } if current => {
                self.opened = 0;
                match self.state {
                    State::Closed { .. } => self.state = State::default(),
                    State::Open { .. } | State::Probing { .. } => self.enter(State::default()),
                }
            }
            Outcome::Dropped if current => {
                if let State::Probing { why, .. } = self.state {
                    // The next call is the probe.
                    self.enter(State::Open { until: now, why });
                }
            }
            Outcome::Worked | Outcome::Failed { .. } | Outcome::Dropped => {}
        }
    }

    /// Nothing is held against it.
    fn is_calm(&self) -> bool {
        self.state == State::default() && self.opened == 0
    }

    fn failed(&mut self, current: bool, class: FailureClass, after: Option<i64>, now: Time) {
        let pause = self.pause(class, after);
        let opens = now.plus_ms(pause);
        match self.state {
            // Many calls that were on their way fail together. They only count if they say that it takes longer.
            State::Open { until, .. } if class == FailureClass::Rate && opens > until => {
                self.state = State::Open { until: opens, why: class };
            }
            State::Open { .. } => {}
            State::Closed { .. } | State::Probing { .. } if !current => {}
            State::Closed { failures } if counts(class) && failures + 1 < FAILURES => {
                self.state = State::Closed { failures: failures + 1 };
            }
            State::Closed { .. } | State::Probing { .. } => {
                self.opened = self.opened.saturating_add(1);
                self.enter(State::Open { until: opens, why: class });
            }
        }
    }

    /// How long it is left alone after this.
    fn pause(&self, class: FailureClass, after: Option<i64>) -> i64 {
        let doubled = FIRST_MS.saturating_mul(1 << self.opened.min(16)).min(LONGEST_MS);
        let asked = after.map(|ms| ms.clamp(SHORTEST_RETRY_MS, LONGEST_RETRY_MS));
        match class {
            FailureClass::Auth => AUTH_MS,
            FailureClass::Quota => QUOTA_MS,
            FailureClass::Rate => asked.unwrap_or(doubled),
            _ if counts(class) => asked.unwrap_or(0).max(doubled),
            // Never asked for: these concern the request alone.
            _ => 0,
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.round = self.round.wrapping_add(1);
    }
}

/// One of these may be chance.
const fn counts(class: FailureClass) -> bool {
    use FailureClass as F;
    match class {
        F::Overload | F::Transport | F::Timeout | F::Malformed | F::Incomplete => true,
        F::Auth
        | F::Quota
        | F::Rate
        | F::ContextTooLong
        | F::Refused
        | F::NoSuchModel
        | F::BadRequest => false,
    }
}

#[cfg(test)]
mod tests;
