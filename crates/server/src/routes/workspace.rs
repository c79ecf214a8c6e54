//! Workspaces, their blobs and secrets.

use crate::{
    answer::{Done, Download, Shown},
    input::{Json, Path, Path2, Upload},
    lifeline,
    refusal::Refusal,
    row::Cx,
};
use axum::body::Body;
use mosaic_protocol::{
    BlobHash, SecretName, WorkspaceId,
    page::Page,
    workspace::{Blob, PutSecretRequest, Secret, Workspace},
};

pub(super) async fn list(cx: Cx, (): ()) -> Result<Shown<Page<Workspace>>, Refusal> {
    Ok(Shown(cx.gateway().list_workspaces(cx.actor()?).await?))
}

pub(super) async fn get(
    cx: Cx,
    (Path(id),): (Path<WorkspaceId>,),
) -> Result<Shown<Workspace>, Refusal> {
    Ok(Shown(cx.gateway().get_workspace(cx.actor()?, id).await?))
}

pub(super) async fn put_blob(
    mut cx: Cx,
    (Path2(id, hash), upload): (Path2<WorkspaceId, BlobHash>, Upload),
) -> Result<Shown<Blob>, Refusal> {
    // Before the bytes are read: a stranger may not make us hold them.
    cx.gateway().may_put_blob(cx.actor()?, id).await?;
    let state = cx.state.clone();
    let _room = state.uploads.try_acquire().map_err(|_| Refusal::busy())?;
    let bytes = upload.read(&mut cx).await?;
    Ok(Shown(cx.gateway().put_blob(cx.actor()?, id, &hash, &bytes).await?))
}

pub(super) async fn get_blob(
    cx: Cx,
    (Path2(id, hash),): (Path2<WorkspaceId, BlobHash>,),
) -> Result<Download, Refusal> {
    let (blob, pieces) = cx.gateway().get_blob(cx.actor()?, id, &hash).await?;
    let body = Body::from_stream(lifeline::guarded(cx, pieces));
    Ok(Download { size_bytes: Some(blob.size_bytes), name: None, body })
}

pub(super) async fn delete_blob(
    cx: Cx,
    (Path2(id, hash),): (Path2<WorkspaceId, BlobHash>,),
) -> Result<Done, Refusal> {
    cx.gateway().delete_blob(cx.actor()?, id, &hash).await?;
    Ok(Done)
}

pub(super) async fn secrets(
    cx: Cx,
    (Path(id),): (Path<WorkspaceId>,),
) -> Result<Shown<Page<Secret>>, Refusal> {
    Ok(Shown(cx.gateway().list_secrets(cx.actor()?, id).await?))
}

pub(super) async fn put_secret(
    cx: Cx,
    (Path2(id, name), Json(request)): (Path2<WorkspaceId, SecretName>, Json<PutSecretRequest>),
) -> Result<Shown<Secret>, Refusal> {
    Ok(Shown(cx.gateway().put_secret(cx.actor()?, id, &name, &request).await?))
}

pub(super) async fn delete_secret(
    cx: Cx,
    (Path2(id, name),): (Path2<WorkspaceId, SecretName>,),
) -> Result<Done, Refusal> {
    cx.gateway().delete_secret(cx.actor()?, id, &name).await?;
    Ok(Done)
}
