//! The words of the API and of the socket as types for TypeScript, made from the schemas that the OpenAPI document is
//! made of. What requests hold and what answers hold may differ (a field that may be left out is always answered): then
//! the type of the request is called `…Input`.

use crate::row::{Row, SchemaOf};
use mosaic_protocol::{
    ErrorBody,
    access::Needs,
    command::Submission,
    frame::{ClientFrame, ServerFrame},
    log::Entry,
    replay::Replay,
    transfer::Format,
};
use schemars::{
    JsonSchema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fmt::Write};

type Definitions = Map<String, Value>;

/// The whole file.
pub fn types() -> String {
    let rows: Vec<Row> =
        crate::table(false).into_iter().filter(|row| row.needs != Needs::Operator).collect();
    let mut answers: Vec<SchemaOf> = rows.iter().filter_map(|row| row.answer.schema).collect();
    answers.extend([of::<ErrorBody>, of::<ServerFrame>, of::<Replay>] as [SchemaOf; 3]);
    let mut requests: Vec<SchemaOf> = rows.iter().filter_map(|row| row.body.flatten()).collect();
    requests.extend([of::<Submission>, of::<ClientFrame>, of::<Format>] as [SchemaOf; 3]);
    let answers = definitions(Contract::Serialize, &answers);
    let requests = definitions(Contract::Deserialize, &requests);

    let mut out = String::from(
        "// What the server and its clients say to each other. Made from the program's own types: `make docs-update` refreshes\n\
         // it, and a test compares. Leaves out what only the machine's operator asks.\n",
    );
    // What is read may lack what is always written since.
    facts(&mut out, &definitions(Contract::Deserialize, &[of::<Entry>]));
    let differ = differing(&answers, &requests);
    let names: BTreeSet<&String> = answers.keys().chain(requests.keys()).collect();
    for name in names {
        if let Some(schema) = answers.get(name) {
            declare(&mut out, name, schema, &BTreeSet::new());
        }
        if let Some(schema) = requests.get(name) {
            if differ.contains(name) {
                declare(&mut out, &format!("{name}Input"), schema, &differ);
            } else if !answers.contains_key(name) {
                declare(&mut out, name, schema, &differ);
            }
        }
    }
    out
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<T>()
}

fn definitions(contract: Contract, roots: &[SchemaOf]) -> Definitions {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.contract = contract);
    let mut generator = settings.into_generator();
    for root in roots {
        root(&mut generator);
    }
    generator.take_definitions(true)
}

/// The names of what is not the same in a request and in an answer, or holds something that is not.
fn differing(answers: &Definitions, requests: &Definitions) -> BTreeSet<String> {
    let mut differ = BTreeSet::new();
    loop {
        let more: Vec<String> = requests
            .iter()
            .filter(|(name, _)| !differ.contains(*name))
            .filter(|(name, request)| {
                let answer = answers.get(*name);
                answer.is_some_and(|it| shape(it, &BTreeSet::new()) != shape(request, &differ))
            })
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return differ;
        }
        differ.extend(more);
    }
}

/// The kinds of facts, and which fields the body of each has in any case: so a program tells what it knows.
fn facts(out: &mut String, read: &Definitions) {
    out.push_str("\n/** Every kind of fact that this version knows, with the fields that its body always has. */\nexport const FACTS = {\n");
    let fact = read.get("Fact").and_then(|fact| fact["oneOf"].as_array());
    for variant in fact.into_iter().flatten() {
        let kind = text(&variant["properties"]["kind"]["const"]);
        let fields = variant["properties"]["body"]["required"].as_array();
        let fields: Vec<_> =
            fields.into_iter().flatten().map(|it| format!("'{}'", text(it))).collect();
        let _ = writeln!(out, "  {kind}: [{}],", fields.join(", "));
    }
    out.push_str("} as const;\n");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn declare(out: &mut String, name: &str, schema: &Value, renamed: &BTreeSet<String>) {
    out.push('\n');
    comment(out, "", schema);
    if is_only(schema, "properties") {
        let _ = writeln!(out, "export interface {name} {{");
        for field in fields(schema, renamed) {
            let _ = writeln!(out, "  {field};");
        }
        out.push_str("}\n");
    } else if let Some(variants) = variants(schema).filter(|_| !schema["properties"].is_object()) {
        let _ = write!(out, "export type {name} =");
        for variant in variants {
            out.push('\n');
            comment(out, "  ", variant);
            let _ = write!(out, "  | {}", shape(variant, renamed));
        }
        out.push_str(";\n");
    } else {
        let _ = writeln!(out, "export type {name} = {};", shape(schema, renamed));
    }
}

fn comment(out: &mut String, indent: &str, schema: &Value) {
    let said = text(&schema["description"]).replace("*/", "* /");
    if !said.is_empty() {
        let _ = writeln!(out, "{indent}/** {} */", said.replace('\n', " "));
    }
}

/// The ways in which a schema can say what a value is.
const PARTS: [&str; 5] = ["properties", "$ref", "oneOf", "anyOf", "allOf"];

fn is_only(schema: &Value, part: &str) -> bool {
    PARTS.iter().all(|it| (*it == part) != schema[*it].is_null())
}

fn variants(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array())
}

