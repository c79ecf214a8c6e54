//! Each recorded stream, as events; in one piece and byte by byte.

use super::super::Ollama;
use crate::{Endpoint, recorded, wire::Wire};
use expect_test::{Expect, expect};
use mosaic_outbound::Reach;
use mosaic_protocol::provider::{Api, ProviderKind};

fn endpoint() -> Endpoint {
    let base_url = "http://127.0.0.1:9".parse().unwrap();
    let (kind, api, reach) = (ProviderKind::Ollama, Api::Chat, Reach::Private);
    Endpoint { kind, api, base_url, key: None, reach }
}

fn check(stream: &[u8], expected: Expect) {
    let told = |cut| recorded::told(Ollama.framing(), Ollama.reader(&endpoint()), stream, cut);
    let whole = told(usize::MAX);
    assert_eq!(told(1), whole);
    expected.assert_eq(&whole);
}

#[test]
fn words_of_any_script_come_out_whole() {
    check(
        include_bytes!("../../../../../fixtures/sse/ollama/text.ndjson"),
        expect![[r#"
        Began { id: None, model: Some("qwen3:8b") }
        Text("Grüße aus 東京 🚀!")
        Usage in 26 read 0 write 0 hour 0 out 282 reasoning 0
        Ended(Done)
    "#]],
    );
}

#[test]
fn thoughts_are_sealed_before_the_words() {
    check(
        include_bytes!("../../../../../fixtures/sse/ollama/thinking.ndjson"),
        expect![[r#"
        Began { id: None, model: Some("qwen3:8b") }
        Thinking("27 is 3 cubed.")
        Sealed ollama {"model":"qwen3:8b"}
        Text("It is 27.")
        Usage in 26 read 0 write 0 hour 0 out 282 reasoning 0
        Ended(Done)
    "#]],
    );
}

#[test]
fn calls_get_ids_where_they_have_none() {
    check(
        include_bytes!("../../../../../fixtures/sse/ollama/tools.ndjson"),
        expect![[r#"
        Began { id: None, model: Some("qwen3:8b") }
        Thinking("Both.")
        Sealed ollama {"model":"qwen3:8b"}
        ToolCall { index: 0, id: "call_20260527225457641643_0", name: "weather" }
        Arguments { index: 0, piece: "{\"city\":\"San José\"}" }
        ToolCall { index: 1, id: "call_20260527225457641643_1", name: "weather" }
        Arguments { index: 1, piece: "{\"city\":\"Oslo\",\"days\":3}" }
        ToolCall { index: 2, id: "call_abc", name: "now" }
        Arguments { index: 2, piece: "{}" }
        Usage in 26 read 0 write 0 hour 0 out 282 reasoning 0
        Ended(ToolCalls)
    "#]],
    );
}

#[test]
fn an_answer_that_is_too_long_says_so() {
    check(
        include_bytes!("../../../../../fixtures/sse/ollama/length.ndjson"),
        expect![[r#"
        Began { id: None, model: Some("qwen3:8b") }
        Text("One, two")
        Usage in 26 read 0 write 0 hour 0 out 282 reasoning 0
        Ended(MaxOutput)
    "#]],
    );
}

#[test]
fn a_failure_in_the_middle_keeps_its_class() {
    check(
        include_bytes!("../../../../../fixtures/sse/ollama/error.ndjson"),
        expect![[r#"
        Began { id: None, model: Some("qwen3:8b") }
        Text("Once upon")
        overload: an error was encountered while running the model: unexpected EOF
    "#]],
    );
}

#[test]
fn a_stream_that_is_cut_has_no_end() {
    check(
        include_bytes!("../../../../../fixtures/sse/ollama/cut.ndjson"),
        expect![[r#"
        Began { id: None, model: Some("qwen3:8b") }
        Text("Once upon a ti")
        (no end)
    "#]],
    );
}

#[test]
fn what_is_not_the_format_is_malformed() {
    check(
        include_bytes!("../../../../../fixtures/sse/ollama/malformed.ndjson"),
        expect![[r#"
        Began { id: None, model: Some("qwen3:8b") }
        Text("Half")
        malformed: Ollama sent what is not its format, at column 43
    "#]],
    );
}

#[test]
fn what_is_newer_than_this_is_passed_over() {
    check(
        include_bytes!("../../../../../fixtures/sse/ollama/unknown.ndjson"),
        expect![[r#"
        Began { id: None, model: None }
        Text("Hi")
        Ended(Done)
    "#]],
    );
}

#[test]
fn a_stream_that_is_cut_anywhere_has_no_end_and_changed_anywhere_is_read_all_the_same() {
    let stream = include_bytes!("../../../../../fixtures/sse/ollama/tools.ndjson");
    let told = |stream: &[u8]| {
        recorded::told(Ollama.framing(), Ollama.reader(&endpoint()), stream, usize::MAX)
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
