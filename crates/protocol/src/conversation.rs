//! Conversations, as those who take part in them see them.

use crate::{
    AccountName, Code, LogId, ProjectId, Seq, Tag, TeamId, Time, UserId, WorkspaceId,
    log::{Author, Entry},
    team::Role,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What somebody may do in a conversation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ConversationRole {
    /// May read.
    Viewer,
    /// May read and say something.
    Editor,
    /// May also change who takes part, and delete it.
    Owner,
}

impl ConversationRole {
    /// Its name in the database and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConversationRole::Viewer => "viewer",
            ConversationRole::Editor => "editor",
            ConversationRole::Owner => "owner",
        }
    }
}

impl FromStr for ConversationRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [ConversationRole::Viewer, ConversationRole::Editor, ConversationRole::Owner]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a role in a conversation"))
    }
}

impl TryFrom<String> for ConversationRole {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// What decides a person's role in a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoleFacts {
    /// It lives in their own personal workspace.
    pub own_workspace: bool,
    /// It lives in a team's workspace.
    pub in_team_workspace: bool,
    /// Their role in that team.
    pub team_role: Option<Role>,
    /// Their role as a member of the conversation.
    pub member: Option<ConversationRole>,
    /// The highest role that a team of theirs was given.
    pub shared: Option<ConversationRole>,
}

impl RoleFacts {
    /// What they may do. A team's workspace is the boundary: who is not in the team is not in its conversations, who
    /// may only look there may only look here, and its owners own what is in it.
    pub fn role(self) -> Option<ConversationRole> {
        let given = self.member.max(self.shared);
        if self.own_workspace {
            return Some(ConversationRole::Owner);
        }
        if !self.in_team_workspace {
            return given;
        }
        match self.team_role? {
            Role::Owner => Some(ConversationRole::Owner),
            Role::Member => given,
            Role::Viewer => given.map(|_| ConversationRole::Viewer),
        }
    }
}

/// A conversation, as somebody who takes part in it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conversation {
    /// Which; also the id of its log.
    pub id: LogId,
    /// What it is called.
    pub title: String,
    /// Where it lives.
    pub workspace_id: WorkspaceId,
    /// The project that it belongs to.
    pub project_id: Option<ProjectId>,
    /// Who began it.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: Time,
    /// When something last happened in it.
    pub updated_at: Time,
    /// Its last entry.
    pub head: Seq,
    /// How far the one who asks has read.
    pub read: Seq,
    /// It was put away.
    pub archived: bool,
    /// The conversation that it was forked from.
    pub parent: Option<LogId>,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// What the one who asks may do.
    pub role: ConversationRole,
    /// Somebody who has the link may read along.
    pub link: bool,
}

/// Somebody who takes part in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Participant {
    /// Who.
    pub user_id: UserId,
    /// Their account name.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// What they may do.
    pub role: ConversationRole,
}

/// A team that takes part in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedTeam {
    /// Which.
    pub team_id: TeamId,
    /// Its name.
    pub name: String,
    /// What its members may do, at most.
    pub role: ConversationRole,
}

/// Who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Participants {
    /// People.
    pub members: Vec<Participant>,
    /// Teams.
    pub teams: Vec<SharedTeam>,
}

/// Names a person to take part by their account name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteParticipantRequest {
    /// Who.
    pub name: AccountName,
    /// What they may do.
    pub role: ConversationRole,
}

/// Which conversations.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversationQuery {
    /// The `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// How many, 1 to 500; 100 unless told.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u16>,
    /// Those that were put away, instead of those that were not.
    #[serde(default)]
    pub archived: bool,
    /// Only those that are filed under this.
    #[serde(default)]
    pub tag: Option<Tag>,
    /// Only those in this workspace.
    #[serde(default)]
    pub workspace_id: Option<WorkspaceId>,
}

/// Which entries of a log: those after a place, forwards, or those before one, backwards. The newest unless told.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryQuery {
    /// Those after this place.
    #[serde(default)]
    pub after: Option<Seq>,
    /// Those before this place.
    #[serde(default)]
    pub before: Option<Seq>,
    /// How many, 1 to 500; 100 unless told.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u16>,
}

