//! A configuration that is not understood: the exit code is 2, the place is named, nothing is made.

use crate::{
    saying::run_with,
    support::{Output, Place},
};
use std::process::Command;

/// Starts the gateway with this configuration file.
fn up(place: &Place, file: &[u8], change: impl FnOnce(&mut Command)) -> Output {
    std::fs::write(place.beside("mosaic.toml"), file).unwrap();
    run_with(place, &["up"], change)
}

#[track_caller]
fn refuses(file: &str, words: &[&str]) {
    let place = Place::sqlite();
    up(&place, file.as_bytes(), |_| {}).refused(2, words);
    assert!(!place.data().exists(), "something was made");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
    refuses(
        "# words\n[limits]\nbody_byts = 5000\n",
        &["mosaic.toml:3", "`limits.body_byts`", "`limits.body_bytes`"],
    );
    refuses("[limts]\nbody_bytes = 5000\n", &["mosaic.toml:2", "`limits.body_bytes`"]);
    refuses("colour = \"red\"\n", &["mosaic.toml:1", "unknown key `colour`"]);
    let place = Place::sqlite();
    let flag = place.mosaic(&["up", "--set", "limits.body_byts=5000"]);
    flag.refused(2, &["--set limits.body_byts", "did you mean `limits.body_bytes`"]);
}

#[test]
fn every_problem_is_said_at_once() {
    let file = "listen = 5\nlisten2 = 6\n[limits]\nbody_bytes = 0\n[session]\ndays = \"long\"\n";
    refuses(file, &["mosaic.toml:1", "mosaic.toml:2", "mosaic.toml:4", "mosaic.toml:6"]);
}

#[test]
fn what_is_not_toml_is_named_with_its_line() {
    refuses("listen = \"127.0.0.1:0\"\nthis is = = not\n", &["mosaic.toml:2", "not TOML"]);
    // The line may hold a secret.
    let place = Place::sqlite();
    let said =
        up(&place, b"setup_code = \"a-secret-code-for-me\n", |_| {}).refused(2, &["mosaic.toml:1"]);
    assert!(!said.contains("a-secret-code"), "{said}");
}

#[test]
fn a_file_that_is_not_utf8_or_not_there_is_refused() {
    let place = Place::sqlite();
    up(&place, b"listen = \"\xff\xfe\"\n", |_| {})
        .refused_with_next_step(2, &["not UTF-8 from line 1", "mosaic.toml", "save it as UTF-8"]);
    std::fs::remove_file(place.beside("mosaic.toml")).unwrap();
    let missing = place.mosaic(&["up", "--config", "other.toml"]);
    missing.refused_with_next_step(2, &["other.toml", "cannot be read"]);
    std::fs::create_dir(place.beside("folder")).unwrap();
    place.mosaic(&["up", "--config", "folder"]).refused_with_next_step(2, &["folder"]);
    assert!(!place.data().exists(), "something was made");
}

#[test]
fn a_slip_in_the_environment_or_a_flag_is_named() {
    let place = Place::sqlite();
    let slip = run_with(&place, &["up"], |command| {
        command.env("MOSAIC_LISTN", "127.0.0.1:0");
    });
    slip.refused(2, &["MOSAIC_LISTN", "MOSAIC_LISTEN"]);
    let value = run_with(&place, &["up"], |command| {
        command.env("MOSAIC_LIMITS_BODY_BYTES", "much");
    });
    value.refused(2, &["MOSAIC_LIMITS_BODY_BYTES", "limits.body_bytes"]);
    let bytes = run_with(&place, &["up"], |command| {
        use std::os::unix::ffi::OsStrExt;
        command.env("MOSAIC_LISTEN", std::ffi::OsStr::from_bytes(b"\xff"));
    });
    bytes.refused_with_next_step(2, &["MOSAIC_LISTEN", "not UTF-8"]);
    place.mosaic(&["up", "--listen", "nowhere"]).refused(2, &["--listen", "nowhere"]);
    place.mosaic(&["up", "--set", "listn=127.0.0.1:0"]).refused(2, &["listn"]);
    place.mosaic(&["up", "--set", "listen"]).refused(2, &["KEY=VALUE"]);
    assert!(!place.data().exists(), "something was made");
}

#[test]
fn a_bus_that_makes_no_sense_is_refused_and_its_password_not_told() {
    for (url, words) in [
        ("http://u:hunter2@h", "valkey://"),
        ("valkeys://u:hunter2@h", "TLS"),
        ("valkey://u:hun/ter2@h", "percent-encoded"),
        ("valkey://u:hunter2@h/x", "not a number"),
        // Well-formed, and of no use.
        ("valkey://u:hunter2@127.0.0.1:1", "database_url"),
    ] {
        let place = Place::sqlite();
        let up = run_with(&place, &["up"], |command| {
            command.env("MOSAIC_BUS_URL", url);
        });
        let said = up.refused(2, &["MOSAIC_BUS_URL", "`bus_url`", words]);
        assert!(!said.contains("hunter2") && !said.contains("ter2"), "{said}");
        assert!(!place.data().exists(), "something was made");
    }
}
