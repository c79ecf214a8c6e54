//! Responses in and out: what is understood, what is refused, what an answer looks like.

use super::*;
use crate::compatible::pieces::{bill, call, calls, everything, lines, reply, text, told};
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
    expect![[r#"
        Asked { request: Request { model: "", system: [], messages: [], tools: [], tool_choice: Auto, parallel_tools: Some(true), max_output: Some(100), temperature: None, top_p: None, top_k: None, seed: None, presence_penalty: None, frequency_penalty: None, stop: [], thinking: Effort(Max), output: Schema { name: "n", schema: Object {}, strict: true }, cache: true, on_behalf: Some("s") }, model: "work/gpt-5", stream: true, wants_usage: true, left_out: [] }
        System { text: "Be brief.", cache: None }
        System { text: "No lists.", cache: None }
        User
          Text { text: "What is this?", cache: None }
          Image(Image { media_type: "image/*", source: Url("https://example.com/a.png") })
        Assistant
          Thinking { text: "A loom?", sealed: Some(Sealed { by: OpenAi, value: Object {"encrypted_content": String("gAAA"), "summary": Array [Object {"text": String("A loom?"), "type": String("summary_text")}]} }) }
        Assistant
          ToolCall { id: "c1", name: "look", arguments: "{}" }
        User
          ToolResult { call_id: "c1", parts: [Text { text: "a loom", cache: None }], failed: false }
        User
          ToolResult { call_id: "c2", parts: [Text { text: "two", cache: None }], failed: false }
        Assistant
          Text { text: "A loom.", cache: None }
          Text { text: "No more.", cache: None }
        User
          Text { text: "Thanks", cache: None }
        Tool { name: "look", description: "", schema: Object {"type": String("object")}, strict: Some(false), cache: None }"#]].assert_eq(&said);
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
    expect![[r#"
        previous_response_id | `previous_response_id`: nothing is kept here between calls: send the whole conversation in `input`
        conversation | `conversation`: nothing is kept here between calls: send the whole conversation in `input`
        background | `background`: answers are not kept, so none can be fetched later
        prompt | `prompt`: there are no stored prompts here: use `instructions`
        top_logprobs | `top_logprobs`: not every model gives probabilities, so none are given
        include | `include`: not every model gives probabilities, so none are given
        Asked { request: Request { model: "", system: [], messages: [], tools: [], tool_choice: Auto, parallel_tools: None, max_output: None, temperature: None, top_p: None, top_k: None, seed: None, presence_penalty: None, frequency_penalty: None, stop: [], thinking: Usual, output: Text, cache: false, on_behalf: None }, model: "m", stream: false, wants_usage: true, left_out: ["web_search"] }
        User
          Text { text: "x", cache: None }
        tools[0].type | `tools[0].type`: tools are functions: there are no custom tools here
        tools[0].name | `tools[0].name`: a tool's name has 1 to 256 characters
        tool_choice.type | `tool_choice.type`: only `function` is taken
        reasoning.effort | `reasoning.effort`: one of `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`
        text.format.type | `text.format.type`: one of `text`, `json_object`, `json_schema`
        input[0].type | `input[0].type`: nothing is kept here between calls: send the item itself
        input[0].type | `input[0].type`: one of `message`, `function_call`, `function_call_output`, `reasoning`
        input[0].call_id | `input[0].call_id`: it is missing
        input[0].call_id | `input[0].call_id`: which call does this answer?
        input[0].content[0].type | `input[0].content[0].type`: only text and pictures are taken
        input[0].content[0].file_id | `input[0].content[0].file_id`: there are no stored files here: use `image_url`
        input[0].content[0].image_url | `input[0].content[0].image_url`: a picture is at an `https:` address or in a `data:` URL
        input[0].content | `input[0].content`: it is missing
        input[0].role | `input[0].role`: one of `user`, `assistant`, `system`, `developer`
        messages | `messages`: there must be something to answer
        input | `input`: invalid type: integer `7`, expected a string or a list"#]].assert_eq(&said.join("\n"));
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
    expect![[r#"
        {"id":"resp_7","object":"response","created_at":1700000000,"status":"completed","error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"work/loom-1","output":[{"type":"reasoning","id":"rs_7_0","summary":[{"type":"summary_text","text":"Two looms."}],"encrypted_content":"mosaic1.anthropic.eyJzaWduYXR1cmUiOiJjMmxuIn0="},{"type":"message","id":"msg_7_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"I look.","annotations":[],"logprobs":[]}]},{"type":"function_call","id":"fc_7_2","status":"completed","call_id":"call_0","name":"weave","arguments":"{\"of\":\"li}nen\"}"},{"type":"function_call","id":"fc_7_3","status":"completed","call_id":"call_1","name":"spin","arguments":"{\"n\":[1,2]}"},{"type":"message","id":"msg_7_4","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Then.","annotations":[],"logprobs":[]}]}],"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":{"input_tokens":18,"input_tokens_details":{"cached_tokens":5},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":25},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"resp_7","object":"response","created_at":1700000000,"status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"},"instructions":null,"metadata":{},"model":"work/loom-1","output":[{"type":"message","id":"msg_7_0","status":"incomplete","role":"assistant","content":[{"type":"output_text","text":"Hel","annotations":[],"logprobs":[]}]}],"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":{"input_tokens":18,"input_tokens_details":{"cached_tokens":5},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":25},"mosaic":{"cost_micros":42,"cost_exact":true}}
        {"id":"resp_7","object":"response","created_at":1700000000,"status":"incomplete","error":null,"incomplete_details":{"reason":"content_filter"},"instructions":null,"metadata":{},"model":"work/loom-1","output":[{"type":"message","id":"msg_7_0","status":"incomplete","role":"assistant","content":[{"type":"refusal","refusal":"I will not."}]}],"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":{"input_tokens":18,"input_tokens_details":{"cached_tokens":5},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":25},"mosaic":{"cost_micros":42,"cost_exact":true}}"#]].assert_eq(&said.join("\n"));
}

#[test]
fn an_answer_comes_in_steps() {
    expect![[r#"
        event: response.created
        data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_7","object":"response","created_at":1700000000,"status":"in_progress","error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"work/loom-1","output":[],"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":null}}

        event: response.in_progress
        data: {"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_7","object":"response","created_at":1700000000,"status":"in_progress","error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"work/loom-1","output":[],"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":null}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"reasoning","id":"rs_7_0","summary":[]}}

        event: response.reasoning_summary_part.added
        data: {"type":"response.reasoning_summary_part.added","sequence_number":3,"item_id":"rs_7_0","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}

        event: response.reasoning_summary_text.delta
        data: {"type":"response.reasoning_summary_text.delta","sequence_number":4,"item_id":"rs_7_0","output_index":0,"summary_index":0,"delta":"Two "}

        event: response.reasoning_summary_text.delta
        data: {"type":"response.reasoning_summary_text.delta","sequence_number":5,"item_id":"rs_7_0","output_index":0,"summary_index":0,"delta":"looms."}

        event: response.reasoning_summary_text.done
        data: {"type":"response.reasoning_summary_text.done","sequence_number":6,"item_id":"rs_7_0","output_index":0,"summary_index":0,"text":"Two looms."}

        event: response.reasoning_summary_part.done
        data: {"type":"response.reasoning_summary_part.done","sequence_number":7,"item_id":"rs_7_0","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":"Two looms."}}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":8,"output_index":0,"item":{"type":"reasoning","id":"rs_7_0","summary":[{"type":"summary_text","text":"Two looms."}],"encrypted_content":"mosaic1.anthropic.eyJzaWduYXR1cmUiOiJjMmxuIn0="}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":9,"output_index":1,"item":{"type":"message","id":"msg_7_1","status":"in_progress","role":"assistant","content":[]}}

        event: response.content_part.added
        data: {"type":"response.content_part.added","sequence_number":10,"item_id":"msg_7_1","output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":11,"item_id":"msg_7_1","output_index":1,"content_index":0,"delta":"I ","logprobs":[]}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":12,"item_id":"msg_7_1","output_index":1,"content_index":0,"delta":"look.","logprobs":[]}

        event: response.output_text.done
        data: {"type":"response.output_text.done","sequence_number":13,"item_id":"msg_7_1","output_index":1,"content_index":0,"text":"I look.","logprobs":[]}

        event: response.content_part.done
        data: {"type":"response.content_part.done","sequence_number":14,"item_id":"msg_7_1","output_index":1,"content_index":0,"part":{"type":"output_text","text":"I look.","annotations":[],"logprobs":[]}}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":15,"output_index":1,"item":{"type":"message","id":"msg_7_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"I look.","annotations":[],"logprobs":[]}]}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":16,"output_index":2,"item":{"type":"function_call","id":"fc_7_2","status":"in_progress","call_id":"call_0","name":"weave","arguments":""}}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","sequence_number":17,"item_id":"fc_7_2","output_index":2,"delta":"{\"of\":"}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":18,"output_index":3,"item":{"type":"function_call","id":"fc_7_3","status":"in_progress","call_id":"call_1","name":"spin","arguments":""}}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","sequence_number":19,"item_id":"fc_7_3","output_index":3,"delta":"{\"n\":[1,"}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","sequence_number":20,"item_id":"fc_7_2","output_index":2,"delta":"\"li}nen\""}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","sequence_number":21,"item_id":"fc_7_3","output_index":3,"delta":"2]}"}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","sequence_number":22,"item_id":"fc_7_2","output_index":2,"delta":"}"}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":23,"output_index":4,"item":{"type":"message","id":"msg_7_4","status":"in_progress","role":"assistant","content":[]}}

        event: response.content_part.added
        data: {"type":"response.content_part.added","sequence_number":24,"item_id":"msg_7_4","output_index":4,"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":25,"item_id":"msg_7_4","output_index":4,"content_index":0,"delta":"Then.","logprobs":[]}

        event: response.output_text.done
        data: {"type":"response.output_text.done","sequence_number":26,"item_id":"msg_7_4","output_index":4,"content_index":0,"text":"Then.","logprobs":[]}

        event: response.content_part.done
        data: {"type":"response.content_part.done","sequence_number":27,"item_id":"msg_7_4","output_index":4,"content_index":0,"part":{"type":"output_text","text":"Then.","annotations":[],"logprobs":[]}}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":28,"output_index":4,"item":{"type":"message","id":"msg_7_4","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Then.","annotations":[],"logprobs":[]}]}}

        event: response.function_call_arguments.done
        data: {"type":"response.function_call_arguments.done","sequence_number":29,"item_id":"fc_7_2","output_index":2,"name":"weave","arguments":"{\"of\":\"li}nen\"}"}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":30,"output_index":2,"item":{"type":"function_call","id":"fc_7_2","status":"completed","call_id":"call_0","name":"weave","arguments":"{\"of\":\"li}nen\"}"}}

        event: response.function_call_arguments.done
        data: {"type":"response.function_call_arguments.done","sequence_number":31,"item_id":"fc_7_3","output_index":3,"name":"spin","arguments":"{\"n\":[1,2]}"}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":32,"output_index":3,"item":{"type":"function_call","id":"fc_7_3","status":"completed","call_id":"call_1","name":"spin","arguments":"{\"n\":[1,2]}"}}

        event: response.completed
        data: {"type":"response.completed","sequence_number":33,"response":{"id":"resp_7","object":"response","created_at":1700000000,"status":"completed","error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"work/loom-1","output":[{"type":"reasoning","id":"rs_7_0","summary":[{"type":"summary_text","text":"Two looms."}],"encrypted_content":"mosaic1.anthropic.eyJzaWduYXR1cmUiOiJjMmxuIn0="},{"type":"message","id":"msg_7_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"I look.","annotations":[],"logprobs":[]}]},{"type":"function_call","id":"fc_7_2","status":"completed","call_id":"call_0","name":"weave","arguments":"{\"of\":\"li}nen\"}"},{"type":"function_call","id":"fc_7_3","status":"completed","call_id":"call_1","name":"spin","arguments":"{\"n\":[1,2]}"},{"type":"message","id":"msg_7_4","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Then.","annotations":[],"logprobs":[]}]}],"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":{"input_tokens":18,"input_tokens_details":{"cached_tokens":5},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":25},"mosaic":{"cost_micros":42,"cost_exact":true}}}

    "#]].assert_eq(&told(Steps::new(call()), &everything(), &Why::ToolCalls));
    let refused = Why::Refused(Some("I will not.".into()));
    expect![[r#"
        event: response.created
        data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_7","object":"response","created_at":1700000000,"status":"in_progress","error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"work/loom-1","output":[],"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":null}}

        event: response.in_progress
        data: {"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_7","object":"response","created_at":1700000000,"status":"in_progress","error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"work/loom-1","output":[],"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":null}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"message","id":"msg_7_0","status":"in_progress","role":"assistant","content":[]}}

        event: response.content_part.added
        data: {"type":"response.content_part.added","sequence_number":3,"item_id":"msg_7_0","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_7_0","output_index":0,"content_index":0,"delta":"Well.","logprobs":[]}

        event: response.output_text.done
        data: {"type":"response.output_text.done","sequence_number":5,"item_id":"msg_7_0","output_index":0,"content_index":0,"text":"Well.","logprobs":[]}

        event: response.content_part.done
        data: {"type":"response.content_part.done","sequence_number":6,"item_id":"msg_7_0","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Well.","annotations":[],"logprobs":[]}}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":7,"output_index":0,"item":{"type":"message","id":"msg_7_0","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Well.","annotations":[],"logprobs":[]}]}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":8,"output_index":1,"item":{"type":"function_call","id":"fc_7_1","status":"in_progress","call_id":"call_0","name":"f","arguments":""}}

        event: response.function_call_arguments.done
        data: {"type":"response.function_call_arguments.done","sequence_number":9,"item_id":"fc_7_1","output_index":1,"name":"f","arguments":"{}"}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":10,"output_index":1,"item":{"type":"function_call","id":"fc_7_1","status":"incomplete","call_id":"call_0","name":"f","arguments":"{}"}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":11,"output_index":2,"item":{"type":"message","id":"msg_7_2","status":"in_progress","role":"assistant","content":[]}}

        event: response.content_part.added
        data: {"type":"response.content_part.added","sequence_number":12,"item_id":"msg_7_2","output_index":2,"content_index":0,"part":{"type":"refusal","refusal":""}}

        event: response.refusal.delta
        data: {"type":"response.refusal.delta","sequence_number":13,"item_id":"msg_7_2","output_index":2,"content_index":0,"delta":"I will not."}

        event: response.refusal.done
        data: {"type":"response.refusal.done","sequence_number":14,"item_id":"msg_7_2","output_index":2,"content_index":0,"refusal":"I will not."}

        event: response.content_part.done
        data: {"type":"response.content_part.done","sequence_number":15,"item_id":"msg_7_2","output_index":2,"content_index":0,"part":{"type":"refusal","refusal":"I will not."}}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":16,"output_index":2,"item":{"type":"message","id":"msg_7_2","status":"incomplete","role":"assistant","content":[{"type":"refusal","refusal":"I will not."}]}}

        event: response.incomplete
        data: {"type":"response.incomplete","sequence_number":17,"response":{"id":"resp_7","object":"response","created_at":1700000000,"status":"incomplete","error":null,"incomplete_details":{"reason":"content_filter"},"instructions":null,"metadata":{},"model":"work/loom-1","output":[{"type":"message","id":"msg_7_0","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Well.","annotations":[],"logprobs":[]}]},{"type":"function_call","id":"fc_7_1","status":"incomplete","call_id":"call_0","name":"f","arguments":"{}"},{"type":"message","id":"msg_7_2","status":"incomplete","role":"assistant","content":[{"type":"refusal","refusal":"I will not."}]}],"parallel_tool_calls":true,"previous_response_id":null,"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","usage":{"input_tokens":18,"input_tokens_details":{"cached_tokens":5},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":25},"mosaic":{"cost_micros":42,"cost_exact":true}}}

    "#]].assert_eq(&told(Steps::new(call()), &[text("Well."), calls(0, "f")], &refused));
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
