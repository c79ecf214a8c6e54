//! Bodies as they go out, in each dialect; answers that come all at once.

use super::*;
use crate::{
    CacheFor, Message, Output, Part, Role, Sealed, System, Thinking, compatible, deepseek, openai,
    openrouter, sample, zai,
};
use expect_test::expect;
use mosaic_protocol::provider::{Api, ProviderKind};
use serde_json::{Value, json};

fn written(dialect: &'static Dialect, request: &Request, how: How) -> Value {
    let endpoint = sample::endpoint(dialect.kind, Api::Chat);
    let outgoing = Chat(dialect).call(&endpoint, request, how).unwrap();
    serde_json::from_slice(&outgoing.body.unwrap()).unwrap()
}

fn sampled(dialect: &'static Dialect, model: &str, seal: Value) -> String {
    let kind = if seal == json!("another") { ProviderKind::Anthropic } else { dialect.kind };
    let request = Request { model: model.to_owned(), ..sample::conversation(kind, seal) };
    let body = written(dialect, &request, How::Stream);
    sample::pretty(body.to_string().as_bytes())
}

#[test]
fn openai_body() {
    let body = sampled(&openai::DIALECT, "gpt-4o", json!("another"));
    expect![[r#"
        max_completion_tokens: 1000
          {"content":"Be brief.\n\nBe kind.","role":"system"}
          {"content":"What is there?","role":"user"}
          {"content":"I look.","role":"assistant","tool_calls":[{"function":{"arguments":"{\"at\":\"sky\"}","name":"look"},"id":"toolu_1","type":"function"},{"function":{"arguments":"{\"at\": oops","name":"look"},"id":"functions_look_1","type":"function"}]}
          {"content":"A cloud.","role":"tool","tool_call_id":"toolu_1"}
          {"content":"The tool failed: no such place","role":"tool","tool_call_id":"functions_look_1"}
          {"content":[{"text":"What the tools showed:","type":"text"},{"image_url":{"url":"data:image/png;base64,Y2xvdWQ="},"type":"image_url"}],"role":"user"}
          {"content":"A cloud.","role":"assistant"}
          {"content":[{"text":"And here?","type":"text"},{"image_url":{"url":"data:image/png;base64,aGVyZQ=="},"type":"image_url"}],"role":"user"}
        model: "gpt-4o"
        parallel_tool_calls: false
        presence_penalty: 0.25
        response_format: {"json_schema":{"name":"seen","schema":{"type":"object"},"strict":true},"type":"json_schema"}
        safety_identifier: "user-1a2b"
        seed: 7
        stream: true
        stream_options: {"include_usage":true}
        temperature: 0.5
        tool_choice: {"function":{"name":"look"},"type":"function"}
        tools: [{"function":{"description":"Looks somewhere.","name":"look","parameters":{"properties":{"at":{"type":"string"}},"type":"object"},"strict":false},"type":"function"}]
        top_p: 0.9"#]].assert_eq(&body);
    let reasoning = written(
        &openai::DIALECT,
        &Request {
            model: "gpt-5.2".into(),
            ..sample::conversation(ProviderKind::OpenAi, json!(null))
        },
        How::Whole,
    );
    assert_eq!(reasoning["reasoning_effort"], "medium");
    assert_eq!(reasoning["max_completion_tokens"], 1000);
    for field in ["temperature", "top_p", "presence_penalty", "max_tokens", "stream", "top_k"] {
        assert!(reasoning.get(field).is_none(), "{field}");
    }
}

#[test]
fn openrouter_body() {
    let seal = json!([{"type": "reasoning.text", "text": "I should look.", "signature": "c2ln"}]);
    let body = sampled(&openrouter::DIALECT, "anthropic/claude-sonnet-4.5", seal);
    expect![[r#"
        max_tokens: 1000
          {"content":[{"cache_control":{"type":"ephemeral"},"text":"Be brief.","type":"text"},{"text":"Be kind.","type":"text"}],"role":"system"}
          {"content":"What is there?","role":"user"}
          {"content":"I look.","reasoning_details":[{"signature":"c2ln","text":"I should look.","type":"reasoning.text"}],"role":"assistant","tool_calls":[{"function":{"arguments":"{\"at\":\"sky\"}","name":"look"},"id":"toolu_1","type":"function"},{"function":{"arguments":"{}","name":"look"},"id":"functions_look_1","type":"function"}]}
          {"content":"A cloud.","role":"tool","tool_call_id":"toolu_1"}
          {"content":"The tool failed: no such place","role":"tool","tool_call_id":"functions_look_1"}
          {"content":[{"text":"What the tools showed:","type":"text"},{"image_url":{"url":"data:image/png;base64,Y2xvdWQ="},"type":"image_url"}],"role":"user"}
          {"content":"A cloud.","role":"assistant"}
          {"content":[{"text":"And here?","type":"text"},{"image_url":{"url":"data:image/png;base64,aGVyZQ=="},"type":"image_url"}],"role":"user"}
        model: "anthropic/claude-sonnet-4.5"
        parallel_tool_calls: false
        presence_penalty: 0.25
        reasoning: {"effort":"medium"}
        response_format: {"json_schema":{"name":"seen","schema":{"type":"object"},"strict":true},"type":"json_schema"}
        seed: 7
        stream: true
        stream_options: {"include_usage":true}
        temperature: 0.5
        tool_choice: {"function":{"name":"look"},"type":"function"}
        tools: [{"function":{"description":"Looks somewhere.","name":"look","parameters":{"properties":{"at":{"type":"string"}},"type":"object"},"strict":false},"type":"function"}]
        top_k: 40
        top_p: 0.9
        usage: {"include":true}
        user: "user-1a2b""#]].assert_eq(&body);
}

#[test]
fn zai_body() {
    let body = sampled(&zai::DIALECT, "glm-5.2", Value::Null);
    expect![[r#"
        max_tokens: 1000
          {"content":"Be brief.\n\nBe kind.\n\nAnswer with one JSON object that fits this JSON schema:\n{\"type\":\"object\"}","role":"system"}
          {"content":"What is there?","role":"user"}
          {"content":"I look.","reasoning_content":"I should look.","role":"assistant","tool_calls":[{"function":{"arguments":"{\"at\":\"sky\"}","name":"look"},"id":"toolu_1","type":"function"},{"function":{"arguments":"{}","name":"look"},"id":"functions_look_1","type":"function"}]}
          {"content":"A cloud.","role":"tool","tool_call_id":"toolu_1"}
          {"content":"The tool failed: no such place","role":"tool","tool_call_id":"functions_look_1"}
          {"content":[{"text":"What the tools showed:","type":"text"},{"image_url":{"url":"data:image/png;base64,Y2xvdWQ="},"type":"image_url"}],"role":"user"}
          {"content":"A cloud.","role":"assistant"}
          {"content":[{"text":"And here?","type":"text"},{"image_url":{"url":"data:image/png;base64,aGVyZQ=="},"type":"image_url"}],"role":"user"}
        model: "glm-5.2"
        reasoning_effort: "high"
        response_format: {"type":"json_object"}
        stream: true
        temperature: 0.5
        thinking: {"clear_thinking":false,"type":"enabled"}
        tool_stream: true
        tools: [{"function":{"description":"Looks somewhere.","name":"look","parameters":{"properties":{"at":{"type":"string"}},"type":"object"}},"type":"function"}]
        top_p: 0.9
        user_id: "user-1a2b""#]].assert_eq(&body);
}

#[test]
fn deepseek_body() {
    let body = sampled(&deepseek::DIALECT, "deepseek-chat", Value::Null);
    expect![[r#"
        max_tokens: 1000
          {"content":"Be brief.\n\nBe kind.\n\nAnswer with one JSON object that fits this JSON schema:\n{\"type\":\"object\"}","role":"system"}
          {"content":"What is there?","role":"user"}
          {"content":"I look.","reasoning_content":"I should look.","role":"assistant","tool_calls":[{"function":{"arguments":"{\"at\":\"sky\"}","name":"look"},"id":"toolu_1","type":"function"},{"function":{"arguments":"{\"at\": oops","name":"look"},"id":"functions_look_1","type":"function"}]}
          {"content":"A cloud.\n\n(A picture was here. It cannot be shown to this model.)","role":"tool","tool_call_id":"toolu_1"}
          {"content":"The tool failed: no such place","role":"tool","tool_call_id":"functions_look_1"}
          {"content":"A cloud.","reasoning_content":"","role":"assistant"}
          {"content":"And here?\n\n(A picture was here. It cannot be shown to this model.)","role":"user"}
        model: "deepseek-chat"
        presence_penalty: 0.25
        reasoning_effort: "high"
        response_format: {"type":"json_object"}
        stream: true
        stream_options: {"include_usage":true}
        temperature: 0.5
        thinking: {"type":"enabled"}
        tool_choice: {"function":{"name":"look"},"type":"function"}
        tools: [{"function":{"description":"Looks somewhere.","name":"look","parameters":{"properties":{"at":{"type":"string"}},"type":"object"}},"type":"function"}]
        top_p: 0.9"#]].assert_eq(&body);
}

#[test]
fn compatible_body() {
    let body = sampled(&compatible::DIALECT, "qwen3", json!("another"));
    expect![[r#"
        max_tokens: 1000
          {"content":"Be brief.\n\nBe kind.","role":"system"}
          {"content":"What is there?","role":"user"}
          {"content":"I look.","role":"assistant","tool_calls":[{"function":{"arguments":"{\"at\":\"sky\"}","name":"look"},"id":"toolu_1","type":"function"},{"function":{"arguments":"{}","name":"look"},"id":"functions_look_1","type":"function"}]}
          {"content":"A cloud.","role":"tool","tool_call_id":"toolu_1"}
          {"content":"The tool failed: no such place","role":"tool","tool_call_id":"functions_look_1"}
          {"content":[{"text":"What the tools showed:","type":"text"},{"image_url":{"url":"data:image/png;base64,Y2xvdWQ="},"type":"image_url"}],"role":"user"}
          {"content":"A cloud.","role":"assistant"}
          {"content":[{"text":"And here?","type":"text"},{"image_url":{"url":"data:image/png;base64,aGVyZQ=="},"type":"image_url"}],"role":"user"}
        model: "qwen3"
        parallel_tool_calls: false
        presence_penalty: 0.25
        reasoning_effort: "medium"
        response_format: {"json_schema":{"name":"seen","schema":{"type":"object"},"strict":true},"type":"json_schema"}
        seed: 7
        stream: true
        stream_options: {"include_usage":true}
        temperature: 0.5
        tool_choice: {"function":{"name":"look"},"type":"function"}
        tools: [{"function":{"description":"Looks somewhere.","name":"look","parameters":{"properties":{"at":{"type":"string"}},"type":"object"},"strict":false},"type":"function"}]
        top_k: 40
        top_p: 0.9
        user: "user-1a2b""#]].assert_eq(&body);
}

#[test]
fn what_another_provider_thought_never_goes_out() {
    for dialect in [
        &openai::DIALECT,
        &openrouter::DIALECT,
        &zai::DIALECT,
        &deepseek::DIALECT,
        &compatible::DIALECT,
    ] {
        let request = sample::conversation(ProviderKind::Anthropic, json!("c2VhbGVk"));
        let body = written(dialect, &request, How::Stream).to_string();
        assert!(!body.contains("I should look") && !body.contains("c2VhbGVk"), "{body}");
        assert!(!body.contains("0123456789"), "the key");
    }
}

fn said(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

#[test]
fn deepseek_gets_its_thoughts_back_only_where_it_called_tools() {
    let thought = |text: &str| Part::Thinking {
        text: text.into(),
        sealed: Some(Sealed { by: ProviderKind::DeepSeek, value: Value::Null }),
    };
    let call = Part::ToolCall { id: "c".into(), name: "t".into(), arguments: "{}".into() };
    let result =
        Part::ToolResult { call_id: "c".into(), parts: vec![Part::text("r")], failed: false };
    let request = Request {
        model: "deepseek-chat".into(),
        messages: vec![
            said(Role::User, vec![Part::text("a")]),
            said(Role::Assistant, vec![thought("plain"), Part::text("b")]),
            said(Role::User, vec![Part::text("c")]),
            said(Role::Assistant, vec![thought("before"), call]),
            said(Role::User, vec![result]),
            said(Role::Assistant, vec![Part::text("without")]),
            said(Role::User, vec![Part::text("d")]),
        ],
        ..Request::default()
    };
    let body = written(&deepseek::DIALECT, &request, How::Stream);
    let thoughts = body["messages"].as_array().unwrap().iter().map(|message| {
        let thought = &message["reasoning_content"];
        format!("{} {thought}", message["role"])
    });
    expect![[r#"
        "user" null
        "assistant" null
        "user" null
        "assistant" "before"
        "tool" null
        "assistant" ""
        "user" null"#]]
    .assert_eq(&thoughts.collect::<Vec<_>>().join("\n"));
    let off = Request { thinking: Thinking::Off, ..request };
    let body = written(&deepseek::DIALECT, &off, How::Stream);
    assert_eq!(body["thinking"]["type"], "disabled");
    assert!(body["messages"][5].get("reasoning_content").is_none());
}

#[test]
fn marks_are_set_where_wanted_and_never_too_many() {
    let marked = |text: &str| Part::Text { text: text.into(), cache: Some(CacheFor::Hour) };
    let mut request = Request {
        model: "anthropic/claude-opus-4.5".into(),
        system: vec![System { text: "s".into(), cache: Some(CacheFor::Minutes) }],
        messages: (0..5).map(|_| said(Role::User, vec![marked("x")])).collect(),
        ..Request::default()
    };
    let count = |request: &Request| {
        let body = written(&openrouter::DIALECT, request, How::Stream).to_string();
        body.matches("cache_control").count()
    };
    assert_eq!(count(&request), 4);
    request.messages.truncate(1);
    let body = written(&openrouter::DIALECT, &request, How::Stream).to_string();
    assert_eq!(body.matches(r#""ttl":"1h""#).count(), 2, "minutes before an hour are refused");
    request.messages = vec![said(Role::User, vec![Part::text("x"), Part::text("y")])];
    request.system[0].cache = None;
    assert_eq!(count(&request), 0);
    request.cache = true;
    assert_eq!(count(&request), 2);
    request.model = "openai/gpt-5".into();
    assert_eq!(count(&request), 0);
}

#[test]
fn a_form_that_is_not_held_is_told() {
    let mut request = Request {
        model: "m".into(),
        messages: vec![said(Role::User, vec![Part::text("List them.")])],
        output: Output::Json,
        ..Request::default()
    };
    let body = written(&openai::DIALECT, &request, How::Whole);
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert_eq!(body["messages"][0]["content"], "Answer with one JSON object.");
    request.messages = vec![said(Role::User, vec![Part::text("List them as Json.")])];
    let body = written(&openai::DIALECT, &request, How::Whole);
    assert_eq!(body["messages"][0]["role"], "user");
    let schema = json!({"type": "object"});
    request.output = Output::Schema { name: "n".into(), schema, strict: true };
    let body = written(&deepseek::DIALECT, &request, How::Whole);
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("{\"type\":\"object\"}"));
}

#[test]
fn what_a_provider_cannot_do_is_refused_and_not_left_out() {
    let endpoint = sample::endpoint(ProviderKind::OpenAi, Api::Chat);
    let mut request = Request {
        model: "gpt-4o".into(),
        messages: vec![said(Role::User, vec![Part::text("x")])],
        stop: vec!["a".into(); 4],
        ..Request::default()
    };
    assert!(Chat(&openai::DIALECT).call(&endpoint, &request, How::Whole).is_ok());
    assert!(Chat(&compatible::DIALECT).call(&endpoint, &request, How::Whole).is_ok());
    for (dialect, model) in [(&openai::DIALECT, "gpt-5"), (&zai::DIALECT, "glm-5")] {
        request.model = model.into();
        let error = Chat(dialect).call(&endpoint, &request, How::Whole).unwrap_err();
        assert_eq!(error.class, FailureClass::BadRequest, "{model}");
    }
    request = Request { model: "gpt-4o".into(), ..Request::default() };
    let error = Chat(&openai::DIALECT).call(&endpoint, &request, How::Whole).unwrap_err();
    assert_eq!(error.message, "there is nothing to answer");
}

#[test]
fn a_call_without_a_key_has_no_head_for_it_and_an_impossible_key_is_refused() {
    let mut endpoint = sample::endpoint(ProviderKind::Compatible, Api::Chat);
    let outgoing = Chat(&compatible::DIALECT).list(&endpoint).unwrap();
    assert_eq!(outgoing.url, "https://models.example/v1/models");
    assert_eq!(outgoing.headers["authorization"], "Bearer sk-0123456789");
    assert!(!format!("{:?}", outgoing.headers).contains("0123"));
    endpoint.key = None;
    let outgoing = Chat(&compatible::DIALECT).list(&endpoint).unwrap();
    assert!(!outgoing.headers.contains_key("authorization"));
    endpoint.key = Some(crate::Key::new("a\nb".into()));
    let error = Chat(&compatible::DIALECT).list(&endpoint).unwrap_err();
    assert_eq!(error.class, FailureClass::Auth);
}

#[test]
fn an_answer_all_at_once_has_the_events_of_a_stream() {
    let endpoint = sample::endpoint(ProviderKind::OpenAi, Api::Chat);
    let whole = |body: &str| Chat(&openai::DIALECT).whole(&endpoint, body.as_bytes());
    let events = whole(
        r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant",
        "content":"Look.","refusal":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}}]},
        "logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}"#,
    );
    expect![[r#"
          Began { id: Some("chatcmpl-1"), model: Some("gpt-4o") }
          Text("Look.")
          ToolCall { index: 0, id: "call_1", name: "look" }
          Arguments { index: 0, piece: "{\"at\":1}" }
          Usage(in 9 read 0 write 0 out 5 thought 0 cost None)
          Ended(ToolCalls)
    "#]]
    .assert_eq(&crate::replay::told((events.unwrap(), Ok(()))));
    let failures = [
        (
            r#"{"error":{"message":"no: sk-0123456789","code":"invalid_api_key"}}"#,
            FailureClass::Auth,
        ),
        (r#"{"choices":[{"message":{"content":"x"}}]}"#, FailureClass::Incomplete),
        ("{", FailureClass::Malformed),
    ];
    for (body, class) in failures {
        let error = whole(body).unwrap_err();
        assert_eq!(error.class, class, "{body}");
        assert!(!error.message.contains("0123"));
    }
}

/// What the gateway spends on one small call besides sending it. The figure is only worth something optimised.
#[test]
fn a_small_call_is_written_and_read_in_no_time() {
    const TIMES: u32 = 2_000;
    let endpoint = sample::endpoint(ProviderKind::OpenAi, Api::Chat);
    let request = Request {
        model: "gpt-4o-mini".into(),
        system: vec![System { text: "You are a helpful assistant.".into(), cache: None }],
        messages: vec![said(Role::User, vec![Part::text("What is the capital of France?")])],
        max_output: Some(100),
        ..Request::default()
    };
    let body = br#"{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,
        "model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant",
        "content":"The capital of France is Paris.","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],
        "usage":{"prompt_tokens":24,"completion_tokens":8,"total_tokens":32,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},
        "completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0}},"service_tier":"default"}"#;
    let chat = Chat(&openai::DIALECT);
    let begin = std::time::Instant::now();
    for _ in 0..TIMES {
        std::hint::black_box(chat.call(&endpoint, &request, How::Whole).unwrap());
    }
    let written = begin.elapsed() / TIMES;
    let begin = std::time::Instant::now();
    for _ in 0..TIMES {
        std::hint::black_box(chat.whole(&endpoint, body).unwrap());
    }
    let read = begin.elapsed() / TIMES;
    println!("one call is written in {written:?} and its answer read in {read:?}");
    // Ten times as much as an unoptimised build needs.
    assert!(written + read < std::time::Duration::from_millis(5));
}
