//! What fuzzing runs: one function a door, given any bytes. `tests/fuzz` in crates/mosaic runs them for a bounded time
//! with every test run; `make soak` runs them for long, guided by coverage.

use mosaic_protocol::{
    Time, account,
    entry::Fact,
    frame::ClientFrame,
    invite,
    log::{Author, Body, Entry},
    team, token, transfer, workspace,
};
use serde::de::DeserializeOwned;

/// A backup file that somebody handed us: whole, or refused with a line number; never a panic.
pub(crate) fn backup(bytes: &[u8]) {
    match mosaic_store::restore::check_bytes(bytes) {
        Ok(key_id) => assert!(bytes.ends_with(b"\n"), "accepted without an end: {key_id}"),
        Err(error) => {
            assert!(error.to_string().contains("the backup"), "names what it refused: {error}");
        }
    }
}

/// A request body: understood, or refused; never a panic, and no text that the database cannot store.
pub(crate) fn requests(bytes: &[u8]) {
    parsed::<account::SetupRequest>(bytes, |it| vec![it.name.to_string(), it.code.expose().into()]);
    parsed::<account::LoginRequest>(bytes, |it| {
        vec![it.name.to_string(), it.password.expose().into()]
    });
    parsed::<account::RecoveryRequest>(bytes, |it| vec![it.password.expose().into()]);
    parsed::<account::ChangeMeRequest>(bytes, |it| vec![it.display_name.to_string()]);
    parsed::<account::ChangePasswordRequest>(bytes, |it| vec![it.new.expose().into()]);
    parsed::<account::DeleteMeRequest>(bytes, |it| vec![it.name.to_string()]);
    parsed::<account::LinkIdentityRequest>(bytes, |it| vec![it.provider.to_string()]);
    parsed::<account::CreateUserRequest>(bytes, |it| vec![it.name.to_string()]);
    parsed::<token::CreateTokenRequest>(bytes, |it| vec![it.name.to_string()]);
    parsed::<team::TeamRequest>(bytes, |it| vec![it.name.to_string()]);
    parsed::<team::ChangeMemberRequest>(bytes, |it| vec![it.role.to_string()]);
    parsed::<invite::AcceptInviteRequest>(bytes, |it| {
        vec![it.name.to_string(), it.code.expose().into()]
    });
    parsed::<invite::CreateInviteRequest>(bytes, |it| {
        it.team_id.map(|id| id.to_string()).into_iter().collect()
    });
    parsed::<workspace::PutSecretRequest>(bytes, |it| {
        vec![it.host.to_string(), it.value.expose().into()]
    });
    parsed::<workspace::QuotaRequest>(bytes, |_| vec![]);
}

/// A frame from a socket, or a stored entry: understood, kept as something newer, or refused; never a panic, and what was
/// understood says the same when it is written and read again.
pub(crate) fn frames(bytes: &[u8]) {
    if let Ok(frame) = serde_json::from_slice::<ClientFrame>(bytes) {
        let text = serde_json::to_vec(&frame).unwrap_or_default();
        assert!(serde_json::from_slice::<ClientFrame>(&text).is_ok_and(|again| again == frame));
    }
    if let Ok(entry) = serde_json::from_slice::<Entry>(bytes) {
        let text = serde_json::to_vec(&entry).unwrap_or_default();
        assert!(serde_json::from_slice::<Entry>(&text).is_ok_and(|again| again == entry));
    }
    let text = String::from_utf8_lossy(bytes);
    let (kind, body) = text.split_once(' ').unwrap_or((&text, ""));
    let _ = Body::decode(kind, body);
    let author = Author::of_text(&text);
    assert_eq!(Author::of_text(&author.to_text()), author);
}

/// A file with a conversation: taken, or refused with a line of it; never a panic. Nobody in it is anybody here.
pub(crate) fn transfers(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    for format in transfer::Format::ALL {
        match transfer::read(format, bytes, Time(1_800_000_000_000)) {
            Ok(import) => {
                for (author, at, fact) in import.told() {
                    assert!(
                        matches!(author, Author::Named { .. })
                            && (0..=1_800_000_000_000).contains(&at.0)
                    );
                    assert!(matches!(fact, Fact::UserMessage { .. } | Fact::AssistantReply { .. }));
                }
            }
            Err(bad) => {
                assert!((1..=lines + 1).contains(&bad.line), "{bad}");
                assert!(!bad.next.is_empty());
            }
        }
    }
}

/// A body in a format of OpenAI's or Anthropic's: understood within the bounds, or refused with the path of what is
/// wrong; never a panic.
pub(crate) fn compatible(bytes: &[u8]) {
    mosaic_server::read_any(bytes);
}

fn parsed<T: DeserializeOwned>(bytes: &[u8], texts: impl Fn(&T) -> Vec<String>) {
    if let Ok(it) = serde_json::from_slice::<T>(bytes) {
        for text in texts(&it) {
            assert!(
                !text.contains('\0') && text.len() <= 65_536,
                "a text that no column should hold"
            );
        }
    }
}
