//! Logging in and out, and new passwords.

use crate::{
    Error, Gateway, Result, check,
    credentials::me,
    limits::{Standing, network_of},
    person,
};
use mosaic_protocol::{
    SessionId, UserId,
    access::{Action, Actor, Grant, Object, Person},
    account::{ChangePasswordRequest, LoginRequest, Me, RecoveryRequest, UserState},
    audit::{Deed, Of},
};
use mosaic_store::{
    Tx,
    ambient::digest,
    audit, identities, links,
    sessions::{self, NewSession},
    users,
};

/// Where a login comes from, as far as the surface knows.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The network address.
    pub address: String,
    /// What is counted together with that address: an IPv6 customer has a whole network.
    pub network: String,
    /// What the browser calls itself.
    pub agent: String,
}

/// A login that succeeded.
pub struct LoggedIn {
    /// Who.
    pub me: Me,
    /// For the cookie, and nowhere else.
    pub secret: String,
    /// How long the cookie lasts.
    pub lasts_seconds: i64,
}

/// Somebody who is logged in has given their password once more.
pub(crate) struct Confirmed {
    user_id: UserId,
    session_id: SessionId,
    /// The hash that it fitted; none for those who have no password.
    password: Option<String>,
}

impl Confirmed {
    /// Asked under the lock, before what it was confirmed for: somebody else may have set another password or ended
    /// the session meanwhile, and a recovery must not lose to what it was made against.
    pub(crate) async fn still(&self, tx: &mut Tx) -> Result<()> {
        let account = users::get(tx, self.user_id).await?.ok_or(Error::Unauthenticated)?;
        if sessions::owner(tx, self.session_id).await? != Some(self.user_id) {
            return Err(Error::Unauthenticated);
        }
        if account.password == self.password { Ok(()) } else { Err(Error::WrongLogin) }
    }
}

impl Error {
    /// In operations that make accounts, what is taken is the name.
    pub(crate) fn name_taken(error: mosaic_store::Error) -> Error {
        match error {
            mosaic_store::Error::Taken => Error::NameTaken,
            error => error.into(),
        }
    }
}

impl Gateway {
    /// Logs in by password. An unknown name, a wrong password, a suspended account and one without a password get the
    /// same answer after the same work.
    pub async fn login(&self, request: &LoginRequest, caller: &Caller) -> Result<LoggedIn> {
        let name = request.name.as_str();
        self.count_try(name, name, caller).await?;
        let store = &self.inner.store;
        let mut tx = store.read().await?;
        let account = users::by_name(&mut tx, &request.name).await?;
        drop(tx);
        let hash = account.as_ref().and_then(|account| account.password.as_deref());
        let fits = self.inner.passwords.verify(request.password.expose(), hash).await?;

        let mut tx = audit::begin(store).await?;
        // Read again under the lock: the password may have been changed while this one was checked.
        let now = users::by_name(&mut tx, &request.name).await?;
        let same = now.as_ref().map(|now| &now.password)
            == account.as_ref().map(|before| &before.password);
        match now.filter(|now| fits && same && now.user.state == UserState::Active) {
            Some(account) => self.open_session(tx, account.user.id, caller, "password").await,
            None => {
                // To whom it was tried on is noted only if there is such an account; what was typed never is.
                let on = account.map_or(Of::Server, |account| Of::User(account.user.id));
                self.note(&mut tx, None, Deed::LoginFailed, on, "").await?;
                tx.commit().await?;
                Err(Error::WrongLogin)
            }
        }
    }

    /// Counts one try at the account of this name under `key`.
    async fn count_try(&self, key: &str, name: &str, caller: &Caller) -> Result<()> {
        let limits = &self.inner.login_limits;
        limits.count_here(key, &caller.network)?;
        if limits.standing(name, &caller.network) == Standing::Familiar {
            return Ok(());
        }
        let Err(throttled) = limits.count_everywhere(key) else { return Ok(()) };
        // Memory begins anew with each start; open sessions tell where the owner has been before. Asked in the same
        // way for names that nobody has.
        let mut tx = self.inner.store.read().await?;
        let addresses =
            sessions::addresses(&mut tx, name, self.inner.store.ambient().now()).await?;
        match addresses.iter().any(|address| network_of(address) == caller.network) {
            true => Ok(()),
            false => Err(throttled),
        }
    }

    /// Opens a session for somebody who has proved who they are, notes it and commits.
    pub(crate) async fn open_session(
        &self,
        mut tx: Tx,
        user_id: UserId,
        caller: &Caller,
        by: &'static str,
    ) -> Result<LoggedIn> {
        let store = &self.inner.store;
        let days = self.inner.settings.session_days;
        let expires_at = store.ambient().now().plus_days(days);
        let agent: String = caller.agent.chars().filter(|c| !c.is_control()).take(200).collect();
        let new = NewSession { user_id, expires_at, agent: &agent, address: &caller.address };
        let (id, minted) = sessions::create(store.ambient(), &mut tx, new).await?;
        let me = me(&mut tx, user_id).await?;
        self.inner.login_limits.welcome(&me.user.name, &caller.network);
        let actor =
            Actor::User(Person { id: user_id, admin: me.user.admin, grant: Grant::Session(id) });
        self.note(&mut tx, Some(&actor), Deed::Login, Of::User(user_id), by.to_owned()).await?;
        tx.commit().await?;
        Ok(LoggedIn { me, secret: minted.secret, lasts_seconds: days.saturating_mul(86_400) })
    }

