//! Text that came from outside and was checked once, at the door: after that its type says so.
//!
//! Every string that a request can carry has a type here. None lets a NUL through, because PostgreSQL cannot
//! store one, and each has a bound.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};
use zeroize::Zeroizing;

/// Why a text was not taken: a sentence that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadText(pub Cow<'static, str>);

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident { $check:expr, min: $min:literal, max: $max:literal $(, pattern: $pattern:literal)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadText;

            fn try_from(text: String) -> Result<Self, BadText> {
                let check: fn(String) -> Result<String, BadText> = $check;
                check(text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "minLength": $min, "maxLength": $max $(, "pattern": $pattern)? })
            }
        }
    )*};
}

texts! {
    /// What a user logs in with: lower case, no spaces, one spelling.
    AccountName { account_name, min: 1, max: 64, pattern: "^[a-z0-9][a-z0-9._-]{0,63}$" }
    /// A name that people read: of a user, team, token.
    Label { label, min: 1, max: 100 }
    /// The name of a stored secret.
    SecretName { secret_name, min: 1, max: 64, pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" }
    /// The host that a secret may be sent to, with an optional port.
    HostName { host_name, min: 1, max: 255, pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$" }
    /// The name of a login provider in the configuration.
    ProviderName { provider_name, min: 1, max: 32, pattern: "^[a-z][a-z0-9-]{0,31}$" }
    /// What somebody said, in a conversation.
    MessageText { message_text, min: 0, max: 262_144 }
    /// What a conversation is filed under.
    Tag { tag, min: 1, max: 40 }
    /// What an agent is called.
    AgentName { account_name, min: 1, max: 64, pattern: "^[a-z0-9][a-z0-9._-]{0,63}$" }
    /// What a provider calls one of its models.
    ModelName { model_name, min: 1, max: 200 }
    /// What somebody calls a provider of models that they set up.
    ModelProviderName { provider_name, min: 1, max: 32, pattern: "^[a-z][a-z0-9-]{0,31}$" }
    /// The SHA-256 of a blob, in lower-case hexadecimal.
    BlobHash { blob_hash, min: 64, max: 64, pattern: "^[0-9a-f]{64}$" }
}

fn starts_and_holds(text: &str, start: fn(u8) -> bool, rest: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|b| start(*b)) && bytes.iter().all(|b| rest(*b))
}

fn account_name(text: String) -> Result<String, BadText> {
    let good = starts_and_holds(
        &text,
        |b| b.is_ascii_lowercase() || b.is_ascii_digit(),
        |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b),
    );
    if good && text.len() <= 64 {
        Ok(text)
    } else {
        Err(BadText("an account name has 1 to 64 lower-case letters, digits, dots, dashes or underscores and starts with a letter or digit".into()))
    }
}

