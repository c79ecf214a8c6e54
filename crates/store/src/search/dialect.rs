//! The statements of the index that differ between the databases.

use super::words::{Question, Term};
use crate::{
    Dialect, Result, Tx,
    db::{Conn, One, sql},
    many::Bound,
};

/// A row of the index.
pub(super) struct Indexed {
    pub(super) id: i64,
    pub(super) log_n: i64,
    pub(super) seq: i64,
    pub(super) words: Vec<String>,
    pub(super) marks: Vec<String>,
}

/// PostgreSQL counts no further.
const LAST_POSITION: usize = 16383;

/// On PostgreSQL, marks and words are together: marks begin with what no word contains.
fn apart(mark: &str) -> String {
    format!("'#{mark}'")
}

/// PostgreSQL takes no more than 1 MiB of words and what it notes beside each.
const VECTOR_BYTES: usize = 500_000;

/// The words and marks of a row as PostgreSQL reads them. What is too much is not found.
fn vector(row: &Indexed) -> String {
    let marks = row.marks.iter().map(|mark| apart(mark));
    let mut bytes = 0;
    let fits = |(_, word): &(usize, &String)| {
        bytes += word.len() + 4;
        bytes <= VECTOR_BYTES
    };
    let words = row.words.iter().enumerate().take_while(fits);
    let words =
        words.map(|(n, word): (usize, &String)| format!("'{word}':{}", (n + 1).min(LAST_POSITION)));
    marks.chain(words).collect::<Vec<_>>().join(" ")
}

impl Tx {
    /// Adds rows, in the order of their ids.
    pub(super) async fn index_rows(&mut self, rows: Vec<Indexed>) -> Result<()> {
        if let Conn::Postgres(_) = self.conn() {
            let row = |row: Indexed| {
                let vector = Bound::Text(vector(&row));
                [Bound::Int(row.id), Bound::Int(row.log_n), Bound::Int(row.seq), vector]
            };
            let text = "insert into search_places (id, log_n, seq, words) values";
            let rows = rows.into_iter().map(row).collect();
            return self.run_many(text, "(?, ?, ?, cast(? as tsvector))", "", rows).await;
        }
        let place = |row: &Indexed| [row.id, row.log_n, row.seq].map(Bound::Int);
        let places = rows.iter().map(place).collect();
        let text = "insert into search_places (id, log_n, seq) values";
        self.run_many(text, "(?, ?, ?)", "", places).await?;
        let row = |row: Indexed| {
            let words = Bound::Text(row.words.join(" "));
            [Bound::Int(row.id), words, Bound::Text(row.marks.join(" "))]
        };
        let text = "insert into search_words (rowid, words, marks) values";
        self.run_many(text, "(?, ?, ?)", "", rows.into_iter().map(row).collect()).await
    }

    /// Takes rows out.
    pub(super) async fn unindex(&mut self, ids: Vec<One<i64>>) -> Result<()> {
        let ids: Vec<_> = ids.into_iter().map(|(id,)| [Bound::Int(id)]).collect();
        if let Conn::Sqlite(_) = self.conn() {
            let text = "delete from search_words where rowid in (";
            self.run_many(text, "?", ")", ids.clone()).await?;
        }
        self.run_many("delete from search_places where id in (", "?", ")", ids).await
    }

    /// Some rows with this mark.
    pub(super) async fn marked(&mut self, mark: &str, limit: i64) -> Result<Vec<One<i64>>> {
        let (text, mark) = match self.conn() {
            Conn::Sqlite(_) => (
                "select rowid from search_words where search_words match $1 limit $2",
                format!("marks : \"{mark}\""),
            ),
            Conn::Postgres(_) => (
                "select id from search_places where words @@ cast($1 as tsquery) limit $2",
                apart(mark),
            ),
        };
        sql!(self, all One<i64>, text, mark, limit)
    }

