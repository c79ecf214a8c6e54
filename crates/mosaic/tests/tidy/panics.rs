//! Rule: outside of tests nothing panics on purpose: failures are values. An `#[expect]` of clippy's lint with a
//! reason, on the item above, makes an exception.

use crate::{lexer::Code, none, tree};

fn panics(path: &str, code: Code) -> Vec<String> {
    let mut problems = vec![];
    let mut find = |code: &Code, words: &[&str]| {
        for word in words {
            problems.extend(
                code.text
                    .match_indices(word)
                    .map(|(at, _)| format!("{path}:{}: `{word}` outside of tests", code.line(at))),
            );
        }
    };
    find(&code, &["todo!", "unimplemented!"]);
    let code = code.without_items_under("#[expect(", "clippy::unwrap_used");
    find(&code, &[".unwrap()"]);
    let code = code.without_items_under("#[expect(", "clippy::expect_used");
    find(&code, &[".expect("]);
    problems
}

#[test]
fn nothing_panics_on_purpose() {
    none(tree::program().into_iter().flat_map(|(file, code)| panics(&file.path, code)).collect());
}

#[test]
fn panics_are_found_with_their_lines() {
    let found = |source: &str| panics("a.rs", Code::of(source).without_tests());
    assert_eq!(found("fn f() {\n    g().unwrap()\n}"), ["a.rs:2: `.unwrap()` outside of tests"]);
    assert_eq!(found("fn f() { todo!() }").len(), 1);
    assert_eq!(found("fn f() { unimplemented!(\"x\").expect(\"y\") }").len(), 2);
    assert!(found("// todo!\nfn f() { say(\".unwrap()\"); unwrap_or(1) }").is_empty());
    assert!(found("#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }").is_empty());
    assert!(
        found("#[expect(clippy::expect_used, reason = \"r\")]\nfn f() { g().expect(\"h\") }")
            .is_empty()
    );
    let after =
        "#[expect(clippy::expect_used, reason = \"r\")]\nfn f() {}\nfn h() { g().expect(\"h\") }";
    assert_eq!(found(after), ["a.rs:3: `.expect(` outside of tests"]);
}
