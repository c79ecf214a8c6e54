//! Reads `MOSAIC_*`. A name that starts so and is no setting is an error: a typing slip must not leave a default in
//! force, least of all one about access. Leaves out: reading the process environment.

use super::{
    FILE_VARIABLE, KEY_VARIABLE, env_names,
    key::{ENV_PREFIX, locate_env},
    layers::{Layers, Raw, Source},
    problem::nearest,
    table::KEYS,
};

/// How many parts of a name are tried as the name of a provider when guessing.
const PARTS_TRIED: usize = 8;

pub(super) fn read(environment: &[(String, String)], layers: &mut Layers) {
    let mut ours: Vec<_> = environment
        .iter()
        .filter(|(name, _)| {
            name.starts_with(ENV_PREFIX) && name != FILE_VARIABLE && name != KEY_VARIABLE
        })
        .collect();
    // The order of an environment means nothing, and problems should come in the same order every time.
    ours.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, value) in ours {
        let source = Source::Env(name.clone());
        match locate_env(name) {
            Some(spot) => layers.set(&spot, &Raw::Loose(value.clone()), &source),
            None => layers.problem(&source, unknown(name)),
        }
    }
}

fn unknown(name: &str) -> String {
    let upper = name.to_uppercase();
    let mut candidates = env_names();
    candidates.retain(|name| !name.contains('<'));
    if let Some(rest) = upper.strip_prefix("MOSAIC_OIDC_") {
        for (at, _) in rest.match_indices('_').filter(|(at, _)| *at > 0).take(PARTS_TRIED) {
            let fields = KEYS.iter().filter(|key| key.provider_field().is_some());
            candidates.extend(fields.map(|key| key.env_name_for(&rest[..at])));
        }
    }
    match nearest(&upper, &candidates) {
        Some(guess) => format!("unknown setting; did you mean {guess}?"),
        None => "unknown setting; docs/configuration.md lists them all".to_owned(),
    }
}
