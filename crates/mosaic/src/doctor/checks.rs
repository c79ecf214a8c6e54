//! The single checks. Those that decide something are pure; the rest only looks.

use super::{Finding, Level, models};
use crate::{
    config::Settings,
    control::Control,
    port,
    up::{NOT_BEFORE_MS, bus_address, store_options},
};
use mosaic_store::{Ambient, DataDir, Error, LockState, Store, latest_migration};
use std::{net::TcpListener, os::unix::fs::MetadataExt, path::Path};

/// Less than this, and writes will fail soon.
const LITTLE_BYTES: u64 = 100 * 1024 * 1024;
const LOW_BYTES: u64 = 1024 * 1024 * 1024;
/// What Mosaic has open besides connections: the database, blobs, sockets, the log.
const OTHER_FILES: u64 = 200;
const MINUTE_MS: i64 = 60_000;

/// Everything, in the order in which it matters.
pub(super) async fn all(settings: &Settings) -> Vec<Finding> {
    let lock = DataDir::look(&settings.data);
    let mut findings =
        vec![data_directory(&settings.data), lock_finding(&lock), master_key(settings)];
    match &lock {
        Ok(LockState::Held(_)) => {
            findings.extend(running(settings).await);
            findings.extend(models::running(settings).await);
        }
        _ => {
            let database = database(settings).await;
            let is_good = database.level == Level::Good;
            findings.push(database);
            if is_good && settings.database_url.is_none() {
                findings.extend(blobs(settings).await);
            }
            findings.extend(bus(settings).await);
        }
    }
    findings.extend(models::configured(settings));
    findings.push(disk(&settings.data));
    findings.push(clock(Ambient::real().now().0, newest_change(settings)));
    findings.push(listen(settings, &lock));
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    findings.push(files(limit, settings.limits.connections));
    findings.push(sandbox(std::env::consts::OS));
    findings
}

fn data_directory(data: &Path) -> Finding {
    const WHAT: &str = "data directory";
    let shown = data.display();
    match std::fs::metadata(data) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Finding::note(WHAT, format!("{shown} does not exist yet"), "`mosaic up` makes it")
        }
        Err(error) => {
            Finding::bad(WHAT, format!("{shown}: {error}"), "check its owner and permissions")
        }
        Ok(it) if !it.is_dir() => {
            Finding::bad(WHAT, format!("{shown} is not a directory"), "choose another with --data")
        }
        Ok(it) if it.mode() & 0o077 != 0 => Finding::bad(
            WHAT,
            format!(
                "{shown} is open to other users of this machine (mode {:o})",
                it.mode() & 0o777
            ),
            format!("run: chmod 700 '{shown}'"),
        ),
        Ok(_) => match rustix::fs::access(data, rustix::fs::Access::WRITE_OK) {
            Ok(()) => Finding::good(WHAT, shown.to_string()),
            Err(error) => Finding::bad(
                WHAT,
                format!("{shown} cannot be written: {error}"),
                "check its owner and permissions",
            ),
        },
    }
}

fn lock_finding(lock: &Result<LockState, Error>) -> Finding {
    const WHAT: &str = "lock";
    match lock {
        Ok(LockState::Absent | LockState::Free) => {
            Finding::good(WHAT, "no gateway runs on this data directory")
        }
        Ok(LockState::Held(Some(holder))) => {
            Finding::good(WHAT, format!("held by process {}", holder.pid))
        }
        Ok(LockState::Held(None)) => Finding::good(WHAT, "held by another process"),
        Err(Error::Refused { problem, remedy }) => Finding::bad(WHAT, problem, remedy),
        Err(error) => Finding::bad(
            WHAT,
            error.to_string(),
            "check the owner and permissions of the data directory",
        ),
    }
}

fn master_key(settings: &Settings) -> Finding {
    const WHAT: &str = "master key";
    if settings.master_key.is_some() {
        return Finding::good(WHAT, "from the configuration");
    }
    let path = settings.data.join("master.key");
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && has_data(settings) => {
            Finding::bad(
                WHAT,
                format!("{} is missing, and the data here is sealed under it", path.display()),
                "put it back from where you keep its copy, or set MOSAIC_MASTER_KEY",
            )
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Finding::note(
            WHAT,
            "there is none yet",
            "`mosaic up` makes one; keep a copy of it away from this machine",
        ),
        Err(error) => Finding::bad(
            WHAT,
            format!("{}: {error}", path.display()),
            "check its owner and permissions",
        ),
        Ok(it) if it.mode() & 0o077 != 0 => Finding::bad(
            WHAT,
            format!("{} can be read by others", path.display()),
            format!("run: chmod 600 '{}', then mosaic secrets rotate", path.display()),
        ),
        Ok(_) => Finding::good(WHAT, path.display().to_string()),
    }
}

