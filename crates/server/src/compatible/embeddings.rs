//! OpenAI's Embeddings, in and out.

use super::{
    asked,
    bill::put,
    reading::{Bad, Many, OneOrMany, Text, bad, read},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, SeqAccess, Visitor},
};
use std::fmt;

/// OpenAI takes no more at once.
const TEXTS: usize = 2048;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    input: OneOrMany<'a, Item<'a>, TEXTS>,
    #[serde(borrow)]
    encoding_format: Option<Text<'a>>,
    dimensions: Option<u64>,
}

/// A text; tokens are refused by name, because they differ from model to model.
struct Item<'a>(Text<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Taken;
        impl<'de> Visitor<'de> for Taken {
            type Value = Item<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: serde::de::Error>(
                self,
                text: &'de str,
            ) -> Result<Item<'de>, E> {
                let from = serde::de::value::BorrowedStrDeserializer::<E>::new(text);
                Text::deserialize(from).map(Item)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Item<'de>, E> {
                let from = serde::de::value::StringDeserializer::<E>::new(text.to_owned());
                Text::deserialize(from).map(Item)
            }

            fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Item<'de>, E> {
                Err(E::custom(TOKENS))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Item<'de>, A::Error> {
                Err(A::Error::custom(TOKENS))
            }
        }
        from.deserialize_any(Taken)
    }
}

const TOKENS: &str = "send text: tokens differ from model to model";

/// How vectors are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As numbers.
    #[default]
    Float,
    /// As the bytes of little-endian 32-bit numbers.
    Base64,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AskedVectors {
    pub(crate) model: String,
    pub(crate) texts: Vec<String>,
    pub(crate) encoding: Encoding,
    pub(crate) dimensions: Option<u64>,
}

/// Reads a body.
pub(crate) fn parse(bytes: &[u8]) -> Result<AskedVectors, Bad> {
    let body: Body<'_> = read(bytes)?;
    if !asked::fits(&body.model) {
        return bad("model", "the name of a model has 1 to 256 characters");
    }
    let texts: Vec<String> = match body.input {
        OneOrMany::Text(text) => vec![text.owned()],
        OneOrMany::Many(Many(items)) => items.into_iter().map(|item| item.0.owned()).collect(),
    };
    if texts.is_empty() {
        return bad("input", "there must be a text");
    }
    if let Some(at) = texts.iter().position(String::is_empty) {
        return bad(format!("input[{at}]"), "an empty text has no embedding");
    }
    let encoding = match body.encoding_format.as_deref() {
        None | Some("float") => Encoding::Float,
        Some("base64") => Encoding::Base64,
        Some(_) => return bad("encoding_format", "one of `float`, `base64`"),
    };
    let (model, dimensions) = (body.model.owned(), body.dimensions);
    Ok(AskedVectors { model, texts, encoding, dimensions })
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Embedding<'a>>,
    model: &'a str,
    usage: Tokens,
}

#[derive(Serialize)]
struct Tokens {
    prompt_tokens: u64,
    total_tokens: u64,
}

#[derive(Serialize)]
struct Embedding<'a> {
    object: &'static str,
    index: usize,
    embedding: Vector<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Float(&'a [f32]),
    Base64(String),
}

/// Writes the answer.
pub(crate) fn whole(
    model: &str,
    vectors: &[Vec<f32>],
    encoding: Encoding,
    prompt_tokens: u64,
) -> Vec<u8> {
    let data = vectors.iter().enumerate().map(|(index, vector)| Embedding {
        object: "embedding",
        index,
        embedding: match encoding {
            Encoding::Float => Vector::Float(vector),
            Encoding::Base64 => {
                let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
                Vector::Base64(STANDARD.encode(bytes))
            }
        },
    });
    let usage = Tokens { prompt_tokens, total_tokens: prompt_tokens };
    let mut out = Vec::with_capacity(vectors.first().map_or(0, Vec::len) * vectors.len() * 12);
    put(&mut out, &List { object: "list", data: data.collect(), model, usage });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn said(text: &str) -> String {
        match parse(text.as_bytes()) {
            Ok(asked) => format!("{asked:?}"),
            Err(bad) => bad.message,
        }
    }

    #[test]
    fn texts_are_taken_and_tokens_are_not() {
        let said = [
            said(
                r#"{"model":"m","input":"a","encoding_format":"base64","dimensions":64,"user":"u"}"#,
            ),
            said(r#"{"model":"auto","input":["a","\u00e9"]}"#),
            said(r#"{"model":"m","input":[1,2]}"#),
            said(r#"{"model":"m","input":[[1,2]]}"#),
            said(r#"{"model":"m","input":[]}"#),
            said(r#"{"model":"m","input":["a",""]}"#),
            said(r#"{"model":"","input":"a"}"#),
            said(r#"{"model":"m","input":"a","encoding_format":"hex"}"#),
        ];
        expect![[r#"
            AskedVectors { model: "m", texts: ["a"], encoding: Base64, dimensions: Some(64) }
            AskedVectors { model: "auto", texts: ["a", "é"], encoding: Float, dimensions: None }
            `input[0]`: send text: tokens differ from model to model
            `input[0]`: send text: tokens differ from model to model
            `input`: there must be a text
            `input[1]`: an empty text has no embedding
            `model`: the name of a model has 1 to 256 characters
            `encoding_format`: one of `float`, `base64`"#]]
        .assert_eq(&said.join("\n"));
    }

    #[test]
    fn vectors_are_written_both_ways() {
        let vectors = [vec![1.0, -0.5], vec![0.25, 0.0]];
        let text = |encoding| String::from_utf8(whole("p/m", &vectors, encoding, 7)).unwrap();
        expect![[r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,-0.5]},{"object":"embedding","index":1,"embedding":[0.25,0.0]}],"model":"p/m","usage":{"prompt_tokens":7,"total_tokens":7}}"#]]
            .assert_eq(&text(Encoding::Float));
        expect![[r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAL8="},{"object":"embedding","index":1,"embedding":"AACAPgAAAAA="}],"model":"p/m","usage":{"prompt_tokens":7,"total_tokens":7}}"#]]
            .assert_eq(&text(Encoding::Base64));
    }
}
