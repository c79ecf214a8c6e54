//! What follows from entries, made anew by the one rule that makes it (`project`), and compared with what is there.
//!
//! It is made in temporary tables of the same names, which come first wherever a name is looked up: so `project` writes
//! into them, and reads people and teams from the real ones. Left out: links, which no entry tells.

use super::{Change, Check, REBUILD};
use crate::{
    Error, Result, Tx,
    conversations::{beginning, project},
    db::{One, sql},
    tables::{Kind, TABLES, Table},
};
use mosaic_protocol::{
    LogId,
    log::{Body, Entry},
};
use sqlx::AssertSqlSafe;

/// A table that `project` writes, and what names a row of it. Children come after their parents.
struct Projected {
    table: &'static str,
    keys: &'static [&'static str],
    /// The columns that follow from entries; none stands for all of them.
    columns: &'static [&'static str],
}

/// Where a conversation lives: the one column of `logs` that follows from entries.
const LIVES: Projected = Projected { table: "logs", keys: &["id"], columns: &["workspace_id"] };

const PROJECTED: [Projected; 5] = [
    Projected { table: "conversations", keys: &["log_id"], columns: &[] },
    Projected { table: "conversation_members", keys: &["log_id", "user_id"], columns: &[] },
    Projected { table: "conversation_teams", keys: &["log_id", "team_id"], columns: &[] },
    Projected { table: "conversation_tags", keys: &["log_id", "tag"], columns: &[] },
    Projected { table: "pins", keys: &["log_id", "seq"], columns: &[] },
];

/// Written by `project` as well, and not compared: a link is made by a request, and only its end is an entry.
const LINKS: Projected = Projected { table: "share_links", keys: &["log_id"], columns: &[] };

/// How many rows that differ are read. More are not worth reading one by one.
const MOST: i64 = 10_000;

impl Projected {
    fn definition(&self) -> Result<&'static Table> {
        let found = TABLES.iter().find(|table| table.name == self.table);
        found.ok_or_else(|| Error::Damaged(format!("`{}` is not among the tables", self.table)))
    }

    /// The columns that are no keys and are to be compared.
    fn values(&self) -> Result<Vec<&'static str>> {
        let all = self.definition()?.columns.iter().map(|(name, _)| *name);
        let compared = |name: &&str| self.columns.is_empty() || self.columns.contains(name);
        Ok(all.filter(|name| !self.keys.contains(name)).filter(compared).collect())
    }

    fn names(&self) -> Result<Vec<&'static str>> {
        Ok(self.keys.iter().copied().chain(self.values()?).collect())
    }

    fn same_key(&self) -> String {
        let pairs = self.keys.iter().map(|key| format!("r.{key} = s.{key}"));
        pairs.collect::<Vec<_>>().join(" and ")
    }

    fn differs(&self) -> Result<String> {
        let pairs = self.values()?;
        let pairs = pairs.iter().map(|name| format!("r.{name} is distinct from s.{name}"));
        let text = pairs.collect::<Vec<_>>().join(" or ");
        Ok(if text.is_empty() { "1 = 0".to_owned() } else { format!("({text})") })
    }

    /// A row's keys as a text for people.
    fn place(&self, alias: &str) -> String {
        let parts = self.keys.iter().map(|key| {
            let name = key.trim_end_matches("_id");
            // What somebody typed is not shown.
            if *key == "tag" {
                "' a tag'".to_owned()
            } else if *key == "id" {
                format!("'log ' || {alias}.id")
            } else {
                format!("'{name} ' || cast({alias}.{key} as text)")
            }
        });
        parts.collect::<Vec<_>>().join(" || ' ' || ")
    }
}

/// Makes empty tables for what the entries tell.
pub(super) async fn prepare(tx: &mut Tx) -> Result<()> {
    for projected in PROJECTED.iter().chain([&LIVES, &LINKS]) {
        let columns = projected.definition()?.columns.iter().map(|(name, kind)| {
            let kind = match kind {
                Kind::Text => "text",
                Kind::Int => "bigint",
                // A word that both databases take; only what `project` never writes is of this kind.
                Kind::Bytes => "text",
            };
            format!("{name} {kind}")
        });
        let text = format!(
            "create temporary table {} ({}, primary key ({}))",
            projected.table,
            columns.collect::<Vec<_>>().join(", "),
            projected.keys.join(", ")
        );
        tx.script(text).await?;
    }
    Ok(())
}