/// Whether there is a database beside which a new key would be of no use.
fn has_data(settings: &Settings) -> bool {
    let database = std::fs::metadata(settings.data.join("mosaic.db"));
    settings.database_url.is_none() && database.is_ok_and(|file| file.len() > 0)
}

const BUS: &str = "bus";
const BUS_REMEDY: &str = "nothing is lost, other nodes only learn later of what is new; see that Valkey runs, and `bus_url` on every node";

async fn running(settings: &Settings) -> Vec<Finding> {
    let asked = async { Control::open(settings).await?.get::<serde_json::Value>("/readyz").await };
    let asked = asked.await;
    let bus = asked.as_ref().ok().and_then(|ready| match ready["parts"][BUS].as_str()? {
        "ok" => Some(Finding::good(BUS, "the running gateway is heard on it")),
        state => Some(Finding::note(BUS, format!("the running gateway: {state}"), BUS_REMEDY)),
    });
    std::iter::once(running_database(settings, asked).await).chain(bus).collect()
}

/// The bus as it looks from here, when no gateway runs that could say.
async fn bus(settings: &Settings) -> Option<Finding> {
    let address = bus_address(settings).ok()??;
    Some(match mosaic_store::bus::probe(&address).await {
        Ok(()) => Finding::good(BUS, format!("{} answers", address.shown())),
        Err(error) => Finding::note(BUS, error, BUS_REMEDY),
    })
}

async fn running_database(
    settings: &Settings,
    asked: anyhow::Result<serde_json::Value>,
) -> Finding {
    const WHAT: &str = "database";
    match asked {
        Ok(_) => Finding::good(WHAT, "the running gateway says that it is ready"),
        Err(error) => {
            // A server may be what is wrong, and says so itself; others may use it, too.
            if settings.database_url.is_some() {
                let server = database(settings).await;
                if server.level == Level::Bad {
                    return server;
                }
            }
            let text = format!("{error:#}");
            let (found, remedy) = text.split_once("\n  ").unwrap_or((&text, "look at its log"));
            Finding::bad(WHAT, format!("the running gateway: {found}"), remedy)
        }
    }
}

/// Whether every blob has its bytes. Asked for when no gateway runs, which would change them meanwhile.
async fn blobs(settings: &Settings) -> Option<Finding> {
    const WHAT: &str = "blobs";
    match Store::lost_blobs(&store_options(settings)).await {
        Ok(lost) if lost.n == 0 => Some(Finding::good(WHAT, "every one has its file")),
        Ok(lost) => Some(Finding::bad(
            WHAT,
            format!("{} without a whole file, the first is {}", lost.n, lost.first),
            "put the files back from a copy of blobs/, or restore a backup; what has no copy can only be deleted: DELETE /api/workspaces/ID/blobs/HASH",
        )),
        // What is wrong with the database is said already.
        Err(_) => None,
    }
}

async fn database(settings: &Settings) -> Finding {
    const WHAT: &str = "database";
    let where_ = if settings.database_url.is_some() { "PostgreSQL" } else { "SQLite" };
    match Store::examine(&store_options(settings)).await {
        Ok(None) => {
            Finding::note(WHAT, format!("{where_}: there is none yet"), "`mosaic up` makes it")
        }
        Ok(Some(migration)) if migration < latest_migration() => Finding::note(
            WHAT,
            format!("{where_}: at migration {migration} of {}", latest_migration()),
            "the next start migrates it; make a backup with the old version first",
        ),
        Ok(Some(migration)) => {
            Finding::good(WHAT, format!("{where_}: whole, at migration {migration}"))
        }
        Err(Error::Refused { problem, remedy }) => Finding::bad(WHAT, problem, remedy),
        Err(Error::Damaged(what)) => Finding::bad(
            WHAT,
            format!("damaged: {what}"),
            "move the data directory aside and restore a backup",
        ),
        Err(error) => Finding::bad(WHAT, error.to_string(), "check the database and its disk"),
    }
}

/// How much room there is for more.
pub(super) fn disk(data: &Path) -> Finding {
    const WHAT: &str = "disk space";
    // The directory may not exist yet; then its nearest parent counts.
    let there = data.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(there) {
        Err(error) => Finding::bad(WHAT, error.to_string(), "check the disk"),
        Ok(it) => room(it.f_bavail.saturating_mul(it.f_frsize)),
    }
}

