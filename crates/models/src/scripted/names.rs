//! What a scripted model's name says that it does. Pure.

use crate::{Error, Result, nearest::nearest};
use mosaic_protocol::provider::FailureClass;
use std::time::Duration;

/// What is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Play {
    /// Repeats the last words of the user.
    Echo,
    /// Says this.
    Say(String),
    /// Plays the script in the conversation.
    Script,
    /// Thinks aloud first.
    Thinks,
    /// Calls the first tool, then tells its result.
    Tool,
    /// Answers with an example of the wanted form.
    Structured,
    /// So long before each word.
    Slow(Duration),
    /// So many pieces of one letter.
    TinyChunks(u64),
    /// Echo that never says what was used.
    UsageNever,
    /// Stops after so many words without an end.
    CutAfter(u64),
    /// Says nothing more after so many words, and does not end.
    StallAfter(u64),
    /// Says something that cannot be read.
    Malformed,
    /// Says everything, and does not end.
    NoFinalEvent,
    /// Calls a tool with what is no JSON.
    WrongToolJson,
    /// Calls a tool with arguments of so many bytes.
    HugeToolCall(u64),
    /// Begins, and does not want to.
    Refuses,
    /// Fails before anything is said.
    Fails { class: FailureClass, status: u16, after: Option<Duration> },
}

/// Each name once, with what it does; where a number belongs, with some number.
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("echo", "repeats the last words of the user"),
    ("say:hello", "says what stands behind the colon"),
    ("script", "plays the script in the conversation"),
    ("thinks", "thinks aloud, then repeats the last words of the user"),
    ("tool", "calls the first tool, then tells what it answered"),
    ("structured", "answers with an example of the wanted form"),
    ("slow-100", "waits so many milliseconds before each word"),
    ("tiny-chunks-100", "says so many letters, one at a time"),
    ("usage-never", "does not say what was used"),
    ("cut-after-3", "stops after so many words without an end"),
    ("stall", "never says anything"),
    ("stall-after-3", "never says anything more after so many words"),
    ("malformed", "sends something that cannot be read"),
    ("no-final-event", "says everything, and does not end"),
    ("wrong-tool-json", "calls a tool with what is no JSON"),
    ("huge-tool-call-100000", "calls a tool with arguments of so many bytes"),
    ("refuses", "begins, and ends by refusing"),
    ("refused", "is refused at once"),
    ("rate-limited", "too many calls"),
    ("rate-limited-2", "too many calls; says after how many seconds to come back"),
    ("overloaded", "has too much to do"),
    ("context-too-long", "more than it can read"),
    ("auth", "the key is wrong"),
    ("quota", "what was paid for is used up"),
    ("bad-request", "does not understand the request"),
    ("unreachable", "cannot be reached"),
    ("late", "takes too long"),
];

/// The bounds of numbers in names: a test may ask for much, and not for everything.
const WORDS: u64 = 1_000_000;
const CALL_BYTES: u64 = 32 * 1024 * 1024;
const PAUSE_MS: u64 = 60_000;
const RETRY_SECONDS: u64 = 86_400;

/// What a name says. `scripted/` before it may stand or not.
pub(super) fn read(model: &str) -> Result<Play> {
    let name = model.strip_prefix("scripted/").unwrap_or(model);
    if let Some(text) = name.strip_prefix("say:") {
        return Ok(Play::Say(text.to_owned()));
    }
    let failing = |class, status| Play::Fails { class, status, after: None };
    let play = match name {
        "echo" => Play::Echo,
        "script" => Play::Script,
        "thinks" => Play::Thinks,
        "tool" => Play::Tool,
        "structured" => Play::Structured,
        "usage-never" => Play::UsageNever,
        "stall" => Play::StallAfter(0),
        "malformed" => Play::Malformed,
        "no-final-event" => Play::NoFinalEvent,
        "wrong-tool-json" => Play::WrongToolJson,
        "refuses" => Play::Refuses,
        "refused" => failing(FailureClass::Refused, 400),
        "rate-limited" => failing(FailureClass::Rate, 429),
        "overloaded" => failing(FailureClass::Overload, 529),
        "context-too-long" => failing(FailureClass::ContextTooLong, 400),
        "auth" => failing(FailureClass::Auth, 401),
        "quota" => failing(FailureClass::Quota, 402),
        "bad-request" => failing(FailureClass::BadRequest, 400),
        // Neither has an answer, so neither has a status.
        "unreachable" => failing(FailureClass::Transport, 0),
        "late" => failing(FailureClass::Timeout, 0),
        _ => return numbered(name).unwrap_or_else(|| Err(unknown(name))),
    };
    Ok(play)
}

/// A name that ends with a number; `None`: it is none of those.
fn numbered(name: &str) -> Option<Result<Play>> {
    let (stem, digits) = name.rsplit_once('-')?;
    let most = match stem {
        "slow" => PAUSE_MS,
        "tiny-chunks" | "cut-after" | "stall-after" => WORDS,
        "huge-tool-call" => CALL_BYTES,
        "rate-limited" => RETRY_SECONDS,
        _ => return None,
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|number| plain && *number <= most);
    let Some(number) = number else {
        let message = format!("scripted/{stem}-… wants a number up to {most}");
        return Some(Err(Error::new(FailureClass::NoSuchModel, message)));
    };
    Some(Ok(match stem {
        "slow" => Play::Slow(Duration::from_millis(number)),
        "tiny-chunks" => Play::TinyChunks(number),
        "cut-after" => Play::CutAfter(number),
        "stall-after" => Play::StallAfter(number),
        "huge-tool-call" => Play::HugeToolCall(number),
        _ => Play::Fails {
            class: FailureClass::Rate,
            status: 429,
            after: Some(Duration::from_secs(number)),
        },
    }))
}

fn unknown(name: &str) -> Error {
    let shown: String = name.chars().take(60).collect();
    let near = nearest(name, EXAMPLES.iter().map(|(name, _)| *name));
    let hint = if near.is_empty() { "echo, script and tool".into() } else { near.join(", ") };
    let message = format!("there is no scripted model {shown:?}; there are {hint}");
    Error { status: Some(404), ..Error::new(FailureClass::NoSuchModel, message) }
}
