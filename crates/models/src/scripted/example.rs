//! A value that a JSON schema allows, for the common schemas of tools. Pure. It does not understand patterns, formats and
//! conditions; what it does not understand it leaves out.

use serde_json::{Map, Value, json};

/// How deep it goes, and how many values it makes: a schema may refer to itself.
const DEEPEST: usize = 16;
const MOST: usize = 500;

/// The simplest value that fits.
pub(super) fn example(schema: &Value) -> Value {
    Maker { root: schema, left: MOST }.make(schema, 0)
}

struct Maker<'a> {
    root: &'a Value,
    left: usize,
}

impl<'a> Maker<'a> {
    fn make(&mut self, schema: &'a Value, depth: usize) -> Value {
        if depth > DEEPEST || self.left == 0 {
            return Value::Null;
        }
        self.left -= 1;
        if let Some(given) = ["const", "default"].iter().find_map(|key| schema.get(key)) {
            return given.clone();
        }
        if let Some(first) = ["enum", "examples"].iter().find_map(|key| schema.get(key)?.get(0)) {
            return first.clone();
        }
        if let Some(place) = schema.get("$ref").and_then(Value::as_str) {
            let meant = place.strip_prefix('#').and_then(|place| self.root.pointer(place));
            return meant.map_or(Value::Null, |meant| self.make(meant, depth + 1));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            let mut ways = schema.get(key).and_then(Value::as_array).into_iter().flatten();
            if let Some(way) = ways.find(|way| way.get("type") != Some(&json!("null"))) {
                return self.make(way, depth + 1);
            }
        }
        let number = |key| schema.get(key).cloned();
        match kind(schema) {
            "string" => {
                let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0).min(1000);
                let mut text = "example".to_owned();
                while (text.len() as u64) < least {
                    text.push('.');
                }
                Value::String(text)
            }
            "integer" | "number" => {
                number("minimum").or_else(|| number("maximum")).unwrap_or(json!(1))
            }
            "boolean" => json!(true),
            "array" => {
                let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0).min(10);
                let item = schema.get("items").unwrap_or(&Value::Null);
                Value::Array((0..least).map(|_| self.make(item, depth + 1)).collect())
            }
            "object" => {
                let properties = schema.get("properties").and_then(Value::as_object);
                let required = schema.get("required").and_then(Value::as_array);
                let mut made = Map::new();
                for name in required.into_iter().flatten().filter_map(Value::as_str) {
                    let property = properties.and_then(|all| all.get(name)).unwrap_or(&Value::Null);
                    made.insert(name.to_owned(), self.make(property, depth + 1));
                }
                Value::Object(made)
            }
            _ => Value::Null,
        }
    }
}

/// The type that a schema names, the first that is not null; by its other words where it names none.
fn kind(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::String(kind)) => Some(kind.as_str()),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null")
        }
        _ => None,
    };
    named.unwrap_or(if schema.get("properties").is_some() {
        "object"
    } else if schema.get("items").is_some() {
        "array"
    } else {
        "null"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_get_the_simplest_value_that_fits() {
        for (schema, value) in [
            (json!({"type": "string"}), json!("example")),
            (json!({"type": "string", "enum": ["b", "a"]}), json!("b")),
            (json!({"type": "string", "minLength": 9}), json!("example..")),
            (json!({"type": ["null", "integer"], "minimum": 5}), json!(5)),
            (json!({"type": "number", "maximum": 0.5}), json!(0.5)),
            (json!({"anyOf": [{"type": "null"}, {"type": "boolean"}]}), json!(true)),
            (json!({"type": "array", "items": {"const": 7}, "minItems": 2}), json!([7, 7])),
            (
                json!({"type": "object", "required": ["path"],
                    "properties": {"path": {"type": "string"}, "limit": {"type": "integer"}}}),
                json!({"path": "example"}),
            ),
            (
                json!({"$ref": "#/$defs/a/b", "$defs": {"a/b": 1, "a": {"b": {"const": 3}}}}),
                json!(3),
            ),
            (json!({"$ref": "https://example.com/schema"}), json!(null)),
            (json!({}), json!(null)),
            (json!("nonsense"), json!(null)),
        ] {
            assert_eq!(example(&schema), value, "{schema}");
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let names: Vec<String> = (0..20).map(|n| format!("p{n}")).collect();
        let properties: Map<String, Value> =
            names.iter().map(|name| (name.clone(), json!({"$ref": "#"}))).collect();
        let schema = json!({"type": "object", "required": names, "properties": properties});
        assert!(example(&schema).to_string().len() < 100_000);
    }
}
