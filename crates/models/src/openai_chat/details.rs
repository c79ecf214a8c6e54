//! OpenRouter's `reasoning_details`: what was thought, with the signatures and ciphers that the models behind it want
//! back unchanged. They come in pieces and are put together again here. Pure.

use serde_json::{Map, Value};

/// How many pieces of thought are kept. A sealed thought is useless in part, so more than this is not kept at all.
const MAX_DETAILS: usize = 1024;

/// Put together so far.
#[derive(Debug, Default)]
pub(crate) struct Details {
    whole: Vec<Map<String, Value>>,
    /// There were too many.
    too_many: bool,
}

impl Details {
    /// More pieces.
    pub(crate) fn push(&mut self, pieces: Vec<Map<String, Value>>) {
        for piece in pieces {
            let has_room = self.whole.len() < MAX_DETAILS;
            match self.whole.last_mut().filter(|last| is_same(last, &piece)) {
                Some(last) => join(last, piece),
                None if has_room => self.whole.push(piece),
                None => self.too_many = true,
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
        let Details { whole, too_many } = std::mem::take(self);
        let is_sealed = !whole.is_empty() && !too_many;
        is_sealed.then(|| whole.into_iter().map(Value::Object).collect())
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
    #[test]
    fn too_many_thoughts_are_not_kept_in_part() {
        let piece = |index: usize| {
            let Value::Object(piece) =
                serde_json::json!({"type": "reasoning.encrypted", "index": index})
            else {
                unreachable!()
            };
            piece
        };
        let mut details = Details::default();
        details.push((0..MAX_DETAILS).map(piece).collect());
        details.push(vec![piece(MAX_DETAILS)]);
        assert_eq!(details.take(), None);
    }
}
