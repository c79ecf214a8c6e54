//! The snapshot and what beats it, ids and their families, tiers, and overrides that cannot be taken.

use super::*;
use crate::Price;
use ProviderKind::{
    Anthropic, Compatible, DeepSeek, Local, Ollama, OpenAi, OpenRouter, Scripted, Zai,
};
use mosaic_protocol::{route::Tier, usage::PriceSource};
use std::collections::BTreeSet;

fn bundled() -> &'static Catalogue {
    Catalogue::bundled()
}

#[test]
fn the_snapshot_can_be_read_and_is_bounded() {
    let read = Catalogue::read(&[SNAPSHOT, BY_HAND]).unwrap();
    assert_eq!(read.models().count(), bundled().models().count());
    assert!(SNAPSHOT.len() <= 150_000);
    let count = |kind| read.models().filter(|model| model.kind == kind).count();
    assert!((50..=150).contains(&count(OpenRouter)));
    for (kind, least) in [(Anthropic, 15), (OpenAi, 40), (Zai, 10), (DeepSeek, 3), (Ollama, 20)] {
        assert!(count(kind) >= least, "{kind}");
    }
    for model in read.models() {
        let name = model.full_id();
        assert!(model.known && model.context >= 128 && !model.name.is_empty(), "{name}");
        assert!(!(model.embedding && (model.tools || model.thinks())), "{name}");
        assert!(model.embedding || model.max_output >= 128, "{name}");
        assert!(model.thinking.is_sorted_by(|a, b| a < b), "{name}");
        let free = matches!(model.kind, Ollama | Local);
        let source = if free { PriceSource::Free } else { PriceSource::Catalogue };
        let unpriced = !free && model.price.is_none();
        assert_eq!(
            model.price_source,
            if unpriced { PriceSource::Unknown } else { source },
            "{name}"
        );
        if let Some(price) = &model.price {
            let sizes: Vec<_> = price.tiers.iter().map(|(above, _)| *above).collect();
            assert!(sizes.iter().all(|above| *above >= 32_000), "{name}");
        }
    }
}

