//! The queue: work that was put off, and work that comes back at a time. Any node takes what is due; a node that dies
//! with a job in its hands loses it to another one when its time is up.

use crate::{
    Result, Store, Tx,
    db::{One, sql},
};
use mosaic_protocol::{JobId, Time};
use std::time::Duration;

/// Work for later.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Who does it.
    pub kind: &'static str,
    /// What that one needs to know.
    pub payload: String,
    /// Of several jobs with the same key only the one that waits already stays.
    pub unique_key: Option<String>,
    /// Not before this.
    pub run_at: Time,
}

/// A job in our hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Which.
    pub id: JobId,
    /// Who does it.
    pub kind: String,
    /// What that one needs to know.
    pub payload: String,
    /// Which holder we are. Whoever held it before can no longer end it.
    pub term: i64,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

/// Queues a job in a transaction. Answers whether it is new.
pub async fn enqueue(store: &Store, tx: &mut Tx, job: &NewJob) -> Result<bool> {
    let ambient = store.ambient();
    insert(tx, ambient.id(JobId::new), ambient.now(), job).await
}

pub(crate) async fn insert(tx: &mut Tx, id: JobId, now: Time, job: &NewJob) -> Result<bool> {
    let n = sql!(
        tx,
        run,
        "insert into jobs (id, kind, payload, unique_key, run_at, attempts, term, held_until, created_at)
         values ($1, $2, $3, $4, $5, 0, 0, 0, $6) on conflict (unique_key) do nothing",
        id,
        job.kind,
        job.payload,
        job.unique_key,
        job.run_at,
        now
    )?;
    Ok(n > 0)
}

type Row = (String, String, String, i64, i64);

/// Takes up to `limit` jobs of these kinds that are due, for as long as `hold` says.
pub async fn claim(
    store: &Store,
    kinds: &[&str],
    limit: i64,
    hold: Duration,
) -> Result<Vec<Claimed>> {
    let now = store.ambient().now();
    let until = now.plus_ms(i64::try_from(hold.as_millis()).unwrap_or(i64::MAX));
    let mut tx = store.write().await?;
    let mut claimed = vec![];
    for kind in kinds {
        let due = sql!(
            tx,
            all One<String>,
            "select id from jobs where kind = $1 and run_at <= $2 and held_until <= $3 order by run_at, id limit $4",
            *kind,
            now,
            now,
            limit
        )?;
        for (id,) in due {
            // Asked again, because another node may have been faster.
            let row = sql!(
                tx,
                maybe Row,
                "update jobs set term = term + 1, attempts = attempts + 1, held_until = $1
                 where id = $2 and held_until <= $3 returning id, kind, payload, term, attempts",
                until,
                id,
                now
            )?;
            let Some((id, kind, payload, term, attempts)) = row else { continue };
            let Ok(id) = id.parse() else { continue };
            claimed.push(Claimed { id, kind, payload, term, attempts });
        }
    }
    tx.commit().await?;
    Ok(claimed)
}

impl Claimed {
    /// Still at it. Answers whether the job is still ours.
    pub async fn heartbeat(&self, store: &Store, hold: Duration) -> Result<bool> {
        let until =
            store.ambient().now().plus_ms(i64::try_from(hold.as_millis()).unwrap_or(i64::MAX));
        let mut tx = store.write().await?;
        let n = sql!(
            tx,
            run,
            "update jobs set held_until = $1 where id = $2 and term = $3",
            until,
            self.id,
            self.term
        )?;
        tx.commit().await?;
        Ok(n > 0)
    }

    /// It is done: in the transaction of what it did. Answers whether the job was still ours; if not, that
    /// transaction must not commit.
    pub async fn done(&self, tx: &mut Tx) -> Result<bool> {
        let n = sql!(tx, run, "delete from jobs where id = $1 and term = $2", self.id, self.term)?;
        Ok(n > 0)
    }

    /// It is to be done again, at this time. Answers whether the job was still ours.
    pub async fn again(&self, tx: &mut Tx, run_at: Time) -> Result<bool> {
        let n = sql!(
            tx,
            run,
            "update jobs set run_at = $1, held_until = 0 where id = $2 and term = $3",
            run_at,
            self.id,
            self.term
        )?;
        Ok(n > 0)
    }
}
