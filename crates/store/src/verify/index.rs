//! The search index: whether it holds of each log what it says it does. What it is behind by is no fault, and neither
//! that there is none: the next start makes up for it.

use super::{Change, Check, REBUILD};
use crate::{
    Db, Error, Options, Result,
    db::sql,
    search::{self, Index},
};

pub(super) const WHAT: &str = "search index";

pub(super) async fn look(db: &Db, options: &Options) -> Result<Check> {
    let mut check = Check::new(WHAT, REBUILD);
    let looked = async {
        let Some(index) = search::there(db, &options.data).await? else {
            check.found = "none yet: the next start makes it".to_owned();
            return Ok(());
        };
        let examined = examine(&index, &mut check).await;
        index.close().await;
        examined
    };
    match looked.await {
        Err(Error::Damaged(what)) => {
            check.found = "damaged".to_owned();
            check.problem("the index", what);
        }
        done => done?,
    }
    Ok(check)
}

/// A log; up to where it is indexed; its head; and up to there, places in the index, entries with words, erased ones.
type Row = (String, i64, i64, i64, i64, i64);

async fn examine(index: &Index, check: &mut Check) -> Result<()> {
    let mut tx = index.read().await?;
    if !search::is_current(&mut tx).await? {
        check.found =
            "of another version, or another life of the data: the next start makes it anew".into();
        return Ok(());
    }
    let kinds = search::KINDS.map(|kind| format!("'{kind}'")).join(", ");
    let text = format!(
        "select s.log_id, s.indexed_to, l.head,
            (select count(*) from search_places p where p.log_n = s.n),
            (select count(*) from entries e where e.log_id = s.log_id and e.seq <= s.indexed_to and e.kind in ({kinds})),
            (select count(*) from entries e where e.log_id = s.log_id and e.kind = 'erased')
         from search_logs s join logs l on l.id = s.log_id order by s.log_id"
    );
    let rows = sql!(tx, all Row, sqlx::AssertSqlSafe(text.as_str()))?;
    drop(tx);
    let n_places: i64 = rows.iter().map(|row| row.3).sum();
    check.found = format!("{n_places} places in {} logs", rows.len());
    for (log, to, head, n_places, n_entries, n_erased) in rows {
        let place = format!("log {log}");
        if to > head {
            check.problem(place, format!("it is indexed up to {to}, and ends at {head}"));
        } else if !(n_entries..=n_entries + n_erased).contains(&n_places) {
            check.problem(place, format!("of {n_entries} entries, the index has {n_places}"));
        }
    }
    // Only to ask: it is not committed.
    index.write().await?.check_index().await
}

/// Throws the index away: the next start makes it anew.
pub(super) async fn rebuild(db: &Db, options: &Options) -> Result<Change> {
    search::throw_away(db, &options.data).await?;
    Ok(Change { what: WHAT, n_added: 0, n_changed: 0, n_removed: 1 })
}
