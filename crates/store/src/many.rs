//! Many rows in one statement. The texts are made, not written, from names of our own.

use crate::{
    Result, Tx,
    db::{Conn, Param},
};
use sqlx::AssertSqlSafe;

/// A value to bind.
#[derive(Debug, Clone)]
pub(crate) enum Bound {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Bound {
    pub(crate) fn text(value: &impl Param<As = String>) -> Bound {
        Bound::Text(value.param())
    }
}

macro_rules! bind {
    ($text:expr, $values:expr, $run:ident, $conn:expr, $query:expr) => {{
        let mut query = $query(AssertSqlSafe($text));
        for value in $values {
            query = match value {
                Bound::Int(int) => query.bind(int),
                Bound::Text(text) => query.bind(text),
                Bound::Bytes(bytes) => query.bind(bytes),
            };
        }
        query.$run($conn).await?
    }};
}

/// How many rows there are in one statement at most.
const MOST: usize = 64;

/// How many rows to put into each statement: powers of two, so that there are few texts to prepare and remember.
fn portions(n: usize) -> impl Iterator<Item = usize> {
    let mut left = n;
    std::iter::from_fn(move || {
        let portion = if left >= MOST { MOST } else { 1 << left.checked_ilog2()? };
        left -= portion;
        Some(portion)
    })
}

fn marks(rows: usize, row: &str) -> String {
    let mut text = String::with_capacity(rows * (row.len() + 16));
    let mut n = 0;
    for at in 0..rows {
        text.push_str(if at == 0 { "" } else { ", " });
        for (at, piece) in row.split('?').enumerate() {
            if at > 0 {
                n += 1;
                text.push('$');
                text.push_str(&n.to_string());
            }
            text.push_str(piece);
        }
    }
    text
}

impl Tx {
    /// Runs `before (row), (row)… after` for all rows, in as few statements as need be. `row` has a `?` for each value.
    pub(crate) async fn run_many<const N: usize>(
        &mut self,
        before: &str,
        row: &str,
        after: &str,
        rows: Vec<[Bound; N]>,
    ) -> Result<()> {
        let mut rows = rows.into_iter();
        for portion in portions(rows.len()) {
            let text = format!("{before} {} {after}", marks(portion, row));
            let values = rows.by_ref().take(portion).flatten();
            match self.conn() {
                Conn::Sqlite(conn) => {
                    bind!(text, values, execute, conn, sqlx::query);
                }
                Conn::Postgres(conn) => {
                    bind!(text, values, execute, conn, sqlx::query);
                }
            }
        }
        Ok(())
    }

    /// Asks `before (row), (row)… after` for all rows, and puts the answers together. That something is asked for twice
    /// makes no difference in what is found: `before` ends with `in (`.
    pub(crate) async fn ask_many<const N: usize, R>(
        &mut self,
        before: &str,
        row: &str,
        after: &str,
        rows: Vec<[Bound; N]>,
    ) -> Result<Vec<R>>
    where
        R: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
            + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
            + Send
            + Unpin,
    {
        let mut found = vec![];
        // Filled up to one of the few shapes, so that it is mostly one question: each is a way there and back.
        let n = match rows.len() {
            n @ (0 | MOST..) => n,
            n => n.next_power_of_two(),
        };
        let last = rows.last().cloned();
        let mut rows = rows.into_iter().chain(last.into_iter().cycle()).take(n);
        for portion in portions(n) {
            let text = format!("{before} {} {after}", marks(portion, row));
            let values = rows.by_ref().take(portion).flatten();
            found.extend(match self.conn() {
                Conn::Sqlite(conn) => {
                    bind!(text, values, fetch_all, conn, sqlx::query_as::<_, R>)
                }
                Conn::Postgres(conn) => {
                    bind!(text, values, fetch_all, conn, sqlx::query_as::<_, R>)
                }
            });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_put_into_few_shapes() {
        assert_eq!(portions(0).count(), 0);
        assert_eq!(portions(1).collect::<Vec<_>>(), [1]);
        assert_eq!(portions(150).collect::<Vec<_>>(), [64, 64, 16, 4, 2]);
        assert_eq!(
            marks(2, "(?, cast(? as bigint))"),
            "($1, cast($2 as bigint)), ($3, cast($4 as bigint))"
        );
    }
}
