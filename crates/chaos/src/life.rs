//! One life of the data: a directory (on a small disk of its own, if there is to be a full one), a database, one or
//! three gateways, two people. Some rounds long; then everything is made anew.

use crate::{
    args::{Args, Database},
    fault::Kind,
    history::History,
    node::{Node, Program},
    people::{Person, arrive},
    proxy::Proxy,
};
use anyhow::Context;
use mosaic_protocol::LogId;
use rustix::process::geteuid;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// How large the small disk is. What a life of the data takes, and some.
const DISK: &str = "size=96m,mode=0700";

/// One life of the data.
pub(crate) struct Life {
    pub(crate) nodes: Vec<Node>,
    pub(crate) proxies: Vec<Proxy>,
    pub(crate) people: [Person; 2],
    pub(crate) history: History,
    /// Every log that was read, and who may read it.
    pub(crate) known: BTreeMap<LogId, usize>,
    /// The folder in which a disk can be filled up.
    pub(crate) disk: Option<SmallDisk>,
    shim: Option<PathBuf>,
    database: Option<Created>,
    // Last, so that everything in it is done with.
    dir: Option<TempDir>,
}

impl Life {
    pub(crate) async fn begin(
        args: &Args,
        program: &Program,
        kinds: &[Kind],
        n: u64,
        seed: u64,
    ) -> anyhow::Result<Life> {
        let mut naming = tempfile::Builder::new();
        naming.prefix("mosaic-chaos-");
        let dir = match &args.keep {
            Some(keep) => {
                std::fs::create_dir_all(keep)?;
                naming.tempdir_in(keep)?
            }
            None => naming.tempdir()?,
        };
        let history = History::begin(&dir.path().join("history.jsonl"))?;
        let (mut database, mut proxies, mut disk) = (None, vec![], None);
        let mut environments = vec![vec![]];
        match &args.database {
            Database::Sqlite => {
                if kinds.contains(&Kind::FullDisk) {
                    disk = SmallDisk::mount(&dir.path().join("gateway-0"));
                }
            }
            Database::Postgres(server) => {
                let created =
                    Created::create(server, &format!("chaos_{seed}_{n}_{}", std::process::id()))
                        .await?;
                environments.clear();
                let nodes = args.nodes.unwrap_or(if n.is_multiple_of(2) { 1 } else { 3 });
                for _ in 0..nodes {
                    let proxy = Proxy::to(crate::proxy::upstream(&created.url)?).await?;
                    environments.push(vec![
                        ("MOSAIC_DATABASE_URL", proxy.instead_of(&created.url)?),
                        ("MOSAIC_MASTER_KEY", "c4".repeat(32)),
                    ]);
                    proxies.push(proxy);
                }
                database = Some(created);
            }
        }
        let mut nodes = vec![];
        for (n, environment) in environments.into_iter().enumerate() {
            let name = format!("gateway-{n}");
            let mut node = Node::new(name, program.clone(), dir.path(), environment)?;
            node.start(&[]).await?;
            nodes.push(node);
        }
        let people = arrive(nodes.first().context("a gateway")?.address).await?;
        let shim = kinds.iter().any(|kind| matches!(kind, Kind::WriteError | Kind::FullDisk));
        let shim = if shim { Some(build_shim(dir.path())?) } else { None };
        Ok(Life {
            nodes,
            proxies,
            people,
            history,
            known: BTreeMap::new(),
            disk,
            shim,
            database,
            dir: Some(dir),
        })
    }

