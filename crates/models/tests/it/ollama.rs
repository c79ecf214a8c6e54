//! Ollama's own API against a fake that is as strict as the provider.

use crate::fake::{Answer, Asked, Fake, KEY, Step, drained, models, quick};
use mosaic_models::{
    Endpoint, Event, Image, ImageSource, Message, Part, Patiences, Reply, Request, Retries, Role,
    Sealed, Tool, Why,
};
use mosaic_protocol::provider::{FailureClass, ProviderKind};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TEXT: &str = include_str!("../../../../fixtures/sse/ollama/text.ndjson");
const TOOLS: &str = include_str!("../../../../fixtures/sse/ollama/tools.ndjson");
const CUT: &str = include_str!("../../../../fixtures/sse/ollama/cut.ndjson");
const ERROR: &str = include_str!("../../../../fixtures/sse/ollama/error.ndjson");
const MALFORMED: &str = include_str!("../../../../fixtures/sse/ollama/malformed.ndjson");

fn ensure(is: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if is { Ok(()) } else { Err(otherwise.into()) }
}

/// What the server would find wrong, and what it would silently do badly.
fn strict(asked: &Asked) -> Result<(), String> {
    let body = &asked.body;
    ensure(!body.to_string().contains("sk-"), "a secret in the body")?;
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/api/tags") => return Ok(()),
        ("POST", "/api/embed") => return ensure(body["input"].is_array(), "the texts"),
        ("POST", "/api/chat") => {}
        _ => return Err("the path".into()),
    }
    ensure(body["options"]["num_ctx"].as_u64() >= Some(8_192), "the context")?;
    ensure(body["options"]["num_predict"].as_u64() >= Some(1), "no bound on the answer")?;
    let messages = body["messages"].as_array().ok_or("no messages")?;
    let mut open: Vec<&Value> = vec![];
    for message in messages {
        let role = message["role"].as_str().unwrap_or("");
        ensure(message["content"].is_string(), "content is a text")?;
        let images = message["images"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        ensure(images.iter().all(Value::is_string), "pictures are texts")?;
        if role == "tool" {
            ensure(!open.is_empty(), "a result without a call")?;
            let call = open.remove(0);
            ensure(message["tool_name"] == call["function"]["name"], "a result of another tool")?;
            ensure(message["tool_call_id"] == call["id"], "a result of another call")?;
            continue;
        }
        ensure(open.is_empty(), "a call without a result")?;
        ensure(["system", "user", "assistant"].contains(&role), "a role")?;
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            ensure(call["function"]["arguments"].is_object(), "arguments are an object")?;
            open.push(call);
        }
    }
    ensure(open.is_empty(), "a call without a result at the end")
}

fn said(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn hello() -> Request {
    Request {
        model: "qwen3:8b".into(),
        messages: vec![said(Role::User, vec![Part::text("Hello")])],
        ..Request::default()
    }
}

fn endpoint(fake: &Fake) -> Endpoint {
    Endpoint { key: None, ..fake.endpoint(ProviderKind::Ollama, "") }
}

#[tokio::test]
async fn an_answer_comes_in_pieces_or_at_once_and_the_list_says_what_there_is() {
    let tags = json!({"models": [
        {"name": "qwen3:8b", "model": "qwen3:8b", "size": 5, "details": {"family": "qwen3", "families": ["qwen3"]}},
        {"name": "nomic-embed-text:latest", "model": "nomic-embed-text:latest",
         "details": {"family": "nomic-bert", "families": ["nomic-bert"]}},
        {"name": "new", "model": "new", "details": {"families": null, "context_length": 4096},
         "capabilities": ["completion", "tools", "vision"]},
    ]});
    let whole = json!({
        "model": "qwen3:8b", "created_at": "2026-05-27T22:54:57Z", "done": true, "done_reason": "stop",
        "message": {"role": "assistant", "content": "Hi", "thinking": "Greet."},
        "prompt_eval_count": 5, "eval_count": 6,
    });
    let answers = vec![Answer::recorded(TEXT), Answer::json(200, &whole), Answer::json(200, &tags)];
    let fake = Fake::start(strict, answers).await;
    let models = models(Patiences::default());
    let endpoint = endpoint(&fake);
    let calling = models.stream(&endpoint, &hello(), Retries::NONE).await.unwrap();
    assert_eq!(drained(calling).await.0.last(), Some(&Event::Ended(Why::Done)));
    let calling = models.whole(&endpoint, &hello(), Retries::NONE).await.unwrap();
    let (events, error) = drained(calling).await;
    assert_eq!(error, None);
    let mut reply = Reply::default();
    events.iter().for_each(|event| reply.push(event));
    assert_eq!((reply.text().as_str(), reply.reported.unwrap().usage.total()), ("Hi", 11));
    let listed = models.list(&endpoint).await.unwrap();
    let told: Vec<_> = listed
        .iter()
        .map(|model| (model.id.as_str(), model.tools, model.embedding, model.context))
        .collect();
    let wanted = [
        ("qwen3:8b", None, None, None),
        ("nomic-embed-text:latest", None, Some(true), None),
        ("new", Some(true), Some(false), Some(4096)),
    ];
    assert_eq!(told, wanted);
    assert_eq!(fake.asked()[0].header("authorization"), None);
}

#[tokio::test]
async fn texts_are_embedded_one_vector_each() {
    let two =
        json!({"model": "m", "embeddings": [[0.5, -1.0], [0.0, 1.0]], "prompt_eval_count": 8});
    let one = json!({"embeddings": [[0.5]]});
    let answers = vec![Answer::json(200, &two), Answer::json(200, &one)];
    let fake = Fake::start(strict, answers).await;
    let models = models(Patiences::default());
    let texts = ["a".to_owned(), "b".to_owned()];
    let vectors = models.embed(&endpoint(&fake), "m", &texts).await.unwrap();
    assert_eq!((vectors.vectors, vectors.tokens), (vec![vec![0.5, -1.0], vec![0.0, 1.0]], Some(8)));
    let error = models.embed(&endpoint(&fake), "m", &texts).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Malformed);
    assert_eq!(fake.asked()[0].body, json!({"model": "m", "input": ["a", "b"]}));
}

