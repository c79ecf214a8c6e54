//! Sends a call to the chosen model, and to the next one when it fails before it has said anything. Each try is announced
//! in the ledger before it is sent, and settled after it.

use super::{Answering, Ask, choosing::Chosen, choosing::USUAL_OUTPUT};
use crate::{Error, Gateway, Result, person, reachable::Reachable};
use mosaic_models::{
    Calling, Endpoint, Event, Model, Pass, Reported, Retries, Seen, charge_at_most, cost,
    estimate_tokens,
};
use mosaic_protocol::{
    CallId, TokenId, UserId,
    access::{Actor, Grant},
    provider::{FailureClass, RateLimit},
    usage::{Cost, PriceSource, Usage},
};
use mosaic_routing::{LEAST_OUTPUT, Offer};
use mosaic_store::ledger::{Call, Hold, Over, State};
use std::{sync::Arc, time::Duration};

/// When nothing is heard of a call for so long, it was interrupted. Longer than a call may take.
const HELD_MINUTES: i64 = 15;

/// Everything that the tries of one call share.
pub(super) struct Run {
    pub(super) gateway: Gateway,
    reachable: Arc<Reachable>,
    pub(super) chosen: Chosen,
    pub(super) ask: Ask,
    user_id: UserId,
    token_id: Option<TokenId>,
    /// How many of the chain were tried.
    tried: usize,
    /// How much may be written, as it was asked for.
    max_output: Option<u32>,
}

/// A model that has begun to answer.
pub(super) struct Live {
    pub(super) place: usize,
    pub(super) calling: Calling,
    /// What has come and was not handed out.
    pub(super) first: Vec<Event>,
    pub(super) settling: Settling,
}

impl Gateway {
    /// Calls a model. The first words have come when this returns, or the whole answer if that was asked for.
    pub async fn call_model(&self, actor: &Actor, ask: Ask) -> Result<Answering> {
        let person = person(actor)?;
        let reachable = self.reachable(actor, ask.workspace_id).await?;
        let chosen = self.choose(actor, &reachable, &ask.request, &ask.model, ask.channel).await?;
        let token_id = match &person.grant {
            Grant::Token(id, _) => Some(*id),
            Grant::Session(_) => None,
        };
        let max_output = ask.request.max_output;
        let run = Run {
            gateway: self.clone(),
            reachable,
            chosen,
            ask,
            user_id: person.id,
            token_id,
            tried: 0,
            max_output,
        };
        Answering::begin(run).await
    }
}

impl Run {
    /// The next model of the chain that begins to answer.
    pub(super) async fn next(&mut self) -> Result<Live> {
        let mut last: Option<Error> = None;
        while let Some(place) = self.chosen.choice.chain.get(self.tried).copied() {
            self.tried += 1;
            let more = self.tried < self.chosen.choice.chain.len();
            match self.try_one(place, more).await {
                Ok(live) => return Ok(live),
                Err(error) => {
                    let goes_on = match &error {
                        Error::ModelFailed(failed) => fails_over(failed.class),
                        // Another one may be cheaper.
                        Error::OverBudget { .. } => true,
                        _ => false,
                    };
                    self.tell(place, &error);
                    if !goes_on || !more {
                        return Err(error);
                    }
                    last = Some(error);
                }
            }
        }
        Err(last.unwrap_or_else(|| Error::NoModelCan { why: "none is left to try".into() }))
    }

    /// Notes among what was considered that a model was tried, and why it did not answer.
    fn tell(&mut self, place: usize, error: &Error) {
        let Some(offer) = self.chosen.offers.get(place) else { return };
        let said: String = error.to_string().chars().take(200).collect();
        let mut considered = self.chosen.choice.considered.iter_mut();
        let it = considered.find(|it| it.provider == offer.provider && it.model == offer.model);
        if let Some(it) = it {
            it.skipped = Some(format!("it was tried, and failed: {said}"));
        }
    }

