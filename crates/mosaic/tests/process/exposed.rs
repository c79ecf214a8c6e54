//! Listening beyond this machine: only once there is an admin, or with a code that the operator chose.
//!
//! The program runs in a network of its own, which has no way out; its control socket is reached through the files.

use crate::{
    saying::run,
    support::{PATIENCE, Place, SETUP_CODE, command, eventually},
};
use std::{
    process::{Command, Stdio},
    sync::Arc,
};

/// A command of a place in a network of its own, if this machine can make one.
fn alone(place: &Place, arguments: &[&str]) -> Option<Command> {
    let unshare = ["--user", "--map-root-user", "--net", "--"];
    let mut probe = Command::new("unshare");
    if !probe.args(unshare).arg("true").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no network of its own can be made here");
        return None;
    }
    let inner = command(place);
    let mut outer = Command::new("unshare");
    outer.args(unshare).arg(inner.get_program()).args(inner.get_args()).args(arguments);
    outer.env_clear().current_dir(place.beside(".")).stdin(Stdio::null());
    Some(outer)
}

const EVERYWHERE: [&str; 3] = ["up", "--listen", "0.0.0.0:0"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_let_in_from_outside_before_there_is_an_admin() {
    let place = Arc::new(Place::sqlite());
    let Some(refused) = alone(&place, &EVERYWHERE) else { return };
    run(refused)
        .refused_with_next_step(1, &["before there is an admin", "MOSAIC_SETUP_CODE", "127.0.0.1"]);
    let too_short = alone(&place, &[&EVERYWHERE[..], &["--setup-code", "short"]].concat()).unwrap();
    run(too_short).refused(2, &["setup_code", "16"]);

    // A random code may begin with a hyphen.
    let hyphen = format!("-{SETUP_CODE}");
    let with_code = [&EVERYWHERE[..], &["--setup-code", &hyphen]].concat();
    works(&place, &with_code).await;
    // And with an admin it needs no code.
    place.ok(&["user", "add", "ada"]);
    run(alone(&place, &EVERYWHERE).unwrap()).refused(1, &["before there is an admin"]);
    place.ok(&["user", "admin", "ada"]);
    works(&place, &EVERYWHERE).await;
}

/// Starts it, asks it over the control socket, and ends it.
async fn works(place: &Arc<Place>, arguments: &[&str]) {
    let mut command = alone(place, arguments).unwrap();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("it runs", PATIENCE, async || {
        let lock = std::fs::read_to_string(place.data().join("lock")).unwrap_or_default();
        lock.contains("0.0.0.0:") && place.mosaic(&["user", "list"]).code == Some(0)
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
}
