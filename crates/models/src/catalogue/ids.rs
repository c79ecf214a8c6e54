//! How the ids of one model differ: with a date, with `-latest`, with a tag. Pure.

use mosaic_protocol::provider::ProviderKind;

/// `openrouter/anthropic/claude-opus-4.5` is OpenRouter's `anthropic/claude-opus-4.5`.
pub(super) fn split(name: &str) -> Option<(ProviderKind, &str)> {
    let (kind, id) = name.split_once('/')?;
    let kind = kind.parse().ok()?;
    (!id.is_empty()).then_some((kind, id))
}

/// The names under which a model may be known, best first.
pub(super) fn names(kind: ProviderKind, id: &str) -> impl Iterator<Item = String> {
    let first = Some(id.to_owned());
    let stems = std::iter::successors(first, move |id| stem(kind, id).map(str::to_owned));
    let lower = id.to_lowercase();
    // Some providers list their ids in capitals.
    stems.chain((lower != id).then_some(lower))
}

/// An id without what names one edition of the model: a tag at Ollama, a way of serving at OpenRouter, a date, `-latest`.
pub(super) fn stem(kind: ProviderKind, id: &str) -> Option<&str> {
    match kind {
        ProviderKind::Ollama => {
            if let Some((stem, _)) = id.split_once(':') {
                return Some(stem);
            }
        }
        ProviderKind::OpenRouter => {
            // The same model at the same price. `:free` and `:batch` have other prices and are not the same.
            if let Some((stem, "nitro" | "floor" | "exacto" | "beta")) = id.split_once(':') {
                return Some(stem);
            }
        }
        ProviderKind::Anthropic
        | ProviderKind::OpenAi
        | ProviderKind::Zai
        | ProviderKind::DeepSeek
        | ProviderKind::Compatible
        | ProviderKind::Local
        | ProviderKind::Scripted => {}
    }
    if let Some(stem) = id.strip_suffix("-latest") {
        return (!stem.is_empty()).then_some(stem);
    }
    [8, 4].into_iter().find_map(|digits| undated(id, digits)).or_else(|| {
        let stem = undated(id, 2).and_then(|stem| undated(stem, 2))?;
        undated(stem, 4)
    })
}

/// Without a part of this many digits at the end.
fn undated(id: &str, digits: usize) -> Option<&str> {
    let (stem, last) = id.rsplit_once('-')?;
    let date = last.len() == digits && last.bytes().all(|byte| byte.is_ascii_digit());
    (date && !stem.is_empty()).then_some(stem)
}

/// Orders the editions of a family: `-latest` before the newest date.
pub(super) fn age(id: &str) -> (bool, &str) {
    (id.ends_with("-latest"), id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_have_their_family() {
        use ProviderKind::{Anthropic, Ollama, OpenAi, OpenRouter};
        for (kind, id, expected) in [
            (Anthropic, "claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
            (Anthropic, "claude-sonnet-4-5", None),
            (Anthropic, "claude-3-5-haiku-latest", Some("claude-3-5-haiku")),
            (OpenAi, "gpt-5-2025-08-07", Some("gpt-5")),
            (OpenAi, "gpt-4-0613", Some("gpt-4")),
            (OpenAi, "gpt-5-mini", None),
            (OpenAi, "o3", None),
            (OpenAi, "-latest", None),
            (OpenAi, "2025-08-07", None),
            (Ollama, "qwen3:8b", Some("qwen3")),
            (Ollama, "qwen3", None),
            (OpenRouter, "openai/gpt-5:nitro", Some("openai/gpt-5")),
            (OpenRouter, "openai/gpt-oss-20b:free", None),
        ] {
            assert_eq!(stem(kind, id), expected, "{id}");
        }
        assert_eq!(split("openrouter/a/b"), Some((OpenRouter, "a/b")));
        assert_eq!(split("openrouter/"), None);
        assert_eq!(split("nobody/a"), None);
    }
}
