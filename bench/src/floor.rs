//! The floor: a bare axum server, which is about the least that a server on this stack can cost.
//!
//! It announces its address like the gateway and answers two routes with fixed bytes. It looks at no header, knows no
//! account and writes no log: what the gateway costs beyond it is the price of what the gateway does.

use anyhow::Context;
use axum::{Router, body::Bytes, http::header, routing::get};
use std::path::Path;
use tokio::net::TcpListener;

pub(crate) async fn serve(body: &Path) -> anyhow::Result<()> {
    let body =
        Bytes::from(std::fs::read(body).with_context(|| format!("reading {}", body.display()))?);
    let me = move || {
        let body = body.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], body) }
    };
    let router =
        Router::new().route("/healthz", get(|| async { "ok\n" })).route("/api/me", get(me));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::out::say(&format!("The floor is running at http://{}", listener.local_addr()?));
    axum::serve(listener, router).await?;
    Ok(())
}
