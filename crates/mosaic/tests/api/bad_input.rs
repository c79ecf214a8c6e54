//! What no client should send: every field of every body as nonsense, bodies and queries that are cut, oversized or
//! of the wrong type. Always a refusal in due form, never a fault of ours, never a connection that just ends.

use crate::{
    cast::{Cast, PROVIDER_SETTINGS},
    on_both,
    rows::{self, Faults, example},
    support::*,
};
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use mosaic_protocol::access::Needs;
use mosaic_server::Row;
use serde_json::Value;

on_both!(nonsense_in_bodies_is_refused, nonsense_in_queries_is_refused);

const MANY: usize = 1_000_000;

/// A body that must not be understood. `or_passes`: or is, because this field may be left out or mean this.
struct Bad {
    what: String,
    bytes: Vec<u8>,
    or_passes: bool,
}

/// Nonsense for a field, as it would stand in the JSON.
fn values(example: &Value) -> Vec<(&'static str, Vec<u8>)> {
    // Where a path is expected, the long text is a path.
    let slash = if example.as_str().is_some_and(|text| text.starts_with('/')) { "/" } else { "" };
    let quoted = |bytes: &[u8]| [b"\"", bytes, b"\""].concat();
    vec![
        ("an escaped NUL", quoted(format!("{slash}a\\u0000b").as_bytes())),
        ("a plain NUL", quoted(format!("{slash}a\0b").as_bytes())),
        ("invalid UTF-8", quoted(b"a\xff\xfeb")),
        ("overlong UTF-8", quoted(b"a\xc0\x80b")),
        ("a surrogate in UTF-8", quoted(b"a\xed\xa0\x80b")),
        ("half a surrogate pair", quoted(b"a\\ud800b")),
        ("1 MB of text", quoted(format!("{slash}{}", "a".repeat(MANY)).as_bytes())),
        ("nothing", quoted(b"")),
        ("a number", b"17".to_vec()),
        ("a huge number", b"1e999".to_vec()),
        ("a very long number", "9".repeat(400).into_bytes()),
        ("a negative number", b"-1".to_vec()),
        ("null", b"null".to_vec()),
        ("a truth value", b"true".to_vec()),
        ("an object", b"{}".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a list of nonsense", b"[\"nonsense\"]".to_vec()),
        ("deep lists", [b"[".repeat(10_000), b"]".repeat(10_000)].concat()),
        ("deep objects", [b"{\"a\":".repeat(10_000), b"1".to_vec(), b"}".repeat(10_000)].concat()),
    ]
}

/// Whether the schema lets this field be null.
fn may_be_null(schema: &Value, field: &str) -> bool {
    let property = &schema["properties"][field];
    let is_null = |kind: &Value| kind == "null";
    property["type"].as_array().is_some_and(|kinds| kinds.iter().any(is_null))
        || property["anyOf"].as_array().is_some_and(|any| any.iter().any(|it| is_null(&it["type"])))
}

fn bad_bodies(example: &Value, schema: &Value) -> Vec<Bad> {
    let whole = example.to_string().into_bytes();
    let object = example.as_object().unwrap();
    let mut bodies = vec![];
    for (field, value) in object {
        let mut marked = example.clone();
        marked[field] = "@@".into();
        let marked = marked.to_string();
        let (before, after) = marked.split_once("\"@@\"").unwrap();
        for (what, bad) in values(value) {
            let is_same_kind = match what {
                "a number" => value.is_number(),
                "a truth value" => value.is_boolean(),
                "null" => may_be_null(schema, field),
                _ => false,
            };
            let bytes = [before.as_bytes(), &bad, after.as_bytes()].concat();
            bodies.push(Bad {
                what: format!("{what} as `{field}`"),
                bytes,
                or_passes: is_same_kind,
            });
        }
        let twice = format!("{{\"{field}\":{value},{}", &example.to_string()[1..]);
        bodies.push(Bad {
            what: format!("`{field}` twice"),
            bytes: twice.into_bytes(),
            or_passes: false,
        });
    }
    let text = example.to_string();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let extra = format!("{{\"no_such_field\":1,{}", &text[1..]);
    for (what, bytes) in [
        ("an unknown field", extra.into_bytes()),
        ("a body that was cut", whole[..whole.len() - 2].to_vec()),
        ("no body", vec![]),
        ("null", b"null".to_vec()),
        ("a list", b"[]".to_vec()),
        (
            "its values as a list",
            Value::from_iter(object.values().cloned()).to_string().into_bytes(),
        ),
        ("a list of it", [b"[", &whole[..], b"]"].concat()),
        ("a text", b"\"text\"".to_vec()),
        ("two bodies", [&whole[..], &whole[..]].concat()),
        ("a byte order mark", [b"\xef\xbb\xbf", &whole[..]].concat()),
        ("UTF-16", utf16),
        ("a form", b"name=ada&password=x".to_vec()),
        ("deep lists", b"[".repeat(10_000)),
        ("too much", [b"{\"a\":\"", &b"a".repeat(2 * MANY)[..], b"\"}"].concat()),
    ] {
        bodies.push(Bad { what: what.to_owned(), bytes, or_passes: false });
    }
    bodies
}

struct Stage {
    gateway: Gateway,
    root: Cast,
    bob: Cast,
    faults: Faults,
}

impl Stage {
    async fn new(database: Database) -> Option<Stage> {
        let gateway = Gateway::start(database, PROVIDER_SETTINGS)?;
        let root = Cast::of(&gateway, gateway.admin().await).await;
        let bob = Cast::new(&gateway, &root.who, "bob").await;
        Some(Stage { gateway, root, bob, faults: Faults::default() })
    }

    /// Somebody who passes, and the path to a thing that is theirs to change.
    fn served(&self, row: &Row) -> (Person, String) {
        let (who, owner) = match row.needs {
            Needs::Public => (self.gateway.nobody(), &self.bob),
            Needs::Login(_) | Needs::Session => (self.bob.who.clone(), &self.bob),
            Needs::Admin | Needs::AdminSession | Needs::Metrics => {
                (self.root.who.clone(), &self.bob)
            }
            Needs::Operator => (Person::nobody(&self.gateway.operator()), &self.bob),
        };
        (who, rows::path(row, &rows::own(row, owner)))
    }

    async fn try_it(&mut self, what: String, who: &Person, request: Request<Bytes>, passes: bool) {
        match who.client.try_send(who.sign(request)).await {
            Err(error) => self.faults.note(format!("{what}: the connection broke: {error}")),
            Ok(answer) => {
                let is_form = ["code", "message", "next", "request_id"]
                    .iter()
                    .all(|it| !answer.json["error"][*it].as_str().unwrap_or_default().is_empty());
                let is_refused = (400..500).contains(&answer.status) && is_form;
                // Understood, and no model is there that could be chosen.
                let none = answer.json["error"]["code"] == "no_model_can" && is_form;
                let passed = passes && (answer.status < 400 || none);
                if !is_refused && !passed {
                    self.faults.note(format!("{what}: {} {}", answer.status, answer.text()));
                }
            }
        }
    }

    fn done(self) {
        self.faults.none();
        let log = self.gateway.log();
        assert!(!log.contains("panicked"), "{log}");
    }
}

async fn nonsense_in_bodies_is_refused(database: Database) {
    let Some(mut stage) = Stage::new(database).await else { return };
    let document = mosaic_server::openapi(false);
    for row in rows::table() {
        let Some(mut example) = example(&row) else { continue };
        for (pointer, kind) in rows::placeholders(&example) {
            rows::put(&mut example, &pointer, stage.root.thing(kind));
        }
        let method = row.method.as_str().to_lowercase();
        let content = &document["paths"][row.path][method]["requestBody"]["content"];
        let reference = content["application/json"]["schema"]["$ref"].as_str().unwrap();
        let schema = document.pointer(&reference[1..]).unwrap();

        let (who, path) = stage.served(&row);
        let request = || Request::builder().method(row.method.clone()).uri(&path);
        for Bad { what, bytes, or_passes } in bad_bodies(&example, schema) {
            let request = request().header(header::CONTENT_TYPE, "application/json");
            let request = request.body(Bytes::from(bytes)).unwrap();
            let what = format!("{} with {what}", rows::name(&row));
            stage.try_it(what, &who, request, or_passes).await;
        }
        let body = Bytes::from(example.to_string());
        for media in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
            let request = request().header(header::CONTENT_TYPE, media).body(body.clone()).unwrap();
            stage.try_it(format!("{} as {media:?}", rows::name(&row)), &who, request, false).await;
        }
        for coding in ["gzip", "br", "identity, gzip"] {
            let request = request()
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::CONTENT_ENCODING, coding);
            let what = format!("{} in {coding:?}", rows::name(&row));
            stage.try_it(what, &who, request.body(body.clone()).unwrap(), false).await;
        }
    }
    stage.done();
}

