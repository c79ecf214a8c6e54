//! The floor of an append: one row of 200 bytes into the bare database, made sure of by a commit of its own.
//!
//! SQLite as the gateway has it: a write-ahead log, synchronous=full, by the same driver, on the same disk.

use crate::figure::Spread;
use sqlx::{
    Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

pub(crate) struct Bare(SqliteConnection);

impl Bare {
    pub(crate) async fn open(folder: &Path) -> anyhow::Result<Bare> {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("bare.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::query("create table said (id integer primary key, text text not null)")
            .execute(&mut connection)
            .await?;
        Ok(Bare(connection))
    }

    /// Milliseconds of each commit.
    pub(crate) async fn round(&mut self, time: Duration) -> anyhow::Result<Spread> {
        let text = "x".repeat(200);
        let begun = Instant::now();
        let (mut took, mut now) = (vec![], begun);
        while now < begun + time {
            let mut tx = self.0.begin_with("begin immediate").await?;
            sqlx::query("insert into said (text) values ($1)")
                .bind(&text)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            let done = Instant::now();
            took.push((done - now).as_secs_f64() * 1000.0);
            now = done;
        }
        Ok(Spread::of(took))
    }
}
