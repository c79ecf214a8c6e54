//! What somebody may do in a log: the facts are loaded here, and `access::may` decides.

use crate::{Error, Result, check, person};
use mosaic_protocol::{
    LogId,
    access::{Action, Actor, Object},
    conversation::ConversationRole,
    log::LogKind,
};
use mosaic_store::{
    Tx,
    batch::Expect,
    conversations::{self, Standing},
    logs,
};

/// A conversation that the actor may do something in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    pub(crate) standing: Standing,
    pub(crate) role: ConversationRole,
    /// For the batch that is based on this.
    pub(crate) expect: Expect,
}

/// Checks that the actor may do this in that conversation.
pub(crate) async fn check_conversation(
    tx: &mut Tx,
    actor: &Actor,
    action: Action,
    log: LogId,
) -> Result<Allowed> {
    let standing = conversations::standing(tx, log, person(actor)?.id).await?;
    let role = standing.and_then(|standing| standing.facts.role());
    check(actor, action, Object::Conversation { role })?;
    let (standing, role) = standing.zip(role).ok_or(Error::NotFound)?;
    let expect = Expect { log, access_version: standing.access_version };
    Ok(Allowed { standing, role, expect })
}

/// Checks that the actor may follow that log.
pub(crate) async fn check_log(tx: &mut Tx, actor: &Actor, log: LogId) -> Result<()> {
    let facts = logs::facts(tx, log).await?;
    match facts.map(|facts| facts.kind) {
        Some(LogKind::Inbox) => {
            let owner = logs::inbox_owner(tx, log).await?.ok_or(Error::NotFound)?;
            check(actor, Action::ReadInbox, Object::Own { owner })
        }
        // Nobody is shown a run yet. What is not there is asked like what is foreign, so that both cost the same.
        Some(LogKind::Conversation | LogKind::Run) | None => {
            check_conversation(tx, actor, Action::ReadConversation, log).await.map(drop)
        }
    }
}
