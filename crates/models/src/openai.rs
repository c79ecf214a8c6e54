//! OpenAI itself: which of its models reason, and how much they can be told to. The formats are in `openai_chat.rs` and
//! `openai_responses.rs`.

use crate::{
    Effort, Request, Result, Thinking,
    openai_chat::{
        at_most,
        body::Body,
        dialect::{Broken, Dialect, Images, Schemas, Thoughts},
    },
    thinking::level,
    wire::How,
};
use mosaic_protocol::provider::ProviderKind;

pub(crate) static DIALECT: Dialect = Dialect {
    kind: ProviderKind::OpenAi,
    thoughts: Thoughts::None,
    broken: Broken::AsWritten,
    images: Images::Sent,
    schemas: Schemas::Held,
    marks: |_| false,
    embeds: true,
    says_cost: false,
    adapt,
};

fn adapt<'a>(request: &'a Request, _: How, body: &mut Body<'a>) -> Result<()> {
    body.max_completion_tokens = body.max_tokens.take();
    body.safety_identifier = body.user.take();
    if reasons(&request.model) {
        // Each of these is an error with a model that reasons.
        at_most(0, body.stop)?;
        body.temperature = None;
        body.top_p = None;
        body.presence_penalty = None;
        body.frequency_penalty = None;
        if matches!(version(&request.model), Some(('o', ..))) {
            body.parallel_tool_calls = None;
        }
        body.reasoning_effort = effort(&request.model, request.thinking);
    }
    at_most(4, body.stop)
}

/// The family and version of a model: `gpt-5.1-codex` is 5.1 of `gpt`.
fn version(model: &str) -> Option<(char, u32, u32, &str)> {
    let model = model.rsplit('/').next().unwrap_or(model);
    let model = model.strip_prefix("ft:").unwrap_or(model);
    let (family, rest) = match model.strip_prefix("gpt-") {
        Some(rest) => ('g', rest),
        None => ('o', model.strip_prefix('o')?),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, name) = rest.split_at(end);
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some((family, major.parse().ok()?, minor.parse().ok()?, name))
}

/// Whether a model of OpenAI reasons before it answers; then it takes no temperature and its like.
pub(crate) fn reasons(model: &str) -> bool {
    match version(model) {
        Some(('o', ..)) => true,
        Some((_, major, _, name)) => major >= 5 && !name.starts_with("-chat"),
        None => false,
    }
}

/// The nearest level that a model which reasons knows; `None`: its own habit.
pub(crate) fn effort(model: &str, thinking: Thinking) -> Option<&'static str> {
    use Effort::{High, Low, Max, Medium, Minimal};
    let wanted = level(thinking)?;
    let (family, major, minor, name) = version(model)?;
    if !reasons(model) {
        return None;
    }
    let is_first_five = (family, major, minor) == ('g', 5, 0);
    let is_codex = name.contains("codex");
    if name.starts_with("-pro") {
        // These only know one level, or think much at any.
        return Some("high");
    }
    Some(match wanted {
        None if family == 'g' && !is_first_five && !is_codex => "none",
        None | Some(Minimal) if is_first_five && !is_codex => "minimal",
        None | Some(Minimal | Low) => "low",
        Some(Medium) => "medium",
        Some(Max) if family == 'g' && ((major, minor) >= (5, 2) || name.contains("-max")) => {
            "xhigh"
        }
        Some(High | Max) => "high",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn which_models_reason_and_how_much_they_can_be_told_to() {
        let models = [
            "gpt-4o",
            "gpt-4.1-mini",
            "gpt-3.5-turbo",
            "chatgpt-4o-latest",
            "o1",
            "o3-mini",
            "o4-mini-2025-04-16",
            "gpt-5",
            "gpt-5-mini",
            "gpt-5-chat-latest",
            "gpt-5-codex",
            "gpt-5-pro",
            "gpt-5.1",
            "gpt-5.1-codex-max",
            "gpt-5.2",
            "gpt-5.4-mini",
            "gpt-6",
            "openai/gpt-5",
            "omni-moderation",
            "llama-3",
            "",
        ];
        let levels = [
            Thinking::Usual,
            Thinking::Off,
            Thinking::Effort(Effort::Minimal),
            Thinking::Effort(Effort::Medium),
            Thinking::Effort(Effort::Max),
        ];
        let lines = models.map(|model| {
            let efforts = levels.map(|level| effort(model, level).unwrap_or("-"));
            format!("{model}: {} {}", reasons(model), efforts.join(" "))
        });
        expect![[r#"
            gpt-4o: false - - - - -
            gpt-4.1-mini: false - - - - -
            gpt-3.5-turbo: false - - - - -
            chatgpt-4o-latest: false - - - - -
            o1: true - low low medium high
            o3-mini: true - low low medium high
            o4-mini-2025-04-16: true - low low medium high
            gpt-5: true - minimal minimal medium high
            gpt-5-mini: true - minimal minimal medium high
            gpt-5-chat-latest: false - - - - -
            gpt-5-codex: true - low low medium high
            gpt-5-pro: true - high high high high
            gpt-5.1: true - none low medium high
            gpt-5.1-codex-max: true - low low medium xhigh
            gpt-5.2: true - none low medium xhigh
            gpt-5.4-mini: true - none low medium xhigh
            gpt-6: true - none low medium xhigh
            openai/gpt-5: true - minimal minimal medium high
            omni-moderation: false - - - - -
            llama-3: false - - - - -
            : false - - - - -"#]]
        .assert_eq(&lines.join("\n"));
    }
}
