//! Other programs at the gateway, in the formats of OpenAI and Anthropic: who is let in, who is refused and in whose
//! words, and what they are told, whole and in pieces. The model plays a script.

use crate::{
    cast::PROVIDER_SETTINGS,
    on_both,
    rows::{self, Faults},
    support::*,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::BodyExt;
use mosaic_server::Row;
use serde_json::{Value, json};

on_both!(
    only_a_token_that_may_call_models_opens_these_doors,
    another_persons_workspace_and_models_do_not_exist,
);

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";

/// Somebody with a model that plays scripts, as a program that may call it.
async fn program(gateway: &Gateway, root: &Person, name: &str) -> (Person, Person) {
    let who = gateway.invite(root, name).await;
    let provider = json!({ "name": format!("{name}-plays"), "kind": "scripted" });
    who.post("/api/providers", provider).await.ok();
    let program = who.with_token(&["models"]).await;
    (who, program)
}

/// A refusal in the words that this path speaks.
#[track_caller]
fn in_words(what: &str, path: &str, answer: &Answer, faults: &mut Faults) {
    let error = &answer.json["error"];
    let text = |value: &Value| !value.as_str().unwrap_or_default().is_empty();
    let is_anthropic = path.starts_with(MESSAGES);
    let form = match is_anthropic {
        true => answer.json["type"] == "error" && text(&answer.json["request_id"]),
        false => error.get("param").is_some(),
    };
    if !(form && text(&error["type"]) && text(&error["message"]) && text(&error["code"])) {
        faults.note(format!("{what}: {} {}", answer.status, answer.text()));
    }
}

fn with(mut request: Request<Bytes>, name: HeaderName, value: &str) -> Request<Bytes> {
    request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    request
}

/// The path with a model in it that is there.
fn path_of(row: &Row) -> String {
    row.path.replace("{provider}/{model}", "ada-plays/echo").replace("{model}", "auto")
}

fn request(row: &Row) -> Request<Bytes> {
    let request = Request::builder().method(row.method.clone()).uri(path_of(row));
    let json = request.header(header::CONTENT_TYPE, "application/json");
    // What `auto` would choose of models that play scripts is one that fails.
    let is_call = !row.path.ends_with("embeddings");
    let model = if is_call { "ada-plays/echo" } else { "auto" };
    json.body(row.example.unwrap_or_default().replace("auto", model).into()).unwrap()
}

async fn only_a_token_that_may_call_models_opens_these_doors(database: Database) {
    let Some(gateway) = Gateway::start(database, PROVIDER_SETTINGS) else { return };
    let root = gateway.admin().await;
    let (ada, program) = program(&gateway, &root, "ada").await;
    let other = ada.with_token(&["read", "write"]).await;
    let key = HeaderName::from_static("x-api-key");
    let mut faults = Faults::default();
    assert!(rows::foreign().len() >= 6);
    for row in rows::foreign() {
        let name = rows::name(&row);
        let cookie = format!("mosaic_session={}", ada.secret());
        let with_cookie = with(request(&row), header::COOKIE, &cookie);
        let at_page = with(with_cookie.clone(), header::ORIGIN, &gateway.origin());
        let beside = with(request(&row), header::AUTHORIZATION, "Bearer wrong");
        let beside = with(beside, key.clone(), program.secret());
        let session = format!("Bearer {}", ada.secret());
        for (what, request, status, code) in [
            ("nothing", request(&row), 401, "unauthenticated"),
            ("a cookie", with_cookie, 401, "unauthenticated"),
            ("a cookie at our page", at_page, 401, "unauthenticated"),
            ("a wrong token beside a right key", beside, 401, "unauthenticated"),
            ("a wrong key", with(request(&row), key.clone(), "wrong"), 401, "unauthenticated"),
            (
                "a session as a token",
                with(request(&row), header::AUTHORIZATION, &session),
                401,
                "unauthenticated",
            ),
            ("a token without the scope", other.sign(request(&row)), 403, "missing_scope"),
            (
                "another site",
                with(program.sign(request(&row)), header::ORIGIN, "https://evil.example"),
                403,
                "wrong_origin",
            ),
            (
                "another host",
                with(program.sign(request(&row)), header::HOST, "evil.example"),
                403,
                "wrong_origin",
            ),
        ] {
            let answer = gateway.send(request).await;
            let what = format!("{name} with {what}");
            faults.same(
                || what.clone(),
                &format!("{} {}", answer.status, answer.code()),
                &format!("{status} {code}"),
            );
            in_words(&what, row.path, &answer, &mut faults);
        }
        let answer = gateway.send(program.sign(request(&row))).await;
        let none = answer.status == 409 && row.path.ends_with("embeddings");
        if answer.status != 200 && !none {
            faults.note(format!("{name} with its token: {}", answer.face()));
        }
        // Anthropic's programs send the token as a key; OpenAI's do not.
        let answer = gateway.send(with(request(&row), key.clone(), program.secret())).await;
        let expected = if row.path.starts_with(MESSAGES) { 200 } else { 401 };
        faults.same(
            || format!("{name} with a key"),
            &answer.status.to_string(),
            &expected.to_string(),
        );
    }
    faults.none();
    // What such a token is for is all that it is for.
    program.get("/api/me").await.refused(403, "missing_scope");
    let nothing = gateway.get("/v1/nothing").await;
    assert_eq!((nothing.status, nothing.code()), (404, "not_found"), "{}", nothing.text());
    assert_eq!(nothing.json["error"]["type"], "invalid_request_error");
    let method = gateway.call(Method::PUT, MESSAGES, Value::Null).await;
    assert_eq!((method.status, &method.json["type"]), (405, &json!("error")));
}

fn chat(model: &str, stream: bool) -> Value {
    json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "one two three four five" }] })
}

