//! The API for people: a plain page, made from the OpenAPI document. No script, nothing from elsewhere.

use serde_json::Value;
use std::fmt::Write;

/// The page.
pub fn page(document: &Value) -> String {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Mosaic API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head><body><main>",
    );
    let text = |value: &Value| escape(value.as_str().unwrap_or_default());
    let _ = write!(
        out,
        "<h1>Mosaic API</h1><p>Version {}. The same as a document for programs: <a href=\"/openapi.json\">/openapi.json</a>.</p>\
         <p>{}</p><p>Times are UTC milliseconds. A refused request is answered with \
         <code>{{\"error\": {{\"code\", \"message\", \"next\", \"request_id\"}}}}</code>; the codes are stable.</p>",
        text(&document["info"]["version"]),
        text(&document["info"]["description"]),
    );
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            one(&mut out, path, method, operation);
        }
    }
    out.push_str("<h1>Bodies</h1>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let json = serde_json::to_string_pretty(schema).unwrap_or_default();
        let _ = write!(
            out,
            "<details id=\"{0}\"><summary>{0}</summary><pre>{1}</pre></details>",
            escape(name),
            escape(&json)
        );
    }
    out.push_str("</main></body></html>\n");
    out
}

fn one(out: &mut String, path: &str, method: &str, operation: &Value) {
    let text = |value: &Value| escape(value.as_str().unwrap_or_default());
    let _ = write!(
        out,
        "<hr><h2><code>{} {}</code></h2><p>{}. {}</p><ul>",
        escape(&method.to_uppercase()),
        escape(path),
        text(&operation["summary"]),
        text(&operation["description"]),
    );
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let _ = write!(
            out,
            "<li>{} <code>{}</code> {}</li>",
            text(&parameter["in"]),
            text(&parameter["name"]),
            text(&parameter["description"])
        );
    }
    for (media, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        let _ = write!(out, "<li>takes {}</li>", body(media, &content["schema"]));
        if !content["example"].is_null() {
            let _ = write!(
                out,
                "<li>for example <code>{}</code></li>",
                escape(&content["example"].to_string())
            );
        }
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let _ = write!(out, "<li>{}: {}", escape(status), text(&response["description"]));
        for (media, content) in response["content"].as_object().into_iter().flatten() {
            if status.starts_with('2') {
                let _ = write!(out, " ({})", body(media, &content["schema"]));
            }
        }
        out.push_str("</li>");
    }
    out.push_str("</ul>");
}

fn body(media: &str, schema: &Value) -> String {
    match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        Some(name) => format!("<a href=\"#{0}\">{0}</a>", escape(name)),
        None => escape(media),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
