//! When a breaker opens, for how long, who may probe; and how a provider is shown.

use super::*;
use mosaic_protocol::provider::{HealthState, Limits, ProviderHealth, RateLimit};
use proptest::prelude::*;
use std::time::Duration;

const NOW: Time = Time(1_800_000_000_000);

fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed { class, retry_after_ms: None }
}

fn ticket(allow: Allow) -> Ticket {
    match allow {
        Allow::Yes(ticket) | Allow::Probe(ticket) => ticket,
        Allow::No { until, why } => panic!("not allowed until {} because of {why}", until.0),
    }
}

/// A call that ends at once.
fn call(breaker: &mut Breaker, outcome: Outcome, now: Time) {
    let ticket = ticket(breaker.allows(now));
    breaker.settle(ticket, outcome, now);
}

/// How long nothing is allowed from now.
fn closed_for(breaker: &Breaker, now: Time) -> Option<i64> {
    match breaker.looks(now) {
        Allow::No { until, .. } => Some(until.0 - now.0),
        Allow::Yes(_) | Allow::Probe(_) => None,
    }
}

#[test]
fn each_class_opens_it_when_and_as_long_as_it_should() {
    use FailureClass as F;
    let after = |class, ms| Outcome::Failed { class, retry_after_ms: Some(ms) };
    for (outcome, times, pause) in [
        (failed(F::Auth), 1, Some(600_000)),
        (failed(F::Quota), 1, Some(1_800_000)),
        (failed(F::Rate), 1, Some(5_000)),
        (after(F::Rate, 7_000), 1, Some(7_000)),
        (after(F::Rate, 0), 1, Some(1_000)),
        (after(F::Rate, i64::MAX), 1, Some(3_600_000)),
        (failed(F::Overload), 2, None),
        (failed(F::Overload), 3, Some(5_000)),
        (after(F::Overload, 20_000), 3, Some(20_000)),
        (failed(F::Transport), 2, None),
        (failed(F::Transport), 3, Some(5_000)),
        (failed(F::Timeout), 3, Some(5_000)),
        (failed(F::Malformed), 3, Some(5_000)),
        (failed(F::Incomplete), 3, Some(5_000)),
        (failed(F::ContextTooLong), 9, None),
        (failed(F::Refused), 9, None),
        (failed(F::NoSuchModel), 9, None),
        (failed(F::BadRequest), 9, None),
        (Outcome::Worked, 9, None),
        (Outcome::Dropped, 9, None),
    ] {
        let mut breaker = Breaker::default();
        (0..times).for_each(|_| call(&mut breaker, outcome, NOW));
        assert_eq!(closed_for(&breaker, NOW), pause, "{outcome:?}");
    }
}

#[test]
fn only_failures_in_a_row_count() {
    let mut breaker = Breaker::default();
    for between in [Outcome::Worked, failed(FailureClass::Refused)] {
        for _ in 0..10 {
            call(&mut breaker, failed(FailureClass::Timeout), NOW);
            call(&mut breaker, failed(FailureClass::Transport), NOW);
            call(&mut breaker, between, NOW);
        }
    }
    assert_eq!(closed_for(&breaker, NOW), None);
}

#[test]
fn one_probe_goes_through_and_decides() {
    let mut breaker = Breaker::default();
    call(&mut breaker, failed(FailureClass::Auth), NOW);
    let later = NOW.plus_ms(600_000);
    assert!(matches!(breaker.allows(later.plus_ms(-1)), Allow::No { .. }));
    let Allow::Probe(probe) = breaker.allows(later) else { panic!() };
    let why = FailureClass::Auth;
    assert_eq!(breaker.allows(later), Allow::No { until: later.plus_ms(PROBE_MS), why });
    breaker.settle(probe, Outcome::Worked, later);
    assert!(matches!(breaker.allows(later), Allow::Yes(_)));
    assert!(matches!(breaker.allows(later), Allow::Yes(_)));
}

