//! Which wire format each kind of provider speaks.

use crate::{anthropic::Anthropic, ollama::Ollama, wire::Wire};
use mosaic_protocol::provider::{Api, ProviderKind};

/// The format of a kind that is asked over HTTP.
pub(crate) fn wire(kind: ProviderKind, api: Api) -> &'static dyn Wire {
    match (kind, api) {
        (ProviderKind::Anthropic, _) => &Anthropic,
        (ProviderKind::Ollama, _) => &Ollama,
        _ => todo!(),
    }
}
