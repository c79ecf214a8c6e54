//! One model: what it can do and what it costs, and how what several sources say becomes that.

use super::overrides::Written;
use crate::{Effort, Listed, Price, Priced};
use mosaic_protocol::{provider::ProviderKind, route::Tier, usage::PriceSource};
use serde::Deserialize;

/// The prices of tiers, in micro-dollars for a million tokens written: up to this it is cheap, from that on premium.
const CHEAP: u64 = 5_000_000;
const PREMIUM: u64 = 20_000_000;

/// What counts of a number that a provider lists; more is a mistake of it.
const TOKENS: u64 = 100_000_000;
const MICROS: u64 = 10_000_000_000;

/// How much a model can think. One level beside `Off` says that there is thinking without levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Not at all.
    Off,
    /// A glance.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// As much as there is.
    Max,
}

impl Level {
    /// As it is asked for; `None` for not at all.
    pub const fn effort(self) -> Option<Effort> {
        match self {
            Level::Off => None,
            Level::Minimal => Some(Effort::Minimal),
            Level::Low => Some(Effort::Low),
            Level::Medium => Some(Effort::Medium),
            Level::High => Some(Effort::High),
            Level::Max => Some(Effort::Max),
        }
    }
}

/// What is known of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Whose it is.
    pub kind: ProviderKind,
    /// Its id there.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How many tokens it reads at most.
    pub context: u64,
    /// How many it writes at most.
    pub max_output: u64,
    /// It calls tools.
    pub tools: bool,
    /// It looks at pictures.
    pub vision: bool,
    /// It can be held to a JSON schema.
    pub structured: bool,
    /// How much it can think; empty: not at all.
    pub thinking: Vec<Level>,
    /// It makes embeddings, and nothing else.
    pub embedding: bool,
    /// What it costs, as a class.
    pub tier: Tier,
    /// What it costs, if somebody knows.
    pub price: Option<Price>,
    /// Who says so.
    pub price_source: PriceSource,
    /// Somebody described it. `false`: it is all assumed.
    pub known: bool,
    /// The tier was said, and does not follow from the price.
    tier_said: bool,
}

impl Model {
    /// What may be assumed of a model that nobody described: little, so that nothing is sent that it cannot take.
    pub fn unknown(kind: ProviderKind, id: &str) -> Self {
        let free =
            matches!(kind, ProviderKind::Ollama | ProviderKind::Local | ProviderKind::Scripted);
        let (context, max_output) = match kind {
            ProviderKind::Anthropic => (200_000, 8_192),
            ProviderKind::OpenAi | ProviderKind::Zai => (128_000, 8_192),
            ProviderKind::DeepSeek => (64_000, 8_192),
            ProviderKind::OpenRouter => (32_768, 4_096),
            ProviderKind::Ollama | ProviderKind::Compatible => (8_192, 2_048),
            ProviderKind::Local => (2_048, 512),
            ProviderKind::Scripted => (1_000_000, 100_000),
        };
        // Every chat model that these offer calls tools; a new one will. An unknown server may not.
        let tools = match kind {
            ProviderKind::Anthropic
            | ProviderKind::OpenAi
            | ProviderKind::Zai
            | ProviderKind::DeepSeek
            | ProviderKind::Scripted => true,
            ProviderKind::OpenRouter
            | ProviderKind::Ollama
            | ProviderKind::Compatible
            | ProviderKind::Local => false,
        };
        let scripted = kind == ProviderKind::Scripted;
        Self {
            kind,
            id: id.to_owned(),
            name: id.to_owned(),
            context,
            max_output,
            tools,
            vision: scripted,
            structured: scripted,
            thinking: if scripted { vec![Level::Off, Level::Medium] } else { vec![] },
            embedding: false,
            tier: if free { Tier::Cheap } else { Tier::Standard },
            price: None,
            price_source: if free { PriceSource::Free } else { PriceSource::Unknown },
            known: scripted,
            tier_said: false,
        }
    }

    /// `kind/id`.
    pub fn full_id(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }

    /// Its price, and whose word that is.
    pub fn priced(&self) -> Priced<'_> {
        Priced { price: self.price.as_ref(), source: self.price_source }
    }

    /// It can think.
    pub fn thinks(&self) -> bool {
        self.thinking.iter().any(|level| *level != Level::Off)
    }

    /// Takes what a file says.
    pub(super) fn take_written(&mut self, written: &Written) {
        fn take<T: Clone>(field: &mut T, written: &Option<T>) {
            if let Some(written) = written {
                field.clone_from(written);
            }
        }
        take(&mut self.name, &written.name);
        take(&mut self.context, &written.context);
        take(&mut self.max_output, &written.max_output);
        take(&mut self.tools, &written.tools);
        take(&mut self.vision, &written.vision);
        take(&mut self.structured, &written.structured);
        take(&mut self.thinking, &written.thinking);
        take(&mut self.embedding, &written.embedding);
        take(&mut self.tier, &written.tier);
        self.tier_said |= written.tier.is_some();
        if let Some(price) = &written.price {
            self.set_price(price.clone(), PriceSource::Catalogue);
        }
    }

    /// What was written is somebody's word here, and not the catalogue's.
    pub(super) fn price_is_set_by(&mut self, written: &Written) {
        if written.price.is_some() {
            self.price_source = PriceSource::Override;
        }
    }

    /// Takes what a provider lists.
    pub(super) fn take_listed(&mut self, listed: &Listed) {
        let number = |said: Option<u64>| said.filter(|n| (1..=TOKENS).contains(n));
        if let Some(name) = listed.name.as_ref().filter(|name| !name.is_empty()) {
            self.name = name.chars().take(100).collect();
        }
        self.context = number(listed.context).unwrap_or(self.context);
        self.max_output = number(listed.max_output).unwrap_or(self.max_output);
        self.tools = listed.tools.unwrap_or(self.tools);
        self.vision = listed.vision.unwrap_or(self.vision);
        self.embedding = listed.embedding.unwrap_or(self.embedding);
        match listed.thinking {
            Some(true) if !self.thinks() => self.thinking = vec![Level::Medium],
            Some(false) => self.thinking.clear(),
            Some(true) | None => {}
        }
        if let Some((input, output)) = listed.price.filter(|(i, o)| *i.max(o) <= MICROS) {
            // A list says two prices and the snapshot may know more: where the two agree, the rest is kept.
            let same = |price: &Price| (price.base.input, price.base.output) == (input, output);
            if !self.price.as_ref().is_some_and(same) {
                self.set_price(Price::flat(input, output), PriceSource::Catalogue);
            }
        }
        self.known |= listed.context.is_some();
    }

    fn set_price(&mut self, price: Price, source: PriceSource) {
        if !self.tier_said {
            self.tier = match price.base.output.max(price.base.input) {
                ..=CHEAP => Tier::Cheap,
                PREMIUM.. => Tier::Premium,
                _ => Tier::Standard,
            };
        }
        self.price = Some(price);
        self.price_source = source;
    }
}
