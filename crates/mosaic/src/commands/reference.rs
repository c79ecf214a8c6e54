//! Pages that are made from the program itself, so that they cannot be wrong.

use crate::{
    args::{Args, ReferencePage},
    config, out,
};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use std::{fmt::Write, process::ExitCode};

/// `mosaic completions`.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Args::command(), "mosaic", &mut script);
    out::say(String::from_utf8(script)?.trim_end())
}

/// `mosaic reference`.
pub(crate) fn reference(page: ReferencePage) -> anyhow::Result<ExitCode> {
    out::say(text(page)?.trim_end())
}

fn text(page: ReferencePage) -> anyhow::Result<String> {
    Ok(match page {
        ReferencePage::Cli => cli(),
        ReferencePage::Configuration => config::reference(),
        ReferencePage::Openapi => {
            serde_json::to_string_pretty(&mosaic_server::openapi(false))? + "\n"
        }
        ReferencePage::Typescript => mosaic_server::typescript(),
    })
}

fn cli() -> String {
    let mut page = String::from(
        "# The command line\n\n\
         Made from the program's own help; `make docs-update` refreshes it.\n\n\
         Exit codes: 0 done, 1 it could not be done, 2 the command line or the configuration is wrong.\n",
    );
    let mut root = Args::command();
    root.build();
    section(&mut page, &mut root, "mosaic");
    page
}

fn section(page: &mut String, command: &mut Command, path: &str) {
    let help = command.clone().term_width(100).render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(page, "\n## {path}\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    for sub in
        command.get_subcommands_mut().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
    {
        let path = format!("{path} {}", sub.get_name());
        section(page, sub, &path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;
    use std::path::Path;

    #[test]
    fn pages_are_current() {
        for page in ReferencePage::value_variants() {
            let name = match page {
                ReferencePage::Cli => "docs/cli.md",
                ReferencePage::Configuration => "docs/configuration.md",
                ReferencePage::Openapi => "docs/openapi.json",
                ReferencePage::Typescript => "web/src/protocol.ts",
            };
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
            let wanted = text(*page).unwrap();
            if std::env::var_os("UPDATE_DOCS").is_some() {
                std::fs::write(&path, &wanted).unwrap();
            }
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(there == wanted, "{name} is not current; run: make docs-update");
        }
    }
}
