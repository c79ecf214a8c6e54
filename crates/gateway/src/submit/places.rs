//! Conversations as a whole: beginning, forking, naming, filing, moving, deleting.

use super::author;
use crate::{
    Error, Gateway, Result, person,
    standing::{Allowed, check_conversation},
    workspaces::check_workspace,
};
use mosaic_protocol::{
    Label, LogId, ProjectId, Seq, Tag, WorkspaceId,
    access::{Action, Actor},
    conversation::ConversationRole,
    entry::Fact,
    log::LogKind,
};
use mosaic_store::{
    Tx,
    batch::{Append, Batch, NewEntry, NewLog},
    conversations, workspaces,
};

/// How many tags a conversation may have.
const MAX_TAGS: usize = 20;

impl Gateway {
    pub(super) async fn create(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
        title: Option<&Label>,
    ) -> Result<Batch> {
        let workspace_id = self.home(tx, actor, workspace_id).await?;
        let id = self.inner.store.ambient().id(LogId::new);
        let title = match title {
            Some(title) => title.clone(),
            None => untitled()?,
        };
        Ok(Batch {
            new_logs: vec![conversation(id, workspace_id, None)],
            appends: vec![Append::one(id, author(actor), Fact::Began { title, workspace_id })],
            ..Batch::default()
        })
    }