    /// Ends the session that asks. A token has nothing to log out of.
    pub async fn logout(&self, actor: &Actor) -> Result<()> {
        let person = person(actor)?;
        check(actor, Action::ChangeOwn, Object::Own { owner: person.id })?;
        let Grant::Session(id) = person.grant else { return Ok(()) };
        self.end_session(actor, id, Deed::Logout).await
    }

    pub(crate) async fn end_session(&self, actor: &Actor, id: SessionId, deed: Deed) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        sessions::delete(&mut tx, id).await?;
        self.note(&mut tx, Some(actor), deed, Of::Session(id), "").await?;
        tx.commit().await?;
        self.forget_credentials();
        Ok(())
    }

    /// Changes one's own password and ends all other sessions.
    pub async fn change_password(
        &self,
        actor: &Actor,
        request: &ChangePasswordRequest,
        caller: &Caller,
    ) -> Result<()> {
        let person = person(actor)?;
        check(actor, Action::GuardOwn, Object::Own { owner: person.id })?;
        let confirmed = self
            .confirm_password(actor, request.current.as_ref().map(|it| it.expose()), caller)
            .await?;
        let hash = self.inner.passwords.hash(request.new.expose()).await?;
        let mut tx = audit::begin(&self.inner.store).await?;
        confirmed.still(&mut tx).await?;
        users::set_password(&mut tx, person.id, &hash).await?;
        sessions::delete_all(&mut tx, person.id, Some(confirmed.session_id)).await?;
        links::clear(&mut tx, links::Purpose::Recovery(person.id)).await?;
        self.note(&mut tx, Some(actor), Deed::SetPassword, Of::User(person.id), "").await?;
        tx.commit().await?;
        self.forget_credentials();
        Ok(())
    }

    /// Asks a logged-in person for their password once more. Those who have none have nothing to give.
    pub(crate) async fn confirm_password(
        &self,
        actor: &Actor,
        password: Option<&str>,
        caller: &Caller,
    ) -> Result<Confirmed> {
        let person = person(actor)?;
        let Grant::Session(session_id) = person.grant else { return Err(Error::Unauthenticated) };
        let mut tx = self.inner.store.read().await?;
        let account = users::get(&mut tx, person.id).await?.ok_or(Error::Unauthenticated)?;
        drop(tx);
        // Counted apart from logins: what strangers try does not keep out somebody who is in.
        self.count_try(&person.id.to_string(), &account.user.name, caller).await?;
        let fits = match (&account.password, password) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(hash), Some(password)) => {
                self.inner.passwords.verify(password, Some(hash)).await?
            }
        };
        if !fits {
            let mut tx = audit::begin(&self.inner.store).await?;
            self.note(&mut tx, Some(actor), Deed::LoginFailed, Of::User(person.id), "confirm")
                .await?;
            tx.commit().await?;
            return Err(Error::WrongLogin);
        }
        Ok(Confirmed { user_id: person.id, session_id, password: account.password })
    }

    /// Sets a new password by a one-time link that an admin made, ends every session and token, and unlinks every
    /// account at a provider: whoever had the old password may have made some.
    pub async fn recover(&self, request: &RecoveryRequest, caller: &Caller) -> Result<()> {
        self.inner.login_limits.count_here("recovery", &caller.network)?;
        // Looked at before the costly hash, and again, for good, after it.
        let (store, code) = (&self.inner.store, digest(request.code.expose()));
        let mut tx = store.read().await?;
        if !links::is_recovery(&mut tx, &code, store.ambient().now()).await? {
            return Err(Error::BadCode);
        }
        drop(tx);
        let hash = self.inner.passwords.hash(request.password.expose()).await?;
        let mut tx = audit::begin(store).await?;
        let taken = links::take_recovery(&mut tx, &code, store.ambient().now()).await?;
        let user_id = taken.ok_or(Error::BadCode)?;
        users::set_password(&mut tx, user_id, &hash).await?;
        sessions::delete_all(&mut tx, user_id, None).await?;
        mosaic_store::tokens::delete_all(&mut tx, user_id).await?;
        for identity in identities::list(&mut tx, user_id).await? {
            identities::unlink(&mut tx, identity.id).await?;
            self.note(&mut tx, None, Deed::UnlinkIdentity, Of::Identity(identity.id), "recover")
                .await?;
        }
        self.note(&mut tx, None, Deed::Recover, Of::User(user_id), "").await?;
        tx.commit().await?;
        self.forget_credentials();
        Ok(())
    }
}
