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
          "max_tokens": 32000,
          "messages": [
            {
              "content": [
                {
                  "text": "How is it in Oslo?",
                  "type": "text"
                }
              ],
              "role": "user"
            },
            {
              "content": [
                {
                  "id": "call_1_fc",
                  "input": {
                    "city": "Oslo"
                  },
                  "name": "weather",
                  "type": "tool_use"
                }
              ],
              "role": "assistant"
            },
            {
              "content": [
                {
                  "content": [
                    {
                      "text": "rain",
                      "type": "text"
                    }
                  ],
                  "tool_use_id": "call_1_fc",
                  "type": "tool_result"
                },
                {
                  "text": "And here?",
                  "type": "text"
                },
                {
                  "source": {
                    "data": "iVBORw0KGgo=",
                    "media_type": "image/png",
                    "type": "base64"
                  },
                  "type": "image"
                }
              ],
              "role": "user"
            }
          ],
          "model": "claude-opus-5",
          "output_config": {
            "effort": "high"
          },
          "stream": true,
          "thinking": {
            "display": "summarized",
            "type": "adaptive"
          },
          "tools": [
            {
              "description": "Tells the weather.",
              "input_schema": {
                "properties": {
                  "city": {
                    "type": "string"
                  }
                },
                "type": "object"
              },
              "name": "weather"
            }
          ]
        }"#]]
    .assert_eq(&pretty(&moved("claude-opus-5")));
}

