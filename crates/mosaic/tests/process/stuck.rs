//! A gateway that holds its data directory and does nothing: no command waits for it for ever.

use crate::support::{Gateway, Place};
use rustix::process::Signal;

#[track_caller]
fn gives_up(place: &Place, arguments: &[&str]) {
    let words = ["does not answer on the control socket", "10 s", "nothing was done", "restart it"];
    place.mosaic(arguments).refused_with_next_step(1, &words);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_hangs_no_command() {
    let gateway = Gateway::start_sqlite(&[]);
    let place = gateway.place().clone();
    gateway.signal(Signal::STOP);
    std::thread::scope(|scope| {
        scope.spawn(|| gives_up(&place, &["user", "list"]));
        scope.spawn(|| gives_up(&place, &["user", "add", "ada"]));
        scope.spawn(|| gives_up(&place, &["backup", "saved"]));
        scope.spawn(|| {
            let doctor = place.mosaic(&["doctor"]);
            assert_eq!(doctor.code, Some(1), "{doctor:?}");
            assert!(doctor.stdout.contains("does not answer on the control socket"), "{doctor:?}");
        });
    });
    gateway.signal(Signal::CONT);
    assert!(place.ok(&["user", "list"]).contains("no accounts yet"), "nothing was done");
    assert!(!place.beside("saved").exists());
}
