//! Following a log: what the store tells, asked again for the right to it whenever that may have changed.

use crate::{Error, Gateway, Result, standing::check_log};
use mosaic_protocol::{LogId, Seq, access::Actor, frame::PresenceState};
use mosaic_store::{Dialect, Follower, Update, apart};
use std::convert::Infallible;

/// Somebody follows a log.
pub struct Following {
    gateway: Gateway,
    actor: Actor,
    follower: Follower,
}

impl Gateway {
    /// Follows a log from a place on.
    pub async fn follow(&self, actor: &Actor, log: LogId, after: Seq) -> Result<Following> {
        // The right is asked for after the follower has noted which version of it is current: nothing slips between.
        let follower = self.inner.store.follow(log, after).await?;
        let mut tx = self.inner.store.read().await?;
        check_log(&mut tx, actor, log).await?;
        drop(tx);
        let follower = follower.ok_or(Error::NotFound)?;
        Ok(Following { gateway: self.clone(), actor: actor.clone(), follower })
    }

    /// Looks at every log that somebody follows here: what other nodes wrote, and who may read it by now. After a change
    /// to teams or accounts; the other nodes are told to look, too.
    pub(crate) async fn look_again(&self) {
        self.inner.store.tell_others_to_look();
        if let Err(error) = self.inner.store.look_again().await {
            tracing::warn!(%error, "the logs that are followed could not be looked at");
        }
    }

    /// Looks at what other nodes write, if there may be any, for as long as it is polled.
    pub async fn keep_looking(&self) -> Infallible {
        match self.inner.store.dialect() {
            Dialect::Postgres => self.inner.store.keep_looking().await,
            Dialect::Sqlite => std::future::pending().await,
        }
    }

    /// Tells those who follow the same conversation what one does just now.
    pub async fn present(&self, actor: &Actor, log: LogId, state: PresenceState) -> Result<()> {
        let mut tx = self.inner.store.read().await?;
        check_log(&mut tx, actor, log).await?;
        self.inner.store.present(log, crate::person(actor)?.id, state);
        Ok(())
    }

    /// Tells them that one is there no longer. Nobody has to be asked for that: it only takes back what one was let say.
    pub fn absent(&self, actor: &Actor, log: LogId) -> Result<()> {
        self.inner.store.present(log, crate::person(actor)?.id, PresenceState::Away);
        Ok(())
    }
}

impl Following {
    /// Which log.
    pub fn log(&self) -> LogId {
        self.follower.log()
    }

    /// The last entry that was taken.
    pub fn at(&self) -> Seq {
        self.follower.at()
    }

    /// The next thing there is. May be dropped and called again at any time.
    pub async fn next(&mut self) -> Result<Update> {
        loop {
            match self.follower.next().await? {
                Update::Access(version) => match self.still_allowed().await {
                    Ok(()) => self.follower.allowed(version),
                    Err(Error::Denied(_) | Error::NotFound) => return Ok(Update::Gone),
                    Err(error) => return Err(error),
                },
                update => return Ok(update),
            }
        }
    }

    async fn still_allowed(&self) -> Result<()> {
        let (gateway, actor, log) = (self.gateway.clone(), self.actor.clone(), self.log());
        apart(async move {
            let mut tx = gateway.inner.store.read().await?;
            check_log(&mut tx, &actor, log).await
        })
        .await
    }
}
