//! The files of the repository, and which of them are tests. Leaves out what is built or fetched.

use crate::lexer::Code;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// A file of the repository.
pub(crate) struct File {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Folders that hold what is built or fetched.
const NOT_OURS: [&str; 7] =
    ["target", "node_modules", "dist", "test-results", "__pycache__", ".git", ".parts"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every text file, read once.
pub(crate) fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let root = root();
        let mut found = vec![];
        collect(&root, &root, &mut found);
        found.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(found.len() > 100, "the repository was not found");
        found
    })
}

fn collect(root: &Path, dir: &Path, found: &mut Vec<File>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().unwrap();
        // A folder with this file in it is a build's, wherever it was put.
        if kind.is_dir()
            && !NOT_OURS.contains(&name.as_str())
            && !path.join("CACHEDIR.TAG").exists()
        {
            collect(root, &path, found);
        } else if kind.is_file()
            && let Ok(bytes) = std::fs::read(&path)
            && let Ok(text) = String::from_utf8(bytes)
        {
            let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.push(File { path, text });
        }
    }
}

/// The Rust files.
pub(crate) fn rust() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.path.ends_with(".rs"))
}

/// The Rust files that go into the program, and their code without what is compiled for tests only.
pub(crate) fn program() -> Vec<(&'static File, Code)> {
    let tests = test_files();
    rust()
        .filter(|file| !is_test(&file.path) && !tests.contains(&file.path))
        .map(|file| (file, Code::of(&file.text).without_tests()))
        .collect()
}

/// Whether a path alone says that this is a test.
pub(crate) fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Files that another file takes in for tests only: `#[cfg(test)] mod properties;`.
pub(crate) fn test_files() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in rust() {
        for name in Code::of(&file.text).test_modules() {
            let (dir, own) = file.path.rsplit_once('/').unwrap();
            let own = own.trim_end_matches(".rs");
            let dir =
                if ["main", "lib"].contains(&own) { dir.into() } else { format!("{dir}/{own}") };
            found.insert(format!("{dir}/{name}.rs"));
        }
    }
    found
}

#[test]
fn paths_tell_tests() {
    assert!(is_test("crates/store/tests/it/main.rs") && is_test("crates/a/src/config/tests.rs"));
    assert!(!is_test("crates/a/src/contests.rs"));
    assert!(test_files().contains("crates/mosaic/src/config/tests.rs"));
}