#[test]
fn well_known_models_can_do_what_they_can() {
    type Row = (ProviderKind, &'static str, u64, u64, [bool; 3], bool);
    // Context, output; tools, vision, structured; thinks.
    let table: &[Row] = &[
        (Anthropic, "claude-sonnet-4-5", 200_000, 64_000, [true, true, true], true),
        (Anthropic, "claude-opus-5-5", 1_000_000, 128_000, [true, true, true], true),
        (OpenAi, "gpt-5", 272_000, 128_000, [true, true, true], true),
        (OpenAi, "gpt-4.1", 1_047_576, 32_768, [true, true, true], false),
        (OpenAi, "gpt-5.3-codex", 272_000, 128_000, [true, true, true], true),
        (Zai, "glm-5", 200_000, 128_000, [true, false, false], true),
        (DeepSeek, "deepseek-chat", 131_072, 8_192, [true, false, true], false),
        (Ollama, "qwen3", 40_960, 8_192, [true, false, true], true),
        (Ollama, "llava", 32_768, 4_096, [false, true, true], false),
        (Local, "smollm2-135m-instruct", 2_048, 512, [false, false, false], false),
    ];
    for (kind, id, context, max_output, can, thinks) in table {
        let model = bundled().find(*kind, id).unwrap();
        assert_eq!((model.context, model.max_output), (*context, *max_output), "{id}");
        assert_eq!([model.tools, model.vision, model.structured], *can, "{id}");
        assert_eq!(model.thinks(), *thinks, "{id}");
    }
    assert!(bundled().find(OpenAi, "text-embedding-3-small").unwrap().embedding);
    assert!(bundled().find(Ollama, "nomic-embed-text").unwrap().embedding);
}

#[test]
fn tiers_follow_prices() {
    for (kind, id, tier) in [
        (Anthropic, "claude-opus-5-5", Tier::Premium),
        (Anthropic, "claude-opus-4-5", Tier::Premium),
        (Anthropic, "claude-sonnet-4-5", Tier::Standard),
        (Anthropic, "claude-sonnet-5-5", Tier::Standard),
        (Anthropic, "claude-haiku-4-5", Tier::Cheap),
        (OpenAi, "gpt-5", Tier::Standard),
        (OpenAi, "gpt-5-mini", Tier::Cheap),
        (OpenAi, "gpt-5-pro", Tier::Premium),
        (OpenAi, "gpt-5.3-codex", Tier::Standard),
        (Zai, "glm-5", Tier::Cheap),
        (DeepSeek, "deepseek-chat", Tier::Cheap),
        (OpenRouter, "google/gemini-2.5-pro", Tier::Standard),
        (Ollama, "llama3.3", Tier::Cheap),
        (Local, "smollm2-135m-instruct", Tier::Cheap),
        (Compatible, "whatever", Tier::Standard),
    ] {
        assert_eq!(bundled().get(kind, id).tier, tier, "{id}");
    }
}

#[test]
fn dated_ids_find_their_family() {
    for (kind, id, found) in [
        (Anthropic, "claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
        (Anthropic, "claude-3-5-haiku", Some("claude-3-5-haiku-latest")),
        (Anthropic, "claude-3-5-sonnet", Some("claude-3-5-sonnet-20241022")),
        (Anthropic, "claude-opus-5-5-latest", Some("claude-opus-5-5")),
        (OpenAi, "gpt-5-2025-08-07", Some("gpt-5")),
        (OpenAi, "gpt-4o-2024-05-13", Some("gpt-4o-2024-05-13")),
        (OpenAi, "gpt-5-mini-2025-08-07", Some("gpt-5-mini")),
        (Zai, "GLM-5", Some("glm-5")),
        (Ollama, "qwen3:8b", Some("qwen3")),
        (Ollama, "llama3.2:latest", Some("llama3.2")),
        (OpenRouter, "openai/gpt-5:nitro", Some("openai/gpt-5")),
        (OpenRouter, "openai/gpt-5:batch", None),
        (OpenAi, "gpt-5-enormous", None),
        (OpenAi, "claude-opus-5-5", None),
        (OpenAi, "", None),
    ] {
        assert_eq!(bundled().find(kind, id).map(|model| model.id.as_str()), found, "{id}");
    }
}

#[test]
fn of_an_unknown_model_little_is_assumed() {
    let unknown = bundled().get(Compatible, "whatever");
    assert_eq!((unknown.context, unknown.max_output), (8_192, 2_048));
    assert!(!unknown.known && !unknown.tools && !unknown.vision && !unknown.structured);
    assert_eq!((unknown.price.clone(), unknown.price_source), (None, PriceSource::Unknown));
    assert!(bundled().get(Anthropic, "claude-opus-9").tools);
    assert!(bundled().get(Scripted, "cut-after-3").known);
}

#[test]
fn what_a_provider_lists_beats_the_snapshot_field_by_field() {
    let listed = [
        Listed {
            id: "claude-sonnet-4-5-20250929".into(),
            context: Some(500_000),
            vision: Some(false),
            ..Listed::default()
        },
        Listed { id: "claude-opus-9".into(), price: Some((1, 30_000_000)), ..Listed::default() },
        Listed {
            id: "odd".into(),
            context: Some(0),
            max_output: Some(u64::MAX),
            price: Some((u64::MAX, 0)),
            ..Listed::default()
        },
        Listed { id: "x".repeat(201), ..Listed::default() },
        Listed::default(),
    ];
    let before = bundled().models().count();
    let catalogue = bundled().with_listed(Anthropic, &listed);
    assert_eq!(catalogue.models().count(), before + 3);
    let sonnet = catalogue.find(Anthropic, "claude-sonnet-4-5-20250929").unwrap();
    assert_eq!((sonnet.context, sonnet.max_output), (500_000, 64_000));
    assert!(!sonnet.vision && sonnet.tools && sonnet.price.is_some());
    assert_eq!(bundled().find(Anthropic, "claude-sonnet-4-5").unwrap().context, 200_000);
    let opus = catalogue.find(Anthropic, "claude-opus-9").unwrap();
    assert_eq!((opus.tier, opus.context), (Tier::Premium, 200_000));
    let odd = catalogue.find(Anthropic, "odd").unwrap();
    assert_eq!((odd.context, odd.max_output, odd.price.clone()), (200_000, 8_192, None));

    // The snapshot's prices of caches stay where the list agrees with it, and go where it does not.
    let price = |micros| Listed {
        id: "anthropic/claude-sonnet-4.5".into(),
        price: Some((micros, 15_000_000)),
        ..Listed::default()
    };
    let of = |micros| {
        let catalogue = bundled().with_listed(OpenRouter, &[price(micros)]);
        catalogue.find(OpenRouter, "anthropic/claude-sonnet-4.5").unwrap().price.clone().unwrap()
    };
    assert_eq!(of(3_000_000).base.cache_read, Some(300_000));
    assert_eq!(of(4_000_000), Price::flat(4_000_000, 15_000_000));
}

#[test]
fn what_somebody_writes_here_beats_everything_now_and_later() {
    let text = r#"{
        "anthropic/claude-sonnet-4-5": {"context": 100, "price": {"input": 1, "output": 2.5}},
        "compatible/mine": {"name": "Mine", "tools": true, "thinking": ["off", "high"], "tier": "premium",
            "price": {"input": 0.5, "output": 1}}
    }"#;
    let catalogue = bundled().with_overrides(text).unwrap();
    let listed = Listed {
        id: "claude-sonnet-4-5".into(),
        context: Some(7),
        price: Some((9, 9)),
        ..Listed::default()
    };
    let dated = Listed { id: "claude-sonnet-4-5-20250929".into(), ..listed.clone() };
    let listed = catalogue.with_listed(Anthropic, &[listed, dated]);
    for catalogue in [&catalogue, &listed] {
        for id in ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929"] {
            let model = catalogue.find(Anthropic, id).unwrap();
            assert_eq!((model.context, model.max_output), (100, 64_000));
            assert_eq!(model.price, Some(Price::flat(1_000_000, 2_500_000)));
            assert_eq!((model.price_source, model.tier), (PriceSource::Override, Tier::Cheap));
        }
    }
    let mine = catalogue.find(Compatible, "mine").unwrap();
    assert!(mine.known && mine.tools && mine.thinks());
    assert_eq!((mine.name.as_str(), mine.tier), ("Mine", Tier::Premium));
    // A later price does not undo a tier that was said.
    let priced = [Listed { id: "mine".into(), price: Some((1, 1)), ..Listed::default() }];
    let later = catalogue.with_listed(Compatible, &priced);
    assert_eq!(later.find(Compatible, "mine").unwrap().tier, Tier::Premium);
}

