//! DeepSeek. It caches by itself, sees nothing, and wants its thoughts back in turns in which it called tools.

use crate::{
    Effort, Request, Result,
    openai_chat::{
        at_most,
        body::{Body, Switch},
        dialect::{Broken, Dialect, Images, Schemas, Thoughts},
    },
    thinking::level,
    wire::How,
};
use mosaic_protocol::provider::ProviderKind;

pub(crate) static DIALECT: Dialect = Dialect {
    kind: ProviderKind::DeepSeek,
    thoughts: Thoughts::ToolTurns,
    broken: Broken::AsWritten,
    images: Images::Mentioned,
    schemas: Schemas::Told,
    marks: |_| false,
    embeds: false,
    says_cost: false,
    adapt,
};

fn adapt<'a>(request: &'a Request, _: How, body: &mut Body<'a>) -> Result<()> {
    at_most(16, body.stop)?;
    body.parallel_tool_calls = None;
    body.seed = None;
    body.user = None;
    for tool in &mut body.tools {
        // Only its beta address knows it.
        tool.function.strict = None;
    }
    // One of its models always thinks and has no switch.
    if request.model != "deepseek-reasoner" {
        body.thinking = match level(request.thinking) {
            None => None,
            Some(None) => Some(Switch::OFF),
            Some(Some(effort)) => {
                body.reasoning_effort = Some(match effort {
                    Effort::Minimal | Effort::Low => "low",
                    Effort::Medium | Effort::High => "high",
                    Effort::Max => "max",
                });
                Some(Switch::ON)
            }
        };
    }
    Ok(())
}
