//! Which model for which message, and why. Pure: no IO, no clock, no randomness.
pub mod classify;