async fn another_persons_workspace_and_models_do_not_exist(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let (alice, program_a) = program(&gateway, &root, "alice").await;
    let (bob, program_b) = program(&gateway, &root, "bob").await;
    let at = |workspace: &str| {
        let request = program_a.request(Method::POST, CHAT, &chat("alice-plays/echo", false));
        with(request, HeaderName::from_static("x-mosaic-workspace"), workspace)
    };
    gateway.send(at(&alice.workspace_id)).await.is(200);
    let never = gateway.send(at(&fresh_id())).await;
    assert_eq!((never.status, never.code()), (404, "not_found"), "{}", never.text());
    for foreign in [&bob.workspace_id, &bob.id, "mine", ""] {
        assert_eq!(gateway.send(at(foreign)).await.face(), never.face(), "{foreign}");
    }
    // Neither can call, nor see, nor be told of the other's models.
    for (who, own, other) in [(&program_a, "alice", "bob"), (&program_b, "bob", "alice")] {
        who.post(CHAT, chat(&format!("{own}-plays/echo"), false)).await.is(200);
        for path in [CHAT, MESSAGES] {
            let answer = who.post(path, chat(&format!("{other}-plays/echo"), false)).await;
            assert_eq!((answer.status, answer.code()), (404, "no_such_model"), "{}", answer.text());
            // The name that was asked for is repeated; what is offered instead is their own.
            let said = answer.json["error"]["next"].as_str().unwrap();
            assert!(!said.contains(&format!("{other}-")), "{said}");
        }
        let list = who.get("/v1/models").await.ok().to_string();
        assert!(list.contains(&format!("{own}-plays/echo")) && !list.contains(other), "{list}");
    }
    // What was used is told to those who used it.
    let usage = bob.get("/api/usage").await.ok().to_string();
    assert!(!usage.contains("alice"), "{usage}");
}

