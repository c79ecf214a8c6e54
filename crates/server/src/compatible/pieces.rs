//! Answers for the tests: events, what they come to in each format, whole and in pieces, read as the official programs
//! read them.

use super::{
    asked::Asked,
    bill::{Bill, Call},
    chat::{self, Chunks},
    errors::Told,
    messages::{self, Blocks},
    responses::{self, Steps},
    telling::Telling,
};
use http::StatusCode;
use mosaic_models::{Event, Reply, Reported, Request, Sealed, Why};
use mosaic_protocol::{
    ErrorCode,
    provider::ProviderKind,
    usage::{Cost, PriceSource, Usage},
};
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) fn call() -> Call {
    Call { id: "7".into(), created: 1_700_000_000, model: "work/loom-1".into() }
}

pub(crate) fn bill() -> Bill {
    let usage = Usage {
        input: 10,
        cache_read: 5,
        cache_write: 2,
        cache_write_hour: 1,
        output: 7,
        reasoning: 3,
    };
    let cost = Cost { micros: Some(42), source: PriceSource::Catalogue, exact: true };
    Bill { usage, cost: Some(cost), switches: vec![] }
}

pub(crate) fn broken() -> Told {
    Told {
        status: StatusCode::BAD_GATEWAY,
        code: ErrorCode::ModelFailed,
        message: "the stream broke".into(),
        next: "try again".into(),
        param: None,
        request_id: "7".into(),
    }
}

pub(crate) fn text(text: &str) -> Event {
    Event::Text(text.into())
}

pub(crate) fn thought(text: &str) -> Event {
    Event::Thinking(text.into())
}

pub(crate) fn signed(word: &str) -> Event {
    let value = json!({ "signature": word });
    Event::Sealed(Sealed { by: ProviderKind::Anthropic, value })
}

pub(crate) fn calls(index: u32, name: &str) -> Event {
    Event::ToolCall { index, id: format!("call_{index}"), name: name.into() }
}

pub(crate) fn arguments(index: u32, piece: &str) -> Event {
    Event::Arguments { index, piece: piece.into() }
}

/// Thoughts, words, two calls whose arguments come mixed, and words after them.
pub(crate) fn everything() -> Vec<Event> {
    let reported = Reported { usage: Usage { input: 10, ..Usage::default() }, cost_micros: None };
    vec![
        Event::Began { id: Some("up".into()), model: Some("loom-1".into()) },
        Event::Usage(reported),
        thought("Two "),
        thought("looms."),
        signed("c2ln"),
        text("I "),
        text("look."),
        calls(0, "weave"),
        arguments(0, "{\"of\":"),
        calls(1, "spin"),
        arguments(1, "{\"n\":[1,"),
        arguments(0, "\"li}nen\""),
        arguments(1, "2]}"),
        arguments(0, "}"),
        text("Then."),
    ]
}

/// What was asked for, a line for each thing that was said.
pub(crate) fn lines(asked: &Asked) -> String {
    let mut rest = asked.clone();
    let Request { system, messages, tools, .. } = std::mem::take(&mut rest.request);
    rest.request =
        Request { system: vec![], messages: vec![], tools: vec![], ..asked.request.clone() };
    let mut lines = vec![format!("{rest:?}")];
    lines.extend(system.iter().map(|it| format!("{it:?}")));
    for message in &messages {
        lines.push(format!("{:?}", message.role));
        lines.extend(message.parts.iter().map(|part| format!("  {part:?}")));
    }
    lines.extend(tools.iter().map(|it| format!("{it:?}")));
    lines.join("\n")
}

/// The events through a format's writer, to its proper end.
pub(crate) fn told(mut telling: impl Telling, events: &[Event], why: &Why) -> String {
    let mut out = vec![];
    for event in events {
        telling.event(event, &mut out);
    }
    telling.ended(why, &bill(), &mut out);
    String::from_utf8(out).unwrap()
}

/// The same, but it breaks.
pub(crate) fn cut(mut telling: impl Telling, events: &[Event]) -> String {
    let mut out = vec![];
    for event in events {
        telling.event(event, &mut out);
    }
    telling.broken(&broken(), &mut out);
    String::from_utf8(out).unwrap()
}

