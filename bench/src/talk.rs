//! Somebody who talks to the gateway over its WebSocket: submits, and waits for what is told.

use crate::websocket::Socket;
use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

/// A WebSocket that has been welcomed.
pub(crate) struct Talk {
    pub(crate) socket: Socket,
}

/// A text that has never been a command's id before, in databases that this run has made.
fn fresh_id() -> String {
    static MADE: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012x}", MADE.fetch_add(1, Ordering::Relaxed))
}

/// The frame that says this in a conversation.
pub(crate) fn message(log: &str, text: &str) -> String {
    submission(&json!({ "kind": "send_message", "log": log, "text": text }))
}

fn submission(command: &Value) -> String {
    json!({ "type": "submit", "command_id": fresh_id(), "command": command }).to_string()
}

impl Talk {
    /// Says hello, and follows from a place on.
    pub(crate) async fn open(
        address: SocketAddr,
        token: &str,
        resume: &[(&str, u64)],
    ) -> anyhow::Result<Talk> {
        let bearer = format!("Bearer {token}");
        let mut socket = Socket::open(address, "/ws", &[("authorization", &bearer)]).await?;
        let resume: Vec<Value> =
            resume.iter().map(|(log, after)| json!({ "log": log, "after": after })).collect();
        let hello = json!({ "type": "hello", "versions": [1, 1], "resume": resume });
        socket.say(&hello.to_string()).await?;
        socket.hear_of("\"type\":\"welcome\"").await?;
        Ok(Talk { socket })
    }

    /// Submits and waits until it is done.
    async fn submit(&mut self, frame: &str) -> anyhow::Result<String> {
        self.socket.say(frame).await?;
        loop {
            let heard = self.socket.hear().await?;
            if heard.contains("\"type\":\"accepted\"") {
                return Ok(heard.to_owned());
            }
            if heard.contains("\"type\":\"refused\"") || heard.contains("\"type\":\"error\"") {
                bail!("a command was refused: {heard}");
            }
        }
    }

    /// Begins a conversation.
    pub(crate) async fn create(&mut self, title: &str) -> anyhow::Result<String> {
        let command = json!({ "kind": "create_conversation", "title": title });
        let accepted: Value = serde_json::from_str(&self.submit(&submission(&command)).await?)?;
        Ok(accepted["log"].as_str().context("a conversation without an id")?.to_owned())
    }

    /// Says something.
    pub(crate) async fn send(&mut self, log: &str, text: &str) -> anyhow::Result<()> {
        self.submit(&message(log, text)).await.map(drop)
    }

    /// Lets somebody take part.
    pub(crate) async fn invite(&mut self, log: &str, user_id: &str) -> anyhow::Result<()> {
        let command =
            json!({ "kind": "set_member", "log": log, "user_id": user_id, "role": "viewer" });
        self.submit(&submission(&command)).await.map(drop)
    }
}
