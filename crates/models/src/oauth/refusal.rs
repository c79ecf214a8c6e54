//! What an OAuth server's refusals mean. Its code is matched against a closed list and otherwise forgotten; its
//! description is not even read. Pure.

use crate::{Error, oauth::ask::Head};
use mosaic_protocol::provider::FailureClass;

/// A refusal, by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The code or token is not valid, or no longer.
    Grant,
    /// It does not know us, or our proof is wrong.
    Client,
    /// We may not do this.
    NotForUs,
    /// A scope is not known to it, or not for us.
    Scope,
    /// It does not do this kind of login.
    Kind,
    /// The request is not what it wants.
    Request,
    /// The person said no.
    Denied,
    /// The device flow: the person has not answered yet.
    Pending,
    /// The device flow: ask less often.
    SlowDown,
    /// The device flow: too late.
    Expired,
    /// It cannot just now.
    Busy,
    /// Something else.
    Other,
}

impl Refusal {
    /// By its code.
    pub(super) fn of(code: &str) -> Self {
        match code {
            "invalid_grant" => Self::Grant,
            "invalid_client" => Self::Client,
            "unauthorized_client" => Self::NotForUs,
            "invalid_scope" => Self::Scope,
            "unsupported_grant_type" | "unsupported_response_type" => Self::Kind,
            "invalid_request" => Self::Request,
            "access_denied" => Self::Denied,
            "authorization_pending" => Self::Pending,
            "slow_down" => Self::SlowDown,
            "expired_token" => Self::Expired,
            "temporarily_unavailable" | "server_error" => Self::Busy,
            _ => Self::Other,
        }
    }

    /// As a failure of something that cannot wait.
    pub(super) fn error(self, head: Option<Head>) -> Error {
        use FailureClass as F;
        let (class, message) = match self {
            Self::Grant => (F::Auth, "the login is no longer valid; log in again"),
            Self::Client => {
                (F::Auth, "the login server does not accept the client id or the client secret")
            }
            Self::NotForUs => {
                (F::Auth, "the login server does not let this client log in this way")
            }
            Self::Scope => {
                (F::BadRequest, "the login server does not know a scope that is asked for")
            }
            Self::Kind => (F::BadRequest, "the login server does not do this kind of login"),
            Self::Request => (F::BadRequest, "the login server does not understand the request"),
            Self::Denied => (F::Refused, "the login was refused"),
            Self::Expired => (F::Auth, "the login took too long; begin again"),
            Self::Busy => (F::Overload, "the login server cannot answer just now"),
            Self::SlowDown => (F::Rate, "the login server is asked too often"),
            // Without a code that says more, the status does.
            Self::Pending | Self::Other => match head.filter(|head| !head.status.is_success()) {
                Some(head) => return without_code(head),
                None => (F::BadRequest, "the login server refuses, for a reason of its own"),
            },
        };
        told(class, message.to_owned(), head)
    }
}

/// What an answer means that has a bad status and no code.
pub(super) fn without_code(head: Head) -> Error {
    use FailureClass as F;
    let status = head.status.as_u16();
    let (class, what) = match status {
        401 => (F::Auth, "does not accept the client id or the client secret"),
        403 => (F::Auth, "does not let this client in"),
        408 => (F::Timeout, "did not wait for the request"),
        429 => (F::Rate, "is asked too often"),
        500..=599 => (F::Overload, "cannot answer just now"),
        300..=399 => {
            (F::BadRequest, "sends us elsewhere, where nothing secret is sent; check its addresses")
        }
        _ => (F::BadRequest, "refuses, for a reason of its own; check its addresses"),
    };
    told(class, format!("the login server {what} (status {status})"), Some(head))
}

fn told(class: FailureClass, message: String, head: Option<Head>) -> Error {
    Error {
        status: head.map(|head| head.status.as_u16()),
        retry_after: head.and_then(|head| head.retry_after),
        ..Error::new(class, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use http::StatusCode;

    #[test]
    fn every_refusal_has_a_class_and_a_sentence() {
        let codes = [
            "invalid_grant",
            "invalid_client",
            "unauthorized_client",
            "invalid_scope",
            "unsupported_grant_type",
            "invalid_request",
            "access_denied",
            "authorization_pending",
            "slow_down",
            "expired_token",
            "temporarily_unavailable",
            "server_error",
            "their-own-code",
        ];
        let head = Head { status: StatusCode::BAD_REQUEST, retry_after: None };
        let lines: Vec<String> = codes
            .iter()
            .map(|code| {
                let error = Refusal::of(code).error(Some(head));
                format!("{code}: {} | {error}\n", error.class)
            })
            .collect();
        expect![[r#"
            invalid_grant: auth | the login is no longer valid; log in again
            invalid_client: auth | the login server does not accept the client id or the client secret
            unauthorized_client: auth | the login server does not let this client log in this way
            invalid_scope: bad_request | the login server does not know a scope that is asked for
            unsupported_grant_type: bad_request | the login server does not do this kind of login
            invalid_request: bad_request | the login server does not understand the request
            access_denied: refused | the login was refused
            authorization_pending: bad_request | the login server refuses, for a reason of its own; check its addresses (status 400)
            slow_down: rate | the login server is asked too often
            expired_token: auth | the login took too long; begin again
            temporarily_unavailable: overload | the login server cannot answer just now
            server_error: overload | the login server cannot answer just now
            their-own-code: bad_request | the login server refuses, for a reason of its own; check its addresses (status 400)
        "#]].assert_eq(&lines.concat());
    }

    #[test]
    fn a_status_alone_says_whether_to_come_back() {
        let lines: Vec<String> = [301, 400, 401, 403, 404, 408, 429, 500, 503, 529]
            .iter()
            .map(|status| {
                let status = StatusCode::from_u16(*status).unwrap();
                let error = without_code(Head { status, retry_after: None });
                format!("{} {} | {error}\n", error.class, error.class.passes())
            })
            .collect();
        expect![[r#"
            bad_request false | the login server sends us elsewhere, where nothing secret is sent; check its addresses (status 301)
            bad_request false | the login server refuses, for a reason of its own; check its addresses (status 400)
            auth false | the login server does not accept the client id or the client secret (status 401)
            auth false | the login server does not let this client in (status 403)
            bad_request false | the login server refuses, for a reason of its own; check its addresses (status 404)
            timeout true | the login server did not wait for the request (status 408)
            rate true | the login server is asked too often (status 429)
            overload true | the login server cannot answer just now (status 500)
            overload true | the login server cannot answer just now (status 503)
            overload true | the login server cannot answer just now (status 529)
        "#]].assert_eq(&lines.concat());
    }
}
