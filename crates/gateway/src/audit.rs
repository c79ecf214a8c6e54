//! Reading and verifying the audit log; pages of long lists.

use crate::{Error, Gateway, Result, check};
use mosaic_protocol::{
    access::{Action, Actor, Object},
    audit::{AuditEntry, AuditReport, AuditVerifyQuery},
    page::{Page, PageQuery},
};
use mosaic_store::audit;

const PAGE: u16 = 100;
const MAX_PAGE: u16 = 500;

/// How many things a page holds.
pub(crate) fn page_size(query: &PageQuery) -> Result<i64> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::Invalid(format!("`limit` must be between 1 and {MAX_PAGE}")));
    }
    if query.after.as_deref().is_some_and(|after| after.contains('\0') || after.len() > 200) {
        return Err(Error::Invalid("`after` must be the `next` of the page before".into()));
    }
    Ok(i64::from(limit))
}

/// A page out of one thing more than it holds: that one only tells that there is a next page.
pub(crate) fn page<T>(mut items: Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(cursor) } else { None };
    Page { items, next }
}

impl Gateway {
    /// Entries of the audit log, oldest first.
    pub async fn list_audit(&self, actor: &Actor, query: &PageQuery) -> Result<Page<AuditEntry>> {
        check(actor, Action::ReadAudit, Object::Server)?;
        let limit = page_size(query)?;
        let after = query.after.as_deref().unwrap_or("0").parse();
        let after = after
            .map_err(|_| Error::Invalid("`after` must be the `next` of the page before".into()))?;
        let mut tx = self.inner.store.read().await?;
        let items = audit::list(&mut tx, after, limit + 1).await?;
        Ok(page(items, limit, |entry| entry.seq.to_string()))
    }

    /// Walks the whole chain.
    pub async fn verify_audit(
        &self,
        actor: &Actor,
        query: &AuditVerifyQuery,
    ) -> Result<AuditReport> {
        check(actor, Action::ReadAudit, Object::Server)?;
        let expect = query.expect.as_deref().map(audit::parse_head).transpose()?;
        Ok(audit::verify(&self.inner.store, expect).await?)
    }

    /// Whether this actor may read the metrics.
    pub fn may_read_metrics(&self, actor: &Actor) -> Result<()> {
        check(actor, Action::ReadMetrics, Object::Server)
    }
}
