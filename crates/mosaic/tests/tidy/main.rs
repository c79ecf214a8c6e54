//! The rules of this repository that no compiler knows. Each rule is a pure function over text, with a small bad
//! input that it has to catch; the tests here run them over the whole tree.
//! Leaves out: what clippy, rustfmt and cargo-deny hold, and the rules of web/ (web/src/tidy.test.ts).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "in a test a failure is a panic, and this one runs the program to ask for its settings"
)]

mod edges;
mod lexer;
mod links;
mod names;
mod panics;
mod settings;
mod sizes;
mod sources;
mod tree;
mod words;

/// Fails with all problems at once.
#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "{} problems:\n  {}", problems.len(), problems.join("\n  "));
}
