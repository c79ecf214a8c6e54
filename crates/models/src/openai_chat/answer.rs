//! What comes back, chunk by chunk or all at once, as its JSON is. Servers differ in details, so little is insisted on.

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::fmt;

/// A chunk of a stream, or a whole answer: they differ in the name of one field only.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) id: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) choices: Option<Vec<Choice>>,
    pub(crate) usage: Option<UsageIn>,
    pub(crate) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Choice {
    pub(crate) delta: Option<Delta>,
    /// What `delta` is called where all comes at once.
    pub(crate) message: Option<Delta>,
    pub(crate) finish_reason: Option<String>,
    /// The text at which it stopped, by servers that say so.
    #[serde(default)]
    pub(crate) stop_reason: Text,
    /// Some servers put it here.
    pub(crate) usage: Option<UsageIn>,
    pub(crate) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Delta {
    #[serde(default)]
    pub(crate) content: Text,
    #[serde(default)]
    pub(crate) reasoning_content: Text,
    #[serde(default)]
    pub(crate) reasoning: Text,
    pub(crate) reasoning_details: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    pub(crate) refusal: Text,
    pub(crate) tool_calls: Option<Vec<CallIn>>,
    /// The form of a time before there were several.
    pub(crate) function_call: Option<FunctionIn>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct CallIn {
    pub(crate) index: Option<u64>,
    pub(crate) id: Option<String>,
    pub(crate) function: Option<FunctionIn>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct FunctionIn {
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) arguments: Text,
}

/// Text, however it is wrapped: a string, parts of which some are text, nothing, or (for arguments) JSON that is not in
/// a string.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyText)
    }
}

struct AnyText;

impl<'de> Visitor<'de> for AnyText {
    type Value = Text;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Text, E> {
        Ok(Text(text))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Text, E> {
        Ok(Text::default())
    }

    // A number is no text, and no reason to fail: some servers name a token where others name a word.
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
        let value = Value::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(Text(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Text, A::Error> {
        #[derive(Deserialize)]
        struct Piece {
            text: Option<String>,
        }
        let mut all = String::new();
        while let Some(part) = parts.next_element::<Piece>()? {
            all.push_str(&part.text.unwrap_or_default());
        }
        Ok(Text(all))
    }
}

/// What was used, in the words of OpenAI and of those who add to them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct UsageIn {
    pub(crate) prompt_tokens: Count,
    pub(crate) completion_tokens: Count,
    pub(crate) total_tokens: Count,
    pub(crate) prompt_tokens_details: Option<PromptDetails>,
    pub(crate) completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's.
    pub(crate) prompt_cache_hit_tokens: Count,
    /// OpenRouter's, in dollars; others put other things here.
    pub(crate) cost: Value,
    pub(crate) is_byok: Value,
    pub(crate) cost_details: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PromptDetails {
    pub(crate) cached_tokens: Count,
    pub(crate) cache_write_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CompletionDetails {
    pub(crate) reasoning_tokens: Count,
}

/// A number of tokens. What is none (a fraction below nothing, a word) does not make an answer unreadable.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) Option<u64>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AnyCount;

        impl<'de> Visitor<'de> for AnyCount {
            type Value = Count;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a number of tokens")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Count, E> {
                Ok(Count(Some(number)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Count, E> {
                Ok(Count(u64::try_from(number).ok()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Count, E> {
                Ok(Count(super::usage::whole(number)))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Count, E> {
                Ok(Count(None))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Count, E> {
                Ok(Count(text.parse().ok()))
            }
        }

        from.deserialize_any(AnyCount)
    }
}
