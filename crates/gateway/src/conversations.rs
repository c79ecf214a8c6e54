//! Looking at conversations: lists, pages of entries, who takes part; links that let others read along.

use crate::{
    Error, Gateway, Result, check, pages, person,
    standing::{check_conversation, check_log},
    submit::author,
};
use mosaic_protocol::{
    LogId, Seq, Time,
    access::{Action, Actor, Object},
    conversation::{
        Conversation, ConversationQuery, ConversationRole, Entries, EntryQuery, LinkedConversation,
        Participants, ShareLink,
    },
    entry::Fact,
    log::{Body, LogKind},
    page::{Page, PageQuery},
};
use mosaic_store::{
    ambient::digest,
    batch::{Append, Batch, NewLog},
    conversations::{self, Wanted},
    logs, workspaces,
};

impl Gateway {
    /// The conversations that one may read, those that changed last first.
    pub async fn list_conversations(
        &self,
        actor: &Actor,
        query: &ConversationQuery,
    ) -> Result<Page<Conversation>> {
        let me = person(actor)?.id;
        check(actor, Action::SeeOwn, Object::Own { owner: me })?;
        let limit = pages::page_size(&PageQuery { after: None, limit: query.limit })?;
        let before = query.after.as_deref().map(place).transpose()?;
        let wanted = Wanted {
            archived: query.archived,
            tag: query.tag.as_ref().map(ToString::to_string),
            workspace_id: query.workspace_id,
            before,
        };
        let mut tx = self.inner.store.read().await?;
        let items = conversations::list(&mut tx, me, &wanted, limit + 1).await?;
        Ok(pages::page(items, limit, |it| format!("{}:{}", it.updated_at.0, it.id)))
    }

    /// One of them.
    pub async fn get_conversation(&self, actor: &Actor, log: LogId) -> Result<Conversation> {
        let mut tx = self.inner.store.read().await?;
        let allowed = check_conversation(&mut tx, actor, Action::ReadConversation, log).await?;
        let me = Some(person(actor)?.id);
        conversations::get(&mut tx, log, me, allowed.role).await?.ok_or(Error::NotFound)
    }

    /// Who takes part in it.
    pub async fn list_participants(&self, actor: &Actor, log: LogId) -> Result<Participants> {
        let mut tx = self.inner.store.read().await?;
        check_conversation(&mut tx, actor, Action::ReadConversation, log).await?;
        Ok(conversations::participants(&mut tx, log).await?)
    }

    /// Which of its messages are pinned.
    pub async fn list_pins(&self, actor: &Actor, log: LogId) -> Result<Page<Seq>> {
        let mut tx = self.inner.store.read().await?;
        check_conversation(&mut tx, actor, Action::ReadConversation, log).await?;
        Ok(Page::whole(conversations::pins(&mut tx, log).await?))
    }

    /// A page of any log that one may follow.
    pub async fn read_log(&self, actor: &Actor, log: LogId, query: &EntryQuery) -> Result<Entries> {
        let limit = pages::page_size(&PageQuery { after: None, limit: query.limit })?;
        let generation = self.inner.store.generation().await?;
        let mut tx = self.inner.store.read().await?;
        check_log(&mut tx, actor, log).await?;
        let head = logs::facts(&mut tx, log).await?.ok_or(Error::NotFound)?.head;
        let items = match (query.after, query.before) {
            (Some(_), Some(_)) => {
                return Err(Error::Invalid("give `after` or `before`, not both".into()));
            }
            (Some(after), None) => logs::after(&mut tx, log, after, limit).await?,
            (None, before) => {
                logs::before(&mut tx, log, before.unwrap_or(head.plus(1)), limit).await?
            }
        };
        Ok(Entries { generation, items, head })
    }

    /// The log of one's inbox, made if there is none yet.
    pub async fn inbox(&self, actor: &Actor) -> Result<LogId> {
        let owner = person(actor)?.id;
        check(actor, Action::ReadInbox, Object::Own { owner })?;
        let store = &self.inner.store;
        let mut tx = store.read().await?;
        if let Some(inbox) = logs::inbox_of(&mut tx, owner).await? {
            return Ok(inbox);
        }
        let workspace_id =
            workspaces::personal(&mut tx, owner).await?.ok_or(Error::Unauthenticated)?;
        drop(tx);
        let id = store.ambient().id(LogId::new);
        let new = NewLog { id, kind: LogKind::Inbox, workspace_id, copy_of: None };
        match store.commit(Batch { new_logs: vec![new], ..Batch::default() }).await {
            // Somebody else was faster.
            Err(mosaic_store::Error::Taken) => {
                let mut tx = store.read().await?;
                logs::inbox_of(&mut tx, owner).await?.ok_or(Error::NotFound)
            }
            committed => Ok(committed?.log),
        }
    }

    /// A link that lets whoever has it read along. A new one ends the one before.
    pub async fn open_link(&self, actor: &Actor, log: LogId) -> Result<ShareLink> {
        let store = &self.inner.store;
        let mut tx = store.read().await?;
        let allowed = check_conversation(&mut tx, actor, Action::ChangeConversation, log).await?;
        drop(tx);
        let minted = store.ambient().mint("mosaic_s_");
        let told = Append::one(log, author(actor), Fact::LinkOpened {});
        store
            .commit(Batch {
                expects: vec![allowed.expect],
                appends: vec![told],
                link: Some(minted.digest),
                ..Batch::default()
            })
            .await?;
        Ok(ShareLink { link: self.link("shared", &minted.secret) })
    }

    /// What somebody sees who has the link.
    pub async fn read_linked(
        &self,
        secret: &str,
        query: &EntryQuery,
    ) -> Result<LinkedConversation> {
        let limit = pages::page_size(&PageQuery { after: None, limit: query.limit })?;
        let mut tx = self.inner.store.read().await?;
        let log = conversations::by_link(&mut tx, &digest(secret)).await?.ok_or(Error::NotFound)?;
        let role = ConversationRole::Viewer;
        let found = conversations::get(&mut tx, log, None, role).await?.ok_or(Error::NotFound)?;
        let items = match query.before {
            Some(before) => logs::before(&mut tx, log, before, limit).await?,
            None => logs::after(&mut tx, log, query.after.unwrap_or_default(), limit).await?,
        };
        let items = items.into_iter().filter(|entry| is_said(&entry.body)).collect();
        Ok(LinkedConversation { title: found.title, items, head: found.head })
    }
}

/// What was said, by people and agents: nothing of who takes part, nothing that tools put out.
pub(crate) fn is_said(body: &Body) -> bool {
    matches!(body, Body::Fact(Fact::UserMessage { .. } | Fact::AssistantReply { .. }))
}

fn place(text: &str) -> Result<(Time, LogId)> {
    let bad = || Error::Invalid("`after` is not the `next` of a page".into());
    let (time, id) = text.split_once(':').ok_or_else(bad)?;
    Ok((Time(time.parse().map_err(|_| bad())?), id.parse().map_err(|_| bad())?))
}
