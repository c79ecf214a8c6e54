//! The audit log: who did what to what, each entry bound to all before it by a keyed digest.
//!
//! It holds ids and digests only, so that deleting a person never breaks the chain. The key is sealed under the
//! master key: who can write to the database alone cannot forge an entry. A log that was cut at its end can only be
//! told from outside, which is why `verify` shows the head and checks an earlier one.

use crate::{
    Error, Result, Store, Tx,
    db::sql,
    keyring::{self, hex},
};
use hmac::{Hmac, KeyInit, Mac};
use mosaic_protocol::{
    Time,
    access::{Actor, Grant},
    audit::{AuditEntry, AuditReport, Deed, Of},
};
use sha2::Sha256;

/// Something that is to be noted.
pub struct Record<'a> {
    /// Who.
    pub actor: Option<&'a Actor>,
    /// What.
    pub deed: Deed,
    /// To what.
    pub of: Of,
    /// More ids or fixed words. Never a name, never anything that a person typed.
    pub detail: String,
}

type Row = (i64, i64, String, String, String, String, Vec<u8>);

/// Every change of accounts begins with this: it makes them happen one after another, on any number of nodes, so that
/// what one has checked stays true until it commits.
pub async fn begin(store: &Store) -> Result<Tx> {
    let mut tx = store.write().await?;
    found(&mut tx).await?;
    // The row's lock is held until the transaction ends.
    sql!(tx, run, "update audit_head set seq = seq where one = 1")?;
    Ok(tx)
}

/// Makes the head of a log that has none.
pub(crate) async fn found(tx: &mut Tx) -> Result<()> {
    let text =
        "insert into audit_head (one, seq, digest) values (1, 0, $1) on conflict (one) do nothing";
    sql!(tx, run, text, Vec::<u8>::new()).map(drop)
}

/// Notes it, in the transaction that does it.
pub async fn append(store: &Store, tx: &mut Tx, record: Record<'_>) -> Result<()> {
    let key = keyring::audit_key(tx, store).await?;
    let (head, previous) = sql!(
        tx,
        one(i64, Vec<u8>),
        "update audit_head set seq = seq + 1 where one = 1 returning seq, digest"
    )?;
    let mut row: Row = (
        head,
        store.ambient().now().0,
        actor_text(record.actor),
        record.deed.as_str().to_owned(),
        record.of.to_string(),
        record.detail,
        vec![],
    );
    row.6 = digest(&key, &previous, &row);
    let (seq, at, actor, action, object, detail, digest) = row;
    sql!(tx, run, "update audit_head set digest = $1 where one = 1", digest)?;
    sql!(
        tx,
        run,
        "insert into audit (seq, at, actor, action, object, detail, digest) values ($1, $2, $3, $4, $5, $6, $7)",
        seq,
        at,
        actor,
        action,
        object,
        detail,
        digest
    )?;
    Ok(())
}

/// Entries after `after`, oldest first.
pub async fn list(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<AuditEntry>> {
    let rows = sql!(
        tx,
        all Row,
        "select seq, at, actor, action, object, detail, digest from audit where seq > $1 order by seq limit $2",
        after,
        limit
    )?;
    let entry = |(seq, at, actor, action, object, detail, digest): Row| AuditEntry {
        seq,
        at: Time(at),
        actor,
        action,
        object,
        detail,
        digest: hex(&digest),
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// Walks the whole chain. `expect` is a `seq:digest` noted earlier, which must still be in it.
pub async fn verify(store: &Store, expect: Option<(i64, String)>) -> Result<AuditReport> {
    let mut tx = store.read().await?;
    let key = keyring::audit_key(&mut tx, store).await?;
    walk(&mut tx, &key, expect).await
}

/// The same in a transaction, with a key at hand.
pub(crate) async fn walk(
    tx: &mut Tx,
    key: &[u8],
    expect: Option<(i64, String)>,
) -> Result<AuditReport> {
    let head = sql!(tx, maybe(i64, Vec<u8>), "select seq, digest from audit_head where one = 1")?;
    let (head_seq, head_digest) = head.unwrap_or_default();
    let mut previous = Vec::new();
    let mut n = 0;
    // The head of an empty log can be noted, too.
    let mut expected_seen =
        expect.as_ref().is_none_or(|(seq, digest)| *seq == 0 && digest.is_empty());
    // From the very first number on, so that nothing hides before the first entry.
    let mut from = i64::MIN;
    loop {
        let rows = sql!(
            tx,
            all Row,
            "select seq, at, actor, action, object, detail, digest from audit where seq >= $1 order by seq limit 1000",
            from
        )?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.0 != n + 1 || row.6 != digest(key, &previous, &row) {
                return Ok(report(n, &previous, Some(n + 1), "an entry is missing or was changed"));
            }
            n += 1;
            from = n + 1;
            expected_seen |=
                expect.as_ref().is_some_and(|(seq, digest)| *seq == n && *digest == hex(&row.6));
            previous = row.6;
        }
    }
    if (n, &previous) != (head_seq, &head_digest) {
        return Ok(report(n, &previous, Some(n + 1), "entries at the end are missing"));
    }
    if !expected_seen {
        let message = "the entry that you noted is not in the log: entries were cut off, or the log was replaced";
        return Ok(report(n, &previous, expect.map(|(seq, _)| seq), message));
    }
    Ok(report(n, &previous, None, "the chain is whole"))
}

fn report(entries: i64, head: &[u8], broken_at: Option<i64>, message: &str) -> AuditReport {
    AuditReport {
        entries,
        head: format!("{entries}:{}", hex(head)),
        broken_at,
        message: message.to_owned(),
    }
}

/// Splits a noted `seq:digest`.
pub fn parse_head(text: &str) -> Result<(i64, String)> {
    text.split_once(':')
        .and_then(|(seq, digest)| Some((seq.parse().ok()?, digest.to_owned())))
        .ok_or_else(|| {
            Error::refused("that is not a noted head", "write it as verify printed it: SEQ:DIGEST")
        })
}

fn actor_text(actor: Option<&Actor>) -> String {
    match actor {
        None => "nobody".to_owned(),
        Some(Actor::System) => "system".to_owned(),
        Some(Actor::User(person)) => match &person.grant {
            Grant::Session(id) => format!("user:{} session:{id}", person.id),
            Grant::Token(id, _) => format!("user:{} token:{id}", person.id),
        },
    }
}

/// Every field with its length before it, so that no two entries ever read the same.
fn digest(key: &[u8], previous: &[u8], row: &Row) -> Vec<u8> {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return vec![] };
    let (seq, at) = (row.0.to_be_bytes(), row.1.to_be_bytes());
    for field in [
        previous,
        &seq,
        &at,
        row.2.as_bytes(),
        row.3.as_bytes(),
        row.4.as_bytes(),
        row.5.as_bytes(),
    ] {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field);
    }
    mac.finalize().into_bytes().to_vec()
}
