//! The OpenAPI document, made from the table of routes: it cannot say anything that the code does not do.

use crate::row::{Kind, Row};
use http::{Method, StatusCode};
use mosaic_protocol::{ErrorBody, access::Needs};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The whole document.
pub fn document(metrics_open: bool) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let error = generator.subschema_for::<ErrorBody>();
    let mut paths: Map<String, Value> = Map::new();
    for row in crate::table(metrics_open) {
        let path = paths.entry(row.path).or_insert_with(|| json!({}));
        path[row.method.as_str().to_lowercase()] = operation(&row, &mut generator, &error);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mosaic",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A self-hosted gateway for AI agents. Programs send an API token as `Authorization: Bearer …`.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "An API token." },
                "session": { "type": "apiKey", "in": "cookie", "name": "mosaic_session", "description": "A login in a browser." },
            },
        },
    })
}

fn operation(row: &Row, generator: &mut SchemaGenerator, error: &Schema) -> Value {
    let mut operation = json!({
        "operationId": operation_id(row),
        "summary": row.summary,
        "description": needs_text(row.needs),
        "tags": [tag(row.path)],
        "security": security(row),
        "responses": responses(row, generator, error),
    });
    let mut parameters: Vec<Value> = names(row.path)
        .zip(&row.params)
        .map(|(name, kind)| json!({ "name": name, "in": "path", "required": true, "schema": param_schema(*kind, generator) }))
        .collect();
    if let Some(query) = row.query {
        parameters.extend(query_parameters(&query(generator)));
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    match row.body {
        None => {}
        Some(None) => {
            let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/octet-stream": bytes } });
        }
        Some(Some(schema)) => {
            let mut content = json!({ "schema": schema(generator) });
            if let Some(example) =
                row.example.and_then(|text| serde_json::from_str::<Value>(text).ok())
            {
                content["example"] = example;
            }
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/json": content } });
        }
    }
    operation
}

/// Every status that the row can be answered with; which they are follows from what the row is.
fn responses(row: &Row, generator: &mut SchemaGenerator, error: &Schema) -> Value {
    let mut responses = Map::new();
    let mut good = json!({ "description": row.summary });
    if let Some(media) = row.answer.media {
        let schema = row
            .answer
            .schema
            .map_or_else(|| json!({ "type": "string" }), |schema| schema(generator).to_value());
        good["content"] = json!({ media: { "schema": schema } });
    }
    if row.path == "/readyz" {
        responses.insert("503".into(), good.clone());
    }
    responses.insert(row.answer.status.as_str().into(), good);
    // 403 and 429 come from the door, 408 from the clock, 503 and 500 from what we depend on.
    let mut statuses = vec!["403", "408", "429", "500"];
    let changes = row.method != Method::GET;
    let upgrades = row.answer.status == StatusCode::SWITCHING_PROTOCOLS;
    let has_input = row.body.is_some() || row.query.is_some() || upgrades;
    for (status, when) in [
        ("400", has_input || changes),
        ("401", row.needs != Needs::Public || row.path == "/api/login"),
        // A query may name things, too.
        (
            "404",
            !row.params.is_empty()
                || row.query.is_some()
                || row.needs == Needs::Operator
                || changes,
        ),
        ("409", changes),
        ("413", row.body.is_some()),
        ("415", matches!(row.body, Some(Some(_)))),
        ("502", row.params.contains(&Kind::LoginProvider) || row.path.contains("identities")),
        ("503", row.path != "/readyz"),
        ("507", changes),
    ] {
        if when {
            statuses.push(status);
        }
    }
    for status in statuses {
        let problem = json!({ "application/json": { "schema": error } });
        responses
            .entry(status)
            .or_insert_with(|| json!({ "description": meaning(status), "content": problem }));
    }
    responses.into()
}

fn meaning(status: &str) -> &'static str {
    match status {
        "400" => "The request is not understood.",
        "401" => "No valid login came with it.",
        "403" => "Not allowed.",
        "404" => "There is no such thing, or you may not know of it.",
        "408" => "It took too long.",
        "409" => "The state of things does not allow it now.",
        "413" => "Too large.",
        "415" => "The body must be JSON.",
        "429" => "Too many requests; `Retry-After` says when to try again.",
        "500" => "A fault of ours.",
        "502" => "The login provider could not be used.",
        "507" => "No room: the quota is used up, or the disk is full.",
        _ => "A part of the gateway does not answer.",
    }
}

