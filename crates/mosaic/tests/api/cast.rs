//! People who own one of everything that a route can name, and names of things that never were.

use crate::support::*;
use mosaic_server::Kind;
use serde_json::json;
use sha2::{Digest, Sha256};

/// Every kind of thing.
pub(crate) const KINDS: [Kind; 17] = [
    Kind::User,
    Kind::Team,
    Kind::Workspace,
    Kind::Session,
    Kind::Token,
    Kind::Invite,
    Kind::Identity,
    Kind::Log,
    Kind::Blob,
    Kind::SecretName,
    Kind::LoginProvider,
    Kind::AccountName,
    Kind::ModelName,
    Kind::ModelProvider,
    Kind::ProviderLogin,
    Kind::Rule,
    Kind::Budget,
];

/// The login provider in the tests' configuration. It does not answer.
pub(crate) const PROVIDER: &str = "elsewhere";

/// Where a provider of models is that never answers.
pub(crate) const NOWHERE: &str = "https://127.0.0.1:1/v1";

/// What a gateway needs to know to have both.
pub(crate) const PROVIDER_SETTINGS: &[(&str, &str)] = &[
    ("providers.private_hosts", "127.0.0.1:1"),
    ("oidc.elsewhere.issuer", "http://127.0.0.1:1"),
    ("oidc.elsewhere.client_id", "us"),
    ("oidc.elsewhere.client_secret", "hush"),
];

/// Somebody who owns one of everything.
pub(crate) struct Cast {
    pub(crate) who: Person,
    team_id: String,
    shared_workspace_id: String,
    session_id: String,
    token_id: String,
    invite_id: String,
    identity_id: String,
    log_id: String,
    inbox_id: String,
    blob: Vec<u8>,
    secret: String,
    provider_id: String,
    login_id: String,
    rule_id: String,
    budget_id: String,
}

impl Cast {
    pub(crate) async fn new(gateway: &Gateway, admin: &Person, name: &str) -> Cast {
        let who = gateway.invite(admin, name).await;
        Cast::of(gateway, who).await
    }

    /// Gives somebody one of everything.
    pub(crate) async fn of(gateway: &Gateway, who: Person) -> Cast {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let team = who.make_team(&format!("{}'s", who.name)).await;
        let (team_id, shared_workspace_id) = (text(&team["id"]), text(&team["workspace_id"]));

        who.log_in().await;
        let sessions = who.get("/api/me/sessions").await.ok();
        let others = sessions["items"].as_array().unwrap().iter();
        let mut session_id = others.filter(|it| it["current"] == false).map(|it| text(&it["id"]));
        let session_id = session_id.next_back().expect("another session");

        let token = json!({ "name": "a token", "scopes": ["read"] });
        let token_id = text(&who.post("/api/me/tokens", token).await.ok()["token"]["id"]);

        let path = format!("/api/teams/{team_id}/invites");
        let invite_id =
            text(&who.post(&path, json!({ "role": "viewer" })).await.ok()["invite"]["id"]);

        let identity_id = fresh_id();
        let insert = "insert into identities (id, user_id, provider, subject, created_at) values";
        let row = format!("('{identity_id}', '{}', '{PROVIDER}', '{}', 1)", who.id, who.name);
        gateway.place().run(format!("{insert} {row}")).await;

        let blob = format!("what {} wrote", who.name).into_bytes();
        let secret = format!("{}-key", who.name);
        for workspace_id in [&who.workspace_id, &shared_workspace_id] {
            let path = format!("/api/workspaces/{workspace_id}");
            let put = format!("{path}/blobs/{}", hash_of(&blob));
            who.send_bytes(http::Method::PUT, &put, blob.clone()).await.is(200);
            let sealed = json!({ "value": "sk-1", "host": "api.example.com" });
            who.put(&format!("{path}/secrets/{secret}"), sealed).await.is(200);
        }
        let log_id = who.converse(&format!("{}'s", who.name)).await;
        who.say(&log_id, "hello").await;
        let inbox_id = text(&who.get("/api/me/inbox").await.ok()["log"]);
        let workspace_id = who.workspace_id.clone();
        // It plays a script, so that nothing outside is asked when it is tested.
        let provider = json!({ "name": "plays", "kind": "scripted" });
        let provider_id = text(&who.post("/api/providers", provider).await.ok()["id"]);
        // Too late for it, so that nothing outside is asked.
        let login_id = fresh_id();
        let insert = "insert into provider_logins (id, digest, provider_id, user_id, kind, key_id, sealed, busy_until, expires_at) values";
        let empty = if gateway.place().is_postgres() { "''::bytea" } else { "x''" };
        let row = format!(
            "('{login_id}', {empty}, '{provider_id}', '{}', 'device', '', {empty}, 0, 1)",
            who.id
        );
        gateway.place().run(format!("{insert} {row}")).await;
        let rule = json!({
            "name": "all of it", "workspace_id": workspace_id, "then": { "models": [{ "provider": "scripted" }] },
        });
        let rule_id = text(&who.post("/api/routing/rules", rule).await.ok()["rule"]["id"]);
        let budget = json!({
            "subject": { "kind": "workspace", "id": workspace_id }, "period": "month", "micros": 1_000_000,
        });
        let budget_id = text(&who.put("/api/budgets", budget).await.ok()["id"]);
        Cast {
            who,
            team_id,
            shared_workspace_id,
            session_id,
            token_id,
            invite_id,
            identity_id,
            log_id,
            inbox_id,
            blob,
            secret,
            provider_id,
            login_id,
            rule_id,
            budget_id,
        }
    }

