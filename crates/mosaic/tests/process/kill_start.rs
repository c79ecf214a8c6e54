//! Killed at its first start, while it makes the data directory, the master key and the tables: it starts again.

use crate::{
    shim::{Shim, enough, kills, was_killed},
    support::{Gateway, Place},
    whole,
};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_was_killed_is_made_up_for() {
    let shim = Shim::build();
    let place = Arc::new(Place::sqlite());
    let watched = Gateway::try_start_with(place.clone(), &[], |command| {
        shim.watch(command, &place.beside("."), &[]);
    });
    let n_calls = shim.count();
    watched.unwrap().kill();

    let (mut n_killed, mut n_tried) = (0, 0);
    let points = kills(0, n_calls, 60);
    for (i, kill) in points.iter().enumerate() {
        let place = Arc::new(Place::sqlite());
        // Some are killed twice at the same call.
        for _ in 0..=usize::from(i % 6 == 5) {
            let started = Gateway::try_start_with(place.clone(), &[], |command| {
                shim.arm(command, &place, *kill);
            });
            n_tried += 1;
            match started {
                Err(output) => n_killed += usize::from(was_killed(&output)),
                Ok(gateway) => drop(gateway.kill()),
            }
        }
        let state = whole::check(&place).await;
        assert!(state.accounts.is_empty());
        if i % 10 == 0 {
            let gateway = Gateway::start_at(place, &[]);
            gateway.admin().await;
        }
    }
    enough(n_killed, n_tried);
}
