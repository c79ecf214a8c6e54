//! Programs that are started, waited for until they answer, and stopped together with whatever they started.
//!
//! They see a clean environment and a folder of their own, so that nothing of the caller's configuration is measured.

use crate::wire::{self, Connection};
use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How long a program may take to stop when it is asked to.
const STOPPING: Duration = Duration::from_secs(10);

/// How a program is started.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(String, String)>,
    /// Where it runs; its home, too.
    pub(crate) folder: PathBuf,
    /// Given, or printed by the program: then the port is its own choice.
    pub(crate) address: Option<SocketAddr>,
    /// The path that answers 200 once the program is ready.
    pub(crate) ready: String,
    pub(crate) patience: Duration,
}

/// A program that answers. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start to the first answer.
    pub(crate) took: Duration,
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Launch {
    fn command(&self) -> Command {
        #[expect(
            clippy::disallowed_methods,
            reason = "a benchmark starts the programs that it measures, and only those"
        )]
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder).stdin(Stdio::null());
        command.env_clear().env("HOME", &self.folder);
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        // A group of its own, so that it can be stopped with everything that it starts.
        command.process_group(0);
        command
    }

    /// Runs it to its end and gives what it printed.
    pub(crate) fn output(&self) -> anyhow::Result<String> {
        let output = self.command().output().with_context(|| self.name())?;
        if !output.status.success() {
            bail!("{}: {}", self.name(), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&self) -> anyhow::Result<Running> {
        let log = self.folder.join("program.log");
        let mut command = self.command();
        command.stderr(File::create(&log)?);
        command.stdout(match self.address {
            Some(_) => Stdio::from(File::options().append(true).open(&log)?),
            None => Stdio::piped(),
        });
        let begun = Instant::now();
        let mut child = command.spawn().with_context(|| format!("starting {}", self.name()))?;
        let stdout = child.stdout.take();
        // From here on, whatever goes wrong ends the child.
        let address = self.address.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let mut running = Running { child, address, took: Duration::ZERO };
        let answered = tokio::time::timeout(self.patience, async {
            if let Some(stdout) = stdout {
                running.address = announced(stdout).await?;
            }
            running.answers(&self.ready).await
        });
        let answered = match answered.await {
            Ok(answered) => answered,
            Err(_) => Err(anyhow::anyhow!("no answer within {} s", self.patience.as_secs())),
        };
        answered.with_context(|| format!("{}\n{}", self.name(), tail(&log)))?;
        running.took = begun.elapsed();
        Ok(running)
    }

    /// Starts and stops it: how many milliseconds passed until it answered.
    pub(crate) async fn timed(&self) -> anyhow::Result<f64> {
        let running = self.start().await?;
        let took = running.took;
        running.stop().await;
        Ok(took.as_secs_f64() * 1000.0)
    }

    fn name(&self) -> String {
        self.program.display().to_string()
    }
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the path answers 200.
    async fn answers(&self, path: &str) -> anyhow::Result<()> {
        let request = wire::request(self.address, "GET", path, &[], "");
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        loop {
            ticks.tick().await;
            if self.has_ended() {
                bail!("it ended before it answered");
            }
            // Not there yet, or there and not ready yet: both are asked again.
            let Ok(mut connection) = Connection::open(self.address).await else { continue };
            if connection.send(&request).await.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
        }
    }

    /// Without reaping it: its id, and that of its group, must stay its own until the group was signalled.
    fn has_ended(&self) -> bool {
        let Some(pid) = self.group() else { return true };
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(pid), look), Ok(None))
    }

    fn group(&self) -> Option<Pid> {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Asks it to stop, and insists after a while.
    pub(crate) async fn stop(self) {
        if let Some(group) = self.group() {
            let _ = kill_process_group(group, Signal::TERM);
        }
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while !self.has_ended() && begun.elapsed() < STOPPING {
            ticks.tick().await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group() {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// The address in the first line that has one. The pipe is read on, so that the program never waits for us.
async fn announced(stdout: ChildStdout) -> anyhow::Result<SocketAddr> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mut tell = Some(tell);
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(address) = address_in(&line)
                && let Some(tell) = tell.take()
            {
                let _ = tell.send(address);
            }
        }
    });
    told.await.context("it ended before it printed its address")
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once("http://")?;
    after.split(['/', ' ', '#']).next()?.parse().ok()
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn the_address_is_found_in_a_sentence() {
        let found = |line| address_in(line).map(|address| address.port());
        assert_eq!(found("Mosaic 1.2.3 is running at http://127.0.0.1:4711"), Some(4711));
        assert_eq!(found("Make it at http://127.0.0.1:4711/#setup with it"), Some(4711));
        assert_eq!(found("Nothing yet"), None);
    }
}
