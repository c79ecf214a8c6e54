//! What is broken, and when: chosen from the seed, before the round begins.

use crate::chance::Chance;
use std::{fmt, time::Duration};

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The process is killed.
    Kill,
    /// The process stands still for a while.
    Freeze,
    /// There is no room on the disk for a while.
    FullDisk,
    /// The n-th write, sync or new name fails.
    WriteError,
    /// Connections to the database break, again and again.
    Cut,
}

impl Kind {
    /// Whether there can be such a fault there.
    pub(crate) fn fits(self, is_postgres: bool) -> bool {
        match self {
            Kind::Kill | Kind::Freeze => true,
            Kind::FullDisk | Kind::WriteError => !is_postgres,
            Kind::Cut => is_postgres,
        }
    }

    pub(crate) const ALL: [Kind; 5] =
        [Kind::Kill, Kind::Freeze, Kind::FullDisk, Kind::WriteError, Kind::Cut];
}

/// What happens, with its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Kill,
    Freeze { time: Duration, then_kill: bool },
    FullDisk { time: Duration, then_kill: bool },
    WriteError { at_call: u64, errno: &'static str, once: bool, then_kill: bool },
    Cut { times: u64, gap: Duration, down: Duration },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |then_kill: &bool| if *then_kill { ", then killed" } else { "" };
        match self {
            Fault::Kill => write!(f, "killed"),
            Fault::Freeze { time, then_kill } => {
                write!(f, "frozen for {} ms{}", time.as_millis(), end(then_kill))
            }
            Fault::FullDisk { time, then_kill } => {
                write!(f, "full disk for {} ms{}", time.as_millis(), end(then_kill))
            }
            Fault::WriteError { at_call, errno, once, then_kill } => {
                let how = if *once { "once" } else { "from then on" };
                write!(f, "{errno} at call {at_call}, {how}{}", end(then_kill))
            }
            Fault::Cut { times, gap, down } => write!(
                f,
                "database connections cut {times} times, {} ms apart, {} ms down",
                gap.as_millis(),
                down.as_millis()
            ),
        }
    }
}

/// What a round is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) fault: Fault,
    /// Which gateway it happens to.
    pub(crate) node: usize,
    /// After so many acknowledgements.
    pub(crate) after: u64,
    /// So many more must come before writers stop.
    pub(crate) then: u64,
    /// The gateways are not stopped after it, if they still run.
    pub(crate) runs_on: bool,
}

impl Plan {
    /// The `n`th round. Kinds take turns, so that a few rounds have all of them.
    pub(crate) fn of(chance: &mut Chance, kinds: &[Kind], nodes: usize, n: u64) -> Plan {
        let kind = kinds.iter().cycle().nth(usize::try_from(n % 60).unwrap_or(0));
        let kind = kind.copied().unwrap_or(Kind::Kill);
        let time =
            |chance: &mut Chance, least, most| Duration::from_millis(chance.among(least, most));
        let fault = match kind {
            Kind::Kill => Fault::Kill,
            Kind::Freeze => {
                // Sometimes longer than PostgreSQL lets a transaction stand idle.
                let most = if chance.percent(20) { 4500 } else { 1200 };
                Fault::Freeze { time: time(chance, 100, most), then_kill: chance.percent(40) }
            }
            Kind::FullDisk => {
                Fault::FullDisk { time: time(chance, 100, 1000), then_kill: chance.percent(40) }
            }
            Kind::WriteError => Fault::WriteError {
                at_call: chance.among(100, 2500),
                errno: if chance.percent(50) { "EIO" } else { "ENOSPC" },
                once: chance.percent(50),
                then_kill: chance.percent(60),
            },
            Kind::Cut => Fault::Cut {
                times: chance.among(1, 8),
                gap: time(chance, 20, 300),
                down: if chance.percent(50) { Duration::ZERO } else { time(chance, 50, 900) },
            },
        };
        let node = usize::try_from(chance.among(0, nodes as u64)).unwrap_or(0);
        let (after, then) = (chance.among(10, 300), chance.among(20, 120));
        Plan { kind, fault, node, after, then, runs_on: chance.percent(25) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_plans_the_same_again_and_kinds_take_turns() {
        let plan = |n| Plan::of(&mut Chance::of(5, &[n]), &Kind::ALL, 3, n);
        assert_eq!((0..50).map(plan).collect::<Vec<_>>(), (0..50).map(plan).collect::<Vec<_>>());
        for kind in Kind::ALL {
            assert!((10..15).any(|n| plan(n).kind == kind), "{kind:?}");
        }
        assert!((0..50).any(|n| plan(n).node == 2) && (0..50).all(|n| plan(n).node < 3));
    }
}
