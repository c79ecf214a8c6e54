//! The little of RESP3, the protocol of Valkey, that a bus needs: commands as lists of texts, answers with bounds.
//! Leaves out what a message means.

use std::io::{Error, ErrorKind, Result};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// The longest line: an error, or a number.
const LINE_BYTES: usize = 4096;
/// How many items a list may have, and how deep lists may be. The answer to `hello` is the largest.
const ITEMS: usize = 1024;
const DEPTH: usize = 8;
/// What Valkey itself lets through at most. A text between our own bound and this is passed over.
const PASSED_OVER: usize = 512 * 1024 * 1024;

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A text, or what is written like one: a number, a truth.
    Text(Vec<u8>),
    /// A text beyond the bound; it was not kept.
    TooLong,
    /// The command before was not done.
    Refusal(String),
    /// A list, a set, or a map as keys and values in turn.
    List(Vec<Frame>),
    /// Something that nobody asked for: a message.
    Push(Vec<Frame>),
    /// No value.
    Nothing,
}

impl Frame {
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Frame::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Puts a command behind what is to be sent.
pub(crate) fn command(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// Reads what a server says.
pub(crate) struct Reader<R> {
    from: BufReader<R>,
    text_bytes: usize,
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("what answers is no Valkey: {what}"))
}

impl<R: AsyncRead + Unpin + Send> Reader<R> {
    /// Texts of more than `text_bytes` are passed over.
    pub(crate) fn new(from: R, text_bytes: usize) -> Self {
        Self { from: BufReader::new(from), text_bytes }
    }

    /// The next frame. Must not be dropped half-way.
    pub(crate) async fn next(&mut self) -> Result<Frame> {
        self.frame(0).await
    }

    async fn frame(&mut self, depth: usize) -> Result<Frame> {
        let line = self.line().await?;
        let (kind, rest) = line.split_first().ok_or_else(|| bad("an empty line"))?;
        Ok(match kind {
            b'+' | b':' | b',' | b'#' | b'(' => Frame::Text(rest.to_vec()),
            b'-' => Frame::Refusal(String::from_utf8_lossy(rest).into_owned()),
            b'_' => Frame::Nothing,
            b'$' | b'=' | b'!' if rest == b"-1" => Frame::Nothing,
            b'$' | b'=' => self.text(number(rest, PASSED_OVER)?).await?,
            b'!' => match self.text(number(rest, PASSED_OVER)?).await? {
                Frame::Text(text) => Frame::Refusal(String::from_utf8_lossy(&text).into_owned()),
                _ => Frame::Refusal("a long error".to_owned()),
            },
            b'*' if rest == b"-1" => Frame::Nothing,
            b'*' | b'~' => Frame::List(self.items(number(rest, ITEMS)?, depth).await?),
            b'>' => Frame::Push(self.items(number(rest, ITEMS)?, depth).await?),
            b'%' => Frame::List(self.items(2 * number(rest, ITEMS)?, depth).await?),
            _ => return Err(bad("an unknown kind of frame")),
        })
    }

    async fn items(&mut self, n: usize, depth: usize) -> Result<Vec<Frame>> {
        if depth >= DEPTH {
            return Err(bad("lists within lists"));
        }
        let mut items = vec![];
        for _ in 0..n {
            items.push(Box::pin(self.frame(depth + 1)).await?);
        }
        Ok(items)
    }

    async fn text(&mut self, bytes: usize) -> Result<Frame> {
        let mut text = Frame::TooLong;
        if bytes <= self.text_bytes {
            let mut kept = vec![0; bytes];
            self.from.read_exact(&mut kept).await?;
            text = Frame::Text(kept);
        } else {
            let mut left = bytes;
            while left > 0 {
                let n = self.from.fill_buf().await?.len().min(left);
                if n == 0 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                self.from.consume(n);
                left -= n;
            }
        }
        let mut end = [0; 2];
        self.from.read_exact(&mut end).await?;
        if end == *b"\r\n" { Ok(text) } else { Err(bad("a text without an end")) }
    }

    async fn line(&mut self) -> Result<Vec<u8>> {
        let mut line = vec![];
        loop {
            let there = self.from.fill_buf().await?;
            if there.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let end = there.iter().position(|byte| *byte == b'\n');
            let n = end.map_or(there.len(), |at| at + 1);
            line.extend_from_slice(&there[..n]);
            self.from.consume(n);
            if line.len() > LINE_BYTES {
                return Err(bad("an endless line"));
            }
            if end.is_some() {
                return line.strip_suffix(b"\r\n").map(<[u8]>::to_vec).ok_or_else(|| bad("a line"));
            }
        }
    }
}

fn number(text: &[u8], most: usize) -> Result<usize> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.filter(|n| *n <= most).ok_or_else(|| bad("a length that cannot be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Vec<std::result::Result<Frame, ErrorKind>> {
        let mut reader = Reader::new(bytes, 8);
        let mut all = vec![];
        loop {
            match reader.next().await {
                Ok(frame) => all.push(Ok(frame)),
                Err(error) => {
                    all.push(Err(error.kind()));
                    return all;
                }
            }
        }
    }

    fn text(text: &str) -> Frame {
        Frame::Text(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn what_a_server_says_is_read() {
        let said = b"+OK\r\n:5\r\n$3\r\na\r\n\r\n$-1\r\n_\r\n-ERR no\r\n%1\r\n+k\r\n*2\r\n#t\r\n,1.5\r\n>3\r\n+message\r\n$1\r\nc\r\n$9\r\n123456789\r\n!5\r\nERR x\r\n";
        let end = Err(ErrorKind::UnexpectedEof);
        let expected = vec![
            Ok(text("OK")),
            Ok(text("5")),
            Ok(text("a\r\n")),
            Ok(Frame::Nothing),
            Ok(Frame::Nothing),
            Ok(Frame::Refusal("ERR no".into())),
            Ok(Frame::List(vec![text("k"), Frame::List(vec![text("t"), text("1.5")])])),
            Ok(Frame::Push(vec![text("message"), text("c"), Frame::TooLong])),
            Ok(Frame::Refusal("ERR x".into())),
            end,
        ];
        assert_eq!(read(said).await, expected);
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_before_room_is_made_for_it() {
        let long = "x".repeat(LINE_BYTES + 1);
        let deep = "*1\r\n".repeat(DEPTH + 2);
        for said in [
            "HTTP/1.1 400 Bad Request\r\n",
            "\r\n",
            "+OK\n",
            "$-2\r\n",
            "$9999999999999999999999\r\n",
            "$999999999999\r\n",
            "*1000000\r\n",
            "$1\r\nab\r\n",
            &long,
            &deep,
        ] {
            let kinds = read(said.as_bytes()).await;
            assert_eq!(kinds, [Err(ErrorKind::InvalidData)], "{said:.40}");
        }
        assert_eq!(read(b"$600\r\nabc").await, [Err(ErrorKind::UnexpectedEof)]);
    }

    #[tokio::test]
    async fn no_bytes_make_it_panic_and_commands_are_read_back() {
        let mut seed = 7_u32;
        for _ in 0..20_000 {
            let mut bytes = vec![];
            for _ in 0..24 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes.push(b"+-:$*>%_!~#019\r\n\r\n\r\nax"[(seed >> 16) as usize % 22]);
            }
            read(&bytes).await;
        }
        let mut out = vec![];
        command(&mut out, &[b"publish", b"a b", b"\r\n"]);
        let words = ["publish", "a b", "\r\n"].map(text).to_vec();
        assert_eq!(read(&out).await[0], Ok(Frame::List(words)));
    }
}
