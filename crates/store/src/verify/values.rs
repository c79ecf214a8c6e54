//! What is not a log: the audit chain, secrets, blobs and their sums.

use super::{Check, Looking, RESTORE};
use crate::{
    Result, audit as chain, blobs as stored, db::sql, keyring, providers, secrets as sealed,
};

/// How often it is told how far it is.
const EACH: usize = 100;

pub(super) async fn audit(looking: &mut Looking<'_>) -> Result<Check> {
    let mut check = Check::new(
        "audit log",
        "somebody changed the database, or a disk did; compare it with a backup, and restore that if it is the disk",
    );
    (looking.told)(check.what, 0);
    let key = keyring::audit_key_of(&mut looking.tx, &looking.keys).await?;
    let report = chain::walk(&mut looking.tx, &key, None).await?;
    check.found = format!("{} entries", report.entries);
    if let Some(seq) = report.broken_at {
        check.problem(format!("entry {seq}"), report.message);
    }
    Ok(check)
}

pub(super) async fn secrets(looking: &mut Looking<'_>) -> Result<Check> {
    let mut check = Check::new(
        "secrets",
        "enter them again, or restore a backup; a master key that was in use before goes into master.key as one more line",
    );
    (looking.told)(check.what, 0);
    let (n, closed) = sealed::unopenable(&mut looking.tx, &looking.keys).await?;
    check.found = format!("{n}");
    for id in closed {
        check.problem(
            format!("secret {id}"),
            "it cannot be opened: it was changed, or sealed under another key",
        );
    }
    let (n_keys, closed) = providers::unopenable(&mut looking.tx, &looking.keys).await?;
    check.found = format!("{}", n + n_keys);
    for id in closed {
        check.problem(
            format!("the key of provider {id}"),
            "it cannot be opened: it was changed, or sealed under another key",
        );
    }
    Ok(check)
}

pub(super) async fn blobs(looking: &mut Looking<'_>) -> Result<Check> {
    let mut check = Check::new(
        "blobs",
        "put the files back from a copy of blobs/, restore a backup, or store the same bytes again; what has no copy can only be deleted: DELETE /api/workspaces/ID/blobs/HASH",
    );
    let all = stored::all(&mut looking.tx).await?;
    check.found = format!("{}", all.len());
    for (n, (workspace_id, blob)) in all.into_iter().enumerate() {
        if n % EACH == 0 {
            (looking.told)(check.what, n as u64);
        }
        let wrong = stored::wrong(&mut looking.tx, &looking.blobs, workspace_id, &blob).await?;
        if let Some(wrong) = wrong {
            check.problem(format!("blob {} of workspace {workspace_id}", blob.hash), wrong);
        }
    }
    Ok(check)
}

pub(super) async fn used_bytes(looking: &mut Looking<'_>) -> Result<Check> {
    let mut check = Check::new("used space", RESTORE);
    (looking.told)(check.what, 0);
    let rows = sql!(
        looking.tx,
        all(String, i64, i64),
        "select w.id, w.used_bytes, coalesce(cast(sum(b.size_bytes) as bigint), 0) from workspaces w
         left join blobs b on b.workspace_id = w.id group by w.id, w.used_bytes order by w.id"
    )?;
    check.found = format!("{} workspaces", rows.len());
    for (id, noted, sum) in rows.into_iter().filter(|(_, noted, sum)| noted != sum) {
        check.problem(
            format!("workspace {id}"),
            format!("{noted} bytes are noted as used, its blobs have {sum}"),
        );
    }
    Ok(check)
}
