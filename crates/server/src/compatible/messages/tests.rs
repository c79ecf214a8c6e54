use super::*;
use crate::compatible::pieces::{
    arguments, bill, call, calls, everything, reply, signed, text, thought, told,
};
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
            "model": "claude-opus-4-5", "max_tokens": 1000, "stream": true,
            "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "No lists.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral"}},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"}},
                    {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                    {"type": "document", "title": "Looms", "source": {"type": "text", "media_type": "text/plain", "data": "Of looms."}}
                ]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "A loom?", "signature": "EqQB"},
                    {"type": "redacted_thinking", "data": "EmwK"},
                    {"type": "text", "text": "I look.", "citations": null},
                    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"z": 1, "a": [true]}, "caller": {"type": "direct"}}
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "cache_control": {"type": "ephemeral"}, "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
                        {"type": "text", "text": "broken"}
                    ]},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "content": "fine"},
                    {"type": "tool_result", "tool_use_id": "toolu_3"}
                ]},
                {"role": "system", "content": "Now in French."},
                {"role": "assistant", "content": "Un"}
            ],
            "tools": [{"name": "look", "description": "Looks", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}, {"type": "custom", "name": "stop", "input_schema": {"type": "object"}, "strict": true}],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
            "temperature": 1, "top_p": 0.9, "top_k": 40, "stop_sequences": ["END"],
            "thinking": {"type": "enabled", "budget_tokens": 512},
            "output_config": {"effort": "medium", "format": {"type": "json_schema", "schema": {"type": "object"}}},
            "metadata": {"user_id": "user_1"}, "service_tier": "auto", "context_management": {"edits": []}, "betas": ["x"]
        }"#,
    );
    expect![[]].assert_eq(&said);
}

