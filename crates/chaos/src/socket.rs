//! A WebSocket without memory: what is sent is one frame, and what comes is told as it comes.

use crate::http::PATIENCE;
use futures_util::{SinkExt, StreamExt};
use mosaic_protocol::frame::{ClientFrame, Position, ServerFrame, VERSIONS};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::{HeaderValue, header},
    },
};

/// An open socket.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects and says hello with what one has.
    pub(crate) async fn open(
        address: SocketAddr,
        token: &str,
        resume: Vec<Position>,
    ) -> Option<Socket> {
        let mut request = format!("ws://{address}/ws").into_client_request().ok()?;
        let value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
        let opened = async {
            let stream = TcpStream::connect(address).await.ok()?;
            let (socket, _) = client_async(request, stream).await.ok()?;
            let mut socket = Socket(socket);
            socket
                .say(&ClientFrame::Hello { versions: VERSIONS, generation: None, resume })
                .await?;
            matches!(socket.hear().await?, ServerFrame::Welcome { .. }).then_some(socket)
        };
        tokio::time::timeout(PATIENCE, opened).await.ok()?
    }

    /// `None`: the connection is gone.
    pub(crate) async fn say(&mut self, frame: &ClientFrame) -> Option<()> {
        self.0.send(Message::text(serde_json::to_string(frame).ok()?)).await.ok()
    }

    /// The next frame. `None`: the connection is gone.
    pub(crate) async fn hear(&mut self) -> Option<ServerFrame> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).ok(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}
