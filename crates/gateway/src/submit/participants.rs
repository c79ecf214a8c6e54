//! Who takes part in a conversation, and telling them so in their inboxes.

use super::author;
use crate::{Error, Gateway, Result, check, person, standing::check_conversation};
use mosaic_protocol::{
    LogId, TeamId, UserId,
    access::{Action, Actor, Object},
    conversation::ConversationRole,
    entry::Fact,
    log::{Author, LogKind},
};
use mosaic_store::{
    Tx,
    batch::{Append, Batch, NewLog},
    conversations::{self, Standing},
    logs, teams, users, workspaces,
};

/// How many people may be named as members.
const MAX_MEMBERS: usize = 200;
/// How many teams may take part.
const MAX_TEAMS: usize = 50;

const LAST_OWNER: Error = Error::Conflict {
    problem: "this is the conversation's only owner",
    next: "make somebody else its owner first, or delete it",
};

impl Gateway {
    pub(super) async fn set_participant(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        user_id: UserId,
        role: ConversationRole,
    ) -> Result<Batch> {
        let allowed = check_conversation(tx, actor, Action::ChangeConversation, log).await?;
        // In a team's workspace only its members can take part; of others not even their existence is told.
        let known = match allowed.standing.facts.in_team_workspace {
            true => workspaces::role(tx, allowed.standing.workspace_id, user_id).await?.is_some(),
            false => users::get(tx, user_id).await?.is_some(),
        };
        if !known {
            return Err(Error::NotFound);
        }
        let people = conversations::participants(tx, log).await?;
        let before = people.members.iter().find(|member| member.user_id == user_id);
        if before.is_none() && people.members.len() >= MAX_MEMBERS {
            return Err(Error::Conflict {
                problem: "as many people take part as may",
                next: "share it with a team instead",
            });
        }
        let loses_owner = before.is_some_and(|it| it.role == ConversationRole::Owner)
            && role != ConversationRole::Owner;
        if loses_owner && !has_other_owner(&people.members, user_id, &allowed.standing) {
            return Err(LAST_OWNER);
        }
        let mut batch = Batch {
            expects: vec![allowed.expect],
            appends: vec![Append::one(log, author(actor), Fact::MemberSet { user_id, role })],
            ..Batch::default()
        };
        if before.is_none() && user_id != person(actor)?.id {
            self.tell_inboxes(tx, &mut batch, &[user_id], Fact::SharedWithMe { log }).await?;
        }
        Ok(batch)
    }

    pub(super) async fn remove_participant(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        user_id: UserId,
    ) -> Result<Batch> {
        let oneself = person(actor)?.id == user_id;
        let action = if oneself { Action::KeepConversation } else { Action::ChangeConversation };
        let allowed = check_conversation(tx, actor, action, log).await?;
        let people = conversations::participants(tx, log).await?;
        let member = people.members.iter().find(|member| member.user_id == user_id);
        let member = member.ok_or(Error::NotFound)?;
        if member.role == ConversationRole::Owner
            && !has_other_owner(&people.members, user_id, &allowed.standing)
        {
            return Err(LAST_OWNER);
        }
        let mut batch = Batch {
            expects: vec![allowed.expect],
            appends: vec![Append::one(log, author(actor), Fact::MemberRemoved { user_id })],
            ..Batch::default()
        };
        if !oneself {
            self.tell_inboxes(tx, &mut batch, &[user_id], Fact::TakenAway { log }).await?;
        }
        Ok(batch)
    }

    pub(super) async fn share_team(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        team_id: TeamId,
        role: ConversationRole,
    ) -> Result<Batch> {
        let allowed = check_conversation(tx, actor, Action::ChangeConversation, log).await?;
        // Only a team of one's own: of others one does not know.
        let mine = teams::role(tx, team_id, person(actor)?.id).await?;
        check(actor, Action::SeeTeam, Object::Team { role: mine })?;
        let people = conversations::participants(tx, log).await?;
        let known = people.teams.iter().any(|team| team.team_id == team_id);
        if !known && people.teams.len() >= MAX_TEAMS {
            return Err(Error::Conflict {
                problem: "as many teams take part as may",
                next: "take another one out first",
            });
        }
        let mut batch = Batch {
            expects: vec![allowed.expect],
            appends: vec![Append::one(log, author(actor), Fact::TeamShared { team_id, role })],
            ..Batch::default()
        };
        if !known {
            let members = self.others_in(tx, actor, team_id).await?;
            self.tell_inboxes(tx, &mut batch, &members, Fact::SharedWithMe { log }).await?;
        }
        Ok(batch)
    }

    pub(super) async fn unshare_team(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        team_id: TeamId,
    ) -> Result<Batch> {
        let allowed = check_conversation(tx, actor, Action::ChangeConversation, log).await?;
        let people = conversations::participants(tx, log).await?;
        if !people.teams.iter().any(|team| team.team_id == team_id) {
            return Err(Error::NotFound);
        }
        let mut batch = Batch {
            expects: vec![allowed.expect],
            appends: vec![Append::one(log, author(actor), Fact::TeamUnshared { team_id })],
            ..Batch::default()
        };
        let members = self.others_in(tx, actor, team_id).await?;
        self.tell_inboxes(tx, &mut batch, &members, Fact::TakenAway { log }).await?;
        Ok(batch)
    }

    async fn others_in(&self, tx: &mut Tx, actor: &Actor, team_id: TeamId) -> Result<Vec<UserId>> {
        let me = person(actor)?.id;
        let members = teams::members(tx, team_id).await?.into_iter().map(|member| member.user_id);
        Ok(members.filter(|id| *id != me).collect())
    }

    /// Adds an entry to the inbox of each of these people, which is made if they have none yet.
    pub(crate) async fn tell_inboxes(
        &self,
        tx: &mut Tx,
        batch: &mut Batch,
        people: &[UserId],
        fact: Fact,
    ) -> Result<()> {
        for user_id in people {
            let inbox = match logs::inbox_of(tx, *user_id).await? {
                Some(inbox) => inbox,
                None => {
                    let Some(workspace_id) = workspaces::personal(tx, *user_id).await? else {
                        continue;
                    };
                    let id = self.inner.store.ambient().id(LogId::new);
                    batch.new_logs.push(NewLog {
                        id,
                        kind: LogKind::Inbox,
                        workspace_id,
                        copy_of: None,
                    });
                    id
                }
            };
            batch.appends.push(Append::one(inbox, Author::System, fact.clone()));
        }
        Ok(())
    }
}

/// Whether somebody else could still look after the conversation.
fn has_other_owner(
    members: &[mosaic_protocol::conversation::Participant],
    but: UserId,
    standing: &Standing,
) -> bool {
    // A personal workspace has its owner, a team's workspace has the team's owners.
    standing.facts.in_team_workspace
        || standing.owner.is_some_and(|owner| owner != but)
        || members.iter().any(|it| it.user_id != but && it.role == ConversationRole::Owner)
}
