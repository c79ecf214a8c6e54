//! Budgets, and what was used: set by those who answer for it, seen by those whom it concerns.

use crate::{Error, Gateway, Result, check, pages, workspaces::check_workspace};
use mosaic_protocol::{
    BudgetId, Time, UserId,
    access::{Action, Actor, Denial, Object},
    audit::{Deed, Of},
    budget::{
        Budget, BudgetRequest, Period, PersonUsageQuery, Subject, UsageQuery, UsageReport, UsageRow,
    },
    page::{Page, PageQuery},
    usage::Usage,
};
use mosaic_store::{
    Tx, audit, budgets,
    usage::{self, Whose},
    users, workspaces,
};

/// How many days a report covers at most.
const MAX_DAYS: i64 = 366;

const DAY_MS: i64 = 86_400_000;

/// From the first of March of the year 0.
const DAYS_TO_1970: i64 = 719_468;

impl Gateway {
    /// The budgets that bind oneself: one's own, one's workspaces', the server's.
    pub async fn list_budgets(&self, actor: &Actor) -> Result<Page<Budget>> {
        let now = self.inner.store.ambient().now();
        let mut tx = self.inner.store.read().await?;
        let mut all = vec![];
        if let Actor::User(person) = actor {
            check(actor, Action::SeeOwn, Object::Own { owner: person.id })?;
            all.extend(budgets::of(&mut tx, &Subject::User(person.id), now).await?);
            for workspace in workspaces::of(&mut tx, person.id).await? {
                all.extend(budgets::of(&mut tx, &Subject::Workspace(workspace.id), now).await?);
            }
        }
        all.extend(budgets::of(&mut tx, &Subject::Server, now).await?);
        Ok(Page::whole(all))
    }

    /// All budgets of this server.
    pub async fn list_all_budgets(&self, actor: &Actor, query: &PageQuery) -> Result<Page<Budget>> {
        check(actor, Action::Administer, Object::Server)?;
        let limit = pages::page_size(query)?;
        let now = self.inner.store.ambient().now();
        let mut tx = self.inner.store.read().await?;
        let after = query.after.as_deref().unwrap_or_default();
        let items = budgets::all(&mut tx, after, limit + 1, now).await?;
        Ok(pages::page(items, limit, |budget| budget.id.to_string()))
    }

    /// Whether somebody may set a budget: an admin any, the owner of a workspace that of the workspace.
    async fn check_budget(&self, tx: &mut Tx, actor: &Actor, subject: &Subject) -> Result<()> {
        match subject {
            Subject::Workspace(id) => {
                if check(actor, Action::Administer, Object::Server).is_ok() {
                    return Ok(());
                }
                check_workspace(tx, actor, Action::ChangeRouting, *id).await
            }
            Subject::User(_) | Subject::Agent(_) | Subject::Server => {
                check(actor, Action::Administer, Object::Server)
            }
        }
    }

    /// Sets a budget.
    pub async fn put_budget(&self, actor: &Actor, request: &BudgetRequest) -> Result<Budget> {
        let negative = |limit: Option<i64>| limit.is_some_and(|limit| limit < 0);
        if negative(request.micros) || negative(request.tokens) {
            return Err(Error::Invalid("a budget is not negative".into()));
        }
        if request.micros.is_none() && request.tokens.is_none() {
            return Err(Error::Invalid("a budget bounds `micros`, `tokens`, or both".into()));
        }
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        self.check_budget(&mut tx, actor, &request.subject).await?;
        match &request.subject {
            Subject::User(id) => {
                users::get(&mut tx, *id).await?.ok_or(Error::NotFound)?;
            }
            Subject::Workspace(id) => {
                workspaces::get(&mut tx, *id).await?.ok_or(Error::NotFound)?;
            }
            Subject::Agent(_) => {
                return Err(Error::Invalid(
                    "there are no agents yet that could have a budget".into(),
                ));
            }
            Subject::Server => {}
        }
        let BudgetRequest { subject, period, micros, tokens } = request;
        let id = budgets::put(store, &mut tx, subject, *period, *micros, *tokens).await?;
        let budget = budgets::get(&mut tx, id, store.ambient().now()).await?;
        self.note(&mut tx, Some(actor), Deed::PutBudget, Of::Budget(id), "").await?;
        tx.commit().await?;
        self.inner.reachables.forget();
        budget.ok_or(Error::NotFound)
    }

