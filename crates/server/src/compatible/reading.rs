//! How the bodies of foreign formats are read: fields that are not known are passed over, because these formats grow
//! without us; what is known has its type; nothing is larger than a bound, and what is wrong is named by its path.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::{borrow::Cow, cell::Cell, fmt, marker::PhantomData};

/// How many values of lists, schemas and arguments one body may have in all: a value takes far more room than its text.
const VALUES: u32 = 200_000;

thread_local! {
    /// How many values the body that is being read may still have. Reading does not wait, so it stays on its thread.
    static LEFT: Cell<u32> = const { Cell::new(0) };
}

/// What is wrong with a body, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad {
    /// The path of the value, such as `messages[2].content[0].type`.
    pub(crate) param: Option<String>,
    /// What is wrong, for people.
    pub(crate) message: String,
}

/// Says that the value at this path cannot be taken.
pub(crate) fn bad<T>(param: impl Into<String>, what: impl fmt::Display) -> Result<T, Bad> {
    let param = param.into();
    let message = format!("`{param}`: {what}");
    Err(Bad { param: Some(param), message })
}

/// Reads a body. What is right is read in one quick pass; a second one, which finds the path, is for what is not.
pub(crate) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Bad> {
    // The parser would also take a list of the fields' values, which no document promises.
    if !bytes.is_empty() && bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Bad { param: None, message: "the body must be a JSON object".into() });
    }
    LEFT.set(VALUES);
    serde_json::from_slice(bytes).map_err(|_| why::<T>(bytes))
}

fn why<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Bad {
    LEFT.set(VALUES);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Ok(_) => {
            return Bad { param: None, message: "the body does not end where it should".into() };
        }
        Err(error) => error,
    };
    let (path, said, is_data) =
        (error.path().to_string(), error.inner().to_string(), error.inner().is_data());
    let said = match said.rsplit_once(" at line ") {
        Some((said, _)) if is_data => said,
        _ => &said,
    };
    // A value that somebody sent is shown as far as it helps.
    let said: String = said.chars().take(300).collect();
    let path: String = path.chars().take(300).collect();
    if is_data && path != "." {
        Bad { message: format!("`{path}`: {said}"), param: Some(path) }
    } else {
        Bad { param: None, message: format!("the body is not understood: {said}") }
    }
}

/// Counts one more value.
fn one_more<E: serde::de::Error>() -> Result<(), E> {
    match LEFT.get().checked_sub(1) {
        Some(left) => {
            LEFT.set(left);
            Ok(())
        }
        None => Err(E::custom(format!("there are more than {VALUES} values in this body"))),
    }
}

/// Some text, not copied where it can be taken as it stands.
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn owned(self) -> String {
        self.0.into_owned()
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Taken;
        impl<'de> Visitor<'de> for Taken {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        from.deserialize_str(Taken)
    }
}

/// A list of at most `MOST`.
#[derive(Debug)]
pub(crate) struct Many<T, const MOST: usize>(pub(crate) Vec<T>);

impl<T, const MOST: usize> Default for Many<T, MOST> {
    fn default() -> Self {
        Self(vec![])
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Many<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let many = OneOrManyOf::<T, MOST> { text: false, of: PhantomData };
        from.deserialize_seq(many).and_then(|read| match read {
            OneOrMany::Many(list) => Ok(list),
            OneOrMany::Text(_) => Err(D::Error::custom("expected a list")),
        })
    }
}

/// Text, or a list of parts: many fields of these formats take both.
#[derive(Debug)]
pub(crate) enum OneOrMany<'a, T, const MOST: usize> {
    /// Just text.
    Text(Text<'a>),
    /// Parts.
    Many(Many<T, MOST>),
}

