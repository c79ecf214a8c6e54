//! See ../bodies.rs.
#![no_main]

// Each target runs one of the bodies.
#[allow(dead_code, reason = "the other body has a target of its own")]
#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::compatible(bytes));