fn room(free_bytes: u64) -> Finding {
    const WHAT: &str = "disk space";
    let shown = format!("{} MiB free", free_bytes / 1024 / 1024);
    match free_bytes {
        0..LITTLE_BYTES => Finding::bad(WHAT, shown, "make room now: writes will fail"),
        LITTLE_BYTES..LOW_BYTES => Finding::note(WHAT, shown, "make room soon"),
        _ => Finding::good(WHAT, shown),
    }
}

/// When the database was last written, by its file's own time.
fn newest_change(settings: &Settings) -> Option<i64> {
    let file =
        |name: &str| std::fs::metadata(settings.data.join(name)).ok().map(|it| it.mtime() * 1000);
    file("mosaic.db").max(file("mosaic.db-wal"))
}

fn clock(now_ms: i64, newest_change_ms: Option<i64>) -> Finding {
    const WHAT: &str = "clock";
    const REMEDY: &str =
        "set the clock, and let it be kept right by NTP: expiry and logins depend on it";
    if now_ms < NOT_BEFORE_MS {
        return Finding::bad(WHAT, "it says that it is before 2026", REMEDY);
    }
    match newest_change_ms {
        Some(changed) if changed > now_ms + 5 * MINUTE_MS => {
            let minutes = (changed - now_ms) / MINUTE_MS;
            Finding::bad(
                WHAT,
                format!("the data was written {minutes} minutes in its future"),
                REMEDY,
            )
        }
        _ => Finding::good(WHAT, "plausible"),
    }
}

fn listen(settings: &Settings, lock: &Result<LockState, Error>) -> Finding {
    const WHAT: &str = "port";
    let address = settings.listen;
    // What a running gateway was told when it started counts, not what this command was told.
    if let Ok(LockState::Held(Some(holder))) = lock
        && !holder.address.is_empty()
    {
        return Finding::good(WHAT, format!("{}, by the running gateway", holder.address));
    }
    match TcpListener::bind(address) {
        Ok(_) => Finding::good(WHAT, format!("{address} is free")),
        Err(error) => {
            let text = port::explain(address, &error);
            let (found, remedy) =
                text.split_once("\n  ").unwrap_or((&text, "choose another with --listen"));
            Finding::bad(WHAT, found, remedy)
        }
    }
}

fn sandbox(os: &str) -> Finding {
    const WHAT: &str = "sandbox";
    if os == "linux" {
        Finding::good(WHAT, "Linux: nothing here runs commands for agents yet")
    } else {
        Finding::note(
            WHAT,
            format!("{os} has no Landlock, seccomp or namespaces"),
            "agents will not be given a shell here; run the gateway on Linux for that",
        )
    }
}

/// Whether there can be as many connections as the configuration says: each is an open file to the system.
fn files(limit: Option<u64>, connections: u64) -> Finding {
    const WHAT: &str = "open files";
    let needed = connections + OTHER_FILES;
    match limit {
        Some(limit) if limit < needed => Finding::note(
            WHAT,
            format!(
                "a process started from here may have {limit}; `limits.connections` = {connections} takes {needed}"
            ),
            "raise it where Mosaic is started (LimitNOFILE= in a systemd unit, or ulimit -n), or lower `limits.connections`",
        ),
        Some(limit) => Finding::good(WHAT, format!("a process started from here may have {limit}")),
        None => Finding::good(WHAT, "no limit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_off_is_found() {
        let now = NOT_BEFORE_MS + 1_000_000_000;
        assert_eq!(clock(now, None).level, Level::Good);
        assert_eq!(clock(now, Some(now + 4 * MINUTE_MS)).level, Level::Good);
        assert_eq!(clock(now, Some(now + 6 * MINUTE_MS)).level, Level::Bad);
        assert_eq!(clock(0, None).level, Level::Bad);
    }

    #[test]
    fn too_few_open_files_are_found() {
        assert_eq!(files(Some(1024), 20_000).level, Level::Note);
        assert_eq!(files(Some(20_000), 20_000).level, Level::Note);
        assert_eq!(files(Some(65_536), 20_000).level, Level::Good);
        assert_eq!(files(None, 20_000).level, Level::Good);
    }

    #[test]
    fn little_room_is_found() {
        assert_eq!(room(10).level, Level::Bad);
        assert_eq!(room(LITTLE_BYTES).level, Level::Note);
        assert_eq!(room(LOW_BYTES).level, Level::Good);
    }

    #[test]
    fn what_the_system_cannot_do_is_said() {
        assert_eq!(sandbox("linux").level, Level::Good);
        assert_eq!(sandbox("macos").level, Level::Note);
    }
}
