//! Providers of models: set up, listed, tested, changed, removed. Keys go in and never come out.

mod place;

pub(crate) use place::{base_url, check_encrypted, reach};

use crate::{Error, Gateway, Result, check, person, renewing::Usable, workspaces::check_workspace};
use mosaic_models::{Endpoint, Key};
use mosaic_protocol::{
    ModelProviderId, WorkspaceId,
    access::{Action, Actor, Object},
    audit::{Deed, Of},
    page::Page,
    provider::{
        AddProviderRequest, Api, ChangeProviderRequest, CredentialKind, FailureClass, HealthShown,
        Provider, ProviderKind, ProviderReport,
    },
};
use mosaic_store::{
    Tx, audit,
    providers::{self, Stored, Written, host_of},
    workspaces,
};
use url::Url;

/// A provider out of the environment of the program: everybody's on this server.
#[derive(Debug, Clone)]
pub struct EnvironmentProvider {
    /// What kind; it is called the same.
    pub kind: ProviderKind,
    /// Where, if not at the usual place.
    pub base_url: Option<String>,
    /// Its key, if it wants one.
    pub key: Option<Key>,
}

impl EnvironmentProvider {
    /// Ids of what is in no table: one for each kind, the same on every node.
    pub(crate) fn id(kind: ProviderKind) -> Option<ModelProviderId> {
        let place = ProviderKind::ALL.iter().position(|it| *it == kind)?;
        format!("00000000-0000-7000-8000-0000000000{place:02x}").parse().ok()
    }
}

/// Which format a kind is spoken to in, unless somebody says otherwise.
pub(crate) const fn usual_api(kind: ProviderKind) -> Api {
    match kind {
        ProviderKind::OpenAi => Api::Responses,
        _ => Api::Chat,
    }
}

/// What is shown of a key.
fn hint(key: &str) -> String {
    let n = key.chars().count();
    if n < 12 {
        return "…".to_owned();
    }
    let last: String = key.chars().skip(n - 4).filter(char::is_ascii_graphic).collect();
    format!("…{last}")
}

/// What is unique of a provider is its name.
fn taken(error: mosaic_store::Error) -> Error {
    match error {
        mosaic_store::Error::Taken => Error::NameTaken,
        error => error.into(),
    }
}