#[test]
fn pauses_double_up_to_their_bound_and_begin_again_when_it_worked() {
    let mut breaker = Breaker::default();
    let mut now = NOW;
    let mut pauses = vec![];
    (0..2).for_each(|_| call(&mut breaker, failed(FailureClass::Transport), now));
    for _ in 0..9 {
        call(&mut breaker, failed(FailureClass::Transport), now);
        let pause = closed_for(&breaker, now).unwrap();
        pauses.push(pause / 1000);
        now = now.plus_ms(pause);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    call(&mut breaker, Outcome::Worked, now);
    (0..3).for_each(|_| call(&mut breaker, failed(FailureClass::Transport), now));
    assert_eq!(closed_for(&breaker, now), Some(5_000));
}

#[test]
fn a_dropped_or_lost_probe_makes_room_for_the_next() {
    let mut breaker = Breaker::default();
    call(&mut breaker, failed(FailureClass::Rate), NOW);
    let later = NOW.plus_ms(5_000);
    call(&mut breaker, Outcome::Dropped, later);
    let Allow::Probe(lost) = breaker.allows(later) else { panic!() };
    assert_eq!(closed_for(&breaker, later), Some(PROBE_MS));
    let much_later = later.plus_ms(PROBE_MS);
    let Allow::Probe(next) = breaker.allows(much_later) else { panic!() };
    // What was lost turns up after all, and says nothing about now.
    breaker.settle(lost, Outcome::Worked, much_later);
    assert!(matches!(breaker.allows(much_later), Allow::No { .. }));
    breaker.settle(next, Outcome::Worked, much_later);
    assert!(matches!(breaker.allows(much_later), Allow::Yes(_)));
}

#[test]
fn calls_that_were_on_their_way_count_once() {
    let mut breaker = Breaker::default();
    let tickets: Vec<_> = (0..50).map(|_| ticket(breaker.allows(NOW))).collect();
    for ticket in &tickets[..40] {
        breaker.settle(*ticket, failed(FailureClass::Transport), NOW);
    }
    assert_eq!(closed_for(&breaker, NOW), Some(5_000));
    // One that ends well does not open the door for everybody; one that was told to wait longer is heard.
    breaker.settle(tickets[40], Outcome::Worked, NOW);
    assert_eq!(closed_for(&breaker, NOW), Some(5_000));
    let wait = Outcome::Failed { class: FailureClass::Rate, retry_after_ms: Some(60_000) };
    breaker.settle(tickets[41], wait, NOW);
    assert_eq!(closed_for(&breaker, NOW), Some(60_000));
    let Allow::Probe(probe) = breaker.allows(NOW.plus_ms(60_000)) else { panic!() };
    breaker.settle(tickets[42], failed(FailureClass::Auth), NOW.plus_ms(60_000));
    breaker.settle(probe, Outcome::Worked, NOW.plus_ms(60_000));
    assert_eq!(closed_for(&breaker, NOW.plus_ms(60_000)), None);
}

#[test]
fn an_error_says_how_a_call_went() {
    let mut error = Error::new(FailureClass::Rate, "x");
    error.retry_after = Some(Duration::from_secs(2));
    let expected = Outcome::Failed { class: FailureClass::Rate, retry_after_ms: Some(2_000) };
    assert_eq!(Outcome::from(&error), expected);
    error.retry_after = Some(Duration::MAX);
    let Outcome::Failed { retry_after_ms, .. } = Outcome::from(&error) else { panic!() };
    assert_eq!(retry_after_ms, Some(i64::MAX));
}

/// What may happen next.
#[derive(Debug, Clone)]
enum Move {
    Ask,
    /// One of the calls that are on their way ends.
    Settle(usize, Outcome),
    Wait(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let classes = prop::sample::select(FailureClass::ALL.to_vec());
    let outcome = prop_oneof![
        2 => Just(Outcome::Worked),
        1 => Just(Outcome::Dropped),
        6 => (classes, prop::option::of(-10i64..10_000_000)).prop_map(|(class, retry_after_ms)| {
            Outcome::Failed { class, retry_after_ms }
        }),
    ];
    // No call takes longer than a probe may: whoever drives this sees to that.
    let some = prop_oneof![
        4 => Just(Move::Ask),
        4 => (any::<usize>(), outcome).prop_map(|(at, outcome)| Move::Settle(at, outcome)),
        1 => (0i64..1_000_000).prop_map(Move::Wait),
    ];
    prop::collection::vec(some, 0..200)
}

proptest! {
    #[test]
    fn never_two_probes_and_never_longer_than_the_bound(moves in moves()) {
        let mut breaker = Breaker::default();
        let (mut now, mut away) = (NOW, Vec::<(Ticket, bool, Time)>::new());
        for next in moves {
            match next {
                Move::Ask => match breaker.allows(now) {
                    Allow::Yes(ticket) => away.push((ticket, false, now)),
                    Allow::Probe(ticket) => {
                        let fresh = |(_, probe, since): &&(Ticket, bool, Time)| {
                            *probe && now.0 - since.0 < PROBE_MS
                        };
                        prop_assert_eq!(away.iter().filter(fresh).count(), 0);
                        away.push((ticket, true, now));
                    }
                    Allow::No { until, .. } => {
                        prop_assert!(until > now);
                        prop_assert!(until.0 - now.0 <= LONGEST_RETRY_MS);
                    }
                },
                Move::Settle(at, outcome) if !away.is_empty() => {
                    let (ticket, ..) = away.swap_remove(at % away.len());
                    breaker.settle(ticket, outcome, now);
                }
                Move::Settle(..) => {}
                Move::Wait(ms) => now = now.plus_ms(ms),
            }
        }
        // Whatever happened, it can be asked again, and heals with one answer.
        let later = now.plus_ms(LONGEST_RETRY_MS);
        let ticket = ticket(breaker.allows(later));
        breaker.settle(ticket, Outcome::Worked, later);
        prop_assert!(matches!(breaker.allows(later), Allow::Yes(_)));
    }

    #[test]
    fn a_storm_of_rate_limits_costs_one_call_a_window(
        window in 1_000i64..100_000, asks in prop::collection::vec(0i64..5_000, 1..300),
    ) {
        let mut breaker = Breaker::default();
        let (mut now, mut calls) = (NOW, 0);
        for pause in asks {
            now = now.plus_ms(pause);
            if let Allow::Yes(ticket) | Allow::Probe(ticket) = breaker.allows(now) {
                calls += 1;
                let again = Some(window);
                let outcome = Outcome::Failed { class: FailureClass::Rate, retry_after_ms: again };
                breaker.settle(ticket, outcome, now);
            }
        }
        prop_assert!(calls <= 1 + (now.0 - NOW.0) / window);
    }
}

#[test]
fn a_provider_is_up_only_after_it_answered() {
    use FailureClass as F;
    use HealthState::{Down, Limited, Unknown, Up};
    let worked = Seen { error: None, latency_ms: 120, rate_limit: None };
    let up = health_seen(ProviderHealth::default(), worked, NOW);
    assert_eq!((up.state, up.worked_at, up.latency_ms), (Up, Some(NOW), Some(120)));
    for (class, from_unknown, from_up) in [
        (F::Auth, Down, Down),
        (F::Quota, Limited, Limited),
        (F::Rate, Limited, Limited),
        (F::Overload, Down, Down),
        (F::ContextTooLong, Unknown, Up),
        (F::Refused, Unknown, Up),
        (F::NoSuchModel, Unknown, Up),
        (F::BadRequest, Unknown, Up),
        (F::Transport, Down, Down),
        (F::Timeout, Down, Down),
        (F::Malformed, Down, Down),
        (F::Incomplete, Down, Down),
    ] {
        let error = Error::new(class, "so it was");
        let seen = Seen { error: Some(&error), latency_ms: 5, rate_limit: None };
        let first = health_seen(ProviderHealth::default(), seen, NOW);
        assert_eq!((first.state, first.worked_at, first.latency_ms), (from_unknown, None, None));
        let later = NOW.plus_ms(9);
        let then = health_seen(up.clone(), seen, later);
        assert_eq!((then.state, then.worked_at, then.latency_ms), (from_up, Some(NOW), Some(120)));
        let last = then.last_error.clone().unwrap();
        assert_eq!((last.class, last.message.as_str(), last.at), (class, "so it was", later));
        // It works again; how it failed is still told.
        let again = health_seen(then, worked, later);
        assert_eq!((again.state, again.limited_until), (Up, None));
        assert!(again.last_error.is_some());
    }
}

#[test]
fn a_limit_lasts_as_long_as_it_says_and_then_nothing_is_known() {
    let mut error = Error::new(FailureClass::Rate, "slow down");
    for (after, until_ms) in [
        (None, 60_000),
        (Some(Duration::from_secs(7)), 7_000),
        (Some(Duration::from_secs(1 << 40)), 86_400_000),
    ] {
        error.retry_after = after;
        let seen = Seen { error: Some(&error), latency_ms: 5, rate_limit: None };
        let health = health_seen(ProviderHealth::default(), seen, NOW);
        let until = NOW.plus_ms(until_ms);
        assert_eq!((health.state, health.limited_until), (HealthState::Limited, Some(until)));
        let before = health_at(health.clone(), until.plus_ms(-1));
        assert_eq!(before, health);
        let after = health_at(health, until);
        assert_eq!((after.state, after.limited_until), (HealthState::Unknown, None));
    }

    let last = |remaining, reset_at| {
        let limit = RateLimit { of: Limits::Requests, limit: 10, remaining, reset_at };
        let seen = Seen { error: None, latency_ms: 5, rate_limit: Some(limit) };
        health_seen(ProviderHealth::default(), seen, NOW)
    };
    let soon = Some(NOW.plus_ms(500));
    assert_eq!(last(0, soon).state, HealthState::Limited);
    assert_eq!(last(1, soon).state, HealthState::Up);
    assert_eq!(last(0, None).state, HealthState::Up);
    assert_eq!(last(0, Some(NOW)).state, HealthState::Up);
    assert_eq!(last(1, soon).rate_limit.unwrap().remaining, 1);
}