    /// Whether the index fits together, as far as the database can tell. PostgreSQL's own check looks at its indexes.
    pub(crate) async fn check_index(&mut self) -> Result<()> {
        if let Conn::Sqlite(_) = self.conn() {
            let text = "insert into search_words (search_words) values ('integrity-check')";
            sql!(self, run, text)?;
        }
        Ok(())
    }

    /// Rewrites some pages of the index, so that nothing is left of what was taken out: all of it is due when the
    /// number is negative. Answers whether there is more to do.
    pub(super) async fn merge_index(&mut self, pages: i64) -> Result<bool> {
        let changes = "select cast(total_changes() as bigint)";
        let (before,) = sql!(self, one One<i64>, changes)?;
        let text = "insert into search_words (search_words, rank) values ('merge', $1)";
        sql!(self, run, text, pages)?;
        let (after,) = sql!(self, one One<i64>, changes)?;
        // The statement itself counts as one.
        Ok(after - before > 1)
    }
}

/// What is looked for, in the database's language: words that must and must not be there, and of each list of marks
/// one.
pub(super) fn expression(dialect: Dialect, question: &Question, marks: &[Vec<String>]) -> String {
    let term = |term: &Term| match dialect {
        Dialect::Sqlite => {
            let star = if term.prefix { " *" } else { "" };
            format!("words : \"{}\"{star}", term.words.join(" "))
        }
        Dialect::Postgres => {
            let star = if term.prefix { ":*" } else { "" };
            let words = term.words.iter().map(|word| format!("'{word}'"));
            format!("({}{star})", words.collect::<Vec<_>>().join(" <-> "))
        }
    };
    let one_of = |marks: &Vec<String>| match dialect {
        Dialect::Sqlite => {
            let marks = marks.iter().map(|mark| format!("\"{mark}\""));
            format!("marks : ({})", marks.collect::<Vec<_>>().join(" OR "))
        }
        Dialect::Postgres => {
            let marks = marks.iter().map(|mark| apart(mark));
            format!("({})", marks.collect::<Vec<_>>().join(" | "))
        }
    };
    let (and, not) = match dialect {
        Dialect::Sqlite => (" AND ", " NOT "),
        Dialect::Postgres => (" & ", " & !"),
    };
    let wanted = question.wanted().map(term).chain(marks.iter().map(one_of));
    let wanted = wanted.collect::<Vec<_>>().join(and);
    question
        .unwanted()
        .map(term)
        .fold(format!("({wanted})"), |all, term| format!("({all}{not}{term})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same() {
        let question = Question::read(r#"one "two three" four* -"five six""#).unwrap();
        let marks = [vec!["l1".to_owned(), "w2".to_owned()], vec!["kreply".to_owned()]];
        assert_eq!(
            expression(Dialect::Sqlite, &question, &marks),
            r#"((words : "one" AND words : "two three" AND words : "four" * AND marks : ("l1" OR "w2") AND marks : ("kreply")) NOT words : "five six")"#
        );
        assert_eq!(
            expression(Dialect::Postgres, &question, &marks),
            "((('one') & ('two' <-> 'three') & ('four':*) & ('#l1' | '#w2') & ('#kreply')) & !('five' <-> 'six'))"
        );
    }

    #[test]
    fn positions_stay_within_what_is_counted() {
        let words = vec!["ab".repeat(20); VECTOR_BYTES / 40];
        let row = Indexed { id: 1, log_n: 1, seq: 1, words, marks: vec![] };
        assert!(vector(&row).matches(' ').count() < VECTOR_BYTES / 44);
        let words = vec!["a".to_owned(); LAST_POSITION + 5];
        let row = Indexed { id: 1, log_n: 1, seq: 1, words, marks: vec!["lx".to_owned()] };
        let text = vector(&row);
        assert!(text.starts_with("'#lx' 'a':1 'a':2 "), "{}", &text[..30]);
        assert!(text.ends_with("'a':16383 'a':16383 'a':16383 'a':16383 'a':16383 'a':16383"));
    }
}