    pub(super) fn has_more(&self) -> bool {
        self.tried < self.chosen.choice.chain.len()
    }

    async fn try_one(&mut self, place: usize, more: bool) -> Result<Live> {
        let gone = || Error::NoModelCan { why: "it is no longer there".into() };
        let offer = self.chosen.offers.get(place).cloned().ok_or_else(gone)?;
        let model = self.chosen.models.get(place).cloned().ok_or_else(gone)?;
        let usable = self.reachable.endpoints.get(&offer.provider_id).ok_or_else(gone)?.clone();
        let (id, gateway) = (offer.provider_id, &self.gateway);
        let (pass, endpoint) = gateway.let_in(id, &offer.model, &usable).await?;
        let now = gateway.inner.store.ambient().now();
        self.ask.request.model.clone_from(&offer.model);
        // What goes on is read again by the next call; what is asked once is not worth the price of keeping.
        self.ask.request.cache |=
            self.ask.request.messages.len() > 2 || !self.ask.request.tools.is_empty();
        let call = match self.announce(&offer, &model, place).await {
            Ok(call) => call,
            Err(error) => {
                let health = &self.gateway.inner.health;
                health.settle(offer.provider_id, &offer.model, pass, None, now);
                return Err(error);
            }
        };
        let seed = u64::from_be_bytes(call.id.as_bytes()[8..].try_into().unwrap_or_default());
        let output_bound = self.ask.request.max_output.map(u64::from);
        let mut settling = Settling {
            gateway: self.gateway.clone(),
            model,
            offer,
            pass,
            began_ms: now.0,
            prompt_tokens: self.chosen.prompt_tokens,
            bound: output_bound.filter(|_| !call.holds.is_empty()),
            call: Some(Box::new(call)),
            reported: None,
            rate_limit: None,
            written: 0,
            first_ms: None,
        };
        let retries = match more {
            // Another one waits: better it than the same once more.
            true => Retries { most: 0, within: Duration::ZERO, seed },
            false => Retries { most: 2, within: Duration::from_secs(8), seed },
        };
        let mut sent = self.send(&endpoint, retries).await;
        if matches!(&sent, Err(error) if error.class == FailureClass::Auth) {
            // Of a login the token may have ended before its time: once more with another, if there is one.
            let other = self.gateway.anew(settling.offer.provider_id, &usable, &endpoint).await;
            if let Some(other) = other {
                sent = self.send(&other, retries).await;
            }
        }
        let began = match sent {
            Ok(mut calling) => {
                first_words(&mut calling, &mut settling).await.map(|it| (calling, it))
            }
            Err(error) => Err(error),
        };
        match began {
            Ok((calling, first)) => {
                settling.rate_limit = calling.rate_limit(now);
                Ok(Live { place, calling, first, settling })
            }
            Err(error) => {
                settling.failed(&error);
                Err(Error::ModelFailed(error))
            }
        }
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        retries: Retries,
    ) -> std::result::Result<Calling, mosaic_models::Error> {
        let (models, request) = (&self.gateway.inner.models, &self.ask.request);
        match self.ask.whole {
            true => models.whole(endpoint, request, retries).await,
            false => models.stream(endpoint, request, retries).await,
        }
    }

