//! Killed while a backup is restored over other data: all of the old is there, or all of the new.

use crate::{
    seed::{self, Seed, copied},
    shim::{Shim, enough, kills, was_killed},
    support::{Gateway, Place},
    whole::{self, State},
};
use std::{path::PathBuf, sync::Arc};

/// What there is before the kill.
struct Stage {
    seed: Seed,
    place: Arc<Place>,
    /// A backup of other data.
    backup: PathBuf,
    /// What is there, and what the backup holds.
    old: State,
    new: Vec<String>,
}

/// With `rotated`, the backup is sealed under an older master key than the data.
async fn stage(rotated: bool) -> Stage {
    let place = Arc::new(Place::sqlite());
    let gateway = Gateway::start_at(place.clone(), &[]);
    let seed = seed::fill(&gateway).await;
    place.ok(&["backup", "saved"]);
    if rotated {
        place.ok(&["secrets", "rotate"]);
    }
    seed.change(&gateway).await;
    gateway.stop().await;
    let old = whole::state(&place).await;
    assert_eq!(old.accounts, ["bob", "root"]);
    let new = vec!["ada".to_owned(), "root".to_owned()];
    Stage { seed, backup: place.beside("saved"), place, old, new }
}

async fn a_killed_restore_is_all_or_nothing(rotated: bool, most: u64) {
    let (shim, stage) = (Shim::build(), stage(rotated).await);
    let restore = ["restore", stage.backup.to_str().unwrap(), "--replace"];
    let n_calls = shim.calls_of(&copied(&stage.place.data()), &restore);

    let (mut n_killed, mut n_new) = (0, 0);
    let points = kills(0, n_calls, most);
    for kill in &points {
        let place = copied(&stage.place.data());
        let output = shim.killed(&place, &restore, *kill);
        n_killed += usize::from(was_killed(&output));

        let gateway = Gateway::try_start_at(place.clone(), &[]);
        let gateway =
            gateway.unwrap_or_else(|said| panic!("it does not start after {kill:?}: {said:?}"));
        whole::check_running(&gateway).await;
        let token = stage.seed.program(&gateway).get("/api/me").await;
        gateway.stop().await;
        whole::check_files(&place).await;
        let state = whole::state(&place).await;
        if state.accounts == stage.old.accounts {
            assert_eq!(state.generation, stage.old.generation, "{kill:?}");
            token.is(200);
        } else {
            n_new += 1;
            assert_eq!(state.accounts, stage.new, "{kill:?}");
            assert_ne!(state.generation, stage.old.generation, "{kill:?}");
            token.is(401);
        }

        place.ok(&restore);
        place.ok(&["secrets", "rotate"]);
        assert_eq!(whole::check(&place).await.accounts, stage.new);
    }
    eprintln!("{n_calls} calls; {n_new} of {} kills came after the data was new", points.len());
    assert!(n_new > 0 && n_new < points.len(), "every kill was on the same side: {n_new}");
    enough(n_killed, points.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_restore_leaves_the_old_or_the_new() {
    a_killed_restore_is_all_or_nothing(false, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_restore_of_a_backup_under_an_older_key_leaves_the_old_or_the_new() {
    a_killed_restore_is_all_or_nothing(true, 50).await;
}
