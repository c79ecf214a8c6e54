//! Keys of providers on the command line and in the environment: where they are taken from, and where they never show.

use crate::{
    saying::run_with,
    support::{Gateway, Output, Place},
};
use std::{
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
};

const KEY: &str = "sk-0123456789-abcdefghij-WXYZ";

/// Nobody is asked: it is kept untested.
fn add(place: &Place, name: &str, more: &[&str], change: impl FnOnce(&mut Command)) -> Output {
    let mut arguments = vec![
        "provider",
        "add",
        name,
        "--kind",
        "anthropic",
        "--base-url",
        "https://127.0.0.1:1/v1",
        "--untested",
    ];
    arguments.extend(more);
    run_with(place, &arguments, change)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_comes_in_quietly_and_stays_in() {
    let gateway = Gateway::start_sqlite(&[]);
    let place = gateway.place().clone();
    let by_variable = add(&place, "one", &[], |command| {
        command.env("MOSAIC_PROVIDER_KEY", format!(" {KEY}\n"));
    });
    assert_eq!(by_variable.code, Some(0), "{by_variable:?}");
    let by_stdin = {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(format!("{KEY}\n").as_bytes()).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        add(&place, "two", &["--key-stdin"], |command| {
            command.stdin(Stdio::from(file));
        })
    };
    assert_eq!(by_stdin.code, Some(0), "{by_stdin:?}");
    let empty = add(&place, "three", &["--key-stdin"], |_| {});
    assert_eq!(empty.code, Some(1), "{empty:?}");
    assert!(empty.stderr.contains("the key is empty"), "{empty:?}");

    let listed = place.ok(&["provider", "list"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert_eq!(listed.matches("…WXYZ").count(), 2, "{listed}");
    let all = [
        listed,
        place.ok(&["provider", "list", "--json"]),
        place.ok(&["audit", "list"]),
        format!("{by_variable:?}{by_stdin:?}"),
        gateway.log(),
        gateway.printed(),
    ];
    for text in all {
        assert!(!text.contains(&KEY[3..20]), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_the_environment_count_only_when_the_operator_says_so() {
    let place = Arc::new(Place::sqlite());
    let start = |settings: &[(&str, &str)]| {
        let started = Gateway::try_start_with(place.clone(), settings, |command| {
            command.env("ANTHROPIC_API_KEY", KEY);
        });
        started.unwrap_or_else(|output| panic!("{output:?}"))
    };
    let gateway = start(&[]);
    crate::support::eventually("a hint", crate::support::PATIENCE, async || {
        gateway.printed().contains("MOSAIC_PROVIDERS_FROM_ENVIRONMENT=true")
    })
    .await;
    let printed = gateway.printed();
    assert!(printed.contains("ANTHROPIC_API_KEY is set, and not used"), "{printed}");
    assert!(place.ok(&["provider", "list"]).contains("no providers yet"));
    let doctor = place.mosaic(&["doctor"]).stdout;
    assert!(
        doctor.contains("providers of models") && doctor.contains("mosaic provider add"),
        "{doctor}"
    );
    gateway.stop().await;

    // Without a gateway, which would ask the provider whether it is there.
    let with_key = |arguments: &[&str]| {
        let set = ["--set", "providers.from_environment=true"];
        let output = run_with(&place, &[arguments, &set].concat(), |command| {
            command.env("ANTHROPIC_API_KEY", KEY);
        });
        assert_eq!(output.code, Some(0), "{output:?}");
        output.stdout
    };
    let listed = with_key(&["provider", "list"]);
    assert!(listed.contains("environment") && listed.contains("…WXYZ"), "{listed}");
    assert!(!listed.contains(&KEY[3..20]), "{listed}");
    let models = with_key(&["models"]);
    assert!(models.contains("anthropic/") && models.contains("class"), "{models}");
}

#[test]
fn a_malformed_catalogue_is_said_with_its_place() {
    let place = Place::sqlite();
    let path = place.beside("models.json");
    std::fs::write(&path, r#"{"openai/gpt-5":{"context":"many"}}"#).unwrap();
    let set = format!("providers.catalogue={}", std::path::Path::new(&path).display());
    let doctor = place.mosaic(&["doctor", "--set", &set]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    for word in ["catalogue of models", "openai/gpt-5", "context", "docs/models.md"] {
        assert!(doctor.stdout.contains(word), "{word}: {}", doctor.stdout);
    }
    let up = place.mosaic(&["up", "--listen", "127.0.0.1:0", "--set", &set]);
    assert_eq!(up.code, Some(1), "{up:?}");
    assert!(up.stderr.contains("openai/gpt-5") && up.stderr.contains("docs/models.md"), "{up:?}");
}
