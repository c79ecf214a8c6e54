//! Teams and who belongs to them.

use crate::{Error, Gateway, Result, check, person};
use mosaic_protocol::{
    TeamId, UserId,
    access::{Action, Actor, Object},
    audit::{Deed, Of},
    page::Page,
    team::{ChangeMemberRequest, Member, Role, Team, TeamRequest},
};
use mosaic_store::{Tx, audit, invites, teams};

const LAST_OWNER: Error = Error::Conflict {
    problem: "this is the team's only owner",
    next: "make another member its owner first, or delete the team",
};

/// The actor's role in a team. The one who runs the machine is like an owner of each.
pub(crate) async fn role(tx: &mut Tx, actor: &Actor, id: TeamId) -> Result<Option<Role>> {
    Ok(match actor {
        Actor::User(person) => teams::role(tx, id, person.id).await?,
        Actor::System => teams::exists(tx, id).await?.then_some(Role::Owner),
    })
}

async fn check_team(tx: &mut Tx, actor: &Actor, action: Action, id: TeamId) -> Result<Role> {
    let role = role(tx, actor, id).await?;
    check(actor, action, Object::Team { role })?;
    role.ok_or(Error::NotFound)
}

impl Gateway {
    /// The teams that one belongs to.
    pub async fn list_teams(&self, actor: &Actor) -> Result<Page<Team>> {
        let mut tx = self.inner.store.read().await?;
        Ok(Page::whole(match actor {
            Actor::User(person) => {
                check(actor, Action::SeeOwn, Object::Own { owner: person.id })?;
                teams::of(&mut tx, person.id).await?
            }
            Actor::System => teams::all(&mut tx).await?,
        }))
    }

    /// Makes a team with oneself as owner.
    pub async fn create_team(&self, actor: &Actor, request: &TeamRequest) -> Result<Team> {
        check(actor, Action::CreateTeam, Object::Server)?;
        self.make_team(actor, person(actor)?.id, request).await
    }

    pub(crate) async fn make_team(
        &self,
        actor: &Actor,
        owner: UserId,
        request: &TeamRequest,
    ) -> Result<Team> {
        let mut tx = audit::begin(&self.inner.store).await?;
        let team = teams::create(&self.inner.store, &mut tx, request.name.as_str(), owner).await?;
        self.note(
            &mut tx,
            Some(actor),
            Deed::CreateTeam,
            Of::Team(team.id),
            format!("user:{owner}"),
        )
        .await?;
        tx.commit().await?;
        Ok(team)
    }

    /// One team.
    pub async fn get_team(&self, actor: &Actor, id: TeamId) -> Result<Team> {
        let mut tx = self.inner.store.read().await?;
        check_team(&mut tx, actor, Action::SeeTeam, id).await?;
        self.team(&mut tx, actor, id).await
    }

    async fn team(&self, tx: &mut Tx, actor: &Actor, id: TeamId) -> Result<Team> {
        let team = match actor {
            Actor::User(person) => teams::seen_by(tx, id, person.id).await?,
            Actor::System => teams::all(tx).await?.into_iter().find(|team| team.id == id),
        };
        team.ok_or(Error::NotFound)
    }

    /// Gives a team another name.
    pub async fn rename_team(
        &self,
        actor: &Actor,
        id: TeamId,
        request: &TeamRequest,
    ) -> Result<Team> {
        let mut tx = audit::begin(&self.inner.store).await?;
        check_team(&mut tx, actor, Action::ChangeTeam, id).await?;
        teams::rename(&mut tx, id, request.name.as_str()).await?;
        let team = self.team(&mut tx, actor, id).await?;
        self.note(&mut tx, Some(actor), Deed::RenameTeam, Of::Team(id), "").await?;
        tx.commit().await?;
        Ok(team)
    }

    /// Deletes a team, its workspace and everything in it.
    pub async fn delete_team(&self, actor: &Actor, id: TeamId) -> Result<()> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        check_team(&mut tx, actor, Action::ChangeTeam, id).await?;
        let workspace_id = self.team(&mut tx, actor, id).await?.workspace_id;
        teams::delete(&mut tx, id).await?;
        self.note(&mut tx, Some(actor), Deed::DeleteTeam, Of::Team(id), "").await?;
        store.commit_and_forget(tx, vec![workspace_id]).await?;
        self.look_again().await;
        Ok(())
    }

    /// Who belongs to a team.
    pub async fn list_members(&self, actor: &Actor, id: TeamId) -> Result<Page<Member>> {
        let mut tx = self.inner.store.read().await?;
        check_team(&mut tx, actor, Action::SeeTeam, id).await?;
        Ok(Page::whole(teams::members(&mut tx, id).await?))
    }

    /// Gives a member another role. Nobody becomes a member this way: people join by invitation.
    pub async fn change_member(
        &self,
        actor: &Actor,
        id: TeamId,
        user_id: UserId,
        request: &ChangeMemberRequest,
    ) -> Result<Member> {
        let store = &self.inner.store;
        let mut tx = audit::begin(store).await?;
        check_team(&mut tx, actor, Action::ChangeTeam, id).await?;
        teams::role(&mut tx, id, user_id).await?.ok_or(Error::NotFound)?;
        self.set_member(&mut tx, actor, id, user_id, request.role).await?;
        let members = teams::members(&mut tx, id).await?;
        let member =
            members.into_iter().find(|member| member.user_id == user_id).ok_or(Error::NotFound)?;
        tx.commit().await?;
        self.look_again().await;
        Ok(member)
    }

    pub(crate) async fn set_member(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: TeamId,
        user_id: UserId,
        role: Role,
    ) -> Result<()> {
        teams::join(tx, id, user_id, role, self.inner.store.ambient().now()).await?;
        if teams::count_owners(tx, id).await? == 0 {
            return Err(LAST_OWNER);
        }
        if role != Role::Owner {
            invites::delete_made_by(tx, user_id, Some(id)).await?;
        }
        self.note(tx, Some(actor), Deed::SetMember, Of::Team(id), format!("user:{user_id} {role}"))
            .await
    }

    /// Takes somebody out of a team: an owner anybody, everybody oneself.
    pub async fn delete_member(&self, actor: &Actor, id: TeamId, user_id: UserId) -> Result<()> {
        let mut tx = audit::begin(&self.inner.store).await?;
        let oneself = matches!(actor, Actor::User(person) if person.id == user_id);
        let action = if oneself { Action::LeaveTeam } else { Action::ChangeTeam };
        check_team(&mut tx, actor, action, id).await?;
        teams::role(&mut tx, id, user_id).await?.ok_or(Error::NotFound)?;
        teams::leave(&mut tx, id, user_id).await?;
        if teams::count_owners(&mut tx, id).await? == 0 {
            return Err(LAST_OWNER);
        }
        invites::delete_made_by(&mut tx, user_id, Some(id)).await?;
        self.note(
            &mut tx,
            Some(actor),
            Deed::DeleteMember,
            Of::Team(id),
            format!("user:{user_id}"),
        )
        .await?;
        tx.commit().await?;
        self.look_again().await;
        Ok(())
    }
}
