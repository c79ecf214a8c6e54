//! The models that a token can use, in OpenAI's list form and in Anthropic's.

use super::{Tongue, bill::put};
use mosaic_protocol::provider::ModelShown;
use serde::Serialize;

/// The names that are no model, but choose one.
const CHOOSERS: [&str; 4] = ["auto", "cheap", "standard", "premium"];

/// When a model was made is not known here; both formats want a time.
const MADE: &str = "1970-01-01T00:00:00Z";

#[derive(Serialize)]
struct OpenAiList<'a> {
    object: &'static str,
    data: Vec<OpenAiModel<'a>>,
}

#[derive(Serialize)]
struct OpenAiModel<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    owned_by: &'a str,
}

#[derive(Serialize)]
struct AnthropicList<'a> {
    data: Vec<AnthropicModel<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
struct AnthropicModel<'a> {
    r#type: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: &'static str,
}

/// What both formats say of a model.
type Row<'a> = (&'a str, &'a str, &'a str);

/// Id, name and owner of everything that can be asked for.
fn rows(models: &[ModelShown]) -> impl Iterator<Item = Row<'_>> {
    let named = |it: &'static str| (it, it, "mosaic");
    let usable = models.iter().filter(|it| it.unavailable.is_none());
    // Whoever has no model has nothing to choose from, either.
    let choosers = CHOOSERS.into_iter().filter(|_| models.iter().any(|it| !it.embedding));
    choosers
        .map(named)
        .chain(usable.map(|it| (it.id.as_str(), it.name.as_str(), it.provider.as_str())))
}

fn anthropic<'a>((id, display_name, _): Row<'a>) -> AnthropicModel<'a> {
    AnthropicModel { r#type: "model", id, display_name, created_at: MADE }
}

fn openai<'a>((id, _, owned_by): Row<'a>) -> OpenAiModel<'a> {
    OpenAiModel { id, object: "model", created: 0, owned_by }
}

/// Writes the list.
pub(crate) fn list(models: &[ModelShown], tongue: Tongue) -> Vec<u8> {
    let mut out = vec![];
    match tongue {
        Tongue::Anthropic => {
            let data: Vec<_> = rows(models).map(anthropic).collect();
            let first_id = data.first().map(|it| it.id);
            let last_id = data.last().map(|it| it.id);
            put(&mut out, &AnthropicList { data, has_more: false, first_id, last_id });
        }
        Tongue::OpenAi | Tongue::Own => {
            put(&mut out, &OpenAiList { object: "list", data: rows(models).map(openai).collect() });
        }
    }
    out
}

/// Writes one of them, if it is there.
pub(crate) fn one(models: &[ModelShown], id: &str, tongue: Tongue) -> Option<Vec<u8>> {
    let row = rows(models).find(|(it, ..)| *it == id)?;
    let mut out = vec![];
    match tongue {
        Tongue::Anthropic => put(&mut out, &anthropic(row)),
        Tongue::OpenAi | Tongue::Own => put(&mut out, &openai(row)),
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use mosaic_protocol::{provider::ProviderKind, route::Tier};

    fn model(id: &str, unavailable: Option<&str>) -> ModelShown {
        let (provider, model) = id.split_once('/').unwrap();
        ModelShown {
            id: id.into(),
            name: model.to_uppercase(),
            provider: provider.into(),
            kind: ProviderKind::OpenAi,
            model: model.into(),
            context: 1,
            max_output: 1,
            tools: true,
            vision: true,
            structured: true,
            thinking: vec![],
            embedding: false,
            tier: Tier::Cheap,
            price: None,
            unavailable: unavailable.map(Into::into),
        }
    }

    #[test]
    fn what_can_be_used_is_listed_in_both_forms() {
        let models = [model("work/gpt-5", None), model("work/gpt-4", Some("no key"))];
        let text = |tongue| String::from_utf8(list(&models, tongue)).unwrap();
        expect![[r#"{"object":"list","data":[{"id":"auto","object":"model","created":0,"owned_by":"mosaic"},{"id":"cheap","object":"model","created":0,"owned_by":"mosaic"},{"id":"standard","object":"model","created":0,"owned_by":"mosaic"},{"id":"premium","object":"model","created":0,"owned_by":"mosaic"},{"id":"work/gpt-5","object":"model","created":0,"owned_by":"work"}]}"#]]
            .assert_eq(&text(Tongue::OpenAi));
        assert!(text(Tongue::Anthropic).ends_with(
            r#"{"type":"model","id":"work/gpt-5","display_name":"GPT-5","created_at":"1970-01-01T00:00:00Z"}],"has_more":false,"first_id":"auto","last_id":"work/gpt-5"}"#
        ));
        assert_eq!(
            String::from_utf8(list(&[], Tongue::OpenAi)).unwrap(),
            r#"{"object":"list","data":[]}"#
        );
    }
}
