//! How providers do, as this node has seen it: who is left alone for a while, who answered, which models they list.
//! In memory only: what another node has seen may be another network's fault.

use crate::Gateway;
use mosaic_models::{
    Allow, Breaker, Concerns, Endpoint, Error, Listed, Outcome, Seen, Ticket, concerns, health_at,
    health_seen,
};
use mosaic_protocol::{
    ModelProviderId, Time,
    provider::{FailureClass, ProviderHealth, ProviderReport, RateLimit},
};
use mosaic_store::{providers, providers::Stored};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many models of one provider have a breaker of their own.
const MAX_MODELS: usize = 500;

/// How many providers are remembered.
const MAX_PROVIDERS: usize = 5_000;

/// How many providers are asked at once.
const PROBES: usize = 4;

#[derive(Default)]
struct Kept {
    whole: Breaker,
    models: HashMap<String, Breaker>,
    health: ProviderHealth,
    listed: Option<Arc<Vec<Listed>>>,
    asked_at: Option<Time>,
}

/// What every provider was last seen doing.
#[derive(Default)]
pub(crate) struct Health(Mutex<HashMap<ModelProviderId, Kept>>);

/// What a call was allowed with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    whole: Ticket,
    model: Ticket,
}

impl Health {
    fn map(&self) -> MutexGuard<'_, HashMap<ModelProviderId, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn of(&self, id: ModelProviderId, now: Time) -> ProviderHealth {
        let health = self.map().get(&id).map(|kept| kept.health.clone()).unwrap_or_default();
        health_at(health, now)
    }

    pub(crate) fn forget(&self, id: ModelProviderId) {
        self.map().remove(&id);
    }

    /// Which models a provider lists, if it was asked.
    pub(crate) fn listed(&self, id: ModelProviderId) -> Option<Arc<Vec<Listed>>> {
        self.map().get(&id)?.listed.clone()
    }

    /// When a provider was last asked for its models.
    pub(crate) fn asked_at(&self, id: ModelProviderId) -> Option<Time> {
        self.map().get(&id)?.asked_at
    }

    /// Why a model is left alone now, if it is.
    pub(crate) fn resting(&self, id: ModelProviderId, model: &str, now: Time) -> Option<String> {
        let map = self.map();
        let kept = map.get(&id)?;
        let breakers = [Some(&kept.whole), kept.models.get(model)];
        breakers.into_iter().flatten().find_map(|breaker| match breaker.looks(now) {
            Allow::No { until, why } => Some(rests(why, until, now)),
            Allow::Yes(_) | Allow::Probe(_) => None,
        })
    }

    /// Whether a model may be called now; why not.
    pub(crate) fn allows(
        &self,
        id: ModelProviderId,
        model: &str,
        now: Time,
    ) -> Result<Allowed, Error> {
        let mut map = self.map();
        if map.len() >= MAX_PROVIDERS && !map.contains_key(&id) {
            map.clear();
        }
        let kept = map.entry(id).or_default();
        if kept.models.len() >= MAX_MODELS && !kept.models.contains_key(model) {
            kept.models.clear();
        }
        let whole = ticket(kept.whole.allows(now), now)?;
        // No entry for what works: most calls find nothing here, and leave nothing.
        let model = match kept.models.get_mut(model) {
            Some(breaker) => match ticket(breaker.allows(now), now) {
                Ok(ticket) => ticket,
                Err(error) => {
                    kept.whole.settle(whole, Outcome::Dropped, now);
                    return Err(error);
                }
            },
            None => match Breaker::default().looks(now) {
                Allow::Yes(ticket) | Allow::Probe(ticket) => ticket,
                Allow::No { .. } => whole,
            },
        };
        Ok(Allowed { whole, model })
    }

    /// Hears how a call went. `None`: nobody waited for its end.
    pub(crate) fn settle(
        &self,
        id: ModelProviderId,
        model: &str,
        allowed: Allowed,
        went: Option<Seen<'_>>,
        now: Time,
    ) {
        let mut map = self.map();
        let Some(kept) = map.get_mut(&id) else { return };
        let Some(seen) = went else {
            kept.whole.settle(allowed.whole, Outcome::Dropped, now);
            if let Some(breaker) = kept.models.get_mut(model) {
                breaker.settle(allowed.model, Outcome::Dropped, now);
            }
            return;
        };
        kept.health = health_seen(std::mem::take(&mut kept.health), seen, now);
        let outcome = seen.error.map_or(Outcome::Worked, Outcome::from);
        match seen.error.map(|error| concerns(error.class)) {
            Some(Concerns::Model) => {
                // Whatever is wrong with the model, its provider answered.
                kept.whole.settle(allowed.whole, Outcome::Worked, now);
                let breaker = kept.models.entry(model.to_owned()).or_default();
                breaker.settle(allowed.model, outcome, now);
            }
            Some(Concerns::Provider) => kept.whole.settle(allowed.whole, outcome, now),
            Some(Concerns::Request) | None => {
                kept.whole.settle(allowed.whole, outcome, now);
                if let Some(breaker) = kept.models.get_mut(model) {
                    breaker.settle(allowed.model, outcome, now);
                }
            }
        }
    }

    fn probed(
        &self,
        id: ModelProviderId,
        seen: Seen<'_>,
        listed: Option<Arc<Vec<Listed>>>,
        now: Time,
    ) {
        let mut map = self.map();
        let kept = map.entry(id).or_default();
        kept.health = health_seen(std::mem::take(&mut kept.health), seen, now);
        kept.asked_at = Some(now);
        if let Allow::Yes(ticket) | Allow::Probe(ticket) = kept.whole.allows(now) {
            let outcome = seen.error.map_or(Outcome::Worked, Outcome::from);
            kept.whole.settle(ticket, outcome, now);
        } else if seen.error.is_none() {
            // It answered although it was left alone: a key was mended, a server came back.
            kept.whole = Breaker::default();
        }
        if listed.is_some() {
            kept.listed = listed;
        }
    }
}

