//! Rule: docs/configuration.md lists every setting that the program knows, and no page names one that it does not.
//! The program itself is asked what it knows.

use crate::{lexer::Code, none, tree};
use std::{collections::BTreeSet, process::Command};

const PREFIX: &str = concat!("MOSAIC", "_");
/// What is no setting: the name of the file that settings are in.
const FILE: &str = concat!("MOSAIC", "_CONFIG");
/// And the key that a command takes.
const KEY: &str = concat!("MOSAIC", "_PROVIDER_KEY");
/// Fields of a login provider: `oidc.<name>.issuer`, and `…_OIDC_COMPANY_ISSUER` in the environment.
const PROVIDER: &str = "oidc.<name>.";

/// Environment variables that a text names. What ends with `_` only begins names.
fn variables(text: &str) -> BTreeSet<String> {
    let name = |(at, _): (usize, &str)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
        let name = &rest[..end.unwrap_or(rest.len())];
        // `MOSAIC_OIDC_<NAME>_ISSUER` is a pattern; its beginning ends with `_`.
        (!name.ends_with('_')).then(|| name.to_owned())
    };
    text.match_indices(PREFIX).filter_map(name).collect()
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace(['.', '-'], "_"))
}

/// Keys and variables of the program that the page does not list.
fn unlisted(page: &str, keys: &[String], in_sources: &BTreeSet<String>) -> Vec<String> {
    let mut problems = vec![];
    for key in keys {
        if !page.contains(&format!("`{key}`")) {
            problems.push(format!("the key `{key}` is not in docs/configuration.md"));
        }
        // A pattern's variable is written with `<NAME>` too.
        let variable = variable_of(key);
        if !page.contains(&format!("`{variable}`")) {
            problems.push(format!("{variable} is not in docs/configuration.md"));
        }
    }
    let listed = variables(page);
    problems.extend(
        in_sources.difference(&listed).map(|it| format!("{it} is not in docs/configuration.md")),
    );
    problems
}

/// Variables that a page names and the program does not know. A line that shows a mistake may hold one.
fn unknown(path: &str, page: &str, keys: &[String]) -> Vec<String> {
    let known: BTreeSet<String> =
        keys.iter().map(|key| variable_of(key)).chain([FILE.to_owned(), KEY.to_owned()]).collect();
    let fields: Vec<String> = keys
        .iter()
        .filter_map(|key| key.strip_prefix(PROVIDER))
        .map(|field| format!("_{}", field.to_uppercase()))
        .collect();
    let provider = format!("{PREFIX}OIDC_");
    let is_real = |name: &String| {
        let named = name.strip_prefix(&provider);
        known.contains(name)
            || named.is_some_and(|rest| {
                fields.iter().any(|field| rest.len() > field.len() && rest.ends_with(field))
            })
    };
    let lines = page.lines().filter(|line| !line.contains("unknown setting"));
    lines
        .flat_map(variables)
        .filter(|name| !is_real(name))
        .map(|name| format!("{path}: {name} is no setting"))
        .collect()
}

/// Every key that the program knows.
fn keys() -> Vec<String> {
    // A provider's keys show once there is one; an empty folder has no mosaic.toml in it.
    let empty = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mosaic"));
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(PREFIX))
    {
        command.env_remove(name);
    }
    for (key, value) in
        [("issuer", "https://login.example.org"), ("client_id", "a"), ("client_secret", "b")]
    {
        command.env(variable_of(&format!("oidc.some.{key}")), value);
    }
    let output =
        command.args(["config", "show", "--json"]).current_dir(empty.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&output.stdout).unwrap();
    let keys: Vec<String> = shown.keys().map(|key| key.replace("oidc.some.", PROVIDER)).collect();
    assert!(keys.len() > 20 && keys.iter().any(|key| key.starts_with(PROVIDER)), "{keys:?}");
    keys
}

#[test]
fn the_docs_list_every_setting_and_no_other() {
    let keys = keys();
    let in_sources: BTreeSet<String> = tree::program()
        .iter()
        .filter(|(file, _)| file.path.starts_with("crates/"))
        .flat_map(|(_, code)| {
            code.strings.iter().flat_map(|(_, text)| variables(text)).collect::<Vec<_>>()
        })
        .collect();
    assert!(in_sources.contains(FILE), "the sources were not found");
    let page = std::fs::read_to_string(tree::root().join("docs/configuration.md")).unwrap();
    let mut problems = unlisted(&page, &keys, &in_sources);
    for file in tree::files().iter().filter(|file| file.path.ends_with(".md")) {
        problems.extend(unknown(&file.path, &file.text, &keys));
    }
    none(problems);
}

#[test]
fn what_is_missing_on_either_side_is_found() {
    let names = |names: &[&str]| {
        names.iter().map(|name| format!("{PREFIX}{name}")).collect::<BTreeSet<_>>()
    };
    let keys = ["listen".to_owned(), "log.level".to_owned(), "oidc.<name>.client_id".to_owned()];
    let page = format!(
        "`listen` `{PREFIX}LISTEN` `oidc.<name>.client_id` `{PREFIX}OIDC_<NAME>_CLIENT_ID`"
    );
    let problems = unlisted(&page, &keys, &names(&["LISTEN", "SECRET_DOOR"]));
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].contains("log.level") && problems[2].contains("SECRET_DOOR"));

    let text = format!(
        "{PREFIX}LISTEN {PREFIX}LISTN\n{PREFIX}OIDC_MY_IDP_CLIENT_ID {PREFIX}OIDC_CLIENT_ID {PREFIX}CONFIG\n{PREFIX}X: unknown setting"
    );
    let problems = unknown("a.md", &text, &keys);
    assert_eq!(
        problems,
        [
            format!("a.md: {PREFIX}LISTN is no setting"),
            format!("a.md: {PREFIX}OIDC_CLIENT_ID is no setting")
        ]
    );
}

#[test]
fn variables_are_read_from_strings_only() {
    let code = Code::of(&format!("// {PREFIX}A\nlet x = \"{PREFIX}B, {PREFIX}OIDC_\";"));
    let found: Vec<_> = code.strings.iter().flat_map(|(_, text)| variables(text)).collect();
    assert_eq!(found, [format!("{PREFIX}B")]);
}
