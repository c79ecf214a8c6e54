//! Blobs of a workspace.

use crate::{Error, Gateway, Result, workspaces::check_workspace};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use mosaic_protocol::{
    BlobHash, WorkspaceId,
    access::{Action, Actor},
    workspace::Blob,
};
use mosaic_store::blobs::hash_of;
use std::pin::Pin;

/// A blob's bytes, piece by piece.
pub type BlobPieces = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

impl Gateway {
    /// Checks that one may store blobs there, before the bytes are read.
    pub async fn may_put_blob(&self, actor: &Actor, workspace_id: WorkspaceId) -> Result<()> {
        let mut tx = self.inner.store.read().await?;
        check_workspace(&mut tx, actor, Action::WriteWorkspace, workspace_id).await
    }

    /// Stores these bytes, which must be what the name says.
    pub async fn put_blob(
        &self,
        actor: &Actor,
        workspace_id: WorkspaceId,
        hash: &BlobHash,
        bytes: &Bytes,
    ) -> Result<Blob> {
        self.may_put_blob(actor, workspace_id).await?;
        if hash_of(bytes) != *hash {
            return Err(Error::Invalid("the bytes do not have this SHA-256".into()));
        }
        Ok(self.inner.store.put_blob(workspace_id, bytes).await?.0)
    }

    /// A blob and its bytes.
    pub async fn get_blob(
        &self,
        actor: &Actor,
        workspace_id: WorkspaceId,
        hash: &BlobHash,
    ) -> Result<(Blob, BlobPieces)> {
        let mut tx = self.inner.store.read().await?;
        check_workspace(&mut tx, actor, Action::ReadWorkspace, workspace_id).await?;
        drop(tx);
        let (blob, pieces) =
            self.inner.store.get_blob(workspace_id, hash).await?.ok_or(Error::NotFound)?;
        Ok((blob, pieces.map(|piece| piece.map_err(Error::from)).boxed()))
    }

    /// Deletes a blob.
    pub async fn delete_blob(
        &self,
        actor: &Actor,
        workspace_id: WorkspaceId,
        hash: &BlobHash,
    ) -> Result<()> {
        self.may_put_blob(actor, workspace_id).await?;
        if self.inner.store.delete_blob(workspace_id, hash).await? {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }
}
