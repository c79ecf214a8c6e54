//! What a person asks for. The same command with the same id has one effect, however often it arrives.

use crate::{
    CommandId, Label, LogId, MessageText, ProjectId, Seq, Tag, TeamId, UserId, WorkspaceId,
    conversation::ConversationRole,
    entry::{Attachment, Origin},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident $kind:literal { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        /// What a person asks for.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", deny_unknown_fields)]
        pub enum Command {$(
            $(#[$doc])*
            #[serde(rename = $kind)]
            $name {
                $($(#[$field_meta])* $field: $type,)*
            },
        )*}

        /// Every kind of command that this version understands, for the welcome and for clients' menus.
        pub const MANIFEST: &[&str] = &[$($kind),*];
    };
}

commands! {
    /// Begin a conversation.
    CreateConversation "create_conversation" {
        /// Where; one's own workspace unless told.
        #[serde(default)]
        workspace_id: Option<WorkspaceId>,
        /// What to call it; "New conversation" unless told.
        #[serde(default)]
        title: Option<Label>,
    }
    /// Say something.
    SendMessage "send_message" {
        /// Where.
        log: LogId,
        /// What.
        text: MessageText,
        /// Files with it; they must be in the conversation's workspace already.
        #[serde(default)]
        attachments: Vec<Attachment>,
        /// The message that it answers.
        #[serde(default)]
        reply_to: Option<Seq>,
        /// Where it came from.
        #[serde(default)]
        origin: Origin,
    }
    /// Say one's own message differently: in a new conversation, which has all that came before it.
    EditMessage "edit_message" {
        /// Where.
        log: LogId,
        /// Which message.
        seq: Seq,
        /// What to say instead.
        text: MessageText,
    }
    /// Begin a conversation with what this one has said so far, or up to a place.
    Fork "fork" {
        /// Which.
        log: LogId,
        /// Up to here; to its end unless told.
        #[serde(default)]
        at: Option<Seq>,
        /// Where it is to live; one's own workspace unless told.
        #[serde(default)]
        workspace_id: Option<WorkspaceId>,
        /// What to call it; as the other one unless told.
        #[serde(default)]
        title: Option<Label>,
    }
    /// Give a conversation another title.
    Rename "rename" {
        /// Which.
        log: LogId,
        /// The new title.
        title: Label,
    }
    /// Put a conversation away.
    Archive "archive" {
        /// Which.
        log: LogId,
    }
    /// Take it out again.
    Unarchive "unarchive" {
        /// Which.
        log: LogId,
    }
    /// Delete a conversation with all that was said in it.
    DeleteConversation "delete_conversation" {
        /// Which.
        log: LogId,
    }
    /// File it under these tags, and no others.
    SetTags "set_tags" {
        /// Which.
        log: LogId,
        /// All of them.
        #[schemars(length(max = 20))]
        tags: Vec<Tag>,
    }
    /// Take it to another workspace or project.
    Move "move" {
        /// Which.
        log: LogId,
        /// Where to.
        workspace_id: WorkspaceId,
        /// Which project there.
        #[serde(default)]
        project_id: Option<ProjectId>,
    }
    /// Let somebody take part, or change what they may do.
    SetMember "set_member" {
        /// Where.
        log: LogId,
        /// Who.
        user_id: UserId,
        /// What they may do.
        role: ConversationRole,
    }
    /// Let somebody no longer take part. Anybody may take themselves out.
    RemoveMember "remove_member" {
        /// Where.
        log: LogId,
        /// Who.
        user_id: UserId,
    }
    /// Let a team of one's own take part.
    ShareTeam "share_team" {
        /// Which conversation.
        log: LogId,
        /// Which team.
        team_id: TeamId,
        /// What its members may do, at most.
        role: ConversationRole,
    }
    /// Let it no longer take part.
    UnshareTeam "unshare_team" {
        /// Which conversation.
        log: LogId,
        /// Which team.
        team_id: TeamId,
    }
    /// Let the link no longer work. (It is made by an HTTP route of its own, because it is shown once.)
    CloseLink "close_link" {
        /// Which conversation.
        log: LogId,
    }
    /// Pin a message.
    Pin "pin" {
        /// Where.
        log: LogId,
        /// Which.
        seq: Seq,
    }
    /// Pin it no longer.
    Unpin "unpin" {
        /// Where.
        log: LogId,
        /// Which.
        seq: Seq,
    }
    /// Note how far one has read.
    MarkRead "mark_read" {
        /// Where.
        log: LogId,
        /// Up to here.
        seq: Seq,
    }
}

impl Command {
    /// Whether whoever did it may no longer see what they did it to.
    pub const fn ends_own_access(&self) -> bool {
        matches!(self, Command::DeleteConversation { .. } | Command::RemoveMember { .. })
    }
}

/// A command with the id that its client gave it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// Made by the client, once per command, and sent again with it until there is an answer.
    pub command_id: CommandId,
    /// What is asked for.
    pub command: Command,
}