fn ticket(allow: Allow, now: Time) -> Result<Ticket, Error> {
    match allow {
        Allow::Yes(ticket) | Allow::Probe(ticket) => Ok(ticket),
        Allow::No { until, why } => {
            let left = u64::try_from(until.0.saturating_sub(now.0)).unwrap_or(0);
            let mut error = Error::new(why, rests(why, until, now));
            error.retry_after = Some(std::time::Duration::from_millis(left));
            Err(error)
        }
    }
}

fn rests(why: FailureClass, until: Time, now: Time) -> String {
    let seconds = until.0.saturating_sub(now.0).max(0) / 1000 + 1;
    format!("it failed ({}) and is asked again in {seconds} s", why.as_str().replace('_', " "))
}

impl Gateway {
    /// Asks a provider for its models, which proves that it answers and that the key works.
    pub(crate) async fn probe(
        &self,
        stored: &Stored,
        endpoint: &Endpoint,
    ) -> (ProviderReport, Option<FailureClass>) {
        let ambient = self.inner.store.ambient();
        let before = ambient.now();
        let asked = self.inner.models.list(endpoint).await;
        let now = ambient.now();
        let latency_ms = u64::try_from(now.0.saturating_sub(before.0)).unwrap_or(0);
        let rate_limit: Option<RateLimit> = None;
        match asked {
            Ok(listed) => {
                let n_models = listed.len() as u64;
                let seen = Seen { error: None, latency_ms, rate_limit };
                self.inner.health.probed(stored.id, seen, Some(Arc::new(listed)), now);
                let message = format!("it answers, and lists {n_models} models");
                (ProviderReport { works: true, message, latency_ms, n_models }, None)
            }
            Err(error) => {
                let seen = Seen { error: Some(&error), latency_ms, rate_limit };
                self.inner.health.probed(stored.id, seen, None, now);
                let message = error.message.clone();
                let report = ProviderReport { works: false, message, latency_ms, n_models: 0 };
                (report, Some(error.class))
            }
        }
    }

    /// Asks every provider once, a few at a time.
    pub async fn probe_all(&self) -> crate::Result<()> {
        use futures_util::StreamExt;
        let mut tx = self.inner.store.read().await?;
        let mut all = providers::all(&mut tx).await?;
        all.extend(self.from_environment());
        let mut asked = vec![];
        for stored in all.into_iter().filter(|stored| stored.enabled) {
            // One that cannot be opened is told where somebody looks at it; the others are asked all the same.
            if let Ok(endpoint) = self.usable_endpoint(&mut tx, &stored).await {
                asked.push((stored, endpoint));
            }
        }
        drop(tx);
        futures_util::stream::iter(asked)
            .for_each_concurrent(PROBES, |(stored, endpoint)| async move {
                self.probe(&stored, &endpoint).await;
            })
            .await;
        Ok(())
    }
}
