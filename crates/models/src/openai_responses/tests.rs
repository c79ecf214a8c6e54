//! Bodies as they go out, recorded streams, and answers that come all at once.

use super::*;
use crate::{Effort, Message, Part, Role, Thinking, replay, sample};
use expect_test::expect;
use mosaic_protocol::provider::{Api, ProviderKind};
use serde_json::{Value, json};

fn endpoint() -> Endpoint {
    sample::endpoint(ProviderKind::OpenAi, Api::Responses)
}

fn written(request: &Request, how: How) -> Value {
    let outgoing = Responses.call(&endpoint(), request, how).unwrap();
    assert_eq!(outgoing.url, "https://models.example/v1/responses");
    serde_json::from_slice(&outgoing.body.unwrap()).unwrap()
}

fn sampled(by: ProviderKind, model: &str) -> Value {
    let summary = json!([{"type": "summary_text", "text": "I should look."}]);
    let seal = json!({"id": "rs_1", "summary": summary, "encrypted_content": "gAAA"});
    let request = Request { model: model.to_owned(), ..sample::conversation(by, seal) };
    written(&request, How::Stream)
}

#[test]
fn a_body_with_what_was_reasoned_and_one_without() {
    let body = sampled(ProviderKind::OpenAi, "gpt-5.2");
    expect![[r#"
        include: ["reasoning.encrypted_content"]
          {"content":[{"text":"What is there?","type":"input_text"}],"role":"user","type":"message"}
          {"encrypted_content":"gAAA","summary":[{"text":"I should look.","type":"summary_text"}],"type":"reasoning"}
          {"content":[{"text":"I look.","type":"output_text"}],"role":"assistant","type":"message"}
          {"arguments":"{\"at\":\"sky\"}","call_id":"toolu_1","name":"look","type":"function_call"}
          {"arguments":"{\"at\": oops","call_id":"functions_look_1","name":"look","type":"function_call"}
          {"call_id":"toolu_1","output":"A cloud.","type":"function_call_output"}
          {"call_id":"functions_look_1","output":"The tool failed: no such place","type":"function_call_output"}
          {"content":[{"text":"What the tools showed:","type":"input_text"},{"image_url":"data:image/png;base64,Y2xvdWQ=","type":"input_image"}],"role":"user","type":"message"}
          {"content":[{"text":"A cloud.","type":"output_text"}],"role":"assistant","type":"message"}
          {"content":[{"text":"And here?","type":"input_text"},{"image_url":"data:image/png;base64,aGVyZQ==","type":"input_image"}],"role":"user","type":"message"}
        instructions: "Be brief.\n\nBe kind."
        max_output_tokens: 1000
        model: "gpt-5.2"
        parallel_tool_calls: false
        reasoning: {"effort":"medium","summary":"auto"}
        safety_identifier: "user-1a2b"
        store: false
        stream: true
        text: {"format":{"name":"seen","schema":{"type":"object"},"strict":true,"type":"json_schema"}}
        tool_choice: {"name":"look","type":"function"}
        tools: [{"description":"Looks somewhere.","name":"look","parameters":{"properties":{"at":{"type":"string"}},"type":"object"},"strict":false,"type":"function"}]"#]].assert_eq(&sample::pretty(body.to_string().as_bytes()));
    for (by, model) in [
        (ProviderKind::Anthropic, "gpt-5.2"),
        (ProviderKind::Anthropic, "gpt-4o"),
        (ProviderKind::OpenAi, "gpt-4o"),
    ] {
        let text = sampled(by, model).to_string();
        assert!(!text.contains("gAAA") && !text.contains("I should look"), "{text}");
    }
    let other = sampled(ProviderKind::Anthropic, "gpt-4o");
    assert_eq!(other["temperature"], 0.5);
    assert!(other.get("reasoning").is_none() && other.get("include").is_none());
}

#[test]
fn thinking_is_told_in_the_levels_of_the_model() {
    let body = |thinking| {
        let parts = vec![Part::text("x")];
        let messages = vec![Message { role: Role::User, parts }];
        let model = "gpt-5.2".to_owned();
        written(&Request { model, messages, thinking, ..Request::default() }, How::Whole)
    };
    let usual = body(Thinking::Usual);
    assert_eq!(usual["reasoning"], json!({"summary": "auto"}));
    assert_eq!(body(Thinking::Off)["reasoning"], json!({"effort": "none"}));
    let most = body(Thinking::Effort(Effort::Max));
    assert_eq!(most["reasoning"], json!({"effort": "xhigh", "summary": "auto"}));
    assert!(most.get("stream").is_none());
}

#[test]
fn texts_to_stop_at_are_refused_for_there_is_no_place_for_them() {
    let parts = vec![Part::text("x")];
    let messages = vec![Message { role: Role::User, parts }];
    let request = Request { messages, stop: vec!["###".into()], ..Request::default() };
    let error = Responses.call(&endpoint(), &request, How::Whole).unwrap_err();
    assert_eq!(error.class, FailureClass::BadRequest);
}

#[test]
fn recorded_streams() {
    let events = replay::folder("openai-responses", || Box::new(Stream::new(&endpoint())));
    expect![[r#"
        cut
          Began { id: Some("resp_67"), model: Some("gpt-5.2") }
          Text("Once")
          incomplete

        error
          Began { id: Some("resp_67"), model: Some("gpt-5.2") }
          failed: overload: Something broke

        failed
          Began { id: Some("resp_67"), model: Some("gpt-5.2") }
          failed: rate: Rate limit reached

        filtered
          Began { id: Some("resp_67"), model: Some("gpt-5.2") }
          Ended(Refused(None))

        incomplete
          Began { id: Some("resp_67"), model: Some("gpt-5.2") }
          Text("Once")
          Usage(in 116 read 384 write 0 out 90 thought 64 cost None)
          Ended(MaxOutput)

        parallel_calls
          Began { id: Some("resp_67"), model: Some("gpt-5.2") }
          ToolCall { index: 0, id: "call_A", name: "weather" }
          ToolCall { index: 1, id: "call_B", name: "time" }
          Arguments { index: 0, piece: "{\"city\":" }
          Arguments { index: 1, piece: "{\"zone\":" }
          Arguments { index: 0, piece: "\"Köln\"}" }
          Arguments { index: 1, piece: "\"CET\"}" }
          Usage(in 116 read 384 write 0 out 90 thought 64 cost None)
          Ended(ToolCalls)

        refusal
          Began { id: Some("resp_67"), model: Some("gpt-5.2") }
          Usage(in 116 read 384 write 0 out 90 thought 64 cost None)
          Ended(Refused(Some("I cannot.")))

        thinking_text
          Began { id: Some("resp_67"), model: Some("gpt-5.2") }
          Thinking("**Weigh")
          Thinking("ing**")
          Thinking("\n\n")
          Thinking("Then more.")
          Sealed(openai {"encrypted_content":"gAAAAAB","id":"rs_1","summary":[{"text":"**Weighing**","type":"summary_text"},{"text":"Then more.","type":"summary_text"}]})
          Text("Grüße")
          Text(" 🌍")
          Usage(in 116 read 384 write 0 out 90 thought 64 cost None)
          Ended(Done)

        whole_items
          Began { id: Some("resp_67"), model: Some("gpt-5.2") }
          ToolCall { index: 0, id: "call_A", name: "weather" }
          Arguments { index: 0, piece: "{}" }
          Text("Hi")
          Usage(in 116 read 384 write 0 out 90 thought 64 cost None)
          Ended(ToolCalls)

    "#]].assert_eq(&events);
}

#[test]
fn an_answer_all_at_once_has_the_events_of_a_stream() {
    let body = json!({
        "id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5.2",
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gA"},
            {"type": "web_search_call", "id": "ws_1"},
            {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Look.", "annotations": []}]},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": "{\"at\":1}"},
        ],
        "usage": {"input_tokens": 9, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 4}},
    });
    let whole = |body: &Value| Responses.whole(&endpoint(), body.to_string().as_bytes());
    expect![[r#"
          Began { id: Some("resp_1"), model: Some("gpt-5.2") }
          Thinking("Hm.")
          Sealed(openai {"encrypted_content":"gA","id":"rs_1","summary":[{"text":"Hm.","type":"summary_text"}]})
          Text("Look.")
          ToolCall { index: 0, id: "call_1", name: "look" }
          Arguments { index: 0, piece: "{\"at\":1}" }
          Usage(in 5 read 4 write 0 out 5 thought 0 cost None)
          Ended(ToolCalls)
    "#]].assert_eq(&replay::told((whole(&body).unwrap(), Ok(()))));
    let failed = json!({"status": "failed", "error": {"code": "server_error", "message": "no: sk-0123456789"}});
    let error = whole(&failed).unwrap_err();
    assert_eq!((error.class, error.message.as_str()), (FailureClass::Overload, "no: ***"));
    assert_eq!(whole(&json!({"output": 3})).unwrap_err().class, FailureClass::Malformed);
}