async fn nonsense_in_queries_is_refused(database: Database) {
    let Some(mut stage) = Stage::new(database).await else { return };
    let document = mosaic_server::openapi(false);
    for row in rows::table() {
        let (who, path) = stage.served(&row);
        let method = row.method.as_str().to_lowercase();
        let none = vec![];
        let parameters = document["paths"][row.path][method]["parameters"].as_array();
        let parameters = parameters.unwrap_or(&none).iter().filter(|it| it["in"] == "query");
        // Somebody comes back from a login provider with whatever that one adds.
        let is_lenient = row.path.ends_with("/callback");
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            let long = format!("{name}={}", "a".repeat(20_000));
            let mut queries = vec![
                format!("{name}=%00"),
                format!("{name}=a%00b"),
                format!("{name}=%ff"),
                format!("{name}=%ED%A0%80"),
                format!("{name}=1&{name}=1"),
                "no_such=1".to_owned(),
                long,
            ];
            if parameter["schema"]["type"] == "integer" {
                let bad =
                    ["", "0", "-1", "1.5", "x", "1e1", "99999999999999999999", "true", "null"];
                queries.extend(bad.map(|bad| format!("{name}={bad}")));
            }
            for query in queries {
                let what = format!("{}?{}", rows::name(&row), &query[..query.len().min(60)]);
                let request = Request::builder().method(row.method.clone());
                let request = request.uri(format!("{path}?{query}")).body(Bytes::new()).unwrap();
                stage.try_it(what, &who, request, is_lenient).await;
            }
        }
    }
    stage.done();
}