/// All of a stream's text, up to its end, however it ends.
async fn stream(who: &Person, path: &str, body: Value) -> (http::HeaderMap, String) {
    let response = who.client.open(who.request(Method::POST, path, &body)).await.unwrap();
    let (parts, mut body) = response.into_parts();
    assert_eq!(parts.status, 200);
    assert_eq!(parts.headers["content-type"], "text/event-stream");
    let mut text = vec![];
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            text.extend_from_slice(&frame.into_data().unwrap_or_default());
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the stream ends");
    (parts.headers, String::from_utf8(text).unwrap())
}

fn asked(path: &str, model: &str, stream: bool, tools: bool) -> Value {
    let schema = json!({ "type": "object", "properties": { "of": { "type": "string" } } });
    let said = "one two three four five";
    let mut body = match path {
        RESPONSES => json!({ "input": said }),
        _ => json!({ "max_tokens": 1000, "messages": [{ "role": "user", "content": said }] }),
    };
    body["model"] = model.into();
    body["stream"] = stream.into();
    if tools {
        body["tools"] = match path {
            CHAT => {
                json!([{ "type": "function", "function": { "name": "weave", "parameters": schema } }])
            }
            RESPONSES => json!([{ "type": "function", "name": "weave", "parameters": schema }]),
            _ => json!([{ "name": "weave", "input_schema": schema }]),
        };
    }
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_come_whole_and_in_pieces() {
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let (_, program) = program(&gateway, &root, "ada").await;
    for path in [CHAT, RESPONSES, MESSAGES] {
        let whole = program.post(path, asked(path, "ada-plays/echo", false, false)).await.is(200);
        assert_eq!(whole.header("content-type"), "application/json");
        assert_eq!(whole.header("x-mosaic-model"), "echo");
        assert_eq!(whole.header("x-mosaic-provider"), "ada-plays");
        assert!(!whole.header("x-mosaic-reason").is_empty());
        assert_eq!(whole.json["model"], "ada-plays/echo");
        let text = whole.json.to_string();
        assert!(text.contains("one two three four five"), "{text}");

        let (headers, text) =
            stream(&program, path, asked(path, "ada-plays/echo", true, false)).await;
        assert_eq!(headers["x-mosaic-model"], "echo");
        assert!(text.contains(": mosaic {\"cost_micros\":"), "{text}");
        let end = match path {
            CHAT => "data: [DONE]\n\n",
            RESPONSES => "event: response.completed\n",
            _ => "event: message_stop\n",
        };
        assert!(text.contains(end), "{path}: {text}");

        let called = program.post(path, asked(path, "ada-plays/tool", false, true)).await.is(200);
        assert!(called.text().contains("weave") || called.json.to_string().contains("weave"));
        let (_, text) = stream(&program, path, asked(path, "ada-plays/tool", true, true)).await;
        let mark = match path {
            CHAT => "\"finish_reason\":\"tool_calls\"",
            RESPONSES => "response.function_call_arguments.done",
            _ => "\"stop_reason\":\"tool_use\"",
        };
        assert!(text.contains(mark), "{path}: {text}");

        let thought =
            program.post(path, asked(path, "ada-plays/thinks", false, false)).await.is(200);
        let mark = match path {
            CHAT => "reasoning_content",
            RESPONSES => "summary_text",
            _ => "\"type\":\"thinking\"",
        };
        assert!(thought.json.to_string().contains(mark), "{path}: {}", thought.json);
    }
    let counted =
        program.post("/v1/messages/count_tokens", asked(MESSAGES, "auto", false, false)).await;
    assert!(counted.ok()["input_tokens"].as_u64().unwrap() > 0);
    let version = HeaderName::from_static("anthropic-version");
    let list = program.request(Method::GET, "/v1/models", &Value::Null);
    let list = gateway.send(with(list, version, "2023-06-01")).await.ok();
    assert_eq!(list["data"][0]["type"], "model");
    assert_eq!(list["data"][0]["id"], "auto");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_says_so_and_never_ends_like_what_is_whole() {
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let (_, program) = program(&gateway, &root, "ada").await;
    for path in [CHAT, RESPONSES, MESSAGES] {
        for model in ["cut-after-3", "no-final-event", "malformed"] {
            let model = format!("ada-plays/{model}");
            let whole = program.post(path, asked(path, &model, false, false)).await;
            assert_eq!(
                (whole.status, whole.code()),
                (502, "model_failed"),
                "{path} {model}: {}",
                whole.text()
            );
            let request = program.request(Method::POST, path, &asked(path, &model, true, false));
            let response = gateway.client().open(request).await.unwrap();
            if response.status() != 200 {
                // It failed before it said anything.
                assert_eq!(response.status(), 502, "{path} {model}");
                continue;
            }
            let (_, text) = stream(&program, path, asked(path, &model, true, false)).await;
            for end in
                ["[DONE]", "\"finish_reason\":\"stop\"", "response.completed", "message_stop"]
            {
                assert!(!text.contains(end), "{path} {model}: {text}");
            }
            let failed = match path {
                CHAT => "data: {\"error\":{",
                RESPONSES => "event: response.failed\n",
                _ => "event: error\n",
            };
            assert!(text.contains(failed), "{path} {model}: {text}");
        }
        let limited =
            program.post(path, asked(path, "ada-plays/rate-limited-2", false, false)).await;
        assert_eq!((limited.status, limited.code()), (429, "model_failed"));
        assert_eq!(limited.header("retry-after"), "2");
        assert_eq!(limited.json["error"]["type"], "rate_limit_error");
        let near = program.post(path, asked(path, "adda-plays/echo", false, false)).await;
        assert_eq!((near.status, near.code()), (404, "no_such_model"));
        let said = near.json["error"]["message"].as_str().unwrap();
        assert!(said.contains("did you mean `ada-plays/echo`"), "{said}");
        let refused = program.post(path, asked(path, "ada-plays/refuses", false, false)).await;
        let mark = match path {
            CHAT => "content_filter",
            RESPONSES => "content_filter",
            _ => "\"stop_reason\":\"refusal\"",
        };
        assert!(refused.json.to_string().contains(mark), "{path}: {}", refused.json);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_bodies_are_refused_in_the_words_of_the_format() {
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let (_, program) = program(&gateway, &root, "ada").await;
    let mut faults = Faults::default();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("null", b"null".to_vec()),
        ("a list", b"[]".to_vec()),
        ("an empty object", b"{}".to_vec()),
        ("half an object", b"{\"model\":\"m\",\"messages\":[".to_vec()),
        ("no UTF-8", b"{\"model\":\"\xff\"}".to_vec()),
        ("deep lists", b"[".repeat(100_000)),
        ("deep objects", br#"{"messages":"#.repeat(50_000)),
        ("wrong types", br#"{"model":1,"messages":2,"input":3}"#.to_vec()),
        ("too much", [b"{\"a\":\"", &b"a".repeat(33 * 1024 * 1024)[..], b"\"}"].concat()),
        (
            "too many messages",
            format!(
                r#"{{"model":"m","max_tokens":1,"input":[{0}],"messages":[{0}]}}"#,
                vec![r#"{"role":"user","content":"x"}"#; 10_001].join(",")
            )
            .into_bytes(),
        ),
    ];
    for row in rows::foreign().iter().filter(|row| row.method == Method::POST) {
        for (what, body) in &bodies {
            let request = request(row).map(|_| Bytes::from(body.clone()));
            let what = format!("{} with {what}", rows::name(row));
            match gateway.try_send(program.sign(request)).await {
                Err(error) => faults.note(format!("{what}: the connection broke: {error}")),
                Ok(answer) => {
                    in_words(&what, row.path, &answer, &mut faults);
                    let expected = if what.ends_with("too much") { 413 } else { 400 };
                    faults.same(|| what, &answer.status.to_string(), &expected.to_string());
                }
            }
        }
        for media in ["", "text/plain", "application/x-www-form-urlencoded"] {
            let request = with(program.sign(request(row)), header::CONTENT_TYPE, media);
            let answer = gateway.send(request).await;
            faults.same(
                || format!("{} as {media}", rows::name(row)),
                &answer.status.to_string(),
                "415",
            );
        }
    }
    faults.none();
    let bad =
        json!({ "model": "m", "messages": [{ "role": "user", "content": [{ "type": "video" }] }] });
    let bad = program.post(CHAT, bad).await.is(400);
    assert_eq!(bad.json["error"]["param"], "messages[0].content[0].type");
    let log = gateway.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_megabytes_reach_the_model() {
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let (_, program) = program(&gateway, &root, "ada").await;
    let prompt = "All work and no play. ".repeat(500_000);
    let body = json!({ "model": "ada-plays/say:done", "messages": [{ "role": "user", "content": prompt }] });
    let answer = program.post(CHAT, body).await;
    // It is read and understood; that it is more than the model reads is found out after that.
    let said = answer.json["error"]["message"].as_str().unwrap();
    assert!(said.contains("it reads 1000000 tokens, and this is about"), "{said}");
    let url = format!("data:image/png;base64,{}", "iVBO".repeat(10_000_000 / 4));
    let picture = json!({ "type": "image_url", "image_url": { "url": url } });
    let words = json!({ "type": "text", "text": "word ".repeat(200_000) });
    let body = json!({ "model": "ada-plays/say:done", "messages": [{ "role": "user", "content": [words, picture] }] });
    let answer = program.post(CHAT, body).await;
    assert_eq!(answer.ok()["choices"][0]["message"]["content"], "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_ends_with_the_right_to_it_and_one_person_has_only_so_many() {
    let gateway = Gateway::start_sqlite(&[("limits.streams_per_user", "70")]);
    let root = gateway.admin().await;
    let (ada, program) = program(&gateway, &root, "ada").await;
    let stalls = || program.request(Method::POST, CHAT, &chat("ada-plays/stall-after-3", true));
    let mut open = vec![];
    for _ in 0..70 {
        let response = gateway.client().open(stalls()).await.unwrap();
        assert_eq!(response.status(), 200);
        open.push(response);
    }
    let more = gateway.send(stalls()).await;
    assert_eq!((more.status, more.code()), (429, "throttled"), "{}", more.text());
    drop(open.split_off(1));
    // Room is there again as soon as the connections are seen to be closed.
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let answer = gateway.client().open(stalls()).await.unwrap();
        if answer.status() == 200 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "no room");
    }
    let tokens = ada.get("/api/me/tokens").await.ok();
    for token in tokens["items"].as_array().unwrap() {
        ada.delete(&format!("/api/me/tokens/{}", token["id"].as_str().unwrap()), Value::Null)
            .await
            .is(204);
    }
    let mut body = open.remove(0).into_body();
    let mut text = vec![];
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            text.extend_from_slice(&frame.into_data().unwrap_or_default());
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("it ends with the token");
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("unauthenticated") && !text.contains("[DONE]"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_listed_sites_may_read_what_ran() {
    const SITE: &str = "https://notes.example.com";
    let gateway = Gateway::start_sqlite(&[("cors_origins", SITE)]);
    let root = gateway.admin().await;
    let (_, program) = program(&gateway, &root, "ada").await;
    let asks = Request::builder().method(Method::OPTIONS).uri(CHAT).header("origin", SITE);
    let asks = asks.header("access-control-request-method", "POST").body(Bytes::new()).unwrap();
    let allowed = gateway.send(asks).await.is(204);
    let names = allowed.header("access-control-allow-headers");
    assert!(names.contains("authorization") && names.contains('*'), "{names}");
    let call = program.request(Method::POST, CHAT, &chat("ada-plays/echo", false));
    let answer = gateway.send(with(call, header::ORIGIN, SITE)).await.is(200);
    assert!(answer.header("access-control-expose-headers").contains("x-mosaic-model"));
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}
