//! One question over the control socket. A gateway that is stuck must not hang whoever asks: it is asked first whether
//! it answers at all, and again for as long as an answer takes. Leaves out how long that may be: the gateway bounds it.

use crate::out;
use anyhow::{anyhow, bail};
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use std::{future::pending, path::Path, pin::pin, time::Duration};
use tokio::{net::UnixStream, time::timeout};

/// A gateway that says nothing for so long is stuck: `/healthz` needs no database and no disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nobody answers. Nothing was asked yet.
#[derive(Debug, thiserror::Error)]
#[error(
    "the data directory is in use, but its gateway does not answer on the control socket: {0}\n  \
     nothing was done; it may be starting or stopping: try again; if it stays, it is stuck: look at its log, then restart it"
)]
struct Unreachable(String);

type Answer = (StatusCode, Bytes);

/// Asks, and reads the whole answer.
pub(super) async fn ask(socket: &Path, request: Request<Body>) -> anyhow::Result<Answer> {
    if let Err(error) = answers(socket).await {
        bail!(Unreachable(format!("{error:#}")));
    }
    let changes = request.method() != Method::GET;
    tokio::select! {
        answer = exchange(socket, request) => {
            answer.map_err(|error| anyhow!(lost(&format!("ended before it answered: {error}"), changes)))
        }
        error = falls_silent(socket) => bail!(lost(&error.to_string(), changes)),
    }
}

fn lost(what: &str, changes: bool) -> String {
    let next = if changes {
        "it is not known whether it was done: `mosaic audit list` shows the changes that were, and a backup is whole if its file is there; look before you give the command again"
    } else {
        "nothing was changed; give the command again, or ask `mosaic doctor`"
    };
    format!("the gateway {what}\n  {next}")
}

/// Ends when the gateway no longer answers. Until then somebody who waits is told so.
async fn falls_silent(socket: &Path) -> anyhow::Error {
    loop {
        // The pause between two questions.
        let _ = timeout(PATIENCE, pending::<()>()).await;
        if let Err(error) = answers(socket).await {
            return error.context("stopped answering");
        }
        out::progress("the gateway is still at it…");
    }
}

/// Whether the gateway answers anything.
async fn answers(socket: &Path) -> anyhow::Result<()> {
    let request = Request::get("/healthz").header(header::HOST, "localhost").body(Body::empty())?;
    match timeout(PATIENCE, exchange(socket, request)).await {
        Ok(answer) => answer.map(drop),
        Err(_) => bail!("no answer in {} s", PATIENCE.as_secs()),
    }
}

async fn exchange(socket: &Path, request: Request<Body>) -> anyhow::Result<Answer> {
    let mut sender = pin!(connect(socket).await?);
    let response = sender.send_request(request).await?;
    Ok((response.status(), response.into_body().collect().await?.to_bytes()))
}

async fn connect(socket: &Path) -> anyhow::Result<SendRequest<Body>> {
    let stream = UnixStream::connect(socket).await?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixListener,
    };

    /// Says that it is well, then goes away in the middle of the next question.
    async fn dies_at_the_second(listener: UnixListener) {
        let (mut first, _) = listener.accept().await.unwrap();
        let mut head = [0; 1024];
        assert!(first.read(&mut head).await.unwrap() > 0);
        first.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n").await.unwrap();
        let (mut second, _) = listener.accept().await.unwrap();
        assert!(second.read(&mut head).await.unwrap() > 0);
    }

    #[tokio::test]
    async fn a_gateway_that_dies_leaves_it_open_whether_it_was_done() {
        let dir = tempfile::tempdir().unwrap();
        for (n, (method, words)) in
            [(Method::POST, "not known"), (Method::GET, "nothing was changed")]
                .into_iter()
                .enumerate()
        {
            let path = dir.path().join(n.to_string());
            let gateway = tokio::spawn(dies_at_the_second(UnixListener::bind(&path).unwrap()));
            let request = Request::builder().method(method).uri("/").header("host", "localhost");
            let error = ask(&path, request.body(Body::empty()).unwrap()).await.unwrap_err();
            gateway.await.unwrap();
            let text = format!("{error:#}");
            let (problem, next) = text.split_once("\n  ").unwrap();
            assert!(problem.contains("ended before it answered"), "{text}");
            assert!(next.contains(words), "{text}");
        }
    }

    #[tokio::test]
    async fn what_the_system_says_stands_before_the_remedy() {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let error = ask(Path::new("/no/such/socket"), request).await.unwrap_err();
        let text = format!("{error:#}");
        let (problem, next) = text.split_once("\n  ").unwrap();
        assert!(problem.ends_with("(os error 2)") && !next.contains("os error"), "{text}");
    }
}