impl Gateway {
    /// The providers that one can use: those of the workspace, and the server's.
    pub async fn list_providers(
        &self,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<Page<Provider>> {
        let mut tx = self.inner.store.read().await?;
        let (_, workspace) = self.looks_from(&mut tx, actor, workspace_id).await?;
        let scopes: Vec<WorkspaceId> = workspace.into_iter().collect();
        let mut all = providers::of(&mut tx, &scopes).await?;
        drop(tx);
        all.extend(self.environment_providers());
        Ok(Page::whole(all.into_iter().map(|stored| self.shown(stored)).collect()))
    }

    /// How the providers do that one can use.
    pub async fn providers_health(
        &self,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<Page<HealthShown>> {
        let all = self.list_providers(actor, workspace_id).await?.items;
        let health = |it: Provider| {
            let Provider { id, name, kind, health, .. } = it;
            HealthShown { id, name, kind, health }
        };
        Ok(Page::whole(all.into_iter().map(health).collect()))
    }

    /// The workspace that somebody means: the named one, or their own.
    pub(crate) async fn workspace_of(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        named: Option<WorkspaceId>,
    ) -> Result<WorkspaceId> {
        match named {
            Some(id) => Ok(id),
            None => workspaces::personal(tx, person(actor)?.id).await?.ok_or(Error::NotFound),
        }
    }

    /// The providers out of the environment, as if they were stored.
    pub(crate) fn environment_providers(&self) -> Vec<Stored> {
        let stored = |it: &EnvironmentProvider| {
            let url = base_url(it.kind, it.base_url.as_deref()).ok()?;
            let has_key = it.key.is_some();
            Some(Stored {
                id: EnvironmentProvider::id(it.kind)?,
                workspace_id: None,
                name: it.kind.as_str().to_owned().try_into().ok()?,
                kind: it.kind,
                api: usual_api(it.kind),
                base_url: url.map_or_else(String::new, |url| url.to_string()),
                enabled: true,
                credential: if has_key { CredentialKind::Key } else { CredentialKind::None },
                hint: it.key.as_ref().map_or_else(String::new, |key| hint(key.expose())),
                updated_at: mosaic_protocol::Time(0),
            })
        };
        self.inner.settings.models.environment.iter().filter_map(stored).collect()
    }

    pub(crate) fn shown(&self, stored: Stored) -> Provider {
        let health = self.inner.health.of(stored.id, self.inner.store.ambient().now());
        let from_environment = EnvironmentProvider::id(stored.kind) == Some(stored.id);
        Provider {
            id: stored.id,
            name: stored.name,
            workspace_id: stored.workspace_id,
            kind: stored.kind,
            api: stored.api,
            base_url: stored.base_url,
            enabled: stored.enabled,
            credential: stored.credential,
            hint: stored.hint,
            from_environment,
            health,
        }
    }

    /// Checks that somebody may change the providers of a workspace, or the server's.
    pub(crate) async fn check_change(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<()> {
        match workspace_id {
            None => check(actor, Action::Administer, Object::Server),
            Some(id) => check_workspace(tx, actor, Action::ChangeRouting, id).await,
        }
    }

    /// Sets up a provider, after it has answered once.
    pub async fn add_provider(
        &self,
        actor: &Actor,
        request: &AddProviderRequest,
    ) -> Result<Provider> {
        if request.server && request.workspace_id.is_some() {
            return Err(Error::Invalid("it is for the server or for a workspace, not both".into()));
        }
        let store = &self.inner.store;
        let mut tx = store.read().await?;
        let workspace_id = match request.server {
            true => None,
            false => Some(self.workspace_of(&mut tx, actor, request.workspace_id).await?),
        };
        self.check_change(&mut tx, actor, workspace_id).await?;
        drop(tx);
        let url = base_url(request.kind, request.base_url.as_deref())?;
        let key = request.key.as_ref().map(|key| key.expose().trim().to_owned());
        let stored = Stored {
            id: store.ambient().id(ModelProviderId::new),
            workspace_id,
            name: request.name.clone(),
            kind: request.kind,
            api: request.api.unwrap_or(usual_api(request.kind)),
            base_url: url.as_ref().map_or_else(String::new, Url::to_string),
            enabled: true,
            credential: if key.is_some() { CredentialKind::Key } else { CredentialKind::None },
            hint: key.as_deref().map_or_else(String::new, hint),
            updated_at: store.ambient().now(),
        };
        let endpoint = self.endpoint(&stored, key.clone().map(Key::new))?;
        self.must_work(&stored, &endpoint.into(), request.untested).await?;
        // Read again in the transaction that writes: the right may have ended while the provider was asked.
        let mut tx = audit::begin(store).await?;
        self.check_change(&mut tx, actor, workspace_id).await?;
        let written = Written { stored: &stored, credential: key.as_deref() };
        providers::insert(store, &mut tx, &written).await.map_err(taken)?;
        self.note_provider(&mut tx, actor, Deed::AddProvider, &stored).await?;
        tx.commit().await?;
        self.inner.reachables.forget();
        Ok(self.shown(stored))
    }

    /// Changes a provider.
    pub async fn change_provider(
        &self,
        actor: &Actor,
        id: ModelProviderId,
        request: &ChangeProviderRequest,
    ) -> Result<Provider> {
        let store = &self.inner.store;
        let mut tx = store.read().await?;
        let before = providers::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        self.check_change(&mut tx, actor, before.workspace_id).await?;
        let in_use = self.usable(&mut tx, &before).await?;
        drop(tx);
        let mut stored = before.clone();
        if let Some(url) = &request.base_url {
            let url = base_url(stored.kind, Some(url))?;
            stored.base_url = url.map_or_else(String::new, |url| url.to_string());
        }
        let key = request.key.as_ref().map(|key| key.expose().trim().to_owned());
        let moved = host_of(&stored.base_url) != host_of(&before.base_url);
        if moved && key.is_none() {
            match stored.credential {
                CredentialKind::None => {}
                CredentialKind::Key => {
                    return Err(Error::Invalid(
                        "the key was entered for another host: send `key` again with the new `base_url`"
                            .into(),
                    ));
                }
                CredentialKind::OAuth if request.untested => {
                    (stored.credential, stored.hint) = (CredentialKind::None, String::new());
                }
                CredentialKind::OAuth => {
                    return Err(Error::Invalid(
                        "the login was made for another host: send `untested` to end it, then log in again"
                            .into(),
                    ));
                }
            }
        }
        if let Some(key) = &key {
            (stored.credential, stored.hint) = (CredentialKind::Key, hint(key));
        }
        stored.name = request.name.clone().unwrap_or(stored.name);
        stored.api = request.api.unwrap_or(stored.api);
        stored.enabled = request.enabled.unwrap_or(stored.enabled);
        stored.updated_at = store.ambient().now();
        let asked_anew = key.is_some() || request.base_url.is_some() || request.api.is_some();
        let usable: Usable = match (&key, stored.credential) {
            (Some(key), _) => self.endpoint(&stored, Some(Key::new(key.clone())))?.into(),
            (None, CredentialKind::None) => self.endpoint(&stored, None)?.into(),
            (None, CredentialKind::Key | CredentialKind::OAuth) => Usable {
                endpoint: self.endpoint(&stored, in_use.endpoint.key)?,
                login: in_use.login,
            },
        };
        if asked_anew {
            self.must_work(&stored, &usable, request.untested).await?;
        }
        let mut tx = audit::begin(store).await?;
        let now = providers::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        self.check_change(&mut tx, actor, now.workspace_id).await?;
        if now != before {
            return Err(Error::Conflict {
                problem: "somebody changed this provider at the same time",
                next: "look at it again, then try again",
            });
        }
        let written = Written { stored: &stored, credential: key.as_deref() };
        providers::update(store, &mut tx, &written).await.map_err(taken)?;
        self.note_provider(&mut tx, actor, Deed::ChangeProvider, &stored).await?;
        tx.commit().await?;
        self.inner.refresher.forget(&id.to_string());
        self.inner.health.forget(id);
        self.inner.reachables.forget();
        Ok(self.shown(stored))
    }

    /// Removes a provider.
    pub async fn delete_provider(&self, actor: &Actor, id: ModelProviderId) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let stored = providers::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        self.check_change(&mut tx, actor, stored.workspace_id).await?;
        providers::delete(&mut tx, id).await?;
        self.note_provider(&mut tx, actor, Deed::DeleteProvider, &stored).await?;
        tx.commit().await?;
        self.inner.refresher.forget(&id.to_string());
        self.inner.health.forget(id);
        self.inner.reachables.forget();
        Ok(())
    }

    /// Asks a provider whether it works.
    pub async fn test_provider(
        &self,
        actor: &Actor,
        id: ModelProviderId,
    ) -> Result<ProviderReport> {
        let store = &self.inner.store;
        let mut tx = store.read().await?;
        let environment = self.environment_providers().into_iter().find(|stored| stored.id == id);
        let stored = match environment {
            Some(stored) => stored,
            None => providers::get(&mut tx, id).await?.ok_or(Error::NotFound)?,
        };
        self.check_change(&mut tx, actor, stored.workspace_id).await?;
        let usable = self.usable(&mut tx, &stored).await?;
        drop(tx);
        let report = self.probe(&stored, &usable).await.0;
        if report.works {
            self.inner.health.open(id);
        }
        Ok(report)
    }

    /// Asks before something is kept. What does not work is refused, with what the provider said.
    async fn must_work(&self, stored: &Stored, usable: &Usable, untested: bool) -> Result<()> {
        if untested {
            return Ok(());
        }
        let (report, class) = self.probe(stored, usable).await;
        match class {
            None => Ok(()),
            Some(class) => {
                let next = match class {
                    FailureClass::Auth => "check the key, and that it is one of this provider",
                    FailureClass::Transport | FailureClass::Timeout => {
                        "check `base_url`; to keep it although it does not answer now: `untested`"
                    }
                    _ => "check `kind` and `base_url`; to keep it all the same: `untested`",
                };
                Err(Error::Refused {
                    problem: format!("the provider does not work: {}", report.message),
                    next: next.to_owned(),
                })
            }
        }
    }

    /// Where calls of a stored provider go.
    pub(crate) fn endpoint(&self, stored: &Stored, key: Option<Key>) -> Result<Endpoint> {
        let damaged = || Error::Internal("a provider's address is none".into());
        let url = match stored.base_url.as_str() {
            "" => Url::parse("http://in-process.invalid").map_err(|_| damaged())?,
            text => Url::parse(text).map_err(|_| damaged())?,
        };
        let trusted = stored.workspace_id.is_none();
        let reach = reach(&url, trusted, &self.inner.settings.models.private_hosts);
        if !stored.base_url.is_empty() {
            check_encrypted(&url, reach, key.is_some())?;
        }
        Ok(Endpoint { kind: stored.kind, api: stored.api, base_url: url, key, reach })
    }

    pub(crate) async fn note_provider(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        deed: Deed,
        stored: &Stored,
    ) -> Result<()> {
        let of =
            stored.workspace_id.map_or_else(|| "server".to_owned(), |id| format!("workspace:{id}"));
        self.note(tx, Some(actor), deed, Of::Provider(stored.id), of).await
    }
}
