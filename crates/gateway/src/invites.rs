//! Invitations: to this server by admins, into a team by its owners.

use crate::{Caller, Error, Gateway, LoggedIn, Result, check, person, teams::role};
use mosaic_protocol::{
    Code, InviteId, TeamId,
    access::{Action, Actor, Object},
    audit::{Deed, Of},
    invite::{
        AcceptInviteRequest, CreateInviteRequest, CreateTeamInviteRequest, CreatedInvite, Invite,
        JoinRequest,
    },
    page::Page,
    team::{Role, Team},
};
use mosaic_store::{
    Tx,
    ambient::digest,
    audit,
    invites::{self, NewInvite},
    teams,
    users::{self, NewUser},
};

const HOURS: u32 = 72;
const MAX_HOURS: u32 = 720;

impl Gateway {
    /// The open invitations of the whole server.
    pub async fn list_invites(&self, actor: &Actor) -> Result<Page<Invite>> {
        check(actor, Action::Administer, Object::Server)?;
        let mut tx = self.inner.store.read().await?;
        Ok(Page::whole(invites::list(&mut tx, self.inner.store.ambient().now()).await?))
    }

    /// Invites somebody to this server. Into a team only if one may invite there too.
    pub async fn create_invite(
        &self,
        actor: &Actor,
        request: &CreateInviteRequest,
    ) -> Result<CreatedInvite> {
        check(actor, Action::GuardServer, Object::Server)?;
        let mut tx = audit::begin(&self.inner.store).await?;
        let team = match request.team_id {
            None if request.role.is_some() => {
                return Err(Error::Invalid("`role` goes with `team_id`".into()));
            }
            None => None,
            Some(team_id) => {
                let own = role(&mut tx, actor, team_id).await?;
                check(actor, Action::ChangeTeam, Object::Team { role: own })?;
                Some((team_id, request.role.unwrap_or(Role::Member)))
            }
        };
        self.make_invite(tx, actor, true, team, request.expires_in_hours).await
    }

    /// Invites somebody who has an account into a team.
    pub async fn create_team_invite(
        &self,
        actor: &Actor,
        team_id: TeamId,
        request: &CreateTeamInviteRequest,
    ) -> Result<CreatedInvite> {
        let mut tx = audit::begin(&self.inner.store).await?;
        let own = role(&mut tx, actor, team_id).await?;
        check(actor, Action::ChangeTeam, Object::Team { role: own })?;
        let team = Some((team_id, request.role.unwrap_or(Role::Member)));
        self.make_invite(tx, actor, false, team, request.expires_in_hours).await
    }

    async fn make_invite(
        &self,
        mut tx: Tx,
        actor: &Actor,
        creates_account: bool,
        team: Option<(TeamId, Role)>,
        hours: Option<u32>,
    ) -> Result<CreatedInvite> {
        let hours = hours.unwrap_or(HOURS);
        if !(1..=MAX_HOURS).contains(&hours) {
            return Err(Error::Invalid(format!(
                "`expires_in_hours` must be between 1 and {MAX_HOURS}"
            )));
        }
        let store = &self.inner.store;
        let made_by = match actor {
            Actor::User(person) => Some(person.id),
            Actor::System => None,
        };
        let expires_at = store.ambient().now().plus_hours(i64::from(hours));
        let new = NewInvite { made_by, creates_account, team, expires_at };
        let (invite, minted) = invites::create(store, &mut tx, new).await?;
        let detail =
            team.map_or_else(String::new, |(team_id, role)| format!("team:{team_id} {role}"));
        self.note(&mut tx, Some(actor), Deed::CreateInvite, Of::Invite(invite.id), detail).await?;
        tx.commit().await?;
        Ok(CreatedInvite { invite, link: self.link("invite", &minted.secret) })
    }

    /// The open invitations into a team.
    pub async fn list_team_invites(&self, actor: &Actor, team_id: TeamId) -> Result<Page<Invite>> {
        let mut tx = self.inner.store.read().await?;
        let own = role(&mut tx, actor, team_id).await?;
        check(actor, Action::ChangeTeam, Object::Team { role: own })?;
        Ok(Page::whole(
            invites::into_team(&mut tx, team_id, self.inner.store.ambient().now()).await?,
        ))
    }

    /// Takes an invitation back, whoever made it.
    pub async fn delete_invite(&self, actor: &Actor, id: InviteId) -> Result<()> {
        check(actor, Action::Administer, Object::Server)?;
        let mut tx = audit::begin(&self.inner.store).await?;
        self.take_back(&mut tx, actor, id).await?;
        Ok(tx.commit().await?)
    }

