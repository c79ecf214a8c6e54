//! Embeddings on somebody's behalf: chosen by name, held against their budgets, announced and settled like any call.

use super::counting::{Heard, is_unbilled};
use crate::{Error, Gateway, Result, person, reachable::Reachable};
use mosaic_models::{Model, Pass, Reported, Seen, charge_at_most, estimate_tokens};
use mosaic_protocol::{
    CallId, WorkspaceId,
    access::{Actor, Grant},
    provider::ProviderKind,
    route::Route,
    usage::{Cost, PriceSource, Usage},
};
use mosaic_routing::{Offer, State as OfferState};
use mosaic_store::ledger::{Call, Hold, State};
use std::sync::Arc;

/// When nothing is heard of a call for so long, it was interrupted. Longer than a call may take.
const HELD_MINUTES: i64 = 15;

/// Texts to embed.
#[derive(Debug, Clone)]
pub struct Embed {
    /// What was asked for: `auto`, `provider/model` or `model`.
    pub model: String,
    /// The texts.
    pub texts: Vec<String>,
    /// In which workspace; one's own unless told.
    pub workspace_id: Option<WorkspaceId>,
    /// Where it came from, such as `api`.
    pub channel: &'static str,
}

/// Their embeddings.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// One for each text.
    pub vectors: Vec<Vec<f32>>,
    /// Which model made them, and why.
    pub route: Route,
    /// What the caller should know: a budget is nearly used up.
    pub warnings: Vec<String>,
    /// What was used.
    pub usage: Usage,
    /// What it cost.
    pub cost: Cost,
}

impl Gateway {
    /// Embeds texts.
    pub async fn embed(&self, actor: &Actor, ask: Embed) -> Result<Embedded> {
        let person = person(actor)?;
        let reachable = self.reachable(actor, ask.workspace_id).await?;
        let (offer, model, reason) = chosen(&reachable, &ask.model)?;
        let gone = || Error::NoModelCan { why: "it is no longer there".into() };
        let usable = reachable.endpoints.get(&offer.provider_id).ok_or_else(gone)?;
        let now = self.inner.store.ambient().now();
        let tokens: u64 = ask.texts.iter().map(|text| estimate_tokens(text)).sum();
        let call = Call {
            id: self.inner.store.ambient().id(CallId::new),
            at: now,
            user_id: Some(person.id),
            workspace_id: reachable.workspace_id,
            token_id: match &person.grant {
                Grant::Token(id, _) => Some(*id),
                Grant::Session(_) => None,
            },
            log_id: None,
            agent: String::new(),
            provider: offer.provider.clone(),
            kind: offer.kind.as_str().to_owned(),
            model: offer.model.clone(),
            asked: ask.model.chars().take(200).collect(),
            rule: String::new(),
            state: State::Running,
            failure: None,
            usage: Usage::default(),
            cost: Cost { micros: None, source: PriceSource::Unknown, exact: true },
            held: held(&reachable, &model, tokens)?,
            held_until: now.plus_minutes(HELD_MINUTES),
            first_ms: None,
            took_ms: None,
            route: String::new(),
            holds: reachable.budgets.iter().map(Hold::from).collect(),
        };
        let (provider_id, health) = (offer.provider_id, &self.inner.health);
        let (pass, endpoint) = self.let_in(provider_id, &offer.model, usable).await?;
        let announced = if call.holds.is_empty() {
            self.inner.ledger.announce(call.clone()).await;
            Ok(Ok(()))
        } else {
            self.inner.ledger.hold(call.clone()).await
        };
        match announced {
            Ok(Ok(())) => {}
            refused => {
                health.settle(provider_id, &offer.model, pass, None, now);
                refused?.map_err(|it| reachable.over(&it, now))?;
            }
        }
        let mut settling = Settling {
            gateway: self.clone(),
            offer: offer.clone(),
            model,
            pass,
            tokens,
            call: Some(Box::new(call)),
        };
        let made = self.inner.models.embed(&endpoint, &offer.model, &ask.texts).await;
        let (usage, cost) = match &made {
            Ok(vectors) => settling.settle(State::Done, vectors.tokens, None),
            Err(error) => settling.settle(State::Failed, None, Some(error)),
        };
        let vectors = made.map_err(Error::ModelFailed)?.vectors;
        let route = Route {
            classification: None,
            rule: None,
            reason,
            provider: offer.provider.clone(),
            kind: offer.kind,
            model: offer.model.clone(),
            considered: vec![],
            expected_micros: None,
        };
        let warnings = reachable.warnings();
        Ok(Embedded { vectors, route, warnings, usage, cost })
    }
}

