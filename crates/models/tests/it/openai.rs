//! Chat Completions in all dialects, and Responses, against a fake that is as strict as the providers.

mod strict;

use crate::fake::{Answer, Asked, DEADLINE, Fake, KEY, Step, drained, models, quick};
use mosaic_models::{
    Effort, Endpoint, Event, Image, ImageSource, Message, Output, Part, Patiences, Reply, Request,
    Retries, Role, Sealed, System, Thinking, Tool, ToolChoice, Why,
};
use mosaic_protocol::provider::{Api, FailureClass, ProviderKind};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use strict::strict;

macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!("../../../../fixtures/sse/", $name, ".sse"))
    };
}

const CUT: &str = recorded!("openai/cut");

/// Who is asked, as which model, and what is answered: with tools called, then with words.
const ALL: &[(ProviderKind, Api, &str, &str, &str)] = &[
    (
        ProviderKind::OpenAi,
        Api::Chat,
        "gpt-4o",
        recorded!("openai/parallel_calls"),
        recorded!("openai/text"),
    ),
    (
        ProviderKind::OpenAi,
        Api::Chat,
        "gpt-5.2",
        recorded!("openai/parallel_calls"),
        recorded!("openai/text"),
    ),
    (
        ProviderKind::OpenAi,
        Api::Responses,
        "gpt-5.2",
        recorded!("openai-responses/parallel_calls"),
        recorded!("openai-responses/thinking_text"),
    ),
    (
        ProviderKind::OpenRouter,
        Api::Chat,
        "anthropic/claude-sonnet-4.5",
        recorded!("openrouter/thinking_and_call"),
        recorded!("openrouter/encrypted"),
    ),
    (
        ProviderKind::Zai,
        Api::Chat,
        "glm-5.2",
        recorded!("zai/thinking_and_call"),
        recorded!("zai/context_full"),
    ),
    (
        ProviderKind::DeepSeek,
        Api::Chat,
        "deepseek-chat",
        recorded!("deepseek/calls"),
        recorded!("deepseek/thinking"),
    ),
    (
        ProviderKind::Compatible,
        Api::Chat,
        "qwen3",
        recorded!("compatible/calls_without_ids"),
        recorded!("compatible/reasoning_twice"),
    ),
];

fn endpoint(fake: &Fake, kind: ProviderKind, api: Api) -> Endpoint {
    Endpoint { api, ..fake.endpoint(kind, &format!("/{kind}/v1")) }
}

