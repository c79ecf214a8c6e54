//! Recorded streams become these events, and calls become these bodies.

mod bodies;
mod streams;
