//! Logging in with a provider, and which accounts there are linked to mine.

use crate::{Caller, Departure, Error, Gateway, LoggedIn, Result, check, oidc::Arrival, person};
use mosaic_protocol::{
    AccountName, IdentityId, ProviderName,
    access::{Action, Actor, Grant, Object},
    account::{Identity, LinkIdentityRequest, UserState},
    audit::{Deed, Of},
    page::Page,
};
use mosaic_store::{
    Tx, audit, identities, sessions,
    users::{self, NewUser},
};

/// What became of somebody who came back from a provider.
pub enum Arrived {
    /// They are logged in.
    LoggedIn(LoggedIn),
    /// Their account there is now linked to the one here.
    Linked,
}

impl Gateway {
    /// What one has linked.
    pub async fn list_identities(&self, actor: &Actor) -> Result<Page<Identity>> {
        let person = person(actor)?;
        check(actor, Action::SeeOwn, Object::Own { owner: person.id })?;
        let mut tx = self.inner.store.read().await?;
        Ok(Page::whole(identities::list(&mut tx, person.id).await?))
    }

    /// Checks that there is such a provider.
    pub fn check_provider(&self, provider: &ProviderName) -> Result<()> {
        self.inner.oidc.find(provider).map(drop)
    }

    /// Sends a browser to a provider to log in.
    pub async fn begin_login(&self, provider: &ProviderName, caller: &Caller) -> Result<Departure> {
        self.inner.login_limits.count_here("provider", &caller.network)?;
        self.depart(provider, None).await
    }

    /// Sends a browser to a provider to link an account there: another way in, so the password is asked for.
    pub async fn begin_link(
        &self,
        actor: &Actor,
        request: &LinkIdentityRequest,
        caller: &Caller,
    ) -> Result<Departure> {
        let person = person(actor)?;
        check(actor, Action::GuardOwn, Object::Own { owner: person.id })?;
        self.check_provider(&request.provider)?;
        self.confirm_password(actor, request.password.as_ref().map(|it| it.expose()), caller)
            .await?;
        self.depart(&request.provider, Some(person.id)).await
    }

    /// Somebody came back from a provider. `actor` is who this browser is logged in as, if it is.
    pub async fn finish_login(
        &self,
        provider: &ProviderName,
        state: &str,
        cookie: Option<&str>,
        code: &str,
        actor: Option<&Actor>,
        caller: &Caller,
    ) -> Result<Arrived> {
        let arrival = self.arrive(provider, state, cookie, code).await?;
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let known = identities::user_of(&mut tx, &arrival.provider.name, &arrival.subject).await?;
        if let Some(linking) = arrival.linking {
            // Who began to link must be who comes back.
            let actor = actor.ok_or(Error::Unauthenticated)?;
            check(actor, Action::GuardOwn, Object::Own { owner: linking })?;
            // Asked under the lock: a recovery may have ended the session on the way.
            let Grant::Session(session_id) = person(actor)?.grant else {
                return Err(Error::Unauthenticated);
            };
            sessions::owner(&mut tx, session_id).await?.ok_or(Error::Unauthenticated)?;
            match known {
                Some(user_id) if user_id == linking => return Ok(Arrived::Linked),
                Some(_) => {
                    return Err(Error::Conflict {
                        problem: "this account at the provider is linked to somebody else here",
                        next: "unlink it there first, or choose another account at the provider",
                    });
                }
                None => {}
            }
            self.note_link(&mut tx, actor, linking, &arrival).await?;
            tx.commit().await?;
            return Ok(Arrived::Linked);
        }
        let user_id = match known {
            Some(user_id) => user_id,
            None if arrival.provider.signup => self.sign_up(&mut tx, &arrival).await?,
            None => return self.turn_away(tx, Of::Server).await,
        };
        let account = users::get(&mut tx, user_id).await?.ok_or(Error::WrongLogin)?;
        if account.user.state != UserState::Active {
            return self.turn_away(tx, Of::User(user_id)).await;
        }
        Ok(Arrived::LoggedIn(self.open_session(tx, user_id, caller, "provider").await?))
    }

    /// A provider vouched for somebody who does not get in.
    async fn turn_away(&self, mut tx: Tx, of: Of) -> Result<Arrived> {
        self.note(&mut tx, None, Deed::LoginFailed, of, "provider").await?;
        tx.commit().await?;
        Err(Error::WrongLogin)
    }

    async fn note_link(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        user_id: mosaic_protocol::UserId,
        arrival: &Arrival,
    ) -> Result<()> {
        let store = &self.inner.store;
        let id = identities::link(
            store.ambient(),
            tx,
            user_id,
            &arrival.provider.name,
            &arrival.subject,
        )
        .await?;
        self.note(tx, Some(actor), Deed::LinkIdentity, Of::Identity(id), format!("user:{user_id}"))
            .await
    }

    /// An account for somebody whom a provider vouches for, with a name like the one they have there. A name that
    /// exists here is never taken over: it proves nothing.
    async fn sign_up(&self, tx: &mut Tx, arrival: &Arrival) -> Result<mosaic_protocol::UserId> {
        let store = &self.inner.store;
        let wished = tame(arrival.suggested_name.as_deref().unwrap_or_default());
        for n in 1..=99 {
            let name = if n == 1 { wished.clone() } else { format!("{wished}-{n}") };
            let Ok(name) = AccountName::try_from(name) else { break };
            if users::by_name(tx, &name).await?.is_some() {
                continue;
            }
            let new =
                NewUser { name: &name, display_name: name.as_str(), password: None, admin: false };
            let user = users::create(store, tx, new).await.map_err(Error::name_taken)?;
            self.note(tx, Some(&Actor::System), Deed::SignUp, Of::User(user.id), "").await?;
            self.note_link(tx, &Actor::System, user.id, arrival).await?;
            return Ok(user.id);
        }
        Err(Error::NameTaken)
    }

    /// Unlinks an account at a provider, unless it is the only way in.
    pub async fn unlink(&self, actor: &Actor, id: IdentityId) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let owner = identities::owner(&mut tx, id).await?.ok_or(Error::NotFound)?;
        check(actor, Action::GuardOwn, Object::Own { owner })?;
        identities::unlink(&mut tx, id).await?;
        let account = users::get(&mut tx, owner).await?.ok_or(Error::NotFound)?;
        if account.password.is_none() && identities::list(&mut tx, owner).await?.is_empty() {
            return Err(Error::Conflict {
                problem: "this is the only way into your account",
                next: "set a password first",
            });
        }
        self.note(&mut tx, Some(actor), Deed::UnlinkIdentity, Of::Identity(id), "").await?;
        Ok(tx.commit().await?)
    }
}

/// The nearest account name to what somebody is called elsewhere.
fn tame(text: &str) -> String {
    let text = text.split('@').next().unwrap_or_default().to_lowercase();
    let text: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(48).collect();
    let text = text.trim_matches('-');
    if text.is_empty() { "user".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::tame;

    #[test]
    fn names_from_elsewhere_become_account_names() {
        assert_eq!(tame("Ada@example.com"), "ada");
        assert_eq!(tame("Ádám O'Hara"), "d-m-o-hara");
        assert_eq!(tame("深"), "user");
        assert_eq!(tame(""), "user");
    }
}
