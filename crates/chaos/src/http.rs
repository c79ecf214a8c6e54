//! A small HTTP client over one connection, which is made again when it broke. Nothing is sent twice by itself: whether
//! something was done that got no answer is what is to be found out.

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpStream;

/// How long an answer may take. Longer than anything is frozen for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// By what somebody proves who they are.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    Nobody,
    Session(String),
    Token(String),
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
    /// The session that was begun.
    pub(crate) session: Option<String>,
}

impl Answer {
    /// The JSON of an answer that must be a good one.
    pub(crate) fn ok(self, what: &str) -> anyhow::Result<Value> {
        anyhow::ensure!((200..300).contains(&self.status), "{what}: {} {}", self.status, self.json);
        Ok(self.json)
    }
}

/// Somebody to ask.
pub(crate) struct Http {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Http {
    pub(crate) fn to(address: SocketAddr) -> Http {
        Http { address, sender: None }
    }

    /// Asks. The error says that no whole answer came.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        credential: &Credential,
        json: &Value,
    ) -> Result<Answer, String> {
        let asked = self.try_ask(method, path, credential, json);
        let answered =
            tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err("no answer".to_owned()));
        if answered.is_err() {
            self.sender = None;
        }
        answered
    }

    async fn try_ask(
        &mut self,
        method: Method,
        path: &str,
        credential: &Credential,
        json: &Value,
    ) -> Result<Answer, String> {
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => connect(self.address).await?,
        };
        sender.ready().await.map_err(|error| error.to_string())?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::ORIGIN, format!("http://{}", self.address));
        let request = match credential {
            Credential::Nobody => request,
            Credential::Session(it) => {
                request.header(header::COOKIE, format!("mosaic_session={it}"))
            }
            Credential::Token(it) => request.header(header::AUTHORIZATION, format!("Bearer {it}")),
        };
        let request = match json {
            Value::Null => request.body(Full::default()),
            json => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Full::new(Bytes::from(json.to_string()))),
        };
        let request = request.map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        self.sender = Some(sender);
        let cookies = parts.headers.get_all(header::SET_COOKIE).iter();
        let session = cookies.filter_map(|it| it.to_str().ok()).find_map(|it| {
            let rest = it.strip_prefix("mosaic_session=")?;
            rest.split(';').next().map(str::to_owned)
        });
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Ok(Answer { status: parts.status.as_u16(), json, session })
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}
