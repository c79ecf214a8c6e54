//! OpenRouter's `reasoning_details`: what was thought, with the signatures and ciphers that the models behind it want
//! back unchanged. They come in pieces and are put together again here. Pure.

use serde_json::{Map, Value};

/// How many pieces of thought are kept. A sealed thought is useless in part, so more than this is not kept at all.
const MAX_DETAILS: usize = 1024;

/// Put together so far.
#[derive(Debug, Default)]
pub(crate) struct Details(Vec<Map<String, Value>>);

impl Details {
    /// More pieces.
    pub(crate) fn push(&mut self, pieces: Vec<Map<String, Value>>) {
        for piece in pieces {
            let has_room = self.0.len() < MAX_DETAILS;
            match self.0.last_mut().filter(|last| is_same(last, &piece)) {
                Some(last) => join(last, piece),
                None if has_room => self.0.push(piece),
                None => {}
            }
        }
    }

    /// What can be read of these pieces.
    pub(crate) fn words(pieces: &[Map<String, Value>]) -> String {
        let readable = |piece: &Map<String, Value>| {
            let text = piece.get("text").or_else(|| piece.get("summary"))?;
            text.as_str().map(ToOwned::to_owned)
        };
        pieces.iter().filter_map(readable).collect()
    }

    /// All of it, and begins anew.
    pub(crate) fn take(&mut self) -> Option<Value> {
        let all = std::mem::take(&mut self.0);
        (!all.is_empty()).then(|| all.into_iter().map(Value::Object).collect())
    }
}

/// Whether a piece goes on with the one before it.
fn is_same(last: &Map<String, Value>, piece: &Map<String, Value>) -> bool {
    let is_text = piece.get("type").and_then(Value::as_str) != Some("reasoning.encrypted");
    // A text is over with its signature.
    let is_open = last.get("signature").is_none_or(Value::is_null);
    is_text
        && is_open
        && ["type", "index"].iter().all(|field| last.get(*field) == piece.get(*field))
}

fn join(last: &mut Map<String, Value>, piece: Map<String, Value>) {
    for (field, more) in piece {
        match (last.get_mut(&field), more) {
            (_, Value::Null) => {}
            (Some(Value::String(text)), Value::String(more))
                if matches!(field.as_str(), "text" | "summary") =>
            {
                text.push_str(&more);
            }
            (_, more) => {
                last.insert(field, more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_whole_with_their_signature() {
        let pieces = [
            r#"[{"type":"reasoning.text","text":"I ","format":"anthropic-claude-v1","index":0}]"#,
            r#"[{"type":"reasoning.text","text":"think","format":"anthropic-claude-v1","index":0}]"#,
            r#"[{"type":"reasoning.text","text":null,"signature":"c2ln","index":0}]"#,
            r#"[{"type":"reasoning.text","text":"again","index":0},{"type":"reasoning.encrypted","data":"eA","index":1}]"#,
            r#"[{"type":"reasoning.encrypted","data":"eQ","index":1}]"#,
        ];
        let mut details = Details::default();
        let mut words = String::new();
        for piece in pieces {
            let piece: Vec<Map<String, Value>> = serde_json::from_str(piece).unwrap();
            words.push_str(&Details::words(&piece));
            details.push(piece);
        }
        assert_eq!(words, "I thinkagain");
        let whole = serde_json::json!([
            {"type": "reasoning.text", "text": "I think", "format": "anthropic-claude-v1", "index": 0, "signature": "c2ln"},
            {"type": "reasoning.text", "text": "again", "index": 0},
            {"type": "reasoning.encrypted", "data": "eA", "index": 1},
            {"type": "reasoning.encrypted", "data": "eQ", "index": 1},
        ]);
        assert_eq!(details.take(), Some(whole));
        assert_eq!(details.take(), None);
    }
}
