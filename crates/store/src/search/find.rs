//! Finding: the words and, in the same query, everything that says whether this person may see where they are.

use super::{dialect::expression, mark, time_id, words::Question};
use crate::{
    Dialect, Result, Store, Tx,
    conversations::READS,
    db::{One, sql},
    logs,
};
use mosaic_protocol::{LogId, Time, UserId, conversation::FoundKind, log::Entry};

/// Of how many matches, the newest ones, the best are chosen.
const RANKED: i64 = 10_000;
/// How many marks may say what somebody may see. Who may see more than that sees so much that what the query meets is
/// mostly theirs.
const MARKS: i64 = 256;

/// What is looked for, where, and for whom.
#[derive(Debug, Clone)]
pub struct Sought<'a> {
    /// The words.
    pub question: &'a Question,
    /// For whom: only what they may read is found.
    pub user_id: UserId,
    /// Only in this conversation.
    pub log: Option<LogId>,
    /// Only what this person said.
    pub author: Option<UserId>,
    /// Only what is of this kind.
    pub kind: Option<FoundKind>,
    /// Only what was said at this time or later.
    pub since: Option<Time>,
    /// Only what was said before this time.
    pub until: Option<Time>,
    /// The best first, of the newest ten thousand.
    pub ranked: bool,
    /// Only what comes after this hit, when the newest come first.
    pub after: Option<i64>,
    /// How many.
    pub limit: i64,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Its place among all hits.
    pub id: i64,
    /// In which conversation.
    pub log: LogId,
    /// What that is called.
    pub title: String,
    /// What was said.
    pub entry: Entry,
}

type Row = (i64, String, String, i64, i64, String, String, String);

/// Looks for words.
pub async fn find(store: &Store, sought: &Sought<'_>) -> Result<Vec<Hit>> {
    let mut tx = store.index_place().await?.read().await?;
    let mut marks = vec![];
    match sought.log {
        Some(log) => marks.push(vec![mark::log(log)]),
        None => match scope(&mut tx, sought.user_id).await? {
            Some(scope) if scope.is_empty() => return Ok(vec![]),
            Some(scope) => marks.push(scope),
            None => {}
        },
    }
    marks.extend(sought.author.map(|id| vec![mark::author(id)]));
    marks.extend(sought.kind.map(|kind| vec![mark::kind(kind)]));
    let from = sought.since.map_or(0, time_id);
    let to = sought.until.map_or(i64::MAX, time_id).min(sought.after.unwrap_or(i64::MAX));
    let pool = if sought.ranked { RANKED } else { sought.limit };
    let rows = sql!(
        tx,
        all Row,
        sqlx::AssertSqlSafe(query(store.dialect(), sought.ranked)),
        sought.user_id,
        expression(store.dialect(), sought.question, &marks),
        from,
        to,
        pool,
        sought.limit
    )?;
    let hit = |(id, log, title, seq, at, author, kind, body): Row| {
        let log = log.parse().ok()?;
        Some(Hit { id, log, title, entry: logs::entry((seq, at, author, kind, body)) })
    };
    Ok(rows.into_iter().filter_map(hit).collect())
}

fn query(dialect: Dialect, ranked: bool) -> String {
    // Where the index leads, in its order; everything else is looked up for what it gives.
    let (from, id, matches, score) = match dialect {
        Dialect::Sqlite => (
            "search_words cross join search_places p on p.id = search_words.rowid
             cross join search_logs s on s.n = p.log_n cross join logs l on l.id = s.log_id",
            "search_words.rowid",
            "search_words match $2",
            "bm25(search_words, 1.0, 0.0)",
        ),
        Dialect::Postgres => (
            "search_places p join search_logs s on s.n = p.log_n join logs l on l.id = s.log_id",
            "p.id",
            "p.words @@ cast($2 as tsquery)",
            "-ts_rank(p.words, cast($2 as tsquery))",
        ),
    };
    let score = if ranked { score } else { "0" };
    format!(
        "select x.id, x.log_id, c.title, e.seq, e.at, e.author, e.kind, e.body
         from (select i.id, i.log_id, i.seq, i.score from
                (select {id} as id, s.log_id as log_id, p.seq as seq, {score} as score from {from}
                 where {matches} and {id} >= $3 and {id} < $4 and {READS}
                 order by {id} desc limit $5) i
               order by i.score, i.id desc limit $6) x
         join entries e on e.log_id = x.log_id and e.seq = x.seq join conversations c on c.log_id = x.log_id
         where e.kind <> 'erased'
         order by x.score, x.id desc"
    )
}

/// The workspaces in which this person may read everything.
const OWN: &str = "select w.id from workspaces w where w.user_id = $1
    union select w.id from members m join workspaces w on w.team_id = m.team_id
        where m.user_id = $1 and m.role = 'owner'";

/// The marks of what this person may read: workspaces that are theirs as a whole, and single conversations besides. It
/// may say too much, as everything is checked once more. `None`: too many to name.
async fn scope(tx: &mut Tx, user_id: UserId) -> Result<Option<Vec<String>>> {
    let own = sql!(tx, all One<String>, OWN, user_id)?;
    let single = format!(
        "select l.id from conversation_members cm join logs l on l.id = cm.log_id
            where cm.user_id = $1 and l.workspace_id not in ({OWN})
         union
         select l.id from members sm join conversation_teams t on t.team_id = sm.team_id join logs l on l.id = t.log_id
            where sm.user_id = $1 and l.workspace_id not in ({OWN})
         union
         select l.id from search_logs s join logs l on l.id = s.log_id where s.moved = 1 and l.workspace_id in ({OWN})
         limit $2"
    );
    let single =
        sql!(tx, all One<String>, sqlx::AssertSqlSafe(single.as_str()), user_id, MARKS + 1)?;
    if i64::try_from(own.len() + single.len()).unwrap_or(i64::MAX) > MARKS {
        return Ok(None);
    }
    let own = own.into_iter().filter_map(|(id,)| id.parse().ok()).map(mark::workspace);
    let single = single.into_iter().filter_map(|(id,)| id.parse().ok()).map(mark::log);
    Ok(Some(own.chain(single).collect()))
}
