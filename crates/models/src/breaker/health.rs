//! How a provider does, from what was seen of it. Pure. It is up only after it answered: neither a saved key nor an open
//! port proves that.

use crate::Error;
use mosaic_protocol::{
    Time,
    provider::{FailureClass, HealthState, LastError, ProviderHealth, RateLimit},
};

/// How long a limit lasts that does not say so.
const LIMITED_MS: i64 = 60_000;

/// No limit is shown for longer than that.
const LONGEST_LIMIT_MS: i64 = 24 * 60 * 60_000;

/// What was seen of a call or probe.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// How it failed; `None`: it came to its proper end.
    pub error: Option<&'a Error>,
    /// How long it took to answer.
    pub latency_ms: u64,
    /// What it said of its limits.
    pub rate_limit: Option<RateLimit>,
}

/// How a provider does after this.
#[must_use]
pub fn health_seen(before: ProviderHealth, seen: Seen<'_>, now: Time) -> ProviderHealth {
    let rate_limit = seen.rate_limit.or(before.rate_limit);
    let before = ProviderHealth { tried_at: Some(now), rate_limit, ..before };
    let bounded = |until: Time| until.min(now.plus_ms(LONGEST_LIMIT_MS));
    let Some(error) = seen.error else {
        // It answered with the last that there was: the next call would be too many.
        let reset = seen.rate_limit.filter(|limit| limit.remaining == 0);
        let until = reset.and_then(|limit| limit.reset_at).filter(|reset| now < *reset);
        return ProviderHealth {
            state: if until.is_some() { HealthState::Limited } else { HealthState::Up },
            worked_at: Some(now),
            latency_ms: Some(seen.latency_ms),
            limited_until: until.map(bounded),
            ..before
        };
    };
    let message = error.message.clone();
    let last_error = Some(LastError { class: error.class, message, at: now });
    let after = |state, limited_until| ProviderHealth {
        state,
        limited_until,
        last_error: last_error.clone(),
        ..before.clone()
    };
    use FailureClass as F;
    match error.class {
        F::Rate | F::Quota => {
            let asked = error.retry_after.and_then(|after| i64::try_from(after.as_millis()).ok());
            let until = now.plus_ms(asked.unwrap_or(LIMITED_MS));
            after(HealthState::Limited, Some(bounded(until)))
        }
        F::Auth | F::Overload | F::Transport | F::Timeout | F::Malformed | F::Incomplete => {
            after(HealthState::Down, None)
        }
        // Something answered, which was the request's fault and proves neither.
        F::ContextTooLong | F::Refused | F::NoSuchModel | F::BadRequest => {
            after(before.state, before.limited_until)
        }
    }
}

/// How a provider does, seen from now: a limit that is over says nothing any more.
#[must_use]
pub fn health_at(health: ProviderHealth, now: Time) -> ProviderHealth {
    let over = |until: Time| until <= now;
    if health.state == HealthState::Limited && health.limited_until.is_none_or(over) {
        return ProviderHealth { state: HealthState::Unknown, limited_until: None, ..health };
    }
    health
}
