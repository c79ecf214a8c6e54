//! What goes out, as types: each knows its status, and the OpenAPI document asks it.

use crate::{caller::Seen, cookie, error::refuse, refusal::Refusal, row::SchemaOf};
use axum::{
    Json as AxumJson,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
    routing::MethodFilter,
};
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderValue, Method, StatusCode, header};
use mosaic_gateway::LoggedIn;
use mosaic_protocol::account::{Goto, Me};
use schemars::JsonSchema;
use serde::Serialize;

/// What an answer is, for the OpenAPI document.
#[derive(Clone, Copy)]
pub(crate) struct AnswerKind {
    pub(crate) status: StatusCode,
    pub(crate) media: Option<&'static str>,
    pub(crate) schema: Option<SchemaOf>,
}

/// Something that can be answered.
pub(crate) trait Answer: Send + 'static {
    const KIND: AnswerKind;
    /// `secure`: the request came over TLS, so cookies must only go back over TLS.
    fn into_response(self, secure: bool) -> Response;
}

const JSON: Option<&str> = Some("application/json");

/// 200 with JSON.
pub(crate) struct Shown<T>(pub(crate) T);
/// 201 with JSON.
pub(crate) struct Created<T>(pub(crate) T);
/// 204.
pub(crate) struct Done;
/// 204, and the browser forgets its session.
pub(crate) struct LoggedOut;
/// A login: who it is, with the session's cookie.
pub(crate) struct Welcome(pub(crate) LoggedIn);
/// A login that comes with a new account.
pub(crate) struct FirstWelcome(pub(crate) LoggedIn);
/// 303 to somewhere, perhaps with cookies.
pub(crate) struct Redirect {
    pub(crate) to: String,
    pub(crate) cookies: Vec<cookie::Cookie>,
}
/// Where a program should send the browser, with the cookie that it must bring back.
pub(crate) struct Leaving {
    pub(crate) goto: Goto,
    pub(crate) cookie: cookie::Cookie,
}
/// Some text.
pub(crate) struct Text {
    pub(crate) status: StatusCode,
    pub(crate) media: &'static str,
    pub(crate) text: String,
}
/// JSON whose status says how things stand.
pub(crate) struct Status<T>(pub(crate) StatusCode, pub(crate) T);

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Shown<T> {
    const KIND: AnswerKind = AnswerKind {
        status: StatusCode::OK,
        media: JSON,
        schema: Some(|generator| generator.subschema_for::<T>()),
    };

    fn into_response(self, _: bool) -> Response {
        AxumJson(self.0).into_response()
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Created<T> {
    const KIND: AnswerKind = AnswerKind {
        status: StatusCode::CREATED,
        media: JSON,
        schema: Some(|generator| generator.subschema_for::<T>()),
    };

    fn into_response(self, _: bool) -> Response {
        (StatusCode::CREATED, AxumJson(self.0)).into_response()
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for Status<T> {
    const KIND: AnswerKind = Shown::<T>::KIND;

    fn into_response(self, _: bool) -> Response {
        (self.0, AxumJson(self.1)).into_response()
    }
}

impl Answer for Done {
    const KIND: AnswerKind =
        AnswerKind { status: StatusCode::NO_CONTENT, media: None, schema: None };

    fn into_response(self, _: bool) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Answer for LoggedOut {
    const KIND: AnswerKind = Done::KIND;

    fn into_response(self, secure: bool) -> Response {
        with_cookies(
            StatusCode::NO_CONTENT.into_response(),
            &[cookie::Cookie::end_session()],
            secure,
        )
    }
}

impl Answer for Welcome {
    const KIND: AnswerKind = Shown::<Me>::KIND;

    fn into_response(self, secure: bool) -> Response {
        let cookie = cookie::Cookie::session(&self.0);
        with_cookies(AxumJson(self.0.me).into_response(), &[cookie], secure)
    }
}

impl Answer for FirstWelcome {
    const KIND: AnswerKind = Created::<Me>::KIND;

    fn into_response(self, secure: bool) -> Response {
        let cookie = cookie::Cookie::session(&self.0);
        with_cookies((StatusCode::CREATED, AxumJson(self.0.me)).into_response(), &[cookie], secure)
    }
}

impl Answer for Redirect {
    const KIND: AnswerKind =
        AnswerKind { status: StatusCode::SEE_OTHER, media: None, schema: None };

    fn into_response(self, secure: bool) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        if let Ok(to) = HeaderValue::from_str(&self.to) {
            response.headers_mut().insert(header::LOCATION, to);
        }
        with_cookies(response, &self.cookies, secure)
    }
}

impl Answer for Leaving {
    const KIND: AnswerKind = Shown::<Goto>::KIND;

    fn into_response(self, secure: bool) -> Response {
        with_cookies(AxumJson(self.goto).into_response(), &[self.cookie], secure)
    }
}

impl Answer for Text {
    const KIND: AnswerKind =
        AnswerKind { status: StatusCode::OK, media: Some("text/plain"), schema: None };

    fn into_response(self, _: bool) -> Response {
        (self.status, [(header::CONTENT_TYPE, self.media)], self.text).into_response()
    }
}

/// A page for people.
pub(crate) struct Html(pub(crate) String);

impl Answer for Html {
    const KIND: AnswerKind =
        AnswerKind { status: StatusCode::OK, media: Some("text/html"), schema: None };

    fn into_response(self, _: bool) -> Response {
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], self.0).into_response()
    }
}

/// Server-sent events, until the stream ends.
pub(crate) struct Events(Body);

impl Events {
    pub(crate) fn new(
        stream: impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + 'static,
    ) -> Self {
        Self(Body::from_stream(stream))
    }
}

impl Answer for Events {
    const KIND: AnswerKind =
        AnswerKind { status: StatusCode::OK, media: Some("text/event-stream"), schema: None };

    fn into_response(self, _: bool) -> Response {
        // nginx holds answers back unless told not to.
        let headers =
            [(header::CONTENT_TYPE.as_str(), "text/event-stream"), ("x-accel-buffering", "no")];
        (headers, self.0).into_response()
    }
}

/// An answer in a foreign format, whole or in pieces.
pub(crate) struct Foreign(pub(crate) Response);

impl Answer for Foreign {
    const KIND: AnswerKind = AnswerKind {
        status: StatusCode::OK,
        media: JSON,
        schema: Some(|_| {
            schemars::json_schema!({
                "type": "object",
                "description": "As the format's own documentation has it; a stream of events where that was asked for.",
            })
        }),
    };

    fn into_response(self, _: bool) -> Response {
        self.0
    }
}

/// The connection speaks WebSocket from here on.
pub(crate) struct Upgraded(pub(crate) Response);

impl Answer for Upgraded {
    const KIND: AnswerKind =
        AnswerKind { status: StatusCode::SWITCHING_PROTOCOLS, media: None, schema: None };

    fn into_response(self, _: bool) -> Response {
        self.0
    }
}

/// A file. The browser is told to save it, never to run it.
pub(crate) struct Download {
    /// How large it is, where that is known before it is sent.
    pub(crate) size_bytes: Option<i64>,
    /// What to call it: in ASCII, and in full.
    pub(crate) name: Option<(String, String)>,
    pub(crate) body: Body,
}

impl Answer for Download {
    const KIND: AnswerKind = AnswerKind {
        status: StatusCode::OK,
        media: Some("application/octet-stream"),
        schema: None,
    };

    fn into_response(self, _: bool) -> Response {
        let named =
            self.name.and_then(|(ascii, full)| HeaderValue::from_str(&named(&ascii, &full)).ok());
        let named = named.unwrap_or_else(|| HeaderValue::from_static("attachment"));
        let media = HeaderValue::from_static("application/octet-stream");
        let headers = [(header::CONTENT_TYPE, media), (header::CONTENT_DISPOSITION, named)];
        let mut response = (headers, self.body).into_response();
        if let Some(size_bytes) = self.size_bytes {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(size_bytes));
        }
        response
    }
}

/// A file's name as a header has it: for every browser in ASCII, and in full for those that read RFC 8187.
fn named(ascii: &str, full: &str) -> String {
    let mut text = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''");
    for byte in full.bytes() {
        match byte {
            b'-' | b'.' | b'_' => text.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => text.push(byte.into()),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn with_cookies(mut response: Response, cookies: &[cookie::Cookie], secure: bool) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie.text(secure)) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

/// The filter for one method.
pub(crate) fn filter(method: &Method) -> MethodFilter {
    MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET)
}

/// The answer where a path does not take a method.
pub(crate) async fn method_not_allowed(request: Request) -> Response {
    let seen = request.extensions().get::<Seen>().cloned().unwrap_or_default();
    refuse(&Refusal::method_not_allowed(), &seen)
}
