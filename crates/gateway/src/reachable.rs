//! What somebody can use in a workspace: providers with their keys, models, rules, budgets. Put together at most every two
//! seconds, like credentials: what is taken away is gone for everybody after that.

use crate::{
    Error, Gateway, Result, person, providers::EnvironmentProvider, renewing::Usable,
    workspaces::check_workspace,
};
use mosaic_models::{Catalogue, Key, Model};
use mosaic_protocol::{
    ModelProviderId, Time, UserId, WorkspaceId,
    access::{Action, Actor},
    budget::{Budget, Subject},
    provider::{CredentialKind, ModelShown, PriceShown, ProviderKind},
    rule::Rule,
};
use mosaic_routing::{Can, Family, Offer, State};
use mosaic_store::{
    Tx, budgets,
    providers::{self, Stored},
    workspaces,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// How long what was put together is used.
const REMEMBERED_MS: i64 = 2_000;

/// For how many people in how many workspaces at once, and from how many on it is looked at what is old.
const MAX_REMEMBERED: usize = 1_000;
const FEW: usize = 64;

/// A provider that does not list its models is asked again after this.
const ASK_AGAIN_MS: i64 = 60_000;

/// How long a call waits for a provider to list its models, the first time.
const LISTING_TIME: std::time::Duration = std::time::Duration::from_secs(2);

/// How many models of one provider are offered.
const MAX_OFFERED: usize = 500;

/// What somebody can use.
pub(crate) struct Reachable {
    /// The workspace that it is in; none for what the whole server has.
    pub(crate) workspace_id: Option<WorkspaceId>,
    pub(crate) endpoints: HashMap<ModelProviderId, Arc<Usable>>,
    pub(crate) offers: Arc<Vec<Offer>>,
    /// What is known of each offer.
    pub(crate) models: Arc<Vec<Arc<Model>>>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) budgets: Vec<Budget>,
    /// Kinds that can be asked.
    pub(crate) kinds: Vec<ProviderKind>,
    /// Providers whose models nobody knows: any name may be asked for there.
    pub(crate) open_ended: Vec<ModelProviderId>,
    /// What each provider is called here.
    pub(crate) named: Vec<(ModelProviderId, String, ProviderKind)>,
}

type Remembered = HashMap<(UserId, Option<WorkspaceId>), (u64, Time, Arc<Reachable>)>;

/// What was put together lately.
#[derive(Default)]
pub(crate) struct Reachables {
    map: Mutex<Remembered>,
    /// Goes up with every change made here.
    round: AtomicU64,
}

impl Reachables {
    /// Something changed: everything is put together anew.
    pub(crate) fn forget(&self) {
        self.round.fetch_add(1, Ordering::SeqCst);
        self.map.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The families that rules speak of.
static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    let catalogue = Catalogue::bundled();
    let family =
        |name: &str| Family { name: name.to_owned(), members: catalogue.family(name).to_vec() };
    catalogue.families().map(family).collect()
});

/// The families that rules speak of.
pub fn families() -> &'static [Family] {
    &FAMILIES
}

/// What there would be to choose from if a provider of every kind that the catalogue knows were set up under its kind's
/// name. For explaining rules where no gateway runs.
pub fn offers_of_everything() -> Vec<Offer> {
    let models = Catalogue::bundled().models().filter(|model| !is_at_hand(model.kind));
    let offer = |model: &Arc<Model>| {
        let id = EnvironmentProvider::id(model.kind)?;
        Some(offer_of(id, model.kind.as_str(), model, State::Ready))
    };
    models.filter_map(offer).collect()
}

/// Whether models of this kind are where somebody has put them: a catalogue cannot know which.
fn is_at_hand(kind: ProviderKind) -> bool {
    matches!(
        kind,
        ProviderKind::Ollama
            | ProviderKind::Compatible
            | ProviderKind::Local
            | ProviderKind::Scripted
    )
}

