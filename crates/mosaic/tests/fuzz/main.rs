//! The fuzz bodies for a bounded time: any bytes, and good input with pieces cut out, doubled and swapped.

#![allow(missing_docs, reason = "tests")]

#[path = "../../../../fuzz/bodies.rs"]
mod bodies;

use proptest::prelude::*;

const BACKUP: &str = concat!(
    r#"{"mosaic_backup":{"format":1,"migration":1,"taken_at":1,"key_id":"00"}}"#,
    "\n",
    r#"{"table":{"name":"users","columns":["id","name"]}}"#,
    "\n",
    r#"{"row":["a",null]}"#,
    "\n",
    r#"{"blob":{"workspace_id":"01890a5d-ac96-774b-bcce-b302099a8057","hash":"0000000000000000000000000000000000000000000000000000000000000000","size_bytes":3}}"#,
    "\n",
    r#"{"piece":"YWJj"}"#,
    "\n",
    r#"{"end":{"n_rows":1,"n_blobs":1,"sha256":""}}"#,
    "\n",
);

const REQUEST: &str = r#"{"code":"wrong","name":"ada","password":"correct horse","role":"member","scopes":["read"],"value":"k","host":"a.b:1","quota_bytes":1,"team_id":"01890a5d-ac96-774b-bcce-b302099a8057"}"#;

const FRAME: &str = r#"{"type":"submit","command_id":"01890a5d-ac96-774b-bcce-b302099a8057","command":{"kind":"send_message","log":"01890a5d-ac96-774b-bcce-b302099a8057","text":"hello","attachments":[],"reply_to":1,"origin":{"surface":"web"}}}"#;

const ENTRY: &str = r#"{"seq":2,"at":1,"author":{"is":"agent","name":"loom","for":"01890a5d-ac96-774b-bcce-b302099a8057"},"kind":"user_message","body":{"text":"hello","origin":{"surface":"web"}}}"#;

const CHAT: &str = r#"{"model":"auto","stream":true,"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}}]},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"auto","stop":["a"],"response_format":{"type":"json_object"}}"#;

const RESPONSES: &str = r#"{"model":"auto","instructions":"s","input":[{"role":"user","content":[{"type":"input_text","text":"t"}]},{"type":"reasoning","summary":[{"type":"summary_text","text":"h"}],"encrypted_content":"mosaic1.openai.e30="},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"r"}],"tools":[{"type":"function","name":"f","parameters":{}}],"reasoning":{"effort":"low"},"text":{"format":{"type":"text"}}}"#;

const MESSAGES: &str = r#"{"model":"auto","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"t"},{"role":"assistant","content":[{"type":"thinking","thinking":"h","signature":"mosaic1.anthropic.e30="},{"type":"tool_use","id":"c","name":"f","input":{"a":[1]}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"r"}],"is_error":true}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"},"thinking":{"type":"enabled","budget_tokens":5}}"#;

const LINES: &str = include_str!("../../../../fixtures/transfer/looms.jsonl");
const JSON: &str = include_str!("../../../../fixtures/transfer/looms.json");
const MARKDOWN: &str = include_str!("../../../../fixtures/transfer/looms.md");

/// The seed with a piece of it moved, doubled, cut or overwritten.
fn bent(seed: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let n = seed.len();
    let edit = (0..n, 0..n, 0..n, prop::collection::vec(any::<u8>(), 0..8));
    prop::collection::vec(edit, 0..4).prop_map(move |edits| {
        let mut bytes = seed.as_bytes().to_vec();
        for (from, to, at, put) in edits {
            let (from, to) = (from.min(to).min(bytes.len()), from.max(to).min(bytes.len()));
            let piece = bytes[from..to].to_vec();
            let at = at.min(bytes.len());
            bytes.splice(at..at, put.into_iter().chain(piece));
        }
        bytes
    })
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        bodies::backup(&bytes);
        bodies::requests(&bytes);
        bodies::frames(&bytes);
        bodies::transfers(&bytes);
        bodies::compatible(&bytes);
    }

    #[test]
    fn bent_compatible(bytes in prop_oneof![bent(CHAT), bent(RESPONSES), bent(MESSAGES)]) {
        bodies::compatible(&bytes);
    }

    #[test]
    fn bent_frames(bytes in bent(FRAME)) {
        bodies::frames(&bytes);
    }

    #[test]
    fn bent_entries(bytes in bent(ENTRY)) {
        bodies::frames(&bytes);
    }

    #[test]
    fn bent_backups(bytes in bent(BACKUP)) {
        bodies::backup(&bytes);
    }

    #[test]
    fn bent_transfers(bytes in prop_oneof![bent(LINES), bent(JSON), bent(MARKDOWN)]) {
        bodies::transfers(&bytes);
    }

    #[test]
    fn bent_requests(bytes in bent(REQUEST)) {
        bodies::requests(&bytes);
    }
}

#[test]
fn the_seed_is_a_backup_but_for_its_checksum() {
    let error = mosaic_store::restore::check_bytes(BACKUP.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("checksum"), "{error}");
}
