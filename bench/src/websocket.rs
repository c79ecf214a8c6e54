//! The client's end of a WebSocket, as thin as can be: it shares the processor with the server that it measures.
//!
//! Leaves out what the servers measured here do not use: compression, fragments, binary frames.

use anyhow::bail;
use std::{net::SocketAddr, ops::Range, str::from_utf8};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An open one.
pub(crate) struct Socket {
    stream: TcpStream,
    received: Vec<u8>,
    /// What was told already.
    told: usize,
}

/// A frame from the server.
#[derive(Debug, PartialEq)]
struct Frame {
    opcode: u8,
    payload: Range<usize>,
}

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl Socket {
    /// Asks for the upgrade and waits for it.
    pub(crate) async fn open(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Socket> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        );
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        stream.write_all((request + "\r\n").as_bytes()).await?;
        let mut socket = Socket { stream, received: Vec::with_capacity(4096), told: 0 };
        loop {
            socket.more().await?;
            let Some(end) = socket.received.windows(4).position(|it| it == b"\r\n\r\n") else {
                continue;
            };
            if !socket.received.starts_with(b"HTTP/1.1 101") {
                bail!("no WebSocket: {}", String::from_utf8_lossy(&socket.received));
            }
            socket.told = end + 4;
            return Ok(socket);
        }
    }

    /// Sends a text.
    pub(crate) async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.send(TEXT, text.as_bytes()).await
    }

    /// The next text. What servers ask meanwhile to see whether we are there is answered.
    pub(crate) async fn hear(&mut self) -> anyhow::Result<&str> {
        loop {
            match parse(&self.received, self.told)? {
                None => self.more().await?,
                Some(Frame { opcode, payload }) => {
                    self.told = payload.end;
                    match opcode {
                        TEXT => return Ok(from_utf8(&self.received[payload])?),
                        PING => {
                            let payload = self.received[payload].to_vec();
                            self.send(PONG, &payload).await?;
                        }
                        PONG => {}
                        CLOSE => bail!(
                            "the server closed a WebSocket: {}",
                            String::from_utf8_lossy(&self.received[payload])
                        ),
                        other => bail!("a frame of kind {other}, which nothing here sends"),
                    }
                }
            }
        }
    }

    /// The next text that has this in it; others are passed over.
    pub(crate) async fn hear_of(&mut self, wanted: &str) -> anyhow::Result<String> {
        loop {
            let text = self.hear().await?;
            if text.contains(wanted) {
                return Ok(text.to_owned());
            }
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        self.received.drain(..self.told);
        self.told = 0;
        self.received.reserve(4096);
        if self.stream.read_buf(&mut self.received).await? == 0 {
            bail!("the server ended a WebSocket without a word");
        }
        Ok(())
    }

    /// The mask is nought: a server cannot tell, and it saves us the work.
    async fn send(&mut self, opcode: u8, payload: &[u8]) -> anyhow::Result<()> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            short @ 0..=125 => frame.push(0x80 | short as u8),
            long @ 126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend((long as u16).to_be_bytes());
            }
            longer => {
                frame.push(0x80 | 127);
                frame.extend((longer as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        Ok(self.stream.write_all(&frame).await?)
    }
}

/// The frame that begins at `at`, if all of it is there.
fn parse(bytes: &[u8], at: usize) -> anyhow::Result<Option<Frame>> {
    let bytes = &bytes[at..];
    let [first, second, ..] = *bytes else { return Ok(None) };
    if first & 0xf0 != 0x80 || second & 0x80 != 0 {
        bail!("a frame that is fragmented, compressed or masked, which nothing here sends");
    }
    let (length, head) = match second {
        126 => match bytes.get(2..4) {
            Some(bytes) => (u16::from_be_bytes(bytes.try_into()?) as usize, 4),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10) {
            Some(bytes) => (usize::try_from(u64::from_be_bytes(bytes.try_into()?))?, 10),
            None => return Ok(None),
        },
        short => (short as usize, 2),
    };
    let payload = at + head..at + head + length;
    Ok((bytes.len() >= head + length).then_some(Frame { opcode: first & 0x0f, payload }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_there_at_its_last_byte_and_not_before() {
        for length in [0_usize, 5, 125, 126, 300, 70_000] {
            let mut bytes = b"before".to_vec();
            bytes.push(0x81);
            match length {
                0..=125 => bytes.push(length as u8),
                126..=65_535 => {
                    bytes.push(126);
                    bytes.extend((length as u16).to_be_bytes());
                }
                _ => {
                    bytes.push(127);
                    bytes.extend((length as u64).to_be_bytes());
                }
            }
            bytes.extend(std::iter::repeat_n(b'x', length));
            let whole = parse(&bytes, 6).unwrap();
            let payload = bytes.len() - length..bytes.len();
            assert_eq!(whole, Some(Frame { opcode: TEXT, payload }));
            for cut in [6, 7, 8, bytes.len() - 1] {
                if cut < bytes.len() {
                    assert_eq!(parse(&bytes[..cut], 6).unwrap(), None, "cut at {cut} of {length}");
                }
            }
        }
    }

    #[test]
    fn what_nothing_here_sends_is_an_error() {
        assert!(parse(&[0x01, 0x00], 0).is_err(), "a fragment");
        assert!(parse(&[0xc1, 0x00], 0).is_err(), "compressed");
        assert!(parse(&[0x81, 0x80, 0, 0, 0, 0], 0).is_err(), "masked");
    }
}
