//! Looks at everything that is stored while no gateway uses it: whether it is whole, and whether what follows from
//! entries is what they tell. Changes nothing, or, if asked to, writes the projections anew.
//!
//! The order and the report are here; what is looked at is in `verify/`. A further projection is one more line in
//! `look_at_all`, and one more in `rebuild`.

mod index;
mod logs;
mod projections;
mod values;

use crate::{
    DataDir, Error, Options, Result, Store, Tx,
    blobs::BlobPlace,
    datadir::LockState,
    db::Dialect,
    keyring::Keyring,
    migrate,
    open::{self, Looked},
};
use serde::Serialize;

/// How many problems of one check are told; all are counted.
const TOLD: usize = 20;

/// What to do about projections that are not what the entries tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Only say so.
    Look,
    /// Write them anew, if everything that they follow from is whole.
    Rebuild,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    pub place: String,
    /// What.
    pub found: String,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    pub what: &'static str,
    /// How much of it there is.
    pub found: String,
    /// How much is wrong.
    pub n_problems: usize,
    /// The first of what is wrong.
    pub problems: Vec<Problem>,
    /// What to do next, if something is wrong.
    pub remedy: &'static str,
}

/// What a rebuild changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which projection.
    pub what: &'static str,
    /// Rows that were missing.
    pub n_added: u64,
    /// Rows that said something else.
    pub n_changed: u64,
    /// Rows that should not have been there.
    pub n_removed: u64,
}

/// Everything that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In the order in which it was.
    pub checks: Vec<Check>,
    /// What a rebuild changed. Empty also if nothing had to be.
    pub changes: Vec<Change>,
    /// Why nothing was rebuilt although it was asked for.
    pub not_rebuilt: Option<String>,
}

impl Report {
    /// Whether nothing is wrong now.
    pub fn is_clean(&self) -> bool {
        let mended = |check: &Check| !self.changes.is_empty() && check.remedy == REBUILD;
        self.checks.iter().all(|check| check.n_problems == 0 || mended(check))
    }
}

const RESTORE: &str =
    "make a copy of everything that is there, then restore a backup: mosaic restore FILE --replace";
const REBUILD: &str =
    "mosaic verify --rebuild writes it anew from the entries, and changes no entry";

impl Check {
    fn new(what: &'static str, remedy: &'static str) -> Check {
        Check { what, found: String::new(), n_problems: 0, problems: vec![], remedy }
    }

    fn problem(&mut self, place: impl Into<String>, found: impl Into<String>) {
        self.n_problems += 1;
        if self.problems.len() < TOLD {
            self.problems.push(Problem { place: place.into(), found: found.into() });
        }
    }
}

/// Told what is looked at just now, and how far that is.
pub type Told<'a> = &'a mut (dyn FnMut(&'static str, u64) + Send);

/// What every check may need.
struct Looking<'a> {
    tx: Tx,
    keys: Keyring,
    blobs: BlobPlace,
    told: Told<'a>,
}

impl Store {
    /// Takes the data directory, looks at everything, and gives it free again. Refused while a gateway uses it.
    pub async fn verify(options: &Options, how: How, told: Told<'_>) -> Result<Report> {
        let nothing = || {
            Error::refused(
                format!("there is no data in {}", options.data.display()),
                "name the right data directory with --data; mosaic up makes a new one",
            )
        };
        if options.database_url.is_none() && DataDir::look(&options.data)? == LockState::Absent {
            return Err(nothing());
        }
        // Held until the end, so that no gateway starts meanwhile.
        let _dir = DataDir::lock(&options.data)?;
        let looked = open::look(options).await?.ok_or_else(nothing)?;
        let db = looked.db.clone();
        let report = match (looked.migration, &looked.keys) {
            (0, _) | (_, None) => Err(nothing()),
            (migration, _) if migration < migrate::latest() => Err(Error::refused(
                format!(
                    "the data is of an older version (migration {migration} of {})",
                    migrate::latest()
                ),
                "make a backup with the version that last used it, start this one once (mosaic up), then verify again",
            )),
            _ => verify(looked, options, how, told).await,
        };
        db.close().await;
        report
    }
}

async fn verify(looked: Looked, options: &Options, how: How, told: Told<'_>) -> Result<Report> {
    let Looked { db, keys: Some(keys), .. } = looked else {
        return Err(Error::Damaged("the keyring is empty".into()));
    };
    let blobs = match db.dialect() {
        Dialect::Sqlite => BlobPlace::Files(options.data.join("blobs")),
        Dialect::Postgres => BlobPlace::Rows,
    };
    let mut tx = db.snapshot().await?;
    tx.take_time().await?;
    if how == How::Rebuild {
        // Other nodes may run. This comes before anything is read, because what is seen is of the first look.
        tx.hold_logs().await?;
    }
    let mut looking = Looking { tx, keys, blobs, told };
    let mut report = Report { checks: vec![], changes: vec![], not_rebuilt: None };
    match look_at_all(&mut looking, &mut report.checks).await {
        Ok(()) => report.checks.push(index::look(&db, options).await?),
        // What is so damaged that it cannot even be read is a finding, and the last one.
        Err(Error::Damaged(what)) => {
            let mut check = Check::new("reading", RESTORE);
            check.problem("the database", what);
            report.checks.push(check);
        }
        Err(error) => return Err(error),
    }
    if how == How::Rebuild {
        rebuild(looking, &mut report).await?;
        let spoiled = |check: &Check| check.what == index::WHAT && check.n_problems > 0;
        if report.not_rebuilt.is_none() && report.checks.iter().any(spoiled) {
            report.changes.push(index::rebuild(&db, options).await?);
        }
    }
    Ok(report)
}

async fn look_at_all(looking: &mut Looking<'_>, checks: &mut Vec<Check>) -> Result<()> {
    let mut database = Check::new("database", RESTORE);
    (looking.told)(database.what, 0);
    for damage in looking.tx.damage().await? {
        database.problem("the database", damage);
    }
    database.found = "examined".to_owned();
    checks.push(database);
    checks.push(values::audit(looking).await?);
    checks.push(values::secrets(looking).await?);
    checks.push(values::blobs(looking).await?);
    checks.push(values::used_bytes(looking).await?);
    checks.push(logs::commands(looking).await?);
    checks.push(logs::read_marks(looking).await?);
    checks.push(logs::inboxes(looking).await?);
    // From here on the names of projections mean what is made of the entries.
    let heads = logs::heads(looking).await?;
    projections::prepare(&mut looking.tx).await?;
    checks.extend(logs::entries(looking, heads).await?);
    checks.extend(projections::compare(&mut looking.tx).await?);
    Ok(())
}

/// Puts what was made of the entries in the place of what was there.
async fn rebuild(mut looking: Looking<'_>, report: &mut Report) -> Result<()> {
    let wrong = |check: &&Check| check.n_problems > 0;
    if !report.checks.iter().any(|check| wrong(&check)) {
        return Ok(());
    }
    // What a damaged log does not tell any more would be undone: somebody who was taken out would be in again.
    let mut sources = report.checks.iter().filter(|check| check.remedy != REBUILD);
    if let Some(source) = sources.find(|check| wrong(check) && logs::is_source(check.what)) {
        report.not_rebuilt = Some(format!(
            "nothing was rebuilt, because what it is rebuilt from is damaged itself: {}",
            source.what
        ));
        return Ok(());
    }
    (looking.told)("rebuilding", 0);
    report.changes = projections::apply(&mut looking.tx).await?;
    looking.tx.commit().await
}