fn label(text: String) -> Result<String, BadText> {
    let n = text.chars().count();
    // Bidirectional overrides would let one name be shown as another.
    let good = text.chars().all(|c| {
        !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    if (1..=100).contains(&n) && good && text.trim() == text {
        Ok(text)
    } else {
        Err(BadText(
            "a name has 1 to 100 characters, no control characters, and no space at either end"
                .into(),
        ))
    }
}

fn message_text(text: String) -> Result<String, BadText> {
    if text.len() <= 262_144 && !text.contains('\0') {
        Ok(text)
    } else {
        Err(BadText(
            "a message has at most 262144 bytes and no NUL; attach what is longer as a file".into(),
        ))
    }
}

fn tag(text: String) -> Result<String, BadText> {
    match label(text) {
        Ok(text) if text.chars().count() <= 40 && !text.contains(',') => Ok(text),
        _ => Err(BadText(
            "a tag has 1 to 40 characters, no comma, no control characters, and no space at either end".into(),
        )),
    }
}

fn secret_name(text: String) -> Result<String, BadText> {
    let good = starts_and_holds(
        &text,
        |b| b.is_ascii_alphanumeric(),
        |b| b.is_ascii_alphanumeric() || b"._-".contains(&b),
    );
    if good && text.len() <= 64 {
        Ok(text)
    } else {
        Err(BadText(
            "a secret's name has 1 to 64 letters, digits, dots, dashes or underscores".into(),
        ))
    }
}

fn host_name(text: String) -> Result<String, BadText> {
    let (host, port) =
        text.split_once(':').map_or((text.as_str(), None), |(host, port)| (host, Some(port)));
    let host_char = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let good = starts_and_holds(host, host_char, |b| {
        b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-'
    }) && host.bytes().next_back().is_some_and(host_char);
    let port_good = port.is_none_or(|port| {
        !port.starts_with('0') && !port.starts_with('+') && port.parse::<u16>().is_ok()
    });
    if good && port_good && text.len() <= 255 {
        Ok(text)
    } else {
        Err(BadText(
            "a host is a lower-case name or address with an optional port, such as api.example.com"
                .into(),
        ))
    }
}

fn model_name(text: String) -> Result<String, BadText> {
    let visible = |c: char| !c.is_control() && !c.is_whitespace();
    if text.is_empty() || text.len() > 200 || !text.chars().all(visible) {
        return Err(BadText("a model's name has 1 to 200 visible characters".into()));
    }
    Ok(text)
}

fn provider_name(text: String) -> Result<String, BadText> {
    let good = starts_and_holds(
        &text,
        |b| b.is_ascii_lowercase(),
        |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-',
    );
    if good && text.len() <= 32 {
        Ok(text)
    } else {
        Err(BadText("a provider's name has 1 to 32 lower-case letters, digits or dashes".into()))
    }
}

fn blob_hash(text: String) -> Result<String, BadText> {
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        Ok(text)
    } else {
        Err(BadText("a blob is named by its SHA-256, 64 lower-case hexadecimal digits".into()))
    }
}

/// Something that must not be shown: a password, a one-time code, a key. It is wiped when dropped and has no
/// `Display`; whoever needs the text says so with `expose`.
#[derive(Clone, Default)]
pub struct Sensitive(Zeroizing<String>);

impl Sensitive {
    /// Wraps a text that must not be shown.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A secret is written out in one case only: where it is shown to its owner, once.
impl Serialize for Sensitive {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

macro_rules! sensitive_texts {
    ($($(#[$doc:meta])* $name:ident { $check:expr, min: $min:literal, max: $max:literal })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Sensitive);

        impl $name {
            /// The text itself, for the one place that needs it.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadText;

            fn try_from(text: String) -> Result<Self, BadText> {
                let text = Sensitive::new(text);
                let check: fn(&str) -> Result<(), BadText> = $check;
                check(text.expose())?;
                Ok(Self(text))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": "password", "minLength": $min, "maxLength": $max })
            }
        }
    )*};
}

sensitive_texts! {
    /// A password that is being chosen: long enough to be worth having.
    NewPassword { new_password, min: 10, max: 256 }
    /// A password that is being tried. Any text, so that what an old rule allowed still works.
    Password { bounded::<1024>, min: 1, max: 1024 }
    /// A one-time code out of a link.
    Code { bounded::<256>, min: 1, max: 256 }
    /// A key that is to be stored.
    SecretValue { bounded::<16384>, min: 1, max: 16384 }
}

fn new_password(text: &str) -> Result<(), BadText> {
    let n = text.chars().count();
    if text.contains('\0') {
        Err(BadText("a password holds no NUL".into()))
    } else if (10..=256).contains(&n) {
        Ok(())
    } else {
        Err(BadText("a password has 10 to 256 characters".into()))
    }
}

fn bounded<const MAX: usize>(text: &str) -> Result<(), BadText> {
    if text.is_empty() {
        Err(BadText("this must not be empty".into()))
    } else if text.contains('\0') {
        Err(BadText("this must not hold a NUL".into()))
    } else if text.chars().count() > MAX {
        Err(BadText(format!("this has at most {MAX} characters").into()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_what_does_not() {
        let name = |text: &str| AccountName::try_from(text.to_owned()).is_ok();
        assert!(name("a") && name("ada.l-1_x") && name(&"a".repeat(64)));
        assert!(
            !name("")
                && !name("Ada")
                && !name(".a")
                && !name("a b")
                && !name("ä")
                && !name(&"a".repeat(65))
                && !name("a\0")
        );

        let label = |text: &str| Label::try_from(text.to_owned()).is_ok();
        assert!(label("Ada Lovelace") && label("深い") && label(&"ä".repeat(100)));
        assert!(
            !label("")
                && !label(" a")
                && !label("a\n")
                && !label("a\u{202e}b")
                && !label(&"a".repeat(101))
        );

        let host = |text: &str| HostName::try_from(text.to_owned()).is_ok();
        assert!(host("api.example.com") && host("localhost:8080") && host("10.0.0.1"));
        for bad in
            ["", "A.com", "a..:", "a:0", "a:70000", "a/b", "a@b", "-a", "a-", "a:+1", "http://a"]
        {
            assert!(!host(bad), "{bad}");
        }
        assert!(NewPassword::try_from("short".to_owned()).is_err());
        let why =
            |text: &str| Password::try_from(text.to_owned()).map(drop).unwrap_err().to_string();
        assert_eq!(why("x\0"), "this must not hold a NUL");
        assert_eq!(why(""), "this must not be empty");
        assert_eq!(why(&"x".repeat(1025)), "this has at most 1024 characters");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let code = Code::try_from("hush-hush".to_owned()).unwrap();
        assert_eq!(format!("{code:?}"), "Code(***)");
    }
}