fn said(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn hello(model: &str) -> Request {
    let messages = vec![said(Role::User, vec![Part::text("Hello")])];
    Request { model: model.into(), messages, ..Request::default() }
}

fn look() -> Tool {
    Tool {
        name: "look".into(),
        description: "Looks.".into(),
        schema: json!({"type": "object", "properties": {"at": {"type": "string"}}}),
        strict: Some(true),
        cache: None,
    }
}

fn reply(events: &[Event]) -> Reply {
    let mut reply = Reply::default();
    events.iter().for_each(|event| reply.push(event));
    reply
}

/// A long conversation in which much is amiss.
fn amiss() -> Vec<Message> {
    let thought = |by, value| Part::Thinking {
        text: "they thought".into(),
        sealed: Some(Sealed { by, value }),
    };
    let call = |id: &str, arguments: &str| Part::ToolCall {
        id: id.into(),
        name: "look".into(),
        arguments: arguments.into(),
    };
    let picture = || {
        let source = ImageSource::Base64("aGk=".into());
        Part::Image(Image { media_type: "image/png".into(), source })
    };
    let result = |id: &str, parts| Part::ToolResult { call_id: id.into(), parts, failed: false };
    vec![
        said(Role::User, vec![Part::text(""), Part::text("Look")]),
        said(
            Role::Assistant,
            vec![
                thought(ProviderKind::Anthropic, json!({"signature": "c2lnbmVk"})),
                call("toolu_1", "{\"at\": "),
                call("functions.look:1", "{}"),
            ],
        ),
        said(
            Role::User,
            vec![
                Part::text("quick"),
                result("functions.look:1", vec![picture()]),
                result("nobody", vec![Part::text("lost")]),
            ],
        ),
        said(Role::Assistant, vec![thought(ProviderKind::Ollama, Value::Null)]),
        said(Role::User, vec![Part::text("And here?"), picture()]),
        said(Role::Assistant, vec![call(&"x".repeat(100), "")]),
    ]
}

#[tokio::test]
async fn the_same_conversation_is_taken_by_all() {
    let models = models(Patiences::default());
    let mut n_calls = 0;
    for (kind, api, model, _, words) in ALL {
        let schema =
            Output::Schema { name: "seen".into(), schema: json!({"type": "object"}), strict: true };
        for output in [Output::Text, Output::Json, schema] {
            for (thinking, tool_choice) in [
                (Thinking::Usual, ToolChoice::Auto),
                (Thinking::Off, ToolChoice::Never),
                (Thinking::Effort(Effort::Max), ToolChoice::Some),
                (Thinking::Budget(9_000), ToolChoice::Named("look".into())),
            ] {
                let lengths = 1..=amiss().len();
                let answers = vec![Answer::recorded(words); lengths.clone().count()];
                let fake = Fake::start(strict, answers).await;
                for length in lengths {
                    n_calls += 1;
                    let request = Request {
                        model: (*model).into(),
                        system: vec![System { text: "Be kind.".into(), cache: None }],
                        messages: amiss().into_iter().take(length).collect(),
                        tools: if length % 2 == 0 { vec![look()] } else { vec![] },
                        tool_choice: tool_choice.clone(),
                        parallel_tools: Some(true),
                        max_output: Some(500),
                        temperature: Some(0.5),
                        // With these OpenAI is spoken to in the older of its formats, which can say them.
                        seed: (*api == Api::Chat).then_some(1),
                        presence_penalty: (*api == Api::Chat).then_some(0.5),
                        thinking,
                        output: output.clone(),
                        cache: true,
                        on_behalf: Some("somebody".into()),
                        ..Request::default()
                    };
                    let endpoint = endpoint(&fake, *kind, *api);
                    let calling = models.stream(&endpoint, &request, Retries::NONE).await;
                    let (_, error) = drained(calling.unwrap()).await;
                    assert_eq!(error, None);
                    let body = fake.asked().pop().unwrap().body.to_string();
                    assert!(!body.contains("they thought") && !body.contains("c2lnbmVk"), "{body}");
                }
            }
        }
    }
    assert_eq!(n_calls, ALL.len() * 3 * 4 * 6);
}

#[tokio::test]
async fn what_a_model_answered_goes_back_as_it_came() {
    let models = models(Patiences::default());
    for (kind, api, model, calls, words) in ALL {
        let answers =
            vec![Answer::recorded(words), Answer::recorded(calls), Answer::recorded(words)];
        let fake = Fake::start(strict, answers).await;
        let endpoint = endpoint(&fake, *kind, *api);
        let mut request = Request { tools: vec![look()], ..hello(model) };
        for turn in 0..3 {
            let calling = models.stream(&endpoint, &request, Retries::NONE).await.unwrap();
            let (events, error) = drained(calling).await;
            assert_eq!(error, None, "{kind} {turn}");
            let reply = reply(&events);
            assert!(reply.reported.is_some() || *kind == ProviderKind::Compatible, "{kind}");
            let results = reply.parts.iter().filter_map(|part| match part {
                Part::ToolCall { id, .. } => Some(Part::ToolResult {
                    call_id: id.clone(),
                    parts: vec![Part::text("fine")],
                    failed: false,
                }),
                _ => None,
            });
            let mut answer: Vec<Part> = results.collect();
            let called = !answer.is_empty();
            assert_eq!(called, turn == 1, "{kind}");
            assert_eq!(called, reply.why == Some(Why::ToolCalls), "{kind}");
            if !called {
                answer.push(Part::text("Go on"));
            }
            request.messages.push(said(Role::Assistant, reply.parts));
            request.messages.push(said(Role::User, answer));
        }
        let last = fake.asked().pop().unwrap().body;
        let back = last.to_string();
        let sealed = match (kind, api) {
            (_, Api::Responses) => Some("gAAAAAB"),
            (ProviderKind::OpenRouter, _) => Some("c2lnbmF0dXJl"),
            (ProviderKind::Zai, _) => Some("The user wants rain."),
            (ProviderKind::DeepSeek, _) => Some("Date first."),
            _ => None,
        };
        assert!(sealed.is_none_or(|sealed| back.contains(sealed)), "{back}");
    }
}

#[tokio::test]
async fn an_answer_comes_at_once_and_lists_and_embeddings_are_read() {
    let whole = json!({
        "id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    });
    let item = json!({"type": "message", "content": [{"type": "output_text", "text": "Hi"}]});
    let of_responses = json!({
        "id": "c", "model": "m", "status": "completed", "output": [item],
        "usage": {"input_tokens": 3, "output_tokens": 1},
    });
    let vectors =
        json!({"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]});
    let models = models(Patiences::default());
    for (kind, api, model, ..) in ALL {
        let whole = if *api == Api::Chat { &whole } else { &of_responses };
        let list = json!({"object": "list", "data": [{"id": model}]});
        let few = json!({"data": [{"embedding": [1.0]}]});
        let answers = [whole, &list, &vectors, &few].map(|answer| Answer::json(200, answer));
        let fake = Fake::start(strict, answers.to_vec()).await;
        let endpoint = endpoint(&fake, *kind, *api);
        let calling = models.whole(&endpoint, &hello(model), Retries::NONE).await.unwrap();
        let (events, error) = drained(calling).await;
        assert_eq!(error, None);
        let reply = reply(&events);
        assert_eq!((reply.text().as_str(), reply.why), ("Hi", Some(Why::Done)));
        assert_eq!(reply.reported.unwrap().usage.prompt(), 3);
        assert_eq!(models.list(&endpoint).await.unwrap()[0].id, *model);
        let texts = ["a".to_owned(), "b".to_owned()];
        let embedded = models.embed(&endpoint, model, &texts).await;
        if *kind == ProviderKind::DeepSeek {
            assert_eq!(embedded.unwrap_err().message, "this provider makes no embeddings");
            continue;
        }
        assert_eq!(embedded.unwrap().vectors, [[1.0], [2.0]]);
        let few = models.embed(&endpoint, model, &texts).await.unwrap_err();
        assert_eq!(few.class, FailureClass::Malformed);
    }
}

#[tokio::test]
async fn a_storm_of_refusals_passes_and_a_long_wait_is_not_waited() {
    let busy = json!({"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}});
    let models = models(Patiences::default());
    let retries = Retries { most: 3, within: Duration::from_secs(5), seed: 7 };
    for (kind, api, model, _, words) in ALL {
        let soon = || Answer::json(429, &busy).with("retry-after-ms", "2");
        let fake = Fake::start(strict, vec![soon(), soon(), soon(), Answer::recorded(words)]).await;
        let endpoint = endpoint(&fake, *kind, *api);
        let calling = models.stream(&endpoint, &hello(model), retries).await.unwrap();
        assert_eq!(drained(calling).await.1, None);
        assert_eq!(fake.asked().len(), 4);
    }
    let fake = Fake::start(strict, vec![Answer::json(429, &busy).with("retry-after", "90")]).await;
    let endpoint = endpoint(&fake, ProviderKind::OpenAi, Api::Chat);
    let error = models.stream(&endpoint, &hello("gpt-4o"), retries).await.err().unwrap();
    assert_eq!((error.class, error.status), (FailureClass::Rate, Some(429)));
    assert_eq!(error.retry_after, Some(Duration::from_secs(90)));
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn a_key_in_a_failure_is_not_shown() {
    let error = json!({"error": {"message": format!("bad key: {KEY}"), "code": "invalid_api_key"}});
    let stream = format!("data: {error}\n\n");
    let models = models(Patiences::default());
    let answers =
        vec![Answer::json(401, &error), Answer::recorded(&stream), Answer::json(200, &error)];
    let fake = Fake::start(strict, answers).await;
    let endpoint = endpoint(&fake, ProviderKind::OpenRouter, Api::Chat);
    let request = hello("m");
    let refused = models.stream(&endpoint, &request, Retries::NONE).await.err().unwrap();
    let calling = models.stream(&endpoint, &request, Retries::NONE).await.unwrap();
    let later = drained(calling).await.1.unwrap();
    let whole = models.whole(&endpoint, &request, Retries::NONE).await.err().unwrap();
    for error in [refused, later, whole] {
        assert_eq!((error.class, error.message.as_str()), (FailureClass::Auth, "bad key: ***"));
        assert!(!format!("{error:?}").contains("0123456789"));
    }
}

#[tokio::test]
async fn however_a_stream_fails_what_was_said_is_kept_and_the_failure_told() {
    let bytes = |text: &str| Step::Send(text.as_bytes().to_vec());
    let finished = recorded!("openai/closed_after_reason");
    let cases = [
        (vec![bytes(CUT), Step::Stall], "Once upon a ti", FailureClass::Timeout),
        (vec![bytes(CUT), Step::Cut], "Once upon a ti", FailureClass::Incomplete),
        // The body ends well, the answer does not.
        (vec![bytes(CUT)], "Once upon a ti", FailureClass::Incomplete),
        (
            vec![bytes(recorded!("openai/done_without_reason")), Step::Stall],
            "Once upon",
            FailureClass::Incomplete,
        ),
        // Why it ended is known, but it did not end.
        (vec![bytes(finished), Step::Cut], "Yes.", FailureClass::Incomplete),
        (vec![bytes(recorded!("openai/malformed"))], "Once", FailureClass::Malformed),
        (vec![bytes(recorded!("openai/error_in_the_middle"))], "Once", FailureClass::Overload),
        (vec![], "", FailureClass::Incomplete),
        (vec![bytes("data: \u{1}{]\n\n")], "", FailureClass::Malformed),
        (vec![bytes("{\"error\": \"this is no stream\"}")], "", FailureClass::Incomplete),
        (vec![Step::Stall], "", FailureClass::Timeout),
    ];
    for (steps, text, class) in cases {
        let fake = Fake::start(strict, vec![Answer::stream(steps)]).await;
        let endpoint = endpoint(&fake, ProviderKind::Compatible, Api::Chat);
        let calling = models(quick()).stream(&endpoint, &hello("m"), Retries::NONE).await.unwrap();
        let (events, error) = drained(calling).await;
        let reply = reply(&events);
        assert_eq!((reply.text().as_str(), reply.why), (text, None));
        assert_eq!(error.unwrap().class, class);
    }
    let fake = Fake::start(strict, vec![Answer::recorded(finished)]).await;
    let endpoint = endpoint(&fake, ProviderKind::Compatible, Api::Chat);
    let calling = models(quick()).stream(&endpoint, &hello("m"), Retries::NONE).await.unwrap();
    let (events, error) = drained(calling).await;
    assert_eq!((events.last(), error), (Some(&Event::Ended(Why::Done)), None));
}

#[tokio::test]
async fn a_provider_that_never_answers_is_given_up_and_one_that_is_not_there_is_named() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let fake = Fake::start(strict, vec![]).await;
    let endpoint = Endpoint {
        base_url: format!("http://{address}/v1").parse().unwrap(),
        ..endpoint(&fake, ProviderKind::Compatible, Api::Chat)
    };
    let models = models(quick());
    let begin = Instant::now();
    let late = models.stream(&endpoint, &hello("m"), Retries::NONE).await.err().unwrap();
    assert_eq!(late.class, FailureClass::Timeout);
    assert!(begin.elapsed() < DEADLINE);
    drop(silent);
    let gone = models.stream(&endpoint, &hello("m"), Retries::NONE).await.err().unwrap();
    assert_eq!(gone.class, FailureClass::Transport);
    assert!(gone.message.contains(&address.to_string()), "{gone}");
}

#[tokio::test]
async fn arguments_that_are_no_json_are_handed_on_as_they_are() {
    let answers = vec![Answer::recorded(recorded!("openai/many_calls_wrong_json"))];
    let fake = Fake::start(strict, answers).await;
    let endpoint = endpoint(&fake, ProviderKind::OpenAi, Api::Chat);
    let models = models(Patiences::default());
    let calling = models.stream(&endpoint, &hello("gpt-4o"), Retries::NONE).await.unwrap();
    let (events, error) = drained(calling).await;
    assert_eq!(error, None);
    let reply = reply(&events);
    let arguments = "{\"path\": \"a\", oops".to_owned();
    let (id, name) = ("call_A".to_owned(), "write".to_owned());
    assert_eq!(reply.parts, [Part::ToolCall { id, name, arguments }]);
    assert_eq!(reply.why, Some(Why::ToolCalls));
}

#[tokio::test]
async fn a_million_tiny_pieces_are_read_in_bounded_time() {
    const PIECES: usize = 1_000_000;
    let piece = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let steps = vec![Step::Many(piece, PIECES), Step::Send(end.as_bytes().to_vec())];
    let fake = Fake::start(strict, vec![Answer::stream(steps)]).await;
    let patiences = Patiences { answer_bytes: 256 * 1024 * 1024, ..Patiences::default() };
    let endpoint = endpoint(&fake, ProviderKind::Compatible, Api::Chat);
    let begin = Instant::now();
    let models = models(patiences);
    let mut calling = models.stream(&endpoint, &hello("m"), Retries::NONE).await.unwrap();
    let mut length = 0;
    while let Some(event) = calling.next().await.unwrap() {
        if let Event::Text(text) = event {
            length += text.len();
        }
    }
    println!("{PIECES} pieces took {:?}", begin.elapsed());
    assert_eq!(length, PIECES);
    // An unoptimised build on a busy machine; what grows with the square of it would take days.
    assert!(begin.elapsed() < 60 * DEADLINE);
}

#[tokio::test]
async fn dropping_an_answer_closes_the_connection() {
    let begun = vec![Step::Send(CUT.as_bytes().to_vec()), Step::Stall];
    let mut fake = Fake::start(strict, vec![Answer::stream(begun)]).await;
    let endpoint = endpoint(&fake, ProviderKind::OpenAi, Api::Chat);
    let models = models(Patiences::default());
    let mut calling = models.stream(&endpoint, &hello("gpt-4o"), Retries::NONE).await.unwrap();
    while !matches!(calling.next().await.unwrap(), Some(Event::Text(_))) {}
    let dropped = Instant::now();
    drop(calling);
    let took = fake.gone().await.duration_since(dropped);
    println!("the provider saw the end after {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// The fake is worth something only if it refuses.
#[test]
fn the_fake_refuses_what_the_providers_refuse() {
    let check = |who: &str, path: &str, body: Value| {
        let bearer = format!("Bearer {KEY}");
        let headers = vec![
            ("authorization".to_owned(), bearer),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let path = format!("/{who}/v1/{path}");
        strict(&Asked { method: "POST".into(), path, headers, body })
    };
    let user = json!({"role": "user", "content": "x"});
    let call =
        json!({"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}});
    let called = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let result = json!({"role": "tool", "tool_call_id": "c", "content": "y"});
    let chat = |messages: Value| json!({"model": "m", "messages": messages});
    assert_eq!(check("openai", "chat/completions", chat(json!([user, called, result]))), Ok(()));
    let wrong = [
        ("openai", chat(json!([]))),
        ("openai", chat(json!([user, called]))),
        ("openai", chat(json!([user, called, user, result]))),
        ("openai", chat(json!([user, result]))),
        ("openai", chat(json!([user, called, result, result]))),
        ("openai", chat(json!([{"role": "user", "content": ""}]))),
        ("openai", chat(json!([{"role": "assistant", "content": null}]))),
        ("openai", chat(json!([user, {"role": "system", "content": "late"}]))),
        ("openai", chat(json!([{"role": "user", "content": KEY}]))),
        ("openai", json!({"model": "m", "messages": [user], "max_tokens": 3})),
        ("openai", json!({"model": "gpt-5", "messages": [user], "temperature": 1})),
        (
            "openai",
            json!({"model": "m", "messages": [user], "response_format": {"type": "json_object"}}),
        ),
        ("deepseek", chat(json!([user, called, result]))),
        ("deepseek", chat(json!([{"role": "user", "content": [{"type": "text", "text": "x"}]}]))),
        ("zai", json!({"model": "m", "messages": [user], "seed": 1})),
    ];
    for (who, body) in wrong {
        assert!(check(who, "chat/completions", body.clone()).is_err(), "{who} {body}");
    }
    let said = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]});
    let call = json!({"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"});
    let sealed = json!({"type": "reasoning", "summary": [], "encrypted_content": "g"});
    let input = |input: Value| json!({"model": "gpt-5", "store": false, "input": input});
    assert_eq!(check("openai", "responses", input(json!([said]))), Ok(()));
    for wrong in
        [json!([]), json!([said, call]), json!([said, sealed]), json!([said, sealed, said])]
    {
        assert!(check("openai", "responses", input(wrong.clone())).is_err(), "{wrong}");
    }
}
