//! Who may do what: one pure rule, and the only permission check there is.
//!
//! The caller loads the facts (which role, whose thing) and asks. A foreign thing is `Hidden`: it must be answered
//! exactly like one that does not exist. `Forbidden` is only for those who may know of it.

use crate::{SessionId, TokenId, UserId, conversation::ConversationRole, team::Role, token::Scope};
use std::collections::BTreeSet;

/// Who is asking, after login. Nothing is done without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person, or a program that carries a person's token.
    User(Person),
    /// The one who runs the program on its own machine, or the gateway itself.
    System,
}

/// A person and how they proved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// Administers this server.
    pub admin: bool,
    /// By what they proved it.
    pub grant: Grant,
}

/// By what somebody proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// A login in a browser: everything the person may do.
    Session(SessionId),
    /// A token: at most what its scopes say.
    Token(TokenId, BTreeSet<Scope>),
}

/// What a door asks for before it looks at anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Public,
    /// A login; of a token, this scope.
    Login(Scope),
    /// A login in a browser. What guards the account itself is not for programs: a stolen token must not be able
    /// to make itself permanent.
    Session,
    /// An admin; of a token, the admin scope.
    Admin,
    /// An admin's login in a browser. What makes or takes over accounts is not for programs: with it, a stolen token
    /// could become its owner.
    AdminSession,
    /// An admin; of a token, the metrics scope.
    Metrics,
    /// The control socket.
    Operator,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Look at one's own account, sessions, tokens.
    SeeOwn,
    /// Change one's own account; end one's sessions and tokens.
    ChangeOwn,
    /// Change how one proves who one is: password, tokens, linked identities, deletion.
    GuardOwn,
    /// Look after accounts, invitations and quotas of this server.
    Administer,
    /// Change who can log in to this server, and as whom: make, invite and delete accounts, recover them, make admins.
    GuardServer,
    /// Read and verify the audit log.
    ReadAudit,
    /// Read the metrics.
    ReadMetrics,
    /// Back up, change keys, mend accounts from the machine itself.
    Operate,
    /// Make a team.
    CreateTeam,
    /// See a team and who belongs to it.
    SeeTeam,
    /// Rename or delete a team, change who belongs to it.
    ChangeTeam,
    /// Leave a team.
    LeaveTeam,
    /// See a workspace and what is in it.
    ReadWorkspace,
    /// Change what is in a workspace.
    WriteWorkspace,
    /// See which secrets a workspace holds, never their values.
    SeeSecrets,
    /// Set and delete a workspace's secrets.
    ChangeSecrets,
    /// Read a conversation.
    ReadConversation,
    /// Say something in a conversation, and look after its title, tags and pins.
    WriteConversation,
    /// Change who takes part in a conversation, move it, delete it.
    ChangeConversation,
    /// Take oneself out of a conversation; note how far one has read.
    KeepConversation,
    /// Follow one's own inbox.
    ReadInbox,
    /// Call models in a workspace.
    CallModels,
    /// See which providers of models, rules and budgets there are, never keys.
    SeeRouting,
    /// Change a workspace's providers of models and rules, or the server's.
    ChangeRouting,
}

/// What it is to be done to, with the facts that decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// The server as a whole.
    Server,
    /// Something that belongs to one person's account.
    Own {
        /// Whose it is.
        owner: UserId,
    },
    /// A team.
    Team {
        /// The actor's role in it.
        role: Option<Role>,
    },
    /// A workspace.
    Workspace {
        /// The actor's role in it; the owner's of a personal one is `Owner`.
        role: Option<Role>,
    },
    /// A conversation.
    Conversation {
        /// The actor's role in it.
        role: Option<ConversationRole>,
    },
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// Answer as if it did not exist.
    #[error("there is no such thing")]
    Hidden,
    /// The actor may know of it, but not do this.
    #[error("this is not for you to do")]
    Forbidden,
    /// The token does not have this scope.
    #[error("the token does not have the scope `{0}`")]
    MissingScope(Scope),
    /// A token was used for what only a login in a browser may do.
    #[error("this takes a login in a browser, not a token")]
    NeedsSession,
}

