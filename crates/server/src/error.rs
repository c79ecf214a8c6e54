//! The one place where errors become answers. What is our fault is logged in full and answered with an id only.

use crate::{
    caller::{Peer, Seen},
    compatible::{Tongue, errors::Told, serving},
    refusal::Refusal,
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use mosaic_gateway::Error;
use mosaic_protocol::{
    ErrorBody, ErrorCode, access::Denial, error::Problem, provider::FailureClass,
};
use std::time::Duration;

struct Shape {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    next: String,
    param: Option<String>,
    retry_after: Option<Duration>,
}

/// `frank`: the one who asks runs the machine, and is told what others only find in the log.
fn shape(error: &Error, frank: bool) -> Shape {
    use ErrorCode as Code;
    let (status, code, next): (StatusCode, Code, &str) = match error {
        Error::NotFound | Error::Denied(Denial::Hidden) => (
            StatusCode::NOT_FOUND,
            Code::NotFound,
            "check the id; it may have been deleted, or not be shared with you",
        ),
        Error::Denied(Denial::Forbidden) => (
            StatusCode::FORBIDDEN,
            Code::Forbidden,
            "ask somebody who may, or ask to be given that role",
        ),
        Error::Denied(Denial::MissingScope(_)) => {
            (StatusCode::FORBIDDEN, Code::MissingScope, "make a token with that scope")
        }
        Error::Denied(Denial::NeedsSession) => {
            (StatusCode::FORBIDDEN, Code::Forbidden, "log in with a browser and do it there")
        }
        Error::Unauthenticated => (
            StatusCode::UNAUTHORIZED,
            Code::Unauthenticated,
            "log in, or send a valid token as `Authorization: Bearer …`",
        ),
        Error::WrongLogin => (
            StatusCode::UNAUTHORIZED,
            Code::WrongLogin,
            "check both; an admin can make a link to set a new password",
        ),
        Error::BadCode => (StatusCode::FORBIDDEN, Code::BadCode, "ask for a new link"),
        Error::Invalid(_) => {
            (StatusCode::BAD_REQUEST, Code::Invalid, "correct it; /docs says what is expected")
        }
        Error::Refused { next, .. } => (StatusCode::BAD_REQUEST, Code::Invalid, next),
        Error::NameTaken => (StatusCode::CONFLICT, Code::NameTaken, "choose another name"),
        Error::Conflict { next, .. } => (StatusCode::CONFLICT, Code::Conflict, next),
        Error::QuotaExceeded { .. } => (
            StatusCode::INSUFFICIENT_STORAGE,
            Code::QuotaExceeded,
            "delete something, or ask an admin for more",
        ),
        Error::DiskFull => (
            StatusCode::INSUFFICIENT_STORAGE,
            Code::DiskFull,
            "the operator must make room; then try again",
        ),
        Error::Throttled { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, Code::Throttled, "wait, then try again")
        }
        Error::ProviderFailed(_) => (
            StatusCode::BAD_GATEWAY,
            Code::ProviderFailed,
            "try again; if it stays, the operator finds the cause in the log under this id",
        ),
        Error::NoSuchModel { .. } => (
            StatusCode::NOT_FOUND,
            Code::NoSuchModel,
            "GET /api/models lists the models that you can use",
        ),
        // What is set up does not allow it: nothing here is broken.
        Error::NoModelCan { .. } => (
            StatusCode::CONFLICT,
            Code::NoModelCan,
            "set up a provider that can (`mosaic provider add`), or ask for less",
        ),
        Error::OverBudget { .. } => (
            StatusCode::PAYMENT_REQUIRED,
            Code::OverBudget,
            "wait until the budget begins anew, or ask whoever set it for more",
        ),
        Error::ModelFailed(failed) => model_failed(failed.class),
        Error::Unavailable(_) | Error::Again => (
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Unavailable,
            "try again; if it stays, the operator finds more with `mosaic doctor`",
        ),
        Error::Internal(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "this is our fault; the operator finds the cause in the log under this id",
        ),
    };
    // What a provider or a database said is for the operator: it may name hosts and paths.
    let message = match error {
        error if frank => error.to_string(),
        Error::Internal(_) => "something went wrong here".to_owned(),
        Error::Unavailable(_) => "a part of the gateway does not answer now".to_owned(),
        Error::ProviderFailed(_) => "the login provider could not be used".to_owned(),
        Error::Denied(Denial::Hidden) => Error::NotFound.to_string(),
        error => error.to_string(),
    };
    let retry_after = match error {
        Error::Throttled { retry_after } | Error::OverBudget { retry_after, .. } => {
            Some(*retry_after)
        }
        Error::ModelFailed(failed) => failed.retry_after,
        _ => None,
    };
    let next = match error {
        Error::NoSuchModel { nearest, .. } if !nearest.is_empty() => {
            let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
            format!("did you mean {}? {next}", names.join(" or "))
        }
        _ => next.to_owned(),
    };
    Shape { status, code, message, next, param: None, retry_after }
}

