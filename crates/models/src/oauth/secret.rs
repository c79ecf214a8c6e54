//! Secrets in JSON: read within bounds and without being repeated in an error; written only into texts that are wiped
//! and are about to be sealed.

use crate::{Error, Key, Result};
use mosaic_protocol::provider::FailureClass;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

/// The longest token, code or client secret that is taken. Signed tokens with many claims have some thousand bytes.
pub(super) const SECRET_BYTES: usize = 16 * 1024;

/// Whether a text may be a token, a code or a client secret: what RFC 6749 allows in one, so that it fits into a
/// header and a form.
pub(super) fn is_sound(text: &str) -> bool {
    (1..=SECRET_BYTES).contains(&text.len()) && text.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

/// Reads a secret.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Key, D::Error> {
    read_maybe(from)?.ok_or_else(|| de::Error::custom("a secret is missing"))
}

/// Reads a secret that may be missing. An empty one is missing.
pub(super) fn read_maybe<'de, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Key>, D::Error> {
    // What serde says about a wrong type repeats the value.
    let text = Option::<String>::deserialize(from)
        .map_err(|_| de::Error::custom("a secret is not a text"))?;
    let Some(text) = text.map(Zeroizing::new).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if is_sound(&text) {
        Ok(Some(Key::new(text.as_str().to_owned())))
    } else {
        Err(de::Error::custom("a secret is too long, or has characters that none can have"))
    }
}

/// Writes a secret.
pub(super) fn write<S: Serializer>(key: &Key, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(key.expose())
}

/// Writes a secret that may be missing.
pub(super) fn write_maybe<S: Serializer>(
    key: &Option<Key>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    key.as_ref().map(Key::expose).serialize(to)
}

/// As JSON, for sealing.
pub(super) fn to_json(value: &impl Serialize) -> Zeroizing<String> {
    // None of these values has a map with keys that are no texts, or fails on its own: there is nothing to go wrong.
    Zeroizing::new(serde_json::to_string(value).unwrap_or_default())
}

/// From JSON that was sealed.
pub(super) fn from_json<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| {
        Error::new(FailureClass::Auth, format!("{what} cannot be read any more; log in again"))
    })
}
