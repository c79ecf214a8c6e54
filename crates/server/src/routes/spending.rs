//! Budgets, and what was used.

use crate::{
    answer::{Done, Shown},
    input::{Json, Path, Query},
    refusal::Refusal,
    row::Cx,
};
use mosaic_protocol::{
    BudgetId, UserId,
    budget::{Budget, BudgetRequest, PersonUsageQuery, UsageQuery, UsageReport},
    page::{Page, PageQuery},
};

pub(super) async fn budgets(cx: Cx, (): ()) -> Result<Shown<Page<Budget>>, Refusal> {
    Ok(Shown(cx.gateway().list_budgets(cx.actor()?).await?))
}

pub(super) async fn all_budgets(
    cx: Cx,
    (Query(query),): (Query<PageQuery>,),
) -> Result<Shown<Page<Budget>>, Refusal> {
    Ok(Shown(cx.gateway().list_all_budgets(cx.actor()?, &query).await?))
}

pub(super) async fn put_budget(
    cx: Cx,
    Json(request): Json<BudgetRequest>,
) -> Result<Shown<Budget>, Refusal> {
    Ok(Shown(cx.gateway().put_budget(cx.actor()?, &request).await?))
}

pub(super) async fn delete_budget(cx: Cx, (Path(id),): (Path<BudgetId>,)) -> Result<Done, Refusal> {
    cx.gateway().delete_budget(cx.actor()?, id).await?;
    Ok(Done)
}

pub(super) async fn usage(
    cx: Cx,
    (Query(query),): (Query<UsageQuery>,),
) -> Result<Shown<UsageReport>, Refusal> {
    Ok(Shown(cx.gateway().usage(cx.actor()?, &query).await?))
}

pub(super) async fn usage_of(
    cx: Cx,
    ((Path(id), Query(query)),): ((Path<UserId>, Query<PersonUsageQuery>),),
) -> Result<Shown<UsageReport>, Refusal> {
    Ok(Shown(cx.gateway().usage_of(cx.actor()?, id, &query).await?))
}
