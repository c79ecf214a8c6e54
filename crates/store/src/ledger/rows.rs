//! What a batch of the ledger writes: one transaction.

use super::{Call, Hold, Over, State};
use crate::{
    Result, Store, Tx, budgets,
    db::{One, sql},
    many::Bound,
};
use mosaic_protocol::{BudgetId, CallId, Time, usage::PriceSource};
use std::collections::HashMap;

type Decided = std::result::Result<(), Over>;

/// Writes calls, and holds what others may cost. Answers for each of those whether it may be made.
pub(super) async fn write(
    store: &Store,
    written: &[Box<Call>],
    held: &[Box<Call>],
) -> Result<Vec<Decided>> {
    let mut tx = store.write().await?;
    lock(&mut tx, written, held).await?;
    // What is known last of each call; a call that began and ended in one batch is one row.
    let mut last: HashMap<CallId, &Call> = HashMap::with_capacity(written.len());
    let mut order = Vec::with_capacity(written.len());
    for call in written {
        if last.insert(call.id, call).is_none() {
            order.push(call.id);
        }
    }
    let known = || order.iter().filter_map(|id| last.get(id));
    for call in known().filter(|call| call.state != State::Running && !call.holds.is_empty()) {
        settle(&mut tx, call).await?;
    }
    let mut decided = Vec::with_capacity(held.len());
    let mut rows: Vec<[Bound; 29]> = vec![];
    for call in held {
        let may = hold(&mut tx, call).await?;
        if may.is_ok() {
            rows.push(row(call));
        }
        decided.push(may);
    }
    rows.extend(known().map(|call| row(call)));
    // SQLite's driver looks each value's place up among all of its statement: few rows at a time are quicker.
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        tx.run_many(INSERT, MARKS, UPSERT, rows.by_ref().take(ROWS).collect()).await?;
    }
    for (call, _) in held.iter().zip(&decided).filter(|(_, may)| may.is_ok()) {
        for hold in &call.holds {
            let text = "insert into call_budgets (call_id, budget_id, period_start) select $1, id, $3 from budgets where id = $2";
            sql!(tx, run, text, call.id, hold.id, hold.since)?;
        }
    }
    tx.commit().await?;
    Ok(decided)
}

/// How many calls there are in one statement.
const ROWS: usize = 4;

/// Takes the rows of all budgets of a batch in one order, so that two nodes never wait for each other.
async fn lock(tx: &mut Tx, written: &[Box<Call>], held: &[Box<Call>]) -> Result<()> {
    let settled = written.iter().filter(|call| call.state != State::Running);
    let mut all: Vec<(BudgetId, Time)> = settled
        .chain(held)
        .flat_map(|call| &call.holds)
        .map(|hold| (hold.id, hold.since))
        .collect();
    all.sort_unstable();
    all.dedup();
    for (id, since) in all {
        // An update that changes nothing locks on both databases.
        let text =
            "update spent set held_tokens = held_tokens where budget_id = $1 and period_start = $2";
        sql!(tx, run, text, id, since)?;
    }
    Ok(())
}

const INSERT: &str = "insert into calls (id, at, user_id, workspace_id, token_id, log_id, agent, provider, kind, model,
    asked, rule, state, failure, input, cache_read, cache_write, cache_write_hour, output, reasoning, micros,
    price_source, exact, held_micros, held_tokens, held_until, first_ms, took_ms, route) values";

/// What may be missing is told by a value that is never there: null cannot be bound among values of one kind.
const MARKS: &str = "(?, ?, nullif(?, ''), nullif(?, ''), nullif(?, ''), nullif(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    nullif(?, -1), ?, ?, ?, ?, ?, nullif(?, -1), nullif(?, -1), ?)";

const UPSERT: &str = "on conflict (id) do update set state = excluded.state, failure = excluded.failure,
    input = excluded.input, cache_read = excluded.cache_read, cache_write = excluded.cache_write,
    cache_write_hour = excluded.cache_write_hour, output = excluded.output, reasoning = excluded.reasoning,
    micros = excluded.micros, price_source = excluded.price_source, exact = excluded.exact,
    first_ms = excluded.first_ms, took_ms = excluded.took_ms";

fn row(call: &Call) -> [Bound; 29] {
    let text = |text: &str| Bound::Text(text.to_owned());
    let id = |id: Option<String>| Bound::Text(id.unwrap_or_default());
    let int = |n: u64| Bound::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let maybe = |n: Option<i64>| Bound::Int(n.unwrap_or(-1));
    let usage = &call.usage;
    let micros = call.cost.micros.and_then(|micros| i64::try_from(micros).ok());
    [
        Bound::text(&call.id),
        Bound::Int(call.at.0),
        id(call.user_id.map(|id| id.to_string())),
        id(call.workspace_id.map(|id| id.to_string())),
        id(call.token_id.map(|id| id.to_string())),
        id(call.log_id.map(|id| id.to_string())),
        text(&call.agent),
        text(&call.provider),
        text(&call.kind),
        text(&call.model),
        text(&call.asked),
        text(&call.rule),
        text(call.state.as_str()),
        text(call.failure.map_or("", |class| class.as_str())),
        int(usage.input),
        int(usage.cache_read),
        int(usage.cache_write),
        int(usage.cache_write_hour),
        int(usage.output),
        int(usage.reasoning),
        maybe(micros),
        text(source_name(call.cost.source)),
        Bound::Int(call.cost.exact.into()),
        Bound::Int(call.held.0),
        Bound::Int(call.held.1),
        Bound::Int(call.held_until.0),
        maybe(call.first_ms),
        maybe(call.took_ms),
        text(&call.route),
    ]
}