    /// The address of the database itself, not through a proxy.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(|it| it.url.as_str())
    }

    /// What makes a gateway's file-changing calls fail, and the file in which they are counted.
    pub(crate) fn shim(
        &self,
        node: &Node,
        at_call: u64,
        errno: &str,
        once: bool,
    ) -> anyhow::Result<(Vec<(&'static str, String)>, PathBuf)> {
        let shim = self.shim.as_ref().context("the library that makes calls fail")?;
        let count = shim.with_file_name("count");
        let data = node.data().canonicalize()?;
        let mut environment = vec![
            ("LD_PRELOAD", shim.display().to_string()),
            ("SHIM_UNDER", data.display().to_string()),
            ("SHIM_COUNT", count.display().to_string()),
            ("SHIM_FAIL_AT", at_call.to_string()),
            ("SHIM_ERRNO", errno.to_owned()),
        ];
        environment.extend(once.then(|| ("SHIM_FAIL_ONCE", "1".to_owned())));
        Ok((environment, count))
    }

    /// Takes everything away.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.nodes.clear();
        self.proxies.clear();
        match self.database.take() {
            Some(database) => database.drop().await,
            None => Ok(()),
        }
    }

    /// Leaves everything where it is, for people to look at. Answers where.
    pub(crate) fn keep(mut self) -> String {
        for node in &mut self.nodes {
            node.kill();
        }
        let dir = self.dir.take().map(TempDir::keep).unwrap_or_default();
        let mut kept =
            format!("{} (what happened: {})", dir.display(), self.history.path().display());
        if let Some(disk) = self.disk.take() {
            kept += &format!(
                "; {} is a mounted disk: umount it when you are done",
                disk.keep().display()
            );
        }
        if let Some(url) = self.database_url() {
            kept += &format!("; the database {url}");
        }
        kept
    }
}

/// A small disk of our own.
pub(crate) struct SmallDisk {
    at: PathBuf,
    is_kept: bool,
}

impl SmallDisk {
    /// `None` where nothing can be mounted: then calls are made to fail instead.
    #[expect(clippy::disallowed_methods, reason = "there is no other way to mount a disk")]
    fn mount(at: &Path) -> Option<SmallDisk> {
        std::fs::create_dir(at).ok()?;
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(at).output();
        let is_mounted = geteuid().is_root() && mounted.is_ok_and(|output| output.status.success());
        is_mounted.then(|| SmallDisk { at: at.to_owned(), is_kept: false })
    }

    /// Fills it up, to the last page.
    pub(crate) fn fill(&self) {
        use std::io::Write;
        let Ok(mut file) = std::fs::File::create(self.ballast()) else { return };
        for size in [1 << 20, 1 << 12] {
            let piece = vec![1; size];
            while file.write_all(&piece).is_ok() {}
        }
    }

    pub(crate) fn free(&self) {
        let _ = std::fs::remove_file(self.ballast());
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }

    fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.at.clone()
    }
}

impl Drop for SmallDisk {
    #[expect(clippy::disallowed_methods, reason = "there is no other way to take a disk away")]
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = Command::new("umount").arg("--lazy").arg(&self.at).output();
        }
    }
}

/// The library scripts/shim/shim.c.
#[expect(clippy::disallowed_methods, reason = "it is C, and the compiler is a program")]
fn build_shim(dir: &Path) -> anyhow::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/shim/shim.c");
    let made = dir.join("shim.so");
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).arg(source);
    let output = command.output().context(
        "no C compiler, which the library that makes calls fail needs\n  install cc, or choose --faults kill,freeze",
    )?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(made)
}

/// A database that was made for one life.
struct Created {
    server: String,
    name: String,
    url: String,
}

impl Created {
    async fn create(server: &str, name: &str) -> anyhow::Result<Created> {
        let (before, _) = server.rsplit_once('/').context("a database's name in the address")?;
        let (server, name, url) = (server.to_owned(), name.to_owned(), format!("{before}/{name}"));
        administer(&server, format!("create database {name}")).await?;
        Ok(Created { server, name, url })
    }

    async fn drop(self) -> anyhow::Result<()> {
        administer(&self.server, format!("drop database if exists {} with (force)", self.name))
            .await
    }
}

async fn administer(server: &str, text: String) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(server).await.context("the server of PostgreSQL")?;
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
