//! Rules of a Rust file: it starts by saying what it is for; modules lie beside their folder; an exception to a lint
//! says why; no test is skipped for good, and none sleeps where it could wait for a condition (`sleeps.txt`).

use crate::{
    lexer::Code,
    none,
    sizes::{listed, stale},
    tree,
};

fn untidy(path: &str, source: &str) -> Vec<String> {
    let code = Code::of(source);
    let mut problems = vec![];
    if !source.starts_with("//! ") {
        problems.push(format!("{path}: it does not start with `//!` and what it is for"));
    }
    if path.ends_with("/mod.rs") {
        problems.push(format!("{path}: `a.rs` beside `a/`, not `a/mod.rs`"));
    }
    for start in ["#[allow(", "#![allow(", "#[expect(", "#![expect(", "#[cfg_attr(", "#![cfg_attr("]
    {
        for (at, attribute) in code.attributes(start) {
            let is_exception = attribute.contains("allow(") || attribute.contains("expect(");
            if is_exception && !attribute.contains("reason =") {
                problems.push(format!(
                    "{path}:{}: an exception to a lint without its reason",
                    code.line(at)
                ));
            }
        }
    }
    for ignored in ["#[ignore]", "#[ignore ", "#[ignore="] {
        for (at, _) in code.text.match_indices(ignored) {
            problems.push(format!("{path}:{}: a test that is never run", code.line(at)));
        }
    }
    problems
}

/// The lines on which something sleeps.
fn sleeps(code: &Code) -> Vec<usize> {
    let called = |at: usize| {
        let before = code.text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    let found = code.text.match_indices("sleep(").filter(|(at, _)| called(*at));
    found.map(|(at, _)| code.line(at)).collect()
}

fn sleepers(tests: &[(&str, Vec<usize>)], list: &str) -> Vec<String> {
    let mut problems =
        stale(list, |path| tests.iter().any(|(it, lines)| *it == path && !lines.is_empty()));
    let allowed = listed(list);
    for (path, lines) in tests.iter().filter(|(path, _)| !allowed.iter().any(|(it, _)| it == path))
    {
        problems.extend(lines.iter().map(|line| {
            format!("{path}:{line}: a test that sleeps; wait for a condition with a deadline")
        }));
    }
    problems
}

#[test]
fn rust_files_are_tidy() {
    none(tree::rust().flat_map(|file| untidy(&file.path, &file.text)).collect());
}

#[test]
fn tests_do_not_sleep() {
    let program = tree::program();
    let tests: Vec<_> = tree::rust()
        .map(|file| {
            let all = sleeps(&Code::of(&file.text));
            let in_program = program.iter().find(|(it, _)| it.path == file.path);
            let in_program = in_program.map_or_else(Vec::new, |(_, code)| sleeps(code));
            let only_tests = all.into_iter().filter(|line| !in_program.contains(line)).collect();
            (file.path.as_str(), only_tests)
        })
        .collect();
    none(sleepers(&tests, include_str!("sleeps.txt")));
}

#[test]
fn untidy_files_are_found() {
    let start = "//! For this.\n";
    let found = |rest: &str| untidy("a/b.rs", &format!("{start}{rest}"));
    assert_eq!(untidy("a/b.rs", "use x;").len(), 1);
    assert_eq!(untidy("a/mod.rs", start).len(), 1);
    assert_eq!(
        found("#[allow(dead_code)]\nfn f() {}"),
        ["a/b.rs:2: an exception to a lint without its reason"]
    );
    assert_eq!(found("#![expect(\n  a,\n  b\n)]").len(), 1);
    assert_eq!(found("#[cfg_attr(not(test), allow(dead_code))]").len(), 1);
    assert!(
        found("#[allow(dead_code, reason = \"[x]\")]\n#[cfg_attr(test, derive(Debug))]").is_empty()
    );
    assert_eq!(found("#[test]\n#[ignore]\nfn f() {}"), ["a/b.rs:3: a test that is never run"]);
    assert_eq!(found("#[ignore = \"slow\"]").len(), 1);
    assert!(found("// #[ignore]").is_empty());
}

#[test]
fn sleeping_tests_are_found() {
    let lines =
        sleeps(&Code::of("fn may_sleep() {\n  a::sleep(x);\n}\n// sleep(\nlet y = \"sleep(\";"));
    assert_eq!(lines, [2]);
    assert_eq!(sleepers(&[("a.rs", lines.clone())], "").len(), 1);
    assert!(sleepers(&[("a.rs", lines)], "a.rs: polls\n").is_empty());
    assert_eq!(sleepers(&[("a.rs", vec![])], "a.rs: polls\n").len(), 1);
}