pub(crate) fn reply(events: &[Event]) -> Reply {
    let mut reply = Reply::default();
    events.iter().for_each(|event| reply.push(event));
    reply
}

/// The data of each event. Every event is well formed.
pub(crate) fn data(stream: &str) -> Vec<Value> {
    let mut all = vec![];
    for block in stream.split("\n\n").filter(|block| !block.is_empty()) {
        let mut name = None;
        for line in block.lines() {
            if line.starts_with(':') || line == "data: [DONE]" {
                continue;
            } else if let Some(event) = line.strip_prefix("event: ") {
                name = Some(event.to_owned());
            } else {
                let line = line.strip_prefix("data: ").unwrap();
                let value: Value = serde_json::from_str(line).unwrap();
                if let Some(name) = &name {
                    assert_eq!(value["type"], name.as_str(), "{line}");
                }
                all.push(value);
            }
        }
    }
    all
}

/// What a program that reads Chat Completions has at the end.
fn chat_message(stream: &str) -> Value {
    assert!(stream.ends_with("data: [DONE]\n\n"));
    let (mut content, mut thoughts, mut finish) = (String::new(), String::new(), Value::Null);
    let mut calls: Vec<(String, String, String)> = vec![];
    for chunk in data(stream) {
        let Some(choice) = chunk["choices"].get(0) else { continue };
        let delta = &choice["delta"];
        content.push_str(delta["content"].as_str().unwrap_or_default());
        thoughts.push_str(delta["reasoning_content"].as_str().unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if let Some(id) = call["id"].as_str() {
                assert_eq!(calls.len(), at, "calls begin in their order");
                let name = call["function"]["name"].as_str().unwrap();
                calls.push((id.to_owned(), name.to_owned(), String::new()));
            }
            calls[at].2.push_str(call["function"]["arguments"].as_str().unwrap());
        }
        if !choice["finish_reason"].is_null() {
            assert!(finish.is_null(), "a second end");
            finish = choice["finish_reason"].clone();
        }
    }
    let calls: Vec<Value> = calls
        .into_iter()
        .map(|(id, name, arguments)| {
            json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
        })
        .collect();
    json!({ "content": content, "thoughts": thoughts, "calls": calls, "finish": finish })
}

fn chat_whole(body: &[u8]) -> Value {
    let whole: Value = serde_json::from_slice(body).unwrap();
    let choice = &whole["choices"][0];
    let message = &choice["message"];
    json!({
        "content": message["content"].as_str().unwrap_or_default(),
        "thoughts": message["reasoning_content"].as_str().unwrap_or_default(),
        "calls": message["tool_calls"].as_array().cloned().unwrap_or_default(),
        "finish": choice["finish_reason"],
    })
}

/// What a program that reads Messages has at the end.
fn message(stream: &str) -> Value {
    let events = data(stream);
    let mut message = events[0]["message"].clone();
    assert_eq!(events.last().unwrap()["type"], "message_stop");
    let mut open: Option<(usize, String)> = None;
    for event in &events[1..] {
        let at = || usize::try_from(event["index"].as_u64().unwrap()).unwrap();
        let content = message["content"].as_array_mut().unwrap();
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert!(open.is_none(), "two blocks at once");
                assert_eq!(at(), content.len());
                open = Some((at(), String::new()));
                content.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let (place, input) = open.as_mut().unwrap();
                assert_eq!(at(), *place);
                let delta = &event["delta"];
                let field = match delta["type"].as_str().unwrap() {
                    "text_delta" => "text",
                    "thinking_delta" => "thinking",
                    "signature_delta" => "signature",
                    _ => {
                        input.push_str(delta["partial_json"].as_str().unwrap());
                        continue;
                    }
                };
                let more = delta[field].as_str().unwrap();
                let had = content[*place][field].as_str().unwrap();
                content[*place][field] = format!("{had}{more}").into();
            }
            "content_block_stop" => {
                let (place, input) = open.take().unwrap();
                assert_eq!(at(), place);
                if content[place]["type"] == "tool_use" && !input.is_empty() {
                    content[place]["input"] = serde_json::from_str(&input).unwrap();
                }
            }
            "message_delta" => {
                assert!(open.is_none());
                for field in ["stop_reason", "stop_sequence"] {
                    message[field] = event["delta"][field].clone();
                }
                message["usage"] = event["usage"].clone();
                message["mosaic"] = event["mosaic"].clone();
            }
            _ => {}
        }
    }
    message
}

