//! Numbered migrations, each applied once in a transaction, with one text for both databases.
//!
//! A migration that was ever released is never edited: its digest is stored, and another one is refused.

use crate::{Dialect, Error, Result, Tx, db::sql};
use mosaic_protocol::Time;
use sha2::{Digest, Sha256};

struct Migration {
    number: i64,
    name: &'static str,
    text: &'static str,
}

const MIGRATIONS: [Migration; 3] = [
    Migration {
        number: 1,
        name: "accounts",
        text: include_str!("../migrations/0001_accounts.sql"),
    },
    Migration { number: 2, name: "logs", text: include_str!("../migrations/0002_logs.sql") },
    Migration { number: 3, name: "models", text: include_str!("../migrations/0003_models.sql") },
];

/// Any number; all nodes use the same.
const MIGRATING: i64 = 0x6d6f_7361_6963;

/// The newest migration that this program knows.
pub const fn latest() -> i64 {
    MIGRATIONS[MIGRATIONS.len() - 1].number
}

fn spelled(text: &str, dialect: Dialect) -> String {
    let words = match dialect {
        Dialect::Sqlite => {
            [("{text}", "text"), ("{int}", "integer"), ("{bytes}", "blob"), ("{strict}", "strict")]
        }
        // Sorting by bytes, as SQLite does, whatever the server's locale is.
        Dialect::Postgres => [
            ("{text}", "text collate \"C\""),
            ("{int}", "bigint"),
            ("{bytes}", "bytea"),
            ("{strict}", ""),
        ],
    };
    words.iter().fold(text.to_owned(), |text, (word, spelling)| text.replace(word, spelling))
}

/// Refuses a database that is newer than the program, or whose migrations are not ours. Writes nothing. Answers how
/// far the database is; 0 is an empty one.
pub(crate) async fn check(tx: &mut Tx) -> Result<i64> {
    if !tx.has_table("migrations").await? {
        return Ok(0);
    }
    let applied = sql!(
        tx,
        all(i64, String, Vec<u8>),
        "select number, name, digest from migrations order by number"
    )?;
    let newest = applied.last().map_or(0, |row| row.0);
    if newest > latest() {
        return Err(Error::refused(
            format!(
                "the database is newer (migration {newest}) than this program (migration {})",
                latest()
            ),
            "run the newer version of mosaic that last used it, or restore a backup from before",
        ));
    }
    for (row, migration) in applied.iter().zip(&MIGRATIONS) {
        if (row.0, row.1.as_str()) != (migration.number, migration.name)
            || row.2 != Sha256::digest(migration.text).to_vec()
        {
            return Err(Error::refused(
                format!(
                    "the database's migration {} ({}) is not the one this program knows",
                    row.0, row.1
                ),
                "it was made by a changed build, or is damaged: run the build that made it, or restore a backup",
            ));
        }
    }
    Ok(newest)
}

/// Applies what is missing.
pub(crate) async fn apply(tx: &mut Tx, dialect: Dialect, now: Time) -> Result<()> {
    tx.take_time().await?;
    tx.alone(MIGRATING).await?;
    let table =
        "create table if not exists migrations (number {int} primary key, name {text} not null,
        digest {bytes} not null, applied_at {int} not null) {strict}";
    tx.script(spelled(table, dialect)).await?;
    let newest = check(tx).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > newest) {
        if newest > 0 {
            // On a first start there is nothing that anybody would wait or worry for.
            tracing::info!(number = migration.number, name = migration.name, "applying migration");
        }
        tx.script(spelled(migration.text, dialect)).await?;
        sql!(
            tx,
            run,
            "insert into migrations (number, name, digest, applied_at) values ($1, $2, $3, $4)",
            migration.number,
            migration.name,
            Sha256::digest(migration.text).to_vec(),
            now
        )?;
    }
    Ok(())
}