/// Lets an entry have its effect there. Whether the conversation begins with it.
pub(super) async fn tell(tx: &mut Tx, log: LogId, entry: &Entry) -> Result<bool> {
    let Body::Fact(fact) = &entry.body else { return Ok(false) };
    let begun = beginning(fact);
    if let Some((_, workspace_id)) = begun {
        // What a copied prefix told happened elsewhere.
        for projected in &PROJECTED {
            let text = format!("delete from {} where log_id = $1", projected.table);
            sql!(tx, run, AssertSqlSafe(text.as_str()), log)?;
        }
        let text = "insert into logs (id, workspace_id) values ($1, $2)
            on conflict (id) do update set workspace_id = excluded.workspace_id";
        sql!(tx, run, text, log, workspace_id)?;
    }
    project(tx, log, entry).await?;
    Ok(begun.is_some())
}

/// The names of a real table and of the one that was made.
async fn both(tx: &mut Tx, projected: &Projected) -> Result<(String, String)> {
    let (real, temporary) = tx.schemas().await?;
    Ok((format!("{real}.{}", projected.table), format!("{temporary}.{}", projected.table)))
}

pub(super) async fn compare(tx: &mut Tx) -> Result<Vec<Check>> {
    let mut checks = vec![];
    for projected in PROJECTED.iter().chain([&LIVES]) {
        let is_lives = projected.table == LIVES.table;
        let mut check =
            Check::new(if is_lives { "workspaces of logs" } else { projected.table }, REBUILD);
        let (real, made) = both(tx, projected).await?;
        let (key, place) = (projected.same_key(), projected.place("r"));
        let text = format!("select count(*) from {made}");
        let (n,) = sql!(tx, one One<i64>, AssertSqlSafe(text.as_str()))?;
        check.found = format!("{n}, as the entries tell");

        // Other logs live somewhere, too, and no entry tells where.
        let only = if is_lives { "r.kind = 'conversation' and" } else { "" };
        let text = format!(
            "select {place} from {real} r where {only} not exists (select 1 from {made} s where {key}) order by 1 limit $1"
        );
        for (place,) in sql!(tx, all One<String>, AssertSqlSafe(text.as_str()), MOST)? {
            check.problem(place, "it is there, and no entry tells it");
        }
        let text = format!(
            "select {} from {made} s where not exists (select 1 from {real} r where {key}) order by 1 limit $1",
            projected.place("s")
        );
        for (place,) in sql!(tx, all One<String>, AssertSqlSafe(text.as_str()), MOST)? {
            check.problem(place, "it is missing, and the entries tell it");
        }
        let which = projected.values()?;
        let which = which
            .iter()
            .map(|it| format!("case when r.{it} is distinct from s.{it} then ' {it}' else '' end"));
        let which = which.collect::<Vec<_>>().join(" || ");
        let which = if which.is_empty() { "''".to_owned() } else { which };
        let text = format!(
            "select {place}, {which} from {real} r join {made} s on {key} where {} order by 1 limit $1",
            projected.differs()?
        );
        for (place, which) in sql!(tx, all(String, String), AssertSqlSafe(text.as_str()), MOST)? {
            check.problem(place, format!("not as the entries tell:{which}"));
        }
        checks.push(check);
    }
    Ok(checks)
}

/// Makes the real tables equal to the ones that were made. Rows that are right are left alone, and with them what
/// refers to them.
pub(super) async fn apply(tx: &mut Tx) -> Result<Vec<Change>> {
    let mut changes = vec![];
    for projected in PROJECTED.iter().chain([&LIVES]) {
        let is_lives = projected.table == LIVES.table;
        let (real, made) = both(tx, projected).await?;
        let (key, names) = (projected.same_key(), projected.names()?.join(", "));
        let mut change = Change { what: projected.table, n_added: 0, n_changed: 0, n_removed: 0 };
        if !is_lives {
            let text = format!(
                "delete from {real} as r where not exists (select 1 from {made} s where {key})"
            );
            change.n_removed = sql!(tx, run, AssertSqlSafe(text.as_str()))?;
            let text = format!(
                "insert into {real} ({names}) select {names} from {made} s
                 where not exists (select 1 from {real} r where {key})"
            );
            change.n_added = sql!(tx, run, AssertSqlSafe(text.as_str()))?;
        }
        let values = projected.values()?;
        if !values.is_empty() {
            let set = values.iter().map(|it| format!("{it} = s.{it}")).collect::<Vec<_>>();
            let text = format!(
                "update {real} as r set {} from {made} as s where {key} and {}",
                set.join(", "),
                projected.differs()?
            );
            change.n_changed = sql!(tx, run, AssertSqlSafe(text.as_str()))?;
        }
        if change.n_added + change.n_changed + change.n_removed > 0 {
            changes.push(change);
        }
    }
    if !changes.is_empty() {
        // Who may read what may be another by now: whoever follows on another node is asked again.
        let (real, _) = both(tx, &LIVES).await?;
        let text = format!(
            "update {real} set access_version = access_version + 1 where kind = 'conversation'"
        );
        sql!(tx, run, AssertSqlSafe(text.as_str()))?;
    }
    Ok(changes)
}
