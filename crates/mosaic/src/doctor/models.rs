//! What there is to check about models: the catalogue's overrides, and whether anybody can be asked.

use super::Finding;
use crate::{config::Settings, control::Control, environment};
use mosaic_models::Catalogue;
use mosaic_protocol::{
    page::Page,
    provider::{HealthState, Provider},
};

const HOW_TO_ADD: &str = "mosaic provider add NAME --kind KIND (docs/models.md)";

/// What the configuration says of models.
pub(super) fn configured(settings: &Settings) -> Vec<Finding> {
    let mut findings: Vec<Finding> = catalogue(settings).into_iter().collect();
    let ignored = environment::ignored(settings);
    if !ignored.is_empty() {
        findings.push(Finding::note(
            "keys in the environment",
            format!("{} set, and not used", are(&ignored)),
            "MOSAIC_PROVIDERS_FROM_ENVIRONMENT=true lets everybody on this server use them",
        ));
    }
    findings
}

/// These variables, with the right verb.
pub(crate) fn are(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(", "))
}

fn catalogue(settings: &Settings) -> Option<Finding> {
    const WHAT: &str = "catalogue of models";
    let path = settings.providers.catalogue.as_ref()?;
    let models = match environment::models(settings) {
        Ok(models) => models,
        Err(error) => {
            return Some(Finding::bad(
                WHAT,
                format!("{error:#}"),
                "correct it, or take the setting away",
            ));
        }
    };
    let taken = Catalogue::bundled().with_overrides(models.overrides.as_deref().unwrap_or("{}"));
    Some(match taken {
        Ok(_) => Finding::good(WHAT, path.display().to_string()),
        Err(error) => Finding::bad(
            WHAT,
            format!("{}: {error}", path.display()),
            "correct it (docs/models.md says what it may hold); `mosaic up` does not start before",
        ),
    })
}

/// What the running gateway has to ask. Nothing is opened where none runs: that would change what is there.
pub(super) async fn running(settings: &Settings) -> Option<Finding> {
    let asked =
        async { Control::open(settings).await?.get::<Page<Provider>>("/api/providers").await };
    // That it does not answer is another finding.
    asked.await.ok().map(|page| told(&page.items))
}

fn told(all: &[Provider]) -> Finding {
    const WHAT: &str = "providers of models";
    let is = |state: HealthState| move |it: &&Provider| it.enabled && it.health.state == state;
    let names = |state: HealthState| {
        let names: Vec<&str> =
            all.iter().filter(is(state)).map(|provider| provider.name.as_str()).collect();
        names.join(", ")
    };
    let down = names(HealthState::Down);
    let n = all.iter().filter(|provider| provider.enabled).count();
    match (n, down.as_str()) {
        (0, _) => Finding::note(WHAT, "the server has none; people may have their own", HOW_TO_ADD),
        (_, "") => Finding::good(WHAT, format!("the server has {n}")),
        (_, down) => Finding::note(
            WHAT,
            format!("not answering: {down}"),
            "mosaic provider test NAME says why",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;
    use serde_json::json;

    fn provider(name: &str, enabled: bool, state: &str) -> Provider {
        let json = json!({
            "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": name, "workspace_id": null,
            "kind": "openai", "api": "chat", "base_url": "", "enabled": enabled, "credential": "key",
            "hint": "", "from_environment": false,
            "health": { "state": state, "tried_at": null, "worked_at": null, "latency_ms": null,
                "limited_until": null, "last_error": null, "rate_limit": null },
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_server_without_a_provider_is_told_how_to_add_one() {
        let none = told(&[provider("off", false, "up")]);
        assert_eq!((none.level, none.remedy.as_deref()), (Level::Note, Some(HOW_TO_ADD)));
        assert_eq!(told(&[provider("a", true, "up")]).level, Level::Good);
        let down = told(&[provider("a", true, "up"), provider("b", true, "down")]);
        assert_eq!((down.level, down.found.as_str()), (Level::Note, "not answering: b"));
    }

    #[test]
    fn what_is_wrong_with_a_catalogue_is_said_with_its_place() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let of = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            let flag = format!("providers.catalogue={}", file.path().display());
            let options = crate::args::Options {
                config: None,
                data: None,
                database_url: None,
                listen: None,
                setup_code: None,
                set: vec![flag],
            };
            catalogue(&crate::setting::load(&options).unwrap().settings).unwrap()
        };
        assert_eq!(of(r#"{"openai/gpt-5":{"context":100000}}"#).level, Level::Good);
        let bad = of(r#"{"openai/gpt-5":{"context":-1}}"#);
        assert_eq!(bad.level, Level::Bad);
        assert!(bad.found.contains("gpt-5") && bad.found.contains("context"), "{}", bad.found);
        assert_eq!(of("{").level, Level::Bad);
    }
}
