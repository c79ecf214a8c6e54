use super::*;
use crate::compatible::{
    bill::Bill,
    pieces::{arguments, bill, call, calls, everything, reply, text, thought, told},
};
use expect_test::{Expect, expect};
use mosaic_models::Why;

fn shown(body: &str) -> String {
    match parse(body.as_bytes()) {
        Ok(asked) => format!("{asked:#?}\n"),
        Err(bad) => format!("{} | {}", bad.param.unwrap_or_default(), bad.message),
    }
}

fn check(body: &str, expected: Expect) {
    expected.assert_eq(&shown(body));
}

#[test]
fn all_that_programs_send_is_understood() {
    check(
        r#"{
            "model": "auto",
            "stream": true,
            "stream_options": {"include_usage": true},
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "developer", "content": [{"type": "text", "text": "No lists."}]},
                {"role": "user", "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
                ], "name": "ada"},
                {"role": "assistant", "content": null, "reasoning_content": "A loom?", "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{\"at\":1"}}
                ]},
                {"role": "tool", "tool_call_id": "c1", "content": "a \"loom\""},
                {"role": "system", "content": "Now in French."},
                {"role": "assistant", "content": "Un métier.", "refusal": "Pas plus."},
                {"role": "user", "content": "Merci"}
            ],
            "tools": [{"type": "function", "function": {"name": "look", "description": "Looks", "parameters": {"type": "object"}, "strict": true}}, {"type": "function", "function": {"name": "stop"}}],
            "tool_choice": {"type": "function", "function": {"name": "look"}},
            "parallel_tool_calls": false,
            "max_tokens": 5, "max_completion_tokens": 100,
            "temperature": 0.5, "top_p": 1, "seed": -3, "presence_penalty": 0.1, "frequency_penalty": -0.1,
            "stop": ["END", "\n"],
            "reasoning_effort": "high",
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}},
            "user": "u-1", "store": false, "n": 1, "logprobs": false, "logit_bias": {}, "modalities": ["text"],
            "metadata": {"a": "b"}, "service_tier": "auto", "verbosity": "low", "a_field_of_tomorrow": [1, {"x": null}]
        }"#,
        expect![[]],
    );
}

