//! The one HTTP client for addresses that come from outside the code.
//!
//! Every request has a bound on time and size, follows no redirect, goes through no proxy that the environment names,
//! and reaches only the addresses that its [`Reach`] covers. Dropping an answer closes its connection.

mod answer;
mod reach;

pub use answer::{Answer, Patience};
pub use reach::Reach;

use bytes::Bytes;
use http::{Request, Response};
use reach::{OutOfReach, Resolver};
use std::{error::Error as _, sync::Arc, time::Duration};

/// Why a request got no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be sent, or the connection broke.
    #[error("{host} does not answer: {cause}")]
    Unreachable {
        /// Whom we asked.
        host: String,
        /// In the words of the client, without the URL: that may hold a secret.
        cause: String,
    },
    /// Nothing came for too long.
    #[error("{host} did not answer within {} seconds", .after.as_secs_f32())]
    Late {
        /// Whom we asked.
        host: String,
        /// How long we waited.
        after: Duration,
    },
    /// Its address may not be asked.
    #[error("{host} has a private address; an admin must allow that")]
    OutOfReach {
        /// Whom we were to ask.
        host: String,
    },
    /// The answer is too long.
    #[error("the answer of {host} is longer than {limit} bytes")]
    TooLong {
        /// Whom we asked.
        host: String,
        /// How much we take.
        limit: usize,
    },
    /// The client could not be made, or the address is none.
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// How many idle connections to one host are kept for the next requests.
const IDLE_CONNECTIONS: usize = 128;

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// The client.
#[derive(Debug, Clone)]
pub struct Outbound {
    // A connection that was made under one reach is never used under the other.
    public: reqwest::Client,
    private: reqwest::Client,
    patience: Patience,
}

impl Outbound {
    /// A client whose `send` waits this long and takes this much.
    pub fn new(timeout: Duration, max_answer_bytes: usize) -> Result<Self, Error> {
        Ok(Self {
            public: client(Reach::Public)?,
            private: client(Reach::Private)?,
            patience: Patience { total: timeout, silence: timeout, bytes: max_answer_bytes },
        })
    }

    /// Sends a request to an address that the operator named, and reads the whole answer.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Error> {
        let request = request.map(Bytes::from);
        self.open(request, Reach::Private, self.patience).await?.whole().await
    }

    /// Sends a request, and hands out the answer when its head is there.
    pub async fn open(
        &self,
        request: Request<Bytes>,
        reach: Reach,
        patience: Patience,
    ) -> Result<Answer, Error> {
        let host = request.uri().authority().map_or_else(String::new, ToString::to_string);
        let request = reqwest::Request::try_from(request)
            .map_err(|error| Error::Client(error.without_url().to_string()))?;
        if !reach.covers_host(request.url()) {
            return Err(Error::OutOfReach { host });
        }
        let client = match reach {
            Reach::Public => &self.public,
            Reach::Private => &self.private,
        };
        let until = tokio::time::Instant::now() + patience.total;
        let head = patience.silence.min(patience.total);
        match tokio::time::timeout(head, client.execute(request)).await {
            Err(_) => Err(Error::Late { host, after: head }),
            Ok(Err(error)) => Err(failed(error, host)),
            Ok(Ok(answer)) => Ok(Answer::new(answer, host, patience, until)),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that makes clients")]
fn client(reach: Reach) -> Result<reqwest::Client, Error> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIME)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Arc::new(Resolver(reach)))
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .tcp_nodelay(true)
        .user_agent(concat!("mosaic/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Error::Client(error.to_string()))
}

/// What went wrong, in the words of whoever noticed it first.
fn failed(error: reqwest::Error, host: String) -> Error {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
        if cause.is::<OutOfReach>() {
            return Error::OutOfReach { host };
        }
    }
    let outer = error.to_string();
    let inner = cause.to_string();
    let cause = if error.source().is_none() { outer } else { inner };
    Error::Unreachable { host, cause }
}
