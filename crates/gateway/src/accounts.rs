//! Accounts: one's own, and for admins everybody's.

use crate::{Caller, Error, Gateway, Result, check, credentials::me, pages, person};
use mosaic_protocol::{
    UserId, WorkspaceId,
    access::{Action, Actor, Object},
    account::{
        ChangeMeRequest, ChangeUserRequest, CreateUserRequest, DeleteMeRequest, Me, OneTimeLink,
        User, UserState,
    },
    audit::{Deed, Of},
    page::{Page, PageQuery},
    team::Role,
};
use mosaic_store::{
    Tx, audit, invites,
    links::{self, Purpose},
    sessions, teams,
    users::{self, NewUser},
    workspaces,
};

const RECOVERY_HOURS: i64 = 24;

const LAST_ADMIN: Error = Error::Conflict {
    problem: "this is the last admin who can log in",
    next: "make somebody else an admin first",
};

impl Gateway {
    /// Who am I.
    pub async fn me(&self, actor: &Actor) -> Result<Me> {
        let person = person(actor)?;
        check(actor, Action::SeeOwn, Object::Own { owner: person.id })?;
        let mut tx = self.inner.store.read().await?;
        me(&mut tx, person.id).await
    }

    /// Changes what others see of me.
    pub async fn change_me(&self, actor: &Actor, request: &ChangeMeRequest) -> Result<Me> {
        let person = person(actor)?;
        check(actor, Action::ChangeOwn, Object::Own { owner: person.id })?;
        let mut tx = self.inner.store.write().await?;
        users::set_display_name(&mut tx, person.id, request.display_name.as_str()).await?;
        let me = me(&mut tx, person.id).await?;
        tx.commit().await?;
        self.forget_credentials();
        Ok(me)
    }

    /// Deletes my account and everything in it.
    pub async fn delete_me(
        &self,
        actor: &Actor,
        request: &DeleteMeRequest,
        caller: &Caller,
    ) -> Result<()> {
        let person = person(actor)?;
        check(actor, Action::GuardOwn, Object::Own { owner: person.id })?;
        let confirmed = self
            .confirm_password(actor, request.password.as_ref().map(|it| it.expose()), caller)
            .await?;
        let mut tx = audit::begin(&self.inner.store).await?;
        confirmed.still(&mut tx).await?;
        let account = users::get(&mut tx, person.id).await?.ok_or(Error::Unauthenticated)?;
        if account.user.name != request.name.as_str() {
            return Err(Error::Invalid("`name` must be your own account name".into()));
        }
        self.delete_account(tx, actor, account.user).await
    }

    /// All accounts, by name.
    pub async fn list_users(&self, actor: &Actor, query: &PageQuery) -> Result<Page<User>> {
        check(actor, Action::Administer, Object::Server)?;
        let limit = pages::page_size(query)?;
        let mut tx = self.inner.store.read().await?;
        let items =
            users::list(&mut tx, query.after.as_deref().unwrap_or_default(), limit + 1).await?;
        Ok(pages::page(items, limit, |user| user.name.clone()))
    }

    /// One account.
    pub async fn get_user(&self, actor: &Actor, id: UserId) -> Result<User> {
        check(actor, Action::Administer, Object::Server)?;
        let mut tx = self.inner.store.read().await?;
        Ok(users::get(&mut tx, id).await?.ok_or(Error::NotFound)?.user)
    }

