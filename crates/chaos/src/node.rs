//! One gateway: the real program as a process. Started, killed, frozen, stopped; what it logs goes to a file.

use crate::http::{Credential, Http};
use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs::OpenOptions,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// What the first admin is made with.
pub(crate) const SETUP_CODE: &str = "a-setup-code-for-chaos";

/// How long a start or an end may take.
const START_TIME: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(10);

/// Nothing is throttled: that would only say that there are many.
const SETTINGS: [&str; 4] = [
    "throttle.address_per_minute=1000000",
    "throttle.user_per_minute=1000000",
    "throttle.token_per_minute=1000000",
    "throttle.login_per_minute=1000",
];

/// What a gateway is started with.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) set: Vec<String>,
}

/// One gateway, running or not. It is killed when this is dropped.
pub(crate) struct Node {
    pub(crate) name: String,
    program: Program,
    data: PathBuf,
    log: PathBuf,
    pub(crate) address: SocketAddr,
    environment: Vec<(&'static str, String)>,
    child: Option<Child>,
}

impl Node {
    pub(crate) fn new(
        name: String,
        program: Program,
        dir: &Path,
        environment: Vec<(&'static str, String)>,
    ) -> anyhow::Result<Node> {
        let (data, log) = (dir.join(format!("{name}/data")), dir.join(format!("{name}.log")));
        std::fs::create_dir_all(dir.join(&name))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Ok(Node { name, program, data, log, address, environment, child: None })
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    #[expect(clippy::disallowed_methods, reason = "the program itself is what is driven")]
    fn command(&self) -> anyhow::Result<Command> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program.path);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.data.parent().unwrap_or(&self.data))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .arg("--data")
            .arg(&self.data);
        for set in &self.program.set {
            command.arg("--set").arg(set);
        }
        Ok(command)
    }

    /// Starts it, and waits until it is ready. Answers how long that took.
    pub(crate) async fn start(
        &mut self,
        environment: &[(&str, String)],
    ) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let mut command = self.command()?;
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.args(["up", "--listen", &self.address.to_string(), "--setup-code", SETUP_CODE]);
        for set in SETTINGS {
            command.arg("--set").arg(set);
        }
        self.child = Some(command.spawn()?);
        let mut http = Http::to(self.address);
        loop {
            let asked = http.ask(Method::GET, "/readyz", &Credential::Nobody, &Value::Null);
            if asked.await.is_ok_and(|answer| answer.status == 200) {
                return Ok(begun.elapsed());
            }
            if let Some(status) = self.ended() {
                anyhow::bail!("{} did not start ({status}): {}", self.name, self.last_words());
            }
            anyhow::ensure!(begun.elapsed() < START_TIME, "{} is not ready after 30 s", self.name);
            tokio::time::sleep(TICK).await;
        }
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().ok()??;
        self.child = None;
        Some(status)
    }

    pub(crate) fn runs(&self) -> bool {
        self.child.is_some()
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }

    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// As a power cut would, but for what the kernel has.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it in order. What is wrong with how it ends, if something is.
    pub(crate) async fn stop(&mut self) -> Option<String> {
        self.signal(Signal::TERM);
        let begun = Instant::now();
        while self.runs() {
            if let Some(status) = self.ended() {
                return (!status.success()).then(|| format!("{} ended with {status}", self.name));
            }
            if begun.elapsed() > START_TIME {
                self.kill();
                return Some(format!("{} did not stop within 30 s", self.name));
            }
            tokio::time::sleep(TICK).await;
        }
        None
    }

    /// Runs another command of the program on the same data. Whether it succeeded, and what it said.
    pub(crate) async fn run(
        &self,
        arguments: &[&str],
        database_url: Option<&str>,
    ) -> anyhow::Result<(bool, String)> {
        let mut command = self.command()?;
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(url) = database_url {
            command.env("MOSAIC_DATABASE_URL", url);
        }
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
    }

    /// Whether it ever said that it panicked.
    pub(crate) fn panicked(&self) -> Option<String> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().find(|line| line.contains("panicked")).map(str::to_owned)
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(4).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Below what the system gives to connections that go out, so that nobody has it while the gateway is down.
fn free_port() -> anyhow::Result<u16> {
    let start = u16::try_from(std::process::id() % 8000).unwrap_or(0);
    for n in 0..8000 {
        let port = 20_000 + (start + n * 7) % 8000;
        if TAKEN.lock().is_ok_and(|taken| taken.contains(&port)) {
            continue;
        }
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            if let Ok(mut taken) = TAKEN.lock() {
                taken.push(port);
            }
            return Ok(port);
        }
    }
    anyhow::bail!("there is no free port between 20000 and 28000")
}

/// Ports that were given to gateways, which may be down just now.
static TAKEN: std::sync::Mutex<Vec<u16>> = std::sync::Mutex::new(vec![]);