#[test]
fn every_field_has_its_place() {
    let request = Request {
        system: vec![
            System { text: "Be brief.".into(), cache: None },
            System { text: " ".into(), cache: None },
        ],
        tools: vec![Tool { strict: Some(true), ..weather() }],
        tool_choice: ToolChoice::Named("weather".into()),
        parallel_tools: Some(false),
        max_output: Some(500),
        temperature: Some(1.7),
        top_p: Some(0.9),
        top_k: Some(5),
        seed: Some(1),
        stop: vec!["END".into(), "\n".into()],
        thinking: Thinking::Budget(9_000),
        output: Output::Schema {
            name: "answer".into(),
            schema: json!({"type": "object", "properties": {
                "a": {"type": "array", "items": {"type": "object", "properties": {}}}}}),
            strict: true,
        },
        on_behalf: Some("7c1e".into()),
        ..asked(
            "claude-sonnet-4-5",
            vec![said(
                Role::User,
                vec![
                    Part::text("Look."),
                    Part::text(""),
                    picture(ImageSource::Url("https://example.org/a.png".into())),
                ],
            )],
        )
    };
    expect![[r#"
        {
          "max_tokens": 500,
          "messages": [
            {
              "content": [
                {
                  "text": "Look.",
                  "type": "text"
                },
                {
                  "source": {
                    "type": "url",
                    "url": "https://example.org/a.png"
                  },
                  "type": "image"
                }
              ],
              "role": "user"
            }
          ],
          "metadata": {
            "user_id": "7c1e"
          },
          "model": "claude-sonnet-4-5",
          "output_config": {
            "format": {
              "schema": {
                "additionalProperties": false,
                "properties": {
                  "a": {
                    "items": {
                      "additionalProperties": false,
                      "properties": {},
                      "type": "object"
                    },
                    "type": "array"
                  }
                },
                "type": "object"
              },
              "type": "json_schema"
            }
          },
          "stop_sequences": [
            "END"
          ],
          "stream": true,
          "system": [
            {
              "text": "Be brief.",
              "type": "text"
            }
          ],
          "temperature": 1.0,
          "tool_choice": {
            "disable_parallel_tool_use": true,
            "name": "weather",
            "type": "tool"
          },
          "tools": [
            {
              "description": "Tells the weather.",
              "input_schema": {
                "additionalProperties": false,
                "properties": {
                  "city": {
                    "type": "string"
                  }
                },
                "type": "object"
              },
              "name": "weather",
              "strict": true
            }
          ],
          "top_k": 5
        }"#]]
    .assert_eq(&pretty(&request));
}

#[test]
fn own_thoughts_go_back_and_those_of_another_model_do_not() {
    let by = ProviderKind::Anthropic;
    let parts = vec![
        thought("a", by, json!({"signature": "S1", "model": "claude-opus-4-5-20251101"})),
        thought("", by, json!({"data": "R", "model": "claude-opus-4-5-20251101"})),
        thought("b", by, json!({"signature": "S2", "model": "claude-opus-5-5"})),
        thought("broken", by, json!(7)),
        Part::text("Yes."),
    ];
    let request =
        asked("claude-opus-4-5", vec![user("a"), said(Role::Assistant, parts), user("b")]);
    let expected = json!([
        {"type": "thinking", "thinking": "a", "signature": "S1"},
        {"type": "redacted_thinking", "data": "R"},
        {"type": "text", "text": "Yes."},
    ]);
    assert_eq!(written(&request)["messages"][1]["content"], expected);
}

#[test]
fn what_cannot_be_paired_is_repaired() {
    let seen = picture(ImageSource::Base64("aGk=".into()));
    let failed = Part::ToolResult { call_id: "2".into(), parts: vec![seen], failed: true };
    let request = asked(
        "claude-sonnet-4-5",
        vec![
            said(Role::Assistant, vec![call("1", "{\"city\":"), call("2", ""), call("3", "[1]")]),
            said(Role::User, vec![Part::text("Well?"), result("9", "lost"), failed]),
        ],
    );
    expect![[r#"
        {
          "max_tokens": 32000,
          "messages": [
            {
              "content": [
                {
                  "text": "(What came before is not shown.)",
                  "type": "text"
                }
              ],
              "role": "user"
            },
            {
              "content": [
                {
                  "id": "1",
                  "input": {
                    "unreadable_arguments": "{\"city\":"
                  },
                  "name": "weather",
                  "type": "tool_use"
                },
                {
                  "id": "2",
                  "input": {},
                  "name": "weather",
                  "type": "tool_use"
                },
                {
                  "id": "3",
                  "input": {
                    "unreadable_arguments": "[1]"
                  },
                  "name": "weather",
                  "type": "tool_use"
                }
              ],
              "role": "assistant"
            },
            {
              "content": [
                {
                  "content": [
                    {
                      "text": "no result was recorded",
                      "type": "text"
                    }
                  ],
                  "is_error": true,
                  "tool_use_id": "1",
                  "type": "tool_result"
                },
                {
                  "content": [
                    {
                      "text": "the tool failed",
                      "type": "text"
                    }
                  ],
                  "is_error": true,
                  "tool_use_id": "2",
                  "type": "tool_result"
                },
                {
                  "content": [
                    {
                      "text": "no result was recorded",
                      "type": "text"
                    }
                  ],
                  "is_error": true,
                  "tool_use_id": "3",
                  "type": "tool_result"
                },
                {
                  "source": {
                    "data": "aGk=",
                    "media_type": "image/png",
                    "type": "base64"
                  },
                  "type": "image"
                },
                {
                  "text": "Well?",
                  "type": "text"
                },
                {
                  "text": "The result of a tool call that is not shown here:",
                  "type": "text"
                },
                {
                  "text": "lost",
                  "type": "text"
                }
              ],
              "role": "user"
            }
          ],
          "model": "claude-sonnet-4-5",
          "stream": true,
          "tool_choice": {
            "type": "none"
          },
          "tools": [
            {
              "input_schema": {
                "type": "object"
              },
              "name": "weather"
            }
          ]
        }"#]]
    .assert_eq(&pretty(&request));
}

#[test]
fn a_begun_answer_is_gone_on_with_where_the_model_takes_that() {
    let begun = |model: &str, thinking| {
        let messages = vec![user("Tell."), said(Role::Assistant, vec![Part::text("Once upon \n")])];
        let mut body = written(&Request { thinking, ..asked(model, messages) });
        body["messages"].as_array_mut().unwrap().pop().unwrap()["content"][0]["text"].take()
    };
    assert_eq!(begun("claude-sonnet-4-5", Thinking::Usual), "Once upon");
    assert_eq!(
        begun("claude-sonnet-4-5", Thinking::Budget(5_000)),
        "Go on exactly where you stopped."
    );
    assert_eq!(begun("claude-opus-5", Thinking::Off), "Go on exactly where you stopped.");
}

#[test]
fn no_tool_is_forced_while_a_model_thinks() {
    let forced = |model: &str| {
        let body = written(&Request {
            tools: vec![weather()],
            tool_choice: ToolChoice::Some,
            thinking: Thinking::Effort(Effort::High),
            ..asked(model, vec![user("a")])
        });
        format!("{} {} {}", body["tool_choice"], body["thinking"], body["system"])
    };
    assert_eq!(forced("claude-sonnet-4-5"), r#"{"type":"any"} null null"#);
    assert_eq!(forced("claude-opus-5"), r#"{"type":"any"} {"type":"disabled"} null"#);
    assert_eq!(
        forced("claude-opus-5-5"),
        r#"{"type":"auto"} {"display":"summarized","type":"adaptive"} [{"text":"Call one of the tools now.","type":"text"}]"#
    );
}

#[test]
fn a_budget_waits_until_calls_that_began_without_a_thought_are_over() {
    let thinking = |request: &Request| written(request)["thinking"].to_string();
    let mut request = moved("claude-opus-4-5");
    assert_eq!(thinking(&request), "null");
    request.messages.push(said(Role::Assistant, vec![Part::text("Sun.")]));
    request.messages.push(user("Thanks."));
    assert_eq!(thinking(&request), r#"{"budget_tokens":24000,"type":"enabled"}"#);
    request.temperature = Some(0.3);
    assert_eq!(written(&request)["temperature"], Value::Null);
    request.thinking = Thinking::Off;
    assert_eq!(written(&request)["temperature"], 0.3);
}

/// Where the marks are, and which.
fn marks(request: &Request) -> Vec<String> {
    let body = written(request);
    let mut marks = vec![];
    let mut look = |place: String, value: &Value| {
        if let Some(mark) = value.get("cache_control") {
            marks.push(format!(
                "{place} {}",
                mark.get("ttl").map_or("5m", |ttl| ttl.as_str().unwrap())
            ));
        }
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for (at, tool) in list(&body["tools"]).iter().enumerate() {
        look(format!("tool {at}"), tool);
    }
    for (at, system) in list(&body["system"]).iter().enumerate() {
        look(format!("system {at}"), system);
    }
    for (at, message) in list(&body["messages"]).iter().enumerate() {
        for (part, block) in list(&message["content"]).iter().enumerate() {
            look(format!("message {at}.{part}"), block);
        }
    }
    marks
}

#[test]
fn the_cache_is_marked_where_it_helps_unless_marks_are_given() {
    let text = |cache| said(Role::User, vec![Part::Text { text: "x".into(), cache }]);
    let answer = || said(Role::Assistant, vec![Part::text("y")]);
    let mut request = Request {
        cache: true,
        system: vec![
            System { text: "a".into(), cache: None },
            System { text: "b".into(), cache: None },
        ],
        tools: vec![weather(), Tool { name: "now".into(), ..weather() }],
        ..asked("claude-opus-5", vec![text(None), answer(), text(None), answer(), text(None)])
    };
    assert_eq!(marks(&request), ["tool 1 5m", "system 1 5m", "message 2.0 5m", "message 4.0 5m"]);
    request.cache = false;
    assert!(marks(&request).is_empty());
    request.cache = true;
    request.tools[0].cache = Some(CacheFor::Minutes);
    request.system[0].cache = Some(CacheFor::Minutes);
    request.messages[2] = text(Some(CacheFor::Hour));
    request.messages[4] = text(Some(CacheFor::Minutes));
    // None for an hour may stand behind one for minutes: those before it last as long.
    assert_eq!(marks(&request), ["tool 0 1h", "system 0 1h", "message 2.0 1h", "message 4.0 5m"]);
    request.messages[0] = text(Some(CacheFor::Minutes));
    assert_eq!(
        marks(&request),
        ["system 0 1h", "message 0.0 1h", "message 2.0 1h", "message 4.0 5m"]
    );
}

#[test]
fn what_cannot_be_sent_is_refused_in_a_sentence() {
    assert_eq!(
        refused(&asked("claude-opus-5", vec![])).message,
        "there is nothing to answer: the conversation is empty"
    );
    let bmp = Part::Image(Image {
        media_type: "image/bmp".into(),
        source: ImageSource::Base64("Qk0=".into()),
    });
    assert_eq!(
        refused(&asked("claude-opus-5", vec![said(Role::User, vec![bmp])])).message,
        "Anthropic takes pictures as JPEG, PNG, GIF and WebP, not as \"image/bmp\""
    );
    let file = picture(ImageSource::Url("file:///etc/passwd".into()));
    assert_eq!(
        refused(&asked("claude-opus-5", vec![said(Role::User, vec![file])])).message,
        "the address of a picture has to begin with https://"
    );
    let tool = Tool { name: "a.b".into(), ..weather() };
    let request = Request { tools: vec![tool], ..asked("claude-opus-5", vec![user("a")]) };
    assert!(refused(&request).message.starts_with("the tool name \"a.b\" cannot be used"));
}
