//! Rule: a crate names only the crates that ARCHITECTURE.md lets it name, and the table lists no edge that is not
//! there. Leaves out dev-dependencies: tests and benchmarks may look anywhere.

use crate::{none, tree};
use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

type Edges = BTreeMap<String, BTreeSet<String>>;

const HEADING: &str = "## Allowed edges";

/// The rows of the table under the heading: `| crate | may name |`.
fn table(page: &str) -> Result<Edges, String> {
    let (_, section) =
        page.split_once(HEADING).ok_or_else(|| format!("there is no `{HEADING}`"))?;
    let section = section.split("\n## ").next().unwrap_or("");
    let mut edges = Edges::new();
    for line in section.lines().filter(|line| line.starts_with('|')).skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let (Some(from), Some(to)) = (cells.first(), cells.get(1)) else { continue };
        let names = |cell: &str| -> Vec<String> {
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let [from] = &names(from)[..] else { return Err(format!("one crate a row: {line}")) };
        let listed: BTreeSet<String> = names(to).into_iter().collect();
        if listed.is_empty() && !to.contains("nothing") {
            return Err(format!("crates in backticks, or `nothing`: {line}"));
        }
        if edges.insert(from.clone(), listed).is_some() {
            return Err(format!("a crate twice: {line}"));
        }
    }
    if edges.is_empty() { Err("the table has no rows".into()) } else { Ok(edges) }
}

fn compare(there: &Edges, listed: &Edges) -> Vec<String> {
    let mut problems = vec![];
    for name in there.keys().chain(listed.keys()).collect::<BTreeSet<_>>() {
        match (there.get(name), listed.get(name)) {
            (Some(there), Some(listed)) => {
                let more = there.difference(listed);
                problems.extend(
                    more.map(|to| {
                        format!("`{name}` names `{to}`, and the table does not list that")
                    }),
                );
                let less = listed.difference(there);
                problems.extend(
                    less.map(|to| format!("the table lists `{name}` → `{to}`, which is not there")),
                );
            }
            (Some(_), None) => problems.push(format!("the table has no row for `{name}`")),
            _ => problems.push(format!("the table has a row for `{name}`, which is no crate")),
        }
    }
    problems
}

/// What cargo says, by the short names of the folders.
fn there() -> Edges {
    let manifest = tree::root().join("Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .other_options(vec!["--offline".into()])
        .exec();
    let metadata = metadata.unwrap();
    let folder = |manifest: &cargo_metadata::camino::Utf8Path| {
        manifest.parent().and_then(|dir| dir.file_name()).unwrap().to_owned()
    };
    let members: BTreeMap<String, String> = metadata
        .workspace_packages()
        .iter()
        .map(|package| (package.name.to_string(), folder(&package.manifest_path)))
        .collect();
    let edges = |package: &&cargo_metadata::Package| {
        let ours = package.dependencies.iter().filter(|it| it.kind != DependencyKind::Development);
        let to = ours.filter_map(|it| members.get(&it.name).cloned()).collect();
        (members[package.name.as_str()].clone(), to)
    };
    metadata.workspace_packages().iter().map(edges).collect()
}

#[test]
fn crates_name_only_whom_they_may() {
    let page =
        std::fs::read_to_string(tree::root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    none(compare(&there(), &table(&page).expect("ARCHITECTURE.md")));
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A\n## Allowed edges\nWords.\n\n| crate | may name |\n|---|---|\n\
        | `protocol` | nothing |\n| `store` | `protocol`, `outbound` |\n\n## Next\n| `x` | `y` |\n";

    fn edges(rows: &[(&str, &[&str])]) -> Edges {
        let row = |(from, to): &(&str, &[&str])| {
            ((*from).to_owned(), to.iter().map(|it| (*it).to_owned()).collect())
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn the_table_is_read() {
        assert_eq!(
            table(PAGE).unwrap(),
            edges(&[("protocol", &[]), ("store", &["protocol", "outbound"])])
        );
        assert!(table("# no such heading").is_err());
        assert!(table(&PAGE.replace("nothing", "")).is_err());
    }

    #[test]
    fn an_edge_too_many_and_one_too_few_are_found() {
        let there = edges(&[("protocol", &["store"]), ("store", &["protocol"]), ("web", &[])]);
        let problems = compare(&there, &table(PAGE).unwrap());
        assert_eq!(
            problems,
            [
                "`protocol` names `store`, and the table does not list that",
                "the table lists `store` → `outbound`, which is not there",
                "the table has no row for `web`",
            ]
        );
    }
}
