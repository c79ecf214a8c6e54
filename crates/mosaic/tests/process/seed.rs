//! What the tests here put into a place before something happens to it.

use crate::support::{Credential, Gateway, Person, Place};
use http::Method;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{os::unix::fs::DirBuilderExt, path::Path, sync::Arc};

/// Who must be there again.
#[derive(Clone)]
pub(crate) struct Seed {
    pub(crate) admin: Person,
    /// A token of the admin.
    pub(crate) token: String,
}

/// The names of the secrets that are put.
pub(crate) const SECRETS: [&str; 2] = ["FIRST", "SECOND"];

/// Somebody with an account, a team, secrets, blobs and a token, and somebody else.
pub(crate) async fn fill(gateway: &Gateway) -> Seed {
    let admin = gateway.admin().await;
    let ada = gateway.invite(&admin, "ada").await;
    admin.make_team("Weavers").await;
    for name in SECRETS {
        put_secret(&admin, name).await;
    }
    put_blob(&admin, 7, 9_000).await;
    put_blob(&ada, 8, 100).await;
    let program = admin.with_token(&["read", "write", "admin"]).await;
    Seed { token: program.secret().to_owned(), admin }
}

/// A place that was filled and whose gateway is stopped.
pub(crate) async fn filled(place: Arc<Place>) -> Seed {
    let gateway = Gateway::start_at(place, &[]);
    let seed = fill(&gateway).await;
    gateway.stop().await;
    seed
}

impl Seed {
    /// The admin's program, at a gateway that was started again.
    pub(crate) fn program(&self, gateway: &Gateway) -> Person {
        let person = Person { client: gateway.client().clone(), ..self.admin.clone() };
        person.with(Credential::Token(self.token.clone()))
    }

    /// Other people and other things than before: what a backup of before must bring back.
    pub(crate) async fn change(&self, gateway: &Gateway) {
        let root = Person { client: gateway.client().clone(), ..self.admin.clone() }.log_in().await;
        gateway.place().ok(&["user", "delete", "ada", "--yes"]);
        let bob = gateway.invite(&root, "bob").await;
        put_secret(&bob, "THIRD").await;
        put_blob(&bob, 9, 20_000).await;
    }
}

pub(crate) async fn put_secret(person: &Person, name: &str) {
    let path = format!("/api/workspaces/{}/secrets/{name}", person.workspace_id);
    person
        .put(&path, json!({ "value": format!("sk-{name}"), "host": "api.example.com" }))
        .await
        .ok();
}

/// The names of the secrets in somebody's own workspace.
pub(crate) async fn secrets(person: &Person) -> Vec<String> {
    let path = format!("/api/workspaces/{}/secrets", person.workspace_id);
    let page = person.get(&path).await.ok();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

/// Bytes that compress badly and repeat exactly.
pub(crate) fn bytes(seed: u8, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 32);
    let mut block = Sha256::digest([seed]).to_vec();
    while bytes.len() < size {
        bytes.extend_from_slice(&block);
        block = Sha256::digest(&block).to_vec();
    }
    bytes.truncate(size);
    bytes
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a blob of these bytes is.
pub(crate) fn blob_path(person: &Person, bytes: &[u8]) -> String {
    format!("/api/workspaces/{}/blobs/{}", person.workspace_id, hash(bytes))
}

pub(crate) async fn put_blob(person: &Person, seed: u8, size: usize) -> String {
    let bytes = bytes(seed, size);
    let path = blob_path(person, &bytes);
    person.send_bytes(Method::PUT, &path, bytes).await.ok();
    path
}

/// Copies a folder and what is in it, with modes. Sockets are left out.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, kind) = entry.map(|it| (it.path(), it.file_type().unwrap())).unwrap();
        let to = to.join(path.file_name().unwrap());
        if kind.is_dir() {
            copy(&path, &to);
        } else if kind.is_file() {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

/// A fresh place with a copy of this data directory.
pub(crate) fn copied(data: &Path) -> Arc<Place> {
    let place = Place::sqlite();
    copy(data, &place.data());
    Arc::new(place)
}
