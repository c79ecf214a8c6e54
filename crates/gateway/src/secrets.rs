//! Secrets of a workspace: set and listed here, never given out.

use crate::{Error, Gateway, Result, workspaces::check_workspace};
use mosaic_protocol::{
    SecretName, WorkspaceId,
    access::{Action, Actor},
    audit::{Deed, Of},
    page::Page,
    workspace::{PutSecretRequest, Secret},
};
use mosaic_store::{audit, secrets};

impl Gateway {
    /// Which secrets a workspace holds.
    pub async fn list_secrets(
        &self,
        actor: &Actor,
        workspace_id: WorkspaceId,
    ) -> Result<Page<Secret>> {
        let mut tx = self.inner.store.read().await?;
        check_workspace(&mut tx, actor, Action::SeeSecrets, workspace_id).await?;
        Ok(Page::whole(secrets::list(&mut tx, workspace_id).await?))
    }

    /// Sets a secret.
    pub async fn put_secret(
        &self,
        actor: &Actor,
        workspace_id: WorkspaceId,
        name: &SecretName,
        request: &PutSecretRequest,
    ) -> Result<Secret> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        check_workspace(&mut tx, actor, Action::ChangeSecrets, workspace_id).await?;
        let (host, value) = (request.host.as_str(), request.value.expose());
        let secret = secrets::put(store, &mut tx, workspace_id, name.as_str(), host, value).await?;
        self.note(
            &mut tx,
            Some(actor),
            Deed::PutSecret,
            Of::Secret(secret.id),
            format!("workspace:{workspace_id}"),
        )
        .await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Deletes a secret.
    pub async fn delete_secret(
        &self,
        actor: &Actor,
        workspace_id: WorkspaceId,
        name: &SecretName,
    ) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        check_workspace(&mut tx, actor, Action::ChangeSecrets, workspace_id).await?;
        if !secrets::delete(&mut tx, workspace_id, name.as_str()).await? {
            return Err(Error::NotFound);
        }
        self.note(&mut tx, Some(actor), Deed::DeleteSecret, Of::Workspace(workspace_id), "")
            .await?;
        Ok(tx.commit().await?)
    }
}
