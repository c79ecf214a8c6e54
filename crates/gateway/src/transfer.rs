//! Conversations out into files and in again. What the files hold is decided in `protocol::transfer`; here is who may,
//! and that neither a long conversation nor a large file is ever half there.

use crate::{
    BlobPieces, Error, Gateway, Result, person,
    standing::check_conversation,
    submit::{author, places::conversation},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use mosaic_protocol::{
    Label, LogId, Seq, UserId, WorkspaceId,
    access::{Action, Actor},
    entry::Fact,
    transfer::{self, BadFile, Format, Head, ImportQuery, ImportReport, Writer},
};
use mosaic_store::{
    ambient::digest,
    batch::{Append, Batch, CommandKey, NewEntry},
    blobs, conversations, logs,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many entries are held at once while a conversation is written out.
const PAGE: i64 = 100;

/// A conversation on its way into a file.
pub struct Exported {
    /// What it is called.
    pub title: String,
    /// The file, piece by piece.
    pub pieces: BlobPieces,
}

/// How far an export is.
struct Exporting {
    gateway: Gateway,
    actor: Actor,
    log: LogId,
    writer: Writer,
    next: Next,
    head: Seq,
}

enum Next {
    Begin,
    After(Seq),
    End,
}

impl Gateway {
    /// Writes out what the actor sees of a conversation, up to its last entry at this moment.
    pub async fn export(&self, actor: &Actor, log: LogId, format: Format) -> Result<Exported> {
        let mut tx = self.inner.store.read().await?;
        let allowed = check_conversation(&mut tx, actor, Action::ReadConversation, log).await?;
        let head = allowed.standing.head;
        let me = Some(person(actor)?.id);
        let found =
            conversations::get(&mut tx, log, me, allowed.role).await?.ok_or(Error::NotFound)?;
        let about = Head {
            format: transfer::VERSION,
            title: Label::try_from(found.title.clone())
                .map_err(|bad| Error::Internal(bad.to_string()))?,
            exported_at: self.inner.store.ambient().now(),
            n_entries: head.0,
            people: named_apart(logs::people(&mut tx, log).await?),
        };
        let exporting = Exporting {
            gateway: self.clone(),
            actor: actor.clone(),
            log,
            writer: Writer::new(format, about),
            next: Next::Begin,
            head,
        };
        Ok(Exported {
            title: found.title,
            pieces: stream::try_unfold(exporting, Exporting::piece).boxed(),
        })
    }

    /// Checks that one may import there, before the file is read.
    pub async fn may_import(
        &self,
        actor: &Actor,
        workspace_id: Option<WorkspaceId>,
    ) -> Result<WorkspaceId> {
        let mut tx = self.inner.store.read().await?;
        self.home(&mut tx, actor, workspace_id).await
    }

    /// Makes a conversation out of a file, once, however often it is asked with the same id. All of it or nothing.
    pub async fn import(
        &self,
        actor: &Actor,
        query: &ImportQuery,
        bytes: Bytes,
    ) -> Result<ImportReport> {
        let workspace_id = self.may_import(actor, query.workspace_id).await?;
        let ImportQuery { command_id, format, .. } = *query;
        let what = format!("import {format:?} {workspace_id} {}", blobs::hash_of(&bytes));
        let key = CommandKey {
            actor: format!("user:{}", person(actor)?.id),
            id: command_id,
            digest: digest(&what),
        };
        let gone = |_| Error::Unavailable("the gateway is stopping".into());
        let _turn = self.inner.importing.acquire().await.map_err(gone)?;
        let store = &self.inner.store;
        let now = store.ambient().now();
        // A large file takes its time, and nobody else should wait for it.
        let read = tokio::task::spawn_blocking(move || transfer::read(format, &bytes, now)).await;
        let import = read.map_err(|error| Error::Internal(error.to_string()))?.map_err(refused)?;

        let n_left_out = import.n_left_out;
        let n_messages = import.messages.len();
        let title = import.title.clone();
        let mut told: Vec<_> = import.told().collect();
        let n_files_left_out = self.leave_files_out(workspace_id, &mut told).await?;
        // Asked again: reading may have taken long, and waiting for one's turn longer.
        self.may_import(actor, Some(workspace_id)).await?;
        let id = store.ambient().id(LogId::new);
        let imported = Fact::Imported { title, workspace_id };
        let mut entries = vec![NewEntry { author: author(actor), at: None, fact: imported }];
        entries.extend(told.into_iter().map(|(author, at, fact)| NewEntry {
            author,
            at: Some(at),
            fact,
        }));
        let batch = Batch {
            command: Some(key),
            new_logs: vec![conversation(id, workspace_id, None)],
            appends: vec![Append { log: id, term: None, entries }],
            ..Batch::default()
        };
        let done = store.commit(batch).await?;
        let (log, seq) = (done.log, done.seq);
        Ok(ImportReport { command_id, log, seq, n_messages, n_left_out, n_files_left_out })
    }

    /// Takes attachments away whose files this workspace does not have, and counts them. Nothing is said of what any
    /// other workspace has.
    async fn leave_files_out(
        &self,
        workspace_id: WorkspaceId,
        told: &mut [(mosaic_protocol::log::Author, mosaic_protocol::Time, Fact)],
    ) -> Result<usize> {
        let mut named = BTreeSet::new();
        for (.., fact) in told.iter() {
            if let Fact::UserMessage { attachments, .. } = fact {
                named.extend(attachments.iter().map(|it| it.hash.clone()));
            }
        }
        if named.is_empty() {
            return Ok(0);
        }
        let mut tx = self.inner.store.read().await?;
        let known = blobs::known(&mut tx, workspace_id, &named).await?;
        let mut n = 0;
        for (.., fact) in told {
            if let Fact::UserMessage { attachments, .. } = fact {
                let before = attachments.len();
                attachments.retain(|it| known.contains(&it.hash));
                n += before - attachments.len();
            }
        }
        Ok(n)
    }
}

impl Exporting {
    /// The next piece, and how far it is then. Whoever loses the right to read meanwhile gets no more.
    async fn piece(mut self) -> Result<Option<(Bytes, Exporting)>> {
        let text = match self.next {
            Next::Begin => {
                self.next = Next::After(Seq::START);
                self.writer.begin()
            }
            Next::After(after) if after < self.head => {
                let mut tx = self.gateway.inner.store.read().await?;
                let action = Action::ReadConversation;
                check_conversation(&mut tx, &self.actor, action, self.log).await?;
                let mut page = logs::after(&mut tx, self.log, after, PAGE).await?;
                page.retain(|entry| entry.seq <= self.head);
                let last = page.last().ok_or(Error::NotFound)?.seq;
                self.next = Next::After(last);
                self.writer.entries(&page)
            }
            Next::After(_) => {
                self.next = Next::End;
                self.writer.end()
            }
            Next::End => return Ok(None),
        };
        Ok(Some((text.into(), self)))
    }
}

/// What people are called; those who are called the same, with their account's name.
fn named_apart(people: Vec<(UserId, String, String)>) -> BTreeMap<UserId, Label> {
    let mut called: BTreeMap<String, usize> = BTreeMap::new();
    for (_, _, shown) in &people {
        *called.entry(shown.clone()).or_default() += 1;
    }
    let label = |text: String| Label::try_from(text).ok();
    let name = |(id, name, shown): (UserId, String, String)| {
        let both = label(format!("{shown} ({name})"));
        let one = label(shown.clone()).filter(|_| called.get(&shown) == Some(&1));
        Some((id, one.or(both).or_else(|| label(name))?))
    };
    people.into_iter().filter_map(name).collect()
}

fn refused(bad: BadFile) -> Error {
    Error::Refused { problem: bad.to_string(), next: bad.next.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_of_one_name_are_told_apart() {
        let id = |n: u8| format!("01890a5d-ac96-774b-bcce-0000000000{n:02x}").parse().unwrap();
        let person = |n, name: &str, shown: &str| (id(n), name.to_owned(), shown.to_owned());
        let named = named_apart(vec![
            person(1, "ada", "Ada"),
            person(2, "ada2", "Ada"),
            person(3, "bob", "Bob"),
            person(4, "eve", &"x".repeat(100)),
        ]);
        let names: Vec<_> = named.values().map(Label::as_str).collect();
        assert_eq!(names, ["Ada (ada)", "Ada (ada2)", "Bob", &"x".repeat(100)]);
    }
}
