//! The gateway's own program, as it was built: with a database that exists, accounts and a token for each.

use crate::{process::Launch, wire};
use anyhow::{Context, bail};
use serde_json::json;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

const NAME: &str = "bench";
const PASSWORD: &str = "a password for measuring";
const CODE: &str = "a code for the first account";

pub(crate) struct Program {
    binary: PathBuf,
    folder: TempDir,
    pub(crate) token: String,
}

impl Program {
    /// Makes the database, the account and the token.
    pub(crate) async fn prepare() -> anyhow::Result<Program> {
        let binary = built()?;
        // Beside the program: where temporary files go may be no disk at all.
        let folder = binary.parent().context("a program without a folder")?;
        let folder = TempDir::with_prefix_in("bench-", folder)?;
        let mut program = Program { binary, folder, token: String::new() };
        let running = program.launch().start().await?;
        let account = json!({ "code": CODE, "name": NAME, "password": PASSWORD }).to_string();
        wire::call(running.address, "POST", "/api/setup", &[], &account).await?;
        running.stop().await;
        program.token = program.token_of(NAME)?;
        Ok(program)
    }

    fn token_of(&self, name: &str) -> anyhow::Result<String> {
        self.token_for(name, &["read", "write"])
    }

    /// Another token of the account.
    pub(crate) fn token_with(&self, scopes: &[&str]) -> anyhow::Result<String> {
        self.token_for(NAME, scopes)
    }

    fn token_for(&self, name: &str, scopes: &[&str]) -> anyhow::Result<String> {
        let scopes: Vec<&str> = scopes.iter().flat_map(|scope| ["--scope", scope]).collect();
        let printed = self.with(&[&["token", "create", "--user", name][..], &scopes].concat());
        let printed = printed.output()?;
        let token = printed.split_whitespace().max_by_key(|word| word.len());
        Ok(token.context("`mosaic token create` printed no token")?.to_owned())
    }

    /// A token of another account, which is made if need be.
    pub(crate) fn another(&self, name: &str) -> anyhow::Result<String> {
        let there = self.with(&["user", "show", name]).output();
        if there.is_err() {
            self.with(&["user", "add", name]).output()?;
        }
        self.token_of(name)
    }

    /// On the disk that its data is on.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `mosaic up` with limits that are out of the way: it is the requests that are measured, not their refusal.
    pub(crate) fn launch(&self) -> Launch {
        self.launch_with(&[])
    }

    /// The same, with more settings.
    pub(crate) fn launch_with(&self, more: &[&str]) -> Launch {
        let mut args = vec!["up", "--listen", "127.0.0.1:0", "--setup-code", CODE];
        for setting in [
            "throttle.address_per_minute=1000000",
            "throttle.user_per_minute=1000000",
            "throttle.token_per_minute=1000000",
            "throttle.login_per_minute=1000",
            "limits.connections=100000",
            "limits.connections_per_address=100000",
            "limits.streams_per_user=100000",
        ] {
            args.extend(["--set", setting]);
        }
        for setting in more {
            args.extend(["--set", setting]);
        }
        self.with(&args)
    }

    fn with(&self, args: &[&str]) -> Launch {
        let data = [OsString::from("--data"), self.folder.path().join("data").into_os_string()];
        Launch {
            program: self.binary.clone(),
            args: args.iter().map(OsString::from).chain(data).collect(),
            env: vec![],
            folder: self.folder.path().to_owned(),
            address: None,
            ready: "/healthz".into(),
            patience: Duration::from_secs(30),
        }
    }

    /// The body of a login by password.
    pub(crate) fn login(&self) -> String {
        json!({ "name": NAME, "password": PASSWORD }).to_string()
    }

    /// The header that proves the token.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

/// The program beside this one: the two are built by the same command, so that old is not measured for new.
fn built() -> anyhow::Result<PathBuf> {
    let binary = std::env::current_exe()?.with_file_name("mosaic");
    if !binary.is_file() {
        bail!(
            "{} is not built\n  build it first: cargo build --release -p mosaic",
            binary.display()
        );
    }
    Ok(binary)
}