#[test]
fn a_malformed_override_is_told_with_the_model_and_the_field() {
    let mine = Some("openai/gpt-5");
    for (text, model, field) in [
        ("", None, None),
        ("[]", None, None),
        ("{\"openai/gpt-5\": {\"context\": 1}", None, None),
        (r#"{"gpt-5": {}}"#, Some("gpt-5"), None),
        (r#"{"nobody/gpt-5": {}}"#, Some("nobody/gpt-5"), None),
        (r#"{"openai/gpt-5": 3}"#, mine, None),
        (r#"{"openai/gpt-5": {"contxt": 3}}"#, mine, Some("contxt")),
        (r#"{"openai/gpt-5": {"context": "3"}}"#, mine, Some("context")),
        (r#"{"openai/gpt-5": {"context": 0}}"#, mine, Some("context")),
        (r#"{"openai/gpt-5": {"context": -1}}"#, mine, Some("context")),
        (r#"{"openai/gpt-5": {"max_output": 100000001}}"#, mine, Some("max_output")),
        (r#"{"openai/gpt-5": {"tools": null}}"#, mine, Some("tools")),
        (r#"{"openai/gpt-5": {"name": ""}}"#, mine, Some("name")),
        (r#"{"openai/gpt-5": {"tier": "dear"}}"#, mine, Some("tier")),
        (r#"{"openai/gpt-5": {"thinking": ["high", "low"]}}"#, mine, Some("thinking")),
        (r#"{"openai/gpt-5": {"thinking": ["hgih"]}}"#, mine, Some("thinking[0]")),
        (r#"{"openai/gpt-5": {"price": {"input": 1}}}"#, mine, Some("price")),
        (r#"{"openai/gpt-5": {"price": {"input": 1e9, "output": 1}}}"#, mine, Some("price.input")),
        (
            r#"{"openai/gpt-5": {"price": {"input": 1, "output": 1, "x": 1}}}"#,
            mine,
            Some("price.x"),
        ),
    ] {
        let error = bundled().with_overrides(text).unwrap_err();
        assert_eq!((error.model.as_deref(), error.field.as_deref()), (model, field), "{text}");
        let told = error.to_string();
        assert!(model.is_none_or(|model| told.contains(model)), "{told}");
        assert!(field.is_none_or(|field| told.contains(field)), "{told}");
    }
    // One good model beside a bad one is not taken either: there is no catalogue to take it.
    assert!(bundled().with_overrides(r#"{"openai/gpt-5": {}, "openai/x": {"y": 1}}"#).is_err());
    assert!(bundled().with_overrides(&" ".repeat(2_000_000)).is_err());
    let many: Vec<_> = (0..2_001).map(|n| format!("\"openai/{n}\":{{}}")).collect();
    assert!(bundled().with_overrides(&format!("{{{}}}", many.join(","))).is_err());
}

#[test]
fn every_model_of_a_family_is_in_the_catalogue() {
    let names: Vec<_> = bundled().families().collect();
    assert_eq!(names, ["codex", "glm-5", "haiku", "local", "ollama", "opus", "sonnet"]);
    for name in names {
        let models = bundled().family(name);
        assert!(!models.is_empty());
        assert_eq!(models.iter().collect::<BTreeSet<_>>().len(), models.len(), "{name}");
        for (kind, id) in models {
            let found = bundled().find(*kind, id).unwrap_or_else(|| panic!("{kind}/{id}"));
            assert_eq!(found.id, *id);
            assert!(!found.embedding);
        }
    }
    let first = &bundled().family("opus")[0];
    assert_eq!((first.0, first.1.as_str()), (Anthropic, "claude-opus-5-5"));
    assert!(bundled().family("opuss").is_empty());
}

#[test]
fn wrong_names_are_answered_with_the_nearest() {
    for (wrong, first) in [
        ("claude-opus-5-6", "anthropic/claude-opus-5-5"),
        ("claude-sonet-4-5", "anthropic/claude-sonnet-4-5"),
        ("openai/gpt5", "openai/gpt-5"),
        ("gpt-5.3-codx", "openai/gpt-5.3-codex"),
        ("ollama/lama3.2", "ollama/llama3.2"),
    ] {
        assert_eq!(bundled().nearest(wrong).first().map(String::as_str), Some(first), "{wrong}");
    }
    assert_eq!(bundled().nearest("qqqqqqqqqqqqqqqqqqqq"), Vec::<String>::new());
    assert_eq!(bundled().nearest_at(Zai, "glm5").first().map(String::as_str), Some("glm-5"));
    assert!(bundled().nearest_at(Zai, "claude-opus-5-5").is_empty());
}