    /// The names of what this person owns of a kind. The first is the one that goes together with the others.
    pub(crate) fn things(&self, kind: Kind) -> Vec<String> {
        let things: &[&str] = match kind {
            Kind::User => &[&self.who.id],
            Kind::Team => &[&self.team_id],
            Kind::Workspace => &[&self.who.workspace_id, &self.shared_workspace_id],
            Kind::Session => &[&self.session_id],
            Kind::Token => &[&self.token_id],
            Kind::Invite => &[&self.invite_id],
            Kind::Identity => &[&self.identity_id],
            Kind::Log => &[&self.log_id, &self.inbox_id],
            Kind::Blob => return vec![hash_of(&self.blob)],
            Kind::SecretName => &[&self.secret],
            Kind::LoginProvider => &[PROVIDER],
            Kind::AccountName => &[&self.who.name],
            // Only APIs for other programs name one, which are tried by themselves.
            Kind::ModelName => &[],
            Kind::ModelProvider => &[&self.provider_id],
            Kind::ProviderLogin => &[&self.login_id],
            Kind::Rule => &[&self.rule_id],
            Kind::Budget => &[&self.budget_id],
        };
        things.iter().map(|thing| (*thing).to_owned()).collect()
    }

    /// The name of one thing of a kind.
    pub(crate) fn thing(&self, kind: Kind) -> String {
        self.things(kind).swap_remove(0)
    }

    /// The ids that only this person's rows hold.
    pub(crate) fn marks(&self) -> Vec<String> {
        let kinds = KINDS.iter().filter(|kind| is_id(**kind));
        kinds.flat_map(|kind| self.things(*kind)).collect()
    }

    /// The bytes with this hash, if they are this person's.
    pub(crate) fn bytes_of(&self, hash: &str) -> Option<Vec<u8>> {
        (hash_of(&self.blob) == hash).then(|| self.blob.clone())
    }
}

/// Whether things of this kind are named by an id of ours; the others have names that people or contents give.
pub(crate) fn is_id(kind: Kind) -> bool {
    match kind {
        Kind::User
        | Kind::Team
        | Kind::Workspace
        | Kind::Session
        | Kind::Token
        | Kind::Invite
        | Kind::Identity
        | Kind::Log
        | Kind::ModelProvider
        | Kind::ProviderLogin
        | Kind::Rule
        | Kind::Budget => true,
        Kind::Blob
        | Kind::SecretName
        | Kind::LoginProvider
        | Kind::AccountName
        | Kind::ModelName => false,
    }
}

/// The bytes behind `never` of a blob.
pub(crate) const NEVER: &[u8] = b"what nobody ever wrote";

/// The name of something of this kind that never existed.
pub(crate) fn never(kind: Kind) -> String {
    match kind {
        Kind::Blob => hash_of(NEVER),
        Kind::SecretName => "no-such-key".to_owned(),
        Kind::LoginProvider | Kind::AccountName | Kind::ModelName => "nobody".to_owned(),
        kind => {
            assert!(is_id(kind), "{kind:?}");
            fresh_id()
        }
    }
}

/// What cannot be the name of anything of this kind, as it would stand in a path.
pub(crate) fn malformed(kind: Kind, like: &str) -> Vec<String> {
    let all = [
        "not-a-uuid".to_owned(),
        like.to_uppercase(),
        format!("%7B{like}%7D"),
        format!("{like}%00"),
        format!("%20{like}"),
        format!("{like}%0A"),
        like.replace('-', ""),
        "%00".to_owned(),
        "%ff".to_owned(),
        "..".to_owned(),
        "%2e%2e%2f".to_owned(),
        "%F0%9F%8E%B9".to_owned(),
        "a".repeat(300),
    ];
    let is_good = |text: &str| match kind {
        Kind::SecretName => mosaic_protocol::SecretName::try_from(text.to_owned()).is_ok(),
        Kind::Blob => mosaic_protocol::BlobHash::try_from(text.to_owned()).is_ok(),
        // Other names are only looked up, so a good one that nobody has is as good here.
        Kind::LoginProvider | Kind::AccountName | Kind::ModelName => text == like,
        kind => {
            assert!(is_id(kind), "{kind:?}");
            text == like
        }
    };
    all.into_iter().filter(|text| !is_good(text)).collect()
}

pub(crate) fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