/// The head is read before there is anybody to answer in due form; that it is refused, and how, is all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_are_too_large_are_refused() {
    let gateway = Gateway::start_sqlite(&[]);
    let admin = gateway.admin().await;
    let long = "a".repeat(MANY);
    let value = |text: String| HeaderValue::from_str(&text).unwrap();
    let get = |path: &str| Request::get(path).body(Bytes::new()).unwrap();
    let mut requests = vec![
        ("a token", get("/api/me"), header::AUTHORIZATION, value(format!("Bearer {long}"))),
        ("a cookie", get("/api/me"), header::COOKIE, value(format!("mosaic_session={long}"))),
        ("a host", get("/api/me"), header::HOST, value(long.clone())),
        ("an origin", get("/api/me"), header::ORIGIN, value(format!("http://{long}"))),
        ("a type", get("/api/me"), header::CONTENT_TYPE, value(long.clone())),
    ];
    for length in [20_000, 40_000] {
        let path = format!("/api/users?after={}", "a".repeat(length));
        requests.push(("an address", get(&path), header::ACCEPT, value("*/*".into())));
    }
    // Twenty times, because it is a race between what is sent and what is answered.
    for _ in 0..20 {
        for (what, request, name, header_value) in &requests {
            let mut request = admin.sign(request.clone());
            request.headers_mut().insert(name, header_value.clone());
            let answer = gateway.try_send(request).await;
            let answer = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!((400..500).contains(&answer.status), "{what}: {}", answer.status);
        }
    }
    let mut many = admin.request(http::Method::GET, "/api/me", &Value::Null);
    for n in 0..200 {
        let name: http::HeaderName = format!("x-{n}").parse().unwrap();
        many.headers_mut().insert(name, value("x".into()));
    }
    let answer = gateway.try_send(many).await.unwrap();
    assert!((400..500).contains(&answer.status), "many headers: {}", answer.status);
    admin.get("/api/me").await.is(200);
}
