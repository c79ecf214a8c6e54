//! Budgets, and what has gone of them. Holding and settling is in `ledger`, which alone writes what has gone.

use crate::{
    Error, Result, Store, Tx,
    db::{One, sql},
};
use mosaic_protocol::{
    BudgetId, Time,
    budget::{Budget, Period, Spent, Subject},
};
use sqlx::FromRow;

/// How many budgets there may be on a server.
pub const MAX: i64 = 10_000;

/// From what part on a budget warns, in percent.
const WARNS_AT: i64 = 80;

#[derive(FromRow)]
struct Row {
    id: String,
    subject_kind: String,
    subject: String,
    period: String,
    micros: Option<i64>,
    tokens: Option<i64>,
    spent_micros: Option<i64>,
    spent_tokens: Option<i64>,
    held_micros: Option<i64>,
    held_tokens: Option<i64>,
}

/// When the period that this moment lies in began.
pub fn began(period: Period, now: Time) -> Time {
    const DAY: i64 = 86_400_000;
    let midnight = now.0 - now.0.rem_euclid(DAY);
    match period {
        Period::Day => Time(midnight),
        Period::Month => {
            // `2026-11-21 …`: the day of the month is in the words.
            let text = now.utc();
            let day: i64 = text.get(8..10).and_then(|day| day.parse().ok()).unwrap_or(1);
            Time(midnight - (day - 1) * DAY)
        }
    }
}

/// The name of a period in the database.
pub(crate) const fn period_name(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Month => "month",
    }
}

impl Row {
    fn budget(self, now: Time) -> Result<Budget> {
        let damaged = || Error::Damaged("a budget".into());
        let period = match self.period.as_str() {
            "day" => Period::Day,
            "month" => Period::Month,
            _ => return Err(damaged()),
        };
        let spent = Spent {
            since: began(period, now),
            micros: self.spent_micros.unwrap_or(0),
            tokens: self.spent_tokens.unwrap_or(0),
            held_micros: self.held_micros.unwrap_or(0),
            held_tokens: self.held_tokens.unwrap_or(0),
        };
        let near = |gone: i64, limit: Option<i64>| {
            limit.is_some_and(|limit| gone.saturating_mul(100) >= limit.saturating_mul(WARNS_AT))
        };
        Ok(Budget {
            id: self.id.parse().map_err(|_| damaged())?,
            subject: Subject::of_columns(&self.subject_kind, &self.subject).ok_or_else(damaged)?,
            period,
            micros: self.micros,
            tokens: self.tokens,
            spent,
            warning: near(spent.micros, self.micros) || near(spent.tokens, self.tokens),
        })
    }
}

/// The budgets of a subject, with what has gone of them now.
pub async fn of(tx: &mut Tx, subject: &Subject, now: Time) -> Result<Vec<Budget>> {
    let (kind, id) = subject.columns();
    let rows = sql!(
        tx,
        all Row,
        "select b.id, b.subject_kind, b.subject, b.period, b.micros, b.tokens, s.micros as spent_micros,
         s.tokens as spent_tokens, s.held_micros, s.held_tokens
         from budgets b left join spent s on s.budget_id = b.id
         and s.period_start = case b.period when 'day' then $1 else $2 end
         where b.subject_kind = $3 and b.subject = $4 order by b.period",
        began(Period::Day, now),
        began(Period::Month, now),
        kind,
        id
    )?;
    rows.into_iter().map(|row| row.budget(now)).collect()
}

/// All budgets after `after`.
pub async fn all(tx: &mut Tx, after: &str, limit: i64, now: Time) -> Result<Vec<Budget>> {
    let rows = sql!(
        tx,
        all Row,
        "select b.id, b.subject_kind, b.subject, b.period, b.micros, b.tokens, s.micros as spent_micros,
         s.tokens as spent_tokens, s.held_micros, s.held_tokens
         from budgets b left join spent s on s.budget_id = b.id
         and s.period_start = case b.period when 'day' then $1 else $2 end
         where b.id > $3 order by b.id limit $4",
        began(Period::Day, now),
        began(Period::Month, now),
        after,
        limit
    )?;
    rows.into_iter().map(|row| row.budget(now)).collect()
}

