//! What somebody may do in a log: the facts are loaded here, and `access::may` decides.
//!
//! Whoever says one thing after the other has the facts remembered for two seconds. That opens nothing: what is written
//! names the access version that the facts were of, and is not written when that has moved.

use crate::{Error, Result, check, person};
use mosaic_protocol::{
    LogId, Time, UserId,
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
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How long facts are believed without looking again.
const REMEMBERED_MS: i64 = 2_000;
/// More than these are not remembered at once.
const MAX_REMEMBERED: usize = 10_000;

/// A conversation that the actor may do something in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    pub(crate) standing: Standing,
    pub(crate) role: ConversationRole,
    /// For the batch that is based on this.
    pub(crate) expect: Expect,
}

/// The facts about those who have just said something.
#[derive(Default)]
pub(crate) struct Standings(Mutex<HashMap<(LogId, UserId), (Time, Standing)>>);

impl Standings {
    fn map(&self) -> MutexGuard<'_, HashMap<(LogId, UserId), (Time, Standing)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn remember(&self, log: LogId, user_id: UserId, now: Time, standing: Standing) {
        let mut map = self.map();
        if map.len() >= MAX_REMEMBERED {
            map.clear();
        }
        map.insert((log, user_id), (now, standing));
    }

    pub(crate) fn forget(&self, log: LogId, user_id: UserId) {
        self.map().remove(&(log, user_id));
    }

    /// What the actor may do there, if that is remembered and they may do this. Anything else is to be looked up.
    pub(crate) fn recall(
        &self,
        actor: &Actor,
        action: Action,
        log: LogId,
        now: Time,
    ) -> Option<Allowed> {
        let (since, standing) = *self.map().get(&(log, person(actor).ok()?.id))?;
        // A clock that was set back must not make old facts last.
        let fresh = (0..REMEMBERED_MS).contains(&(now.0 - since.0));
        Some(standing).filter(|_| fresh).and_then(|it| allowed(actor, action, log, Some(it)).ok())
    }
}

/// Checks that the actor may do this in that conversation.
pub(crate) async fn check_conversation(
    tx: &mut Tx,
    actor: &Actor,
    action: Action,
    log: LogId,
) -> Result<Allowed> {
    let standing = conversations::standing(tx, log, person(actor)?.id).await?;
    allowed(actor, action, log, standing)
}

/// Whether these facts let the actor do this.
fn allowed(
    actor: &Actor,
    action: Action,
    log: LogId,
    standing: Option<Standing>,
) -> Result<Allowed> {
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
