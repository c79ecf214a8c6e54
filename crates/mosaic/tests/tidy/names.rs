//! Rule: a type is named after what it is. The suffixes here say nothing.

use crate::{lexer::Code, none, tree};

const BANNED: [&str; 8] =
    ["Manager", "Service", "Helper", "Util", "Utils", "Handler", "Base", "Impl"];

fn empty_names(path: &str, code: &Code) -> Vec<String> {
    let mut problems = vec![];
    for keyword in ["struct", "enum", "trait", "type", "union"] {
        for (at, _) in code.text.match_indices(keyword) {
            let before = code.text[..at].chars().next_back();
            let after = &code.text[at + keyword.len()..];
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                || !after.starts_with(char::is_whitespace)
            {
                continue;
            }
            let name: String = after
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if let Some(suffix) = BANNED.iter().find(|suffix| name.ends_with(**suffix)) {
                problems.push(format!("{path}:{}: `{name}`: no type is a {suffix}", code.line(at)));
            }
        }
    }
    problems
}

#[test]
fn types_are_named_after_what_they_are() {
    none(tree::rust().flat_map(|file| empty_names(&file.path, &Code::of(&file.text))).collect());
}

#[test]
fn empty_names_are_found() {
    let found = |source: &str| empty_names("a.rs", &Code::of(source));
    assert_eq!(
        found("\npub struct ConnectionManager<T>(T);"),
        ["a.rs:2: `ConnectionManager`: no type is a Manager"]
    );
    for source in
        ["enum FooUtils {}", "trait Handler {}", "type XImpl = u8;", "union DataBase { a: u8 }"]
    {
        assert_eq!(found(source).len(), 1, "{source}");
    }
    for source in [
        "struct Manage;",
        "struct Database;",
        "// struct FooManager",
        "my_struct FooManager",
        "impl Service for A {}",
    ] {
        assert!(found(source).is_empty(), "{source}");
    }
}
