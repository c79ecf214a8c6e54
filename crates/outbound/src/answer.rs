//! An answer whose body is read piece by piece, within bounds.

use crate::{Error, failed};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long is waited for an answer, and how much of it is taken.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From sending to the last byte.
    pub total: Duration,
    /// Between two signs of life: sending and the head, the head and a piece, a piece and the next.
    pub silence: Duration,
    /// How many bytes.
    pub bytes: usize,
}

/// The head of an answer, with its body still to come.
#[derive(Debug)]
pub struct Answer {
    answer: reqwest::Response,
    host: String,
    patience: Patience,
    until: Instant,
    taken: usize,
}

impl Answer {
    pub(crate) fn new(
        answer: reqwest::Response,
        host: String,
        patience: Patience,
        until: Instant,
    ) -> Self {
        Self { answer, host, patience, until, taken: 0 }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.answer.status()
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// The next piece of the body; `None` where it ends as its length or its framing says. A connection that breaks
    /// before that is an error.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // Also when more is there already: a slow reader does not make an answer last longer.
            return Err(Error::Late { host: self.host.clone(), after: self.patience.total });
        }
        let wait = self.patience.silence.min(left);
        let piece = match timeout(wait, self.answer.chunk()).await {
            Err(_) => return Err(Error::Late { host: self.host.clone(), after: wait }),
            Ok(Err(error)) => return Err(failed(error, self.host.clone())),
            Ok(Ok(piece)) => piece,
        };
        if let Some(piece) = &piece {
            self.taken += piece.len();
            if self.taken > self.patience.bytes {
                let limit = self.patience.bytes;
                return Err(Error::TooLong { host: self.host.clone(), limit });
            }
        }
        Ok(piece)
    }

    /// The whole answer.
    pub async fn whole(mut self) -> Result<Response<Vec<u8>>, Error> {
        let mut body = Vec::new();
        while let Some(piece) = self.next().await? {
            body.extend_from_slice(&piece);
        }
        let mut response = Response::builder().status(self.status());
        if let Some(headers) = response.headers_mut() {
            *headers = self.headers().clone();
        }
        response.body(body).map_err(|error| Error::Client(error.to_string()))
    }
}
