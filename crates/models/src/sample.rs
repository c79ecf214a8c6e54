//! One conversation with everything in it, for tests of what each format makes of it.

use crate::{
    CacheFor, Effort, Endpoint, Image, ImageSource, Key, Message, Output, Part, Request, Role,
    Sealed, System, Thinking, Tool, ToolChoice,
};
use mosaic_outbound::Reach;
use mosaic_protocol::provider::{Api, ProviderKind};
use serde_json::json;

/// A user, a model that thought and called two tools, their results (one with a picture), and the user with a picture.
pub(crate) fn conversation(thought_by: ProviderKind, seal: serde_json::Value) -> Request {
    let sealed = Some(Sealed { by: thought_by, value: seal });
    let picture = |data: &str| {
        Part::Image(Image {
            media_type: "image/png".into(),
            source: ImageSource::Base64(data.into()),
        })
    };
    let call = |id: &str, arguments: &str| Part::ToolCall {
        id: id.into(),
        name: "look".into(),
        arguments: arguments.into(),
    };
    let result = |id: &str, parts, failed| Part::ToolResult { call_id: id.into(), parts, failed };
    Request {
        model: "m".into(),
        system: vec![
            System { text: "Be brief.".into(), cache: Some(CacheFor::Minutes) },
            System { text: "Be kind.".into(), cache: None },
        ],
        messages: vec![
            Message { role: Role::User, parts: vec![Part::text("What is there?")] },
            Message {
                role: Role::Assistant,
                parts: vec![
                    Part::Thinking { text: "I should look.".into(), sealed },
                    Part::text("I look."),
                    call("toolu_1", "{\"at\":\"sky\"}"),
                    call("functions.look:1", "{\"at\": oops"),
                ],
            },
            Message {
                role: Role::User,
                parts: vec![
                    result("functions.look:1", vec![Part::text("no such place")], true),
                    result("toolu_1", vec![Part::text("A cloud."), picture("Y2xvdWQ=")], false),
                ],
            },
            Message { role: Role::Assistant, parts: vec![Part::text("A cloud.")] },
            Message { role: Role::User, parts: vec![Part::text("And here?"), picture("aGVyZQ==")] },
        ],
        tools: vec![Tool {
            name: "look".into(),
            description: "Looks somewhere.".into(),
            schema: json!({"type": "object", "properties": {"at": {"type": "string"}}}),
            strict: Some(false),
            cache: None,
        }],
        tool_choice: ToolChoice::Named("look".into()),
        parallel_tools: Some(false),
        max_output: Some(1000),
        temperature: Some(0.5),
        top_p: Some(0.9),
        top_k: Some(40),
        seed: Some(7),
        presence_penalty: Some(0.25),
        frequency_penalty: None,
        stop: vec![],
        thinking: Thinking::Effort(Effort::Medium),
        output: Output::Schema {
            name: "seen".into(),
            schema: json!({"type": "object"}),
            strict: true,
        },
        cache: false,
        on_behalf: Some("user-1a2b".into()),
    }
}

/// A provider that is never asked.
pub(crate) fn endpoint(kind: ProviderKind, api: Api) -> Endpoint {
    Endpoint {
        kind,
        api,
        base_url: "https://models.example/v1/".parse().unwrap(),
        key: Some(Key::new("sk-0123456789".into())),
        reach: Reach::Public,
    }
}

/// A body as text, without what every body of the sample has.
pub(crate) fn pretty(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    let object = body.as_object().unwrap();
    let mut lines = vec![];
    for (field, value) in object {
        match value.as_array() {
            Some(items) if matches!(field.as_str(), "messages" | "input") => {
                lines.extend(items.iter().map(|item| format!("  {item}")));
            }
            _ => lines.push(format!("{field}: {value}")),
        }
    }
    lines.join("\n")
}
