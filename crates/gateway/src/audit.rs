//! The audit log: noting what is done, reading it, checking it.

use crate::{
    Error, Gateway, Result, check,
    error::to_operator,
    pages::{page, page_size},
};
use mosaic_protocol::{
    access::{Action, Actor, Object},
    audit::{AuditEntry, AuditReport, AuditVerifyQuery, Deed, Of},
    page::{Page, PageQuery},
};
use mosaic_store::{
    Tx,
    audit::{self, Record},
};
use std::fmt;

impl Gateway {
    /// Notes what is done, in the transaction that does it. `detail`: more ids or fixed words, never what a person typed.
    pub(crate) async fn note(
        &self,
        tx: &mut Tx,
        actor: Option<&Actor>,
        deed: Deed,
        of: Of,
        detail: impl fmt::Display,
    ) -> Result<()> {
        let record = Record { actor, deed, of, detail: detail.to_string() };
        Ok(audit::append(&self.inner.store, tx, record).await?)
    }

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
        // What is refused here is what was asked for.
        let expect = query.expect.as_deref().map(audit::parse_head).transpose();
        let expect = expect.map_err(to_operator)?;
        Ok(audit::verify(&self.inner.store, expect).await?)
    }

    /// Whether this actor may read the metrics.
    pub fn may_read_metrics(&self, actor: &Actor) -> Result<()> {
        check(actor, Action::ReadMetrics, Object::Server)
    }
}
