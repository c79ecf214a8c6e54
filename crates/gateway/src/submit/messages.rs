//! Saying something, saying it differently, pinning it.

use super::author;
use crate::{
    Error, Gateway, Result, person,
    standing::{Allowed, check_conversation},
};
use mosaic_protocol::{
    LogId, MessageText, Seq,
    access::{Action, Actor},
    command::Command,
    entry::{Attachment, Fact, Origin},
    log::{Author, Body, Entry},
};
use mosaic_store::{
    Tx,
    batch::{Append, Batch},
    conversations, logs,
};

/// How many files one message may have.
const MAX_ATTACHMENTS: usize = 20;
/// How many messages may be pinned.
const MAX_PINS: usize = 500;

/// What somebody wants to say.
pub(super) struct Said<'a> {
    pub(super) text: &'a MessageText,
    pub(super) attachments: &'a [Attachment],
    pub(super) reply_to: Option<Seq>,
    pub(super) origin: &'a Origin,
}

impl Gateway {
    pub(super) async fn send(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        said: Said<'_>,
    ) -> Result<Batch> {
        let now = self.inner.store.ambient().now();
        let allowed = check_conversation(tx, actor, Action::WriteConversation, log).await?;
        let batch = message(actor, log, &allowed, &said)?;
        for attachment in said.attachments {
            let workspace_id = allowed.standing.workspace_id;
            if !mosaic_store::blobs::exists(tx, workspace_id, &attachment.hash).await? {
                return Err(Error::Invalid(format!(
                    "the file `{}` is not in the conversation's workspace: store it there first",
                    attachment.name
                )));
            }
        }
        self.inner.standings.remember(log, person(actor)?.id, now, allowed.standing);
        Ok(batch)
    }

    /// The same for those who have just said something: without asking the database who they are there. `None`: it must
    /// be asked.
    pub(super) fn send_again(&self, actor: &Actor, command: &Command) -> Option<Batch> {
        let Command::SendMessage { log, text, attachments, reply_to, origin } = command else {
            return None;
        };
        let now = self.inner.store.ambient().now();
        let write = Action::WriteConversation;
        let allowed = self.inner.standings.recall(actor, write, *log, now)?;
        let said = Said { text, attachments, reply_to: *reply_to, origin };
        // A file is to be looked for; and what is refused is refused by the newest facts.
        attachments.is_empty().then(|| message(actor, *log, &allowed, &said).ok()).flatten()
    }

    /// One's own message, said differently: a new conversation with all that came before it, among the same people.
    pub(super) async fn edit(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        seq: Seq,
        text: &MessageText,
    ) -> Result<Batch> {
        let allowed = check_conversation(tx, actor, Action::WriteConversation, log).await?;
        let (me, entry) = (author(actor), logs::get(tx, log, seq).await?);
        let Some(Entry { author, body: Body::Fact(Fact::UserMessage { attachments, .. }), .. }) =
            entry
        else {
            return Err(Error::Invalid("`seq` names no message of this conversation".into()));
        };
        if author != me || matches!(author, Author::System) {
            return Err(Error::Invalid("only one's own messages can be said differently".into()));
        }
        if text.as_str().trim().is_empty() && attachments.is_empty() {
            return Err(Error::Invalid("a message needs a text or a file".into()));
        }
        let said = Fact::UserMessage {
            text: text.clone(),
            attachments,
            reply_to: None,
            origin: Origin::default(),
        };
        let workspace_id = allowed.standing.workspace_id;
        self.branch(tx, actor, allowed, log, seq, workspace_id, said).await
    }

    pub(super) async fn pin(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        log: LogId,
        seq: Seq,
        pinned: bool,
    ) -> Result<Batch> {
        let allowed = check_conversation(tx, actor, Action::WriteConversation, log).await?;
        let pins = conversations::pins(tx, log).await?;
        if pinned && pins.len() >= MAX_PINS && !pins.contains(&seq) {
            return Err(Error::Conflict {
                problem: "as many messages are pinned as may be",
                next: "take a pin away first",
            });
        }
        if !(1..=allowed.standing.head.0).contains(&seq.0) {
            return Err(Error::Invalid("`seq` names no entry of this conversation".into()));
        }
        let fact = if pinned { Fact::Pinned { seq } } else { Fact::Unpinned { seq } };
        Ok(Batch {
            expects: vec![allowed.expect],
            appends: vec![Append::one(log, author(actor), fact)],
            ..Batch::default()
        })
    }
}

/// What is written for a message.
fn message(actor: &Actor, log: LogId, allowed: &Allowed, said: &Said<'_>) -> Result<Batch> {
    let Said { text, attachments, reply_to, origin } = *said;
    if text.as_str().trim().is_empty() && attachments.is_empty() {
        return Err(Error::Invalid("a message needs a text or a file".into()));
    }
    if attachments.len() > MAX_ATTACHMENTS {
        return Err(Error::Invalid(format!("a message has at most {MAX_ATTACHMENTS} files")));
    }
    bounded(origin, attachments)?;
    if let Some(reply_to) = reply_to
        && !(1..=allowed.standing.head.0).contains(&reply_to.0)
    {
        return Err(Error::Invalid("`reply_to` names no entry of this conversation".into()));
    }
    let fact = Fact::UserMessage {
        text: text.clone(),
        attachments: attachments.to_vec(),
        reply_to,
        origin: origin.clone(),
    };
    Ok(Batch {
        expects: vec![allowed.expect],
        appends: vec![Append::one(log, author(actor), fact)],
        ..Batch::default()
    })
}

/// Texts that come along with a message, and that nobody would notice to be huge.
fn bounded(origin: &Origin, attachments: &[Attachment]) -> Result<()> {
    let short = |text: &str| text.len() <= 200 && !text.contains('\0');
    let external = origin.external_id.as_deref().unwrap_or_default();
    let types = attachments.iter().map(|attachment| attachment.media_type.as_str());
    if [origin.surface.as_str(), external].into_iter().chain(types).all(short) {
        Ok(())
    } else {
        Err(Error::Invalid(
            "`surface`, `external_id` and `media_type` have at most 200 bytes".into(),
        ))
    }
}