#[tokio::test]
async fn a_conversation_with_tools_goes_on_whoever_began_it() {
    let fake = Fake::start(strict, vec![Answer::recorded(TOOLS), Answer::recorded(TEXT)]).await;
    let models = models(Patiences::default());
    let seal = Some(Sealed { by: ProviderKind::Anthropic, value: json!({"signature": "x"}) });
    let image = ImageSource::Base64("aGk=".into());
    let mut request = Request {
        tools: vec![Tool {
            name: "weather".into(),
            description: String::new(),
            schema: json!({"type": "object"}),
            strict: None,
            cache: None,
        }],
        messages: vec![
            said(Role::User, vec![Part::text("Oslo?")]),
            said(
                Role::Assistant,
                vec![
                    Part::Thinking { text: "hm".into(), sealed: seal },
                    Part::ToolCall {
                        id: "t1".into(),
                        name: "weather".into(),
                        arguments: "{".into(),
                    },
                ],
            ),
            said(
                Role::User,
                vec![Part::Image(Image { media_type: "image/png".into(), source: image })],
            ),
        ],
        ..hello()
    };
    let calling = models.stream(&endpoint(&fake), &request, Retries::NONE).await.unwrap();
    let (events, error) = drained(calling).await;
    assert_eq!(error, None);
    let mut reply = Reply::default();
    events.iter().for_each(|event| reply.push(event));
    request.messages.push(said(Role::Assistant, reply.parts));
    let calling = models.stream(&endpoint(&fake), &request, Retries::NONE).await.unwrap();
    assert_eq!(drained(calling).await.1, None);
    let asked = fake.asked();
    assert!(!asked[0].body.to_string().contains("hm"));
    let answered = &asked[1].body["messages"][4];
    assert_eq!(
        (&answered["thinking"], &answered["tool_calls"][1]["function"]["arguments"]["days"]),
        (&json!("Both."), &json!(3))
    );
}

#[tokio::test]
async fn however_a_stream_fails_what_was_said_is_kept_and_the_failure_told() {
    let bytes = |text: &str| Step::Send(text.as_bytes().to_vec());
    let cases = [
        (vec![bytes(CUT), Step::Stall], "Once upon a ti", FailureClass::Timeout),
        (vec![bytes(CUT), Step::Cut], "Once upon a ti", FailureClass::Incomplete),
        (vec![bytes(CUT)], "Once upon a ti", FailureClass::Incomplete),
        (vec![bytes(ERROR)], "Once upon", FailureClass::Overload),
        (vec![bytes(MALFORMED)], "Half", FailureClass::Malformed),
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
    println!("the server saw the end after {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_model_that_is_not_there_is_said_in_the_servers_words() {
    let words = json!({"error": "model 'nothing' not found"});
    let fake = Fake::start(strict, vec![Answer::json(404, &words)]).await;
    let models = models(Patiences::default());
    let error = models.stream(&endpoint(&fake), &hello(), Retries::NONE).await.err().unwrap();
    assert_eq!(error.class, FailureClass::NoSuchModel);
    assert_eq!(error.message, "model 'nothing' not found");
}

#[tokio::test]
async fn a_key_goes_into_a_header_and_is_not_shown_when_it_comes_back() {
    let words = json!({"error": format!("unauthorized: {KEY}")});
    let line = format!("{words}\n");
    let fake = Fake::start(strict, vec![Answer::json(401, &words), Answer::recorded(&line)]).await;
    let models = models(Patiences::default());
    let endpoint = fake.endpoint(ProviderKind::Ollama, "");
    let refused = models.stream(&endpoint, &hello(), Retries::NONE).await.err().unwrap();
    assert_eq!(
        (refused.class, refused.message.as_str()),
        (FailureClass::Auth, "unauthorized: ***")
    );
    let calling = models.stream(&endpoint, &hello(), Retries::NONE).await.unwrap();
    assert_eq!(drained(calling).await.1.unwrap().message, "unauthorized: ***");
    assert_eq!(fake.asked()[0].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
}
