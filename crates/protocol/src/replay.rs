//! What the entries of a conversation come to, one after the other: its title, who takes part, what was said. The law is
//! that a snapshot and the entries after it make the same as all entries; `fixtures/replay` holds it for programs in
//! other languages, too, and `web/src/log/replay.ts` says the same as this file.
//!
//! The store's projections say the same of what is there now (a test compares them). They know more only of deletions:
//! of accounts and teams that are no more, which no entry tells.

use crate::{
    LogId, ProjectId, Seq, Tag, TeamId, UserId, WorkspaceId,
    conversation::ConversationRole,
    entry::Fact,
    log::{Author, Body, Entry},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A conversation, as far as its entries have been told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// The last entry that was told; 0 for none.
    pub head: Seq,
    /// What it is called.
    pub title: String,
    /// Where it lives.
    pub workspace_id: Option<WorkspaceId>,
    /// The project that it belongs to.
    pub project_id: Option<ProjectId>,
    /// Who began it.
    pub created_by: Option<UserId>,
    /// The conversation that it was forked from.
    pub parent: Option<LogId>,
    /// It was put away.
    pub archived: bool,
    /// What it is filed under.
    pub tags: Vec<Tag>,
    /// Who takes part.
    pub members: BTreeMap<UserId, ConversationRole>,
    /// Which teams take part.
    pub teams: BTreeMap<TeamId, ConversationRole>,
    /// What is pinned.
    pub pins: BTreeSet<Seq>,
    /// Whoever has the link may read along.
    pub link: bool,
    /// What was said, by people, agents and tools; what was erased; and what this program does not know.
    pub said: Vec<Entry>,
}

/// An entry is missing before the one that was told: ask for those after this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the entry after {after} was not told")]
pub struct Gap {
    /// The last one that was.
    pub after: Seq,
}

impl Replay {
    /// What these entries come to, from the first one on.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Replay, Gap> {
        let mut replay = Replay::default();
        entries.into_iter().try_for_each(|entry| replay.tell(entry))?;
        Ok(replay)
    }

    /// Goes on with the next entry. One that was told before changes nothing.
    pub fn tell(&mut self, entry: &Entry) -> Result<(), Gap> {
        if entry.seq <= self.head {
            return Ok(());
        }
        if entry.seq != self.head.plus(1) {
            return Err(Gap { after: self.head });
        }
        self.head = entry.seq;
        let fact = match &entry.body {
            Body::Fact(fact) => fact,
            Body::Other { .. } => {
                self.said.push(entry.clone());
                return Ok(());
            }
        };
        match fact {
            Fact::Began { title, workspace_id } | Fact::Imported { title, workspace_id } => {
                self.begin(title.as_str(), *workspace_id, &entry.author, None);
            }
            Fact::Forked { parent, title, workspace_id, .. } => {
                self.begin(title.as_str(), *workspace_id, &entry.author, Some(*parent));
            }
            Fact::UserMessage { .. } | Fact::AssistantReply { .. } | Fact::ToolResult { .. } => {
                self.said.push(entry.clone());
            }
            // Only of what was said is there a place to show that it was erased.
            Fact::Erased { was } => {
                if ["user_message", "assistant_reply", "tool_result"].contains(&was.as_str()) {
                    self.said.push(entry.clone());
                }
            }
            Fact::Renamed { title } => title.as_str().clone_into(&mut self.title),
            Fact::Archived {} => self.archived = true,
            Fact::Unarchived {} => self.archived = false,
            Fact::Tagged { tags } => {
                self.tags.clear();
                for tag in tags {
                    if !self.tags.contains(tag) {
                        self.tags.push(tag.clone());
                    }
                }
            }
            Fact::Moved { workspace_id, project_id } => {
                self.workspace_id = Some(*workspace_id);
                self.project_id = *project_id;
            }
            Fact::MemberSet { user_id, role } => drop(self.members.insert(*user_id, *role)),
            Fact::MemberRemoved { user_id } => drop(self.members.remove(user_id)),
            Fact::TeamShared { team_id, role } => drop(self.teams.insert(*team_id, *role)),
            Fact::TeamUnshared { team_id } => drop(self.teams.remove(team_id)),
            Fact::LinkOpened {} => self.link = true,
            Fact::LinkClosed {} => self.link = false,
            Fact::Pinned { seq } => drop(self.pins.insert(*seq)),
            Fact::Unpinned { seq } => drop(self.pins.remove(seq)),
            // These are told in inboxes.
            Fact::SharedWithMe { .. } | Fact::TakenAway { .. } | Fact::NeedsMe { .. } => {}
        }
        Ok(())
    }

    /// What a copied prefix told of who takes part, tags, pins and links happened elsewhere: here it all begins now.
    /// What was said there stays said.
    fn begin(&mut self, title: &str, home: WorkspaceId, author: &Author, parent: Option<LogId>) {
        let creator = match author {
            Author::User { id } => Some(*id),
            _ => None,
        };
        *self = Replay {
            head: self.head,
            title: title.to_owned(),
            workspace_id: Some(home),
            created_by: creator,
            parent,
            members: creator.map(|id| (id, ConversationRole::Owner)).into_iter().collect(),
            said: std::mem::take(&mut self.said),
            ..Replay::default()
        };
    }
}

#[cfg(test)]
mod tests;