#[test]
fn thinking_is_asked_for_in_several_ways() {
    let with = |field: &str| {
        let body =
            format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}]{field}}}"#);
        parse(body.as_bytes()).map(|asked| asked.request.thinking).map_err(|bad| bad.message)
    };
    use mosaic_models::Effort;
    let effort = r#","output_config":{"effort":"low"}"#;
    assert_eq!(with(""), Ok(Thinking::Usual));
    assert_eq!(with(effort), Ok(Thinking::Effort(Effort::Low)));
    assert_eq!(with(r#","thinking":{"type":"disabled"}"#), Ok(Thinking::Off));
    let adaptive = r#","thinking":{"type":"adaptive"}"#;
    assert_eq!(with(adaptive), Ok(Thinking::Effort(Effort::High)));
    assert_eq!(with(&format!("{adaptive}{effort}")), Ok(Thinking::Effort(Effort::Low)));
    let budget = r#","thinking":{"type":"enabled","budget_tokens":2048}"#;
    assert_eq!(with(budget), Ok(Thinking::Budget(2048)));
    assert!(with(r#","thinking":{"type":"enabled"}"#).is_err());
    assert!(with(r#","thinking":{"type":"deep"}"#).is_err());
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let with = |field: &str| {
        shown(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],{field}}}"#))
    };
    let block = |role: &str, block: &str| {
        shown(&format!(r#"{{"model":"m","messages":[{{"role":"{role}","content":[{block}]}}]}}"#))
    };
    let said = [
        with(r#""mcp_servers":[{"url":"https://a"}]"#),
        with(r#""container":"c""#),
        with(r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#),
        with(r#""tools":[{"type":"bash_20250124","name":"bash"}]"#),
        with(r#""tools":[{"name":"f","input_schema":"x"}]"#),
        with(r#""tool_choice":{"type":"any"}"#),
        with(r#""tool_choice":{"type":"tool","name":"f"}"#),
        with(r#""tool_choice":{"type":"tool"}"#),
        with(r#""system":[{"type":"image"}]"#),
        with(r#""max_tokens":0"#),
        with(r#""output_format":{"type":"xml"}"#),
        with(r#""output_config":{"format":{"type":"json_schema"}}"#),
        block("user", r#"{"type":"thinking","thinking":"x"}"#),
        block("user", r#"{"type":"image","source":{"type":"file","file_id":"f"}}"#),
        block(
            "user",
            r#"{"type":"image","source":{"type":"base64","media_type":"image/bmp","data":"Qk0="}}"#,
        ),
        block(
            "user",
            r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"}}"#,
        ),
        block("user", r#"{"type":"document","source":{"type":"file","file_id":"f"}}"#),
        block("user", r#"{"type":"tool_result","content":"x"}"#),
        block(
            "user",
            r#"{"type":"text","text":"a"},{"type":"tool_result","tool_use_id":"t","content":[{"type":"search_result"}]}"#,
        ),
        block("assistant", r#"{"type":"server_tool_use","id":"x","name":"web_search","input":{}}"#),
        block("assistant", r#"{"type":"tool_use","id":"x","name":"f","input":"text"}"#),
        block("narrator", r#"{"type":"text","text":"x"}"#),
        shown(r#"{"model":"m","max_tokens":1}"#),
        shown(r#"{"model":"m","max_tokens":1,"messages":[]}"#),
    ];
    expect![[]].assert_eq(&said.join("\n"));
}

#[test]
fn an_answer_is_whole() {
    let shown = |events: &[_], why: &Why| {
        String::from_utf8(whole(&call(), &reply(events), why, &bill())).unwrap()
    };
    let hidden = Sealed { by: ProviderKind::Anthropic, value: json!({ "data": "x" }) };
    let said = [
        shown(&everything(), &Why::ToolCalls),
        shown(&[text("Hel")], &Why::MaxOutput),
        shown(&[text("Hel")], &Why::Stop(Some("lo".into()))),
        shown(&[calls(0, "f")], &Why::Done),
        shown(&[calls(0, "f"), arguments(0, "{broken")], &Why::ToolCalls),
        shown(&[Event::Sealed(hidden), text("Hm.")], &Why::Refused(Some("I will not.".into()))),
    ];
    expect![[]].assert_eq(&said.join("\n"));
}

#[test]
fn one_block_is_open_at_a_time() {
    expect![[]].assert_eq(&told(Blocks::new(call()), &everything(), &Why::ToolCalls));
    let events = [thought("Hm"), signed("c2ln"), calls(0, "f"), calls(1, "g"), arguments(1, "{}")];
    expect![[]].assert_eq(&told(Blocks::new(call()), &events, &Why::Refused(Some("No.".into()))));
}

#[test]
fn thoughts_go_out_and_come_back() {
    for (by, value) in [
        (ProviderKind::Anthropic, json!({ "signature": "EqQB", "model": "claude-opus-4-5" })),
        (ProviderKind::Anthropic, json!({ "data": "EmwK", "model": "claude-opus-4-5" })),
        (ProviderKind::OpenAi, json!({ "id": "rs", "summary": [], "encrypted_content": "gAAA" })),
        (ProviderKind::DeepSeek, json!(null)),
    ] {
        let sealed = Sealed { by, value };
        for words in ["", "So."] {
            let thought = Some(Event::Thinking(words.into())).filter(|_| !words.is_empty());
            let events: Vec<Event> =
                thought.into_iter().chain([Event::Sealed(sealed.clone())]).collect();
            let out = whole(&call(), &reply(&events), &Why::Done, &bill());
            let out: serde_json::Value = serde_json::from_slice(&out).unwrap();
            let said = json!({ "role": "assistant", "content": out["content"] });
            let body = json!({ "model": "m", "messages": [said] });
            let back = parse(body.to_string().as_bytes()).unwrap();
            let part = Part::Thinking { text: words.into(), sealed: Some(sealed.clone()) };
            assert_eq!(back.request.messages[0].parts, [part]);
        }
    }
}

#[test]
fn tokens_are_counted_about_right() {
    let count = |words: usize| {
        let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "looms ".repeat(words) }] });
        let counted = count(&parse(body.to_string().as_bytes()).unwrap());
        let counted: serde_json::Value = serde_json::from_slice(&counted).unwrap();
        counted["input_tokens"].as_u64().unwrap()
    };
    assert!((1000..3000).contains(&count(1000)), "{}", count(1000));
    assert!(count(1) < 40);
}
