//! Chat Completions in and out: what is understood, what is refused, what an answer looks like.

use super::*;
use crate::compatible::{
    bill::Bill,
    pieces::{arguments, bill, call, calls, everything, lines, reply, text, thought, told},
};
use expect_test::{Expect, expect};
use mosaic_models::Why;

fn shown(body: &str) -> String {
    match parse(body.as_bytes()) {
        Ok(asked) => lines(&asked),
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
        expect![[r#"
            Asked { request: Request { model: "", system: [], messages: [], tools: [], tool_choice: Named("look"), parallel_tools: Some(false), max_output: Some(100), temperature: Some(0.5), top_p: Some(1.0), top_k: None, seed: Some(-3), presence_penalty: Some(0.1), frequency_penalty: Some(-0.1), stop: ["END", "\n"], thinking: Effort(High), output: Schema { name: "n", schema: Object {"type": String("object")}, strict: true }, cache: true, on_behalf: Some("u-1") }, model: "auto", stream: true, wants_usage: true, left_out: [] }
            System { text: "Be brief.", cache: None }
            System { text: "No lists.", cache: None }
            User
              Text { text: "What is this?", cache: None }
              Image(Image { media_type: "image/png", source: Base64("iVBO") })
              Image(Image { media_type: "image/*", source: Url("https://example.com/a.png") })
            Assistant
              Thinking { text: "A loom?", sealed: None }
              ToolCall { id: "c1", name: "look", arguments: "{\"at\":1" }
            User
              ToolResult { call_id: "c1", parts: [Text { text: "a \"loom\"", cache: None }], failed: false }
            User
              Text { text: "Now in French.", cache: None }
            Assistant
              Text { text: "Un métier.", cache: None }
              Text { text: "Pas plus.", cache: None }
            User
              Text { text: "Merci", cache: None }
            Tool { name: "look", description: "Looks", schema: Object {"type": String("object")}, strict: Some(true), cache: None }
            Tool { name: "stop", description: "", schema: Object {"properties": Object {}, "type": String("object")}, strict: None, cache: None }"#]],
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
    expect![[r#"
        n | `n`: there is one answer to a call: ask again for more
        logprobs | `logprobs`: not every model gives probabilities, so none are given
        top_logprobs | `top_logprobs`: not every model gives probabilities, so none are given
        logit_bias | `logit_bias`: tokens differ from model to model
        audio | `audio`: answers are text
        modalities | `modalities`: answers are text
        prediction | `prediction`: predicted outputs are not supported
        web_search_options | `web_search_options`: there are no hosted tools here: offer a function
        functions | `functions`: use `tools`
        tools[0].type | `tools[0].type`: tools are functions: there are no custom or hosted tools here
        tools[0].function.name | `tools[0].function.name`: a tool's name has 1 to 256 characters
        tools[0].function.parameters | `tools[0].function.parameters`: a JSON schema is an object
        tool_choice | `tool_choice`: a tool must be called, and there are none in `tools`
        tool_choice | `tool_choice`: there is no tool `g` in `tools`
        tool_choice.type | `tool_choice.type`: only `function` is taken
        tool_choice | `tool_choice`: expected a word, or an object that names a function
        stop | `stop`: a list of more than 4
        stop | `stop`: an empty text is everywhere
        max_tokens | `max_tokens`: at least 1
        max_tokens | `max_tokens`: invalid value: integer `-1`, expected u64
        temperature | `temperature`: invalid type: string "hot", expected f64
        reasoning_effort | `reasoning_effort`: one of `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`
        response_format.type | `response_format.type`: one of `text`, `json_object`, `json_schema`
        response_format.json_schema.schema | `response_format.json_schema.schema`: a JSON schema is an object
        messages[0].role | `messages[0].role`: one of `system`, `developer`, `user`, `assistant`, `tool`
        messages[0].role | `messages[0].role`: use `tool`
        messages[0] | `messages[0]`: missing field `role`
        messages[0].content[0].type | `messages[0].content[0].type`: one of `text`, `image_url` (`refusal` of the assistant)
        messages[0].content[1].type | `messages[0].content[1].type`: only text and pictures are taken
        messages[0].content[0].text | `messages[0].content[0].text`: it is missing
        messages[0].content[0].image_url.url | `messages[0].content[0].image_url.url`: a picture is at an `https:` address or in a `data:` URL
        messages[0].content[0].image_url.url | `messages[0].content[0].image_url.url`: pictures are PNG, JPEG, GIF or WebP
        messages[0].content[0].image_url.url | `messages[0].content[0].image_url.url`: this is no base64
        messages[0].tool_calls[0].type | `messages[0].tool_calls[0].type`: tools are functions
        messages[0].tool_call_id | `messages[0].tool_call_id`: which call does this answer?
        messages | `messages`: there must be something to answer
        model | `model`: the name of a model has 1 to 200 characters
         | the body is not understood: missing field `model`"#]].assert_eq(&said.join("\n"));
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
    expect![[r#"
        {"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"message":{"role":"assistant","content":"I look.Then.","refusal":null,"reasoning_content":"Two looms.","tool_calls":[{"id":"call_0","type":"function","function":{"name":"weave","arguments":"{\"of\":\"li}nen\"}"}},{"id":"call_1","type":"function","function":{"name":"spin","arguments":"{\"n\":[1,2]}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":18,"completion_tokens":7,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hello","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":18,"completion_tokens":7,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hel","refusal":null},"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":18,"completion_tokens":7,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_0","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":18,"completion_tokens":7,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_0","type":"function","function":{"name":"f","arguments":"{broken"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":18,"completion_tokens":7,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"I will not."},"logprobs":null,"finish_reason":"content_filter"}],"usage":{"prompt_tokens":18,"completion_tokens":7,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"message":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":18,"completion_tokens":7,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"message":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"mosaic":{"cost_micros":null,"cost_exact":false}}"#]].assert_eq(&said.join("\n"));
}

#[test]
fn an_answer_comes_in_chunks() {
    let stream = told(Chunks::new(call(), true), &everything(), &Why::ToolCalls);
    expect![[r#"
        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"reasoning_content":"Two "},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"reasoning_content":"looms."},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"content":"I "},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"content":"look."},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_0","type":"function","function":{"name":"weave","arguments":""}}]},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"of\":"}}]},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_1","type":"function","function":{"name":"spin","arguments":""}}]},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{\"n\":[1,"}}]},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"li}nen\""}}]},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"2]}"}}]},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"content":"Then."},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[],"usage":{"prompt_tokens":18,"completion_tokens":7,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}},"mosaic":{"cost_micros":42,"cost_exact":true}}

        data: [DONE]

    "#]].assert_eq(&stream);
    let stream = told(Chunks::new(call(), false), &[thought("Hm"), calls(0, "f")], &Why::Done);
    expect![[r#"
        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"reasoning_content":"Hm"},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_0","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

        data: [DONE]

    "#]].assert_eq(&stream);
    let refused = Why::Refused(Some("I will not.".into()));
    expect![[r#"
        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{"refusal":"I will not."},"finish_reason":null}]}

        data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"work/loom-1","choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}

        data: [DONE]

    "#]].assert_eq(&told(Chunks::new(call(), false), &[], &refused));
}
