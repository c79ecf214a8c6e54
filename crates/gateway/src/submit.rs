//! The one way in for commands: load the facts, ask `access::may`, decide on a batch, commit it.
//!
//! What was looked at is named in the batch by its access version; when that has moved, everything is looked at again.

use crate::{Error, Gateway, Result, person, standing::check_conversation};
use mosaic_protocol::{
    LogId,
    access::{Action, Actor},
    command::{Command, Submission},
    log::{Accepted, Author},
};
use mosaic_store::{
    Error as StoreError, Tx,
    ambient::digest,
    batch::{Batch, CommandKey, Committed},
    conversations, logs,
};

mod messages;
mod participants;
pub(crate) mod places;

/// How often a decision is made anew because somebody changed who may do what at the same time.
const ATTEMPTS: usize = 8;

impl Gateway {
    /// Does what is asked, once, however often it is asked with the same id.
    pub async fn submit(&self, actor: &Actor, submission: &Submission) -> Result<Accepted> {
        let key = command_key(actor, submission)?;
        for _ in 0..ATTEMPTS {
            match self.attempt(actor, submission, &key).await {
                // What was remembered is not to be believed any more.
                Err(Error::Again) => {
                    if let Command::SendMessage { log, .. } = &submission.command {
                        self.inner.standings.forget(*log, person(actor)?.id);
                    }
                }
                answer => {
                    let Committed { log, seq, .. } = answer?;
                    return Ok(Accepted { command_id: submission.command_id, log, seq });
                }
            }
        }
        Err(Error::Unavailable("who may do this keeps changing".into()))
    }

    async fn attempt(
        &self,
        actor: &Actor,
        submission: &Submission,
        key: &CommandKey,
    ) -> Result<Committed> {
        if let Some(batch) = self.send_again(actor, &submission.command) {
            return self.commit(key, batch).await;
        }
        let mut tx = self.inner.store.read().await?;
        let batch = match self.decide(&mut tx, actor, &submission.command).await {
            Ok(Decision::Write(batch)) => batch,
            Ok(Decision::Mark(log, seq)) => {
                drop(tx);
                let mut tx = self.inner.store.write().await?;
                conversations::mark_read(&mut tx, person(actor)?.id, log, seq).await?;
                tx.commit().await?;
                return Ok(Committed { log, seq, term: None, before: false });
            }
            // Whoever deleted a conversation or left it can no longer see it, but may learn that they have done so.
            Err(error) if submission.command.ends_own_access() => {
                return logs::command(&mut tx, key).await?.ok_or(error);
            }
            Err(error) => return Err(error),
        };
        drop(tx);
        let deletes = !batch.deletes.is_empty();
        let committed = self.commit(key, *batch).await?;
        if deletes {
            self.inner.store.forget().await?;
        }
        Ok(committed)
    }

    async fn commit(&self, key: &CommandKey, batch: Batch) -> Result<Committed> {
        let batch = Batch { command: Some(key.clone()), ..batch };
        self.inner.store.commit(batch).await.map_err(|error| match error {
            StoreError::AccessChanged => Error::Again,
            error => error.into(),
        })
    }

    /// What a command comes to, for this actor, now.
    async fn decide(&self, tx: &mut Tx, actor: &Actor, command: &Command) -> Result<Decision> {
        use Command as C;
        let batch = match command {
            C::CreateConversation { workspace_id, title } => {
                self.create(tx, actor, *workspace_id, title.as_ref()).await
            }
            C::SendMessage { log, text, attachments, reply_to, origin } => {
                let said = messages::Said { text, attachments, reply_to: *reply_to, origin };
                self.send(tx, actor, *log, said).await
            }
            C::EditMessage { log, seq, text } => self.edit(tx, actor, *log, *seq, text).await,
            C::Fork { log, at, workspace_id, title } => {
                self.fork(tx, actor, *log, *at, *workspace_id, title.as_ref()).await
            }
            C::Rename { log, title } => self.rename(tx, actor, *log, title).await,
            C::Archive { log } => self.archive(tx, actor, *log, true).await,
            C::Unarchive { log } => self.archive(tx, actor, *log, false).await,
            C::DeleteConversation { log } => self.delete(tx, actor, *log).await,
            C::SetTags { log, tags } => self.tag(tx, actor, *log, tags).await,
            C::Move { log, workspace_id, project_id } => {
                self.relocate(tx, actor, *log, *workspace_id, *project_id).await
            }
            C::SetMember { log, user_id, role } => {
                self.set_participant(tx, actor, *log, *user_id, *role).await
            }
            C::RemoveMember { log, user_id } => {
                self.remove_participant(tx, actor, *log, *user_id).await
            }
            C::ShareTeam { log, team_id, role } => {
                self.share_team(tx, actor, *log, *team_id, *role).await
            }
            C::UnshareTeam { log, team_id } => self.unshare_team(tx, actor, *log, *team_id).await,
            C::CloseLink { log } => self.close_link(tx, actor, *log).await,
            C::Pin { log, seq } => self.pin(tx, actor, *log, *seq, true).await,
            C::Unpin { log, seq } => self.pin(tx, actor, *log, *seq, false).await,
            C::MarkRead { log, seq } => {
                let allowed = check_conversation(tx, actor, Action::KeepConversation, *log).await?;
                return Ok(Decision::Mark(*log, (*seq).min(allowed.standing.head)));
            }
        };
        batch.map(|batch| Decision::Write(Box::new(batch)))
    }
}

/// What a command comes to.
enum Decision {
    /// This is written.
    Write(Box<Batch>),
    /// Only a note for oneself.
    Mark(LogId, mosaic_protocol::Seq),
}

fn command_key(actor: &Actor, submission: &Submission) -> Result<CommandKey> {
    let text = serde_json::to_string(&submission.command)
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(CommandKey {
        actor: format!("user:{}", person(actor)?.id),
        id: submission.command_id,
        digest: digest(&text),
    })
}

/// As whom the actor speaks.
pub(crate) fn author(actor: &Actor) -> Author {
    match actor {
        Actor::User(person) => Author::User { id: person.id },
        Actor::System => Author::System,
    }
}
