//! What a call cost, in whole micro-dollars, and about how much a text or a request is before anybody counted. Pure.

mod estimate;

pub use estimate::{estimate_request, estimate_tokens};

use crate::{CacheFor, Price, Request};
use mosaic_protocol::usage::{Cost, PriceSource, Usage};

/// A price, and whose word that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced<'a> {
    /// The price, if anybody knows it.
    pub price: Option<&'a Price>,
    /// Where it is from.
    pub source: PriceSource,
}

/// What the provider said of a call besides its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// It said what was used. Otherwise that was estimated.
    pub exact: bool,
    /// What it says that it charges.
    pub cost_micros: Option<u64>,
}

/// What a call cost. A price that somebody set here comes first, then what the provider says that it charges, then the
/// catalogue.
pub fn cost(priced: Priced<'_>, usage: &Usage, said: Said) -> Cost {
    let (micros, source) = match (priced.source, priced.price, said.cost_micros) {
        (PriceSource::Override, Some(price), _) => {
            (Some(charge(price, usage)), PriceSource::Override)
        }
        (PriceSource::Free, ..) => (Some(0), PriceSource::Free),
        (_, _, Some(charged)) => (Some(charged), PriceSource::Provider),
        (source, Some(price), None) => (Some(charge(price, usage)), source),
        (_, None, None) => (None, PriceSource::Unknown),
    };
    Cost { micros, source, exact: said.exact }
}

/// What so many tokens cost at this price, rounded up once at the end. More than fits is as much as fits.
pub fn charge(price: &Price, usage: &Usage) -> u64 {
    let rates = price.rates(usage.prompt());
    let hour = rates.cache_write_hour.unwrap_or(rates.input.saturating_mul(2));
    // What was reasoned is part of the output, and no more than that.
    let reasoning = usage.reasoning.min(usage.output);
    let parts = [
        (usage.input, rates.input),
        (usage.cache_read, rates.cache_read.unwrap_or(rates.input)),
        (usage.cache_write, rates.cache_write.unwrap_or(rates.input)),
        (usage.cache_write_hour, hour),
        (usage.output - reasoning, rates.output),
        (reasoning, rates.reasoning.unwrap_or(rates.output)),
    ];
    let sum: u128 = parts
        .iter()
        .map(|(tokens, rate)| u128::from(*tokens) * u128::from(*rate))
        .fold(0, u128::saturating_add);
    u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// About the most that a call may cost: what is set aside before it is sent. `output`: how much it may write.
pub fn charge_at_most(price: &Price, request: &Request, output: u64) -> u64 {
    let prompt = estimate_request(request);
    let usage = match cached_for(request) {
        None => Usage { input: prompt, ..Usage::default() },
        Some(CacheFor::Minutes) => Usage { cache_write: prompt, ..Usage::default() },
        Some(CacheFor::Hour) => Usage { cache_write_hour: prompt, ..Usage::default() },
    };
    // Caching may cost less than reading at providers that write for nothing.
    let uncached = Usage { input: prompt, output, ..Usage::default() };
    charge(price, &Usage { output, ..usage }).max(charge(price, &uncached))
}

/// The longest that any part of a request is to be cached.
fn cached_for(request: &Request) -> Option<CacheFor> {
    use crate::Part;
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let marks = parts
        .filter_map(|part| match part {
            Part::Text { cache, .. } => *cache,
            Part::Image(_)
            | Part::Thinking { .. }
            | Part::ToolCall { .. }
            | Part::ToolResult { .. } => None,
        })
        .chain(request.system.iter().filter_map(|system| system.cache))
        .chain(request.tools.iter().filter_map(|tool| tool.cache))
        .chain(request.cache.then_some(CacheFor::Minutes));
    marks.max_by_key(|mark| *mark == CacheFor::Hour)
}

#[cfg(test)]
mod tests;
