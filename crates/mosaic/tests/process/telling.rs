//! Commands that tell about the installation: config show, doctor, completions, version.

use crate::{
    saying::run_with,
    support::{Gateway, Output, Place},
};
use serde_json::Value;
use std::{net::TcpListener, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_program_knows_its_version_and_its_commands() {
    let place = Place::sqlite();
    assert_eq!(place.ok(&["version"]), format!("mosaic {}", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        let script = place.ok(&["completions", shell]);
        assert!(script.contains("mosaic") && script.lines().count() > 50, "{shell}: {script}");
    }
    assert!(place.ok(&["--help"]).contains("setup-link"));
    for wrong in [
        &["uq"][..],
        &[],
        &["user"],
        &["user", "lst"],
        &["up", "--lisen", "x"],
        &["completions", "sh"],
    ] {
        let output = place.mosaic(wrong);
        assert_eq!(output.code, Some(2), "{wrong:?}: {output:?}");
        assert!(output.stderr.contains("Usage:") || output.stderr.contains("--help"), "{output:?}");
    }
    assert!(place.mosaic(&["usr"]).stderr.contains("user"), "the nearest command is named");
    assert!(!place.data().exists(), "nothing was made");
}

#[test]
fn the_configuration_is_shown_with_its_sources_and_without_its_secrets() {
    let place = Place::sqlite();
    let secrets =
        ["client-secret-123", "a-setup-code-of-mine", "pass-word-1", "key-of-the-collector"];
    let key = "ab".repeat(32);
    let file = "listen = \"127.0.0.1:7001\"\n[log]\nlevel = \"warn\"\n[oidc.company]\nissuer = \"https://login.example.org\"\nclient_id = \"mosaic\"\n";
    std::fs::write(place.beside("mosaic.toml"), file).unwrap();
    let show = |json: &[&str]| {
        let arguments = [&["config", "show", "--set", "session.days=7"], json].concat();
        let output = run_with(&place, &arguments, |command| {
            command
                .env("MOSAIC_LOG_LEVEL", "debug")
                .env("MOSAIC_SETUP_CODE", secrets[1])
                .env("MOSAIC_OIDC_COMPANY_CLIENT_SECRET", secrets[0])
                .env(
                    "MOSAIC_DATABASE_URL",
                    format!("postgres://me:{}@127.0.0.1:1/mine", secrets[2]),
                )
                .env("MOSAIC_TELEMETRY_HEADERS", format!("x-key={}", secrets[3]))
                .env("MOSAIC_MASTER_KEY", &key);
        });
        let shown = output.ok();
        for secret in secrets.iter().chain([&key.as_str()]) {
            assert!(!shown.contains(secret), "{secret} is shown in {shown}");
        }
        shown
    };
    let text = show(&[]);
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    for (key, value, source) in [
        ("listen ", "127.0.0.1:7001", "mosaic.toml:1"),
        ("log.level ", "debug", "MOSAIC_LOG_LEVEL"),
        ("session.days ", "7", "--set session.days"),
        ("metrics_open ", "false", "default"),
        ("database_url ", "postgres://me:", "MOSAIC_DATABASE_URL"),
        ("oidc.company.issuer ", "https://login.example.org", "mosaic.toml:5"),
    ] {
        let line = line(key);
        assert!(line.contains(value) && line.ends_with(source), "{line}");
    }
    let json: Value = serde_json::from_str(&show(&["--json"])).unwrap();
    assert_eq!(json["listen"]["value"], "127.0.0.1:7001");
    assert_eq!(json["listen"]["source"], "mosaic.toml:1");
    assert_eq!(json["log.level"]["source"], "MOSAIC_LOG_LEVEL");
    assert_eq!(json["public_url"]["value"], Value::Null);
    assert!(!place.data().exists(), "nothing was made");
}

/// What doctor finds, by what it looked at. Each bad finding has a remedy, and decides the exit code.
fn findings(place: &Place, arguments: &[&str]) -> Vec<(String, String, String)> {
    let with = |json: &[&str]| place.mosaic(&[&["doctor"], arguments, json].concat());
    let found: Vec<Value> = serde_json::from_str(&with(&["--json"]).stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for finding in &found {
        let remedy = text(&finding["remedy"]);
        assert_eq!(finding["level"] == "good", remedy.is_empty(), "{finding}");
    }
    let is_bad = found.iter().any(|finding| finding["level"] == "bad");
    let output: Output = with(&[]);
    assert_eq!(output.code, Some(i32::from(is_bad)), "{output:?}");
    assert_eq!(output.stdout.contains("BAD "), is_bad, "{output:?}");
    found.iter().map(|it| (text(&it["what"]), text(&it["level"]), text(&it["found"]))).collect()
}

#[track_caller]
fn finds(place: &Place, arguments: &[&str], what: &str, level: &str, words: &str) {
    let found = findings(place, arguments);
    let hit =
        |it: &&(String, String, String)| it.0 == what && it.1 == level && it.2.contains(words);
    assert!(found.iter().any(|it| hit(&it)), "no {level} `{what}` with `{words}` in {found:?}");
}

/// An address that is free now.
fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_finds_what_is_wrong_and_says_what_to_do() {
    let place = Arc::new(Place::sqlite());
    let free = free();
    let listen: &[&str] = &["--listen", &free];
    finds(&place, listen, "data directory", "note", "does not exist yet");
    finds(&place, listen, "database", "note", "none yet");
    assert!(!place.data().exists(), "nothing was made");

    let gateway = Gateway::start_at(place.clone(), &[]);
    let pid = gateway.pid().to_string();
    finds(&place, &["--listen", &gateway.address().to_string()], "port", "good", "running gateway");
    finds(&place, listen, "lock", "good", &pid);
    finds(&place, listen, "port", "good", &gateway.address().to_string());
    finds(&place, listen, "database", "good", "ready");
    gateway.stop().await;

    assert!(findings(&place, listen).iter().all(|(_, level, _)| level != "bad"));
    finds(&place, listen, "database", "good", "whole");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = (taken.local_addr().unwrap().to_string(), taken);
    finds(&place, &["--listen", &taken.0], "port", "bad", &std::process::id().to_string());

    chmod(&place.data(), 0o755);
    finds(&place, listen, "data directory", "bad", "755");
    chmod(&place.data(), 0o700);
    let key = place.data().join("master.key");
    chmod(&key, 0o644);
    finds(&place, listen, "master key", "bad", "read by others");
    finds(&place, listen, "database", "bad", "read by others");
    chmod(&key, 0o600);

    let right = std::fs::read(&key).unwrap();
    std::fs::write(&key, format!("{}\n", "ab".repeat(32))).unwrap();
    finds(&place, listen, "database", "bad", "wrong master key");
    std::fs::write(&key, right).unwrap();

    place.run("update migrations set number = 900 where number = 1").await;
    finds(&place, listen, "database", "bad", "newer");
    std::fs::write(place.data().join("mosaic.db"), "no database at all, but words".repeat(99))
        .unwrap();
    finds(&place, listen, "database", "bad", "");
    std::fs::remove_dir_all(place.data()).unwrap();
    std::fs::write(place.data(), "a file").unwrap();
    finds(&place, listen, "data directory", "bad", "not a directory");
}
