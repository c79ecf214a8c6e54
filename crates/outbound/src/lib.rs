//! The one HTTP client for addresses that come from outside the code.
//!
//! Every request has a bound on time and size, follows no redirect by itself and goes through no proxy that the
//! environment names. Today only the operator's own configuration names addresses (login providers), so private ones
//! are allowed; addresses that people or models name will pass a check of the resolved address here first.

use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response};
use std::time::Duration;

/// Why a request got no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be sent, or was not answered in time.
    #[error("{host} does not answer: {cause}")]
    Unreachable {
        /// Whom we asked.
        host: String,
        /// In the words of the client, without the URL: that may hold a secret.
        cause: String,
    },
    /// The answer is too long.
    #[error("the answer of {host} is longer than {limit} bytes")]
    TooLong {
        /// Whom we asked.
        host: String,
        /// How much we take.
        limit: usize,
    },
    /// The client could not be made.
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// The client.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: reqwest::Client,
    max_answer_bytes: usize,
}

impl Outbound {
    /// A client that waits this long and takes this much.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes a client")]
    pub fn new(timeout: Duration, max_answer_bytes: usize) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(2)
            .user_agent(concat!("mosaic/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Client(error.to_string()))?;
        Ok(Self { client, max_answer_bytes })
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Error> {
        let host = request.uri().authority().map_or_else(String::new, ToString::to_string);
        let unreachable = |error: reqwest::Error| Error::Unreachable {
            host: host.clone(),
            cause: error.without_url().to_string(),
        };
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let answer = self.client.execute(request).await.map_err(unreachable)?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = answer.headers().clone();
        }
        let mut body = Vec::new();
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece: Bytes = piece.map_err(unreachable)?;
            if body.len() + piece.len() > self.max_answer_bytes {
                return Err(Error::TooLong { host: host.clone(), limit: self.max_answer_bytes });
            }
            body.extend_from_slice(&piece);
        }
        response.body(body).map_err(|error| Error::Client(error.to_string()))
    }
}