/// Sets a budget, in place of the one for the same subject and period, of which what has gone stays. Answers its id.
pub async fn put(
    store: &Store,
    tx: &mut Tx,
    subject: &Subject,
    period: Period,
    micros: Option<i64>,
    tokens: Option<i64>,
) -> Result<BudgetId> {
    let (n,) = sql!(tx, one One<i64>, "select count(*) from budgets")?;
    if n >= MAX {
        return Err(Error::TooMany(MAX));
    }
    let (kind, id) = subject.columns();
    let (new, now) = (store.ambient().id(BudgetId::new), store.ambient().now());
    let (id,) = sql!(
        tx,
        one One<String>,
        "insert into budgets (id, subject_kind, subject, period, micros, tokens, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (subject_kind, subject, period) do update set micros = excluded.micros, tokens = excluded.tokens
         returning id",
        new,
        kind,
        id,
        period_name(period),
        micros,
        tokens,
        now
    )?;
    let id = id.parse().map_err(|_| Error::Damaged("a budget's id".into()))?;
    begin_period(tx, id, subject, began(period, now)).await?;
    Ok(id)
}

/// Makes the row of what has gone in a period, with what was spent in it already.
pub(crate) async fn begin_period(
    tx: &mut Tx,
    id: BudgetId,
    subject: &Subject,
    since: Time,
) -> Result<()> {
    let (kind, subject) = subject.columns();
    let text = "select budget_id from spent where budget_id = $1 and period_start = $2";
    if sql!(tx, maybe One<String>, text, id, since)?.is_some() {
        return Ok(());
    }
    sql!(
        tx,
        run,
        "insert into spent (budget_id, period_start, micros, tokens, held_micros, held_tokens)
         select b.id, $2, coalesce(u.micros, 0), coalesce(u.tokens, 0), 0, 0 from budgets b left join (
         select cast(sum(coalesce(micros, 0)) as bigint) as micros,
         cast(sum(input + cache_read + cache_write + cache_write_hour + output) as bigint) as tokens
         from calls where at >= $3 and state <> 'running' and case $4 when 'user' then user_id = $5
         when 'workspace' then workspace_id = $6 when 'agent' then agent = $7 else 1 = 1 end
         ) u on 1 = 1 where b.id = $1
         on conflict (budget_id, period_start) do nothing",
        id,
        since,
        since,
        kind,
        subject,
        subject,
        subject
    )
    .map(drop)
}

/// One budget.
pub async fn get(tx: &mut Tx, id: BudgetId, now: Time) -> Result<Option<Budget>> {
    let row = sql!(
        tx,
        maybe Row,
        "select b.id, b.subject_kind, b.subject, b.period, b.micros, b.tokens, s.micros as spent_micros,
         s.tokens as spent_tokens, s.held_micros, s.held_tokens
         from budgets b left join spent s on s.budget_id = b.id
         and s.period_start = case b.period when 'day' then $1 else $2 end
         where b.id = $3",
        began(Period::Day, now),
        began(Period::Month, now),
        id
    )?;
    row.map(|row| row.budget(now)).transpose()
}

/// Deletes a budget. False if there is none.
pub async fn delete(tx: &mut Tx, id: BudgetId) -> Result<bool> {
    Ok(sql!(tx, run, "delete from budgets where id = $1", id)? == 1)
}

/// Deletes the budgets of workspaces that are no longer there.
pub(crate) async fn workspaces_gone(tx: &mut Tx) -> Result<()> {
    let text = "delete from budgets where subject_kind = 'workspace' and subject not in (select id from workspaces)";
    sql!(tx, run, text).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_at_midnight_and_on_the_first() {
        // 2027-01-15 08:00:00 and the last moment of February in a leap year.
        for (now, day, month) in [
            (1_800_000_000_000, 1_799_971_200_000, 1_798_761_600_000),
            (1_709_251_199_999, 1_709_164_800_000, 1_706_745_600_000),
        ] {
            assert_eq!(began(Period::Day, Time(now)), Time(day));
            assert_eq!(began(Period::Month, Time(now)), Time(month));
        }
    }
}
