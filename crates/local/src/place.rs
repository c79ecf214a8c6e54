//! Where the files of models are looked for. Which folders is decided without looking; then the first that has a file
//! counts.

use crate::error::Error;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The folders, in the order in which they are looked into: only the one that the variable `MOSAIC_MODELS` names; else
/// `models` in the data directory, then `target/models` of a checkout.
pub fn folders(
    variable: Option<&OsStr>,
    data: Option<&Path>,
    checkout: Option<&Path>,
) -> Vec<PathBuf> {
    match variable.filter(|variable| !variable.is_empty()) {
        Some(variable) => vec![variable.into()],
        None => {
            let installed = data.map(|data| data.join("models"));
            installed
                .into_iter()
                .chain(checkout.map(|checkout| checkout.join("target/models")))
                .collect()
        }
    }
}

/// Where a file or folder of that name is.
pub fn find(folders: &[PathBuf], name: &str) -> Result<PathBuf, Error> {
    let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.exists());
    found.ok_or_else(|| Error::Missing { name: name.to_owned(), looked_in: folders.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_rules_and_else_the_data_directory_comes_first() {
        let (data, checkout) = (Some(Path::new("/data")), Some(Path::new("/src")));
        let all = |variable: Option<&str>, data, checkout| {
            folders(variable.map(OsStr::new), data, checkout)
        };
        assert_eq!(all(Some("/m"), data, checkout), [Path::new("/m")]);
        assert_eq!(
            all(None, data, checkout),
            [Path::new("/data/models"), Path::new("/src/target/models")]
        );
        assert_eq!(all(Some(""), None, checkout), [Path::new("/src/target/models")]);
        assert!(all(None, None, None).is_empty());
    }

    #[test]
    fn what_is_missing_is_named_with_where_it_was_looked_for_and_what_to_do() {
        let error =
            find(&["/nowhere/a".into(), "/nowhere/b".into()], "e5.bin").unwrap_err().to_string();
        assert_eq!(
            error,
            "the local model file e5.bin is missing: looked in /nowhere/a, /nowhere/b; run `make models` to fetch it"
        );
    }
}
