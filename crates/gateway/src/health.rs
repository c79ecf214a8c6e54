//! How providers do, as this node has seen it: who is left alone for a while, who answered, which models they list.
//! In memory only: what another node has seen may be another network's fault.

use crate::{Gateway, renewing::Usable};
use mosaic_models::{Error, Gate, Listed, Outcome, Pass, Seen, Shut, health_at, health_seen};
use mosaic_protocol::{
    ModelProviderId, Time,
    provider::{FailureClass, ProviderHealth, ProviderReport, RateLimit},
};
use mosaic_store::{providers, providers::Stored};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many providers are remembered.
const MAX_PROVIDERS: usize = 5_000;

/// How many providers are asked at once.
const PROBES: usize = 4;

#[derive(Default)]
struct Kept {
    gate: Gate,
    health: ProviderHealth,
    listed: Option<Arc<Vec<Listed>>>,
    asked_at: Option<Time>,
}

/// What every provider was last seen doing.
#[derive(Default)]
pub(crate) struct Health(Mutex<HashMap<ModelProviderId, Kept>>);

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
        self.rests(id, model, now).map(|error| error.message)
    }

    /// The same, as it would be told to whoever calls it.
    pub(crate) fn rests(&self, id: ModelProviderId, model: &str, now: Time) -> Option<Error> {
        let map = self.map();
        let shut = map.get(&id)?.gate.looks(model, now).err()?;
        Some(told(&shut, now))
    }

    /// Whether a model may be called now; why not. Whoever is let in tells how it went.
    pub(crate) fn enter(&self, id: ModelProviderId, model: &str, now: Time) -> Result<Pass, Error> {
        let mut map = self.map();
        if map.len() >= MAX_PROVIDERS && !map.contains_key(&id) {
            map.clear();
        }
        map.entry(id).or_default().gate.enter(model, now).map_err(|shut| told(&shut, now))
    }

    /// Hears how a call went. `None`: nobody waited for its end.
    pub(crate) fn settle(
        &self,
        id: ModelProviderId,
        model: &str,
        pass: Pass,
        went: Option<Seen<'_>>,
        now: Time,
    ) {
        let mut map = self.map();
        let Some(kept) = map.get_mut(&id) else { return };
        let outcome = match went {
            None => Outcome::Dropped,
            Some(seen) => {
                let error = seen.error.map(of_everybody);
                let seen = Seen { error: error.as_ref(), ..seen };
                kept.health = health_seen(std::mem::take(&mut kept.health), seen, now);
                seen.error.map_or(Outcome::Worked, Outcome::from)
            }
        };
        kept.gate.settle(model, pass, outcome, now);
    }

    /// Somebody asked it just now, and it answered with this key: whatever it was left alone for is over.
    pub(crate) fn open(&self, id: ModelProviderId) {
        if let Some(kept) = self.map().get_mut(&id) {
            kept.gate = Gate::default();
        }
    }

    /// It is asked for its models now: nobody else need.
    pub(crate) fn asking(&self, id: ModelProviderId, now: Time) {
        let mut map = self.map();
        if map.len() >= MAX_PROVIDERS && !map.contains_key(&id) {
            map.clear();
        }
        map.entry(id).or_default().asked_at = Some(now);
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
        if listed.is_some() {
            kept.listed = listed;
        }
    }
}

fn told(shut: &Shut, now: Time) -> Error {
    let left = shut.until.0.saturating_sub(now.0).max(0);
    let why = shut.why.as_str().replace('_', " ");
    let message = format!("it failed ({why}) and is asked again in {} s", left / 1000 + 1);
    let left = u64::try_from(left).unwrap_or(0);
    let retry_after = Some(std::time::Duration::from_millis(left));
    Error { retry_after, ..Error::new(shut.why, message) }
}

/// What a failure says about a provider that other people use too. Only a refused key speaks against all of it at once: one
/// person's request can make a provider answer anything else. And what it quotes of a request is nobody else's business.
fn of_everybody(error: &Error) -> Error {
    use FailureClass as Class;
    let is_refused_key = matches!(error.status, Some(401) | None);
    let class = match error.class {
        Class::Auth | Class::Quota if !is_refused_key => Class::Overload,
        class => class,
    };
    let own = match error.class {
        Class::BadRequest => Some("it did not understand a request"),
        Class::Refused => Some("it did not want to answer a request"),
        Class::ContextTooLong => Some("a request was too long for it"),
        Class::NoSuchModel => Some("it was asked for a model that it does not have"),
        _ => None,
    };
    let message = own.map_or_else(|| error.message.clone(), str::to_owned);
    Error { class, message, ..error.clone() }
}

impl Gateway {
    /// Asks a provider for its models, which proves that it answers and that the key works.
    pub(crate) async fn probe(
        &self,
        stored: &Stored,
        usable: &Usable,
    ) -> (ProviderReport, Option<FailureClass>) {
        let ambient = self.inner.store.ambient();
        let before = ambient.now();
        let asked = match self.lasting(stored.id, usable).await {
            Ok(endpoint) => self.inner.models.list(&endpoint).await,
            Err(error) => Err(error),
        };
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
        all.extend(self.environment_providers());
        let mut asked = vec![];
        for stored in all.into_iter().filter(|stored| stored.enabled) {
            // One that cannot be opened is told where somebody looks at it; the others are asked all the same.
            if let Ok(usable) = self.usable(&mut tx, &stored).await {
                asked.push((stored, usable));
            }
        }
        drop(tx);
        futures_util::stream::iter(asked)
            .for_each_concurrent(PROBES, |(stored, usable)| async move {
                self.probe(&stored, &usable).await;
            })
            .await;
        Ok(())
    }
}
