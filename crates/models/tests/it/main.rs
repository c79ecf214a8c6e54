//! Every wire format against a fake of its provider over real sockets. Nothing here leaves the machine.

mod anthropic;
mod fake;
mod ollama;
