//! What laws put into a store: people, teams, and a store that holds one of everything.

use crate::place::{NOW, Place};
use bytes::Bytes;
use mosaic_protocol::{
    AccountName, CommandId, LogId, ModelProviderId, RuleId, Seq, Tag, TeamId, UserId, WorkspaceId,
    access::Actor,
    account::User,
    budget::{Period, Subject},
    conversation::ConversationRole,
    entry::Fact,
    log::{Author, LogKind},
    provider::{Api, CredentialKind, ProviderKind},
    rule::{Action, Rule, RuleOverride, RuleScope},
    team::{Role, Team},
    token::Scope,
};
use mosaic_store::{
    Result, Store, audit,
    batch::{Append, Batch, CommandKey, NewEntry, NewLog},
    budgets, conversations, identities, invites,
    ledger::{Call, Hold, Ledger},
    links, providers, rules, secrets, sessions, teams, tokens, users, workspaces,
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

pub(crate) fn name(text: &str) -> AccountName {
    AccountName::try_from(text.to_owned()).unwrap()
}

/// What is stored of a password, with a salt that can be found again.
pub(crate) fn hash(salt: &str) -> String {
    format!("$argon2id$v=19$m=19456,t=2,p=1${salt}$aGFzaA")
}

pub(crate) async fn try_user(store: &Store, account: &str, display_name: &str) -> Result<User> {
    let mut tx = store.write().await?;
    let name = name(account);
    let new =
        users::NewUser { name: &name, display_name, password: Some(&hash("c2FsdA")), admin: false };
    let user = users::create(store, &mut tx, new).await?;
    tx.commit().await?;
    Ok(user)
}

/// A person and their own workspace.
pub(crate) async fn user(store: &Store, account: &str) -> (UserId, WorkspaceId) {
    let user = try_user(store, account, account).await.unwrap();
    (user.id, personal(store, user.id).await)
}

pub(crate) async fn personal(store: &Store, user_id: UserId) -> WorkspaceId {
    let mut tx = store.read().await.unwrap();
    workspaces::personal(&mut tx, user_id).await.unwrap().unwrap()
}

pub(crate) async fn team(store: &Store, name: &str, owner: UserId) -> Team {
    let mut tx = store.write().await.unwrap();
    let team = teams::create(store, &mut tx, name, owner).await.unwrap();
    tx.commit().await.unwrap();
    team
}

pub(crate) async fn join(store: &Store, team: &Team, user_id: UserId, role: Role) -> Result<()> {
    let mut tx = store.write().await?;
    teams::join(&mut tx, team.id, user_id, role, store.ambient().now()).await?;
    tx.commit().await
}

pub(crate) async fn delete_user(store: &Store, user_id: UserId) {
    let own = personal(store, user_id).await;
    let mut tx = store.write().await.unwrap();
    users::delete(&mut tx, user_id).await.unwrap();
    store.commit_and_forget(tx, vec![own]).await.unwrap();
}

pub(crate) async fn put_secret(store: &Store, workspace: WorkspaceId, name: &str, value: &str) {
    let mut tx = store.write().await.unwrap();
    secrets::put(store, &mut tx, workspace, name, "api.example.com", value).await.unwrap();
    tx.commit().await.unwrap();
}

/// A secret's value, or why it does not open.
pub(crate) async fn open_secret(
    store: &Store,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Option<String>> {
    let mut tx = store.read().await?;
    let opened = secrets::open(store, &mut tx, workspace, name).await?;
    Ok(opened.map(|(value, _)| String::from_utf8(value.to_vec()).unwrap()))
}

/// Notes something in the audit log.
pub(crate) async fn note(store: &Store, detail: &str) {
    let mut tx = audit::begin(store).await.unwrap();
    append(store, &mut tx, detail).await;
    tx.commit().await.unwrap();
}

pub(crate) async fn append(store: &Store, tx: &mut mosaic_store::Tx, detail: &str) {
    let record = audit::Record {
        actor: Some(&Actor::System),
        deed: mosaic_protocol::audit::Deed::Backup,
        of: mosaic_protocol::audit::Of::Server,
        detail: detail.to_owned(),
    };
    audit::append(store, tx, record).await.unwrap();
}

/// Waits for what others do in the background: `while !done { patience.more().await }`.
pub(crate) struct Patience(Instant);

impl Patience {
    pub(crate) fn new() -> Patience {
        Patience(Instant::now() + Duration::from_secs(20))
    }

    pub(crate) async fn more(&self) {
        assert!(Instant::now() < self.0, "waited in vain");
        tokio::task::yield_now().await;
    }
}

/// Bytes that are easy to tell apart and do not repeat.
pub(crate) fn bytes(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}

/// One person with one of everything that a person can have, each of it marked with `mark`.
pub(crate) async fn everything(store: &Store, mark: &str) -> (UserId, WorkspaceId) {
    let user_id = try_user(store, &format!("u-{mark}"), &format!("U {mark}")).await.unwrap().id;
    let workspace = personal(store, user_id).await;
    let later = NOW.plus_days(1);
    let ambient = store.ambient();
    let mut tx = audit::begin(store).await.unwrap();
    users::set_password(&mut tx, user_id, &hash(mark)).await.unwrap();
    let (agent, address) = (format!("Agent {mark}"), format!("10.0.0.1 {mark}"));
    let new = sessions::NewSession { user_id, expires_at: later, agent: &agent, address: &address };
    sessions::create(ambient, &mut tx, new).await.unwrap();
    let scopes = BTreeSet::from([Scope::Read, Scope::Write]);
    tokens::create(ambient, &mut tx, user_id, &format!("token {mark}"), &scopes, later)
        .await
        .unwrap();
    let team = teams::create(store, &mut tx, "Weavers", user_id).await.unwrap();
    let new = invites::NewInvite {
        made_by: Some(user_id),
        creates_account: true,
        team: Some((team.id, Role::Viewer)),
        expires_at: later,
    };
    invites::create(store, &mut tx, new).await.unwrap();
    links::create(store, &mut tx, links::Purpose::Recovery(user_id), later).await.unwrap();
    identities::link(ambient, &mut tx, user_id, "idp", &format!("subject {mark}")).await.unwrap();
    let flow = identities::Flow {
        provider: "idp".to_owned(),
        nonce: format!("nonce {mark}"),
        verifier: format!("verifier {mark}"),
        user_id: Some(user_id),
        expires_at: later,
    };
    identities::put_flow(&mut tx, format!("flow {mark}").as_bytes(), &flow).await.unwrap();
    let (name, host) = (format!("KEY-{mark}"), format!("{mark}.example.com"));
    let value = format!("value {mark}");
    secrets::put(store, &mut tx, workspace, &name, &host, &value).await.unwrap();
    append(store, &mut tx, &format!("user:{user_id}")).await;
    tx.commit().await.unwrap();
    store.put_blob(workspace, &format!("blob {mark}").into()).await.unwrap();
    store.put_blob(workspace, &Bytes::new()).await.unwrap();
    store.put_blob(team.workspace_id, &bytes(7, 2_500_000)).await.unwrap();
    talk(store, user_id, workspace, team.id, mark).await;
    call(store, user_id, workspace, mark).await;
    (user_id, workspace)
}

/// A provider, a rule, what one makes of another, a budget, and a call that is held against it.
async fn call(store: &Store, user_id: UserId, workspace: WorkspaceId, mark: &str) {
    let stored = providers::Stored {
        id: store.ambient().id(ModelProviderId::new),
        workspace_id: Some(workspace),
        name: format!("p-{mark}").to_lowercase().replace('_', "-").try_into().unwrap(),
        kind: ProviderKind::Compatible,
        api: Api::Chat,
        base_url: "https://models.example.com/v1".into(),
        enabled: true,
        credential: CredentialKind::Key,
        hint: "…".into(),
        updated_at: NOW,
    };
    let mut tx = store.write().await.unwrap();
    let key = format!("value {mark}");
    let written = providers::Written { stored: &stored, credential: Some(&key) };
    providers::insert(store, &mut tx, &written).await.unwrap();
    let rule = |workspace_id| Rule {
        id: store.ambient().id(RuleId::new),
        name: format!("Rule {mark}").try_into().unwrap(),
        scope: RuleScope::System,
        workspace_id,
        priority: 1,
        enabled: true,
        when: vec![],
        then: Action {
            system_prompt: Some("Answer briefly.\nOr not.".into()),
            ..Action::default()
        },
    };
    // It is everybody's, and stays when a person goes.
    let system = Rule { name: "Rule".to_owned().try_into().unwrap(), ..rule(None) };
    rules::put(store, &mut tx, &system).await.unwrap();
    rules::put(store, &mut tx, &rule(Some(workspace))).await.unwrap();
    let made = RuleOverride { workspace_id: workspace, enabled: Some(false), then: None };
    rules::put_override(&mut tx, system.id, &made).await.unwrap();
    let subject = Subject::User(user_id);
    budgets::put(store, &mut tx, &subject, Period::Day, Some(1000), Some(1000)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let budget = budgets::of(&mut tx, &subject, NOW).await.unwrap().remove(0);
    drop(tx);
    let call = Call {
        holds: vec![Hold::from(&budget)],
        route: r#"{"reason":"so"}"#.into(),
        ..crate::spending::call(store, user_id, workspace, (10, 5))
    };
    let ledger = Ledger::start(store.clone());
    ledger.hold(call.clone()).await.unwrap().unwrap();
    ledger.settle(crate::spending::done(&call, 7, 3)).await;
    ledger.flush().await;
}

/// A conversation with one of everything.
async fn talk(
    store: &Store,
    user_id: UserId,
    workspace_id: WorkspaceId,
    team_id: TeamId,
    mark: &str,
) {
    use crate::logs::{label, said};
    let me = || Author::User { id: user_id };
    let [id, inbox] = [(); 2].map(|()| store.ambient().id(LogId::new));
    let new = |id, kind| NewLog { id, kind, workspace_id, copy_of: None };
    let facts = [
        Fact::Began { title: label(&format!("Title {mark}")), workspace_id },
        said(user_id, &format!("words {mark}")).1,
        Fact::Tagged { tags: vec![Tag::try_from(format!("tag {mark}")).unwrap()] },
        Fact::Pinned { seq: Seq(2) },
        Fact::TeamShared { team_id, role: ConversationRole::Viewer },
    ];
    let entry = |fact| NewEntry { author: me(), at: None, fact };
    let entries = facts.into_iter().map(entry).collect();
    let key = CommandKey {
        actor: format!("user:{user_id}"),
        id: store.ambient().id(CommandId::new),
        digest: vec![1; 32],
    };
    let batch = Batch {
        command: Some(key),
        new_logs: vec![new(id, LogKind::Conversation), new(inbox, LogKind::Inbox)],
        appends: vec![
            Append { log: id, term: None, entries },
            Append::one(inbox, Author::System, Fact::SharedWithMe { log: id }),
        ],
        ..Batch::default()
    };
    store.commit(batch).await.unwrap();
    let mut tx = store.write().await.unwrap();
    conversations::mark_read(&mut tx, user_id, id, Seq(2)).await.unwrap();
    tx.commit().await.unwrap();
}

/// The store of a place with one of everything in it, closed again.
pub(crate) async fn filled(place: &Place, mark: &str) -> (UserId, WorkspaceId) {
    let store = place.open().await;
    let made = everything(&store, mark).await;
    store.close().await;
    made
}
