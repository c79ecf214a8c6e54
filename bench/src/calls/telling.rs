//! One answer that comes as a stream, read as it comes: when its first words were there, and whether all of them came.
//!
//! As thin as can be, because it shares the processor with the server it measures: events are not parsed as JSON, only
//! searched for their words, which hold nothing that JSON would escape.

use anyhow::{Context, bail, ensure};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A kept connection on which streams are asked for.
pub(crate) struct Listener {
    address: SocketAddr,
    stream: TcpStream,
}

/// What came of one.
pub(crate) struct Told {
    /// Until the first words.
    pub(crate) first: Duration,
    pub(crate) text: String,
    pub(crate) ended: bool,
}

impl Listener {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Listener> {
        let stream = TcpStream::connect(address).await?;
        ensure!(stream.local_addr()? != address, "nobody listens on {address}");
        stream.set_nodelay(true)?;
        Ok(Listener { address, stream })
    }

    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Told> {
        let begun = Instant::now();
        self.stream.write_all(request).await?;
        let (mut reading, mut first) = (Reading::default(), None);
        let mut buffer = [0; 4096];
        while !reading.over {
            let n = self.stream.read(&mut buffer).await?;
            if n == 0 {
                break;
            }
            reading.take(buffer.get(..n).unwrap_or_default())?;
            if first.is_none() && !reading.text.is_empty() {
                first = Some(begun.elapsed());
            }
        }
        let Reading { text, ended, over, closes, .. } = reading;
        if closes || !over {
            *self = Listener::open(self.address).await?;
        }
        Ok(Told { first: first.context("a stream without a word")?, text, ended: ended && over })
    }
}

impl Told {
    /// That it was all of it, and ended as it should.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.ended && self.text == text
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    raw: Vec<u8>,
    headed: bool,
    /// How much of the current chunk is still to come.
    left: usize,
    /// That was the last one.
    last: bool,
    line: Vec<u8>,
    text: String,
    /// The stream said that it is done.
    ended: bool,
    /// The body is complete.
    over: bool,
    /// The server will close the connection.
    closes: bool,
}

impl Reading {
    fn take(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.raw.extend_from_slice(bytes);
        if !self.headed && !self.head()? {
            return Ok(());
        }
        let mut at = 0;
        while !self.over {
            if self.left > 0 {
                let data = self.raw.get(at..).unwrap_or_default();
                let data = data.get(..self.left).unwrap_or(data).to_vec();
                if data.is_empty() {
                    break;
                }
                (at, self.left) = (at + data.len(), self.left - data.len());
                self.data(&data);
                continue;
            }
            // Between chunks: the end of the last one, then the size of the next.
            let rest = self.raw.get(at..).unwrap_or_default();
            if self.last {
                self.over = rest.starts_with(b"\r\n");
                at += if self.over { 2 } else { 0 };
                break;
            }
            let skipped = if rest.starts_with(b"\r\n") { 2 } else { 0 };
            let rest = rest.get(skipped..).unwrap_or_default();
            let Some(end) = rest.windows(2).position(|it| it == b"\r\n") else { break };
            let size = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
            let size = size.split(';').next().unwrap_or_default().trim();
            self.left = usize::from_str_radix(size, 16).context("the size of a chunk")?;
            at += skipped + end + 2;
            self.last = self.left == 0;
        }
        self.raw.drain(..at.min(self.raw.len()));
        Ok(())
    }

    /// Whether the head is complete; it is then gone from what was read.
    fn head(&mut self) -> anyhow::Result<bool> {
        let Some(end) = self.raw.windows(4).position(|it| it == b"\r\n\r\n") else {
            return Ok(false);
        };
        let head = String::from_utf8_lossy(self.raw.get(..end).unwrap_or_default());
        let head = head.to_ascii_lowercase();
        if !head.starts_with("http/1.1 200") || !head.contains("transfer-encoding: chunked") {
            bail!("no stream: {}", String::from_utf8_lossy(&self.raw));
        }
        self.closes = head.contains("connection: close");
        self.headed = true;
        self.raw.drain(..end + 4);
        Ok(true)
    }

    fn data(&mut self, data: &[u8]) {
        for byte in data {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.event(&String::from_utf8_lossy(&line));
            } else {
                self.line.push(*byte);
            }
        }
    }

    fn event(&mut self, line: &str) {
        let Some(data) = line.strip_prefix("data:") else { return };
        self.ended |= data.trim() == "[DONE]";
        let words = || {
            let (_, after) = data.split_once("\"content\":")?;
            Some(after.trim_start().strip_prefix('"')?.split_once('"')?.0)
        };
        self.text += words().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        1b\r\ndata: {\"content\":\"one \"}\n\nd\r\n27\r\nata: {\"content\": \"two\"}\n\ndata: [DONE]\n\n\r\n0\r\n\r\n";

    #[test]
    fn a_stream_is_read_wherever_it_is_cut() {
        for cut in 0..STREAM.len() {
            let mut reading = Reading::default();
            reading.take(&STREAM[..cut]).unwrap();
            assert!(!reading.over, "cut at {cut}");
            reading.take(&STREAM[cut..]).unwrap();
            assert_eq!(
                (reading.text.as_str(), reading.ended, reading.over),
                ("one two", true, true)
            );
        }
    }

    #[test]
    fn a_refusal_is_no_stream() {
        let refused = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n";
        assert!(Reading::default().take(refused).is_err());
    }
}