/// What a program that reads Responses has at the end; every step must fit what was said before.
fn response(stream: &str) -> Value {
    let mut output: Vec<Value> = vec![];
    let mut done: Vec<bool> = vec![];
    let events = data(stream);
    for (n, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], n, "{event}");
        let Some(at) = event["output_index"].as_u64() else { continue };
        let at = usize::try_from(at).unwrap();
        let kind = event["type"].as_str().unwrap();
        if kind == "response.output_item.added" {
            assert_eq!(at, output.len());
            output.push(event["item"].clone());
            done.push(false);
            continue;
        }
        assert!(!done[at], "{kind} after its item was done");
        let item = &mut output[at];
        if let Some(id) = event["item_id"].as_str() {
            assert_eq!(item["id"], id);
        }
        match kind {
            "response.content_part.added" => item["content"] = json!([event["part"]]),
            "response.reasoning_summary_part.added" => item["summary"] = json!([event["part"]]),
            "response.output_text.delta" | "response.reasoning_summary_text.delta" => {
                let list = if kind.contains("summary") { "summary" } else { "content" };
                let had = item[list][0]["text"].as_str().unwrap();
                let more = event["delta"].as_str().unwrap();
                item[list][0]["text"] = format!("{had}{more}").into();
            }
            "response.function_call_arguments.delta" => {
                let had = item["arguments"].as_str().unwrap();
                let more = event["delta"].as_str().unwrap();
                item["arguments"] = format!("{had}{more}").into();
            }
            "response.refusal.delta" => {
                item["content"][0]["refusal"] = event["delta"].clone();
            }
            "response.output_text.done" => assert_eq!(item["content"][0]["text"], event["text"]),
            "response.refusal.done" => {
                assert_eq!(item["content"][0]["refusal"], event["refusal"]);
            }
            "response.reasoning_summary_text.done" => {
                assert_eq!(item["summary"][0]["text"], event["text"]);
            }
            "response.function_call_arguments.done" => {
                item["arguments"] = event["arguments"].clone();
            }
            "response.output_item.done" => {
                done[at] = true;
                for field in ["arguments", "summary", "content"] {
                    assert_eq!(item[field], event["item"][field], "{event}");
                }
                output[at] = event["item"].clone();
            }
            _ => {}
        }
    }
    assert!(done.iter().all(|done| *done), "an item has no end");
    let last = events.last().unwrap();
    assert_eq!(last["response"]["output"], json!(output));
    last["response"].clone()
}

/// Cuts the text in the events at these places, as far as they lie in it.
fn cut_up(events: &[Event], cuts: &[usize]) -> Vec<Event> {
    let mut cuts = cuts.iter().copied().cycle();
    let mut pieces = |text: &str| {
        let mut at = cuts.next().unwrap_or_default().min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        [text[..at].to_owned(), text[at..].to_owned()].into_iter().filter(|it| !it.is_empty())
    };
    let mut all = vec![];
    for event in events {
        match event {
            Event::Text(text) => all.extend(pieces(text).map(Event::Text)),
            Event::Thinking(text) => all.extend(pieces(text).map(Event::Thinking)),
            Event::Arguments { index, piece } => {
                let index = *index;
                all.extend(pieces(piece).map(|piece| Event::Arguments { index, piece }));
            }
            event => all.push(event.clone()),
        }
    }
    all
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        "[a-zäß\"\\\\\n{}€🧶 ]{1,8}".prop_map(Event::Text),
        "[a-zé\"{} ]{1,8}".prop_map(Event::Thinking),
        "[a-z]{1,4}".prop_map(|word| signed(&word)),
    ]
}

