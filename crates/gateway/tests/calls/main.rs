//! Calls of models through the gateway, on a store of their own: whose keys, whose budgets, what happens when a model
//! fails. The models are scripted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a failure is a panic")]

mod budgets;
mod failing;
mod people;
mod tenants;
