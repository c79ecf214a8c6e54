//! A disk that is full or broken: requests that write are refused in due form, the gateway lives, nothing is lost.

use crate::{
    seed::{bytes, fill, put_blob},
    shim::Shim,
    support::{Answer, Gateway, Person, Place},
    whole,
};
use http::Method;
use rustix::process::geteuid;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

/// A small disk of our own, mounted where the data directory is.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where nothing can be mounted.
    fn mount(at: &Path, size: &str) -> Option<SmallDisk> {
        std::fs::create_dir(at).unwrap();
        let options = format!("size={size},mode=0700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        if geteuid().is_root() && mounted.is_ok_and(|output| output.status.success()) {
            return Some(SmallDisk(at.to_owned()));
        }
        std::fs::remove_dir(at).unwrap();
        eprintln!("skipped: nothing can be mounted here");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

/// Uploads until it is refused, at most so often. Answers the refusal.
async fn upload_until_refused(person: &Person, size: usize) -> Answer {
    for seed in 100..200 {
        let bytes = bytes(seed, size);
        let path = crate::seed::blob_path(person, &bytes);
        let answer = person.send_bytes(Method::PUT, &path, bytes).await;
        if answer.status != 200 {
            return answer;
        }
    }
    panic!("the disk is never full");
}

/// A command that writes a row.
async fn rename(person: &Person, name: &str) -> Answer {
    person.patch("/api/me", json!({ "display_name": name })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_writes_and_nothing_else() {
    let place = Arc::new(Place::sqlite());
    let Some(_disk) = SmallDisk::mount(&place.data(), "4m") else { return };
    let gateway = Gateway::start_at(place.clone(), &[]);
    let seed = fill(&gateway).await;
    let program = seed.program(&gateway);
    let ballast = place.data().join("ballast");
    std::fs::write(&ballast, vec![1; 600_000]).unwrap();

    upload_until_refused(&seed.admin, 300_000).await.refused(507, "disk_full");
    upload_until_refused(&seed.admin, 2_000).await.refused(507, "disk_full");
    // The rest of the room, so that not even a row fits.
    let mut rest = 0;
    while std::fs::write(place.data().join(format!("rest{rest}")), [1; 4096]).is_ok() {
        rest += 1;
    }
    let mut refused = 0;
    for n in 0..200 {
        let answer = rename(&seed.admin, &format!("{n} {}", "x".repeat(60))).await;
        if answer.status != 200 {
            answer.refused(507, "disk_full");
            refused += 1;
        }
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3, "rows are written on a full disk");
    let backup = place.mosaic(&["backup", place.data().join("saved").to_str().unwrap()]);
    backup.refused_with_next_step(1, &["full"]);
    assert!(!place.data().join("saved").exists());

    // Reading goes on, also for programs, whose last use cannot be noted now.
    for path in ["/healthz", "/api/me", "/api/users", "/api/audit"] {
        seed.admin.get(path).await.is(200);
    }
    program.get("/api/me").await.is(200);
    let blob = crate::seed::blob_path(&seed.admin, &bytes(7, 9_000));
    assert_eq!(program.get(&blob).await.is(200).body, bytes(7, 9_000));

    std::fs::remove_file(&ballast).unwrap();
    for n in 0..rest {
        std::fs::remove_file(place.data().join(format!("rest{n}"))).unwrap();
    }
    let _ = std::fs::remove_file(place.data().join(format!("rest{rest}")));
    rename(&seed.admin, "there is room again").await.is(200);
    put_blob(&seed.admin, 99, 5_000).await;
    gateway.stop().await;
    assert_eq!(whole::check(&place).await.accounts, ["ada", "root"]);
}

async fn starting_on_a_full_disk(cleanly: bool) {
    let place = Arc::new(Place::sqlite());
    let Some(_disk) = SmallDisk::mount(&place.data(), "4m") else { return };
    let gateway = Gateway::start_at(place.clone(), &[]);
    fill(&gateway).await;
    if cleanly {
        gateway.stop().await;
    } else {
        gateway.kill();
    }
    let mut rest = 0;
    while std::fs::write(place.data().join(format!("rest{rest}")), [1; 4096]).is_ok() {
        rest += 1;
    }
    // It may find all the room that reading needs; then it runs, and says what it cannot do.
    match Gateway::try_start_at(place.clone(), &[]) {
        Ok(gateway) => {
            assert!(gateway.log().contains("little room"), "{}", gateway.log());
            gateway.get("/healthz").await.is(200);
            let login = json!({ "name": "root", "password": crate::support::PASSWORD });
            // SQLite may still have room in a file that it has already.
            let status = gateway.post("/api/login", login).await.status;
            assert!(matches!(status, 200 | 507), "{status}");
            gateway.kill();
        }
        Err(output) => drop(output.refused_with_next_step(1, &["full"])),
    }
    for n in 0..=rest {
        let _ = std::fs::remove_file(place.data().join(format!("rest{n}")));
    }
    assert_eq!(whole::check(&place).await.accounts, ["ada", "root"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_full_disk_says_so_and_loses_nothing() {
    starting_on_a_full_disk(true).await;
    starting_on_a_full_disk(false).await;
}

async fn failing(errno: &str, is_due: impl Fn(&Answer) -> bool) {
    let (shim, place) = (Shim::build(), Arc::new(Place::sqlite()));
    crate::seed::filled(place.clone()).await;
    let start = |fail_at: Option<u64>| {
        let mut settings = vec![("SHIM_ERRNO", errno.to_owned())];
        settings.extend(fail_at.map(|n| ("SHIM_FAIL_AT", n.to_string())));
        let started = Gateway::try_start_with(place.clone(), &[], |command| {
            shim.watch(command, &place.data(), &settings);
        });
        started.map_err(|output| output.stderr)
    };
    let root = |gateway: &Gateway| Person { name: "root".to_owned(), ..gateway.nobody() };
    // How many calls a start and a login take.
    let gateway = start(None).unwrap();
    root(&gateway).log_in().await;
    let n_calls = shim.count();
    gateway.stop().await;

    for more in [1, 2, 3, 5, 8, 13, 21] {
        let Ok(mut gateway) = start(Some(n_calls + more)) else { continue };
        // What came before the disk broke may have taken a call more than the last time.
        let login = json!({ "name": "root", "password": crate::support::PASSWORD });
        let answer = gateway.post("/api/login", login).await;
        let admin = if answer.status == 200 {
            Person::arrived(gateway.client(), answer)
        } else {
            assert!(is_due(&answer.in_due_form()));
            gateway.nobody()
        };
        let mut last = None;
        for n in 0..20 {
            let renamed = rename(&admin, &format!("name {n}")).await;
            let bytes = bytes(n, 3_000);
            let path = crate::seed::blob_path(&admin, &bytes);
            let stored = admin.send_bytes(Method::PUT, &path, bytes).await;
            last = Some([renamed, stored]);
        }
        if admin.secret() != "" {
            for answer in last.unwrap() {
                assert!(
                    is_due(&answer.clone().in_due_form()),
                    "{} {}",
                    answer.status,
                    answer.text()
                );
            }
            admin.get("/api/me").await.is(200);
        }
        gateway.get("/healthz").await.is(200);
        gateway.signal(rustix::process::Signal::TERM);
        gateway.ended(crate::support::PATIENCE).await;
        assert!(!gateway.log().contains("panicked"), "{}", gateway.log());
        assert_eq!(whole::check(&place).await.accounts, ["ada", "root"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_disk_refuses_what_writes() {
    failing("EIO", |answer| answer.status >= 500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_refuses_what_writes() {
    failing("ENOSPC", |answer| (answer.status, answer.code()) == (507, "disk_full")).await;
}
