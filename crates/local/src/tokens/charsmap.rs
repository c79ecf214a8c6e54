//! SentencePiece's compiled map of characters: a double array that is walked byte by byte, then the texts that take
//! the place of what was found. The longest match counts.

use crate::error::Fault;
use crate::file::Bytes;

/// The map, as it is in the file.
pub(crate) struct Charsmap {
    units: Vec<u32>,
    texts: String,
}

impl Charsmap {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let mut from = Bytes::new(bytes);
        let length = from.u32()? as usize;
        if !length.is_multiple_of(4) {
            return Err(Fault::Content("its map of characters is not made of words"));
        }
        let units = from.words(length / 4)?.map(u32::from_le_bytes).collect();
        let texts = from.take(bytes.len() - 4 - length)?;
        let texts = String::from_utf8(texts.to_vec())
            .map_err(|_| Fault::Content("its map of characters is not text"))?;
        Ok(Self { units, texts })
    }

    /// What takes the place of the beginning of `text`, and how many bytes that is.
    pub(crate) fn find(&self, text: &str) -> Option<(&str, usize)> {
        let unit = |at: usize| self.units.get(at).copied();
        let offset = |unit: u32| ((unit >> 10) << ((unit & 1 << 9) >> 6)) as usize;
        let mut at = offset(unit(0)?);
        let mut found = None;
        for (index, byte) in text.bytes().enumerate() {
            at ^= usize::from(byte);
            let Some(here) = unit(at).filter(|unit| unit & 0x8000_00ff == u32::from(byte)) else {
                break;
            };
            at ^= offset(here);
            if here >> 8 & 1 == 1 {
                found = unit(at).map(|value| ((value & 0x7fff_ffff) as usize, index + 1));
            }
        }
        let (begin, length) = found.filter(|(_, length)| text.is_char_boundary(*length))?;
        let rest = self.texts.get(begin..)?;
        Some((&rest[..rest.find('\0').unwrap_or(rest.len())], length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use serde_json::Value;

    fn cases() -> (Charsmap, Vec<Value>) {
        let mut cases: Vec<Value> =
            serde_json::from_str(include_str!("../../../../fixtures/embeddings/charsmap.json"))
                .unwrap();
        let map = cases.remove(0);
        let map = base64::engine::general_purpose::STANDARD
            .decode(map["charsmap"].as_str().unwrap())
            .unwrap();
        (Charsmap::parse(&map).unwrap(), cases)
    }

    #[test]
    fn characters_are_replaced_as_sentencepiece_does_it() {
        let (map, cases) = cases();
        for case in cases {
            let (mut rest, mut normal) = (case["text"].as_str().unwrap(), String::new());
            while let Some(first) = rest.chars().next() {
                let same = (&rest[..first.len_utf8()], first.len_utf8());
                let (instead, length) = map.find(rest).unwrap_or(same);
                normal.push_str(instead);
                rest = &rest[length..];
            }
            assert_eq!(normal, case["normal"].as_str().unwrap(), "{case}");
        }
    }

    #[test]
    fn a_damaged_map_replaces_something_else_or_nothing_and_never_panics() {
        let (map, _) = cases();
        assert!(Charsmap::parse(&[]).is_err() && Charsmap::parse(&[255; 9]).is_err());
        for damaged in 0..map.units.len() {
            for value in [0, u32::MAX, 0x1234_5678] {
                let mut units = map.units.clone();
                units[damaged] = value;
                let map = Charsmap { units, texts: map.texts.clone() };
                for text in ["e\u{301}", "\u{3000}", "日本"] {
                    let _ = map.find(text);
                }
            }
        }
    }
}
