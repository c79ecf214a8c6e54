//! What only the provider that made it reads (a signature over thoughts, reasoning in a sealed form), as a word that
//! travels through formats which have one place for one such word. So a conversation that begins with one provider goes
//! on with another and comes back.

use base64::{Engine, engine::general_purpose::STANDARD};
use mosaic_models::Sealed;
use mosaic_protocol::provider::ProviderKind;
use serde_json::{Value, json};

/// Ours, and which version of ours.
const MARK: &str = "mosaic1.";

/// Providers seal a few kilobytes for every thousand tokens of thought.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The word for it.
pub(crate) fn wrapped(sealed: &Sealed) -> String {
    let json = sealed.value.to_string();
    format!("{MARK}{}.{}", sealed.by, STANDARD.encode(json))
}

/// What a word holds. One that is not ours is as the format's own provider made it: its value is `own` of it. One of
/// ours that is damaged, too large or of another version is nothing, never an error.
pub(crate) fn unwrapped(
    word: &str,
    by: ProviderKind,
    own: impl FnOnce(&str) -> Value,
) -> Option<Sealed> {
    if word.is_empty() || word.len() > MOST_BYTES {
        return None;
    }
    let Some(ours) = word.strip_prefix("mosaic") else {
        return Some(Sealed { by, value: own(word) });
    };
    let (by, json) = ours.strip_prefix(MARK.strip_prefix("mosaic")?)?.split_once('.')?;
    let value = serde_json::from_slice(&STANDARD.decode(json).ok()?).ok()?;
    Some(Sealed { by: by.parse().ok()?, value })
}

/// The word for Anthropic's `signature`, or its `data` where thoughts are not shown at all.
pub(crate) enum Word {
    /// Of thoughts that may be shown.
    Signature(String),
    /// Instead of thoughts.
    Redacted(String),
}

/// As Anthropic's format has it. The model that thought is in there, too, because newer models refuse the thoughts of
/// others; so Anthropic's own are wrapped as well.
pub(crate) fn for_messages(sealed: &Sealed) -> Word {
    let hidden = sealed.by == ProviderKind::Anthropic && sealed.value.get("data").is_some();
    match hidden {
        true => Word::Redacted(wrapped(sealed)),
        false => Word::Signature(wrapped(sealed)),
    }
}

/// As Responses has it: OpenAI's own as they are, others wrapped.
pub(crate) fn for_responses(sealed: &Sealed) -> String {
    let own = sealed.value.get("encrypted_content").and_then(Value::as_str);
    match own.filter(|own| sealed.by == ProviderKind::OpenAi && !own.starts_with("mosaic")) {
        Some(own) => own.to_owned(),
        None => wrapped(sealed),
    }
}

/// Out of Anthropic's format.
pub(crate) fn of_messages(word: &str, field: &str) -> Option<Sealed> {
    unwrapped(word, ProviderKind::Anthropic, |word| json!({ field: word }))
}

/// Out of Responses, with the summary that stood beside it.
pub(crate) fn of_responses(word: &str, summary: &[String]) -> Option<Sealed> {
    let part = |text: &String| json!({ "type": "summary_text", "text": text });
    let summary = || summary.iter().map(part).collect::<Vec<_>>();
    unwrapped(
        word,
        ProviderKind::OpenAi,
        |word| json!({ "summary": summary(), "encrypted_content": word }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_provider_sealed_comes_back_through_the_format_of_another() {
        for by in ProviderKind::ALL {
            let value = json!({ "x": [1, null, "é"], "signature": "abc" });
            let sealed = Sealed { by: *by, value };
            let Word::Signature(word) = for_messages(&sealed) else { panic!("it is no `data`") };
            assert_eq!(of_messages(&word, "signature"), Some(sealed.clone()));
            assert_eq!(of_responses(&for_responses(&sealed), &[]), Some(sealed));
        }
        let hidden =
            Sealed { by: ProviderKind::Anthropic, value: json!({ "data": "abc", "model": "m" }) };
        let Word::Redacted(word) = for_messages(&hidden) else { panic!("it is `data`") };
        assert_eq!(of_messages(&word, "data"), Some(hidden));
        let summary = vec!["so".to_owned()];
        let summed = json!([{ "type": "summary_text", "text": "so" }]);
        let value = json!({ "summary": summed, "encrypted_content": "gAAA" });
        let own = Sealed { by: ProviderKind::OpenAi, value };
        assert_eq!(for_responses(&own), "gAAA");
        assert_eq!(of_responses("gAAA", &summary), Some(own));
    }

    #[test]
    fn damaged_words_are_nothing() {
        let good = wrapped(&Sealed { by: ProviderKind::OpenAi, value: json!({ "a": 1 }) });
        for end in 0..good.len() {
            // What is cut before our mark is whole may be anybody's.
            if end >= "mosaic".len() {
                let word = &good[..end];
                let found = of_messages(word, "signature");
                assert!(found.is_none(), "{word}: {found:?}");
            }
        }
        for word in
            ["", "mosaic2.openai.e30=", "mosaic1.nobody.e30=", "mosaic1.openai.!!", "mosaic"]
        {
            assert_eq!(of_messages(word, "signature"), None, "{word}");
        }
        let large = "x".repeat(MOST_BYTES + 1);
        assert_eq!(of_messages(&large, "signature"), None);
        let theirs = of_messages("EqQB", "signature").unwrap();
        assert_eq!(theirs.value, json!({ "signature": "EqQB" }));
    }
}
