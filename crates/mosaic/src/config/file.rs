//! Reads `mosaic.toml`: walks its tables, gives each value its line, and explains what is not a key.
//! Leaves out: opening the file, and what a value may be.

use toml_edit::{Document, Item, TableLike};

use super::{
    key::{is_group, is_provider_name, locate},
    layers::{Layers, Raw, Source},
    problem::{nearest, printable},
    table::KEYS,
};

/// What a line turned out to hold.
enum Found {
    Value(Raw),
    /// `[oidc.company]`, even when nothing follows.
    Provider(String),
    /// A group of settings that was given a value instead.
    GroupAsValue,
    Unknown,
}

pub(super) fn read(name: &str, text: &str, layers: &mut Layers) {
    let lines = Lines::of(text);
    let source = |line| Source::File { name: name.to_owned(), line };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            // Only the message: the parser's full text quotes the line, and a secret may stand on it.
            let line = lines.at(error.span().map_or(0, |span| span.start));
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            layers.problem(&source(line), format!("this is not TOML: {message}"));
            return;
        }
    };
    let mut found = Vec::new();
    walk(document.as_table(), "", &lines, 1, &mut found);
    // The tree groups what the file may have spread; people read problems from top to bottom.
    found.sort_by_key(|(line, ..)| *line);
    for (line, path, what) in found {
        let source = source(line);
        match what {
            Found::Provider(provider) => {
                layers.provider(&provider, &source);
            }
            Found::Value(raw) => match locate(&path) {
                Some(spot) => layers.set(&spot, &raw, &source),
                None => layers.problem(&source, unknown(&path, layers)),
            },
            Found::Unknown => layers.problem(&source, unknown(&path, layers)),
            Found::GroupAsValue => {
                let path = printable(&path);
                layers.problem(
                    &source,
                    format!("`{path}` is a group of settings; start it with a line [{path}]"),
                );
            }
        }
    }
}

/// Collects every value below `table`. The parser bounds the depth.
fn walk(
    table: &dyn TableLike,
    path: &str,
    lines: &Lines,
    above: usize,
    found: &mut Vec<(usize, String, Found)>,
) {
    for (segment, item) in table.iter() {
        let span = table.get_key_value(segment).and_then(|(key, _)| key.span());
        let line = span.map_or(above, |span| lines.at(span.start));
        let path = join(path, segment);
        if locate(&path).is_some() {
            found.push((line, path, Found::Value(raw(item))));
            continue;
        }
        let provider =
            path.strip_prefix("oidc.").filter(|rest| !rest.contains('.')).map(str::to_owned);
        match item.as_table_like() {
            Some(inner) => {
                if let Some(provider) = provider {
                    let named = is_provider_name(&provider);
                    found.push((line, path.clone(), Found::Provider(provider)));
                    if !named {
                        continue; // one problem for the name is enough, not one more for each of its keys
                    }
                } else if inner.is_empty() && !is_group(&path) {
                    found.push((line, path.clone(), Found::Unknown));
                }
                walk(inner, &path, lines, line, found);
            }
            None if is_group(&path) => found.push((line, path, Found::GroupAsValue)),
            None => found.push((line, path, Found::Unknown)),
        }
    }
}

/// A segment that TOML would have to quote stays quoted, so that `"a.b"` never passes for `a.b`.
fn join(path: &str, segment: &str) -> String {
    let bare = !segment.is_empty()
        && segment.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let segment = if bare { segment.to_owned() } else { format!("{segment:?}") };
    if path.is_empty() { segment } else { format!("{path}.{segment}") }
}

fn raw(item: &Item) -> Raw {
    if let Some(list) = item.as_array() {
        let texts: Option<Vec<String>> =
            list.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        return texts
            .map_or(Raw::Other("a list with something other than strings in it"), Raw::List);
    }
    if let Some(text) = item.as_str() {
        Raw::Text(text.to_owned())
    } else if let Some(number) = item.as_integer() {
        Raw::Whole(number)
    } else if let Some(truth) = item.as_bool() {
        Raw::Truth(truth)
    } else if item.is_float() {
        Raw::Other("a fractional number")
    } else if item.is_datetime() {
        Raw::Other("a date")
    } else {
        Raw::Other("a table")
    }
}

/// What to say of a key that there is not, with the nearest one that there is.
pub(super) fn unknown(path: &str, layers: &Layers) -> String {
    let mut candidates: Vec<String> = KEYS
        .iter()
        .filter(|key| key.provider_field().is_none())
        .map(|key| key.name.to_owned())
        .collect();
    let written = path.strip_prefix("oidc.").and_then(|rest| rest.split('.').next());
    for provider in layers.provider_names().chain(written) {
        let fields = KEYS.iter().filter(|key| key.provider_field().is_some());
        candidates.extend(fields.map(|key| key.name_for(provider)));
    }
    candidates.sort();
    candidates.dedup();
    match nearest(path, &candidates) {
        Some(guess) => format!("unknown key `{}`; did you mean `{guess}`?", printable(path)),
        None => format!("unknown key `{}`", printable(path)),
    }
}

/// Where lines start, so that a place in a long file is found without counting from the top.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// The number of the line that holds this byte, from 1.
    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte)
    }
}
