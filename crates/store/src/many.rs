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

/// How many rows to put into each statement: powers of two, so that there are few texts to prepare and remember.
fn portions(n: usize) -> impl Iterator<Item = usize> {
    let mut left = n;
    std::iter::from_fn(move || {
        let portion = if left >= 64 { 64 } else { 1 << left.checked_ilog2()? };
        left -= portion;
        Some(portion)
    })
}

fn marks(rows: usize, row: &str, columns: usize) -> String {
    let mut n = 0;
    let one = |_| {
        let mut text = row.to_owned();
        for _ in 0..columns {
            n += 1;
            text = text.replacen('?', &format!("${n}"), 1);
        }
        text
    };
    (0..rows).map(one).collect::<Vec<_>>().join(", ")
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
            let text = format!("{before} {} {after}", marks(portion, row, N));
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

    /// Asks `before (row), (row)… after` for all rows, and puts the answers together.
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
        let mut rows = rows.into_iter();
        for portion in portions(rows.len()) {
            let text = format!("{before} {} {after}", marks(portion, row, N));
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
            marks(2, "(?, cast(? as bigint))", 2),
            "($1, cast($2 as bigint)), ($3, cast($4 as bigint))"
        );
    }
}
