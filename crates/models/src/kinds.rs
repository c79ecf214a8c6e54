//! Which wire format each kind of provider speaks.

use crate::{
    anthropic::Anthropic, compatible, deepseek, ollama::Ollama, openai, openai_chat::Chat,
    openai_responses::Responses, openrouter, wire::Wire, zai,
};
use mosaic_protocol::provider::{Api, ProviderKind};

static OPENAI: Chat = Chat(&openai::DIALECT);
static OPENROUTER: Chat = Chat(&openrouter::DIALECT);
static ZAI: Chat = Chat(&zai::DIALECT);
static DEEPSEEK: Chat = Chat(&deepseek::DIALECT);
static COMPATIBLE: Chat = Chat(&compatible::DIALECT);

/// The format of a kind that is asked over HTTP; `None` for those in our own process.
pub(crate) fn wire(kind: ProviderKind, api: Api) -> Option<&'static dyn Wire> {
    Some(match (kind, api) {
        (ProviderKind::Local | ProviderKind::Scripted, _) => return None,
        (ProviderKind::Anthropic, _) => &Anthropic,
        (ProviderKind::Ollama, _) => &Ollama,
        (
            ProviderKind::OpenAi
            | ProviderKind::OpenRouter
            | ProviderKind::Zai
            | ProviderKind::DeepSeek
            | ProviderKind::Compatible,
            Api::Responses,
        ) => &Responses,
        (ProviderKind::OpenAi, Api::Chat) => &OPENAI,
        (ProviderKind::OpenRouter, Api::Chat) => &OPENROUTER,
        (ProviderKind::Zai, Api::Chat) => &ZAI,
        (ProviderKind::DeepSeek, Api::Chat) => &DEEPSEEK,
        (ProviderKind::Compatible, Api::Chat) => &COMPATIBLE,
    })
}
