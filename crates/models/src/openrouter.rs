//! OpenRouter: many providers behind one address. It says what it charges, hands on sealed thoughts, and takes marks for
//! the caches of those who need them.

use crate::{
    Effort, Request, Result, Thinking,
    openai_chat::{
        at_most,
        body::{Body, Include, Reasoning},
        dialect::{Broken, Dialect, Images, Schemas, Thoughts},
    },
    wire::How,
};
use mosaic_protocol::provider::ProviderKind;

pub(crate) static DIALECT: Dialect = Dialect {
    kind: ProviderKind::OpenRouter,
    thoughts: Thoughts::Details,
    // Whoever is behind it may have to read them.
    broken: Broken::Emptied,
    images: Images::Sent,
    schemas: Schemas::Held,
    marks: |model| model.trim_start_matches('~').starts_with("anthropic/"),
    embeds: true,
    says_cost: true,
    adapt,
};

fn adapt<'a>(request: &'a Request, _: How, body: &mut Body<'a>) -> Result<()> {
    body.usage = Some(Include { include: true });
    body.top_k = request.top_k;
    body.reasoning = match request.thinking {
        Thinking::Usual => None,
        Thinking::Off | Thinking::Budget(0) => Some(Reasoning::Effort("none")),
        Thinking::Effort(effort) => Some(Reasoning::Effort(match effort {
            Effort::Minimal => "minimal",
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Max => "xhigh",
        })),
        Thinking::Budget(tokens) => Some(Reasoning::MaxTokens(tokens)),
    };
    at_most(4, body.stop)
}
