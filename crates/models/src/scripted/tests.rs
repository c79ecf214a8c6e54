//! Every scripted name with the exact events and errors that it gives, scripts turn by turn, and requests that are refused.

use super::*;
use crate::{Error, Message, Output, Part, Reported, Role, Sealed, System, Tool, ToolChoice, Why};
use mosaic_protocol::{
    provider::{FailureClass, ProviderKind},
    usage::Usage,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

fn said(role: Role, text: &str) -> Message {
    Message { role, parts: vec![Part::text(text)] }
}

fn asking(model: &str) -> Request {
    Request {
        model: model.to_owned(),
        messages: vec![said(Role::User, "one two three")],
        ..Request::default()
    }
}

fn with_tool(model: &str) -> Request {
    let tool = Tool {
        name: "read".to_owned(),
        description: String::new(),
        schema: json!({"type": "object", "required": ["path"],
            "properties": {"path": {"type": "string"}}}),
        strict: None,
        cache: None,
    };
    Request { tools: vec![tool], ..asking(model) }
}

/// The whole answer as lines, up to where it ends or does not.
async fn heard(request: &Request) -> Vec<String> {
    let mut events = match play(request) {
        Ok(events) => events,
        Err(error) => return vec![told_error(&error)],
    };
    let mut lines = vec![];
    // With paused time this passes at once when nothing else can happen.
    while let Ok(next) = tokio::time::timeout(Duration::from_secs(86_400), events.recv()).await {
        match next {
            Some(Ok(event)) => {
                let ended = matches!(event, Event::Ended(_));
                lines.push(told(&event));
                if ended {
                    assert!(events.recv().await.is_none(), "something after the end");
                    return lines;
                }
            }
            Some(Err(error)) => lines.push(told_error(&error)),
            None => {
                lines.push("closed".to_owned());
                return lines;
            }
        }
    }
    lines.push("silent".to_owned());
    lines
}

fn told(event: &Event) -> String {
    match event {
        Event::Began { id, model } => {
            format!("began {} {}", id.as_deref().unwrap(), model.as_deref().unwrap())
        }
        Event::Text(text) => format!("text {text:?}"),
        Event::Thinking(text) => format!("thinking {text:?}"),
        Event::Sealed(sealed) => format!("sealed by {}", sealed.by),
        Event::ToolCall { index, id, name } => format!("call {index} {id} {name}"),
        Event::Arguments { index, piece } => format!("arguments {index} {piece}"),
        Event::Usage(Reported { usage, cost_micros: None }) => {
            format!("usage {} {} {}", usage.input, usage.output, usage.reasoning)
        }
        Event::Usage(Reported { cost_micros: Some(_), .. }) => "usage with a cost".to_owned(),
        Event::Ended(why) => format!("ended {why:?}"),
    }
}

fn told_error(error: &Error) -> String {
    format!("failed {} {:?} {:?}", error.class, error.status, error.retry_after)
}

#[tokio::test(start_paused = true)]
async fn every_name_does_what_it_says() {
    let three = ["text \"one \"", "text \"two \"", "text \"three\""];
    let words = |last: &[&'static str]| [&three, last].concat();
    let table: Vec<(&str, Vec<&str>)> = vec![
        ("echo", words(&["usage 3 3 0", "ended Done"])),
        ("scripted/echo", words(&["usage 3 3 0", "ended Done"])),
        ("say:hello you", vec!["text \"hello \"", "text \"you\"", "usage 3 2 0", "ended Done"]),
        (
            "thinks",
            [
                vec![
                    "thinking \"I \"",
                    "thinking \"am \"",
                    "thinking \"asked: \"",
                    "thinking \"one \"",
                    "thinking \"two \"",
                    "thinking \"three\"",
                    "sealed by scripted",
                ],
                words(&["usage 3 9 6", "ended Done"]),
            ]
            .concat(),
        ),
        ("slow-5", words(&["usage 3 3 0", "ended Done"])),
        ("tiny-chunks-2", vec!["text \"x\"", "text \"x\"", "usage 3 2 0", "ended Done"]),
        ("usage-never", words(&["ended Done"])),
        ("cut-after-0", vec!["closed"]),
        ("cut-after-2", vec!["text \"one \"", "text \"two \"", "closed"]),
        (
            "cut-after-4",
            vec!["text \"one \"", "text \"two \"", "text \"three \"", "text \"one \"", "closed"],
        ),
        ("stall", vec!["silent"]),
        ("stall-after-1", vec!["text \"one \"", "silent"]),
        ("malformed", vec!["text \"one \"", "failed malformed None None", "closed"]),
        ("no-final-event", words(&["usage 3 3 0", "closed"])),
        (
            "wrong-tool-json",
            vec![
                "call 0 call_0_0 read",
                "arguments 0 {\"broken\": ",
                "usage 3 3 0",
                "ended ToolCalls",
            ],
        ),
        (
            "huge-tool-call-15",
            vec![
                "call 0 call_0_0 read",
                "arguments 0 {\"text\":\"xxxx\"}",
                "usage 3 4 0",
                "ended ToolCalls",
            ],
        ),
        (
            "tool",
            vec![
                "call 0 call_0_0 read",
                "arguments 0 {\"path\":\"example\"}",
                "usage 3 5 0",
                "ended ToolCalls",
            ],
        ),
        ("structured", vec!["text \"\\\"example\\\"\"", "usage 3 1 0", "ended Done"]),
        (
            "refuses",
            vec!["text \"one \"", "ended Refused(Some(\"the scripted model does not want to\"))"],
        ),
    ];
    for (name, expected) in table {
        let mut lines = heard(&with_tool(name)).await;
        assert_eq!(lines.remove(0), format!("began scripted-0 {name}"));
        assert_eq!(lines, expected, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_come_before_anything_is_said() {
    for (name, failed) in [
        ("refused", "failed refused Some(400) None"),
        ("rate-limited", "failed rate Some(429) None"),
        ("rate-limited-2", "failed rate Some(429) Some(2s)"),
        ("overloaded", "failed overload Some(529) None"),
        ("context-too-long", "failed context_too_long Some(400) None"),
        ("auth", "failed auth Some(401) None"),
        ("quota", "failed quota Some(402) None"),
        ("bad-request", "failed bad_request Some(400) None"),
        ("unreachable", "failed transport None None"),
        ("late", "failed timeout None None"),
        ("nonsense", "failed no_such_model Some(404) None"),
        ("tiny-chunks-1000001", "failed no_such_model None None"),
        ("huge-tool-call-99999999999999999999", "failed no_such_model None None"),
        ("cut-after-+3", "failed no_such_model None None"),
        ("cut-after-", "failed no_such_model None None"),
        ("script", "failed bad_request Some(400) None"),
    ] {
        assert_eq!(heard(&asking(name)).await, [failed], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_listed_is_played() {
    for listed in list() {
        let heard = heard(&with_tool(&listed.id)).await;
        let needs_script = listed.id == "script";
        assert!(!heard[0].contains("no_such_model"), "{}", listed.id);
        assert_eq!(heard[0].contains("bad_request"), needs_script || listed.id == "bad-request");
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let error = play(&asking("scripted/ehco")).unwrap_err();
    assert_eq!(error.class, FailureClass::NoSuchModel);
    assert_eq!(error.message, "there is no scripted model \"ehco\"; there are echo");
    let error = play(&asking("rate-limted")).unwrap_err();
    assert!(error.message.contains("rate-limited"), "{}", error.message);
    let error = play(&asking(&"é".repeat(100_000))).unwrap_err();
    assert!(error.message.len() < 300, "{}", error.message);
}

#[tokio::test(start_paused = true)]
async fn slow_models_take_their_time_and_a_dropped_one_stops() {
    let before = Instant::now();
    heard(&asking("slow-250")).await;
    assert_eq!(before.elapsed(), Duration::from_millis(750));

    for name in ["slow-60000", "stall", "tiny-chunks-1000000"] {
        let before = Instant::now();
        let mut events = play(&asking(name)).unwrap();
        events.recv().await.unwrap().unwrap();
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks(), 1, "{name}");
        drop(events);
        while tasks() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(before.elapsed(), Duration::ZERO, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_million_pieces_and_a_huge_call_come_whole() {
    let mut events = play(&asking("tiny-chunks-1000000")).unwrap();
    let mut pieces = 0;
    while let Some(event) = events.recv().await {
        pieces += u32::from(matches!(event.unwrap(), Event::Text(_)));
    }
    assert_eq!(pieces, 1_000_000);

    let mut events = play(&with_tool("huge-tool-call-1000000")).unwrap();
    let mut arguments = String::new();
    while let Some(event) = events.recv().await {
        if let Event::Arguments { piece, .. } = event.unwrap() {
            assert!(piece.len() <= 4096);
            arguments.push_str(&piece);
        }
    }
    assert_eq!(arguments.len(), 1_000_000);
    assert!(serde_json::from_str::<Value>(&arguments).is_ok());
}

#[tokio::test(start_paused = true)]
async fn limits_stops_and_forms_of_the_request_hold() {
    let short = Request { max_output: Some(2), ..asking("echo") };
    let lines = ["text \"one \"", "text \"two \"", "usage 3 2 0", "ended MaxOutput"];
    assert_eq!(heard(&short).await[1..], lines);
    let stopped = Request { stop: vec![String::new(), "th".into(), "wo".into()], ..asking("echo") };
    let lines = ["text \"one \"", "text \"t\"", "usage 3 2 0", "ended Stop(Some(\"wo\"))"];
    assert_eq!(heard(&stopped).await[1..], lines);
    let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"const": 4}}});
    let formed = Request {
        output: Output::Schema { name: "n".into(), schema, strict: true },
        ..asking("structured")
    };
    assert_eq!(heard(&formed).await[1], "text \"{\\\"n\\\":4}\"");
    let never = Request { tool_choice: ToolChoice::Never, ..with_tool("tool") };
    assert_eq!(heard(&never).await[1], "text \"I \"");
}

/// What the model answered, and what its tools say to that: the next request of a turn.
async fn go_on(request: &mut Request) -> crate::Reply {
    let mut events = play(request).unwrap();
    let mut reply = crate::Reply::default();
    while let Some(event) = events.recv().await {
        reply.push(&event.unwrap());
    }
    let results: Vec<Part> = reply
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall { id, name, .. } => Some(Part::ToolResult {
                call_id: id.clone(),
                parts: vec![Part::text(format!("{name} says yes"))],
                failed: false,
            }),
            _ => None,
        })
        .collect();
    request.messages.push(Message { role: Role::Assistant, parts: reply.parts.clone() });
    if !results.is_empty() {
        request.messages.push(Message { role: Role::User, parts: results });
    }
    reply
}

#[tokio::test(start_paused = true)]
async fn the_tool_model_completes_a_tool_turn() {
    let mut request = with_tool("tool");
    assert_eq!(go_on(&mut request).await.why, Some(Why::ToolCalls));
    let last = go_on(&mut request).await;
    assert_eq!(
        (last.text().as_str(), last.why),
        ("The tool answered: read says yes", Some(Why::Done))
    );
}

#[tokio::test(start_paused = true)]
async fn a_script_is_played_turn_by_turn() {
    let script = json!({"turns": [
        {"thinking": "hm", "text": "I look.", "calls": [
            {"tool": "read", "arguments": {"path": "a"}}, {"tool": "list"}]},
        {"text": "Seen: {{results}}", "usage": {"input": 7, "cache_read": 5, "output": 2}},
        {"as": "cut-after-1"},
    ]});
    let plain =
        Request { messages: vec![said(Role::User, &script.to_string())], ..asking("script") };
    let in_system = Request {
        system: vec![System { text: format!("Be kind.\n```script\n{script}\n```\n"), cache: None }],
        ..asking("script")
    };
    for mut request in [plain, in_system] {
        let first = go_on(&mut request).await;
        assert_eq!((first.text().as_str(), first.why), ("I look.", Some(Why::ToolCalls)));
        assert_eq!(first.parts.len(), 4);
        assert_eq!(
            first.parts[2],
            Part::ToolCall {
                id: "call_0_0".into(),
                name: "read".into(),
                arguments: "{\"path\":\"a\"}".into(),
            }
        );
        let second = go_on(&mut request).await;
        assert_eq!(second.text(), "Seen: read says yes\nlist says yes");
        let usage = Usage { input: 7, cache_read: 5, output: 2, ..Usage::default() };
        assert_eq!(second.reported.unwrap().usage, usage);
        request.messages.push(said(Role::User, "go on"));
        assert_eq!(go_on(&mut request).await.why, None);
        request.messages.push(said(Role::User, "go on"));
        let error = play(&request).unwrap_err();
        assert_eq!(error.message, "the script has 3 turns, and all were played");
    }
}

#[tokio::test(start_paused = true)]
async fn turns_end_as_they_say() {
    for (ends, last) in [
        ("properly", "ended Done"),
        ("max_output", "ended MaxOutput"),
        ("refused", "ended Refused(None)"),
        ("cut", "closed"),
        ("stall", "silent"),
    ] {
        let script = json!({"turns": [{"text": "a", "ends": ends, "pause_ms": 3}]}).to_string();
        let request = Request { messages: vec![said(Role::User, &script)], ..asking("script") };
        assert_eq!(heard(&request).await.last().unwrap(), last);
    }
}

#[test]
fn scripts_that_say_something_unknown_are_refused_with_its_name() {
    for (script, part) in [
        (json!({"turns": [{"txt": "a"}]}), "txt"),
        (json!({"turns": [], "loop": true}), "loop"),
        (json!({"turns": [{"usage": {"inputs": 1}}]}), "inputs"),
        (json!({"turns": [{"calls": [{"name": "read"}]}]}), "name"),
        (json!({"turns": [{"ends": "well"}]}), "well"),
        (json!({"turns": [{"as": "echo", "text": "a"}]}), "nothing else"),
        (json!({"turns": [{"as": "script"}]}), "cannot be a script"),
        (json!({"turns": [{"as": "ehco"}]}), "echo"),
        (json!({"turns": [{"pause_ms": 60_001}]}), "60000"),
        (json!({"turns": vec![json!({}); 201]}), "200"),
    ] {
        let messages = vec![said(Role::User, &script.to_string())];
        let error = play(&Request { messages, ..asking("script") }).unwrap_err();
        assert!(error.message.contains(part), "{}", error.message);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_a_strict_provider_would_not_take_are_refused() {
    let call = |id: &str| Message {
        role: Role::Assistant,
        parts: vec![Part::ToolCall { id: id.into(), name: "read".into(), arguments: "{".into() }],
    };
    let result = |id: &str| Message {
        role: Role::User,
        parts: vec![Part::ToolResult { call_id: id.into(), parts: vec![], failed: true }],
    };
    let thought = |text: &str, of: &str| Message {
        role: Role::Assistant,
        parts: vec![Part::Thinking { text: text.into(), sealed: Some(check::seal(of)) }],
    };
    let foreign = Message {
        role: Role::Assistant,
        parts: vec![Part::Thinking {
            text: "x".into(),
            sealed: Some(Sealed { by: ProviderKind::Anthropic, value: json!({}) }),
        }],
    };
    let (hello, bye) = (said(Role::User, "hello"), said(Role::Assistant, "bye"));
    for (messages, wrong) in [
        (vec![hello.clone(), call("a"), result("a")], None),
        (vec![hello.clone(), call("a"), call("b"), result("b"), result("a")], None),
        (vec![hello.clone(), thought("x", "x"), hello.clone()], None),
        (vec![hello.clone(), foreign, hello.clone()], None),
        (vec![], Some("the first message")),
        (vec![bye, hello.clone()], Some("the first message")),
        (vec![hello.clone(), call("a")], Some("has no result")),
        (vec![hello.clone(), call("a"), hello.clone(), result("a")], Some("before the user's")),
        (vec![hello.clone(), result("a")], Some("no open tool call")),
        (vec![hello.clone(), call("a"), result("a"), result("a")], Some("no open tool call")),
        (vec![hello.clone(), call("a"), result("a"), call("a")], Some("two tool calls")),
        (vec![hello.clone(), thought("x", "y"), hello.clone()], Some("came back changed")),
    ] {
        let answer = play(&Request { messages, ..asking("echo") });
        match (answer, wrong) {
            (Ok(_), None) => {}
            (Err(error), Some(part)) => {
                assert_eq!(error.class, FailureClass::BadRequest);
                assert!(error.message.contains(part), "{}", error.message);
            }
            (answer, wrong) => panic!("{wrong:?}: {answer:?}"),
        }
    }
}
