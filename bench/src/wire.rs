//! One HTTP/1.1 connection that is kept: a request out, its answer in.
//!
//! As thin as can be, because it shares the processor with the server it measures. Leaves out what the servers measured
//! here do not use: pipelining, interim answers, bodies that only the end of the connection ends.

use anyhow::{Context, bail};
use std::{net::SocketAddr, ops::Range};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An open connection.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer; the bytes stay in the connection until the next request.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Range<usize>,
    chunked: bool,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        // A port that nobody listens on can be drawn for our own end, which then talks to itself.
        if stream.local_addr()? == address {
            bail!("nobody listens on {address}");
        }
        stream.set_nodelay(true)?;
        Ok(Connection { stream, received: Vec::with_capacity(4096) })
    }

    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.received.clear();
        self.stream.write_all(request).await?;
        loop {
            self.received.reserve(4096);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("the connection was closed in the middle of an answer");
            }
            if let Some(answer) = parse(&self.received)? {
                return Ok(answer);
            }
        }
    }

    /// The body of the last answer.
    pub(crate) fn body(&self, answer: &Answer) -> Vec<u8> {
        let raw = self.received.get(answer.body.clone()).unwrap_or_default();
        if answer.chunked { joined(raw) } else { raw.to_vec() }
    }
}

/// A request as it goes over the wire.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    }
    (text + "\r\n" + body).into_bytes()
}

/// A request on a connection of its own; anything but a 2xx is an error that shows what was answered.
pub(crate) async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.send(&request(address, method, path, headers, body)).await?;
    let body = connection.body(&answer);
    if !(200..300).contains(&answer.status) {
        bail!("{method} {path} answered {}: {}", answer.status, String::from_utf8_lossy(&body));
    }
    Ok(body)
}

/// The answer in these bytes, if all of it is there.
fn parse(bytes: &[u8]) -> anyhow::Result<Option<Answer>> {
    let Some(head_end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let start = head_end + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).context("an answer's head is no text")?;
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    let Some(status) = status else { bail!("no answer in HTTP: {first:?}") };
    let (mut length, mut chunked) = (None, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>().context("content-length")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }
    let end = match (chunked, length, status) {
        (true, ..) => chunks(&bytes[start..])?.map(|length| start + length),
        (false, Some(length), _) => Some(start + length).filter(|end| *end <= bytes.len()),
        (false, None, 204 | 304) => Some(start),
        (false, None, _) => bail!("an answer without a length: {first:?}"),
    };
    Ok(end.map(|end| Answer { status, body: start..end, chunked }))
}

/// How long a chunked body is, if its end is there.
fn chunks(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    let mut at = 0;
    while let Some((size, data)) = chunk(bytes, at)? {
        at = data + size + 2;
        if size == 0 {
            return Ok(Some(at).filter(|end| *end <= bytes.len()));
        }
    }
    Ok(None)
}

/// The data of a chunked body.
fn joined(bytes: &[u8]) -> Vec<u8> {
    let (mut at, mut whole) = (0, vec![]);
    while let Ok(Some((size, data))) = chunk(bytes, at) {
        whole.extend_from_slice(bytes.get(data..data + size).unwrap_or_default());
        at = data + size + 2;
    }
    whole
}

/// The chunk that begins at `at`: its size, and where its data begins.
fn chunk(bytes: &[u8], at: usize) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(rest) = bytes.get(at..) else { return Ok(None) };
    let Some(line) = find(rest, b"\r\n") else { return Ok(None) };
    let text = String::from_utf8_lossy(&rest[..line]);
    let digits = text.split(';').next().unwrap_or_default().trim();
    let size = usize::from_str_radix(digits, 16).context("the size of a chunk")?;
    Ok(Some((size, at + line + 2)))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\ndate: now\r\nContent-Length: 3\r\n\r\nok\n";
    const CHUNKED: &[u8] =
        b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n2;x=1\r\nno\r\n1\r\n!\r\n0\r\n\r\n";

    #[test]
    fn an_answer_is_complete_at_its_last_byte_and_not_before() {
        for (whole, status) in [(PLAIN, 200), (CHUNKED, 404)] {
            for cut in 0..whole.len() {
                assert_eq!(parse(&whole[..cut]).unwrap(), None, "cut at {cut}");
            }
            let answer = parse(whole).unwrap().unwrap();
            assert_eq!((answer.status, answer.body.end), (status, whole.len()));
        }
    }

    #[test]
    fn chunks_are_joined() {
        let answer = parse(CHUNKED).unwrap().unwrap();
        assert_eq!(joined(&CHUNKED[answer.body]), b"no!");
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        assert!(parse(b"nonsense\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert_eq!(parse(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap().status, 204);
    }
}
