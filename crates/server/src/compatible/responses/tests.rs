use super::*;
use crate::compatible::pieces::{bill, call, calls, everything, reply, text, told};
use expect_test::expect;
use mosaic_models::{Event, Sealed, Why};
use mosaic_protocol::provider::ProviderKind;
use serde_json::json;

fn shown(body: &str) -> String {
    match parse(body.as_bytes()) {
        Ok(asked) => format!("{asked:#?}\n"),
        Err(bad) => format!("{} | {}", bad.param.unwrap_or_default(), bad.message),
    }
}

#[test]
fn all_that_programs_send_is_understood() {
    let said = shown(
        r#"{
            "model": "work/gpt-5",
            "instructions": "Be brief.",
            "input": [
                {"role": "developer", "content": "No lists."},
                {"type": "message", "role": "user", "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"}
                ]},
                {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "A loom?"}], "encrypted_content": "gAAA"},
                {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look", "arguments": "{}", "status": "completed"},
                {"type": "function_call_output", "call_id": "c1", "output": "a loom"},
                {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "two"}]},
                {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                    {"type": "output_text", "text": "A loom.", "annotations": []}, {"type": "refusal", "refusal": "No more."}
                ]},
                {"role": "user", "content": "Thanks"}
            ],
            "tools": [{"type": "function", "name": "look", "description": null, "parameters": {"type": "object"}, "strict": false}],
            "tool_choice": "auto", "parallel_tool_calls": true, "max_output_tokens": 100,
            "reasoning": {"effort": "xhigh", "summary": "auto"}, "text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": true}, "verbosity": "low"},
            "include": ["reasoning.encrypted_content"], "store": false, "stream": true, "truncation": "auto",
            "prompt_cache_key": "k", "client_metadata": {"a": "b"}, "metadata": null, "user": "u", "safety_identifier": "s"
        }"#,
    );
    expect![[]].assert_eq(&said);
    let short = parse(br#"{"model":"m","input":"hello"}"#).unwrap();
    assert_eq!(short.request.messages, vec![asked::user_text("hello".into())]);
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let with = |field: &str| shown(&format!(r#"{{"model":"m","input":"x",{field}}}"#));
    let item = |item: &str| shown(&format!(r#"{{"model":"m","input":[{item}]}}"#));
    let said = [
        with(r#""previous_response_id":"resp_1""#),
        with(r#""conversation":{"id":"conv_1"}"#),
        with(r#""background":true"#),
        with(r#""prompt":{"id":"pmpt_1"}"#),
        with(r#""top_logprobs":2"#),
        with(r#""include":["message.output_text.logprobs"]"#),
        with(r#""tools":[{"type":"web_search"}]"#),
        with(r#""tools":[{"type":"custom","name":"apply_patch"}]"#),
        with(r#""tools":[{"type":"function"}]"#),
        with(r#""tool_choice":{"type":"file_search"}"#),
        with(r#""reasoning":{"effort":"huge"}"#),
        with(r#""text":{"format":{"type":"grammar"}}"#),
        item(r#"{"type":"item_reference","id":"x"}"#),
        item(r#"{"type":"web_search_call","id":"x"}"#),
        item(r#"{"type":"function_call","name":"f","arguments":"{}"}"#),
        item(r#"{"type":"function_call_output","output":"x"}"#),
        item(r#"{"role":"user","content":[{"type":"input_file","file_id":"f"}]}"#),
        item(r#"{"role":"user","content":[{"type":"input_image","file_id":"f"}]}"#),
        item(r#"{"role":"user","content":[{"type":"input_image","image_url":"ftp://a"}]}"#),
        item(r#"{"role":"user"}"#),
        item(r#"{"role":"tool","content":"x"}"#),
        shown(r#"{"model":"m"}"#),
        shown(r#"{"model":"m","input":7}"#),
    ];
    expect![[]].assert_eq(&said.join("\n"));
}

#[test]
fn an_answer_is_whole() {
    let shown = |events: &[_], why: &Why| {
        String::from_utf8(whole(&call(), &reply(events), why, &bill())).unwrap()
    };
    let said = [
        shown(&everything(), &Why::ToolCalls),
        shown(&[text("Hel")], &Why::MaxOutput),
        shown(&[], &Why::Refused(Some("I will not.".into()))),
    ];
    expect![[]].assert_eq(&said.join("\n"));
}

#[test]
fn an_answer_comes_in_steps() {
    expect![[]].assert_eq(&told(Steps::new(call()), &everything(), &Why::ToolCalls));
    let refused = Why::Refused(Some("I will not.".into()));
    expect![[]].assert_eq(&told(Steps::new(call()), &[text("Well."), calls(0, "f")], &refused));
}

#[test]
fn reasoning_goes_out_and_comes_back() {
    for (by, value) in [
        (
            ProviderKind::OpenAi,
            json!({ "summary": [{ "type": "summary_text", "text": "So." }], "encrypted_content": "gAAA" }),
        ),
        (ProviderKind::Anthropic, json!({ "signature": "EqQB", "model": "claude-opus-4-5" })),
        (ProviderKind::OpenRouter, json!([{ "type": "reasoning.encrypted", "data": "x" }])),
    ] {
        let sealed = Sealed { by, value };
        let reply = reply(&[Event::Thinking("So.".into()), Event::Sealed(sealed.clone())]);
        let out = whole(&call(), &reply, &Why::Done, &bill());
        let out: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let body = json!({ "model": "m", "input": [out["output"][0], { "role": "user", "content": "x" }] });
        let back = parse(body.to_string().as_bytes()).unwrap();
        let part = Part::Thinking { text: "So.".into(), sealed: Some(sealed) };
        assert_eq!(back.request.messages[0].parts, [part]);
    }
}
