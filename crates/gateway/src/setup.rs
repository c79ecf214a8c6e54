//! The first admin, by a one-time link that is printed where the gateway was started.

use crate::{Caller, Error, Gateway, LoggedIn, Result};
use mosaic_protocol::{
    access::Actor,
    account::{Info, Provider, SetupRequest},
    audit::{Deed, Of},
};
use mosaic_store::{
    ambient::digest,
    audit,
    links::{self, Purpose},
    users::{self, NewUser},
};

const SETUP_HOURS: i64 = 24;

impl Gateway {
    /// What a page needs to know before anyone has logged in.
    pub async fn info(&self) -> Result<Info> {
        let providers = self.inner.settings.providers.iter();
        Ok(Info {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            setup_needed: self.setup_needed().await?,
            providers: providers
                .map(|it| Provider { name: it.name.clone(), label: it.label.clone() })
                .collect(),
        })
    }

    /// Whether nobody can administer this server yet.
    pub async fn setup_needed(&self) -> Result<bool> {
        let mut tx = self.inner.store.read().await?;
        Ok(users::count_admins(&mut tx).await? == 0)
    }

    /// A setup link, if one is needed; it replaces the one before. A code that the operator chose is used as it is.
    pub async fn setup_link(&self, chosen: Option<&str>) -> Result<Option<String>> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        if users::count_admins(&mut tx).await? > 0 {
            return Ok(None);
        }
        let expires_at = store.ambient().now().plus_hours(SETUP_HOURS);
        let code = match chosen {
            Some(code) => {
                links::put(store, &mut tx, Purpose::Setup, &digest(code), expires_at).await?;
                code.to_owned()
            }
            None => links::create(store, &mut tx, Purpose::Setup, expires_at).await?.secret,
        };
        self.note(&mut tx, Some(&Actor::System), Deed::CreateSetup, Of::Server, "").await?;
        tx.commit().await?;
        Ok(Some(self.link("setup", &code)))
    }

    /// Makes the first admin.
    pub async fn setup(&self, request: &SetupRequest, caller: &Caller) -> Result<LoggedIn> {
        self.inner.login_limits.count_here("setup", &caller.network)?;
        // Looked at before the costly hash, and again, for good, after it.
        let (store, code) = (&self.inner.store, digest(request.code.expose()));
        let mut tx = store.read().await?;
        if !links::is_setup(&mut tx, &code, store.ambient().now()).await? {
            return Err(Error::BadCode);
        }
        drop(tx);
        let hash = self.inner.passwords.hash(request.password.expose()).await?;
        let mut tx = audit::begin(store).await?;
        if !links::take_setup(&mut tx, &code, store.ambient().now()).await?
            || users::count_admins(&mut tx).await? > 0
        {
            return Err(Error::BadCode);
        }
        let new = NewUser {
            name: &request.name,
            display_name: request.name.as_str(),
            password: Some(&hash),
            admin: true,
        };
        let user = users::create(store, &mut tx, new).await.map_err(Error::name_taken)?;
        self.note(&mut tx, Some(&Actor::System), Deed::Setup, Of::User(user.id), "").await?;
        self.open_session(tx, user.id, caller, "password").await
    }
}
