//! What budgets leave to a call, and what is said where they leave too little.

use crate::{Error, budgets::next_period, reachable::Reachable};
use mosaic_protocol::{
    Time,
    budget::{Budget, Period},
};
use mosaic_store::ledger::Over;
use std::time::Duration;

impl Reachable {
    /// How much of the tightest budget is left, in percent.
    pub(crate) fn budget_left(&self) -> u32 {
        let left = |limit: Option<i64>, gone: i64| {
            let limit = limit.filter(|limit| *limit > 0)?;
            let left = limit.saturating_sub(gone).max(0).saturating_mul(100) / limit;
            u32::try_from(left).ok()
        };
        let all = self.budgets.iter().flat_map(|budget| {
            let spent = &budget.spent;
            [
                left(budget.micros, spent.micros + spent.held_micros),
                left(budget.tokens, spent.tokens + spent.held_tokens),
            ]
        });
        all.flatten().min().unwrap_or(100)
    }

    /// How many micro-dollars may still be spent, if anybody set a bound.
    pub(crate) fn money_left(&self) -> Option<u64> {
        let left = |budget: &Budget| {
            let gone = budget.spent.micros + budget.spent.held_micros;
            budget.micros.map(|limit| u64::try_from(limit.saturating_sub(gone)).unwrap_or(0))
        };
        self.budgets.iter().filter_map(left).min()
    }

    /// Whether its budgets are those of the day and month that it is now.
    pub(crate) fn is_of_this_period(&self, now: Time) -> bool {
        self.budgets.iter().all(|it| mosaic_store::budgets::began(it.period, now) == it.spent.since)
    }

    /// What is said where a budget does not allow a call.
    pub(crate) fn over(&self, over: &Over, now: Time) -> Error {
        let budget = self.budgets.iter().find(|budget| budget.id == over.budget);
        let Some(budget) = budget else {
            let said = "a budget does not allow this call".to_owned();
            return Error::OverBudget { said, retry_after: Duration::ZERO };
        };
        let left = match (over.left_micros, over.left_tokens) {
            (Some(micros), _) => format!("${}.{:04}", micros / 1_000_000, micros % 1_000_000 / 100),
            (None, tokens) => format!("{} tokens", tokens.unwrap_or(0)),
        };
        let next = next_period(budget.period, now).0.saturating_sub(now.0);
        Error::OverBudget {
            said: format!("the {} does not allow this call: {left} is left", told(budget)),
            retry_after: Duration::from_millis(u64::try_from(next).unwrap_or(0)),
        }
    }

    /// What whoever calls should know.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warned = self.budgets.iter().filter(|budget| budget.warning);
        warned.map(|budget| format!("more than 80 % of the {} is used up", told(budget))).collect()
    }
}

/// A budget in words.
fn told(budget: &Budget) -> String {
    let (kind, _) = budget.subject.columns();
    let period = match budget.period {
        Period::Day => "daily",
        Period::Month => "monthly",
    };
    format!("{period} budget of this {kind}")
}