/// From where to follow a log.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowQuery {
    /// After this place; from the beginning unless told.
    #[serde(default)]
    pub after: Option<Seq>,
}

/// Where one's inbox is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inbox {
    /// Its log.
    pub log: LogId,
}

/// Reads along by a link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkedRequest {
    /// The code in the link.
    pub code: Code,
    /// What comes after this place.
    #[serde(default)]
    pub after: Option<Seq>,
    /// What comes before this place, instead.
    #[serde(default)]
    pub before: Option<Seq>,
    /// How many entries to look through, 1 to 500; 100 unless told.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u16>,
}

/// Entries of a log, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entries {
    /// Which life of the data they are from.
    pub generation: crate::Generation,
    /// The entries.
    pub items: Vec<Entry>,
    /// The last entry that there is.
    pub head: Seq,
}

/// A link that lets whoever has it read along. It is shown once.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ShareLink {
    /// The link.
    pub link: String,
}

/// A conversation, as somebody with the link sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkedConversation {
    /// What it is called.
    pub title: String,
    /// What was said, without what tools put out.
    pub items: Vec<Entry>,
    /// The last entry that there is.
    pub head: Seq,
}

/// What to look for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// Words that must all be there; `"words in this order"`, `begin*`, `-unwanted`.
    #[schemars(length(min = 1, max = 200))]
    pub q: String,
    /// The `next` of the page before; not with `ranked`.
    #[serde(default)]
    pub after: Option<String>,
    /// Best match first among the newest ten thousand, instead of newest first.
    #[serde(default)]
    pub ranked: bool,
    /// Only in this conversation.
    #[serde(default)]
    pub conversation_id: Option<LogId>,
    /// Only what this person said.
    #[serde(default)]
    pub author: Option<UserId>,
    /// Only what is of this kind.
    #[serde(default)]
    pub kind: Option<FoundKind>,
    /// Only what was said at this time or later.
    #[serde(default)]
    pub since: Option<Time>,
    /// Only what was said before this time.
    #[serde(default)]
    pub until: Option<Time>,
    /// How many, 1 to 100; 20 unless told.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<u16>,
}

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoundKind {
    /// What a person said.
    UserMessage,
    /// What an agent answered.
    AssistantReply,
    /// What a tool answered.
    ToolResult,
    /// What a conversation was called.
    Title,
}

/// A part of a text in which something was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnippetPiece {
    /// The text.
    pub text: String,
    /// It is what was looked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hit: bool,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// In which conversation.
    pub conversation_id: LogId,
    /// What that is called.
    pub title: String,
    /// Which entry.
    pub seq: Seq,
    /// What it is.
    pub kind: FoundKind,
    /// When it was said.
    pub at: Time,
    /// Who said it.
    pub author: Author,
    /// The words, with what is around them.
    pub snippet: Vec<SnippetPiece>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConversationRole::{Editor, Owner, Viewer};

    #[test]
    fn the_workspace_is_the_boundary() {
        let nobody = RoleFacts::default();
        assert_eq!(nobody.role(), None);
        assert_eq!(RoleFacts { own_workspace: true, ..nobody }.role(), Some(Owner));
        let guest = RoleFacts { member: Some(Editor), ..nobody };
        assert_eq!(guest.role(), Some(Editor));
        assert_eq!(RoleFacts { shared: Some(Owner), ..guest }.role(), Some(Owner));
        // In a team's workspace nobody from outside takes part, whatever they were given once.
        let in_team = RoleFacts { in_team_workspace: true, member: Some(Owner), ..nobody };
        assert_eq!(in_team.role(), None);
        let as_role = |role| RoleFacts { team_role: Some(role), ..in_team };
        assert_eq!(as_role(Role::Viewer).role(), Some(Viewer));
        assert_eq!(as_role(Role::Member).role(), Some(Owner));
        let not_asked = RoleFacts { member: None, ..as_role(Role::Member) };
        assert_eq!(not_asked.role(), None, "a member of the team who takes no part");
        assert_eq!(RoleFacts { member: None, ..as_role(Role::Owner) }.role(), Some(Owner));
    }
}
