//! Rule: no source file is longer than 800 lines without a reason in `long_files.txt`, and no reason outlives its file.

use crate::{none, tree};

const MOST: usize = 800;
const ROOTS: [&str; 6] = ["crates/", "bench/", "fuzz/", "web/src/", "web/e2e/", "scripts/"];
const KINDS: [&str; 11] =
    [".rs", ".ts", ".tsx", ".mjs", ".js", ".css", ".py", ".sh", ".c", ".sql", ".toml"];

/// Made by the program, as long as it needs to be.
const MADE: &str = "web/src/protocol.ts";

/// The lines `path: reason` of an allow-list; `#` begins a comment.
pub(crate) fn listed(list: &str) -> Vec<(&str, &str)> {
    let lines =
        list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            line.split_once(':').map_or((line, ""), |(path, reason)| (path.trim(), reason.trim()))
        })
        .collect()
}

/// Entries of an allow-list without a reason, and those that nothing needs any more.
pub(crate) fn stale<'a>(list: &'a str, needed: impl Fn(&str) -> bool + 'a) -> Vec<String> {
    let problem = |(path, reason): (&str, &str)| {
        if reason.is_empty() {
            return Some(format!("{path}: the allow-list gives no reason"));
        }
        (!needed(path))
            .then(|| format!("{path}: the allow-list lists it, and it needs no exception any more"))
    };
    listed(list).into_iter().filter_map(problem).collect()
}

fn too_long(files: &[(&str, usize)], list: &str) -> Vec<String> {
    let long = |path: &str| files.iter().any(|(it, lines)| *it == path && *lines > MOST);
    let mut problems = stale(list, long);
    let allowed = listed(list);
    for (path, lines) in files.iter().filter(|(_, lines)| *lines > MOST) {
        if !allowed.iter().any(|(it, _)| it == path) {
            problems
                .push(format!("{path}: {lines} lines; split it, or say in long_files.txt why not"));
        }
    }
    problems
}

#[test]
fn no_file_is_too_long() {
    let sources = tree::files().iter().filter(|file| {
        ROOTS.iter().any(|root| file.path.starts_with(root))
            && KINDS.iter().any(|kind| file.path.ends_with(kind))
            && file.path != MADE
    });
    let sizes: Vec<_> =
        sources.map(|file| (file.path.as_str(), file.text.lines().count())).collect();
    assert!(sizes.len() > 100, "the sources were not found");
    none(too_long(&sizes, include_str!("long_files.txt")));
}

#[test]
fn long_files_and_stale_entries_are_found() {
    let files = [("a.rs", MOST), ("b.rs", MOST + 1), ("c.rs", MOST + 1)];
    let list = "# words\nc.rs: one table\n";
    assert_eq!(too_long(&files, list).len(), 1);
    assert!(too_long(&files, list)[0].starts_with("b.rs: 801 lines"));
    assert_eq!(too_long(&files[..1], list).len(), 1);
    assert!(too_long(&files[..1], "a.rs: why\n")[0].contains("no exception"));
    assert!(too_long(&files, "b.rs\nc.rs: why")[0].contains("no reason"));
}
