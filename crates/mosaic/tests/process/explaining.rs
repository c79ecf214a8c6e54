//! `mosaic route explain` without a gateway, a key or data: line by line, whatever the lines are.

use crate::{
    saying::{free_command, run},
    support::{Gateway, PATIENCE},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
    time::Instant,
};

/// Gives it these lines, and answers its lines and its exit code.
fn explain(input: Vec<u8>) -> (Vec<Value>, Option<i32>) {
    let empty = tempfile::tempdir().unwrap();
    let mut command = free_command();
    command.env("MOSAIC_MODELS", "/nowhere");
    command.args(["route", "explain", "--json", "-"]).stdin(Stdio::piped());
    // Wherever it looked for data, there is none, and it may not make any.
    command.current_dir(empty.path()).env("HOME", "/nonexistent");
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "it left something behind");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = output.stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    (lines.collect(), output.status.code())
}

#[test]
fn each_line_is_answered_in_its_place() {
    let lines = [
        json!("hi there"),
        json!({ "id": "d1", "text": "write a poem about autumn", "task": "coding", "labels": {} }),
        json!({ "text": "what is in this picture?", "attachments": ["image"] }),
    ];
    let input: Vec<String> = lines.iter().map(Value::to_string).collect();
    // Empty lines, foreign line ends and a missing last one are nobody's message.
    let input = format!("\n{}\r\n   \n{}\n\n{}", input[0], input[1], input[2]);
    let (told, code) = explain(input.into_bytes());
    assert_eq!((told.len(), code), (3, Some(0)), "{told:?}");
    for told in &told {
        for field in ["task", "complexity", "domain", "rule", "provider", "model", "reason"] {
            assert!(told[field].as_str().is_some_and(|it| !it.is_empty()), "{field}: {told}");
        }
        assert!(told["confidence"].as_f64().is_some_and(|it| (0.0..=1.0).contains(&it)), "{told}");
        assert!(told["needs"].is_array(), "{told}");
    }
    assert_eq!(
        (&told[0]["rule"], &told[1]["task"]),
        (&json!("Simple conversation"), &json!("creative"))
    );
    assert!(told[2]["needs"].as_array().unwrap().contains(&json!("vision")), "{}", told[2]);
    assert_eq!(explain(vec![]), (vec![], Some(0)));
}

#[test]
fn a_malformed_line_is_said_and_the_others_are_answered() {
    let bad: [&[u8]; 10] = [
        b"{",
        b"7",
        b"null",
        b"[]",
        b"{}",
        b"{\"text\":7}",
        b"hello",
        b"\"\xff\"",
        b"\0",
        b"{\"text\":\"a\",\"attachments\":[\"sound\"]}",
    ];
    let mut input = vec![];
    for bad in bad {
        input.extend_from_slice(b"\"hi there\"\n");
        input.extend_from_slice(bad);
        input.push(b'\n');
    }
    input.extend("[".repeat(100_000).bytes());
    input.extend_from_slice(b"\n\"hi there\"\n");
    let (told, code) = explain(input);
    assert_eq!((told.len(), code), (bad.len() * 2 + 2, Some(1)));
    for (n, told) in told.iter().enumerate() {
        match n % 2 {
            0 if n + 2 < bad.len() * 2 + 2 => assert_eq!(told["task"], "conversation", "{told}"),
            _ if told["error"].is_string() => assert_eq!(told["line"], n + 1, "{told}"),
            _ => assert_eq!(n, bad.len() * 2 + 1, "{told}"),
        }
    }
}

#[test]
fn ten_megabytes_are_a_message_too() {
    let long = json!("lorem ipsum ".repeat(10 * 1024 * 1024 / 12)).to_string();
    let (told, code) = explain(format!("{long}\n\"hi there\"\n").into_bytes());
    assert_eq!((told.len(), code), (2, Some(0)));
    assert!(told[0]["needs"].as_array().unwrap().contains(&json!("long_context")), "{}", told[0]);
    assert_eq!(told[1]["rule"], "Simple conversation");
}

#[test]
fn lines_are_answered_at_once_and_a_closed_pipe_ends_it() {
    let mut command = free_command();
    command.env("MOSAIC_MODELS", "/nowhere");
    command.args(["route", "explain", "-"]).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut stdout = BufReader::new(stdout);
    for _ in 0..3 {
        // Nothing more comes before the answer is there.
        stdin.write_all(b"\"hi there\"\n").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains("conversation"), "{line}");
    }
    drop(stdout);
    let begun = Instant::now();
    while stdin.write_all(b"\"hi there\"\n").is_ok() {
        assert!(begun.elapsed() < PATIENCE, "it goes on although nobody reads");
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn one_message_needs_no_gateway_and_a_broken_configuration_is_in_nobodys_way() {
    let empty = tempfile::tempdir().unwrap();
    let data = empty.path().join("none");
    let mut command = free_command();
    command.env("MOSAIC_MODELS", "/nowhere");
    command.args(["route", "explain", "hi there", "--data"]).arg(&data).current_dir(empty.path());
    let output = run(command);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("haiku") && output.stdout.contains("would be"), "{output:?}");
    assert!(!data.exists());

    let mut command = free_command();
    command.env("MOSAIC_MODELS", "/nowhere");
    command.args(["route", "explain", "-"]).env("MOSAIC_NO_SUCH_SETTING", "x");
    assert_eq!(run(command).code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_gateway_is_asked_about_its_own_providers() {
    let gateway = Gateway::start_sqlite(&[]);
    let explain = ["route", "explain", "hi there"];
    let refused = gateway.place().mosaic(&explain);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("mosaic provider add"), "{refused:?}");
    gateway.place().ok(&["provider", "add", "plays", "--kind", "scripted"]);
    // What plays a script answers only where a rule names it.
    let root = gateway.admin().await;
    let rule = json!({ "name": "Played", "then": { "models": [{ "model": "plays/echo" }] }, "priority": 1 });
    root.post("/api/routing/rules", rule).await.ok();
    let told = gateway.place().ok(&explain);
    assert!(told.contains("plays/"), "{told}");
    let told: Value =
        serde_json::from_str(&gateway.place().ok(&["route", "explain", "hi there", "--json"]))
            .unwrap();
    assert_eq!((&told["provider"], &told["task"]), (&json!("plays"), &json!("conversation")));
}
