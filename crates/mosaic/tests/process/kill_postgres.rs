//! Killed at many moments of its work on PostgreSQL: all or nothing there, too.
//!
//! What changes is on the server, so there are no calls to count: kills are spread over the time that the work takes,
//! and one is put between the work and its commit, where a lock of ours holds the program up.

use crate::{
    saying::run,
    seed::{self, secrets},
    support::{Database, Gateway, PATIENCE, Place, command, eventually},
    whole,
};
use sqlx::{Connection, PgConnection, raw_sql};
use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

const ROUNDS: u32 = 20;

fn rounds() -> u32 {
    if std::env::var_os("SOAK").is_some() { 10 * ROUNDS } else { ROUNDS }
}

/// Kills it when it has run for so long. Whether it still ran then.
async fn killed_after(mut child: Child, after: Duration) -> bool {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    while begun.elapsed() < after {
        ticks.tick().await;
        if child.try_wait().unwrap().is_some() {
            return false;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

fn quiet(place: &Place, arguments: &[&str]) -> Command {
    let mut command = command(place);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// How long a command takes that succeeds.
fn time_of(place: &Place, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    let mut command = command(place);
    command.args(arguments);
    run(command).ok();
    begun.elapsed()
}

/// Starts a command and kills it where it waits for a lock that we hold on a table.
async fn killed_at_a_lock(place: &Place, table: &str, arguments: &[&str]) {
    let mut ours = PgConnection::connect(&place.database_url().unwrap()).await.unwrap();
    let lock = format!("begin; lock table {table} in share mode");
    raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut ours).await.unwrap();
    let mut child = quiet(place, arguments).spawn().unwrap();
    let waiting = "select pid::text from pg_locks where not granted";
    eventually("it waits for our lock", PATIENCE, async || !place.rows(waiting).await.is_empty())
        .await;
    child.kill().unwrap();
    assert!(child.wait().unwrap().code().is_none());
    raw_sql("rollback").execute(&mut ours).await.unwrap();
    ours.close().await.unwrap();
}

/// A place on PostgreSQL with something in it; None where the test is to be skipped.
async fn filled() -> Option<(Arc<Place>, seed::Seed)> {
    let place = Arc::new(Place::new(Database::Postgres)?);
    let seed = seed::filled(place.clone()).await;
    Some((place, seed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_restore_leaves_the_old_or_the_new() {
    let Some((place, seed)) = filled().await else { return };
    place.ok(&["backup", "one"]);
    let gateway = Gateway::start_at(place.clone(), &[]);
    seed.change(&gateway).await;
    gateway.stop().await;
    place.ok(&["backup", "two"]);
    let backups = [("one", ["ada", "root"]), ("two", ["bob", "root"])];

    let takes = time_of(&place, &["restore", "one", "--replace"]);
    let mut state = whole::check(&place).await;
    let mut n_old = 0;
    for round in 0..rounds() {
        // Always the other one.
        let (file, people) =
            *backups.iter().find(|(_, people)| state.accounts != people[..]).unwrap();
        let child = quiet(&place, &["restore", file, "--replace"]).spawn().unwrap();
        killed_after(child, takes * round / rounds()).await;
        let now = whole::check(&place).await;
        if now.accounts == people {
            assert_ne!(now.generation, state.generation);
        } else {
            n_old += 1;
            assert_eq!(now, state);
        }
        state = now;
    }
    assert!(n_old > 0, "every kill came too late");

    let (file, people) = *backups.iter().find(|(_, people)| state.accounts != people[..]).unwrap();
    // The generation is written when everything is in its place, just before the commit.
    killed_at_a_lock(&place, "meta", &["restore", file, "--replace"]).await;
    assert_eq!(whole::check(&place).await, state);
    place.ok(&["restore", file, "--replace"]);
    assert_eq!(whole::check(&place).await.accounts, people);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_rotation_loses_no_secret() {
    const ROTATE: [&str; 2] = ["secrets", "rotate"];
    let Some((place, seed)) = filled().await else { return };
    let takes = time_of(&place, &ROTATE);
    for round in 0..rounds() {
        let child = quiet(&place, &ROTATE).spawn().unwrap();
        killed_after(child, takes * round / rounds()).await;
        opens(&place, &seed).await;
    }
    // The secrets are sealed anew by then, and the check value is not.
    killed_at_a_lock(&place, "keyring", &ROTATE).await;
    opens(&place, &seed).await;
}

async fn opens(place: &Arc<Place>, seed: &seed::Seed) {
    let gateway = Gateway::start_at(place.clone(), &[]);
    whole::check_running(&gateway).await;
    assert_eq!(secrets(&seed.program(&gateway)).await, seed::SECRETS);
    gateway.stop().await;
    // There is no way to read a value from outside; changing the key again opens every one of them.
    assert!(place.ok(&["secrets", "rotate"]).starts_with("2 secrets are sealed"));
    whole::check_files(place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_first_start_is_made_up_for() {
    let Some(place) = Place::new(Database::Postgres).map(Arc::new) else { return };
    let begun = Instant::now();
    Gateway::start_at(place.clone(), &[]).kill();
    let takes = begun.elapsed();
    for round in 0..rounds() {
        place.run("drop schema public cascade; create schema public").await;
        std::fs::remove_dir_all(place.data()).unwrap();
        let child = quiet(&place, &["up", "--listen", "127.0.0.1:0"]).spawn().unwrap();
        killed_after(child, takes * round / rounds()).await;
        let state = whole::check(&place).await;
        assert!(state.accounts.is_empty());
    }
}
