//! Rules of routing, and which model they would choose.

use crate::{
    answer::{Created, Done, Shown},
    input::{Json, Path, Query},
    refusal::Refusal,
    row::Cx,
};
use mosaic_protocol::{
    RuleId,
    page::Page,
    route::{ExplainRequest, Route},
    rule::{Rule, RuleBody, RuleOrder, RuleOverride, SavedRule},
    workspace::WorkspaceQuery,
};

pub(super) async fn rules(
    cx: Cx,
    (Query(query),): (Query<WorkspaceQuery>,),
) -> Result<Shown<Page<Rule>>, Refusal> {
    Ok(Shown(cx.gateway().list_rules(cx.actor()?, query.workspace_id).await?))
}

pub(super) async fn create(
    cx: Cx,
    Json(body): Json<RuleBody>,
) -> Result<Created<SavedRule>, Refusal> {
    Ok(Created(cx.gateway().create_rule(cx.actor()?, &body).await?))
}

pub(super) async fn update(
    cx: Cx,
    (Path(id), Json(body)): (Path<RuleId>, Json<RuleBody>),
) -> Result<Shown<SavedRule>, Refusal> {
    Ok(Shown(cx.gateway().update_rule(cx.actor()?, id, &body).await?))
}

pub(super) async fn delete(cx: Cx, (Path(id),): (Path<RuleId>,)) -> Result<Done, Refusal> {
    cx.gateway().delete_rule(cx.actor()?, id).await?;
    Ok(Done)
}

pub(super) async fn order(
    cx: Cx,
    Json(order): Json<RuleOrder>,
) -> Result<Shown<Page<Rule>>, Refusal> {
    Ok(Shown(cx.gateway().order_rules(cx.actor()?, &order).await?))
}

pub(super) async fn overrule(
    cx: Cx,
    (Path(id), Json(body)): (Path<RuleId>, Json<RuleOverride>),
) -> Result<Done, Refusal> {
    cx.gateway().override_rule(cx.actor()?, id, &body).await?;
    Ok(Done)
}

pub(super) async fn explain(
    cx: Cx,
    Json(request): Json<ExplainRequest>,
) -> Result<Shown<Route>, Refusal> {
    Ok(Shown(cx.gateway().explain_route(cx.actor()?, &request).await?))
}
