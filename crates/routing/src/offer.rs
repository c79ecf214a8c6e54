//! What there is to choose from: models of providers that somebody may use, with what is known of them now.

use mosaic_protocol::{ModelProviderId, provider::ProviderKind, route::Tier};

/// A model of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Whose.
    pub provider_id: ModelProviderId,
    /// What that provider is called here.
    pub provider: String,
    /// What kind it is.
    pub kind: ProviderKind,
    /// The model's id there.
    pub model: String,
    /// What it can.
    pub can: Can,
    /// What class it is.
    pub tier: Tier,
    /// Micro-dollars for a million tokens, in and out; `None`: nobody knows.
    pub price: Option<(u64, u64)>,
    /// Whether it can be asked now.
    pub state: State,
}

/// What a model can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Can {
    /// How many tokens it reads, with what it writes.
    pub context: u64,
    /// How many it writes.
    pub max_output: u64,
    /// Call tools.
    pub tools: bool,
    /// See.
    pub vision: bool,
    /// Think first.
    pub thinking: bool,
    /// Answer in a given form.
    pub structured: bool,
    /// Answer at all: some only make embeddings.
    pub chat: bool,
}

/// Whether a model can be asked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// As far as is known.
    Ready,
    /// Its provider has no key.
    NoKey,
    /// Its provider does not answer, or asked not to be asked for a while; in a few words.
    Resting(String),
}

/// A family of models, such as `opus`: its members at each kind of provider, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// What rules call it.
    pub name: String,
    /// Kind and id.
    pub members: Vec<(ProviderKind, String)>,
}