/// The fields of an object: `name: type`, or `name?: type` for what may be missing.
fn fields(schema: &Value, renamed: &BTreeSet<String>) -> Vec<String> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let field = |(name, schema): (&String, &Value)| {
        let mark = if required.iter().any(|it| it == name.as_str()) { "" } else { "?" };
        format!("{name}{mark}: {}", shape(schema, renamed))
    };
    properties.map(field).collect()
}

/// What a value of this schema is.
fn shape(schema: &Value, renamed: &BTreeSet<String>) -> String {
    let mut parts = vec![];
    if schema["properties"].is_object() {
        parts.push(match fields(schema, renamed).join("; ") {
            fields if fields.is_empty() => "Record<string, never>".to_owned(),
            fields => format!("{{ {fields} }}"),
        });
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let input = if renamed.contains(name) { "Input" } else { "" };
        parts.push(format!("{name}{input}"));
    }
    for all in schema["allOf"].as_array().into_iter().flatten() {
        parts.push(grouped(shape(all, renamed)));
    }
    if let Some(variants) = variants(schema) {
        let each: Vec<_> = variants.iter().map(|it| shape(it, renamed)).collect();
        parts.push(if parts.is_empty() { each.join(" | ") } else { grouped(each.join(" | ")) });
    }
    if parts.is_empty() { plain(schema, renamed) } else { parts.join(" & ") }
}

/// A value without fields of its own names.
fn plain(schema: &Value, renamed: &BTreeSet<String>) -> String {
    if let Some(only) = schema.get("const") {
        return literal(only);
    }
    if let Some(few) = schema["enum"].as_array() {
        return few.iter().map(literal).collect::<Vec<_>>().join(" | ");
    }
    let one = |kind: &str| match kind {
        "string" | "boolean" | "null" => kind.to_owned(),
        "integer" | "number" => "number".to_owned(),
        "array" => match schema["prefixItems"].as_array() {
            Some(items) => {
                let items: Vec<_> = items.iter().map(|it| shape(it, renamed)).collect();
                format!("[{}]", items.join(", "))
            }
            None => format!("{}[]", grouped(shape(&schema["items"], renamed))),
        },
        "object" if schema["additionalProperties"].is_object() => {
            format!("Record<string, {}>", shape(&schema["additionalProperties"], renamed))
        }
        "object" if schema["additionalProperties"] == false => "Record<string, never>".to_owned(),
        "object" => "Record<string, unknown>".to_owned(),
        _ => "unknown".to_owned(),
    };
    match &schema["type"] {
        Value::String(kind) => one(kind),
        Value::Array(kinds) => {
            kinds.iter().map(|kind| one(text(kind))).collect::<Vec<_>>().join(" | ")
        }
        _ => "unknown".to_owned(),
    }
}

/// In parentheses, where it would otherwise belong together with what stands beside it.
fn grouped(shape: String) -> String {
    let mut depth = 0;
    for c in shape.chars() {
        match c {
            '{' | '[' | '(' | '<' => depth += 1,
            '}' | ']' | ')' | '>' => depth -= 1,
            '|' if depth == 0 => return format!("({shape})"),
            _ => {}
        }
    }
    shape
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn schemas_become_types() {
        let cases = [
            json!({ "type": "string", "format": "uuid" }),
            json!({ "type": ["integer", "null"] }),
            json!({ "anyOf": [{ "$ref": "#/$defs/Tag" }, { "type": "null" }] }),
            json!({ "type": "array", "items": { "anyOf": [{ "$ref": "#/$defs/Tag" }, { "type": "null" }] } }),
            json!({ "type": "array", "prefixItems": [{ "type": "integer" }, { "type": "integer" }] }),
            json!({ "enum": ["read", "write"], "type": "string" }),
            json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/Role" } }),
            json!({ "type": "object", "properties": { "a": {}, "b": { "const": "x" } }, "required": ["b"] }),
            json!({ "type": "object", "properties": { "a": { "type": "null" } }, "required": ["a"], "anyOf": [{ "$ref": "#/$defs/Fact" }, { "type": "object", "properties": { "b": true } }] }),
            json!({ "type": "object", "properties": { "type": { "const": "accepted" } }, "required": ["type"], "$ref": "#/$defs/Accepted" }),
            json!(true),
        ];
        let renamed = BTreeSet::from(["Tag".to_owned()]);
        let shapes: Vec<_> = cases.iter().map(|case| shape(case, &renamed)).collect();
        expect![[r#"
            string
            number | null
            TagInput | null
            (TagInput | null)[]
            [number, number]
            'read' | 'write'
            Record<string, Role>
            { a?: unknown; b: 'x' }
            { a: null } & (Fact | { b?: unknown })
            { type: 'accepted' } & Accepted
            unknown"#]]
        .assert_eq(&shapes.join("\n"));
    }

    #[test]
    fn what_differs_in_requests_has_a_name_of_its_own() {
        let definitions = |text: &str| serde_json::from_str::<Definitions>(text).unwrap();
        let answers = definitions(
            r##"{"A":{"properties":{"x":{"type":"string"}},"required":["x"]},"B":{"properties":{"a":{"$ref":"#/A"}}},"C":{"type":"string"}}"##,
        );
        let requests = definitions(
            r##"{"A":{"properties":{"x":{"type":"string"}}},"B":{"properties":{"a":{"$ref":"#/A"}}},"C":{"type":"string"}}"##,
        );
        let differ = differing(&answers, &requests);
        assert_eq!(differ.into_iter().collect::<Vec<_>>(), ["A", "B"]);
    }
}
