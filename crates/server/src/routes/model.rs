//! Providers of models, how they do, and the models that can be used.

use crate::{
    answer::{Created, Done, Shown},
    input::{Json, Path, Query},
    refusal::Refusal,
    row::Cx,
};
use mosaic_protocol::{
    ModelProviderId,
    page::Page,
    provider::{
        AddProviderRequest, ChangeProviderRequest, HealthShown, ModelShown, Provider,
        ProviderReport,
    },
    workspace::WorkspaceQuery,
};

pub(super) async fn providers(
    cx: Cx,
    (Query(query),): (Query<WorkspaceQuery>,),
) -> Result<Shown<Page<Provider>>, Refusal> {
    Ok(Shown(cx.gateway().list_providers(cx.actor()?, query.workspace_id).await?))
}

pub(super) async fn health(
    cx: Cx,
    (Query(query),): (Query<WorkspaceQuery>,),
) -> Result<Shown<Page<HealthShown>>, Refusal> {
    Ok(Shown(cx.gateway().providers_health(cx.actor()?, query.workspace_id).await?))
}

pub(super) async fn add(
    cx: Cx,
    Json(request): Json<AddProviderRequest>,
) -> Result<Created<Provider>, Refusal> {
    Ok(Created(cx.gateway().add_provider(cx.actor()?, &request).await?))
}

pub(super) async fn change(
    cx: Cx,
    (Path(id), Json(request)): (Path<ModelProviderId>, Json<ChangeProviderRequest>),
) -> Result<Shown<Provider>, Refusal> {
    Ok(Shown(cx.gateway().change_provider(cx.actor()?, id, &request).await?))
}

pub(super) async fn delete(cx: Cx, (Path(id),): (Path<ModelProviderId>,)) -> Result<Done, Refusal> {
    cx.gateway().delete_provider(cx.actor()?, id).await?;
    Ok(Done)
}

pub(super) async fn test(
    cx: Cx,
    (Path(id),): (Path<ModelProviderId>,),
) -> Result<Shown<ProviderReport>, Refusal> {
    Ok(Shown(cx.gateway().test_provider(cx.actor()?, id).await?))
}

pub(super) async fn models(
    cx: Cx,
    (Query(query),): (Query<WorkspaceQuery>,),
) -> Result<Shown<Page<ModelShown>>, Refusal> {
    Ok(Shown(Page::whole(cx.gateway().list_models(cx.actor()?, query.workspace_id).await?)))
}
