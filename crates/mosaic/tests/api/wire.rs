//! A connection that is written to by hand: for requests that stop half way.

use crate::support::*;
use bytes::Bytes;
use http::{Method, Request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that is written to by hand.
pub(crate) struct Wire(pub(crate) TcpStream);

impl Wire {
    pub(crate) async fn to(gateway: &Gateway) -> Wire {
        Wire(TcpStream::connect(gateway.address()).await.unwrap())
    }

    pub(crate) async fn say(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).await.unwrap();
    }

    /// Reads until what was read holds this text.
    pub(crate) async fn hear(&mut self, text: &str) -> String {
        let mut heard = vec![];
        let hearing = async {
            while !String::from_utf8_lossy(&heard).contains(text) {
                let n = self.0.read_buf(&mut heard).await.unwrap();
                assert!(n > 0, "closed after {:?}", String::from_utf8_lossy(&heard));
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.expect("an answer");
        String::from_utf8(heard).unwrap()
    }

    /// Reads until the other end closes.
    pub(crate) async fn closed(&mut self) -> String {
        let mut heard = vec![];
        let reading = self.0.read_to_end(&mut heard);
        // A connection that is reset is closed as well.
        let _ = tokio::time::timeout(PATIENCE, reading).await.expect("the end of the connection");
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Whether this is heard, and not the end.
    pub(crate) async fn closed_or(&mut self, text: &str) -> bool {
        let mut heard = vec![];
        let hearing = async {
            while !String::from_utf8_lossy(&heard).contains(text) {
                if self.0.read_buf(&mut heard).await.unwrap_or(0) == 0 {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(PATIENCE, hearing).await.expect("an answer, or the end")
    }

    /// Sends the head of a request, with more headers.
    pub(crate) async fn head(&mut self, gateway: &Gateway, request: &Request<Bytes>, more: &str) {
        let line = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
        let mut head = format!("{line}host: {}\r\n{more}", gateway.host());
        for (name, value) in request.headers() {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        self.say(head + "\r\n").await;
    }

    /// Begins a request with a body, and comes back when the gateway has begun to read it.
    pub(crate) async fn begin(
        gateway: &Gateway,
        who: &Person,
        method: Method,
        path: &str,
        media: &str,
        length: usize,
    ) -> Wire {
        let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
        let more = format!(
            "content-type: {media}\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n"
        );
        let mut wire = Wire::to(gateway).await;
        wire.head(gateway, &who.sign(request), &more).await;
        wire.hear("100 Continue").await;
        wire
    }
}
