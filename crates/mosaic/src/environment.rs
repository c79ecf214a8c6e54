//! Providers of models out of the environment, as other programs know them: `ANTHROPIC_API_KEY` and the like. They count
//! only when the operator says so, because everybody on this server can use them then.

use crate::config::Settings;
use anyhow::{Context, bail};
use mosaic_gateway::{EnvironmentProvider, Key, ModelSettings};
use mosaic_protocol::provider::ProviderKind;

const KEYS: [(&str, ProviderKind); 5] = [
    ("ANTHROPIC_API_KEY", ProviderKind::Anthropic),
    ("OPENAI_API_KEY", ProviderKind::OpenAi),
    ("OPENROUTER_API_KEY", ProviderKind::OpenRouter),
    ("ZAI_API_KEY", ProviderKind::Zai),
    ("DEEPSEEK_API_KEY", ProviderKind::DeepSeek),
];

/// A catalogue of one's own is no larger.
const CATALOGUE_BYTES: u64 = 4 * 1024 * 1024;

/// What the operator has chosen about models.
pub(crate) fn models(settings: &Settings) -> anyhow::Result<ModelSettings> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let mut models = if settings.providers.from_environment {
        of_environment(&variable)?
    } else {
        ModelSettings::default()
    };
    models.private_hosts.clone_from(&settings.providers.private_hosts);
    if let Some(name) = &settings.providers.second_look {
        let model = name.clone().try_into();
        models.second_look =
            Some(model.map_err(|error| anyhow::anyhow!("`providers.second_look`: {error}"))?);
    }
    if let Some(path) = &settings.providers.catalogue {
        let what = || format!("`providers.catalogue`: {} cannot be read", path.display());
        if std::fs::metadata(path).with_context(what)?.len() > CATALOGUE_BYTES {
            bail!("`providers.catalogue`: {} has more than 4 MiB", path.display());
        }
        models.overrides = Some(std::fs::read_to_string(path).with_context(what)?);
    }
    Ok(models)
}

/// The variables that are set and do not count, for a hint.
pub(crate) fn ignored(settings: &Settings) -> Vec<&'static str> {
    if settings.providers.from_environment {
        return vec![];
    }
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    KEYS.iter().map(|(name, _)| *name).chain(["OLLAMA_BASE_URL"]).filter(is_set).collect()
}

fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<ModelSettings> {
    let mut models = ModelSettings::default();
    for (name, kind) in KEYS {
        if let Some(key) = variable(name) {
            let key = Some(Key::new(key.trim().to_owned()));
            models.environment.push(EnvironmentProvider { kind, base_url: None, key });
        }
    }
    if let Some(url) = variable("OLLAMA_BASE_URL") {
        let (kind, base_url) = (ProviderKind::Ollama, Some(url.trim().to_owned()));
        models.environment.push(EnvironmentProvider { kind, base_url, key: None });
    }
    if let Some(name) = variable("DEFAULT_PROVIDER") {
        let kind = name.trim().to_lowercase().parse();
        let kinds: Vec<&str> = ProviderKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let kind = kind.map_err(|()| {
            anyhow::anyhow!("DEFAULT_PROVIDER: `{name}` is none of {}", kinds.join(", "))
        })?;
        models.default_provider = Some(kind);
    }
    if let Some(name) = variable("DEFAULT_MODEL") {
        let model = name.trim().to_owned().try_into();
        models.default_model =
            Some(model.map_err(|error| anyhow::anyhow!("DEFAULT_MODEL: {error}"))?);
    }
    Ok(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_becomes_a_provider_and_nonsense_is_refused() {
        let of = |pairs: &'static [(&str, &str)]| {
            of_environment(&move |name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let models = of(&[
            ("ANTHROPIC_API_KEY", " sk-ant \n"),
            ("OLLAMA_BASE_URL", "http://127.0.0.1:11434"),
            ("DEFAULT_PROVIDER", "Zai"),
            ("DEFAULT_MODEL", "glm-5"),
        ]);
        let models = models.unwrap();
        assert_eq!(models.environment.len(), 2);
        assert_eq!(models.environment[0].key.as_ref().unwrap().expose(), "sk-ant");
        assert_eq!(models.default_provider, Some(ProviderKind::Zai));
        assert!(of(&[("DEFAULT_PROVIDER", "acme")]).is_err());
        assert!(of(&[("DEFAULT_MODEL", "a b")]).is_err());
    }
}