fn needs_text(needs: Needs) -> String {
    match needs {
        Needs::Public => "For anybody.".to_owned(),
        Needs::Login(scope) => format!("For anybody who is logged in; tokens need the scope `{scope}`."),
        Needs::Session => "For a login in a browser; tokens cannot do this.".to_owned(),
        Needs::Admin => "For admins; tokens need the scope `admin`.".to_owned(),
        Needs::AdminSession => "For admins with a login in a browser; tokens cannot do this.".to_owned(),
        Needs::Metrics => "For admins; tokens need the scope `metrics`.".to_owned(),
        Needs::Operator => {
            "For the one who runs the program, over its control socket; to all others it does not exist.".to_owned()
        }
    }
}

fn security(row: &Row) -> Value {
    match row.needs {
        // What speaks a foreign format takes no cookie.
        Needs::Login(_) if row.path.starts_with("/v1/") => json!([{ "token": [] }]),
        Needs::Public | Needs::Operator => json!([]),
        Needs::Session | Needs::AdminSession => json!([{ "session": [] }]),
        Needs::Login(_) | Needs::Admin | Needs::Metrics => {
            json!([{ "token": [] }, { "session": [] }])
        }
    }
}

fn param_schema(kind: Kind, generator: &mut SchemaGenerator) -> Schema {
    use mosaic_protocol as p;
    fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
    match kind {
        Kind::Log => of::<p::LogId>(generator),
        Kind::User => of::<p::UserId>(generator),
        Kind::Team => of::<p::TeamId>(generator),
        Kind::Workspace => of::<p::WorkspaceId>(generator),
        Kind::Session => of::<p::SessionId>(generator),
        Kind::Token => of::<p::TokenId>(generator),
        Kind::Invite => of::<p::InviteId>(generator),
        Kind::Identity => of::<p::IdentityId>(generator),
        Kind::Blob => of::<p::BlobHash>(generator),
        Kind::SecretName => of::<p::SecretName>(generator),
        Kind::LoginProvider => of::<p::ProviderName>(generator),
        Kind::AccountName => of::<p::AccountName>(generator),
        Kind::ModelName => of::<p::ModelName>(generator),
        Kind::ModelProvider => of::<p::ModelProviderId>(generator),
        Kind::ProviderLogin => of::<p::ProviderLoginId>(generator),
        Kind::Rule => of::<p::RuleId>(generator),
        Kind::Budget => of::<p::BudgetId>(generator),
    }
}

fn query_parameters(schema: &Schema) -> Vec<Value> {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return vec![];
    };
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        // A query has no null: what is optional is left out.
        if let Some(Value::Array(types)) = schema.get("type") {
            let one = types.iter().find(|kind| **kind != "null").cloned();
            schema["type"] = one.unwrap_or_default();
        }
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("default");
        }
        let required = required.iter().any(|it| it == name);
        json!({ "name": name, "in": "query", "required": required, "description": description, "schema": schema })
    };
    properties.iter().map(parameter).collect()
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
}

fn operation_id(row: &Row) -> String {
    let words = row
        .path
        .split('/')
        .filter(|part| !part.is_empty() && *part != "api")
        .map(|part| part.trim_matches(['{', '}']).replace(['.', '-'], "_"));
    std::iter::once(row.method.as_str().to_lowercase()).chain(words).collect::<Vec<_>>().join("_")
}

fn tag(path: &str) -> &str {
    let mut parts = path.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some("api"), Some(tag)) => tag,
        _ => "server",
    }
}
