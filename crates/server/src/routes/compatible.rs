//! What programs ask that speak OpenAI's or Anthropic's formats.

use crate::{
    answer::Foreign,
    compatible::serving::{self, Format},
    input::{Headers, Large, Path, Path2},
    refusal::Refusal,
    row::Cx,
};
use mosaic_protocol::ModelName;
use schemars::JsonSchema;
use serde_json::Value;

/// As OpenAI's reference for Chat Completions has it; fields that are not known are passed over.
#[derive(JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
#[expect(dead_code, reason = "it is only described")]
pub(super) struct ChatCompletionRequest {
    /// `auto`, `cheap`, `standard`, `premium`, a family, a model, or `provider/model`.
    model: String,
    /// What was said, oldest first.
    messages: Vec<Value>,
}

/// As OpenAI's reference for Responses has it; fields that are not known are passed over.
#[derive(JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
#[expect(dead_code, reason = "it is only described")]
pub(super) struct ResponsesRequest {
    /// Text, or a list of items.
    input: Value,
    /// `auto`, `cheap`, `standard`, `premium`, a family, a model, or `provider/model`.
    model: String,
}

/// As Anthropic's reference for Messages has it; fields that are not known are passed over.
#[derive(JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
#[expect(dead_code, reason = "it is only described")]
pub(super) struct MessagesRequest {
    /// How many tokens may be written.
    max_tokens: Option<u32>,
    /// What was said, oldest first.
    messages: Vec<Value>,
    /// `auto`, `cheap`, `standard`, `premium`, a family, a model, or `provider/model`.
    model: String,
}

/// As OpenAI's reference for Embeddings has it; fields that are not known are passed over.
#[derive(JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
#[expect(dead_code, reason = "it is only described")]
pub(super) struct EmbeddingsRequest {
    /// Text, or a list of texts.
    input: Value,
    /// `auto`, a model, or `provider/model`.
    model: String,
}

pub(super) async fn chat(cx: Cx, body: Large<ChatCompletionRequest>) -> Result<Foreign, Refusal> {
    serving::answer(cx, body, Format::Chat).await
}

pub(super) async fn responses(cx: Cx, body: Large<ResponsesRequest>) -> Result<Foreign, Refusal> {
    serving::answer(cx, body, Format::Responses).await
}

pub(super) async fn messages(cx: Cx, body: Large<MessagesRequest>) -> Result<Foreign, Refusal> {
    serving::answer(cx, body, Format::Messages).await
}

pub(super) async fn count_tokens(cx: Cx, body: Large<MessagesRequest>) -> Result<Foreign, Refusal> {
    serving::count_tokens(cx, body).await
}

pub(super) async fn embeddings(cx: Cx, body: Large<EmbeddingsRequest>) -> Result<Foreign, Refusal> {
    serving::embed(cx, body).await
}

pub(super) async fn models(cx: Cx, (Headers(head),): (Headers,)) -> Result<Foreign, Refusal> {
    serving::list(cx, head).await
}

pub(super) async fn model(
    cx: Cx,
    ((Path(model), Headers(head)),): ((Path<ModelName>, Headers),),
) -> Result<Foreign, Refusal> {
    serving::model(cx, head, model.as_str()).await
}

pub(super) async fn model_of(
    cx: Cx,
    ((Path2(provider, model), Headers(head)),): ((Path2<ModelName, ModelName>, Headers),),
) -> Result<Foreign, Refusal> {
    serving::model(cx, head, &format!("{provider}/{model}")).await
}