    /// Takes a budget away.
    pub async fn delete_budget(&self, actor: &Actor, id: BudgetId) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let now = store.ambient().now();
        let budget = budgets::get(&mut tx, id, now).await?.ok_or(Error::NotFound)?;
        // Of a budget that does not bind them, others do not even learn that it is there.
        let may = self.check_budget(&mut tx, actor, &budget.subject).await;
        let binds = match (actor, &budget.subject) {
            (Actor::User(person), Subject::User(id)) => person.id == *id,
            (Actor::User(_), Subject::Agent(_)) => false,
            (Actor::User(_), Subject::Workspace(_) | Subject::Server) | (Actor::System, _) => true,
        };
        match may {
            Err(Error::Denied(Denial::Forbidden)) if !binds => return Err(Error::NotFound),
            may => may?,
        }
        budgets::delete(&mut tx, id).await?;
        self.note(&mut tx, Some(actor), Deed::DeleteBudget, Of::Budget(id), "").await?;
        tx.commit().await?;
        self.inner.reachables.forget();
        Ok(())
    }

    /// What was used.
    pub async fn usage(&self, actor: &Actor, query: &UsageQuery) -> Result<UsageReport> {
        let mut tx = self.inner.store.read().await?;
        let whose = match (query.everybody, query.workspace_id) {
            (true, _) => {
                check(actor, Action::Administer, Object::Server)?;
                Whose::Everybody
            }
            (false, Some(id)) => {
                check_workspace(&mut tx, actor, Action::ChangeRouting, id).await?;
                Whose::Workspace(id)
            }
            (false, None) => match actor {
                Actor::System => Whose::Everybody,
                Actor::User(person) => {
                    check(actor, Action::SeeOwn, Object::Own { owner: person.id })?;
                    Whose::User(person.id)
                }
            },
        };
        drop(tx);
        let UsageQuery { by, from, to, .. } = query.clone();
        self.report(whose, &PersonUsageQuery { by, from, to }).await
    }

    /// What somebody used, for the command line.
    pub async fn usage_of(
        &self,
        actor: &Actor,
        user_id: UserId,
        query: &PersonUsageQuery,
    ) -> Result<UsageReport> {
        check(actor, Action::Operate, Object::Server)?;
        let mut tx = self.inner.store.read().await?;
        users::get(&mut tx, user_id).await?.ok_or(Error::NotFound)?;
        drop(tx);
        self.report(Whose::User(user_id), query).await
    }

    async fn report(&self, whose: Whose, query: &PersonUsageQuery) -> Result<UsageReport> {
        let now = self.inner.store.ambient().now();
        let today = now.0 - now.0.rem_euclid(DAY_MS);
        let day = |text: &Option<String>, what: &str, usual: i64| match text {
            None => Ok(usual),
            Some(text) => parse_day(text)
                .ok_or_else(|| Error::Invalid(format!("`{what}` is a day such as 2026-11-21"))),
        };
        let from = day(&query.from, "from", today - 30 * DAY_MS)?;
        let to = day(&query.to, "to", today)?.saturating_add(DAY_MS);
        if from >= to || to - from > MAX_DAYS * DAY_MS {
            return Err(Error::Invalid(format!(
                "`from` is before `to`, and there are at most {MAX_DAYS} days between them"
            )));
        }
        // What was used just now is part of it.
        self.inner.ledger.flush().await;
        let mut tx = self.inner.store.read().await?;
        let rows = usage::report(&mut tx, whose, query.by, Time(from), Time(to)).await?;
        let total = rows.iter().fold(empty(), add);
        Ok(UsageReport { by: query.by, rows, total })
    }
}

fn empty() -> UsageRow {
    UsageRow {
        key: String::new(),
        calls: 0,
        failed: 0,
        usage: Usage::default(),
        micros: 0,
        unpriced: 0,
        estimated: 0,
    }
}

fn add(sum: UsageRow, row: &UsageRow) -> UsageRow {
    let (a, b) = (sum.usage, row.usage);
    UsageRow {
        key: sum.key,
        calls: sum.calls + row.calls,
        failed: sum.failed + row.failed,
        usage: a.plus(b),
        micros: sum.micros + row.micros,
        unpriced: sum.unpriced + row.unpriced,
        estimated: sum.estimated + row.estimated,
    }
}

/// Midnight of a day, such as `2026-11-21`.
fn parse_day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part)?.parse::<i64>().ok()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    if parts.next().is_some() || !(1970..=9999).contains(&year) {
        return None;
    }
    // Years begin in March here, so that the day that some lack is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let ms = (days - DAYS_TO_1970) * DAY_MS;
    // A day that there is not would come out as another one.
    (Time(ms).utc().get(..10) == Some(text)).then_some(ms)
}

/// When the period after this moment's begins.
pub(crate) fn next_period(period: Period, now: Time) -> Time {
    match period {
        Period::Day => budgets::began(Period::Day, now).plus_days(1),
        // Thirty-two days after the first is in the next month, whichever it is.
        Period::Month => {
            budgets::began(Period::Month, budgets::began(Period::Month, now).plus_days(32))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_shown() {
        for day in
            ["1970-01-01", "2000-02-29", "2026-11-21", "2026-12-31", "2100-03-01", "9999-12-31"]
        {
            let ms = parse_day(day).expect(day);
            assert_eq!(Time(ms).utc().get(..10), Some(day));
        }
        for no in [
            "",
            "2026-02-30",
            "2026-13-01",
            "26-01-01",
            "2026-1-1",
            "2026-01-01-",
            "x",
            "2026-01-+1",
        ] {
            assert_eq!(parse_day(no), None, "{no}");
        }
    }

    #[test]
    fn the_next_period_begins_when_this_one_ends() {
        let now = Time(parse_day("2028-02-29").unwrap() + 5);
        assert_eq!(next_period(Period::Day, now).utc().get(..10), Some("2028-03-01"));
        assert_eq!(next_period(Period::Month, now).utc().get(..10), Some("2028-03-01"));
        let now = Time(parse_day("2026-12-31").unwrap());
        assert_eq!(next_period(Period::Month, now).utc().get(..10), Some("2027-01-01"));
    }
}