    /// The workspace that something new goes into: the one that was named, if one may write there, or one's own.
    pub(crate) async fn home(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<WorkspaceId> {
        let id = match workspace_id {
            Some(id) => id,
            None => {
                workspaces::personal(tx, person(actor)?.id).await?.ok_or(Error::Unauthenticated)?
            }
        };
        check_workspace(tx, actor, Action::WriteWorkspace, id).await?;
        Ok(id)
    }

    pub(super) async fn fork(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        at: Option<Seq>,
        workspace_id: Option<WorkspaceId>,
        title: Option<&Label>,
    ) -> Result<Batch> {
        let allowed = check_conversation(tx, actor, Action::ReadConversation, log).await?;
        let at = at.unwrap_or(allowed.standing.head);
        if !(1..=allowed.standing.head.0).contains(&at.0) {
            return Err(Error::Invalid("`at` names no entry of this conversation".into()));
        }
        let workspace_id = self.home(tx, actor, workspace_id).await?;
        let title = match title {
            Some(title) => title.clone(),
            None => self.title(tx, actor, log, allowed.role).await?,
        };
        if workspace_id != allowed.standing.workspace_id {
            self.bring_files(tx, log, at, allowed.standing.workspace_id, workspace_id).await?;
        }
        let id = self.inner.store.ambient().id(LogId::new);
        let fact = Fact::Forked { parent: log, at, edited: None, title, workspace_id };
        Ok(Batch {
            expects: vec![allowed.expect],
            new_logs: vec![conversation(id, workspace_id, Some((log, at)))],
            appends: vec![Append::one(id, author(actor), fact)],
            ..Batch::default()
        })
    }

    /// A conversation that goes on differently from a message on, among the same people.
    #[expect(clippy::too_many_arguments, reason = "all of them are what the branch begins with")]
    pub(super) async fn branch(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        allowed: Allowed,
        log: LogId,
        edited: Seq,
        workspace_id: WorkspaceId,
        said: Fact,
    ) -> Result<Batch> {
        let me = person(actor)?.id;
        let id = self.inner.store.ambient().id(LogId::new);
        let title = self.title(tx, actor, log, allowed.role).await?;
        let at = edited.before();
        let people = conversations::participants(tx, log).await?;
        let members = people.members.into_iter().filter(|member| member.user_id != me);
        let members = members.map(|it| Fact::MemberSet { user_id: it.user_id, role: it.role });
        let teams = people.teams.into_iter();
        let teams = teams.map(|it| Fact::TeamShared { team_id: it.team_id, role: it.role });
        let forked = Fact::Forked { parent: log, at, edited: Some(edited), title, workspace_id };
        let facts = std::iter::once(forked).chain(members).chain(teams).chain([said]);
        let entry = |fact| NewEntry { author: author(actor), at: None, fact };
        Ok(Batch {
            expects: vec![allowed.expect],
            new_logs: vec![conversation(id, workspace_id, Some((log, at)))],
            appends: vec![Append { log: id, term: None, entries: facts.map(entry).collect() }],
            ..Batch::default()
        })
    }

    async fn title(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        role: ConversationRole,
    ) -> Result<Label> {
        let me = person(actor)?.id;
        let found = conversations::get(tx, log, Some(me), role).await?.ok_or(Error::NotFound)?;
        Label::try_from(found.title).or_else(|_| untitled())
    }

    pub(super) async fn rename(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        title: &Label,
    ) -> Result<Batch> {
        let fact = Fact::Renamed { title: title.clone() };
        self.tell(tx, actor, Action::WriteConversation, log, fact).await
    }

    pub(super) async fn archive(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        archived: bool,
    ) -> Result<Batch> {
        let fact = if archived { Fact::Archived {} } else { Fact::Unarchived {} };
        self.tell(tx, actor, Action::WriteConversation, log, fact).await
    }

    pub(super) async fn tag(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        tags: &[Tag],
    ) -> Result<Batch> {
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        tags.dedup();
        if tags.len() > MAX_TAGS {
            return Err(Error::Invalid(format!("a conversation has at most {MAX_TAGS} tags")));
        }
        self.tell(tx, actor, Action::WriteConversation, log, Fact::Tagged { tags }).await
    }

    pub(super) async fn close_link(&self, tx: &mut Tx, actor: &Actor, log: LogId) -> Result<Batch> {
        self.tell(tx, actor, Action::ChangeConversation, log, Fact::LinkClosed {}).await
    }

    pub(super) async fn relocate(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        workspace_id: WorkspaceId,
        project_id: Option<ProjectId>,
    ) -> Result<Batch> {
        let allowed = check_conversation(tx, actor, Action::ChangeConversation, log).await?;
        check_workspace(tx, actor, Action::WriteWorkspace, workspace_id).await?;
        if project_id.is_some() {
            // There are no projects yet, so no id can name one.
            return Err(Error::NotFound);
        }
        let (from, head) = (allowed.standing.workspace_id, allowed.standing.head);
        if workspace_id != from {
            self.bring_files(tx, log, head, from, workspace_id).await?;
        }
        let fact = Fact::Moved { workspace_id, project_id };
        Ok(Batch {
            expects: vec![allowed.expect],
            appends: vec![Append::one(log, author(actor), fact)],
            ..Batch::default()
        })
    }

    pub(super) async fn delete(&self, tx: &mut Tx, actor: &Actor, log: LogId) -> Result<Batch> {
        let allowed = check_conversation(tx, actor, Action::ChangeConversation, log).await?;
        let people = conversations::participants(tx, log).await?;
        let others: Vec<_> = people
            .members
            .iter()
            .map(|member| member.user_id)
            .filter(|id| person(actor).is_ok_and(|me| me.id != *id))
            .collect();
        let mut batch =
            Batch { expects: vec![allowed.expect], deletes: vec![log], ..Batch::default() };
        self.tell_inboxes(tx, &mut batch, &others, Fact::TakenAway { log }).await?;
        Ok(batch)
    }

    /// One entry by the actor, if they may.
    async fn tell(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        action: Action,
        log: LogId,
        fact: Fact,
    ) -> Result<Batch> {
        let allowed = check_conversation(tx, actor, action, log).await?;
        Ok(Batch {
            expects: vec![allowed.expect],
            appends: vec![Append::one(log, author(actor), fact)],
            ..Batch::default()
        })
    }
}

pub(crate) fn conversation(
    id: LogId,
    workspace_id: WorkspaceId,
    copy_of: Option<(LogId, Seq)>,
) -> NewLog {
    NewLog {
        id,
        kind: LogKind::Conversation,
        workspace_id,
        copy_of: copy_of.filter(|it| it.1.0 > 0),
    }
}

/// What a conversation is called before anybody has named it.
fn untitled() -> Result<Label> {
    Label::try_from("New conversation".to_owned()).map_err(|bad| Error::Internal(bad.to_string()))
}
