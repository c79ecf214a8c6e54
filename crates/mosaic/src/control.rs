//! How commands reach the gateway: over its control socket if it runs, or by opening the data themselves. Either way
//! they use the HTTP API, so there is one path, with the same checks.

mod ask;

use crate::{config::Settings, up};
use anyhow::{Context, bail};
use axum::{Router, body::Body};
use http::{Method, Request, header};
use http_body_util::BodyExt;
use mosaic_protocol::{ErrorBody, error::Problem};
use mosaic_store::{DataDir, LockState, Store};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::File,
    path::{Path, PathBuf},
};
use tower::ServiceExt;

/// Some systems take no longer path for a socket.
const MAX_PATH_BYTES: usize = 100;

/// The path of the control socket.
pub(crate) struct Socket {
    path: PathBuf,
    /// Keeps a short path to a deep directory alive.
    _dir: Option<File>,
}

impl Socket {
    /// The control socket of a data directory.
    pub(crate) fn of(data: &Path) -> anyhow::Result<Socket> {
        let path = data.join("control.sock");
        if path.as_os_str().len() <= MAX_PATH_BYTES {
            return Ok(Socket { path, _dir: None });
        }
        if !cfg!(target_os = "linux") {
            bail!(
                "the path {} is too long for a socket\n  choose a shorter --data",
                path.display()
            );
        }
        use std::os::fd::AsRawFd;
        let dir = File::open(data).with_context(|| data.display().to_string())?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/control.sock", dir.as_raw_fd()));
        Ok(Socket { path, _dir: Some(dir) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The gateway said no.
#[derive(Debug, thiserror::Error)]
#[error("{}\n  {}", .0.message, .0.next)]
pub(crate) struct Refused(pub(crate) Problem);

/// Somebody who answers.
pub(crate) enum Control {
    /// A running gateway.
    Running(Socket),
    /// Ourselves.
    Offline { store: Store, router: Router },
}

impl Control {
    /// Finds out who answers.
    pub(crate) async fn open(settings: &Settings) -> anyhow::Result<Control> {
        match DataDir::look(&settings.data)? {
            LockState::Held(_) => Ok(Control::Running(Socket::of(&settings.data)?)),
            LockState::Absent if settings.database_url.is_none() => bail!(
                "there is no data in {}\n  start the gateway first (mosaic up), or name its data directory with --data",
                settings.data.display()
            ),
            LockState::Absent | LockState::Free => {
                let (store, router) = up::offline(settings).await?;
                Ok(Control::Offline { store, router })
            }
        }
    }

    /// Asks, and reads the answer.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        let request = match body {
            None => request.body(Body::empty())?,
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(serde_json::to_vec(body)?))?,
        };
        let (status, bytes) = match self {
            Control::Running(socket) => ask::ask(socket.path(), request).await?,
            Control::Offline { router, .. } => {
                let response = router.clone().oneshot(request).await?;
                (response.status(), response.into_body().collect().await?.to_bytes())
            }
        };
        if !status.is_success() {
            let Ok(ErrorBody { error }) = serde_json::from_slice(&bytes) else {
                bail!("the gateway answered {status}");
            };
            bail!(Refused(error));
        }
        // No content reads as null.
        let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(bytes)
            .context("the gateway's answer is not understood; is it another version?")
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.call(Method::GET, path, None::<&()>).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn post_empty<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.call(Method::POST, path, None::<&()>).await
    }

    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.call(Method::DELETE, path, None::<&()>).await
    }

    /// Closes what was opened.
    pub(crate) async fn close(self) {
        if let Control::Offline { store, .. } = self {
            store.close().await;
        }
    }
}
