//! Any server that speaks Chat Completions: llama.cpp, vLLM, LM Studio and many more. Nothing is sent that was not asked
//! for, since nobody knows what such a server takes.

use crate::{
    Effort, Request, Result,
    openai_chat::{
        body::{Body, Template},
        dialect::{Broken, Dialect, Images, Schemas, Thoughts},
    },
    thinking::level,
    wire::How,
};
use mosaic_protocol::provider::ProviderKind;

pub(crate) static DIALECT: Dialect = Dialect {
    kind: ProviderKind::Compatible,
    thoughts: Thoughts::None,
    // Templates read them, and fail on what is no JSON.
    broken: Broken::Emptied,
    images: Images::Sent,
    schemas: Schemas::Held,
    marks: |_| false,
    embeds: true,
    says_cost: false,
    adapt,
};

fn adapt<'a>(request: &'a Request, _: How, body: &mut Body<'a>) -> Result<()> {
    body.top_k = request.top_k;
    match level(request.thinking) {
        None => {}
        // What most local servers hand to the template of a model that can be told not to think.
        Some(None) => body.chat_template_kwargs = Some(Template { enable_thinking: false }),
        Some(Some(effort)) => {
            body.reasoning_effort = Some(match effort {
                Effort::Minimal | Effort::Low => "low",
                Effort::Medium => "medium",
                Effort::High | Effort::Max => "high",
            });
        }
    }
    Ok(())
}
