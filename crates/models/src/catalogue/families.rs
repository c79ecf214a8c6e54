//! What a rule means by `opus`, `codex` or `glm-5`: one file, so that a newer model is one edit.

use super::ids;
use mosaic_protocol::provider::ProviderKind;
use std::{collections::BTreeMap, sync::LazyLock};

const FAMILIES: &str = include_str!("../../data/families.json");

/// The models of each family, newest first.
#[derive(Default)]
pub(super) struct Families(BTreeMap<String, Vec<(ProviderKind, String)>>);

impl Families {
    /// Those that came with this version.
    pub(super) fn bundled() -> &'static Families {
        // That they can be read is a test; without them no name is a family.
        static BUNDLED: LazyLock<Families> =
            LazyLock::new(|| Families::read(FAMILIES).unwrap_or_default());
        &BUNDLED
    }

    /// `None`: it is not what it should be.
    pub(super) fn read(text: &str) -> Option<Families> {
        let written: BTreeMap<String, Vec<String>> = serde_json::from_str(text).ok()?;
        let mut families = BTreeMap::new();
        for (family, names) in written {
            let split = |name: &String| ids::split(name).map(|(kind, id)| (kind, id.to_owned()));
            families.insert(family, names.iter().map(split).collect::<Option<_>>()?);
        }
        Some(Families(families))
    }

    pub(super) fn get(&self, name: &str) -> &[(ProviderKind, String)] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_can_be_read() {
        assert!(Families::read(FAMILIES).is_some());
        assert!(Families::read("{\"a\":[\"nobody/b\"]}").is_none());
    }
}