/// Words, thoughts and seals, and between them calls whose arguments come mixed with everything after them.
fn answers() -> impl Strategy<Value = Vec<Event>> {
    let inputs = prop_oneof![
        Just("{}"),
        Just(r#"{"a":1}"#),
        Just(r#"{"of":"}{\"","n":[{},[]]}"#),
        Just(r#"{"é":"🧶\\"}"#),
        Just("")
    ];
    let step =
        (prop::option::of(any_event()), prop::option::of(inputs), any::<prop::sample::Index>());
    prop::collection::vec(step, 1..12).prop_map(|steps| {
        let mut events: Vec<Event> = vec![];
        let mut n = 0;
        for (event, input, at) in steps {
            events.extend(event);
            let Some(input) = input else { continue };
            events.push(calls(n, "weave"));
            // The first half at once, the other one somewhere after it.
            let half = input.char_indices().map(|(at, _)| at).nth(input.chars().count() / 2);
            let (first, second) = input.split_at(half.unwrap_or_default());
            events.push(arguments(n, first));
            events.push(arguments(n, second));
            // Pieces of earlier calls are pushed behind this one's beginning.
            if n > 0 && at.index(2) == 0 {
                let end = events.len();
                events.swap(end - 2, end - 1);
                events.swap(end - 2, end - 1);
            }
            n += 1;
        }
        mixed(events)
    })
}

/// Moves every second half of arguments as far back as the next call's beginning allows.
fn mixed(events: Vec<Event>) -> Vec<Event> {
    let mut late: Vec<Event> = vec![];
    let mut all = vec![];
    let mut halves = std::collections::HashMap::new();
    for event in events {
        match &event {
            Event::Arguments { index, .. } => {
                let seen = halves.entry(*index).or_insert(0);
                *seen += 1;
                if *seen == 2 && index % 2 == 0 {
                    late.push(event);
                    continue;
                }
                all.push(event);
                all.append(&mut late);
            }
            _ => all.push(event),
        }
    }
    all.append(&mut late);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_cut_gives_the_same_answer(
        events in answers(),
        cuts in prop::collection::vec(0_usize..12, 1..8),
        why in prop_oneof![Just(Why::Done), Just(Why::MaxOutput), Just(Why::Stop(Some("END".into())))],
    ) {
        let cut = cut_up(&events, &cuts);
        let (call, bill) = (call(), bill());
        let reply = reply(&events);

        let chat = chat::whole(&call, &reply, &why, &bill);
        prop_assert_eq!(chat_message(&told(Chunks::new(call.clone(), true), &cut, &why)), chat_whole(&chat));

        let whole: Value = serde_json::from_slice(&messages::whole(&call, &reply, &why, &bill)).unwrap();
        prop_assert_eq!(message(&told(Blocks::new(call.clone()), &cut, &why)), whole);

        let whole: Value = serde_json::from_slice(&responses::whole(&call, &reply, &why, &bill)).unwrap();
        prop_assert_eq!(response(&told(Steps::new(call), &cut, &why)), whole);
    }
}

#[test]
fn what_breaks_has_no_end() {
    let events = everything();
    for n in 0..=events.len() {
        let some = &events[..n];
        let chat = cut(Chunks::new(call(), true), some);
        assert!(!chat.contains("[DONE]"));
        let chunks = data(&chat);
        let (last, before) = chunks.split_last().unwrap();
        assert!(before.iter().all(|it| it["choices"][0]["finish_reason"].is_null()), "{chat}");
        assert_eq!(last["error"]["code"], "model_failed");

        let blocks = cut(Blocks::new(call()), some);
        assert!(!blocks.contains("message_stop") && !blocks.contains("message_delta"), "{blocks}");
        let last = data(&blocks).pop().unwrap();
        assert_eq!((&last["type"], &last["error"]["type"]), (&json!("error"), &json!("api_error")));

        let steps = cut(Steps::new(call()), some);
        let all = data(&steps);
        assert_eq!(all[0]["type"], "response.created");
        assert!(!steps.contains("response.completed") && !steps.contains("response.incomplete"));
        let last = all.last().unwrap();
        assert_eq!(last["type"], "response.failed");
        assert_eq!(last["response"]["status"], "failed");
        assert_eq!(last["response"]["error"]["code"], "model_failed");
    }
}
