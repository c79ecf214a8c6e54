//! The files of models for tests: in `$MOSAIC_MODELS`, else where `make models` puts them.

use std::path::{Path, PathBuf};

/// Where a file or folder is. A missing one is named loudly and the test skips itself; with `CI=true` it fails.
pub(crate) fn model(name: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("MOSAIC_MODELS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models"),
    };
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "!! {} IS MISSING: this test is NOT run; run `python3 scripts/models.py --all`",
        path.display()
    );
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{name} is missing, and CI=true");
    None
}