struct OneOrManyOf<T, const MOST: usize> {
    /// Text will do, too.
    text: bool,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for OneOrManyOf<T, MOST> {
    type Value = OneOrMany<'de, T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.text { "a string or a list" } else { "a list" })
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(OneOrMany::Text(Text(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(OneOrMany::Text(Text(Cow::Owned(text.to_owned()))))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(OneOrMany::Text(Text(Cow::Owned(text))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut list = vec![];
        while let Some(item) = from.next_element()? {
            one_more()?;
            if list.len() == MOST {
                return Err(A::Error::custom(format!("a list of more than {MOST}")));
            }
            list.push(item);
        }
        Ok(OneOrMany::Many(Many(list)))
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>, const MOST: usize> Deserialize<'de>
    for OneOrMany<'a, T, MOST>
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrManyOf::<T, MOST> { text: true, of: PhantomData })
    }
}

/// Whether something was said at all that means more than nothing: neither null nor false nor empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Given(pub(crate) bool);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Looked;
        impl<'de> Visitor<'de> for Looked {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_unit<E>(self) -> Result<Given, E> {
                Ok(Given(false))
            }

            fn visit_bool<E>(self, is: bool) -> Result<Given, E> {
                Ok(Given(is))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Given, E> {
                Ok(Given(true))
            }

            fn visit_u64<E>(self, n: u64) -> Result<Given, E> {
                Ok(Given(n > 0))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Given, E> {
                Ok(Given(true))
            }

            fn visit_str<E>(self, text: &str) -> Result<Given, E> {
                Ok(Given(!text.is_empty()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Given, A::Error> {
                let mut given = false;
                while from.next_element::<IgnoredAny>()?.is_some() {
                    given = true;
                }
                Ok(Given(given))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Given, A::Error> {
                let mut given = false;
                while from.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    given = true;
                }
                Ok(Given(given))
            }
        }
        from.deserialize_any(Looked)
    }
}

/// Any JSON, as a tree of a bounded number of values: schemas.
#[derive(Debug, Clone)]
pub(crate) struct Tree(pub(crate) Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Grown).map(Tree)
    }
}

struct Grown;

impl<'de> DeserializeSeed<'de> for Grown {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        one_more()?;
        from.deserialize_any(Grown)
    }
}

impl<'de> Visitor<'de> for Grown {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Value, E> {
        Ok(is.into())
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut list = vec![];
        while let Some(value) = from.next_element_seed(Grown)? {
            list.push(value);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = from.next_key::<String>()? {
            map.insert(key, from.next_value_seed(Grown)?);
        }
        Ok(map.into())
    }
}

/// A JSON object as text, with its fields in the order in which they came: the arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arguments(pub(crate) String);

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut text = Vec::new();
        from.deserialize_map(Copied(&mut text))?;
        String::from_utf8(text).map(Arguments).map_err(D::Error::custom)
    }
}

/// Copies JSON, token by token.
struct Copied<'o>(&'o mut Vec<u8>);

impl Copied<'_> {
    fn put<E: serde::de::Error>(self, value: impl serde::Serialize) -> Result<(), E> {
        serde_json::to_writer(self.0, &value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Copied<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Copied<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.put(())
    }

    fn visit_bool<E: serde::de::Error>(self, is: bool) -> Result<(), E> {
        self.put(is)
    }

    fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<(), E> {
        self.put(n)
    }

    fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<(), E> {
        self.put(n)
    }

    fn visit_f64<E: serde::de::Error>(self, n: f64) -> Result<(), E> {
        self.put(n)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.put(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        let mut mark = b'[';
        // The mark is written before it is known whether there is a value after it.
        loop {
            let before = self.0.len();
            self.0.push(mark);
            if from.next_element_seed(Copied(self.0))?.is_none() {
                self.0.truncate(before);
                break;
            }
            mark = b',';
        }
        self.0.extend_from_slice(if mark == b'[' { b"[]" } else { b"]" });
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        let mut mark = b'{';
        while let Some(key) = from.next_key::<Text<'de>>()? {
            self.0.push(mark);
            serde_json::to_writer(&mut *self.0, &*key).map_err(A::Error::custom)?;
            self.0.push(b':');
            from.next_value_seed(Copied(self.0))?;
            mark = b',';
        }
        self.0.extend_from_slice(if mark == b'{' { b"{}" } else { b"}" });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
