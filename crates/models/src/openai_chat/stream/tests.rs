//! Recorded streams of every dialect, and the events that they come to.

use super::*;
use crate::{
    compatible, deepseek, openai, openrouter,
    replay::{folder, play},
    zai,
};
use expect_test::expect;
use proptest::prelude::*;

fn reader(dialect: &'static Dialect) -> impl Fn() -> Box<dyn Reader> {
    move || Box::new(Stream::seeded(dialect, None, 7))
}

#[test]
fn openai() {
    let events = folder("openai", reader(&openai::DIALECT));
    expect![[r#"
        closed_after_reason
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          Text("Yes.")
          Ended(Done)

        content_filter
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          Text("Well")
          Ended(Refused(None))

        cut
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          Text("Once upon")
          Text(" a ti")
          incomplete

        done_without_reason
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          Text("Once upon")
          failed: incomplete: the answer stopped without saying why

        error_in_the_middle
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          Text("Once")
          failed: overload: The server had an error while processing your request

        length
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          Text("Once upon")
          Usage(in 176 read 1024 write 0 out 20 thought 12 cost None)
          Ended(MaxOutput)

        malformed
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          Text("Once")
          failed: malformed: an event of the stream cannot be read: line 1 column 36

        many_calls_wrong_json
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          ToolCall { index: 0, id: "call_A", name: "write" }
          Arguments { index: 0, piece: "{\"path\": \"a" }
          Arguments { index: 0, piece: "\", oops" }
          Ended(ToolCalls)

        parallel_calls
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          ToolCall { index: 0, id: "call_A", name: "weather" }
          Arguments { index: 0, piece: "{\"ci" }
          ToolCall { index: 1, id: "call_B", name: "time" }
          Arguments { index: 0, piece: "ty\":\"Kö" }
          Arguments { index: 1, piece: "{\"zone\"" }
          Arguments { index: 0, piece: "ln\"}" }
          Arguments { index: 1, piece: ":\"CET\"}" }
          Usage(in 176 read 1024 write 0 out 20 thought 12 cost None)
          Ended(ToolCalls)

        refusal
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          Usage(in 176 read 1024 write 0 out 20 thought 12 cost None)
          Ended(Refused(Some("I cannot help with that.")))

        text
          Began { id: Some("chatcmpl-B9"), model: Some("gpt-4o-2024-08-06") }
          Text("Grüße")
          Text(", 世界 🌍")
          Usage(in 176 read 1024 write 0 out 20 thought 12 cost None)
          Ended(Done)

    "#]]
    .assert_eq(&events);
}

#[test]
fn openrouter() {
    let events = folder("openrouter", reader(&openrouter::DIALECT));
    expect![[r#"
        encrypted
          Began { id: Some("gen-1755000000-x"), model: Some("anthropic/claude-sonnet-4.5") }
          Thinking("**Plan**")
          Sealed(openrouter [{"format":"openai-responses-v1","index":0,"summary":"**Plan**","type":"reasoning.summary"},{"data":"Z0FB","format":"openai-responses-v1","id":"rs_1","index":1,"type":"reasoning.encrypted"}])
          Text("Done.")
          Usage(in 100 read 700 write 100 out 60 thought 30 cost Some(4214))
          Ended(Done)

        error_first
          failed: rate: Provider returned error: too many requests upstream

        error_in_the_middle
          Began { id: Some("gen-1755000000-x"), model: Some("anthropic/claude-sonnet-4.5") }
          Text("Once")
          failed: overload: Provider disconnected unexpectedly

        thinking_and_call
          Began { id: Some("gen-1755000000-x"), model: Some("anthropic/claude-sonnet-4.5") }
          Thinking("Let me ")
          Thinking("look.")
          Sealed(openrouter [{"format":"anthropic-claude-v1","index":0,"signature":"c2lnbmF0dXJl","text":"Let me look.","type":"reasoning.text"}])
          Text("I look.")
          ToolCall { index: 0, id: "toolu_01", name: "look" }
          Arguments { index: 0, piece: "{\"at\":\"sky\"}" }
          Usage(in 100 read 700 write 100 out 60 thought 30 cost Some(4214))
          Ended(ToolCalls)

    "#]].assert_eq(&events);
}

#[test]
fn zai() {
    let events = folder("zai", reader(&zai::DIALECT));
    expect![[r#"
        context_full
          Began { id: Some("20251121-1"), model: Some("glm-4.7") }
          Text("A")
          Usage(in 7 read 43 write 0 out 40 thought 0 cost None)
          Ended(MaxOutput)

        error
          failed: overload: The service may be temporarily overloaded, please try again later

        network_error
          Began { id: Some("20251121-1"), model: Some("glm-4.7") }
          Text("A")
          failed: overload: the provider gave up in the middle of the answer: network_error

        sensitive
          Began { id: Some("20251121-1"), model: Some("glm-4.7") }
          Text("A")
          Usage(in 7 read 43 write 0 out 40 thought 0 cost None)
          Ended(Refused(None))

        thinking_and_call
          Began { id: Some("20251121-1"), model: Some("glm-4.7") }
          Thinking("The user ")
          Thinking("wants rain.")
          Sealed(zai null)
          Text("\n")
          ToolCall { index: 0, id: "call_-793", name: "weather" }
          Arguments { index: 0, piece: "{\"city\":\"Köln\"}" }
          Usage(in 7 read 43 write 0 out 40 thought 0 cost None)
          Ended(ToolCalls)

    "#]]
    .assert_eq(&events);
}

#[test]
fn deepseek() {
    let events = folder("deepseek", reader(&deepseek::DIALECT));
    expect![[r#"
        calls
          Began { id: Some("930c60df"), model: Some("deepseek-chat") }
          Thinking("Date first.")
          Sealed(deepseek null)
          ToolCall { index: 0, id: "call_00_kw", name: "date" }
          Arguments { index: 0, piece: "{" }
          Arguments { index: 0, piece: "}" }
          Usage(in 64 read 256 write 0 out 64 thought 40 cost None)
          Ended(ToolCalls)

        no_room
          Began { id: Some("930c60df"), model: Some("deepseek-chat") }
          Text("Once")
          Usage(in 64 read 256 write 0 out 64 thought 40 cost None)
          failed: overload: the provider gave up in the middle of the answer: insufficient_system_resource

        thinking
          Began { id: Some("930c60df"), model: Some("deepseek-chat") }
          Thinking("9.11 < ")
          Thinking("9.8")
          Sealed(deepseek null)
          Text("9.8")
          Text(" is greater.")
          Usage(in 64 read 256 write 0 out 64 thought 40 cost None)
          Ended(Done)

    "#]].assert_eq(&events);
}

#[test]
fn compatible() {
    let events = folder("compatible", reader(&compatible::DIALECT));
    expect![[r####"
        calls_without_ids
          Began { id: Some("chatcmpl-l"), model: Some("qwen3") }
          ToolCall { index: 0, id: "call_000000000000000700", name: "look" }
          Arguments { index: 0, piece: "{\"at\":1}" }
          ToolCall { index: 1, id: "call_000000000000000701", name: "look" }
          Arguments { index: 1, piece: "{\"at\":2}" }
          Ended(ToolCalls)

        content_parts
          Began { id: Some("chatcmpl-l"), model: Some("qwen3") }
          Text("Bon")
          Text("jour")
          Ended(Done)

        crlf
          Began { id: None, model: None }
          Text("a")
          Ended(Done)

        cumulative_arguments
          Began { id: Some("chatcmpl-l"), model: Some("qwen3") }
          ToolCall { index: 0, id: "a1", name: "look" }
          Arguments { index: 0, piece: "{\"at\"" }
          Arguments { index: 0, piece: ": \"s" }
          Arguments { index: 0, piece: "ky\"}" }
          Ended(ToolCalls)

        llama_cpp_error
          Began { id: Some("chatcmpl-l"), model: Some("qwen3") }
          Text("One")
          failed: overload: failed to decode

        no_done_no_reason
          Began { id: Some("chatcmpl-l"), model: Some("qwen3") }
          Text("One ")
          Text("two")
          incomplete

        reasoning_twice
          Began { id: Some("chatcmpl-l"), model: Some("qwen3") }
          Thinking("Hm.")
          Text("Yes.")
          Usage(in 10 read 0 write 0 out 4 thought 0 cost None)
          Ended(Done)

        stop_text
          Began { id: Some("chatcmpl-l"), model: Some("qwen3") }
          Text("One ")
          Ended(Stop(Some("###")))

        whole_calls_without_index
          Began { id: Some("chatcmpl-l"), model: Some("qwen3") }
          ToolCall { index: 0, id: "a1", name: "look" }
          Arguments { index: 0, piece: "{\"at\":1}" }
          ToolCall { index: 1, id: "a2", name: "look" }
          Arguments { index: 1, piece: "{\"at\":2}" }
          Ended(ToolCalls)

    "####]]
    .assert_eq(&events);
}

const STREAMS: [&str; 4] = [
    include_str!("../../../../../fixtures/sse/openai/parallel_calls.sse"),
    include_str!("../../../../../fixtures/sse/openrouter/thinking_and_call.sse"),
    include_str!("../../../../../fixtures/sse/compatible/cumulative_arguments.sse"),
    include_str!("../../../../../fixtures/sse/compatible/calls_without_ids.sse"),
];

proptest! {
    #[test]
    fn a_stream_with_damage_has_at_most_one_end_and_calls_begin_before_their_arguments(
        which in 0..STREAMS.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        lost in any::<prop::sample::Index>(),
    ) {
        let mut bytes = STREAMS[which].as_bytes().to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // One event more or less.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut events: Vec<_> = text.split("\n\n").collect();
        events.remove(lost.index(events.len()));
        let text = events.join("\n\n");
        let (events, taken) = play(reader(&openrouter::DIALECT)(), &[text.as_bytes()]);
        let ends = events.iter().filter(|event| matches!(event, Event::Ended(_))).count();
        prop_assert!(ends <= 1 && (ends == 0 || taken.is_ok()));
        let mut begun = 0;
        for event in &events {
            match event {
                Event::ToolCall { index, id, name } => {
                    prop_assert_eq!(*index, begun);
                    prop_assert!(!id.is_empty() && !name.is_empty());
                    begun += 1;
                }
                Event::Arguments { index, .. } => prop_assert!(*index < begun),
                _ => {}
            }
        }
    }
}
