//! What runs while calls are measured: the provider that is made up, the proxy, and the gateway with that provider.

use crate::{
    process::{Launch, Running},
    program::Program,
    wire,
};
use anyhow::Context;
use serde_json::{Value, json};
use std::{ffi::OsString, time::Duration};
use tempfile::TempDir;

/// Where calls go.
const PATH: &str = "/v1/chat/completions";
/// What the gateway knows the provider by.
const PROVIDER: &str = "fake";

/// The provider, and what the rest is started from.
pub(crate) struct Stand {
    folder: TempDir,
    upstream: Running,
}

/// Somebody who takes calls.
pub(crate) struct Side {
    pub(crate) running: Running,
    path: String,
    headers: Vec<(String, String)>,
    /// What stands before the provider's own name of a model.
    prefix: String,
    /// Kept, because its folder goes away with it.
    _program: Option<Program>,
}

impl Stand {
    pub(crate) async fn start() -> anyhow::Result<Stand> {
        let folder = TempDir::with_prefix("mosaic-bench-calls-")?;
        let upstream = own(&folder, "upstream", vec!["upstream".into()])?.start().await?;
        Ok(Stand { folder, upstream })
    }

    /// Where the provider is.
    pub(crate) fn upstream(&self) -> String {
        format!("http://{}", self.upstream.address)
    }

    pub(crate) async fn floor(&self) -> anyhow::Result<Side> {
        let args = vec!["call-floor".into(), "--upstream".into(), self.upstream().into()];
        let running = own(&self.folder, "floor", args)?.start().await?;
        Ok(Side::of(running, PATH, vec![]))
    }

    /// With a token that may call models, and the provider.
    pub(crate) async fn gateway(&self) -> anyhow::Result<Side> {
        let program = Program::prepare().await?;
        let host = self.upstream.address;
        let running = program.launch().start().await?;
        let admin = format!("Bearer {}", program.token_with(&["read", "write", "admin"])?);
        // For the whole server, which an admin may put at a private address.
        let provider = json!({
            "name": PROVIDER, "kind": "compatible", "server": true,
            "base_url": format!("http://{host}/v1"), "key": "sk-bench-upstream",
        });
        let headers = [("authorization", admin.as_str())];
        wire::call(running.address, "POST", "/api/providers", &headers, &provider.to_string())
            .await
            .context("adding the provider")?;
        let token = format!("Bearer {}", program.token_with(&["models"])?);
        let side = Side::of(running, PATH, vec![("authorization".to_owned(), token)]);
        Ok(Side { prefix: format!("{PROVIDER}/"), _program: Some(program), ..side })
    }

    pub(crate) async fn stop(self) {
        self.upstream.stop().await;
    }
}

impl Side {
    /// Somebody who knows the models by the provider's own names.
    pub(crate) fn of(running: Running, path: &str, headers: Vec<(String, String)>) -> Side {
        Side { running, path: path.to_owned(), headers, prefix: String::new(), _program: None }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The body of a call.
    pub(crate) fn body(&self, model: &str, stream: bool) -> String {
        body(&format!("{}{model}", self.prefix), stream)
    }

    /// What the model says.
    pub(crate) async fn said(&self, model: &str) -> anyhow::Result<String> {
        let body = self.body(model, false);
        let answer =
            wire::call(self.running.address, "POST", &self.path, &self.headers(), &body).await?;
        said(&answer)
    }
}

/// The body of a call: about what somebody types into a chat.
pub(crate) fn body(model: &str, stream: bool) -> String {
    let messages = json!([
        { "role": "system", "content": "You are a helpful assistant who answers in few words." },
        { "role": "user", "content": "What is the difference between a process and a thread?" },
    ]);
    let mut body =
        json!({ "model": model, "messages": messages, "max_tokens": 500, "temperature": 0.5 });
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({ "include_usage": true });
    }
    body.to_string()
}

/// The text in an answer.
pub(crate) fn said(answer: &[u8]) -> anyhow::Result<String> {
    let answer: Value = serde_json::from_slice(answer)?;
    let text = answer["choices"][0]["message"]["content"].as_str();
    Ok(text.with_context(|| format!("no text in {answer}"))?.to_owned())
}

/// This program again, in a folder of its own.
fn own(folder: &TempDir, name: &str, args: Vec<OsString>) -> anyhow::Result<Launch> {
    let folder = tempfile::Builder::new().prefix(name).tempdir_in(folder)?.keep();
    Ok(Launch {
        program: std::env::current_exe()?,
        args,
        env: vec![],
        folder,
        address: None,
        ready: "/healthz".into(),
        patience: Duration::from_secs(30),
    })
}
