//! The rest of a body that nobody reads. A caller that is still sending when it is refused would find the connection
//! broken instead of the refusal, so for a while the rest is taken in and thrown away.

use bytes::Bytes;

use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// For how long. After that the connection is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request's body that is read to its end even if nobody wants it.
pub(crate) struct Leftover {
    body: Option<Incoming>,
}

impl Leftover {
    /// `comes`: the rest comes unasked. Where the caller waits to be told to go on, there is nothing to throw away.
    pub(crate) fn of(body: Incoming, comes: bool) -> axum::body::Body {
        if comes {
            axum::body::Body::new(Leftover { body: Some(body) })
        } else {
            axum::body::Body::new(body)
        }
    }
}

impl Body for Leftover {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Incoming::size_hint)
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let Some(mut body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        // Without a runtime the process is ending, and nobody is left to be answered.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(tokio::time::timeout(PATIENCE, async move {
            while let Some(Ok(_)) = body.frame().await {}
        }));
    }
}
