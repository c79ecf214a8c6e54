//! Where a call goes, and with which key.

use base64::Engine;
use mosaic_outbound::Reach;
use mosaic_protocol::provider::{Api, ProviderKind};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// Where a call goes.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Whose format.
    pub kind: ProviderKind,
    /// Which of OpenAI's formats, where that is a question.
    pub api: Api,
    /// What the paths of its API are put behind, with the version (`https://api.openai.com/v1`).
    pub base_url: Url,
    /// The key, if it wants one.
    pub key: Option<Key>,
    /// Which addresses the host may have.
    pub reach: Reach,
}

impl Endpoint {
    /// The address of a path of its API.
    pub fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url.as_str().trim_end_matches('/'))
    }
}

/// Where each kind of provider is, unless somebody says otherwise.
pub fn usual_base_url(kind: ProviderKind) -> Option<&'static str> {
    match kind {
        ProviderKind::Anthropic => Some("https://api.anthropic.com/v1"),
        ProviderKind::OpenAi => Some("https://api.openai.com/v1"),
        ProviderKind::OpenRouter => Some("https://openrouter.ai/api/v1"),
        ProviderKind::Zai => Some("https://api.z.ai/api/paas/v4"),
        ProviderKind::DeepSeek => Some("https://api.deepseek.com/v1"),
        ProviderKind::Ollama => Some("http://127.0.0.1:11434"),
        ProviderKind::Compatible | ProviderKind::Local | ProviderKind::Scripted => None,
    }
}

/// A provider's key. It has no `Display`, is `***` in `Debug`, and is wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<String>);

impl Key {
    /// From its text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for a header.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What it may look like where somebody repeats it: as it is, in base64, in a URL, in JSON.
    pub(crate) fn traces(&self) -> Vec<Zeroizing<String>> {
        let url: String = url::form_urlencoded::byte_serialize(self.0.as_bytes()).collect();
        [
            self.0.as_str().to_owned(),
            base64::engine::general_purpose::STANDARD_NO_PAD.encode(self.0.as_bytes()),
            url,
            self.0.replace('/', "\\/"),
        ]
        .map(Zeroizing::new)
        .into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
