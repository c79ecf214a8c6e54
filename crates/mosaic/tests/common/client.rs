//! A small HTTP client: a connection per request, nothing added, nothing followed, nothing mended. What is sent is
//! what the test wrote.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1::handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::{TcpStream, UnixStream};

use super::PATIENCE;

/// Somebody to ask: an address, or a socket in the file system.
#[derive(Debug, Clone)]
pub(crate) enum Client {
    Tcp(SocketAddr),
    Unix(std::path::PathBuf),
}

/// What was answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body, or null if it is no JSON.
    pub(crate) json: Value,
}

impl Client {
    /// Where a page of this server comes from.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.host())
    }

    pub(crate) fn host(&self) -> String {
        match self {
            Client::Tcp(address) => address.to_string(),
            Client::Unix(_) => "localhost".to_owned(),
        }
    }

    /// Sends a request; `Host` is added if it is missing. Panics when the connection breaks before an answer came.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Answer {
        let what = format!("{} {}", request.method(), shortened(&request.uri().to_string()));
        self.try_send(request).await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    pub(crate) async fn try_send(&self, request: Request<Bytes>) -> Result<Answer, String> {
        let answered = async {
            let response = self.open(request).await?;
            let (parts, body) = response.into_parts();
            // A stream of events does not end; that it began is the answer.
            let is_stream = parts.headers.get(header::CONTENT_TYPE);
            if is_stream.is_some_and(|media| media == "text/event-stream") {
                let (status, body, json) = (parts.status.as_u16(), Bytes::new(), Value::Null);
                return Ok(Answer { status, headers: parts.headers, body, json });
            }
            let body = body.collect().await.map_err(|error| format!("the body: {error:?}"))?;
            let body = body.to_bytes();
            let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body, json })
        };
        tokio::time::timeout(PATIENCE, answered).await.map_err(|_| "no answer".to_owned())?
    }

    /// Sends a request and leaves the body of the answer to be read.
    pub(crate) async fn open(&self, request: Request<Bytes>) -> Result<Response<Incoming>, String> {
        let (mut parts, body) = request.into_parts();
        if !parts.headers.contains_key(header::HOST) {
            parts.headers.insert(header::HOST, self.host().parse().unwrap());
        }
        let request = Request::from_parts(parts, Full::new(body));
        let explain = |error: hyper::Error| format!("{error:?}");
        let mut sender = match self {
            Client::Tcp(address) => {
                let stream = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
                let (sender, connection) =
                    handshake(TokioIo::new(stream)).await.map_err(explain)?;
                tokio::spawn(connection);
                sender
            }
            Client::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(|e| e.to_string())?;
                let (sender, connection) =
                    handshake(TokioIo::new(stream)).await.map_err(explain)?;
                tokio::spawn(connection);
                sender
            }
        };
        sender.send_request(request).await.map_err(explain)
    }

    /// A request of nobody, with JSON if there is some.
    pub(crate) async fn call(&self, method: Method, path: &str, json: Value) -> Answer {
        self.send(json_request(method, path, &json)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, json: Value) -> Answer {
        self.call(Method::POST, path, json).await
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

/// A request with a JSON body; null stands for no body.
pub(crate) fn json_request(method: Method, path: &str, json: &Value) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(path);
    let request = match json {
        Value::Null => request.body(Bytes::new()),
        json => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(json.to_string())),
    };
    request.unwrap()
}

impl Answer {
    /// The JSON of an answer that must be a good one.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(
            StatusCode::from_u16(self.status).unwrap().is_success(),
            "{} {}",
            self.status,
            self.text()
        );
        self.json
    }

    /// The answer, which must have this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// A refusal in due form, with this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Answer {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text());
        self.in_due_form()
    }

    /// A refusal names a code, says what is wrong and what to do next, and can be found in the log.
    #[track_caller]
    pub(crate) fn in_due_form(self) -> Answer {
        for field in ["code", "message", "next", "request_id"] {
            let text = self.json["error"][field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no `{field}` in {} {}", self.status, self.text());
        }
        assert_eq!(self.header("x-request-id"), self.json["error"]["request_id"].as_str().unwrap());
        self
    }

    /// The code of a refusal, or nothing.
    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        shortened(&String::from_utf8_lossy(&self.body))
    }

    /// The whole body, to look for something in.
    pub(crate) fn whole(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The value of a cookie that is set here, whatever its prefix.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter();
        cookies.filter_map(|cookie| cookie.to_str().ok()).find_map(|cookie| {
            let (key, rest) = cookie.split_once('=')?;
            let value = rest.split(';').next()?;
            (key.trim_start_matches("__Host-") == name).then(|| value.to_owned())
        })
    }

    /// Status and body without what differs from request to request: what two answers must share to be the same.
    pub(crate) fn face(&self) -> String {
        let mut json = self.json.clone();
        if let Some(error) = json.get_mut("error").and_then(Value::as_object_mut) {
            error.remove("request_id");
        }
        match json {
            Value::Null => format!("{} {}", self.status, String::from_utf8_lossy(&self.body)),
            json => format!("{} {json}", self.status),
        }
    }
}
