//! The OpenAPI document: whole in itself, complete, and the one that the repository holds.

use crate::{rows, support::*};
use serde_json::Value;
use std::collections::BTreeSet;

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.insert(reference.clone());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_is_whole_and_complete() {
    let gateway = Gateway::start_sqlite(&[]);
    let document = gateway.get("/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");

    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in &found {
        let target = reference.strip_prefix('#').and_then(|path| document.pointer(path));
        assert!(target.is_some_and(Value::is_object), "{reference} leads nowhere");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        let reference = format!("#/components/schemas/{name}");
        assert!(found.contains(&reference), "{name} is not used");
    }

    let mut ids = BTreeSet::new();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert_ne!(operation["summary"], "", "{method} {path}");
            let declared =
                operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
            let declared = declared.iter().filter(|it| it["in"] == "path");
            let declared: Vec<_> =
                declared.map(|it| format!("{{{}}}", it["name"].as_str().unwrap())).collect();
            let named: Vec<_> = path.split('/').filter(|part| part.starts_with('{')).collect();
            assert_eq!(declared, named, "{method} {path}");
            for scheme in operation["security"].as_array().unwrap() {
                for name in scheme.as_object().unwrap().keys() {
                    assert!(document["components"]["securitySchemes"][name].is_object(), "{name}");
                }
            }
        }
    }
    let table = mosaic_server::table(false);
    assert_eq!(operations, table.len());
    let page = gateway.get("/docs").await.is(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(!page.contains("<script") && !page.contains("style="), "the policy forbids them");
    for row in &table {
        let method = row.method.as_str().to_lowercase();
        assert!(document["paths"][row.path][method].is_object(), "{}", rows::name(row));
        assert!(page.contains(&format!("<code>{}</code>", rows::name(row))), "{}", rows::name(row));
    }
}

#[test]
fn the_repository_holds_this_document() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let kept: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(
        kept == mosaic_server::openapi(false),
        "docs/openapi.json is old: mosaic reference openapi > docs/openapi.json"
    );
}
