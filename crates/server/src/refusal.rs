//! Why a request was refused: an operation's error, or something that only HTTP knows.

use http::StatusCode;
use mosaic_gateway::Error;
use mosaic_protocol::ErrorCode;
use std::time::Duration;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The operation says so.
    Operation(Error),
    /// A body in a foreign format cannot be taken.
    Asked {
        /// The path of what is wrong.
        param: Option<String>,
        message: String,
    },
    /// The HTTP side says so.
    Http {
        status: StatusCode,
        code: ErrorCode,
        message: String,
        next: &'static str,
        retry_after: Option<Duration>,
    },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Operation(error)
    }
}

impl Refusal {
    fn http(
        status: StatusCode,
        code: ErrorCode,
        message: impl Into<String>,
        next: &'static str,
    ) -> Self {
        Refusal::Http { status, code, message: message.into(), next, retry_after: None }
    }

    pub(crate) fn timeout() -> Self {
        Self::http(
            StatusCode::REQUEST_TIMEOUT,
            ErrorCode::Timeout,
            "the request took too long",
            "try again",
        )
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {limit} bytes");
        Self::http(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooLarge, message, "send less at once")
    }

    pub(crate) fn unsupported_type() -> Self {
        Self::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::UnsupportedType,
            "the body must be JSON",
            "send it with `Content-Type: application/json`",
        )
    }

    pub(crate) fn unsupported_coding() -> Self {
        Self::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::UnsupportedType,
            "the body must not be compressed",
            "send it without `Content-Encoding`",
        )
    }

    pub(crate) fn wrong_host() -> Self {
        Self::http(
            StatusCode::FORBIDDEN,
            ErrorCode::WrongOrigin,
            "the gateway does not answer to this host name",
            "use its address, or have the operator add the name to `allowed_hosts` or `public_url`",
        )
    }

    pub(crate) fn wrong_origin() -> Self {
        Self::http(
            StatusCode::FORBIDDEN,
            ErrorCode::WrongOrigin,
            "this request does not come from the gateway's own page",
            "programs use an API token; other sites must be listed in `cors_origins`",
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::http(
            StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::MethodNotAllowed,
            "this path does not take this method",
            "see /docs for what it takes",
        )
    }

    pub(crate) fn throttled(retry_after: Duration) -> Self {
        Refusal::Operation(Error::Throttled { retry_after })
    }

    pub(crate) fn too_many_streams(most: usize) -> Self {
        Refusal::Http {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: ErrorCode::Throttled,
            message: format!("you have {most} streams open, and one person may have no more"),
            next: "close a page or a program that follows something, then try again",
            retry_after: Some(Duration::from_secs(5)),
        }
    }

    pub(crate) fn too_many_answers(most: usize) -> Self {
        Refusal::Http {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: ErrorCode::Throttled,
            message: format!("you wait for {most} answers, and one person may wait for no more"),
            next: "wait until one of them has come, then try again",
            retry_after: Some(Duration::from_secs(2)),
        }
    }

    pub(crate) fn busy() -> Self {
        Refusal::Operation(Error::Unavailable("too many uploads at once".into()))
    }
}
