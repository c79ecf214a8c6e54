//! Embeddings: numbers in JSON, or as bytes in base64.

use super::failure::malformed;
use crate::{Error, Result, Vectors};
use base64::Engine;
use mosaic_protocol::provider::FailureClass;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
}

/// Asks for them.
pub(crate) fn body(model: &str, texts: &[String]) -> Result<Vec<u8>> {
    serde_json::to_vec(&Body { model, input: texts })
        .map_err(|error| Error::new(FailureClass::BadRequest, error.to_string()))
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<One>,
    usage: Option<Used>,
}

#[derive(Deserialize)]
struct One {
    index: Option<u64>,
    embedding: Numbers,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Numbers {
    Plain(Vec<f32>),
    Base64(String),
}

#[derive(Deserialize)]
struct Used {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

/// Reads them, in the order of the texts.
pub(crate) fn read(body: &[u8]) -> Result<Vectors> {
    let mut answer: Answer =
        serde_json::from_slice(body).map_err(|error| malformed("the embeddings", &error))?;
    // The sort is stable: without numbers they stay as they came.
    answer.data.sort_by_key(|one| one.index);
    let vectors = answer.data.into_iter().map(|one| match one.embedding {
        Numbers::Plain(numbers) => Ok(numbers),
        Numbers::Base64(text) => decoded(&text),
    });
    let tokens = answer.usage.and_then(|used| used.prompt_tokens.or(used.total_tokens));
    Ok(Vectors { vectors: vectors.collect::<Result<_>>()?, tokens })
}

fn decoded(text: &str) -> Result<Vec<f32>> {
    let wrong = || Error::new(FailureClass::Malformed, "an embedding is no list of numbers");
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).map_err(|_| wrong())?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(wrong());
    }
    Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes_are_read_in_the_order_of_the_texts() {
        let plain = br#"{"object":"list","data":[{"index":1,"embedding":[0.5,-1]},{"index":0,"embedding":[1,2]}],
            "usage":{"prompt_tokens":7,"total_tokens":7}}"#;
        let vectors = read(plain).unwrap();
        assert_eq!(vectors.vectors, [[1.0, 2.0], [0.5, -1.0]]);
        assert_eq!(vectors.tokens, Some(7));
        let bytes = br#"{"data":[{"embedding":"AACAPwAAAEA="},{"embedding":"AAAAvwAAAAA="}]}"#;
        assert_eq!(read(bytes).unwrap().vectors, [[1.0, 2.0], [-0.5, 0.0]]);
        for wrong in [r#"{"data":[{"embedding":"AAA="}]}"#, r#"{"data":[{"embedding":"§"}]}"#, "{}"]
        {
            assert_eq!(read(wrong.as_bytes()).unwrap_err().class, FailureClass::Malformed);
        }
    }
}
