//! Workspaces and their quotas.

use crate::{Error, Gateway, Result, check, pages, person};
use mosaic_protocol::{
    WorkspaceId,
    access::{Action, Actor, Object},
    audit::{Deed, Of},
    page::{Page, PageQuery},
    workspace::{QuotaRequest, Workspace},
};
use mosaic_store::{Tx, audit, workspaces};

/// Checks that the actor may do this in that workspace.
pub(crate) async fn check_workspace(
    tx: &mut Tx,
    actor: &Actor,
    action: Action,
    id: WorkspaceId,
) -> Result<()> {
    let role = match actor {
        Actor::User(person) => workspaces::role(tx, id, person.id).await?,
        Actor::System => {
            workspaces::get(tx, id).await?.ok_or(Error::NotFound)?;
            None
        }
    };
    check(actor, action, Object::Workspace { role })
}

impl Gateway {
    /// The workspaces that one belongs to.
    pub async fn list_workspaces(&self, actor: &Actor) -> Result<Page<Workspace>> {
        let person = person(actor)?;
        check(actor, Action::SeeOwn, Object::Own { owner: person.id })?;
        let mut tx = self.inner.store.read().await?;
        Ok(Page::whole(workspaces::of(&mut tx, person.id).await?))
    }

    /// One of them.
    pub async fn get_workspace(&self, actor: &Actor, id: WorkspaceId) -> Result<Workspace> {
        let mut tx = self.inner.store.read().await?;
        check_workspace(&mut tx, actor, Action::ReadWorkspace, id).await?;
        let Actor::User(person) = actor else {
            return workspaces::get(&mut tx, id).await?.ok_or(Error::NotFound);
        };
        let all = workspaces::of(&mut tx, person.id).await?;
        all.into_iter().find(|workspace| workspace.id == id).ok_or(Error::NotFound)
    }

    /// Every workspace with its disk use, for those who look after quotas; nothing of what is in them.
    pub async fn list_all_workspaces(
        &self,
        actor: &Actor,
        query: &PageQuery,
    ) -> Result<Page<Workspace>> {
        check(actor, Action::Administer, Object::Server)?;
        let limit = pages::page_size(query)?;
        let mut tx = self.inner.store.read().await?;
        let items =
            workspaces::all(&mut tx, query.after.as_deref().unwrap_or_default(), limit + 1).await?;
        Ok(pages::page(items, limit, |workspace| workspace.id.to_string()))
    }

    /// Changes how much disk a workspace may use.
    pub async fn set_quota(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        request: &QuotaRequest,
    ) -> Result<Workspace> {
        check(actor, Action::Administer, Object::Server)?;
        if request.quota_bytes < 0 {
            return Err(Error::Invalid("`quota_bytes` must not be negative".into()));
        }
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let workspace = workspaces::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        workspaces::set_quota(&mut tx, id, request.quota_bytes).await?;
        self.note(
            &mut tx,
            Some(actor),
            Deed::SetQuota,
            Of::Workspace(id),
            request.quota_bytes.to_string(),
        )
        .await?;
        tx.commit().await?;
        Ok(Workspace { quota_bytes: request.quota_bytes, ..workspace })
    }
}