impl Gateway {
    /// What an actor can use in a workspace, if they may call models there.
    pub(crate) async fn reachable(
        &self,
        actor: &Actor,
        named: Option<WorkspaceId>,
    ) -> Result<Arc<Reachable>> {
        let person = person(actor)?;
        // The scope of a token is asked every time; only the role in the workspace is remembered.
        mosaic_protocol::access::meets(actor, Action::CallModels.needs()).map_err(Error::Denied)?;
        let (inner, now) = (&self.inner, self.inner.store.ambient().now());
        let key = (person.id, named);
        let round = inner.reachables.round.load(Ordering::SeqCst);
        {
            let map = inner.reachables.map.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((of, since, reachable)) = map.get(&key)
                && *of == round
                && (0..REMEMBERED_MS).contains(&(now.0 - since.0))
                && reachable.is_of_this_period(now)
            {
                return Ok(reachable.clone());
            }
        }
        let mut tx = inner.store.read().await?;
        let workspace_id = self.workspace_of(&mut tx, actor, named).await?;
        check_workspace(&mut tx, actor, Action::CallModels, workspace_id).await?;
        let reachable = self.put_together(tx, Some(person.id), Some(workspace_id), now).await?;
        let reachable = Arc::new(reachable);
        let mut map = inner.reachables.map.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= FEW {
            // What nobody would use any more is not kept for nothing.
            map.retain(|_, (_, since, _)| (0..REMEMBERED_MS).contains(&(now.0 - since.0)));
        }
        if map.len() >= MAX_REMEMBERED {
            map.clear();
        }
        map.insert(key, (round, now, reachable.clone()));
        Ok(reachable)
    }

    async fn put_together(
        &self,
        mut tx: Tx,
        user_id: Option<UserId>,
        workspace_id: Option<WorkspaceId>,
        now: Time,
    ) -> Result<Reachable> {
        // A person's own keys go with them everywhere; they are asked before the workspace's, those before the server's.
        let scopes = scopes(&mut tx, user_id, workspace_id).await?;
        let mut stored = providers::of(&mut tx, &scopes).await?;
        stored.extend(self.environment_providers());
        stored.extend(self.built_in());
        let rules = self.rules_for(&mut tx, &scopes).await?;
        let mut budgets = vec![];
        let subjects = [
            user_id.map(Subject::User),
            workspace_id.map(Subject::Workspace),
            Some(Subject::Server),
        ];
        for subject in subjects.into_iter().flatten() {
            budgets.extend(budgets::of(&mut tx, &subject, now).await?);
        }
        let mut all: Vec<(Stored, Usable)> = vec![];
        for stored in stored.into_iter().filter(|stored| stored.enabled) {
            // Of two with one name the nearer one is meant.
            if all.iter().any(|(other, _)| other.name == stored.name) {
                continue;
            }
            match self.usable(&mut tx, &stored).await {
                Ok(usable) => all.push((stored, usable)),
                Err(error) => {
                    tracing::warn!(provider = %stored.id, %error, "a provider cannot be used");
                }
            }
        }
        drop(tx);
        let mut reachable = Reachable {
            workspace_id,
            endpoints: HashMap::new(),
            offers: Arc::default(),
            models: Arc::default(),
            rules,
            budgets,
            kinds: vec![],
            open_ended: vec![],
            named: vec![],
        };
        for (stored, usable) in all {
            self.offer(&mut reachable, &stored, &usable, now).await;
            reachable.endpoints.insert(stored.id, Arc::new(usable));
        }
        Ok(reachable)
    }

