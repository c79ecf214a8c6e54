//! Which models a provider of this family has, as far as it says.

use super::{failure::malformed, usage::whole};
use crate::{Listed, Result};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Wrapped { data: Vec<Model> },
    Bare(Vec<Model>),
}

/// OpenAI says nothing but the id; OpenRouter says most of this; local servers say how much the model reads.
#[derive(Deserialize)]
struct Model {
    id: String,
    name: Option<String>,
    #[serde(alias = "context_window", alias = "max_model_len", alias = "max_context_length")]
    context_length: Option<u64>,
    top_provider: Option<Top>,
    supported_parameters: Option<Vec<String>>,
    architecture: Option<Architecture>,
    #[serde(default)]
    pricing: Value,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Top {
    max_completion_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Architecture {
    input_modalities: Option<Vec<String>>,
    output_modalities: Option<Vec<String>>,
}

/// llama.cpp's.
#[derive(Deserialize)]
struct Meta {
    n_ctx: Option<u64>,
    n_ctx_train: Option<u64>,
}

/// Reads the list.
pub(crate) fn listed(body: &[u8]) -> Result<Vec<Listed>> {
    let answer = serde_json::from_slice(body).map_err(|error| malformed("the list", &error))?;
    let (Answer::Wrapped { data: models } | Answer::Bare(models)) = answer;
    Ok(models.into_iter().map(Listed::from).collect())
}

impl From<Model> for Listed {
    fn from(model: Model) -> Self {
        let parameters = model.supported_parameters.as_deref();
        let takes = |name: &str| Some(parameters?.iter().any(|parameter| parameter == name));
        let architecture = model.architecture.as_ref();
        let inputs = architecture.and_then(|all| all.input_modalities.as_deref());
        let outputs = architecture.and_then(|all| all.output_modalities.as_deref());
        let embeds = outputs.map(|all| all.iter().any(|way| way.starts_with("embedding")));
        // Without a word about it, the name is all there is; it never says that a model makes none.
        let named = model.id.to_ascii_lowercase().contains("embed").then_some(true);
        let context = model.meta.as_ref().and_then(|meta| meta.n_ctx.or(meta.n_ctx_train));
        Listed {
            context: model.context_length.or(context),
            max_output: model.top_provider.and_then(|top| top.max_completion_tokens),
            tools: takes("tools"),
            vision: inputs.map(|all| all.iter().any(|way| way == "image")),
            thinking: takes("reasoning"),
            embedding: embeds.or(named),
            price: price(&model.pricing),
            id: model.id,
            name: model.name,
        }
    }
}

/// Dollars for a token, as text, become micro-dollars for a million tokens.
fn price(pricing: &Value) -> Option<(u64, u64)> {
    let of = |field: &str| match pricing.get(field)? {
        Value::String(text) => text.parse::<f64>().ok(),
        other => other.as_f64(),
    };
    Some((whole(of("prompt")? * 1e12)?, whole(of("completion")? * 1e12)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn what_is_said_is_read_and_the_rest_is_unknown() {
        let openrouter = br#"{"data":[
            {"id":"anthropic/claude-sonnet-4.5","name":"Anthropic: Claude Sonnet 4.5","context_length":1000000,
             "architecture":{"modality":"text+image->text","input_modalities":["text","image"],"output_modalities":["text"],"tokenizer":"Claude"},
             "pricing":{"prompt":"0.000003","completion":"0.000015","request":"0"},
             "top_provider":{"context_length":1000000,"max_completion_tokens":64000,"is_moderated":false},
             "supported_parameters":["tools","reasoning","temperature"]},
            {"id":"openrouter/auto","name":"Auto","context_length":2000000,"pricing":{"prompt":"-1","completion":"-1"},
             "architecture":{"input_modalities":["text"]},"supported_parameters":[]}]}"#;
        let others = [
            &openrouter[..],
            br#"{"object":"list","data":[{"id":"gpt-5","object":"model","owned_by":"openai"},{"id":"text-embedding-3-small"}]}"#,
            br#"{"object":"list","data":[{"id":"Qwen/Qwen3-8B","max_model_len":32768}]}"#,
            br#"{"data":[{"id":"q.gguf","meta":{"n_ctx_train":40960,"n_vocab":1}}]}"#,
            br#"[{"id":"bare"}]"#,
        ];
        let lines = others.iter().flat_map(|body| listed(body).unwrap()).map(|listed| {
            let Listed { id, name, context, max_output, tools, vision, thinking, embedding, price } = listed;
            format!("{id} {name:?} {context:?} {max_output:?} {tools:?} {vision:?} {thinking:?} {embedding:?} {price:?}")
        });
        expect![[r#"
            anthropic/claude-sonnet-4.5 Some("Anthropic: Claude Sonnet 4.5") Some(1000000) Some(64000) Some(true) Some(true) Some(true) Some(false) Some((3000000, 15000000))
            openrouter/auto Some("Auto") Some(2000000) None Some(false) Some(false) Some(false) None None
            gpt-5 None None None None None None None None
            text-embedding-3-small None None None None None None Some(true) None
            Qwen/Qwen3-8B None Some(32768) None None None None None None
            q.gguf None Some(40960) None None None None None None
            bare None None None None None None None None"#]]
        .assert_eq(&lines.collect::<Vec<_>>().join("\n"));
        assert!(listed(b"{\"models\": 3}").is_err());
    }
}
