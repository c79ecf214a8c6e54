//! Requests made from rows of the route table. A row that a test cannot make a request of fails the tests, so that
//! no new route goes untested.

use crate::{
    cast::{Cast, NEVER, NOWHERE, hash_of},
    support::fresh_id,
};
use bytes::Bytes;
use http::{Request, header};
use mosaic_server::{Kind, Row};
use serde_json::Value;

/// All routes of our own, with the metrics closed.
pub(crate) fn table() -> Vec<Row> {
    mosaic_server::table(false).into_iter().filter(|row| !is_foreign(row)).collect()
}

/// The routes that speak foreign formats, which have tests of their own in compatible.rs: they take no cookie, refuse in
/// other words, and pass over what they do not know.
pub(crate) fn foreign() -> Vec<Row> {
    mosaic_server::table(false).into_iter().filter(is_foreign).collect()
}

fn is_foreign(row: &Row) -> bool {
    row.path.starts_with("/v1/")
}

/// The name of a row in messages.
pub(crate) fn name(row: &Row) -> String {
    format!("{} {}", row.method, row.path)
}

/// The row's path with these values for its parameters.
pub(crate) fn path(row: &Row, values: &[String]) -> String {
    assert_eq!(row.params.len(), values.len(), "{}", name(row));
    let mut values = values.iter();
    let parts = row.path.split('/').map(|part| match part.starts_with('{') {
        true => values.next().unwrap_or_else(|| panic!("{}: an undeclared parameter", name(row))),
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The kind of thing that a placeholder in an example stands for.
pub(crate) fn kind_named(word: &str) -> Kind {
    let kinds = crate::cast::KINDS;
    let kind = kinds.into_iter().find(|kind| format!("{kind:?}") == word);
    kind.unwrap_or_else(|| panic!("`{{{word}}}` in an example is no kind of thing"))
}

/// The example body of a row as JSON, with `{Kind}` where an id goes.
pub(crate) fn example(row: &Row) -> Option<Value> {
    match row.body {
        None => {
            assert!(row.example.is_none(), "{} takes no body, but has an example", name(row));
            None
        }
        Some(None) => None,
        Some(Some(_)) => {
            let text = row.example.unwrap_or_else(|| panic!("{} has no example", name(row)));
            // Nothing outside this machine is asked, not even whether it is there.
            let text = text.replace("https://api.example.com/v1", NOWHERE);
            Some(serde_json::from_str(&text).unwrap())
        }
    }
}

/// Where in an example something stands for a thing, as pointers, and of which kind it is.
pub(crate) fn placeholders(example: &Value) -> Vec<(String, Kind)> {
    let fields = example.as_object().expect("an example is an object").iter();
    let placeholder = |(field, value): (&String, &Value)| match value {
        Value::Object(_) => {
            let inner = placeholders(value).into_iter();
            inner.map(|(pointer, kind)| (format!("/{field}{pointer}"), kind)).collect()
        }
        value => {
            let word = value.as_str().and_then(|it| it.strip_prefix('{')?.strip_suffix('}'));
            word.map(|word| (format!("/{field}"), kind_named(word))).into_iter().collect::<Vec<_>>()
        }
    };
    fields.flat_map(placeholder).collect()
}

/// Puts a name in the place of a placeholder.
pub(crate) fn put(example: &mut Value, pointer: &str, name: String) {
    *example.pointer_mut(pointer).expect("a place in the example") = name.into();
}

/// A request of a row: its path with these values, and a body that is understood, with things of `owner`.
pub(crate) fn request(row: &Row, values: &[String], owner: &Cast) -> Request<Bytes> {
    let mut path = path(row, values);
    if row.path.ends_with("/search") {
        path.push_str("?q=word");
    }
    let request = Request::builder().method(row.method.clone()).uri(path);
    match example(row) {
        Some(mut json) => {
            for (pointer, kind) in placeholders(&json) {
                put(&mut json, &pointer, owner.thing(kind));
            }
            if json.get("command_id").is_some() {
                put(&mut json, "/command_id", fresh_id());
            }
            let request = request.header(header::CONTENT_TYPE, "application/json");
            request.body(Bytes::from(json.to_string())).unwrap()
        }
        None if row.body.is_some() => {
            let bytes = values.last().and_then(|hash| {
                let never = (*hash == hash_of(NEVER)).then(|| NEVER.to_vec());
                owner.bytes_of(hash).or(never)
            });
            request.body(bytes.unwrap_or_default().into()).unwrap()
        }
        None => request.body(Bytes::new()).unwrap(),
    }
}

/// The row's parameters with this person's own things.
pub(crate) fn own(row: &Row, owner: &Cast) -> Vec<String> {
    row.params.iter().map(|kind| owner.thing(*kind)).collect()
}

/// Things that went wrong, told all at once.
#[derive(Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    pub(crate) fn note(&mut self, fault: String) {
        self.0.push(fault);
    }

    /// Notes when two answers differ.
    pub(crate) fn same(&mut self, what: impl FnOnce() -> String, got: &str, expected: &str) {
        if got != expected {
            self.note(format!("{}\n    answered {got}\n    expected {expected}", what()));
        }
    }

    pub(crate) fn none(self) {
        let n = self.0.len();
        let shown: Vec<_> = self.0.into_iter().take(40).collect();
        assert!(n == 0, "{n} faults:\n{}", shown.join("\n"));
    }
}

#[test]
fn every_row_can_be_tried() {
    let document = mosaic_server::openapi(false);
    for row in table() {
        path(&row, &row.params.iter().map(|kind| crate::cast::never(*kind)).collect::<Vec<_>>());
        let Some(example) = example(&row) else { continue };
        // The example names every field that there is: a new one is not forgotten.
        let method = row.method.as_str().to_lowercase();
        let content = &document["paths"][row.path][method]["requestBody"]["content"];
        let schema = &content["application/json"]["schema"];
        let schema = match schema["$ref"].as_str() {
            Some(reference) => document.pointer(&reference[1..]).unwrap(),
            None => schema,
        };
        let fields: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        let shown: Vec<_> = example.as_object().unwrap().keys().collect();
        assert_eq!(fields, shown, "{}", name(&row));
        let marked = placeholders(&example);
        for field in fields.iter().filter(|field| field.ends_with("_id") || field.as_str() == "id")
        {
            // A command's id is its client's own.
            let is_marked = marked.iter().any(|(name, _)| name[1..] == **field)
                || field.as_str() == "command_id";
            assert!(is_marked, "{}: `{field}` names a thing: write it as {{Kind}}", name(&row));
        }
    }
}
