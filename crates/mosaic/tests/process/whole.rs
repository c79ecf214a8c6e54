//! What must be so after anything: the gateway starts, the audit chain is whole, there is one master key, every blob
//! has its bytes and nothing is left over.

use crate::{
    seed::hash,
    support::{Gateway, Place},
};
use std::{collections::BTreeSet, path::Path, sync::Arc};

/// Which data is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) accounts: Vec<String>,
    pub(crate) generation: String,
}

/// Starts the gateway on a place, looks, and stops it.
pub(crate) async fn check(place: &Arc<Place>) -> State {
    let gateway = Gateway::start_at(place.clone(), &[]);
    check_running(&gateway).await;
    let place = gateway.stop().await;
    check_files(&place).await;
    state(&place).await
}

pub(crate) async fn check_running(gateway: &Gateway) {
    gateway.get("/readyz").await.is(200);
    let said = gateway.place().ok(&["audit", "verify"]);
    assert!(said.contains("the chain is whole"), "{said}");
}

/// Looks at a place whose gateway is stopped.
pub(crate) async fn check_files(place: &Place) {
    assert_eq!(keys(&place.data().join("master.key")).len(), 1, "one master key");
    for name in names(&place.data()) {
        assert!(!name.ends_with(".partial"), "{name} is left over");
    }
    if place.is_postgres() {
        return;
    }
    let rows = place.rows("select workspace_id || '/' || hash from blobs").await;
    let root = place.data().join("blobs");
    let mut files = BTreeSet::new();
    for workspace in names(&root) {
        files
            .extend(names(&root.join(&workspace)).iter().map(|name| format!("{workspace}/{name}")));
    }
    assert_eq!(files, rows.iter().cloned().collect(), "files of blobs, and rows");
    for row in rows {
        let bytes = std::fs::read(root.join(&row)).unwrap();
        assert!(row.ends_with(&hash(&bytes)), "{row} does not hold its bytes");
    }
}

/// Which data is there.
pub(crate) async fn state(place: &Place) -> State {
    let accounts = place.rows("select name from users order by name").await;
    let mut generation = place.rows("select value from meta where name = 'generation'").await;
    assert_eq!(generation.len(), 1);
    State { accounts, generation: generation.remove(0) }
}

/// The keys in a key file.
pub(crate) fn keys(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let keys: Vec<String> = text.lines().map(str::to_owned).collect();
    assert!(keys.iter().all(|key| key.len() == 64), "{}: not a key a line", path.display());
    keys
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