const fn source_name(source: PriceSource) -> &'static str {
    match source {
        PriceSource::Provider => "provider",
        PriceSource::Override => "override",
        PriceSource::Catalogue => "catalogue",
        PriceSource::Free => "free",
        PriceSource::Unknown => "unknown",
    }
}

/// Holds what a call may cost against all of its budgets, or against none of them.
async fn hold(tx: &mut Tx, call: &Call) -> Result<Decided> {
    let mut holds: Vec<&Hold> = call.holds.iter().collect();
    // Always in the same order, so that two nodes never wait for each other.
    holds.sort_by_key(|hold| hold.id);
    let (micros, tokens) = call.held;
    let mut done: Vec<&Hold> = vec![];
    for hold in holds {
        budgets::begin_period(tx, hold.id, &hold.subject, hold.since).await?;
        let text = "update spent set held_micros = held_micros + $3, held_tokens = held_tokens + $4
            where budget_id = $1 and period_start = $2
            and ($5 < 0 or micros + held_micros + $6 <= $7) and ($8 < 0 or tokens + held_tokens + $9 <= $10)";
        let (most_micros, most_tokens) = (hold.micros.unwrap_or(-1), hold.tokens.unwrap_or(-1));
        let held = sql!(
            tx,
            run,
            text,
            hold.id,
            hold.since,
            micros,
            tokens,
            most_micros,
            micros,
            most_micros,
            most_tokens,
            tokens,
            most_tokens
        )?;
        if held == 0 {
            let there = "select budget_id from spent where budget_id = $1 and period_start = $2";
            if sql!(tx, maybe One<String>, there, hold.id, hold.since)?.is_none() {
                // The budget was taken away a moment ago: it binds nobody any more.
                continue;
            }
            for hold in done {
                add(tx, hold, (0, 0), (-micros, -tokens)).await?;
            }
            return Ok(Err(least(tx, call, hold).await?));
        }
        done.push(hold);
    }
    Ok(Ok(()))
}

/// What the budget that refused says, with what the tightest of all leaves.
async fn least(tx: &mut Tx, call: &Call, refused: &Hold) -> Result<Over> {
    let mut least = over(tx, refused).await?;
    let tighter = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
    for hold in call.holds.iter().filter(|hold| hold.id != refused.id) {
        let other = over(tx, hold).await?;
        least.left_micros = tighter(least.left_micros, other.left_micros);
        least.left_tokens = tighter(least.left_tokens, other.left_tokens);
    }
    Ok(least)
}

async fn over(tx: &mut Tx, hold: &Hold) -> Result<Over> {
    let text = "select micros + held_micros, tokens + held_tokens from spent
        where budget_id = $1 and period_start = $2";
    let gone = sql!(tx, maybe(i64, i64), text, hold.id, hold.since)?.unwrap_or_default();
    let left = |limit: Option<i64>, gone: i64| limit.map(|limit| limit.saturating_sub(gone).max(0));
    Ok(Over {
        budget: hold.id,
        left_micros: left(hold.micros, gone.0),
        left_tokens: left(hold.tokens, gone.1),
    })
}

async fn add(tx: &mut Tx, hold: &Hold, spent: (i64, i64), held: (i64, i64)) -> Result<()> {
    let text = "update spent set micros = micros + $3, tokens = tokens + $4, held_micros = held_micros + $5,
        held_tokens = held_tokens + $6 where budget_id = $1 and period_start = $2";
    sql!(tx, run, text, hold.id, hold.since, spent.0, spent.1, held.0, held.1).map(drop)
}

/// What was held becomes what was spent, once.
async fn settle(tx: &mut Tx, call: &Call) -> Result<()> {
    // Whoever takes it out of `running` counts it; nobody else does.
    let text = "update calls set state = $2 where id = $1 and state = 'running'";
    if sql!(tx, run, text, call.id, call.state.as_str())? == 0 {
        // It was found interrupted before; that counted for what was held.
        return Ok(());
    }
    let micros = call.cost.micros.and_then(|micros| i64::try_from(micros).ok()).unwrap_or(0);
    let tokens = i64::try_from(call.usage.total()).unwrap_or(i64::MAX);
    for hold in &call.holds {
        add(tx, hold, (micros, tokens), (-call.held.0, -call.held.1)).await?;
    }
    Ok(())
}

pub(super) async fn interrupt(store: &Store, all: bool) -> Result<u64> {
    let mut tx = store.write().await?;
    let before = if all { i64::MAX } else { store.ambient().now().0 };
    let text = "select id from calls where state = 'running' and held_until < $1 limit 1000";
    let found = sql!(tx, all One<String>, text, before)?;
    let mut n = 0;
    for (id,) in found {
        // What nobody bounded and nobody heard of has no known cost.
        let text = "update calls set state = 'interrupted', exact = 0, input = held_tokens,
            micros = case when exists (select 1 from call_budgets b where b.call_id = calls.id) then held_micros end
            where id = $1 and state = 'running'";
        if sql!(tx, run, text, id)? == 0 {
            // Another node was first, or it was settled after all.
            continue;
        }
        n += 1;
        sql!(
            tx,
            run,
            "update spent set micros = spent.micros + c.held_micros, tokens = spent.tokens + c.held_tokens,
             held_micros = spent.held_micros - c.held_micros, held_tokens = spent.held_tokens - c.held_tokens
             from calls c join call_budgets b on b.call_id = c.id
             where c.id = $1 and spent.budget_id = b.budget_id and spent.period_start = b.period_start",
            id
        )?;
    }
    tx.commit().await?;
    Ok(n)
}
