//! Messages in and out: what is understood, what is refused, what an answer looks like.

use super::*;
use crate::compatible::pieces::{
    arguments, bill, call, calls, everything, lines, reply, signed, text, thought, told,
};
use expect_test::expect;
use mosaic_models::{Event, Sealed, Why};
use mosaic_protocol::provider::ProviderKind;
use serde_json::json;

fn shown(body: &str) -> String {
    match parse(body.as_bytes()) {
        Ok(asked) => lines(&asked),
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
    expect![[r#"
        Asked { request: Request { model: "", system: [], messages: [], tools: [], tool_choice: Some, parallel_tools: Some(false), max_output: Some(1000), temperature: Some(1.0), top_p: Some(0.9), top_k: Some(40), seed: None, presence_penalty: None, frequency_penalty: None, stop: ["END"], thinking: Budget(512), output: Schema { name: "answer", schema: Object {"type": String("object")}, strict: true }, cache: false, on_behalf: Some("user_1") }, model: "claude-opus-4-5", stream: true, wants_usage: true, left_out: [] }
        System { text: "Be brief.", cache: None }
        System { text: "No lists.", cache: Some(Hour) }
        User
          Text { text: "What is this?", cache: Some(Minutes) }
          Image(Image { media_type: "image/jpeg", source: Base64("/9j/") })
          Image(Image { media_type: "image/*", source: Url("https://example.com/a.png") })
          Text { text: "Looms", cache: None }
          Text { text: "Of looms.", cache: None }
        Assistant
          Thinking { text: "A loom?", sealed: Some(Sealed { by: Anthropic, value: Object {"signature": String("EqQB")} }) }
          Thinking { text: "", sealed: Some(Sealed { by: Anthropic, value: Object {"data": String("EmwK")} }) }
          Text { text: "I look.", cache: None }
          ToolCall { id: "toolu_1", name: "look", arguments: "{\"z\":1,\"a\":[true]}" }
        User
          ToolResult { call_id: "toolu_1", parts: [Image(Image { media_type: "image/png", source: Base64("iVBO") }), Text { text: "broken", cache: Some(Minutes) }], failed: true }
          ToolResult { call_id: "toolu_2", parts: [Text { text: "fine", cache: None }], failed: false }
          ToolResult { call_id: "toolu_3", parts: [], failed: false }
        User
          Text { text: "Now in French.", cache: None }
        Assistant
          Text { text: "Un", cache: None }
        Tool { name: "look", description: "Looks", schema: Object {"type": String("object")}, strict: None, cache: Some(Minutes) }
        Tool { name: "stop", description: "", schema: Object {"type": String("object")}, strict: Some(true), cache: None }"#]].assert_eq(&said);
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
    expect![[r#"
        mcp_servers | `mcp_servers`: what runs at the provider is not supported: offer a function
        container | `container`: what runs at the provider is not supported: offer a function
        tools[0].type | `tools[0].type`: tools have a schema of their own: none are built in here
        tools[0].type | `tools[0].type`: tools have a schema of their own: none are built in here
        tools[0].input_schema | `tools[0].input_schema`: a JSON schema is an object
        tool_choice | `tool_choice`: a tool must be called, and there are none in `tools`
        tool_choice | `tool_choice`: there is no tool `f` in `tools`
        tool_choice.name | `tool_choice.name`: it is missing
        system[0].type | `system[0].type`: only `text` is taken
        max_tokens | `max_tokens`: at least 1
        output_format.type | `output_format.type`: only `json_schema` is taken
        output_config.format.schema | `output_config.format.schema`: a JSON schema is an object
        messages[0].content[0].type | `messages[0].content[0].type`: of the user one of `text`, `image`, `document`, `tool_result`
        messages[0].content[0].source.type | `messages[0].content[0].source.type`: there are no stored files here: send the picture
        messages[0].content[0].source.data | `messages[0].content[0].source.data`: pictures are PNG, JPEG, GIF or WebP
        messages[0].content[0].source.type | `messages[0].content[0].source.type`: documents are taken as text only: `text` or `content`
        messages[0].content[0].source.file_id | `messages[0].content[0].source.file_id`: there are no stored files here: send the text
        messages[0].content[0].tool_use_id | `messages[0].content[0].tool_use_id`: it is missing
        messages[0].content[1].content[0].type | `messages[0].content[1].content[0].type`: a result holds `text`, `image` or `document`
        messages[0].content[0].type | `messages[0].content[0].type`: of the assistant one of `text`, `thinking`, `redacted_thinking`, `tool_use`
        messages[0].content[0].input | `messages[0].content[0].input`: invalid type: string "text", expected a JSON object
        messages[0].role | `messages[0].role`: one of `user`, `assistant`, `system`
         | the body is not understood: missing field `messages`
        messages | `messages`: there must be something to answer"#]].assert_eq(&said.join("\n"));
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
    expect![[r#"
        {"id":"msg_7","type":"message","role":"assistant","model":"work/loom-1","content":[{"type":"thinking","thinking":"Two looms.","signature":"mosaic1.anthropic.eyJzaWduYXR1cmUiOiJjMmxuIn0="},{"type":"text","text":"I look."},{"type":"tool_use","id":"call_0","name":"weave","input":{"of":"li}nen"}},{"type":"tool_use","id":"call_1","name":"spin","input":{"n":[1,2]}},{"type":"text","text":"Then."}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":1},"output_tokens":7},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"msg_7","type":"message","role":"assistant","model":"work/loom-1","content":[{"type":"text","text":"Hel"}],"stop_reason":"max_tokens","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":1},"output_tokens":7},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"msg_7","type":"message","role":"assistant","model":"work/loom-1","content":[{"type":"text","text":"Hel"}],"stop_reason":"stop_sequence","stop_sequence":"lo","usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":1},"output_tokens":7},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"msg_7","type":"message","role":"assistant","model":"work/loom-1","content":[{"type":"tool_use","id":"call_0","name":"f","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":1},"output_tokens":7},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"msg_7","type":"message","role":"assistant","model":"work/loom-1","content":[{"type":"tool_use","id":"call_0","name":"f","input":{"broken_arguments":"{broken"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":1},"output_tokens":7},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"msg_7","type":"message","role":"assistant","model":"work/loom-1","content":[{"type":"redacted_thinking","data":"mosaic1.anthropic.eyJkYXRhIjoieCJ9"},{"type":"text","text":"Hm."},{"type":"text","text":"I will not."}],"stop_reason":"refusal","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":1},"output_tokens":7},"mosaic":{"cost_micros":42,"cost_exact":true}}"#]].assert_eq(&said.join("\n"));
}

#[test]
fn one_block_is_open_at_a_time() {
    expect![[r#"
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_7","type":"message","role":"assistant","model":"work/loom-1","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":0}}}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Two "}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"looms."}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"mosaic1.anthropic.eyJzaWduYXR1cmUiOiJjMmxuIn0="}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: content_block_start
        data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"I "}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"look."}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":1}

        event: content_block_start
        data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_0","name":"weave","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"of\":"}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"li}nen\""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":2}

        event: content_block_start
        data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"call_1","name":"spin","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"n\":[1,2]}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":3}

        event: content_block_start
        data: {"type":"content_block_start","index":4,"content_block":{"type":"text","text":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":4,"delta":{"type":"text_delta","text":"Then."}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":4}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":1},"output_tokens":7},"mosaic":{"cost_micros":42,"cost_exact":true}}

        event: message_stop
        data: {"type":"message_stop"}

    "#]].assert_eq(&told(Blocks::new(call()), &everything(), &Why::ToolCalls));
    let events = [thought("Hm"), signed("c2ln"), calls(0, "f"), calls(1, "g"), arguments(1, "{}")];
    expect![[r#"
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_7","type":"message","role":"assistant","model":"work/loom-1","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":0}}}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"mosaic1.anthropic.eyJzaWduYXR1cmUiOiJjMmxuIn0="}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: content_block_start
        data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_0","name":"f","input":{}}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":1}

        event: content_block_start
        data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_1","name":"g","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":2}

        event: content_block_start
        data: {"type":"content_block_start","index":3,"content_block":{"type":"text","text":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"No."}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":3}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null},"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":1},"output_tokens":7},"mosaic":{"cost_micros":42,"cost_exact":true}}

        event: message_stop
        data: {"type":"message_stop"}

    "#]].assert_eq(&told(Blocks::new(call()), &events, &Why::Refused(Some("No.".into()))));
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
