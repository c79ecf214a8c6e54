//! Anthropic's Messages against a fake that is as strict as the provider.

use crate::fake::{Answer, Asked, DEADLINE, Fake, KEY, Step, drained, models, quick};
use mosaic_models::{
    CacheFor, Effort, Endpoint, Event, Image, ImageSource, Key, Message, Part, Patiences, Reply,
    Request, Retries, Role, Sealed, System, Thinking, Tool, ToolChoice, Why,
};
use mosaic_outbound::Reach;
use mosaic_protocol::provider::{FailureClass, ProviderKind};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

const TEXT: &str = include_str!("../../../../fixtures/sse/anthropic/text.sse");
const CUT: &str = include_str!("../../../../fixtures/sse/anthropic/cut.sse");
const THOUGHT: &str = include_str!("../../../../fixtures/sse/anthropic/thinking.sse");
const CALLS: &str = include_str!("../../../../fixtures/sse/anthropic/parallel_tools.sse");
const MALFORMED: &str = include_str!("../../../../fixtures/sse/anthropic/malformed.sse");

fn ensure(is: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if is { Ok(()) } else { Err(otherwise.into()) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn plain(name: &str, most: usize) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    !name.is_empty() && name.len() <= most && name.chars().all(fits)
}

/// What the provider would find wrong.
fn strict(asked: &Asked) -> Result<(), String> {
    ensure(asked.header("anthropic-version") == Some("2023-06-01"), "the version")?;
    let keys = [asked.header("x-api-key"), asked.header("authorization")];
    ensure(keys.iter().flatten().count() == 1, "one key")?;
    if asked.method == "GET" {
        return ensure(asked.path == "/v1/models?limit=1000", "the path");
    }
    ensure(asked.path == "/v1/messages" && asked.method == "POST", "the path")?;
    ensure(asked.header("content-type") == Some("application/json"), "the type")?;
    let body = &asked.body;
    ensure(!body.to_string().contains("sk-"), "a secret in the body")?;
    let most = body["max_tokens"].as_u64().unwrap_or(0);
    ensure(most > 0, "max_tokens")?;
    if let Some(budget) = body["thinking"]["budget_tokens"].as_u64() {
        ensure((1024..most).contains(&budget), "the budget")?;
    }
    let thinks = matches!(body["thinking"]["type"].as_str(), Some("enabled" | "adaptive"));
    let sampled = ["temperature", "top_p", "top_k"].iter().any(|name| body.get(name).is_some());
    ensure(!(thinks && sampled), "sampling while it thinks")?;
    let forced = matches!(body["tool_choice"]["type"].as_str(), Some("any" | "tool"));
    ensure(!(thinks && forced), "a forced tool while it thinks")?;
    strict_marks(body)?;
    for tool in list(&body["tools"]) {
        ensure(plain(tool["name"].as_str().unwrap_or(""), 128), "a tool's name")?;
        ensure(tool["input_schema"]["type"] == "object", "a tool's schema")?;
    }
    strict_messages(body, thinks)
}

fn strict_marks(body: &Value) -> Result<(), String> {
    let mut marks = vec![];
    let blocks = list(&body["messages"]).iter().flat_map(|message| list(&message["content"]));
    for block in list(&body["tools"]).iter().chain(list(&body["system"])).chain(blocks) {
        if let Some(mark) = block.get("cache_control") {
            ensure(block["type"] != "thinking", "a mark on a thought")?;
            ensure(mark["type"] == "ephemeral", "a mark")?;
            marks.push(mark["ttl"] == "1h");
        }
    }
    ensure(marks.len() <= 4, "too many marks")?;
    ensure(marks.is_sorted_by(|before, after| before >= after), "an hour behind minutes")
}

fn strict_messages(body: &Value, thinks: bool) -> Result<(), String> {
    let messages = list(&body["messages"]);
    let (mut called, mut seen): (Vec<&str>, HashSet<&str>) = (vec![], HashSet::new());
    for (at, message) in messages.iter().enumerate() {
        let role = if at % 2 == 0 { "user" } else { "assistant" };
        ensure(message["role"] == role, format!("message {at} is not of the {role}"))?;
        let content = list(&message["content"]);
        ensure(!content.is_empty(), format!("message {at} is empty"))?;
        let kinds: Vec<&str> =
            content.iter().map(|block| block["type"].as_str().unwrap_or("")).collect();
        let n_results = kinds.iter().take_while(|kind| **kind == "tool_result").count();
        ensure(!kinds[n_results..].contains(&"tool_result"), "results come first")?;
        let answered: HashSet<&str> =
            content[..n_results].iter().filter_map(|block| block["tool_use_id"].as_str()).collect();
        ensure(answered.len() == n_results, "a result twice")?;
        ensure(answered == called.iter().copied().collect(), "results do not pair with calls")?;
        called.clear();
        for (block, kind) in content.iter().zip(&kinds) {
            match *kind {
                "text" => {
                    let text = block["text"].as_str().unwrap_or("");
                    ensure(!text.trim().is_empty(), "a blank text")?;
                }
                "tool_use" => {
                    let id = block["id"].as_str().unwrap_or("");
                    ensure(plain(id, 64) && seen.insert(id), "a call's id")?;
                    ensure(plain(block["name"].as_str().unwrap_or(""), 128), "a call's name")?;
                    ensure(block["input"].is_object(), "a call's input")?;
                    ensure(role == "assistant", "a call by the user")?;
                    called.push(id);
                }
                "thinking" => ensure(block["signature"].is_string(), "a thought unsigned")?,
                "redacted_thinking" => ensure(block["data"].is_string(), "a thought unsigned")?,
                "image" => ensure(role == "user", "a picture by the assistant")?,
                "tool_result" => {
                    let inside = list(&block["content"]);
                    let texts = inside.iter().all(|inner| inner["type"] == "text");
                    let is_error = block["is_error"] == true;
                    ensure(
                        !is_error || (texts && !inside.is_empty()),
                        "more than text in a failure",
                    )?;
                }
                other => return Err(format!("a block of type {other}")),
            }
        }
        ensure(!kinds.last().is_some_and(|kind| kind.contains("thinking")), "ends in a thought")?;
    }
    ensure(!messages.is_empty() && called.is_empty(), "calls without results at the end")?;
    let last = messages.last().map(|message| &message["role"]);
    ensure(!thinks || last.is_some_and(|role| role == "user"), "a begun answer while it thinks")
}

fn said(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn hello() -> Request {
    Request {
        model: "claude-sonnet-4-5".into(),
        messages: vec![said(Role::User, vec![Part::text("Hello")])],
        ..Request::default()
    }
}

fn endpoint(fake: &Fake) -> Endpoint {
    fake.endpoint(ProviderKind::Anthropic, "/v1")
}

fn weather() -> Tool {
    Tool {
        name: "weather".into(),
        description: String::new(),
        schema: json!({"properties": {"city": {"type": "string"}}}),
        strict: Some(true),
        cache: None,
    }
}

/// The parts of a long conversation in which much is amiss.
fn amiss() -> Vec<Message> {
    let thought =
        |by, value| Part::Thinking { text: "hm".into(), sealed: Some(Sealed { by, value }) };
    let call = |id: &str, arguments: &str| Part::ToolCall {
        id: id.into(),
        name: "files.read".into(),
        arguments: arguments.into(),
    };
    let result = |id: &str| Part::ToolResult {
        call_id: id.into(),
        parts: vec![Part::text(" ")],
        failed: true,
    };
    let image = |source| Part::Image(Image { media_type: "image/png".into(), source });
    vec![
        said(Role::Assistant, vec![Part::text("Good morning")]),
        said(Role::User, vec![Part::text(""), Part::text("Read a")]),
        said(
            Role::Assistant,
            vec![
                thought(ProviderKind::OpenAi, json!({"encrypted": "x"})),
                call("call|1", "{\"path\":"),
                call("call|1", "{}"),
                call("call:1", ""),
            ],
        ),
        said(Role::User, vec![Part::text("quick"), result("call:1"), result("nobody")]),
        said(Role::Assistant, vec![thought(ProviderKind::Zai, Value::Null)]),
        said(Role::User, vec![image(ImageSource::Base64("aGk=".into()))]),
        said(
            Role::Assistant,
            vec![
                thought(
                    ProviderKind::Anthropic,
                    json!({"signature": "S", "model": "claude-sonnet-4-5-20250929"}),
                ),
                call("2", "{}"),
            ],
        ),
        said(Role::User, vec![result("2"), result("call|1")]),
        said(Role::User, vec![image(ImageSource::Url("https://example.org/a.png".into()))]),
    ]
}

#[tokio::test]
async fn whatever_is_amiss_in_a_conversation_it_is_taken() {
    let models = models(Patiences::default());
    let mut n_calls = 0;
    for model in [
        "claude-3-5-haiku-latest",
        "claude-sonnet-4-5",
        "claude-opus-4-6",
        "claude-opus-5",
        "claude-opus-5-5",
    ] {
        for thinking in
            [Thinking::Usual, Thinking::Off, Thinking::Effort(Effort::Max), Thinking::Budget(9_000)]
        {
            for tool_choice in [ToolChoice::Auto, ToolChoice::Some, ToolChoice::Never] {
                let lengths = 1..=amiss().len();
                let fake =
                    Fake::start(strict, vec![Answer::recorded(TEXT); lengths.clone().count()])
                        .await;
                for length in lengths {
                    n_calls += 1;
                    let request = Request {
                        model: model.into(),
                        system: vec![System { text: "Be kind.".into(), cache: None }],
                        messages: amiss().into_iter().take(length).collect(),
                        tools: if length % 2 == 0 { vec![weather()] } else { vec![] },
                        tool_choice: tool_choice.clone(),
                        max_output: if length % 3 == 0 { Some(2_000) } else { None },
                        temperature: Some(1.5),
                        thinking,
                        cache: true,
                        ..Request::default()
                    };
                    let calling = models.stream(&endpoint(&fake), &request, Retries::NONE).await;
                    let (_, error) = drained(calling.unwrap()).await;
                    assert_eq!(error, None);
                }
            }
        }
    }
    assert_eq!(n_calls, 5 * 4 * 3 * 9);
}

#[tokio::test]
async fn what_a_model_answered_goes_back_as_it_came() {
    let answers = vec![Answer::recorded(THOUGHT), Answer::recorded(CALLS), Answer::recorded(TEXT)];
    let fake = Fake::start(strict, answers).await;
    let models = models(Patiences::default());
    let mut request = Request {
        model: "claude-opus-4-5".into(),
        tools: vec![weather()],
        thinking: Thinking::Budget(2_000),
        ..hello()
    };
    for _ in 0..3 {
        let calling = models.stream(&endpoint(&fake), &request, Retries::NONE).await.unwrap();
        let (events, error) = drained(calling).await;
        assert_eq!(error, None);
        let mut reply = Reply::default();
        events.iter().for_each(|event| reply.push(event));
        let results = reply.parts.iter().filter_map(|part| match part {
            Part::ToolCall { id, .. } => Some(Part::ToolResult {
                call_id: id.clone(),
                parts: vec![Part::text("fine")],
                failed: false,
            }),
            _ => None,
        });
        let mut answer: Vec<Part> = results.collect();
        answer.push(Part::text("Go on"));
        request.messages.push(said(Role::Assistant, reply.parts));
        request.messages.push(said(Role::User, answer));
    }
    let last = &fake.asked()[2].body;
    let thought = &last["messages"][1]["content"];
    assert_eq!(thought[0]["signature"], "EqQBCgIYAhIM1gbcDa9GJwZA2b3h");
    assert_eq!(thought[1]["data"], "EmwKAhgBEgy3va3pzix");
    assert_eq!(last["messages"][3]["content"][1]["input"]["city"], "San José");
    assert_eq!(last["messages"][4]["content"][2]["tool_use_id"], "toolu_03T3x");
}

#[tokio::test]
async fn an_answer_comes_in_pieces_or_at_once_and_the_list_proves_the_key() {
    let whole = include_str!("../../../../fixtures/sse/anthropic/whole.json");
    let models_list = json!({"data": [{
        "type": "model", "id": "claude-opus-5", "display_name": "Claude Opus 5",
        "created_at": "2026-07-24T00:00:00Z", "max_input_tokens": 1_000_000, "max_tokens": 128_000,
        "capabilities": {"image_input": {"supported": true}, "thinking": {"supported": true}},
    }, {"type": "model", "id": "claude-old"}], "has_more": false});
    let answers =
        vec![Answer::recorded(TEXT), Answer::recorded(whole), Answer::json(200, &models_list)];
    let fake = Fake::start(strict, answers).await;
    let models = models(Patiences::default());
    let endpoint = endpoint(&fake);
    let calling = models.stream(&endpoint, &hello(), Retries::NONE).await.unwrap();
    let (events, _) = drained(calling).await;
    assert_eq!(events.last(), Some(&Event::Ended(Why::Done)));
    let calling = models.whole(&endpoint, &hello(), Retries::NONE).await.unwrap();
    let (events, _) = drained(calling).await;
    assert_eq!(events.last(), Some(&Event::Ended(Why::ToolCalls)));
    let listed = models.list(&endpoint).await.unwrap();
    assert_eq!((listed[0].context, listed[0].vision), (Some(1_000_000), Some(true)));
    assert_eq!((listed[1].id.as_str(), listed[1].context), ("claude-old", None));
    let asked = fake.asked();
    assert_eq!(asked[0].header("x-api-key"), Some(KEY));
    assert_eq!((&asked[0].body["stream"], &asked[1].body["stream"]), (&json!(true), &json!(false)));
    let texts = ["x".to_owned()];
    let error = models.embed(&endpoint, "x", &texts).await.unwrap_err();
    assert_eq!(error.message, "this provider makes no embeddings");
}

#[tokio::test]
async fn a_token_of_a_login_goes_into_its_own_header() {
    let fake = Fake::start(strict, vec![Answer::recorded(TEXT)]).await;
    let key = Some(Key::new("sk-ant-oat01-abcdef".into()));
    let endpoint = Endpoint { key, ..endpoint(&fake) };
    models(Patiences::default()).stream(&endpoint, &hello(), Retries::NONE).await.unwrap();
    let asked = fake.asked();
    assert_eq!(asked[0].header("authorization"), Some("Bearer sk-ant-oat01-abcdef"));
    assert_eq!(asked[0].header("anthropic-beta"), Some("oauth-2025-04-20"));
    assert_eq!(asked[0].header("x-api-key"), None);
}

#[tokio::test]
async fn dropping_an_answer_closes_the_connection() {
    let begun = vec![Step::Send(CUT.as_bytes().to_vec()), Step::Stall];
    let mut fake = Fake::start(strict, vec![Answer::stream(begun)]).await;
    let models = models(Patiences::default());
    let mut calling = models.stream(&endpoint(&fake), &hello(), Retries::NONE).await.unwrap();
    while !matches!(calling.next().await.unwrap(), Some(Event::Text(_))) {}
    let dropped = Instant::now();
    drop(calling);
    let took = fake.gone().await.duration_since(dropped);
    println!("the provider saw the end after {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn overload_is_tried_again_and_a_long_wait_is_not() {
    let busy =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let answers = vec![
        Answer::json(529, &busy),
        Answer::json(529, &busy).with("retry-after-ms", "5"),
        Answer::recorded(TEXT),
    ];
    let fake = Fake::start(strict, answers).await;
    let models = models(Patiences::default());
    let retries = Retries { most: 2, within: Duration::from_secs(5), seed: 7 };
    let calling = models.stream(&endpoint(&fake), &hello(), retries).await.unwrap();
    assert_eq!(drained(calling).await.1, None);
    assert_eq!(fake.asked().len(), 3);

    let slow =
        json!({"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}});
    let fake =
        Fake::start(strict, vec![Answer::json(429, &slow).with("retry-after", "3600")]).await;
    let error = models.stream(&endpoint(&fake), &hello(), retries).await.err().unwrap();
    assert_eq!((error.class, error.status), (FailureClass::Rate, Some(429)));
    assert_eq!(error.retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn however_a_stream_fails_what_was_said_is_kept_and_the_failure_told() {
    let bytes = |text: &str| Step::Send(text.as_bytes().to_vec());
    let cases = [
        (vec![bytes(CUT), Step::Stall], "Once upon a ti", FailureClass::Timeout),
        (vec![bytes(CUT), Step::Cut], "Once upon a ti", FailureClass::Incomplete),
        // The body ends well, the answer does not.
        (vec![bytes(CUT)], "Once upon a ti", FailureClass::Incomplete),
        (vec![], "", FailureClass::Incomplete),
        (vec![bytes(MALFORMED)], "Half", FailureClass::Malformed),
        (vec![bytes("data: \u{1}{]\n\n")], "", FailureClass::Malformed),
    ];
    for (steps, text, class) in cases {
        let fake = Fake::start(strict, vec![Answer::stream(steps)]).await;
        let models = models(quick());
        let calling = models.stream(&endpoint(&fake), &hello(), Retries::NONE).await.unwrap();
        let (events, error) = drained(calling).await;
        let mut reply = Reply::default();
        events.iter().for_each(|event| reply.push(event));
        assert_eq!((reply.text().as_str(), reply.why), (text, None));
        assert_eq!(error.unwrap().class, class);
    }
    let fake = Fake::start(strict, vec![Answer::stream(vec![Step::Stall])]).await;
    let calling = models(quick()).stream(&endpoint(&fake), &hello(), Retries::NONE).await.unwrap();
    assert_eq!(drained(calling).await.1.unwrap().class, FailureClass::Timeout);
}

#[tokio::test]
async fn a_million_tiny_pieces_are_read_in_bounded_time() {
    const PIECES: usize = 1_000_000;
    let piece = "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n";
    let end = "data: {\"type\":\"message_stop\"}\n\n";
    let steps = vec![Step::Many(piece, PIECES), Step::Send(end.as_bytes().to_vec())];
    let fake = Fake::start(strict, vec![Answer::stream(steps)]).await;
    let patiences = Patiences { answer_bytes: 256 * 1024 * 1024, ..Patiences::default() };
    let begin = Instant::now();
    let models = models(patiences);
    let mut calling = models.stream(&endpoint(&fake), &hello(), Retries::NONE).await.unwrap();
    let mut length = 0;
    while let Some(event) = calling.next().await.unwrap() {
        if let Event::Text(text) = event {
            length += text.len();
        }
    }
    println!("{PIECES} pieces took {:?}", begin.elapsed());
    assert_eq!(length, PIECES);
    // Several times what a busy machine takes without optimising; with a square in it, it would be hours.
    assert!(begin.elapsed() < 20 * DEADLINE);
}

#[tokio::test]
async fn a_key_in_a_failure_is_not_shown() {
    let words = format!("invalid x-api-key: {KEY}");
    let error =
        json!({"type": "error", "error": {"type": "authentication_error", "message": words}});
    let stream = format!("event: error\ndata: {error}\n\n");
    let answers = vec![Answer::json(401, &error), Answer::recorded(&stream)];
    let fake = Fake::start(strict, answers).await;
    let models = models(Patiences::default());
    let refused = models.stream(&endpoint(&fake), &hello(), Retries::NONE).await.err().unwrap();
    let calling = models.stream(&endpoint(&fake), &hello(), Retries::NONE).await.unwrap();
    let later = drained(calling).await.1.unwrap();
    for error in [refused, later] {
        assert_eq!(error.class, FailureClass::Auth);
        assert_eq!(error.message, "invalid x-api-key: ***");
        assert!(!format!("{error:?}").contains("0123456789"));
    }
}

#[tokio::test]
async fn a_huge_call_of_a_tool_is_taken_up_to_the_bound() {
    const PIECE: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}}\n\n";
    let start = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"write\",\"input\":{}}}\n\n";
    let end = "data: {\"type\":\"content_block_stop\",\"index\":0}\n\ndata: {\"type\":\"message_stop\"}\n\n";
    let steps = |pieces| {
        let send = |text: &str| Step::Send(text.as_bytes().to_vec());
        Answer::stream(vec![send(start), Step::Many(PIECE, pieces), send(end)])
    };
    let fake = Fake::start(strict, vec![steps(20_000), steps(20_000)]).await;
    let within = models(Patiences::default());
    let calling = within.stream(&endpoint(&fake), &hello(), Retries::NONE).await.unwrap();
    let (events, error) = drained(calling).await;
    assert_eq!(error, None);
    let mut reply = Reply::default();
    events.iter().for_each(|event| reply.push(event));
    let Part::ToolCall { arguments, .. } = &reply.parts[0] else { panic!("{:?}", reply.parts) };
    assert_eq!(arguments.len(), 2_000_000);

    let bounded = models(Patiences { answer_bytes: 1_000_000, ..Patiences::default() });
    let calling = bounded.stream(&endpoint(&fake), &hello(), Retries::NONE).await.unwrap();
    assert_eq!(drained(calling).await.1.unwrap().class, FailureClass::Malformed);
}

#[tokio::test]
async fn a_private_address_is_out_of_reach_unless_it_is_allowed() {
    let fake = Fake::start(strict, vec![]).await;
    let endpoint = Endpoint { reach: Reach::Public, ..endpoint(&fake) };
    let models = models(Patiences::default());
    let error = models.stream(&endpoint, &hello(), Retries::NONE).await.err().unwrap();
    assert_eq!(error.class, FailureClass::BadRequest);
    assert!(error.message.contains("private address; an admin must allow"), "{}", error.message);
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn marks_of_an_hour_are_taken() {
    let fake = Fake::start(strict, vec![Answer::recorded(TEXT)]).await;
    let cache = Some(CacheFor::Hour);
    let request = Request {
        system: vec![System { text: "Be kind.".into(), cache: Some(CacheFor::Minutes) }],
        messages: vec![said(Role::User, vec![Part::Text { text: "Hello".into(), cache }])],
        ..hello()
    };
    let models = models(Patiences::default());
    models.stream(&endpoint(&fake), &request, Retries::NONE).await.unwrap();
    let body = &fake.asked()[0].body;
    assert_eq!(body["system"][0]["cache_control"], json!({"type": "ephemeral", "ttl": "1h"}));
}

#[tokio::test]
async fn ten_megabytes_are_sent_as_they_are_and_refused_for_their_length() {
    let long = json!({"type": "error", "error": {
        "type": "invalid_request_error", "message": "prompt is too long: 2500000 tokens > 200000 maximum"}});
    let fake = Fake::start(strict, vec![Answer::json(400, &long)]).await;
    let text = "0123456789".repeat(1_000_000);
    let request =
        Request { messages: vec![said(Role::User, vec![Part::text(text.as_str())])], ..hello() };
    let models = models(Patiences::default());
    let error = models.stream(&endpoint(&fake), &request, Retries::NONE).await.err().unwrap();
    assert_eq!(error.class, FailureClass::ContextTooLong);
    assert!(fake.asked()[0].body["messages"][0]["content"][0]["text"] == text.as_str());
}

#[tokio::test]
async fn a_list_that_is_none_is_malformed() {
    let answers = ["{}", "[1]", "<html>", "{\"data\":[{\"id\":7}]}"].map(Answer::recorded);
    let fake = Fake::start(strict, answers.to_vec()).await;
    let models = models(Patiences::default());
    for _ in answers {
        let error = models.list(&endpoint(&fake)).await.unwrap_err();
        assert_eq!(error.class, FailureClass::Malformed);
    }
}

/// The fake is worth something only if it refuses.
#[test]
fn the_fake_refuses_what_the_provider_refuses() {
    let good = json!({"max_tokens": 5, "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]});
    let check = |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        let headers = ["x-api-key", "anthropic-version", "content-type"];
        let values = ["k", "2023-06-01", "application/json"];
        strict(&Asked {
            method: "POST".into(),
            path: "/v1/messages".into(),
            headers: headers.iter().zip(values).map(|(n, v)| ((*n).into(), v.into())).collect(),
            body,
        })
    };
    assert_eq!(check(&|_| {}), Ok(()));
    let call = json!({"type": "tool_use", "id": "1", "name": "a", "input": {}});
    let wrong: &[&dyn Fn(&mut Value)] = &[
        &|body| body["max_tokens"] = json!(null),
        &|body| body["messages"] = json!([]),
        &|body| body["messages"][0]["role"] = json!("assistant"),
        &|body| body["messages"][0]["content"][0]["text"] = json!(" "),
        &|body| body["messages"][0]["content"][0]["text"] = json!(KEY),
        &|body| body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024}),
        &|body| {
            body["messages"]
                .as_array_mut()
                .unwrap()
                .push(json!({"role": "assistant", "content": [call]}));
        },
    ];
    for (index, change) in wrong.iter().enumerate() {
        assert!(check(change).is_err(), "{index}");
    }
}