    async fn offer(&self, reachable: &mut Reachable, stored: &Stored, usable: &Usable, now: Time) {
        let health = &self.inner.health;
        let mut listed = health.listed(stored.id);
        let tells_by_itself = is_at_hand(stored.kind);
        let lately = health.asked_at(stored.id).is_some_and(|at| now.0 - at.0 < ASK_AGAIN_MS);
        if listed.is_none() && tells_by_itself && !lately {
            // One of those who come now asks, and nobody waits long for a provider that does not answer.
            health.asking(stored.id, now);
            let _ = tokio::time::timeout(LISTING_TIME, self.probe(stored, usable)).await;
            listed = health.listed(stored.id);
        }
        let catalogue = &self.inner.catalogue;
        let models: Vec<Arc<Model>> = match &listed {
            // OpenRouter says of each of its models what it can and costs.
            Some(listed) if tells_by_itself || stored.kind == ProviderKind::OpenRouter => {
                let catalogue = catalogue.with_listed(stored.kind, listed);
                listed.iter().map(|it| catalogue.get(stored.kind, &it.id)).collect()
            }
            Some(listed) => {
                // Of these kinds many more are listed than answer in a conversation: those that are known do.
                let known = listed.iter().filter_map(|it| catalogue.find(stored.kind, &it.id));
                let mut known: Vec<Arc<Model>> = known.cloned().collect();
                known.sort_by(|a, b| a.id.cmp(&b.id));
                known.dedup_by(|a, b| a.id == b.id);
                known
            }
            None if tells_by_itself => vec![],
            None => catalogue.models().filter(|it| it.kind == stored.kind).cloned().collect(),
        };
        // A scripted model does what its name says, and there are more names than it lists.
        if listed.is_none() || stored.kind == ProviderKind::Scripted {
            reachable.open_ended.push(stored.id);
        }
        reachable.named.push((stored.id, stored.name.to_string(), stored.kind));
        let no_key = usable.endpoint.key.is_none() && !is_at_hand(stored.kind);
        for model in models.into_iter().take(MAX_OFFERED) {
            let state = match health.resting(stored.id, &model.id, now) {
                _ if no_key => State::NoKey,
                _ if usable.has_ended() => {
                    State::Resting("its login has ended: log in again".into())
                }
                Some(why) => State::Resting(why),
                None => State::Ready,
            };
            if state == State::Ready && !model.embedding && !reachable.kinds.contains(&stored.kind)
            {
                reachable.kinds.push(stored.kind);
            }
            let offer = offer_of(stored.id, stored.name.as_str(), &model, state);
            Arc::make_mut(&mut reachable.offers).push(offer);
            Arc::make_mut(&mut reachable.models).push(model);
        }
    }

    /// What every server has: the small model, where it is installed.
    fn built_in(&self) -> Option<Stored> {
        let has_local = self.inner.models.has_local();
        let id = EnvironmentProvider::id(ProviderKind::Local).filter(|_| has_local)?;
        Some(Stored {
            id,
            workspace_id: None,
            name: "local".to_owned().try_into().ok()?,
            kind: ProviderKind::Local,
            api: crate::providers::usual_api(ProviderKind::Local),
            base_url: String::new(),
            enabled: true,
            credential: CredentialKind::None,
            hint: String::new(),
            updated_at: Time(0),
        })
    }

    /// Where calls of a provider go, with its key or its login opened.
    pub(crate) async fn usable(&self, tx: &mut Tx, stored: &Stored) -> Result<Usable> {
        let environment = &self.inner.settings.models.environment;
        if EnvironmentProvider::id(stored.kind) == Some(stored.id) {
            let key = environment.iter().find(|it| it.kind == stored.kind);
            return Ok(self.endpoint(stored, key.and_then(|it| it.key.clone()))?.into());
        }
        let store = &self.inner.store;
        let key = match stored.credential {
            CredentialKind::None => None,
            CredentialKind::Key => {
                let kept = providers::open(store, tx, stored.id).await?;
                kept.and_then(|kept| String::from_utf8(kept.to_vec()).ok()).map(Key::new)
            }
            CredentialKind::OAuth => {
                let Some(kept) = providers::login(store, tx, stored.id).await? else {
                    return Ok(self.endpoint(stored, None)?.into());
                };
                let held = self.held(&kept).map_err(Error::ModelFailed)?;
                let endpoint = self.endpoint(stored, Some(Key::new(String::new())))?;
                return Ok(self.with_login(endpoint, held));
            }
        };
        Ok(self.endpoint(stored, key)?.into())
    }

