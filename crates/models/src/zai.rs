//! Z.ai with its GLM models. Thinking is switched on and off; its thoughts may go back to it, and are kept then.

use crate::{
    Effort, Request, Result,
    openai_chat::{
        at_most,
        body::{Body, Choice, Switch},
        dialect::{Broken, Dialect, Images, Schemas, Thoughts},
    },
    thinking::level,
    wire::How,
};
use mosaic_protocol::provider::ProviderKind;

pub(crate) static DIALECT: Dialect = Dialect {
    kind: ProviderKind::Zai,
    thoughts: Thoughts::All,
    broken: Broken::Emptied,
    images: Images::Sent,
    schemas: Schemas::Told,
    marks: |_| false,
    embeds: true,
    says_cost: false,
    adapt,
};

fn adapt<'a>(request: &'a Request, how: How, body: &mut Body<'a>) -> Result<()> {
    at_most(1, body.stop)?;
    // Usage comes in the last chunk without being asked for.
    body.stream_options = None;
    body.tool_stream = (how == How::Stream && !body.tools.is_empty()).then_some(true);
    body.parallel_tool_calls = None;
    body.seed = None;
    body.presence_penalty = None;
    body.frequency_penalty = None;
    // Shorter words are refused.
    body.user_id = body.user.take().filter(|word| word.len() >= 6);
    for tool in &mut body.tools {
        tool.function.strict = None;
    }
    // It only knows "as the model likes". Without tools nothing is called; that something is cannot be promised.
    if body.tool_choice.take() == Some(Choice::Never) {
        body.tools.clear();
        body.tool_stream = None;
    }
    body.thinking = match level(request.thinking) {
        None => None,
        Some(None) => Some(Switch::OFF),
        Some(Some(effort)) => {
            body.reasoning_effort = has_levels(&request.model).then_some(match effort {
                Effort::Minimal | Effort::Low => "low",
                Effort::Medium | Effort::High => "high",
                Effort::Max => "max",
            });
            Some(Switch::ON)
        }
    };
    if body.messages.iter().any(|said| said.reasoning_content.is_some()) {
        let switch = body.thinking.get_or_insert(Switch::ON);
        switch.clear_thinking = Some(false);
    }
    Ok(())
}

/// Levels came with GLM 5.2.
fn has_levels(model: &str) -> bool {
    let version = model.strip_prefix("glm-").unwrap_or_default();
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let (number, _) = version.split_at(end);
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    let parsed = major.parse::<u32>().ok().zip(minor.parse::<u32>().ok());
    parsed.is_some_and(|version| version >= (5, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_came_with_one_version() {
        for model in ["glm-5.2", "glm-5.3-flash", "glm-6"] {
            assert!(has_levels(model), "{model}");
        }
        for model in ["glm-4.7", "glm-4.5v", "glm-5", "glm-5.1", "glm", "x"] {
            assert!(!has_levels(model), "{model}");
        }
    }
}