/// How a failed call of a model is answered. That a key was refused is not the fault of whoever asked.
fn model_failed(class: FailureClass) -> (StatusCode, ErrorCode, &'static str) {
    use FailureClass as Class;
    let (status, next) = match class {
        Class::Auth => {
            (StatusCode::BAD_GATEWAY, "check the provider's key: `mosaic provider test`")
        }
        Class::Quota => (StatusCode::BAD_GATEWAY, "pay the provider, or use another"),
        Class::Rate => (StatusCode::TOO_MANY_REQUESTS, "wait, then try again"),
        Class::Overload => {
            (StatusCode::SERVICE_UNAVAILABLE, "try again later, or use another model")
        }
        Class::ContextTooLong => {
            (StatusCode::BAD_REQUEST, "send less, or use a model that reads more")
        }
        Class::Refused => (StatusCode::BAD_REQUEST, "ask for something else, or another model"),
        Class::NoSuchModel => (StatusCode::NOT_FOUND, "GET /api/models lists the models"),
        Class::BadRequest => {
            (StatusCode::BAD_REQUEST, "correct it; the message says what is wrong")
        }
        Class::Timeout => (StatusCode::GATEWAY_TIMEOUT, "try again, or use another model"),
        Class::Transport | Class::Malformed | Class::Incomplete => {
            (StatusCode::BAD_GATEWAY, "try again, or use another model")
        }
    };
    (status, ErrorCode::ModelFailed, next)
}

/// What a refusal says, and what is our fault goes into the log.
fn shape_of(refusal: &Refusal, seen: &Seen) -> Shape {
    let request_id = &seen.request_id;
    match refusal {
        Refusal::Operation(error) => {
            let shape = shape(error, seen.peer == Peer::Operator);
            if shape.status.is_server_error() && shape.code != ErrorCode::QuotaExceeded {
                tracing::error!(request_id, %error, "request failed");
            }
            shape
        }
        Refusal::Asked { param, message } => Shape {
            status: StatusCode::BAD_REQUEST,
            code: ErrorCode::Invalid,
            message: message.clone(),
            next: "correct it, or leave it out".to_owned(),
            param: param.clone(),
            retry_after: None,
        },
        Refusal::Http { status, code, message, next, retry_after } => Shape {
            status: *status,
            code: *code,
            message: message.clone(),
            next: (*next).to_owned(),
            param: None,
            retry_after: *retry_after,
        },
    }
}

/// What is said about a refusal where there is no status: on a socket.
pub(crate) fn problem(refusal: &Refusal, seen: &Seen) -> Problem {
    let Shape { code, message, next, .. } = shape_of(refusal, seen);
    Problem { code, message, next, request_id: seen.request_id.clone() }
}

/// What is said about a refusal in a foreign format.
pub(crate) fn told(refusal: &Refusal, seen: &Seen) -> Told {
    let Shape { status, code, message, next, param, .. } = shape_of(refusal, seen);
    Told { status, code, message, next, param, request_id: seen.request_id.clone() }
}

/// The answer to a refused request.
pub(crate) fn refuse(refusal: &Refusal, seen: &Seen) -> Response {
    let request_id = &seen.request_id;
    let shape = shape_of(refusal, seen);
    let Shape { status, code, message, next, param, retry_after } = shape;
    let request_id = request_id.clone();
    let mut response = match seen.tongue {
        Tongue::Own => {
            let error = Problem { code, message, next, request_id };
            (status, axum::Json(ErrorBody { error })).into_response()
        }
        tongue => {
            let told = Told { status, code, message, next, param, request_id };
            serving::refusal(&told, tongue)
        }
    };
    if let Some(retry_after) = retry_after {
        let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    if status == StatusCode::UNAUTHORIZED && code == ErrorCode::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The stable code of an operation's error, for links back to the page.
pub(crate) fn code(error: &Error) -> ErrorCode {
    shape(error, false).code
}
