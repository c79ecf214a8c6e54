//! Each recorded stream, as events; in one piece and byte by byte.

use super::super::Anthropic;
use crate::{Endpoint, recorded, wire::Wire};
use expect_test::{Expect, expect};
use mosaic_outbound::Reach;
use mosaic_protocol::provider::{Api, ProviderKind};

fn endpoint() -> Endpoint {
    let base_url = "http://127.0.0.1:9".parse().unwrap();
    let (kind, api, reach) = (ProviderKind::Anthropic, Api::Chat, Reach::Private);
    Endpoint { kind, api, base_url, key: None, reach }
}

fn check(stream: &[u8], expected: Expect) {
    let told =
        |cut| recorded::told(Anthropic.framing(), Anthropic.reader(&endpoint()), stream, cut);
    let whole = told(usize::MAX);
    assert_eq!(told(1), whole);
    expected.assert_eq(&whole);
}

#[test]
fn words_of_any_script_come_out_whole() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/text.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("Grüße aus 東京 🚀!")
        Usage in 25 read 0 write 0 hour 0 out 12 reasoning 0
        Ended(Done)
    "#]],
    );
}

#[test]
fn thoughts_come_with_their_seals() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/thinking.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-opus-4-5-20251101") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Thinking("27 is 3 cubed.")
        Sealed anthropic {"model":"claude-opus-4-5-20251101","signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3h"}
        Sealed anthropic {"data":"EmwKAhgBEgy3va3pzix","model":"claude-opus-4-5-20251101"}
        Text("It is 27.")
        Usage in 25 read 0 write 0 hour 0 out 60 reasoning 48
        Ended(Done)
    "#]],
    );
}

#[test]
fn thoughts_that_are_not_shown_still_have_a_seal() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/omitted_thinking.sse"),
        expect![[r#"
            Began { id: Some("msg_01A"), model: Some("claude-opus-5-5") }
            Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
            Sealed anthropic {"model":"claude-opus-5-5","signature":"EosnCkYICxIM"}
            Text("Yes.")
            Usage in 25 read 0 write 0 hour 0 out 9 reasoning 0
            Ended(Done)
        "#]],
    );
}

#[test]
fn calls_are_numbered_and_without_arguments_have_an_empty_object() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/parallel_tools.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("I look at both.")
        ToolCall { index: 0, id: "toolu_01T1x", name: "weather" }
        Arguments { index: 0, piece: "{\"city\": \"San Jos\\u00e9\"}" }
        ToolCall { index: 1, id: "toolu_02T2x", name: "weather" }
        Arguments { index: 1, piece: "{\"city\":\"Oslo\",\"days\":3}" }
        ToolCall { index: 2, id: "toolu_03T3x", name: "now" }
        Arguments { index: 2, piece: "{}" }
        Usage in 25 read 0 write 0 hour 0 out 89 reasoning 0
        Ended(ToolCalls)
    "#]],
    );
}

#[test]
fn what_was_cached_is_counted_once() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/cache.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 4 read 18000 write 500 hour 1000 out 2 reasoning 0
        Text("Read.")
        Usage in 4 read 18000 write 500 hour 1000 out 7 reasoning 0
        Ended(Done)
    "#]],
    );
}

#[test]
fn a_refusal_is_told_in_its_words() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/refusal.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("I")
        Usage in 25 read 0 write 0 hour 0 out 3 reasoning 0
        Ended(Refused(Some("This asks for something harmful.")))
    "#]],
    );
}

#[test]
fn a_failure_in_the_middle_keeps_its_class() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/overloaded.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("Once upon")
        overload: Overloaded
    "#]],
    );
}

#[test]
fn a_stream_that_is_cut_has_no_end() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/cut.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("Once upon a ti")
        (no end)
    "#]],
    );
}

#[test]
fn an_answer_that_is_too_long_says_so() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/max_tokens.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("One, two, three")
        Usage in 25 read 0 write 0 hour 0 out 4 reasoning 0
        Ended(MaxOutput)
    "#]],
    );
}

#[test]
fn a_full_context_counts_as_too_long() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/context_full.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("One")
        Usage in 25 read 0 write 0 hour 0 out 4 reasoning 0
        Ended(MaxOutput)
    "#]],
    );
}

#[test]
fn the_text_where_it_stopped_is_told() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/stop_sequence.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("a, b, ")
        Usage in 25 read 0 write 0 hour 0 out 5 reasoning 0
        Ended(Stop(Some("END")))
    "#]],
    );
}

#[test]
fn what_is_newer_than_this_is_passed_over() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/unknown.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("Found it.")
        Usage in 25 read 0 write 0 hour 0 out 30 reasoning 0
        Ended(Done)
    "#]],
    );
}

#[test]
fn what_is_not_the_format_is_malformed() {
    check(
        include_bytes!("../../../../../fixtures/sse/anthropic/malformed.sse"),
        expect![[r#"
        Began { id: Some("msg_01A"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 25 read 0 write 0 hour 0 out 1 reasoning 0
        Text("Half")
        malformed: Anthropic sent what is not its format, at column 64
    "#]],
    );
}

#[test]
fn a_whole_answer_gives_the_same_events() {
    let body = include_bytes!("../../../../../fixtures/sse/anthropic/whole.json");
    let events = Anthropic.whole(&endpoint(), body).unwrap();
    expect![[r#"
        Began { id: Some("msg_01W"), model: Some("claude-sonnet-4-5-20250929") }
        Usage in 10 read 0 write 0 hour 0 out 20 reasoning 0
        Thinking("Look.")
        Sealed anthropic {"model":"claude-sonnet-4-5-20250929","signature":"EqQB"}
        Text("I look.")
        ToolCall { index: 0, id: "toolu_01", name: "weather" }
        Arguments { index: 0, piece: "{\"city\":\"Oslo\"}" }
        Ended(ToolCalls)
    "#]]
    .assert_eq(&recorded::lines(events));
    let failed = Anthropic.whole(
        &endpoint(),
        br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
    );
    assert_eq!(failed.unwrap_err().class, mosaic_protocol::provider::FailureClass::Overload);
}

#[test]
fn a_stream_that_is_cut_anywhere_has_no_end_and_changed_anywhere_is_read_all_the_same() {
    let stream = include_bytes!("../../../../../fixtures/sse/anthropic/parallel_tools.sse");
    let told = |stream: &[u8]| {
        recorded::told(Anthropic.framing(), Anthropic.reader(&endpoint()), stream, usize::MAX)
    };
    for cut in 0..stream.len() - 1 {
        assert!(!told(&stream[..cut]).contains("Ended("), "{cut}");
    }
    for at in 0..stream.len() {
        for byte in [b' ', b'"', b'}', b'0', b'\n', 0xff] {
            let mut stream = stream.to_vec();
            stream[at] = byte;
            told(&stream);
        }
    }
}