    /// Announces a try: under a budget, what it may cost is held before anything is sent.
    async fn announce(&mut self, offer: &Offer, model: &Model, place: usize) -> Result<Call> {
        let inner = &self.gateway.inner;
        let now = inner.store.ambient().now();
        let holds: Vec<Hold> = self.reachable.budgets.iter().map(Hold::from).collect();
        self.ask.request.max_output = self.max_output;
        let route = match self.chosen.classification {
            None => String::new(),
            Some(_) => serde_json::to_string(&self.chosen.route(place)).unwrap_or_default(),
        };
        let mut call = Call {
            id: inner.store.ambient().id(CallId::new),
            at: now,
            user_id: Some(self.user_id),
            workspace_id: self.reachable.workspace_id,
            token_id: self.token_id,
            log_id: None,
            agent: String::new(),
            provider: offer.provider.clone(),
            kind: offer.kind.as_str().to_owned(),
            model: offer.model.clone(),
            asked: self.ask.model.chars().take(200).collect(),
            rule: self.chosen.choice.rule.clone().unwrap_or_default(),
            state: State::Running,
            failure: None,
            usage: Usage::default(),
            cost: Cost { micros: None, source: PriceSource::Unknown, exact: true },
            held: (0, 0),
            held_until: now.plus_minutes(HELD_MINUTES),
            first_ms: None,
            took_ms: None,
            route,
            holds,
        };
        if call.holds.is_empty() {
            inner.ledger.announce(call.clone()).await;
            return Ok(call);
        }
        let most = model.max_output.max(1);
        let mut output = self.max_output.map_or(USUAL_OUTPUT.min(most), u64::from);
        // Once with what was asked for; if that is too much, once with what is left.
        for last in [false, true] {
            call.held = self.may_cost(model, output)?;
            self.ask.request.max_output = u32::try_from(output).ok();
            match inner.ledger.hold(call.clone()).await? {
                Ok(()) => return Ok(call),
                Err(over) => match self.affordable(model, &over, output).filter(|_| !last) {
                    Some(less) => output = less,
                    None => return Err(self.reachable.over(&over, now)),
                },
            }
        }
        Err(Error::NoModelCan { why: "its budget is used up".into() })
    }

    /// What a try may cost at most: micro-dollars and tokens.
    fn may_cost(&self, model: &Model, output: u64) -> Result<(i64, i64)> {
        let int = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let micros = match (&model.price, model.price_source) {
            (Some(price), _) => charge_at_most(price, &self.ask.request, output),
            (None, PriceSource::Free) => 0,
            (None, _) if self.reachable.money_left().is_none() => 0,
            (None, _) => {
                let why = "nobody knows its price, and there is a budget in money";
                return Err(Error::NoModelCan { why: why.into() });
            }
        };
        Ok((int(micros), int(self.chosen.prompt_tokens.saturating_add(output))))
    }

    /// How much may be written for what is left, if that is worth calling for.
    fn affordable(&self, model: &Model, over: &Over, wanted: u64) -> Option<u64> {
        let left = |left: Option<i64>| left.and_then(|left| u64::try_from(left).ok());
        let by_tokens =
            left(over.left_tokens).map(|left| left.saturating_sub(self.chosen.prompt_tokens));
        let by_money = left(over.left_micros).zip(model.price.as_ref()).map(|(left, price)| {
            let left = left.saturating_sub(charge_at_most(price, &self.ask.request, 0));
            let rate = price.rates(self.chosen.prompt_tokens);
            let each = rate.output.max(rate.reasoning.unwrap_or(0)).max(1);
            // A little less, for what is rounded up.
            left.saturating_sub(2).saturating_mul(1_000_000) / each
        });
        let most = by_tokens.into_iter().chain(by_money).min()?;
        (most >= LEAST_OUTPUT && most < wanted).then_some(most)
    }

    /// What the caller should know of their budgets.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.reachable.warnings()
    }
}

/// Whether another model is asked after this failure. What is wrong with the request is wrong everywhere.
pub(super) const fn fails_over(class: FailureClass) -> bool {
    !matches!(class, FailureClass::Refused | FailureClass::BadRequest)
}

/// Reads up to the first words. Before them nothing was shown, and another model can still answer instead.
async fn first_words(
    calling: &mut Calling,
    settling: &mut Settling,
) -> std::result::Result<Vec<Event>, mosaic_models::Error> {
    let mut events = vec![];
    while let Some(event) = calling.next().await? {
        settling.hear(&event);
        let is_head = matches!(event, Event::Began { .. } | Event::Usage(_));
        events.push(event);
        if !is_head {
            break;
        }
    }
    Ok(events)
}

