//! Killed while the master key is changed: every secret opens afterwards, under one key.

use crate::{
    seed::{self, Seed, copied, secrets},
    shim::{Shim, enough, kills, was_killed},
    support::{Gateway, PATIENCE, Place},
    whole,
};
use std::sync::Arc;

const ROTATE: [&str; 2] = ["secrets", "rotate"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_rotation_loses_no_secret() {
    let (shim, original) = (Shim::build(), Arc::new(Place::sqlite()));
    let seed = seed::filled(original.clone()).await;
    let n_calls = shim.calls_of(&copied(&original.data()), &ROTATE);

    let mut n_killed = 0;
    let points = kills(0, n_calls, 70);
    for kill in &points {
        let place = copied(&original.data());
        n_killed += usize::from(was_killed(&shim.killed(&place, &ROTATE, *kill)));
        afterwards(&place, &seed).await;
    }
    enough(n_killed, points.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_of_a_gateway_that_dies_loses_no_secret() {
    let (shim, original) = (Shim::build(), Arc::new(Place::sqlite()));
    let seed = seed::filled(original.clone()).await;
    let place = copied(&original.data());
    let watched = Gateway::try_start_with(place.clone(), &[], |command| {
        shim.watch(command, &place.beside("."), &[]);
    });
    let gateway = watched.unwrap();
    let before = shim.count();
    place.ok(&ROTATE);
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
            let output = place.mosaic(&ROTATE);
            assert!(!output.stderr.contains("panicked"), "{output:?}");
            if output.code != Some(0) {
                n_killed += usize::from(gateway.ended(PATIENCE).await.code().is_none());
            }
            gateway.kill();
        }
        afterwards(&place, &seed).await;
    }
    enough(n_killed, points.len());
}

async fn afterwards(place: &Arc<Place>, seed: &Seed) {
    let gateway = Gateway::start_at(place.clone(), &[]);
    whole::check_running(&gateway).await;
    assert_eq!(secrets(&seed.program(&gateway)).await, seed::SECRETS);
    let place = gateway.stop().await;
    whole::check_files(&place).await;
    // There is no way to read a value from outside; changing the key again opens every one of them.
    let said = place.ok(&ROTATE);
    assert!(said.starts_with("2 secrets are sealed"), "{said}");
    whole::check_files(&place).await;
}
