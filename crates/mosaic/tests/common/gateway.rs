//! The real program as a process: started, watched, stopped.

use super::{
    PATIENCE,
    client::Client,
    person::{PASSWORD, Person, code_of},
    place::{Database, Place},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    ops::Deref,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What the first admin is made with.
pub(crate) const SETUP_CODE: &str = "a-setup-code-for-tests";

/// Nothing is throttled unless a test asks for it.
const SETTINGS: &[(&str, &str)] = &[
    ("throttle.address_per_minute", "1000000"),
    ("throttle.user_per_minute", "1000000"),
    ("throttle.token_per_minute", "1000000"),
    ("throttle.login_per_minute", "1000"),
];

/// A running gateway. It is killed when this is dropped, and its place is removed if nobody else holds it.
pub(crate) struct Gateway {
    child: Child,
    client: Client,
    stdout: Arc<Lines>,
    stderr: Arc<Lines>,
    place: Arc<Place>,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Gateway {
    /// Starts a gateway in a place of its own. None where the database is not lent to us.
    pub(crate) fn start(database: Database, settings: &[(&str, &str)]) -> Option<Gateway> {
        Some(Gateway::start_at(Arc::new(Place::new(database)?), settings))
    }

    /// Starts a gateway over SQLite, for what no database has a part in.
    pub(crate) fn start_sqlite(settings: &[(&str, &str)]) -> Gateway {
        Gateway::start_at(Arc::new(Place::sqlite()), settings)
    }

    /// Starts a gateway in this place, perhaps again.
    pub(crate) fn start_at(place: Arc<Place>, settings: &[(&str, &str)]) -> Gateway {
        Gateway::try_start_at(place, settings)
            .unwrap_or_else(|output| panic!("the gateway did not start: {output:?}"))
    }

    /// Starts a gateway, or answers what it said when it refused.
    pub(crate) fn try_start_at(
        place: Arc<Place>,
        settings: &[(&str, &str)],
    ) -> Result<Gateway, Output> {
        Gateway::try_start_with(place, settings, |_| {})
    }

    /// The same, with something changed about how the process is started.
    pub(crate) fn try_start_with(
        place: Arc<Place>,
        settings: &[(&str, &str)],
        change: impl FnOnce(&mut Command),
    ) -> Result<Gateway, Output> {
        let mut command = command(&place);
        command.args(["up", "--listen", "127.0.0.1:0", "--setup-code", SETUP_CODE]);
        let usual = SETTINGS.iter().filter(|(key, _)| !settings.iter().any(|it| it.0 == *key));
        for (key, value) in usual.chain(settings) {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let stdout = Lines::of(child.stdout.take().unwrap());
        let stderr = Lines::of(child.stderr.take().unwrap());
        if stdout.wait_for("is running at").is_none() {
            let _ = child.kill();
            let code = child.wait().unwrap().code();
            return Err(Output { code, stdout: stdout.whole(), stderr: stderr.whole() });
        }
        let client = Client::Tcp(announced(&place));
        Ok(Gateway { child, client, stdout, stderr, place })
    }

    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.place
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match &self.client {
            Client::Tcp(address) => *address,
            Client::Unix(_) => unreachable!("a gateway is reached over TCP"),
        }
    }

    /// The one who runs the machine, on the control socket.
    pub(crate) fn operator(&self) -> Client {
        Client::Unix(self.place.data().join("control.sock"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.so_far()
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        self.stdout.so_far()
    }

    pub(crate) fn nobody(&self) -> Person {
        Person::nobody(&self.client)
    }

    /// Makes the first admin.
    pub(crate) async fn admin(&self) -> Person {
        let setup = json!({ "code": SETUP_CODE, "name": "root", "password": PASSWORD });
        Person::arrived(&self.client, self.client.post("/api/setup", setup).await)
    }

    /// Makes somebody by an invitation of an admin.
    pub(crate) async fn invite(&self, admin: &Person, name: &str) -> Person {
        let made = admin.post("/api/invites", json!({ "expires_in_hours": 1 })).await.ok();
        let accept = json!({ "code": code_of(&made["link"]), "name": name, "password": PASSWORD });
        Person::arrived(&self.client, self.client.post("/api/invites/accept", accept).await)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended(&mut self, within: Duration) -> ExitStatus {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < within, "it still runs after {within:?}");
        }
    }

    /// Stops it in order, and answers the place it lived in.
    pub(crate) async fn stop(mut self) -> Arc<Place> {
        self.signal(Signal::TERM);
        let status = self.ended(PATIENCE).await;
        assert!(status.success(), "{status}: {}", self.log());
        self.place.clone()
    }

    /// Kills it as a power cut would, and answers the place it lived in.
    pub(crate) fn kill(mut self) -> Arc<Place> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.place.clone()
    }
}

impl Deref for Gateway {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.stderr.so_far();
            let from = log.char_indices().rev().nth(6000).map_or(0, |(at, _)| at);
            eprintln!("--- the gateway's log\n{}", &log[from..]);
        }
    }
}

/// The program, told where it lives. Nothing of our own environment reaches it.
#[expect(clippy::disallowed_methods, reason = "the program itself is what is tested")]
pub(crate) fn command(place: &Place) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mosaic"));
    command
        .env_clear()
        .current_dir(place.beside("."))
        // Whether this machine has the small models must not matter to a test that does not ask for them.
        .env("MOSAIC_MODELS", place.beside("no-models"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .arg("--data")
        .arg(place.data());
    if let Some(url) = place.database_url() {
        command.arg("--database-url").arg(url);
    }
    command
}

impl Place {
    /// Runs a command of the program to its end.
    pub(crate) fn mosaic(&self, arguments: &[&str]) -> Output {
        let output = command(self).args(arguments).output().unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Where it listens. The line that it prints names the public address, if it has one.
fn announced(place: &Place) -> SocketAddr {
    let lock = std::fs::read(place.data().join("lock")).unwrap();
    let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap();
    lock["address"].as_str().unwrap().parse().unwrap()
}

/// The lines of a stream, gathered as they come so that the writer never waits.
struct Lines {
    gathered: Mutex<(Vec<String>, bool)>,
    grew: Condvar,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Arc<Lines> {
        let lines = Arc::new(Lines { gathered: Mutex::default(), grew: Condvar::new() });
        let gathering = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                gathering.push(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            gathering.push(None);
        });
        lines
    }

    fn push(&self, line: Option<String>) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        match line {
            Some(line) => gathered.0.push(line),
            None => gathered.1 = true,
        }
        self.grew.notify_all();
    }

    /// The first line that holds this text, or None when the stream ends without it.
    fn wait_for(&self, text: &str) -> Option<String> {
        let begun = Instant::now();
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(line) = gathered.0.iter().find(|line| line.contains(text)) {
                return Some(line.clone());
            }
            let left = PATIENCE.checked_sub(begun.elapsed())?;
            if gathered.1 {
                return None;
            }
            let waited = self.grew.wait_timeout(gathered, left);
            gathered = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Everything, once the stream has ended.
    fn whole(&self) -> String {
        let begun = Instant::now();
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        while !gathered.1 && begun.elapsed() < PATIENCE {
            let waited = self.grew.wait_timeout(gathered, PATIENCE);
            gathered = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        gathered.0.join("\n")
    }

    fn so_far(&self) -> String {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).0.join("\n")
    }
}
