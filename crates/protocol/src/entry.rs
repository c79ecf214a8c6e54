//! The closed set of facts that an entry can tell. How it may grow is written in `log.rs`.

use crate::{
    BlobHash, DraftId, Label, LogId, MessageText, ProjectId, Seq, Tag, TeamId, UserId, WorkspaceId,
    conversation::ConversationRole,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file that an entry refers to: a blob of the log's workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Its SHA-256.
    pub hash: BlobHash,
    /// What it was called.
    pub name: Label,
    /// Its type, such as `image/png`; never believed when it is shown.
    #[serde(default)]
    pub media_type: String,
}

/// Where a message came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// Which surface: `web`, `tui`, `api`, `matrix`…
    #[serde(default)]
    pub surface: String,
    /// Its id there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Passed on by a program, not typed by the person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relayed: bool,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident $kind:literal { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        /// What happened.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", content = "body")]
        pub enum Fact {$(
            $(#[$doc])*
            #[serde(rename = $kind)]
            $name {
                $($(#[$field_meta])* $field: $type,)*
            },
        )*}

        impl Fact {
            /// Every kind, in the order in which it came.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// Its name in the database and in JSON.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Fact::$name { .. } => $kind,)*
                }
            }
        }
    };
}

facts! {
    /// A conversation began: the first entry of its log.
    Began "began" {
        /// What it is called.
        title: Label,
        /// Where it lives.
        workspace_id: WorkspaceId,
    }
    /// A conversation began with what another one had said: the entries before this one, which were told there. Who
    /// takes part, tags and pins begin anew here.
    Forked "forked" {
        /// The other one.
        parent: LogId,
        /// The place there up to which it was copied.
        at: Seq,
        /// The message there that is said differently from here on, if it was an edit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edited: Option<Seq>,
        /// What it is called.
        title: Label,
        /// Where it lives.
        workspace_id: WorkspaceId,
    }
    /// A conversation began from a file; the messages that follow keep the times that it gave.
    Imported "imported" {
        /// What it is called.
        title: Label,
        /// Where it lives.
        workspace_id: WorkspaceId,
    }
    /// A person, or a program with their token, said something.
    UserMessage "user_message" {
        /// What.
        text: MessageText,
        /// Files with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
        /// The message that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
        /// Where it came from.
        #[serde(default)]
        origin: Origin,
    }
    /// An agent answered.
    AssistantReply "assistant_reply" {
        /// What it said.
        text: MessageText,
        /// The draft that it settles.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        draft_id: Option<DraftId>,
        /// It was cut short: by a stop, a failure, or a stream without a proper end.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        incomplete: bool,
    }
    /// What a tool answered, as far as it is kept in the log.
    ToolResult "tool_result" {
        /// Which tool.
        tool: String,
        /// What it answered.
        text: MessageText,
    }
    /// The conversation has another title.
    Renamed "renamed" {
        /// The new one.
        title: Label,
    }
    /// The conversation was put away.
    Archived "archived" {}
    /// The conversation was taken out again.
    Unarchived "unarchived" {}
    /// The conversation has these tags, and no others.
    Tagged "tagged" {
        /// All of them.
        tags: Vec<Tag>,
    }
    /// The conversation belongs to another workspace or project.
    Moved "moved" {
        /// Where it lives now.
        workspace_id: WorkspaceId,
        /// The project in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        project_id: Option<ProjectId>,
    }
    /// Somebody became a member, or has another role.
    MemberSet "member_set" {
        /// Who.
        user_id: UserId,
        /// What they may do.
        role: ConversationRole,
    }
    /// Somebody is no longer a member.
    MemberRemoved "member_removed" {
        /// Who.
        user_id: UserId,
    }
    /// A team may take part.
    TeamShared "team_shared" {
        /// Which.
        team_id: TeamId,
        /// What its members may do, at most.
        role: ConversationRole,
    }
    /// A team may no longer take part.
    TeamUnshared "team_unshared" {
        /// Which.
        team_id: TeamId,
    }
    /// Whoever has the link may read along.
    LinkOpened "link_opened" {}
    /// The link no longer works.
    LinkClosed "link_closed" {}
    /// A message was pinned.
    Pinned "pinned" {
        /// Which.
        seq: Seq,
    }
    /// A message is no longer pinned.
    Unpinned "unpinned" {
        /// Which.
        seq: Seq,
    }
    /// In an inbox: a conversation was shared with its owner.
    SharedWithMe "shared_with_me" {
        /// Which.
        log: LogId,
    }
    /// In an inbox: a conversation was taken away, or deleted.
    TakenAway "taken_away" {
        /// Which.
        log: LogId,
    }
    /// In an inbox: something waits for its owner.
    NeedsMe "needs_me" {
        /// Where.
        log: LogId,
        /// The entry that asks.
        seq: Seq,
    }
    /// The body was erased; that there was an entry stays.
    Erased "erased" {
        /// What kind it was.
        was: String,
    }
}