    /// Makes an account for somebody else.
    pub async fn create_user(&self, actor: &Actor, request: &CreateUserRequest) -> Result<User> {
        check(actor, Action::GuardServer, Object::Server)?;
        let hash = match &request.password {
            Some(password) => Some(self.inner.passwords.hash(password.expose()).await?),
            None => None,
        };
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        let new = NewUser {
            name: &request.name,
            display_name: request.name.as_str(),
            password: hash.as_deref(),
            admin: false,
        };
        let user = users::create(store, &mut tx, new).await.map_err(Error::name_taken)?;
        self.note(&mut tx, Some(actor), Deed::CreateUser, Of::User(user.id), "").await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Makes somebody an admin, or no longer one.
    pub async fn change_user(
        &self,
        actor: &Actor,
        id: UserId,
        request: &ChangeUserRequest,
    ) -> Result<User> {
        check(actor, Action::GuardServer, Object::Server)?;
        let mut tx = audit::begin(&self.inner.store).await?;
        let account = users::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        users::set_admin(&mut tx, id, request.admin).await?;
        if !request.admin {
            self.keep_an_admin(&mut tx, &account.user).await?;
            invites::delete_made_by(&mut tx, id, None).await?;
        }
        let detail = if request.admin { "admin" } else { "not_admin" };
        self.note(&mut tx, Some(actor), Deed::ChangeUser, Of::User(id), detail).await?;
        tx.commit().await?;
        self.forget_credentials();
        Ok(User { admin: request.admin, ..account.user })
    }

    /// Suspends an account: its sessions end, its tokens and links stop working. Nothing is deleted but what it could
    /// have handed out.
    pub async fn suspend_user(&self, actor: &Actor, id: UserId) -> Result<User> {
        self.set_state(actor, id, UserState::Suspended).await
    }

    /// Lets a suspended account be used again.
    pub async fn resume_user(&self, actor: &Actor, id: UserId) -> Result<User> {
        self.set_state(actor, id, UserState::Active).await
    }

    async fn set_state(&self, actor: &Actor, id: UserId, state: UserState) -> Result<User> {
        check(actor, Action::Administer, Object::Server)?;
        let mut tx = audit::begin(&self.inner.store).await?;
        let account = users::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        users::set_state(&mut tx, id, state).await?;
        let deed = match state {
            UserState::Active => Deed::ResumeUser,
            UserState::Suspended => {
                self.keep_an_admin(&mut tx, &account.user).await?;
                sessions::delete_all(&mut tx, id, None).await?;
                links::clear(&mut tx, Purpose::Recovery(id)).await?;
                invites::delete_made_by(&mut tx, id, None).await?;
                Deed::SuspendUser
            }
        };
        self.note(&mut tx, Some(actor), deed, Of::User(id), "").await?;
        tx.commit().await?;
        self.forget_credentials();
        Ok(User { state, ..account.user })
    }

    /// A one-time link with which somebody sets a new password.
    pub async fn create_recovery(&self, actor: &Actor, id: UserId) -> Result<OneTimeLink> {
        check(actor, Action::GuardServer, Object::Server)?;
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        users::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        let expires_at = store.ambient().now().plus_hours(RECOVERY_HOURS);
        let minted = links::create(store, &mut tx, Purpose::Recovery(id), expires_at).await?;
        self.note(&mut tx, Some(actor), Deed::CreateRecovery, Of::User(id), "").await?;
        tx.commit().await?;
        Ok(OneTimeLink { link: self.link("recovery", &minted.secret), expires_at })
    }

    /// Deletes somebody's account and everything in it.
    pub async fn delete_user(&self, actor: &Actor, id: UserId) -> Result<()> {
        check(actor, Action::GuardServer, Object::Server)?;
        let mut tx = audit::begin(&self.inner.store).await?;
        let account = users::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        self.delete_account(tx, actor, account.user).await
    }

    /// Every row of that person, their personal workspace, and teams that have nobody else. Whoever deletes themselves
    /// says first who owns a team that goes on; when an admin does it, who cannot look into teams, the one who has been
    /// in it longest of those with the highest role does.
    async fn delete_account(&self, mut tx: Tx, actor: &Actor, user: User) -> Result<()> {
        let id = user.id;
        let oneself = matches!(actor, Actor::User(person) if person.id == id);
        let mut gone: Vec<WorkspaceId> =
            workspaces::personal(&mut tx, id).await?.into_iter().collect();
        for team in teams::of(&mut tx, id).await? {
            let heir = teams::heir(&mut tx, team.id, id).await?;
            let sole =
                team.role == Role::Owner && teams::count_owners(&mut tx, team.id).await? == 1;
            match heir {
                None => {
                    teams::delete(&mut tx, team.id).await?;
                    gone.push(team.workspace_id);
                    self.note(&mut tx, Some(actor), Deed::DeleteTeam, Of::Team(team.id), "")
                        .await?;
                }
                Some(_) if sole && oneself => {
                    return Err(Error::Conflict {
                        problem: "you are the only owner of a team that others belong to",
                        next: "make another member its owner, or delete the team, and try again",
                    });
                }
                Some(heir) if sole => {
                    self.set_member(&mut tx, actor, team.id, heir, Role::Owner).await?;
                }
                Some(_) => {}
            }
        }
        users::delete(&mut tx, id).await?;
        self.keep_an_admin(&mut tx, &user).await?;
        self.note(&mut tx, Some(actor), Deed::DeleteUser, Of::User(id), "").await?;
        let done = self.inner.store.commit_and_forget(tx, gone).await;
        self.forget_credentials();
        self.look_again().await;
        Ok(done?)
    }

    /// After somebody lost the right to administer: somebody else must have it.
    async fn keep_an_admin(&self, tx: &mut Tx, was: &User) -> Result<()> {
        let mattered = was.admin && was.state == UserState::Active;
        if mattered && users::count_admins(tx).await? == 0 { Err(LAST_ADMIN) } else { Ok(()) }
    }
}
