//! What running programs use, as the kernel counts it: memory and processor time, with the programs they started.
//!
//! Only where there is a /proc; elsewhere nothing is said rather than something else.

use std::{fs, time::Duration};
use tokio::time::{Instant, MissedTickBehavior};

/// The kernel shows processor time to programs in hundredths of a second, whatever it counts in itself.
const TICKS_PER_SECOND: f64 = 100.0;

/// In millions of bytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Resident: all pages that are in memory.
    pub(crate) rss: f64,
    /// The same, with pages that several programs share divided among them.
    pub(crate) pss: Option<f64>,
}

/// The memory of a program and of those it started.
pub(crate) fn memory(pid: u32) -> Option<Memory> {
    let family = family(pid);
    let sum = |file: &str, key: &str| -> Option<f64> {
        family.iter().map(|pid| kibibytes(*pid, file, key)).sum()
    };
    Some(Memory { rss: sum("status", "VmRSS:")?, pss: sum("smaps_rollup", "Pss:") })
}

/// The memory once it has stopped moving: two seconds have passed, and for the last one it stayed within a hundredth.
pub(crate) async fn settled_memory(pid: u32) -> Option<Memory> {
    const SAMPLES_A_SECOND: usize = 10;
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (begun, mut seen) = (Instant::now(), vec![]);
    loop {
        ticks.tick().await;
        let now = memory(pid)?;
        seen.push(now.rss);
        let last = seen.iter().rev().take(SAMPLES_A_SECOND);
        let still = last.clone().all(|rss| (rss - now.rss).abs() <= now.rss / 100.0);
        let enough = begun.elapsed() >= Duration::from_secs(2) && last.len() == SAMPLES_A_SECOND;
        // What still moves after so long is not idle; then this is as good as later.
        if (enough && still) || begun.elapsed() > Duration::from_secs(20) {
            return Some(now);
        }
    }
}

/// The processor time of a program and of those it started.
pub(crate) fn processor_seconds(pid: u32) -> Option<f64> {
    let ticks = |pid: &u32| {
        let fields = stat(*pid)?;
        let field = |n: usize| fields.get(n).and_then(|field| field.parse::<f64>().ok());
        Some(field(11)? + field(12)?) // utime and stime
    };
    Some(family(pid).iter().map(ticks).sum::<Option<f64>>()? / TICKS_PER_SECOND)
}

/// A program and all that it started, and they in turn.
fn family(pid: u32) -> Vec<u32> {
    let listed = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids: Vec<u32> =
        listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let parent = |pid: u32| stat(pid)?.get(1)?.parse::<u32>().ok();
    let pairs: Vec<(u32, u32)> =
        pids.into_iter().filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let (mut family, mut next) = (vec![pid], 0);
    while let Some(of) = family.get(next).copied() {
        family.extend(pairs.iter().filter(|(_, parent)| *parent == of).map(|(pid, _)| *pid));
        next += 1;
    }
    family
}

/// The fields of /proc/PID/stat after the name, which may itself hold spaces: the state is 0, the parent 1.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(ToOwned::to_owned).collect())
}

fn kibibytes(pid: u32, file: &str, key: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}