/// Which model embeds. The one in our own process is the default: it needs no key, and nothing leaves the machine.
fn chosen(reachable: &Reachable, asked: &str) -> Result<(Offer, Arc<Model>, String)> {
    let all = || reachable.offers.iter().zip(reachable.models.iter());
    let embedding = || all().filter(|(_, model)| model.embedding);
    let taken = |(offer, model): (&Offer, &Arc<Model>), why: &str| {
        (offer.clone(), model.clone(), why.to_owned())
    };
    let is_ready = |(offer, _): &(&Offer, &Arc<Model>)| matches!(offer.state, OfferState::Ready);
    if matches!(asked, "" | "auto") {
        let local = embedding().filter(is_ready).find(|(it, _)| it.kind == ProviderKind::Local);
        let first = local.or_else(|| embedding().find(is_ready));
        let why = "no provider with a model for embeddings is set up";
        let first = first.ok_or_else(|| Error::NoModelCan { why: why.into() })?;
        return Ok(taken(first, "the default for embeddings"));
    }
    // As with other calls: who names a provider means it, even where another one has a model that is called like that.
    let is_of = |(offer, _): &(&Offer, &Arc<Model>)| {
        asked.strip_prefix(offer.provider.as_str()).and_then(|it| it.strip_prefix('/'))
            == Some(offer.model.as_str())
    };
    let names_provider = all().any(|it| is_of(&it));
    let is_named = |it: &(&Offer, &Arc<Model>)| match names_provider {
        true => is_of(it),
        false => it.0.model == asked,
    };
    // Of several with the name one that can be asked now; and a name that is known to be no such model says so.
    let named = all().filter(is_named).collect::<Vec<_>>();
    let best = named.iter().find(|it| it.1.embedding && is_ready(it));
    if let Some(best) = best.or_else(|| named.iter().find(|it| it.1.embedding)) {
        return match &best.0.state {
            OfferState::Ready => Ok(taken(*best, "it was named")),
            OfferState::NoKey => Err(Error::NoModelCan {
                why: format!("{}: its provider has no key", asked_text(asked)),
            }),
            OfferState::Resting(why) => {
                Err(Error::NoModelCan { why: format!("{}: {why}", asked_text(asked)) })
            }
        };
    }
    if !named.is_empty() {
        let text = asked_text(asked);
        return Err(Error::Invalid(format!("`{text}` is a model that makes no embeddings")));
    }
    let names: Vec<String> =
        embedding().map(|(offer, _)| format!("{}/{}", offer.provider, offer.model)).collect();
    let nearest = mosaic_models::nearest(asked, names.iter().map(String::as_str));
    Err(Error::NoSuchModel { asked: asked_text(asked), nearest })
}

fn asked_text(asked: &str) -> String {
    asked.chars().take(200).collect()
}

/// What it may cost at most: micro-dollars and tokens.
fn held(reachable: &Reachable, model: &Model, tokens: u64) -> Result<(i64, i64)> {
    let int = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let request = mosaic_models::Request::default();
    let micros = match (&model.price, model.price_source) {
        (Some(price), _) => {
            let rate = price.rates(tokens).input;
            tokens.saturating_mul(rate).div_ceil(1_000_000) + charge_at_most(price, &request, 0)
        }
        (None, PriceSource::Free) => 0,
        (None, _) if reachable.money_left().is_none() => 0,
        (None, _) => {
            let why = "nobody knows its price, and there is a budget in money";
            return Err(Error::NoModelCan { why: why.into() });
        }
    };
    Ok((int(micros), int(tokens)))
}

/// A call that is under way, settled whatever becomes of it.
struct Settling {
    gateway: Gateway,
    offer: Offer,
    model: Arc<Model>,
    pass: Pass,
    /// About how many tokens the texts have.
    tokens: u64,
    call: Option<Box<Call>>,
}

impl Settling {
    fn settle(
        &mut self,
        state: State,
        tokens: Option<u64>,
        error: Option<&mosaic_models::Error>,
    ) -> (Usage, Cost) {
        let inner = &self.gateway.inner;
        let now = inner.store.ambient().now();
        let usage = |input: u64| Usage { input, ..Usage::default() };
        let reported = tokens.map(|input| Reported { usage: usage(input), cost_micros: None });
        let (usage, cost) = Heard {
            state,
            unbilled: error.is_some_and(is_unbilled),
            reported,
            prompt_tokens: self.tokens,
            written: 0,
            held: self.call.as_ref().map(|call| call.held).filter(|held| *held != (0, 0)),
        }
        .comes_to(&self.model);
        let Some(call) = self.call.take() else { return (usage, cost) };
        let took = now.0.saturating_sub(call.at.0);
        let went = (state != State::Incomplete).then(|| Seen {
            error,
            latency_ms: u64::try_from(took).unwrap_or(0),
            rate_limit: None,
        });
        inner.health.settle(self.offer.provider_id, &self.offer.model, self.pass, went, now);
        let failure = error.map(|error| error.class);
        let call = Call { state, failure, usage, cost, took_ms: Some(took), ..*call };
        if !inner.ledger.settle_now(call.clone()) {
            let ledger = inner.ledger.clone();
            tokio::spawn(async move { ledger.settle(call).await });
        }
        (usage, cost)
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        if self.call.is_some() {
            self.settle(State::Incomplete, None, None);
        }
    }
}
