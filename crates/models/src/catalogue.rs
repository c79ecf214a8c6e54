//! What is known of models: what they can do, what they cost, and what a rule means by a name such as `opus`.
//!
//! Three sources, each beating the one before it field by field: the snapshot that is bundled, what a provider lists, what
//! somebody wrote here. Of a model that nobody knows little is assumed. Pure; which models can be reached is not known here.

mod families;
mod ids;
mod model;
mod overrides;

pub use model::{Level, Model};
pub use overrides::OverrideError;

use crate::{Listed, nearest::nearest};
use families::Families;
use mosaic_protocol::provider::ProviderKind;
use overrides::Written;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

const SNAPSHOT: &str = include_str!("../data/catalogue.json");
const BY_HAND: &str = include_str!("../data/by-hand.json");

/// So many models of one listing are taken.
const LISTED: usize = 5_000;

/// No id is longer.
const ID_BYTES: usize = 200;

type Key = (ProviderKind, String);

/// What is known of models. Cheap to copy.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    models: BTreeMap<Key, Arc<Model>>,
    /// The best entry of each family of dated ids.
    by_stem: BTreeMap<Key, String>,
    overrides: Arc<BTreeMap<Key, Written>>,
}

/// A file of the snapshot.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    #[expect(dead_code, reason = "for people who read the file")]
    made_from: BTreeMap<String, String>,
    models: BTreeMap<String, Written>,
}

impl Catalogue {
    /// The snapshot that came with this version; read when it is first asked for.
    pub fn bundled() -> &'static Catalogue {
        static BUNDLED: LazyLock<Catalogue> = LazyLock::new(|| {
            // That it can be read is a test; without it, every model is one that nobody knows.
            Catalogue::read(&[SNAPSHOT, BY_HAND]).unwrap_or_default()
        });
        &BUNDLED
    }

    fn read(files: &[&str]) -> Result<Catalogue, serde_json::Error> {
        let mut catalogue = Catalogue::default();
        for file in files {
            let snapshot: Snapshot = serde_json::from_str(file)?;
            for (name, written) in snapshot.models {
                let Some((kind, id)) = ids::split(&name) else { continue };
                let mut model = Model::unknown(kind, id);
                model.known = true;
                // The snapshot names what a model can do, and no more.
                (model.tools, model.vision, model.structured) = (false, false, false);
                model.take_written(&written);
                catalogue.put(model);
            }
        }
        Ok(catalogue)
    }

    /// With what a provider lists: what it says of a model beats what the snapshot says, and what it does not say stays.
    #[must_use]
    pub fn with_listed(&self, kind: ProviderKind, listed: &[Listed]) -> Catalogue {
        let mut catalogue = self.clone();
        for listed in listed.iter().take(LISTED) {
            if listed.id.is_empty() || listed.id.len() > ID_BYTES {
                continue;
            }
            let mut model = Model::clone(&self.get(kind, &listed.id));
            model.id.clone_from(&listed.id);
            model.take_listed(listed);
            if let Some(written) = self.override_of(kind, &listed.id) {
                model.take_written(written);
                model.price_is_set_by(written);
            }
            catalogue.put(model);
        }
        catalogue
    }

    /// With what somebody wrote here, which beats everything else, now and after listings. All of it or, where something
    /// in it is wrong, nothing.
    pub fn with_overrides(&self, text: &str) -> Result<Catalogue, OverrideError> {
        let written = overrides::read(text)?;
        let mut catalogue = self.clone();
        for ((kind, id), written) in &written {
            let mut model = Model::clone(&self.get(*kind, id));
            model.id.clone_from(id);
            model.known = true;
            model.take_written(written);
            model.price_is_set_by(written);
            catalogue.put(model);
        }
        let mut all = BTreeMap::clone(&self.overrides);
        all.extend(written);
        catalogue.overrides = Arc::new(all);
        Ok(catalogue)
    }

    /// What is known of a model, by its id or by the family that a dated id belongs to.
    pub fn find(&self, kind: ProviderKind, id: &str) -> Option<&Arc<Model>> {
        ids::names(kind, id).find_map(|name| {
            let key = (kind, name);
            self.models
                .get(&key)
                .or_else(|| self.models.get(&(kind, self.by_stem.get(&key)?.clone())))
        })
    }

    /// What is known of a model, or the little that may be assumed of one that nobody knows.
    pub fn get(&self, kind: ProviderKind, id: &str) -> Arc<Model> {
        self.find(kind, id).cloned().unwrap_or_else(|| Arc::new(Model::unknown(kind, id)))
    }

    /// Every model, by provider and id.
    pub fn models(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.models.values()
    }

    /// The ids nearest to a wrong one at a provider, best first.
    pub fn nearest_at(&self, kind: ProviderKind, wrong: &str) -> Vec<String> {
        nearest(wrong, self.models().filter(|model| model.kind == kind).map(|model| &*model.id))
    }

    /// The models nearest to a wrong name at any provider, as `kind/id`, best first.
    pub fn nearest(&self, wrong: &str) -> Vec<String> {
        let full: Vec<_> = self.models().map(|model| model.full_id()).collect();
        if ids::split(wrong).is_some() {
            return nearest(wrong, full.iter().map(String::as_str));
        }
        // Without a provider only the ids are compared; the first provider that has one stands for it.
        let near = nearest(wrong, self.models().map(|model| &*model.id));
        let of = |id: &String| self.models().find(|model| model.id == *id);
        near.iter().filter_map(of).map(|model| model.full_id()).collect()
    }

    /// What a rule means by a name such as `opus`: models, newest first, the maker's own before OpenRouter's. Nothing for a
    /// name that is no family.
    pub fn family(&self, name: &str) -> &[(ProviderKind, String)] {
        Families::bundled().get(name)
    }

    /// The names of all families.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        Families::bundled().names()
    }

    fn override_of(&self, kind: ProviderKind, id: &str) -> Option<&Written> {
        ids::names(kind, id).find_map(|name| self.overrides.get(&(kind, name)))
    }

    fn put(&mut self, model: Model) {
        if let Some(stem) = ids::stem(model.kind, &model.id) {
            let best = self.by_stem.entry((model.kind, stem.to_owned())).or_default();
            if ids::age(best) < ids::age(&model.id) {
                best.clone_from(&model.id);
            }
        }
        self.models.insert((model.kind, model.id.clone()), Arc::new(model));
    }
}

#[cfg(test)]
mod tests;
