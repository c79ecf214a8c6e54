//! One's own logins in browsers.

use crate::{Error, Gateway, Result, check, person};
use mosaic_protocol::{
    SessionId,
    access::{Action, Actor, Grant, Object},
    account::Session,
    audit::{Deed, Of},
    page::Page,
};
use mosaic_store::{audit, sessions};

impl Gateway {
    /// One's own sessions, newest first.
    pub async fn list_sessions(&self, actor: &Actor) -> Result<Page<Session>> {
        let person = person(actor)?;
        check(actor, Action::SeeOwn, Object::Own { owner: person.id })?;
        let current = match person.grant {
            Grant::Session(id) => Some(id),
            Grant::Token(..) => None,
        };
        let mut tx = self.inner.store.read().await?;
        let now = self.inner.store.ambient().now();
        Ok(Page::whole(sessions::list(&mut tx, person.id, current, now).await?))
    }

    /// Ends one of one's own sessions.
    pub async fn delete_session(&self, actor: &Actor, id: SessionId) -> Result<()> {
        let mut tx = self.inner.store.read().await?;
        let owner = sessions::owner(&mut tx, id).await?.ok_or(Error::NotFound)?;
        drop(tx);
        check(actor, Action::ChangeOwn, Object::Own { owner })?;
        self.end_session(actor, id, Deed::EndSession).await
    }

    /// Ends all of one's own sessions but the one that asks.
    pub async fn delete_other_sessions(&self, actor: &Actor) -> Result<()> {
        let person = person(actor)?;
        check(actor, Action::ChangeOwn, Object::Own { owner: person.id })?;
        let but = match person.grant {
            Grant::Session(id) => Some(id),
            Grant::Token(..) => None,
        };
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        sessions::delete_all(&mut tx, person.id, but).await?;
        self.note(&mut tx, Some(actor), Deed::EndSessions, Of::User(person.id), "").await?;
        tx.commit().await?;
        self.forget_credentials();
        Ok(())
    }
}