/// A call that is under way. Whatever becomes of it, it is settled: at its end, at its failure, or when nobody waits for it
/// any more.
pub(super) struct Settling {
    gateway: Gateway,
    model: Arc<Model>,
    offer: Offer,
    pass: Pass,
    call: Option<Box<Call>>,
    began_ms: i64,
    prompt_tokens: u64,
    /// How many tokens it may write under its budgets.
    bound: Option<u64>,
    reported: Option<Reported>,
    rate_limit: Option<RateLimit>,
    /// About how many tokens it has written.
    written: u64,
    first_ms: Option<i64>,
}

impl Settling {
    /// What is called: `provider/model`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.offer.provider, self.offer.model)
    }

    pub(super) fn hear(&mut self, event: &Event) {
        match event {
            Event::Usage(reported) => self.reported = Some(*reported),
            Event::Text(text) | Event::Thinking(text) | Event::Arguments { piece: text, .. } => {
                self.written += estimate_tokens(text);
            }
            Event::Began { .. } => return,
            Event::Sealed(_) | Event::ToolCall { .. } | Event::Ended(_) => {}
        }
        if self.first_ms.is_none() {
            let now = self.gateway.inner.store.ambient().now();
            self.first_ms = Some(now.0.saturating_sub(self.began_ms));
        }
    }

    /// It writes far more than it was allowed to: a provider that does not hold to the bound that it was sent.
    pub(super) fn is_beyond(&self) -> bool {
        // An estimate may be wrong by half.
        self.bound.is_some_and(|bound| self.written > bound.saturating_mul(2).saturating_add(256))
    }

    pub(super) fn done(&mut self) -> (Usage, Cost) {
        self.settle(State::Done, None)
    }

    pub(super) fn failed(&mut self, error: &mosaic_models::Error) {
        let state = if self.written > 0 { State::Incomplete } else { State::Failed };
        self.settle(state, Some(error));
    }

    fn settle(&mut self, state: State, error: Option<&mosaic_models::Error>) -> (Usage, Cost) {
        let inner = &self.gateway.inner;
        let now = inner.store.ambient().now();
        let took = now.0.saturating_sub(self.began_ms);
        let nothing_came = state == State::Failed;
        let (usage, said) = match self.reported {
            Some(reported) => (
                // A stream that was cut told what had gone in, and not yet all that came out.
                Usage {
                    output: reported.usage.output.max(if state == State::Done {
                        0
                    } else {
                        self.written
                    }),
                    ..reported.usage
                },
                mosaic_models::Said {
                    exact: state == State::Done,
                    cost_micros: reported.cost_micros,
                },
            ),
            None if nothing_came => {
                (Usage::default(), mosaic_models::Said { exact: true, cost_micros: None })
            }
            None => (
                Usage { input: self.prompt_tokens, output: self.written, ..Usage::default() },
                mosaic_models::Said { exact: false, cost_micros: None },
            ),
        };
        let mut cost = cost(self.model.priced(), &usage, said);
        if nothing_came && self.reported.is_none() {
            cost.micros = Some(0);
        }
        let Some(call) = self.call.take() else { return (usage, cost) };
        let went = match (state, error) {
            (State::Incomplete, None) => None,
            (_, error) => Some(Seen {
                error,
                latency_ms: u64::try_from(self.first_ms.unwrap_or(took)).unwrap_or(0),
                rate_limit: self.rate_limit,
            }),
        };
        inner.health.settle(self.offer.provider_id, &self.offer.model, self.pass, went, now);
        let call = Call {
            state,
            failure: error.map(|error| error.class),
            usage,
            cost,
            first_ms: self.first_ms,
            took_ms: Some(took),
            ..*call
        };
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
            self.settle(State::Incomplete, None);
        }
    }
}
