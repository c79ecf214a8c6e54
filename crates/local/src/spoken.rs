//! What a model says, from bytes to whole characters, held back where a stop text may have begun.

/// Text that comes in pieces of bytes.
#[derive(Default)]
pub(crate) struct Spoken {
    /// Bytes that are not a whole character yet.
    bytes: Vec<u8>,
    /// What may be the beginning of a stop text.
    held: String,
    stops: Vec<String>,
}

/// What may be shown after some more bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// This much, possibly nothing.
    Text(String),
    /// This much, and then a stop text.
    Stop(String),
}

impl Spoken {
    /// Empty stop texts say nothing.
    pub(crate) fn new(stops: &[String]) -> Self {
        Self {
            stops: stops.iter().filter(|stop| !stop.is_empty()).cloned().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Heard {
        self.bytes.extend_from_slice(bytes);
        let whole = whole_characters(&self.bytes);
        self.held.push_str(&String::from_utf8_lossy(&self.bytes[..whole]));
        self.bytes.drain(..whole);
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop)).min() {
            self.held.truncate(at);
            return Heard::Stop(std::mem::take(&mut self.held));
        }
        let longest = self.stops.iter().map(|stop| open_end(&self.held, stop)).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - longest);
        Heard::Text(std::mem::replace(&mut self.held, rest))
    }

    /// What was held back, when nothing more comes.
    pub(crate) fn end(mut self) -> String {
        self.held.push_str(&String::from_utf8_lossy(&self.bytes));
        self.held
    }
}

/// How many bytes are characters, or will never be: all but a last character that is not complete.
fn whole_characters(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match std::str::from_utf8(&bytes[at..]) {
            Ok(_) => return bytes.len(),
            Err(error) => match error.error_len() {
                None => return at + error.valid_up_to(),
                Some(length) => at += error.valid_up_to() + length,
            },
        }
    }
}

/// The length of the longest end of `text` with which `stop` begins.
fn open_end(text: &str, stop: &str) -> usize {
    let starts = stop.char_indices().map(|(at, _)| at).skip(1);
    starts.filter(|at| text.ends_with(&stop[..*at])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pieces: &[&[u8]], stops: &[&str]) -> (Vec<String>, Option<usize>) {
        let mut spoken =
            Spoken::new(&stops.iter().map(|stop| (*stop).to_owned()).collect::<Vec<_>>());
        let mut texts = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            match spoken.hear(piece) {
                Heard::Text(text) => texts.push(text),
                Heard::Stop(text) => {
                    texts.push(text);
                    return (texts, Some(at));
                }
            }
        }
        texts.push(spoken.end());
        (texts, None)
    }

    #[test]
    fn a_character_is_never_cut() {
        let (texts, _) = said(&[b"a\xe6", b"\x97", b"\xa5b", b"\xf0\x9f\x8e\x89"], &[]);
        assert_eq!(texts, ["a", "", "日b", "🎉", ""]);
    }

    #[test]
    fn bytes_that_are_no_characters_are_marked_and_hold_nothing_up() {
        assert_eq!(
            said(&[b"\xffok", b"\xe6\x97", b"x"], &[]).0,
            ["\u{fffd}ok", "", "\u{fffd}x", ""]
        );
        assert_eq!(said(&[b"ok\xe6\x97"], &[]).0, ["ok", "\u{fffd}"]);
    }

    #[test]
    fn a_stop_text_is_found_across_pieces_and_never_shown() {
        assert_eq!(
            said(&[b"one S", b"TO", b"P two"], &["STOP"]),
            (vec!["one ".into(), String::new(), String::new()], Some(2))
        );
        assert_eq!(said(&[b"one S", b"Tx", b"y"], &["STOP"]).0, ["one ", "STx", "y", ""]);
        assert_eq!(said(&[b"ends with S"], &["STOP"]).0, ["ends with ", "S"]);
        assert_eq!(
            said(&[b"a\xe6", b"\x97\xa5b"], &["日"]),
            (vec!["a".into(), String::new()], Some(1))
        );
        assert_eq!(
            said(&[b"xabab", b"c"], &["ababc", ""]),
            (vec!["x".into(), String::new()], Some(1))
        );
    }
}
