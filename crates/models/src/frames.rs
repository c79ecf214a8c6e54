//! Cuts the bytes of a stream into pieces: server-sent events, or lines. Any cut of the bytes gives the same pieces.

use crate::{
    Error, Result,
    wire::{Framing, Piece},
};
use mosaic_protocol::provider::FailureClass;

/// One piece may have this many bytes. The largest that providers send is a whole answer repeated in the last event.
const PIECE_BYTES: usize = 16 * 1024 * 1024;

/// What has come of a stream and is not a whole piece yet.
pub(crate) struct Frames {
    framing: Framing,
    /// The last line so far.
    line: Vec<u8>,
    /// The last line ended with a carriage return, after which a line feed does not end another.
    after_return: bool,
    event: String,
    data: String,
    has_data: bool,
    first: bool,
}

impl Frames {
    pub(crate) fn new(framing: Framing) -> Self {
        Self {
            framing,
            line: Vec::new(),
            after_return: false,
            event: String::new(),
            data: String::new(),
            has_data: false,
            first: true,
        }
    }

    /// More bytes; `take` gets every piece that is whole now.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        take: &mut impl FnMut(Piece<'_>) -> Result<()>,
    ) -> Result<()> {
        if self.after_return && !bytes.is_empty() {
            self.after_return = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(at) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (head, tail) = bytes.split_at(at);
            let is_return = tail.first() == Some(&b'\r');
            let tail = tail.get(1..).unwrap_or_default();
            bytes = if is_return { tail.strip_prefix(b"\n").unwrap_or(tail) } else { tail };
            self.after_return = is_return && tail.is_empty();
            if self.line.is_empty() {
                self.ended(head, take)?;
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(head);
                self.ended(&line, take)?;
                line.clear();
                self.line = line;
            }
        }
        if self.line.len() + bytes.len() + self.data.len() > PIECE_BYTES {
            return Err(malformed("one piece of the stream is too long"));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// The stream is over. A last line without an end is one; an event without its empty line is none, as the format says.
    pub(crate) fn over(&mut self, take: &mut impl FnMut(Piece<'_>) -> Result<()>) -> Result<()> {
        let line = std::mem::take(&mut self.line);
        match self.framing {
            Framing::Lines => self.ended(&line, take),
            Framing::Sse => Ok(()),
        }
    }

    fn ended(&mut self, line: &[u8], take: &mut impl FnMut(Piece<'_>) -> Result<()>) -> Result<()> {
        let line = std::str::from_utf8(line).map_err(|_| malformed("the stream is not text"))?;
        let line = if self.first { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        self.first = false;
        match self.framing {
            Framing::Lines if line.trim().is_empty() => Ok(()),
            Framing::Lines => take(Piece { event: None, data: line }),
            Framing::Sse if line.is_empty() => {
                let event = Some(self.event.as_str()).filter(|event| !event.is_empty());
                let taken =
                    if self.has_data { take(Piece { event, data: &self.data }) } else { Ok(()) };
                self.event.clear();
                self.data.clear();
                self.has_data = false;
                taken
            }
            Framing::Sse => {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "data" => {
                        if self.has_data {
                            self.data.push('\n');
                        }
                        self.has_data = true;
                        if self.data.len() + value.len() > PIECE_BYTES {
                            return Err(malformed("one piece of the stream is too long"));
                        }
                        self.data.push_str(value);
                    }
                    "event" => value.clone_into(&mut self.event),
                    // A comment (an empty name), an id, a time to come back after: nothing to us.
                    _ => {}
                }
                Ok(())
            }
        }
    }
}

fn malformed(what: &str) -> Error {
    Error::new(FailureClass::Malformed, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use proptest::prelude::*;

    fn pieces(framing: Framing, cuts: &[&[u8]]) -> Result<Vec<String>> {
        let mut frames = Frames::new(framing);
        let mut all = vec![];
        let mut take = |piece: Piece<'_>| {
            all.push(format!("{}|{}", piece.event.unwrap_or("-"), piece.data));
            Ok(())
        };
        for cut in cuts {
            frames.push(cut, &mut take)?;
        }
        frames.over(&mut take)?;
        Ok(all)
    }

    const STREAM: &str = "\u{feff}: hello\n\nevent: a\ndata: 1\n\ndata:2\r\ndata: zwei ü\r\n\r\nid: 7\rdata: 3\r\revent: b\n\n\
        data\n\ndata: not ended";

    #[test]
    fn events_are_what_the_format_says() {
        let all = pieces(Framing::Sse, &[STREAM.as_bytes()]).unwrap();
        expect![[r#"
            [
                "a|1",
                "-|2\nzwei ü",
                "-|3",
                "-|",
            ]
        "#]]
        .assert_debug_eq(&all);
        let lines = pieces(Framing::Lines, &[b"{\"a\":1}\n\n{\"b\":2}\r\n{\"c\":3}"]).unwrap();
        assert_eq!(lines, ["-|{\"a\":1}", "-|{\"b\":2}", "-|{\"c\":3}"]);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_pieces(cuts in proptest::collection::vec(0..STREAM.len(), 0..20)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut parts = vec![];
            let mut from = 0;
            for cut in cuts {
                parts.push(&STREAM.as_bytes()[from..cut]);
                from = cut;
            }
            parts.push(&STREAM.as_bytes()[from..]);
            prop_assert_eq!(pieces(Framing::Sse, &parts), pieces(Framing::Sse, &[STREAM.as_bytes()]));
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = pieces(Framing::Sse, &[&bytes]);
            let _ = pieces(Framing::Lines, &[&bytes]);
        }
    }

    #[test]
    fn a_piece_without_an_end_is_given_up() {
        let mut frames = Frames::new(Framing::Sse);
        let block = vec![b'x'; 1024 * 1024];
        let mut nothing = |_: Piece<'_>| Ok(());
        let given_up = (0..20).find_map(|_| frames.push(&block, &mut nothing).err());
        assert_eq!(given_up.unwrap().class, FailureClass::Malformed);
    }
}