#[test]
fn small_things_mean_what_they_say() {
    let choice = |choice: &str| {
        let tools = r#"[{"type":"function","function":{"name":"f"}}]"#;
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],"tools":{tools},"tool_choice":{choice}}}"#
        );
        parse(body.as_bytes()).map(|asked| asked.request.tool_choice)
    };
    assert_eq!(choice(r#""auto""#), Ok(ToolChoice::Auto));
    assert_eq!(choice("null"), Ok(ToolChoice::Auto));
    assert_eq!(choice(r#""none""#), Ok(ToolChoice::Never));
    assert_eq!(choice(r#""required""#), Ok(ToolChoice::Some));
    let only = parse(br#"{"model":"m","messages":[{"role":"system","content":"Say hello."}]}"#);
    let only = only.unwrap().request;
    assert_eq!(
        (only.system.len(), only.messages),
        (0, vec![asked::user_text("Say hello.".into())])
    );
    let off = r#"{"model":"m","messages":[{"role":"user","content":"x"}],"reasoning_effort":"none","stop":"S"}"#;
    let off = parse(off.as_bytes()).unwrap();
    assert_eq!((off.request.thinking, off.request.stop), (Thinking::Off, vec!["S".to_owned()]));
    assert!(!off.stream && !off.wants_usage && !off.request.cache);
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let with = |field: &str| {
        shown(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],{field}}}"#))
    };
    let message = |message: &str| shown(&format!(r#"{{"model":"m","messages":[{message}]}}"#));
    let said = [
        with(r#""n":2"#),
        with(r#""logprobs":true"#),
        with(r#""top_logprobs":3"#),
        with(r#""logit_bias":{"50256":-100}"#),
        with(r#""audio":{"voice":"alloy"}"#),
        with(r#""modalities":["text","audio"]"#),
        with(r#""prediction":{"type":"content","content":"x"}"#),
        with(r#""web_search_options":{"x":1}"#),
        with(r#""functions":[{"name":"f"}]"#),
        with(r#""tools":[{"type":"custom","custom":{"name":"f"}}]"#),
        with(r#""tools":[{"type":"function","function":{"name":""}}]"#),
        with(r#""tools":[{"type":"function","function":{"name":"f","parameters":[1]}}]"#),
        with(r#""tool_choice":"required""#),
        with(r#""tool_choice":{"type":"function","function":{"name":"g"}}"#),
        with(r#""tool_choice":{"type":"allowed_tools","allowed_tools":{}}"#),
        with(r#""tool_choice":7"#),
        with(r#""stop":["1","2","3","4","5"]"#),
        with(r#""stop":"""#),
        with(r#""max_tokens":0"#),
        with(r#""max_tokens":-1"#),
        with(r#""temperature":"hot""#),
        with(r#""reasoning_effort":"enormous""#),
        with(r#""response_format":{"type":"xml"}"#),
        with(r#""response_format":{"type":"json_schema","json_schema":{"name":"n"}}"#),
        message(r#"{"role":"narrator","content":"x"}"#),
        message(r#"{"role":"function","name":"f","content":"x"}"#),
        message(r#"{"content":"x"}"#),
        message(r#"{"role":"user","content":[{"type":"video"}]}"#),
        message(r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"input_audio"}]}"#),
        message(r#"{"role":"user","content":[{"type":"text"}]}"#),
        message(
            r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}"#,
        ),
        message(
            r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/svg+xml;base64,PHN2Zz4="}}]}"#,
        ),
        message(
            r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,*"}}]}"#,
        ),
        message(r#"{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{}}]}"#),
        message(r#"{"role":"tool","content":"x"}"#),
        shown(r#"{"model":"m","messages":[]}"#),
        shown(r#"{"model":"","messages":[{"role":"user","content":"x"}]}"#),
        shown(r#"{"messages":[{"role":"user","content":"x"}]}"#),
    ];
    expect![[]].assert_eq(&said.join("\n"));
}

#[test]
fn ten_megabytes_are_read_and_too_many_messages_are_not() {
    let prompt = "All work and no play. ".repeat(500_000);
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{prompt}"}}]}}"#);
    assert_eq!(parse(body.as_bytes()).unwrap().request.messages[0], asked::user_text(prompt));
    let many = r#"{"role":"user","content":"x"},"#.repeat(MESSAGES);
    let body = |many: &str| {
        format!(r#"{{"model":"m","messages":[{many}{{"role":"user","content":"x"}}]}}"#)
    };
    assert!(shown(&body(&many)).contains("a list of more than 10000"));
    let fewer = &many[r#"{"role":"user","content":"x"},"#.len()..];
    assert_eq!(parse(body(fewer).as_bytes()).unwrap().request.messages.len(), MESSAGES);
}

#[test]
fn an_answer_is_whole() {
    let shown = |events: &[_], why: &Why| {
        String::from_utf8(whole(&call(), &reply(events), why, &bill())).unwrap()
    };
    let said = [
        shown(&everything(), &Why::ToolCalls),
        shown(&[text("Hel"), text("lo")], &Why::Done),
        shown(&[text("Hel")], &Why::MaxOutput),
        shown(&[calls(0, "f")], &Why::Done),
        shown(&[calls(0, "f"), arguments(0, "{broken")], &Why::ToolCalls),
        shown(&[], &Why::Refused(Some("I will not.".into()))),
        shown(&[], &Why::Done),
        String::from_utf8(whole(&call(), &reply(&[]), &Why::Done, &Bill::default())).unwrap(),
    ];
    expect![[]].assert_eq(&said.join("\n"));
}

#[test]
fn an_answer_comes_in_chunks() {
    let stream = told(Chunks::new(call(), true), &everything(), &Why::ToolCalls);
    expect![[]].assert_eq(&stream);
    let stream = told(Chunks::new(call(), false), &[thought("Hm"), calls(0, "f")], &Why::Done);
    expect![[]].assert_eq(&stream);
    let refused = Why::Refused(Some("I will not.".into()));
    expect![[]].assert_eq(&told(Chunks::new(call(), false), &[], &refused));
}
