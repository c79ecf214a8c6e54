//! A WebSocket, written from the documented frames alone: what is sent and read is plain JSON.

use super::{Client, Credential, PATIENCE, Person};
use futures_util::{SinkExt, StreamExt};
use http::{Request, header};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

/// An open socket.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects and says hello.
    pub(crate) async fn of(who: &Person) -> Socket {
        let mut socket = Socket::try_connect(who, None).await.unwrap();
        socket.say(json!({ "type": "hello", "versions": [1, 1] })).await;
        let welcome = socket.hear().await.expect("a welcome");
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        socket
    }

    /// Connects, or answers the status of the refusal.
    pub(crate) async fn try_connect(who: &Person, origin: Option<&str>) -> Result<Socket, u16> {
        let Client::Tcp(address) = &who.client else { panic!("sockets are on TCP") };
        let request = format!("ws://{address}/ws").into_client_request().unwrap();
        let (parts, ()) = request.into_parts();
        let signed = who.sign(Request::from_parts(parts, bytes::Bytes::new()));
        let (mut parts, _) = signed.into_parts();
        match (origin, &who.credential) {
            (Some(""), _) => drop(parts.headers.remove(header::ORIGIN)),
            (Some(origin), _) => {
                parts.headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            (None, Credential::Session(_) | Credential::Token(_) | Credential::Nobody) => {}
        }
        let stream = TcpStream::connect(address).await.unwrap();
        match client_async(Request::from_parts(parts, ()), stream).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.say_text(frame.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: String) {
        // Whether the other end is still there shows when one listens.
        let _ = self.0.send(Message::text(text)).await;
    }

    pub(crate) async fn say_bytes(&mut self, bytes: Vec<u8>) {
        let _ = self.0.send(Message::binary(bytes)).await;
    }

    /// The next frame; None when the connection ended.
    pub(crate) async fn hear(&mut self) -> Option<Value> {
        self.hear_or_end().await.ok()
    }

    /// The next frame, or the code that the connection was closed with; 0 for none.
    pub(crate) async fn hear_or_end(&mut self) -> Result<Value, u16> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
            match next.expect("a frame or an end in time") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(close))) => {
                    return Err(close.map_or(0, |close| close.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(0),
            }
        }
    }

    /// The next frame of this type; others are passed over.
    pub(crate) async fn hear_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.hear().await.unwrap_or_else(|| panic!("ended before `{kind}`"));
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    pub(crate) async fn follow(&mut self, log: &str, after: i64) {
        self.say(json!({ "type": "follow", "log": log, "after": after })).await;
    }

    /// Submits, and hears what came of it.
    pub(crate) async fn submit(&mut self, command_id: &str, command: Value) -> Value {
        self.say(json!({ "type": "submit", "command_id": command_id, "command": command })).await;
        loop {
            let frame = self.hear().await.expect("an answer");
            if frame["command_id"] == command_id {
                return frame;
            }
        }
    }
}
