//! Rule: what a page points to is there: relative links, their headings, and the files of ARCHITECTURE.md's map.

use crate::{none, tree};
use std::collections::BTreeSet;

/// The targets of a page's links, without those in code. Leaves out links that are given in parts.
fn targets(page: &str) -> Vec<String> {
    let text = without_code(page);
    let inline = text.match_indices("](").filter_map(|(at, _)| {
        let rest = &text[at + 2..];
        let target = &rest[..rest.find([')', '\n'])?];
        Some(target.split(' ').next().unwrap_or("").to_owned())
    });
    let named = text.lines().filter_map(|line| {
        let (name, target) = line.strip_prefix('[')?.split_once("]: ")?;
        (!name.is_empty()).then(|| target.trim().to_owned())
    });
    inline.chain(named).collect()
}

/// Blocks and spans of code hold no links.
fn without_code(page: &str) -> String {
    let mut kept = String::new();
    let mut in_block = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            let outside: Vec<&str> = line.split('`').step_by(2).collect();
            kept.push_str(&outside.join("`"));
            kept.push('\n');
        }
    }
    kept
}

/// The names that headings get in links.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut in_block = false;
    let mut found = BTreeSet::new();
    for line in page.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        }
        let title = line.trim_start_matches('#');
        if in_block || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug = title.trim().to_lowercase();
        let slug = slug.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
        found.insert(slug.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    found
}

/// A path from the folder of `page`, with `..` resolved.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    if let Some(whole) = target.strip_prefix('/') {
        return Some(whole.to_owned());
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn dead_links(path: &str, page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut problems = vec![];
    for target in targets(page) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let there = match file {
            "" => Some(page.to_owned()),
            file => resolve(path, file).and_then(|file| read(&file)),
        };
        match there {
            None => problems.push(format!("{path}: the link to {target} leads nowhere")),
            Some(there) if !anchor.is_empty() && !anchors(&there).contains(anchor) => {
                problems.push(format!("{path}: {target} names no heading"));
            }
            Some(_) => {}
        }
    }
    problems
}

/// Files that a page names in backticks, such as `gateway/src/submit.rs`.
fn named_files(page: &str) -> Vec<String> {
    const KINDS: [&str; 9] = [".rs", ".md", ".ts", ".tsx", ".py", ".c", ".sql", ".mjs", ".sh"];
    let spans = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    spans
        .filter(|span| KINDS.iter().any(|kind| span.ends_with(kind)))
        .filter(|span| span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)))
        .map(str::to_owned)
        .collect()
}

/// Files of a page that are nowhere. Where a map has said which crate it speaks of, it may go on in short.
fn missing_files(path: &str, page: &str, files: &[&str]) -> Vec<String> {
    let there = |name: &String| {
        let tail = format!("/{name}");
        files.iter().any(|file| file == name || file.ends_with(&tail))
    };
    let mut missing: Vec<_> = named_files(page).into_iter().filter(|name| !there(name)).collect();
    missing.dedup();
    missing.into_iter().map(|name| format!("{path}: there is no `{name}`")).collect()
}

fn read(path: &str) -> Option<String> {
    let path = tree::root().join(path);
    if path.is_dir() { Some(String::new()) } else { std::fs::read_to_string(path).ok() }
}

#[test]
fn links_lead_somewhere() {
    let pages = tree::files().iter().filter(|file| file.path.ends_with(".md"));
    none(pages.flat_map(|page| dead_links(&page.path, &page.text, read)).collect());
}

#[test]
fn named_files_exist() {
    let files: Vec<&str> = tree::files().iter().map(|file| file.path.as_str()).collect();
    let pages: Vec<_> = tree::files().iter().filter(|file| file.path.ends_with(".md")).collect();
    assert!(pages.iter().any(|page| page.path == "ARCHITECTURE.md"), "there is no ARCHITECTURE.md");
    none(pages.iter().flat_map(|page| missing_files(&page.path, &page.text, &files)).collect());
}

#[test]
fn dead_links_are_found() {
    let read =
        |path: &str| (path == "docs/b.md").then(|| "# One two\n```\n# three\n```".to_owned());
    let page = "[x](b.md) [y](b.md#one-two \"t\") [z](../docs/b.md) [w](https://a.example) `[v](no.md)`\n\
        ```\n[u](no.md)\n```\n# Here\n[t](#here)\n[n]: b.md\n";
    assert!(
        dead_links("docs/a.md", page, read).is_empty(),
        "{:?}",
        dead_links("docs/a.md", page, read)
    );
    for bad in ["[x](c.md)", "[x](b.md#three)", "[x](#nowhere)", "[x](../../b.md)", "[n]: c.md"] {
        assert_eq!(dead_links("docs/a.md", bad, read).len(), 1, "{bad}");
    }
}

#[test]
fn missing_files_are_found() {
    let files = ["crates/store/src/db.rs", "README.md"];
    let page = "`store/src/db.rs`, `db.rs` and `README.md`; `Store::open`, `*.rs`, `gone.rs`\n";
    assert_eq!(missing_files("a.md", page, &files), ["a.md: there is no `gone.rs`"]);
}
