//! The audit log as readers see it: who did what to what, by ids only, each entry bound to the one before.

use crate::{
    BudgetId, IdentityId, InviteId, ModelProviderId, RuleId, SecretId, SessionId, TeamId, Time,
    TokenId, UserId, WorkspaceId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! deeds {
    ($($(#[$doc:meta])* $name:ident $text:literal)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Deed {
            $($(#[$doc])* $name,)*
        }

        impl Deed {
            /// Its name in the log. Once written, it is never changed.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Deed::$name => $text,)*
                }
            }
        }
    };
}

deeds! {
    /// The first admin was made.
    Setup "setup"
    /// A link for making the first admin was made.
    CreateSetup "create_setup"
    /// Somebody logged in.
    Login "login"
    /// Somebody tried to.
    LoginFailed "login_failed"
    /// Somebody logged out.
    Logout "logout"
    /// A session was ended from another.
    EndSession "end_session"
    /// All other sessions were ended.
    EndSessions "end_sessions"
    /// A new password was chosen.
    SetPassword "set_password"
    /// A new password was chosen by a one-time link.
    Recover "recover"
    /// A token was made.
    CreateToken "create_token"
    /// A token was ended.
    DeleteToken "delete_token"
    /// An account at a provider was linked.
    LinkIdentity "link_identity"
    /// An account at a provider was unlinked.
    UnlinkIdentity "unlink_identity"
    /// An account was made for somebody.
    CreateUser "create_user"
    /// An account was made for somebody whom a provider vouched for.
    SignUp "sign_up"
    /// An account was made with an invitation.
    AcceptInvite "accept_invite"
    /// Somebody became an admin, or no longer is one.
    ChangeUser "change_user"
    /// An account was suspended.
    SuspendUser "suspend_user"
    /// An account can be used again.
    ResumeUser "resume_user"
    /// A link for a new password was made.
    CreateRecovery "create_recovery"
    /// An account was deleted.
    DeleteUser "delete_user"
    /// A team was made.
    CreateTeam "create_team"
    /// A team got another name.
    RenameTeam "rename_team"
    /// A team was deleted.
    DeleteTeam "delete_team"
    /// Somebody joined a team with an invitation.
    JoinTeam "join_team"
    /// Somebody got a role in a team.
    SetMember "set_member"
    /// Somebody left a team, or was taken out.
    DeleteMember "delete_member"
    /// An invitation was made.
    CreateInvite "create_invite"
    /// An invitation was taken back.
    DeleteInvite "delete_invite"
    /// A secret was set.
    PutSecret "put_secret"
    /// A secret was deleted.
    DeleteSecret "delete_secret"
    /// A quota was changed.
    SetQuota "set_quota"
    /// A backup was written.
    Backup "backup"
    /// A backup was restored.
    Restore "restore"
    /// The master key was changed.
    RotateSecrets "rotate_secrets"
    /// A provider of models was set up.
    AddProvider "add_provider"
    /// A provider of models was changed.
    ChangeProvider "change_provider"
    /// A provider of models was removed.
    DeleteProvider "delete_provider"
    /// A rule of routing was made or changed.
    PutRule "put_rule"
    /// A rule of routing was deleted.
    DeleteRule "delete_rule"
    /// Rules were put into another order.
    OrderRules "order_rules"
    /// A workspace made something else of a rule.
    OverrideRule "override_rule"
    /// A budget was set.
    PutBudget "put_budget"
    /// A budget was taken away.
    DeleteBudget "delete_budget"
}

/// To what it was done: an id, and nothing else, so that the log never has to forget anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The server as a whole, or nothing that has an id.
    Server,
    /// An account.
    User(UserId),
    /// A team.
    Team(TeamId),
    /// A workspace.
    Workspace(WorkspaceId),
    /// A session.
    Session(SessionId),
    /// A token.
    Token(TokenId),
    /// An invitation.
    Invite(InviteId),
    /// A linked identity.
    Identity(IdentityId),
    /// A secret.
    Secret(SecretId),
    /// A provider of models.
    Provider(ModelProviderId),
    /// A rule of routing.
    Rule(RuleId),
    /// A budget.
    Budget(BudgetId),
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Of::Server => Ok(()),
            Of::User(id) => write!(f, "user:{id}"),
            Of::Team(id) => write!(f, "team:{id}"),
            Of::Workspace(id) => write!(f, "workspace:{id}"),
            Of::Session(id) => write!(f, "session:{id}"),
            Of::Token(id) => write!(f, "token:{id}"),
            Of::Invite(id) => write!(f, "invite:{id}"),
            Of::Identity(id) => write!(f, "identity:{id}"),
            Of::Secret(id) => write!(f, "secret:{id}"),
            Of::Provider(id) => write!(f, "provider:{id}"),
            Of::Rule(id) => write!(f, "rule:{id}"),
            Of::Budget(id) => write!(f, "budget:{id}"),
        }
    }
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// Its place: 1, 2, 3, without gaps.
    pub seq: i64,
    /// When.
    pub at: Time,
    /// Who: `user:<id>`, `system`, or `nobody` before a login.
    pub actor: String,
    /// What: `login`, `suspend_user`…
    pub action: String,
    /// To what: `team:<id>`…
    pub object: String,
    /// More ids, never names or contents.
    pub detail: String,
    /// Binds this entry to all before it.
    pub digest: String,
}

/// Whether the chain is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditReport {
    /// How many entries were checked.
    pub entries: i64,
    /// The last digest. Note it elsewhere: a log cut at its end can only be told from outside.
    pub head: String,
    /// The first entry that does not fit, if any.
    pub broken_at: Option<i64>,
    /// In words.
    pub message: String,
}

/// Which entries to check the chain against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditVerifyQuery {
    /// A `seq:digest` noted earlier, which must still be in the chain.
    #[serde(default)]
    pub expect: Option<String>,
}
