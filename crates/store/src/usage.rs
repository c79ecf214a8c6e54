//! What was used: calls put together. Who may see whose, is decided above.

use crate::{Result, Tx, db::sql};
use mosaic_protocol::{
    Time, UserId, WorkspaceId,
    budget::{UsageBy, UsageRow},
    usage::Usage,
};
use sqlx::FromRow;

/// How many rows a report has at most.
pub const MAX_ROWS: i64 = 1000;

/// Whose calls.
#[derive(Debug, Clone, Copy)]
pub enum Whose {
    /// A person's, wherever.
    User(UserId),
    /// Everybody's in a workspace.
    Workspace(WorkspaceId),
    /// Everybody's.
    Everybody,
}

#[derive(FromRow)]
struct Row {
    label: String,
    calls: i64,
    failed: i64,
    input: i64,
    cache_read: i64,
    cache_write: i64,
    cache_write_hour: i64,
    output: i64,
    reasoning: i64,
    micros: i64,
    unpriced: i64,
    estimated: i64,
}

macro_rules! report {
    ($tx:expr, $label:literal, $order:literal, $kind:expr, $id:expr, $from:expr, $to:expr) => {
        sql!(
            $tx,
            all Row,
            concat!(
                "select ", $label, " as label, count(*) as calls,
                 cast(sum(case when state = 'done' then 0 else 1 end) as bigint) as failed,
                 cast(sum(input) as bigint) as input, cast(sum(cache_read) as bigint) as cache_read,
                 cast(sum(cache_write) as bigint) as cache_write,
                 cast(sum(cache_write_hour) as bigint) as cache_write_hour, cast(sum(output) as bigint) as output,
                 cast(sum(reasoning) as bigint) as reasoning, cast(sum(coalesce(micros, 0)) as bigint) as micros,
                 cast(sum(case when micros is null then 1 else 0 end) as bigint) as unpriced,
                 cast(sum(1 - exact) as bigint) as estimated
                 from calls where at >= $1 and at < $2 and state <> 'running' and case $3 when 'user' then user_id = $4
                 when 'workspace' then workspace_id = $5 else 1 = 1 end
                 group by 1 order by ", $order, " limit 1000"
            ),
            $from,
            $to,
            $kind,
            $id,
            $id
        )
    };
}

/// Calls between two moments, put together.
pub async fn report(
    tx: &mut Tx,
    whose: Whose,
    by: UsageBy,
    from: Time,
    to: Time,
) -> Result<Vec<UsageRow>> {
    let (kind, id) = match whose {
        Whose::User(id) => ("user", id.to_string()),
        Whose::Workspace(id) => ("workspace", id.to_string()),
        Whose::Everybody => ("everybody", String::new()),
    };
    let rows = match by {
        UsageBy::Day => report!(tx, "cast(at / 86400000 as text)", "min(at)", kind, id, from, to),
        UsageBy::Model => {
            report!(tx, "provider || '/' || model", "10 desc, 1", kind, id, from, to)
        }
        UsageBy::Provider => report!(tx, "provider", "10 desc, 1", kind, id, from, to),
        UsageBy::Conversation => {
            report!(tx, "coalesce(log_id, '')", "10 desc, 1", kind, id, from, to)
        }
        UsageBy::Person => report!(tx, "coalesce(user_id, '')", "10 desc, 1", kind, id, from, to),
        UsageBy::Agent => report!(tx, "agent", "10 desc, 1", kind, id, from, to),
        UsageBy::Token => report!(tx, "coalesce(token_id, '')", "10 desc, 1", kind, id, from, to),
        UsageBy::Rule => report!(tx, "rule", "10 desc, 1", kind, id, from, to),
    }?;
    Ok(rows.into_iter().map(|row| row.shown(by)).collect())
}

impl Row {
    fn shown(self, by: UsageBy) -> UsageRow {
        let tokens = |n: i64| u64::try_from(n).unwrap_or(0);
        let key = match (by, self.label.parse::<i64>()) {
            (UsageBy::Day, Ok(day)) => {
                let text = Time(day.saturating_mul(86_400_000)).utc();
                text.get(..10).unwrap_or(&text).to_owned()
            }
            _ => self.label,
        };
        UsageRow {
            key,
            calls: self.calls,
            failed: self.failed,
            usage: Usage {
                input: tokens(self.input),
                cache_read: tokens(self.cache_read),
                cache_write: tokens(self.cache_write),
                cache_write_hour: tokens(self.cache_write_hour),
                output: tokens(self.output),
                reasoning: tokens(self.reasoning),
            },
            micros: self.micros,
            unpriced: self.unpriced,
            estimated: self.estimated,
        }
    }
}
