//! Calls, as they are written.

use crate::{
    CacheFor, Effort, Error, Image, ImageSource, Message, Output, Part, Request, Role, Sealed,
    System, Thinking, Tool, ToolChoice, wire::How,
};
use expect_test::expect;
use mosaic_protocol::provider::{FailureClass, ProviderKind};
use serde_json::{Value, json};

fn said(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn user(text: &str) -> Message {
    said(Role::User, vec![Part::text(text)])
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall { id: id.into(), name: "weather".into(), arguments: arguments.into() }
}

fn result(id: &str, text: &str) -> Part {
    let parts = vec![Part::text(text)];
    Part::ToolResult { call_id: id.into(), parts, failed: false }
}

fn thought(text: &str, by: ProviderKind, value: Value) -> Part {
    Part::Thinking { text: text.into(), sealed: Some(Sealed { by, value }) }
}

fn picture(source: ImageSource) -> Part {
    Part::Image(Image { media_type: "image/png".into(), source })
}

fn weather() -> Tool {
    Tool {
        name: "weather".into(),
        description: "Tells the weather.".into(),
        schema: json!({"type": "object", "properties": {"city": {"type": "string"}}}),
        strict: None,
        cache: None,
    }
}

fn asked(model: &str, messages: Vec<Message>) -> Request {
    Request { model: model.into(), messages, ..Request::default() }
}

fn written(request: &Request) -> Value {
    serde_json::to_value(super::super::body::body(request, How::Stream).unwrap()).unwrap()
}

fn pretty(request: &Request) -> String {
    serde_json::to_string_pretty(&written(request)).unwrap()
}

fn refused(request: &Request) -> Error {
    let error = super::super::body::body(request, How::Stream).unwrap_err();
    assert_eq!(error.class, FailureClass::BadRequest);
    error
}

/// A conversation that began with another provider and goes on here.
fn moved(model: &str) -> Request {
    Request {
        tools: vec![weather()],
        thinking: Thinking::Effort(Effort::High),
        ..asked(
            model,
            vec![
                user("How is it in Oslo?"),
                said(
                    Role::Assistant,
                    vec![
                        thought("theirs", ProviderKind::OpenAi, json!({"encrypted": "x"})),
                        call("call:1|fc", r#"{"city":"Oslo"}"#),
                    ],
                ),
                said(Role::User, vec![result("call:1|fc", "rain")]),
                said(
                    Role::User,
                    vec![
                        Part::text("And here?"),
                        picture(ImageSource::Base64("iVBORw0KGgo=".into())),
                    ],
                ),
            ],
        )
    }
}

#[test]
fn a_conversation_with_another_provider_goes_on() {
    expect![[r#"
        {
          "messages": [
            {
              "content": "How is it in Oslo?",
              "role": "user"
            },
            {
              "content": "",
              "role": "assistant",
              "tool_calls": [
                {
                  "function": {
                    "arguments": {
                      "city": "Oslo"
                    },
                    "name": "weather"
                  },
                  "id": "call_1_fc"
                }
              ]
            },
            {
              "content": "rain",
              "role": "tool",
              "tool_call_id": "call_1_fc",
              "tool_name": "weather"
            },
            {
              "content": "And here?",
              "images": [
                "iVBORw0KGgo="
              ],
              "role": "user"
            }
          ],
          "model": "qwen3:8b",
          "options": {
            "num_ctx": 8192,
            "num_predict": 6574
          },
          "stream": true,
          "think": true,
          "tools": [
            {
              "function": {
                "description": "Tells the weather.",
                "name": "weather",
                "parameters": {
                  "properties": {
                    "city": {
                      "type": "string"
                    }
                  },
                  "type": "object"
                }
              },
              "type": "function"
            }
          ],
          "truncate": false
        }"#]]
    .assert_eq(&pretty(&moved("qwen3:8b")));
}

#[test]
fn every_field_has_its_place() {
    let request = Request {
        system: vec![
            System { text: "Be brief.".into(), cache: Some(CacheFor::Hour) },
            System { text: "Be kind.".into(), cache: None },
        ],
        tools: vec![weather(), Tool { name: "now".into(), schema: Value::Null, ..weather() }],
        tool_choice: ToolChoice::Named("now".into()),
        max_output: Some(20_000),
        temperature: Some(1.7),
        top_p: Some(0.9),
        top_k: Some(5),
        seed: Some(1),
        presence_penalty: Some(0.1),
        frequency_penalty: Some(0.2),
        stop: vec!["END".into()],
        thinking: Thinking::Effort(Effort::High),
        output: Output::Schema {
            name: "answer".into(),
            schema: json!({"type": "object"}),
            strict: true,
        },
        on_behalf: Some("7c1e".into()),
        ..asked("gpt-oss:20b", vec![user("What time is it?")])
    };
    expect![[r#"
        {
          "format": {
            "type": "object"
          },
          "messages": [
            {
              "content": "Be brief.\n\nBe kind.\n\nCall the tool `now` now.",
              "role": "system"
            },
            {
              "content": "What time is it?",
              "role": "user"
            }
          ],
          "model": "gpt-oss:20b",
          "options": {
            "frequency_penalty": 0.2,
            "num_ctx": 32768,
            "num_predict": 20000,
            "presence_penalty": 0.1,
            "seed": 1,
            "stop": [
              "END"
            ],
            "temperature": 1.7,
            "top_k": 5,
            "top_p": 0.9
          },
          "stream": true,
          "think": "high",
          "tools": [
            {
              "function": {
                "description": "Tells the weather.",
                "name": "now",
                "parameters": {
                  "properties": {},
                  "type": "object"
                }
              },
              "type": "function"
            }
          ],
          "truncate": false
        }"#]]
    .assert_eq(&pretty(&request));
}

#[test]
fn own_thoughts_go_back_and_what_cannot_be_paired_is_repaired() {
    let failed = Part::ToolResult {
        call_id: "2".into(),
        parts: vec![Part::text("no net"), picture(ImageSource::Base64("aGk=".into()))],
        failed: true,
    };
    let mine = thought("mine", ProviderKind::Ollama, Value::Null);
    let theirs = thought("theirs", ProviderKind::Anthropic, json!({"signature": "x"}));
    let request = Request {
        tool_choice: ToolChoice::Never,
        tools: vec![weather()],
        ..asked(
            "qwen3:8b",
            vec![
                user("a"),
                said(Role::Assistant, vec![theirs, mine, call("1", "{\"city\":"), call("2", "")]),
                said(Role::User, vec![Part::text("Well?"), result("9", "lost"), failed]),
            ],
        )
    };
    expect![[r#"
        {
          "messages": [
            {
              "content": "a",
              "role": "user"
            },
            {
              "content": "",
              "role": "assistant",
              "thinking": "mine",
              "tool_calls": [
                {
                  "function": {
                    "arguments": {
                      "unreadable_arguments": "{\"city\":"
                    },
                    "name": "weather"
                  },
                  "id": "1"
                },
                {
                  "function": {
                    "arguments": {},
                    "name": "weather"
                  },
                  "id": "2"
                }
              ]
            },
            {
              "content": "no result was recorded",
              "role": "tool",
              "tool_call_id": "1",
              "tool_name": "weather"
            },
            {
              "content": "The tool failed: no net",
              "role": "tool",
              "tool_call_id": "2",
              "tool_name": "weather"
            },
            {
              "content": "Well?\nThe result of a tool call that is not shown here:\nlost",
              "images": [
                "aGk="
              ],
              "role": "user"
            }
          ],
          "model": "qwen3:8b",
          "options": {
            "num_ctx": 8192,
            "num_predict": 6569
          },
          "stream": true,
          "truncate": false
        }"#]]
    .assert_eq(&pretty(&request));
}

#[test]
fn a_long_conversation_gets_a_larger_context() {
    let context = |text: &str, max_output| {
        let request = Request { max_output, ..asked("m", vec![user(text)]) };
        written(&request)["options"]["num_ctx"].as_u64().unwrap()
    };
    assert_eq!(context("x", None), 8_192);
    assert_eq!(context("x", Some(16_000)), 16_384);
    assert_eq!(context(&"word ".repeat(10_000), None), 32_768);
    assert_eq!(context(&"word ".repeat(2_000_000), None), 131_072);
}

#[test]
fn what_cannot_be_sent_is_refused_in_a_sentence() {
    let url = picture(ImageSource::Url("https://example.org/a.png".into()));
    assert_eq!(
        refused(&asked("m", vec![said(Role::User, vec![url])])).message,
        "Ollama takes pictures themselves, not their addresses"
    );
    assert_eq!(
        refused(&asked("m", vec![])).message,
        "there is nothing to answer: the conversation is empty"
    );
}