    /// Takes an invitation into a team back.
    pub async fn delete_team_invite(
        &self,
        actor: &Actor,
        team_id: TeamId,
        id: InviteId,
    ) -> Result<()> {
        let mut tx = audit::begin(&self.inner.store).await?;
        let own = role(&mut tx, actor, team_id).await?;
        check(actor, Action::ChangeTeam, Object::Team { role: own })?;
        let open = invites::into_team(&mut tx, team_id, self.inner.store.ambient().now()).await?;
        if !open.iter().any(|invite| invite.id == id) {
            return Err(Error::NotFound);
        }
        self.take_back(&mut tx, actor, id).await?;
        Ok(tx.commit().await?)
    }

    async fn take_back(&self, tx: &mut Tx, actor: &Actor, id: InviteId) -> Result<()> {
        if !invites::take(tx, id).await? {
            return Err(Error::NotFound);
        }
        self.note(tx, Some(actor), Deed::DeleteInvite, Of::Invite(id), "").await
    }

    /// Makes an account with an invitation, and logs in.
    pub async fn accept_invite(
        &self,
        request: &AcceptInviteRequest,
        caller: &Caller,
    ) -> Result<LoggedIn> {
        self.inner.login_limits.count_here("invite", &caller.network)?;
        // Looked at before the costly hash, and again, for good, after it.
        let store = &self.inner.store;
        let mut tx = store.read().await?;
        open_invite(self, &mut tx, &request.code, true).await?;
        drop(tx);
        let hash = self.inner.passwords.hash(request.password.expose()).await?;
        let mut tx = audit::begin(store).await?;
        let invite = open_invite(self, &mut tx, &request.code, true).await?;
        let new = NewUser {
            name: &request.name,
            display_name: request.name.as_str(),
            password: Some(&hash),
            admin: false,
        };
        let user = users::create(store, &mut tx, new).await.map_err(Error::name_taken)?;
        self.use_invite(&mut tx, &Actor::System, &invite, user.id, Deed::AcceptInvite).await?;
        self.open_session(tx, user.id, caller, "password").await
    }

    /// Joins a team with an invitation.
    pub async fn join(&self, actor: &Actor, request: &JoinRequest) -> Result<Team> {
        let person = person(actor)?;
        check(actor, Action::ChangeOwn, Object::Own { owner: person.id })?;
        let mut tx = audit::begin(&self.inner.store).await?;
        let invite = open_invite(self, &mut tx, &request.code, false).await?;
        let team_id = invite.team_id.ok_or(Error::Conflict {
            problem: "this invitation is for a new account, and leads into no team",
            next: "open its link where nobody is logged in, or ask for an invitation into a team",
        })?;
        if teams::role(&mut tx, team_id, person.id).await?.is_some() {
            return Err(Error::Conflict {
                problem: "you belong to this team already",
                next: "hand the invitation to somebody else; it is still good",
            });
        }
        self.use_invite(&mut tx, actor, &invite, person.id, Deed::JoinTeam).await?;
        let team = teams::seen_by(&mut tx, team_id, person.id).await?.ok_or(Error::NotFound)?;
        tx.commit().await?;
        Ok(team)
    }

    async fn use_invite(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        invite: &Invite,
        user_id: mosaic_protocol::UserId,
        deed: Deed,
    ) -> Result<()> {
        if !invites::take(tx, invite.id).await? {
            return Err(Error::BadCode);
        }
        if let (Some(team_id), Some(role)) = (invite.team_id, invite.role) {
            self.set_member(tx, actor, team_id, user_id, role).await?;
        }
        self.note(tx, Some(actor), deed, Of::User(user_id), format!("invite:{}", invite.id)).await
    }
}

async fn open_invite(
    gateway: &Gateway,
    tx: &mut Tx,
    code: &Code,
    for_account: bool,
) -> Result<Invite> {
    let now = gateway.inner.store.ambient().now();
    let invite = invites::find(tx, &digest(code.expose()), now).await?.ok_or(Error::BadCode)?;
    if for_account && !invite.creates_account {
        return Err(Error::Conflict {
            problem: "this invitation is for somebody who has an account: it leads into a team",
            next: "log in, then open its link again; for an account, ask an admin for an invitation",
        });
    }
    Ok(invite)
}