impl Action {
    /// What any door to this must ask for.
    pub const fn needs(self) -> Needs {
        match self {
            Action::SeeOwn
            | Action::SeeTeam
            | Action::ReadWorkspace
            | Action::SeeSecrets
            | Action::ReadConversation
            | Action::ReadInbox
            | Action::SeeRouting => Needs::Login(Scope::Read),
            Action::CallModels => Needs::Login(Scope::Models),
            Action::ChangeOwn
            | Action::CreateTeam
            | Action::ChangeTeam
            | Action::LeaveTeam
            | Action::WriteWorkspace
            | Action::ChangeSecrets
            | Action::WriteConversation
            | Action::ChangeConversation
            | Action::KeepConversation
            | Action::ChangeRouting => Needs::Login(Scope::Write),
            Action::GuardOwn => Needs::Session,
            Action::Administer | Action::ReadAudit => Needs::Admin,
            Action::GuardServer => Needs::AdminSession,
            Action::ReadMetrics => Needs::Metrics,
            Action::Operate => Needs::Operator,
        }
    }
}

/// Whether this actor passes a door that needs this, whatever lies behind it.
pub fn meets(actor: &Actor, needs: Needs) -> Result<(), Denial> {
    let Actor::User(person) = actor else { return Ok(()) };
    let scope = match needs {
        Needs::Public => return Ok(()),
        Needs::Operator => return Err(Denial::Hidden),
        Needs::Admin | Needs::AdminSession | Needs::Metrics if !person.admin => {
            return Err(Denial::Forbidden);
        }
        Needs::Session | Needs::AdminSession => {
            return match person.grant {
                Grant::Session(_) => Ok(()),
                Grant::Token(..) => Err(Denial::NeedsSession),
            };
        }
        Needs::Admin => Scope::Admin,
        Needs::Metrics => Scope::Metrics,
        Needs::Login(scope) => scope,
    };
    match &person.grant {
        Grant::Session(_) => Ok(()),
        Grant::Token(_, scopes) if scopes.contains(&scope) => Ok(()),
        Grant::Token(..) => Err(Denial::MissingScope(scope)),
    }
}

/// Whether this actor may do this to that.
pub fn may(actor: &Actor, action: Action, object: &Object) -> Result<(), Denial> {
    meets(actor, action.needs())?;
    let Actor::User(person) = actor else { return Ok(()) };
    match (action, object) {
        // `meets` has already asked for the admin, or for nothing more than a login.
        (
            Action::Administer
            | Action::GuardServer
            | Action::ReadAudit
            | Action::ReadMetrics
            | Action::CreateTeam,
            Object::Server,
        ) => Ok(()),
        (
            Action::SeeOwn | Action::ChangeOwn | Action::GuardOwn | Action::ReadInbox,
            Object::Own { owner },
        ) => {
            if *owner == person.id {
                Ok(())
            } else {
                Err(Denial::Hidden)
            }
        }
        (Action::SeeTeam | Action::LeaveTeam, Object::Team { role }) => {
            at_least(*role, Role::Viewer)
        }
        (Action::ChangeTeam, Object::Team { role }) => at_least(*role, Role::Owner),
        (Action::ReadWorkspace, Object::Workspace { role }) => at_least(*role, Role::Viewer),
        (Action::SeeRouting, Object::Workspace { role }) => at_least(*role, Role::Viewer),
        (
            Action::WriteWorkspace | Action::SeeSecrets | Action::CallModels,
            Object::Workspace { role },
        ) => at_least(*role, Role::Member),
        (Action::ChangeSecrets | Action::ChangeRouting, Object::Workspace { role }) => {
            at_least(*role, Role::Owner)
        }
        (Action::ReadConversation | Action::KeepConversation, Object::Conversation { role }) => {
            at_least(*role, ConversationRole::Viewer)
        }
        (Action::WriteConversation, Object::Conversation { role }) => {
            at_least(*role, ConversationRole::Editor)
        }
        (Action::ChangeConversation, Object::Conversation { role }) => {
            at_least(*role, ConversationRole::Owner)
        }
        // What is not named above is not allowed.
        _ => Err(Denial::Hidden),
    }
}

fn at_least<R: Ord>(role: Option<R>, wanted: R) -> Result<(), Denial> {
    match role {
        None => Err(Denial::Hidden),
        Some(role) if role >= wanted => Ok(()),
        Some(_) => Err(Denial::Forbidden),
    }
}

#[cfg(test)]
mod tests;
