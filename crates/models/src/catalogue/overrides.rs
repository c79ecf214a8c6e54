//! What files say of models: the snapshot, and what somebody wrote here. The same fields in both; in the second every
//! mistake is told with the model and the field, and nothing is taken.

use super::{Key, Level, ids};
use crate::Price;
use mosaic_protocol::route::Tier;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The bounds of what somebody writes.
const BYTES: usize = 1024 * 1024;
const MODELS: usize = 2_000;
const NAME_CHARS: usize = 100;
const TOKENS: u64 = 100_000_000;

/// What is said of a model. What is not said stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Written {
    #[serde(deserialize_with = "name")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "tokens")]
    pub(super) context: Option<u64>,
    #[serde(deserialize_with = "tokens")]
    pub(super) max_output: Option<u64>,
    #[serde(deserialize_with = "said")]
    pub(super) tools: Option<bool>,
    #[serde(deserialize_with = "said")]
    pub(super) vision: Option<bool>,
    #[serde(deserialize_with = "said")]
    pub(super) structured: Option<bool>,
    #[serde(deserialize_with = "levels")]
    pub(super) thinking: Option<Vec<Level>>,
    #[serde(deserialize_with = "said")]
    pub(super) embedding: Option<bool>,
    #[serde(deserialize_with = "said")]
    pub(super) tier: Option<Tier>,
    #[serde(deserialize_with = "said")]
    pub(super) price: Option<Price>,
}

/// What was written here cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", place(.model.as_deref(), .field.as_deref()))]
pub struct OverrideError {
    /// At which model, if it got so far.
    pub model: Option<String>,
    /// In which field, such as `price.input`.
    pub field: Option<String>,
    /// What is wrong.
    pub message: String,
}

fn place(model: Option<&str>, field: Option<&str>) -> String {
    match (model, field) {
        (Some(model), Some(field)) => format!("the model {model:?}, field {field:?}: "),
        (Some(model), None) => format!("the model {model:?}: "),
        (None, _) => String::new(),
    }
}

/// Reads what somebody wrote: `{"openai/gpt-5": {"context": 100000, "price": {"input": 1, "output": 2}}}`.
pub(super) fn read(text: &str) -> Result<BTreeMap<Key, Written>, OverrideError> {
    let whole = |message: String| OverrideError { model: None, field: None, message };
    if text.len() > BYTES {
        return Err(whole(format!("more than {BYTES} bytes")));
    }
    let models: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| whole(format!("not JSON of models: {error}")))?;
    if models.len() > MODELS {
        return Err(whole(format!("more than {MODELS} models")));
    }
    let mut read = BTreeMap::new();
    for (model, value) in models {
        let at = |field: Option<String>, message: &str| {
            let model = Some(model.chars().take(NAME_CHARS).collect());
            OverrideError { model, field, message: message.chars().take(300).collect() }
        };
        let known = ids::split(&model).filter(|(_, id)| id.len() <= super::ID_BYTES);
        let Some((kind, id)) = known else {
            return Err(at(None, "a model is named `provider/id`, such as `openai/gpt-5`"));
        };
        let written: Written = serde_path_to_error::deserialize(value).map_err(|error| {
            let field = error.path().to_string();
            at((field != ".").then_some(field), &error.inner().to_string())
        })?;
        read.insert((kind, id.to_owned()), written);
    }
    Ok(read)
}

/// Something; null is no value of anything here.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

fn tokens<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let tokens = u64::deserialize(from)?;
    if (1..=TOKENS).contains(&tokens) {
        Ok(Some(tokens))
    } else {
        Err(D::Error::custom(format!("a number of tokens from 1 to {TOKENS}")))
    }
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(from)?;
    let length = name.chars().count();
    if (1..=NAME_CHARS).contains(&length) && !name.contains(char::is_control) {
        Ok(Some(name))
    } else {
        Err(D::Error::custom(format!("a name of 1 to {NAME_CHARS} characters")))
    }
}

fn levels<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Level>>, D::Error> {
    let levels = Vec::<Level>::deserialize(from)?;
    if levels.is_sorted_by(|a, b| a < b) {
        Ok(Some(levels))
    } else {
        Err(D::Error::custom("levels of thinking must rise, each once"))
    }
}
