//! Killed while a backup is written: the file is not there, or it is whole.

use crate::{
    seed::{self, copied, copy},
    shim::{Shim, enough, kills, was_killed},
    support::{Gateway, Place},
    whole::{self, names},
};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_without_a_gateway_is_whole_or_absent() {
    let (shim, original) = (Shim::build(), Arc::new(Place::sqlite()));
    seed::filled(original.clone()).await;
    let n_calls = shim.calls_of(&copied(&original.data()), &["backup", "saved"]);

    let mut n_killed = 0;
    let points = kills(0, n_calls, 60);
    for kill in &points {
        let place = copied(&original.data());
        let output = shim.killed(&place, &["backup", "saved"], *kill);
        n_killed += usize::from(was_killed(&output));
        afterwards(&place).await;
    }
    enough(n_killed, points.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_gateway_that_dies_is_whole_or_absent() {
    let (shim, original) = (Shim::build(), Arc::new(Place::sqlite()));
    seed::filled(original.clone()).await;
    let place = copied(&original.data());
    let watched = Gateway::try_start_with(place.clone(), &[], |command| {
        shim.watch(command, &place.beside("."), &[]);
    });
    let gateway = watched.unwrap();
    let before = shim.count();
    place.ok(&["backup", "saved"]);
    let after = shim.count();
    gateway.kill();

    let mut n_killed = 0;
    let points = kills(before, after, 40);
    for kill in &points {
        let place = copied(&original.data());
        let started = Gateway::try_start_with(place.clone(), &[], |command| {
            shim.arm(command, &place, *kill);
        });
        if let Ok(mut gateway) = started {
            let output = place.mosaic(&["backup", "saved"]);
            assert!(!output.stderr.contains("panicked"), "{output:?}");
            if output.code != Some(0) {
                let status = gateway.ended(crate::support::PATIENCE).await;
                n_killed += usize::from(status.code().is_none());
            }
            gateway.kill();
        }
        afterwards(&place).await;
    }
    enough(n_killed, points.len());
}

async fn afterwards(place: &Arc<Place>) {
    let state = whole::check(place).await;
    assert_eq!(state.accounts, ["ada", "root"]);
    // What was cut short does not pass for a backup; what is there is one.
    let mut saved: Vec<String> = names(&place.beside(""));
    saved.retain(|name| name.contains("saved") && !name.ends_with(".partial"));
    if saved.is_empty() {
        place.ok(&["backup", "saved"]);
    }
    assert!(saved.is_empty() || saved == ["saved"], "{saved:?}");
    for name in names(&place.beside("")).iter().filter(|name| name.ends_with(".partial")) {
        let partial = place.beside(name);
        // Cut short, or the second name of the whole file.
        let cut = Place::sqlite().mosaic(&["restore", partial.to_str().unwrap()]);
        assert_ne!(cut.code, Some(0), "no key is there, so nothing can be restored");
    }

    let fresh = Place::sqlite();
    copy(&place.data(), &fresh.data());
    for name in names(&fresh.data()).iter().filter(|name| *name != "master.key") {
        let path = fresh.data().join(name);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
            .unwrap();
    }
    fresh.ok(&["restore", place.beside("saved").to_str().unwrap()]);
    let fresh = Arc::new(fresh);
    assert_eq!(whole::check(&fresh).await.accounts, ["ada", "root"]);
}