    /// What somebody could use in a workspace that they may look into.
    pub(crate) async fn seen(
        &self,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<Reachable> {
        let now = self.inner.store.ambient().now();
        let mut tx = self.inner.store.read().await?;
        let (user_id, workspace) = self.looks_from(&mut tx, actor, workspace_id).await?;
        self.put_together(tx, user_id, workspace, now).await
    }

    /// Whose eyes somebody looks with, and into which workspace. The operator may look into any, and without one sees what
    /// the whole server has.
    pub(crate) async fn looks_from(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        named: Option<WorkspaceId>,
    ) -> Result<(Option<UserId>, Option<WorkspaceId>)> {
        let (user_id, workspace) = match actor {
            Actor::User(person) => {
                (Some(person.id), Some(self.workspace_of(tx, actor, named).await?))
            }
            Actor::System => (None, named),
        };
        if let Some(id) = workspace {
            check_workspace(tx, actor, Action::SeeRouting, id).await?;
        }
        Ok((user_id, workspace))
    }

    /// The same for whoever may call them, whatever else they may see: a program's token has no other scope.
    pub async fn list_usable_models(
        &self,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<Vec<ModelShown>> {
        let reachable = self.reachable(actor, workspace_id).await?;
        let all = reachable.offers.iter().zip(reachable.models.iter());
        Ok(all.map(|(offer, model)| shown(offer, model)).collect())
    }

    /// The models that somebody can use, with what is known of them.
    pub async fn list_models(
        &self,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<Vec<ModelShown>> {
        let reachable = self.seen(actor, workspace_id).await?;
        let all = reachable.offers.iter().zip(reachable.models.iter());
        Ok(all.map(|(offer, model)| shown(offer, model)).collect())
    }
}

/// The workspaces whose providers and rules count: a person's own goes with them everywhere, before the one that they are
/// in.
pub(crate) async fn scopes(
    tx: &mut Tx,
    user_id: Option<UserId>,
    workspace_id: Option<WorkspaceId>,
) -> Result<Vec<WorkspaceId>> {
    let own = match user_id {
        Some(id) => workspaces::personal(tx, id).await?,
        None => None,
    };
    let mut scopes: Vec<WorkspaceId> = own.into_iter().collect();
    scopes.extend(workspace_id.filter(|id| own != Some(*id)));
    Ok(scopes)
}

pub(crate) fn offer_of(
    provider_id: ModelProviderId,
    provider: &str,
    model: &Model,
    state: State,
) -> Offer {
    Offer {
        provider_id,
        provider: provider.to_owned(),
        kind: model.kind,
        model: model.id.clone(),
        can: Can {
            context: model.context,
            max_output: model.max_output,
            tools: model.tools,
            vision: model.vision,
            thinking: model.thinks(),
            structured: model.structured,
            chat: !model.embedding,
        },
        tier: model.tier,
        price: price_of(model),
        state,
    }
}

/// What a million tokens cost, as far as anybody knows. What runs here costs nothing.
fn price_of(model: &Model) -> Option<(u64, u64)> {
    use mosaic_protocol::usage::PriceSource;
    match (&model.price, model.price_source) {
        (Some(price), _) => Some((price.base.input, price.base.output)),
        (None, PriceSource::Free) => Some((0, 0)),
        (None, _) => None,
    }
}

fn shown(offer: &Offer, model: &Model) -> ModelShown {
    let price = model.price.as_ref().map(|price| PriceShown {
        input: price.base.input,
        output: price.base.output,
        cache_read: price.base.cache_read,
        cache_write: price.base.cache_write,
        source: model.price_source,
    });
    ModelShown {
        id: format!("{}/{}", offer.provider, offer.model),
        name: model.name.clone(),
        provider: offer.provider.clone(),
        kind: offer.kind,
        model: offer.model.clone(),
        context: model.context,
        max_output: model.max_output,
        tools: model.tools,
        vision: model.vision,
        structured: model.structured,
        thinking: model.thinking.iter().filter_map(|level| level.effort()).collect(),
        embedding: model.embedding,
        tier: model.tier,
        price,
        unavailable: match &offer.state {
            State::Ready => None,
            State::NoKey => Some("its provider has no key".to_owned()),
            State::Resting(why) => Some(why.clone()),
        },
    }
}
