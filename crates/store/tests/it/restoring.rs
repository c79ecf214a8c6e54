//! Restoring backups: onto the same kind of database and onto the other, with everything as it was.

use crate::{
    backups::lines,
    laws, logs,
    place::{Place, Tables, files_below, refusal},
    seed,
};
use futures_util::TryStreamExt;
use mosaic_protocol::{WorkspaceId, access::Actor};
use mosaic_store::{
    Options, Store, audit, blobs,
    keyring::Key,
    restore::{self, How, Restored},
};
use std::{fs, os::unix::fs::MetadataExt, path::Path, sync::Mutex};

laws! {
    onto_sqlite,
    onto_postgres,
    onto_itself,
    tokens_can_be_kept,
    accounts_are_not_replaced_unasked,
    a_replaced_person_is_gone,
    the_right_key_must_be_at_hand,
    the_key_of_the_backup_becomes_the_key,
    backups_outlive_their_key,
    a_store_with_no_log,
    whatever_was_said_comes_back,
}

const KEPT: [&str; 9] = [
    "keyring",
    "users",
    "teams",
    "members",
    "workspaces",
    "identities",
    "blobs",
    "secrets",
    "audit",
];
const LEFT_OUT: [&str; 4] = ["sessions", "invites", "links", "oidc_flows"];

async fn backup(place: &Place) -> std::path::PathBuf {
    let store = place.open().await;
    let path = place.beside("backup");
    store.backup(&path).await.unwrap();
    store.close().await;
    path
}

async fn try_restore(store: &Store, path: &Path, how: How) -> mosaic_store::Result<Restored> {
    restore::check(path)?;
    store.restore(path, how, |_| {}).await
}

fn lend_key(from: &Place, to: &Place) {
    fs::create_dir_all(to.data()).unwrap();
    fs::copy(from.key_file(), to.key_file()).unwrap();
}

/// What a restored store must have of one that was filled by `seed::everything`.
async fn is_as_it_was(store: &Store, place: &Place, before: &Tables, workspace: WorkspaceId) {
    let after = place.tables().await;
    for table in KEPT {
        let rows = &after[table];
        // The log goes on with the restore itself.
        let rows = if table == "audit" { &rows[..rows.len() - 1] } else { rows };
        assert!(!rows.is_empty(), "{table}");
        assert_eq!(rows, before[table], "{table}");
    }
    for table in LEFT_OUT {
        assert!(!before[table].is_empty() && after[table].is_empty(), "{table}");
    }
    let value = seed::open_secret(store, workspace, "KEY-m").await.unwrap();
    assert_eq!(value.as_deref(), Some("value m"));
    let report = audit::verify(store, None).await.unwrap();
    assert_eq!(report.broken_at, None, "{}", report.message);
    has_blobs(store).await;
}

/// Every blob has its bytes.
async fn has_blobs(store: &Store) {
    let mut tx = store.read().await.unwrap();
    let all = mosaic_store::workspaces::all(&mut tx, "", 100).await.unwrap();
    drop(tx);
    let mut seen = 0;
    for workspace in &all {
        let mut sum = 0;
        for bytes in ["blob m".into(), bytes::Bytes::new(), seed::bytes(7, 2_500_000)] {
            let hash = blobs::hash_of(&bytes);
            if let Some((blob, pieces)) = store.get_blob(workspace.id, &hash).await.unwrap() {
                let stored = pieces.try_collect::<Vec<_>>().await.unwrap().concat();
                assert!(stored == bytes);
                sum += blob.size_bytes;
                seen += 1;
            }
        }
        assert_eq!(workspace.used_bytes, sum);
    }
    assert_eq!(seen, 3);
}

async fn onto_sqlite(from: Place) {
    across(from, Place::sqlite()).await;
}

async fn onto_postgres(from: Place) {
    Place::on_postgres(|to| across(from, to)).await;
}

async fn across(from: Place, to: Place) {
    let (_, workspace) = seed::filled(&from, "m").await;
    let before = from.tables().await;
    let path = backup(&from).await;
    let store = from.open().await;
    let old_generation = store.generation().await.unwrap();
    store.close().await;

    lend_key(&from, &to);
    let store = to.open().await;
    let generation = store.generation().await.unwrap();
    let progress = Mutex::new(vec![]);
    let key_id = restore::check(&path).unwrap();
    restore::check_key(&to.key_source(), &key_id).unwrap();
    let restored =
        store.restore(&path, How::default(), |n| progress.lock().unwrap().push(n)).await.unwrap();
    let n_rows = lines(&path).iter().filter(|line| line.get("row").is_some()).count();
    assert_eq!(restored, Restored { n_rows: i64::try_from(n_rows).unwrap(), n_blobs: 3 });
    assert_eq!(progress.into_inner().unwrap(), (1..=restored.n_rows).collect::<Vec<_>>());
    let new_generation = store.generation().await.unwrap();
    assert!(new_generation != generation && new_generation != old_generation);
    is_as_it_was(&store, &to, &before, workspace).await;
    assert!(to.tables().await["tokens"].is_empty());
    store.close().await;
    let store = to.open().await;
    is_as_it_was(&store, &to, &before, workspace).await;
    // It lives on.
    seed::everything(&store, "new").await;
    assert_eq!(audit::verify(&store, None).await.unwrap().broken_at, None);
    store.close().await;
}

async fn personal_of_m(store: &Store) -> WorkspaceId {
    let mut tx = store.read().await.unwrap();
    let account = mosaic_store::users::by_name(&mut tx, &seed::name("u-m")).await.unwrap().unwrap();
    drop(tx);
    seed::personal(store, account.user.id).await
}

async fn onto_itself(place: Place) {
    let (_, workspace) = seed::filled(&place, "m").await;
    let before = place.tables().await;
    let path = backup(&place).await;
    let store = place.open().await;
    seed::everything(&store, "later").await;
    store.delete_blob(workspace, &blobs::hash_of(b"blob m")).await.unwrap();
    for _ in 0..2 {
        let how = How { replace: true, keep_tokens: false, unsigned: false };
        try_restore(&store, &path, how).await.unwrap();
        is_as_it_was(&store, &place, &before, workspace).await;
    }
    store.close().await;
    if !place.is_postgres() {
        assert_eq!(files_below(&place.data().join("blobs")).len(), 3);
    }
}

async fn tokens_can_be_kept(place: Place) {
    seed::filled(&place, "m").await;
    let before = place.tables().await;
    let path = backup(&place).await;
    let store = place.open().await;
    for keep_tokens in [true, false] {
        let how = How { replace: true, keep_tokens, unsigned: false };
        try_restore(&store, &path, how).await.unwrap();
        let tokens = &place.tables().await["tokens"];
        assert_eq!(*tokens == before["tokens"], keep_tokens, "{tokens:?}");
        assert_eq!(tokens.len(), usize::from(keep_tokens));
    }
    store.close().await;
}

async fn accounts_are_not_replaced_unasked(place: Place) {
    seed::filled(&place, "m").await;
    let path = backup(&place).await;
    let before = place.tables().await;
    let files = files_below(&place.data());
    let store = place.open().await;
    let text = refusal(try_restore(&store, &path, How::default()).await);
    assert!(text.contains("--replace"), "{text}");
    let how = How { replace: false, keep_tokens: true, unsigned: false };
    refusal(try_restore(&store, &path, how).await);
    assert_eq!(place.tables().await, before);
    store.close().await;
    assert_eq!(
        files_below(&place.data()).keys().collect::<Vec<_>>(),
        files.keys().collect::<Vec<_>>()
    );
}

async fn a_replaced_person_is_gone(place: Place) {
    seed::filled(&place, "m").await;
    let path = backup(&place).await;
    let store = place.open().await;
    let canary = "canary7f3a";
    seed::everything(&store, canary).await;
    try_restore(&store, &path, How { replace: true, keep_tokens: true, unsigned: false })
        .await
        .unwrap();
    for pass in ["open", "closed"] {
        assert!(!format!("{:?}", place.tables().await).contains(canary), "{pass}");
        for (path, bytes) in place.files() {
            let holds = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!holds, "{pass} {}", path.display());
        }
        store.close().await;
    }
}

async fn the_right_key_must_be_at_hand(place: Place) {
    let from = Place::sqlite();
    seed::filled(&from, "m").await;
    let path = backup(&from).await;
    let store = place.open().await;
    let before = place.tables().await;
    let key = fs::read(place.key_file()).unwrap();
    let key_id = restore::check(&path).unwrap();
    let text = refusal(restore::check_key(&place.key_source(), &key_id));
    assert!(text.contains(&key_id) && text.contains("master.key"), "{text}");
    let text = refusal(try_restore(&store, &path, How::default()).await);
    assert!(text.contains(&key_id), "{text}");
    assert_eq!(place.tables().await, before);
    assert_eq!(fs::read(place.key_file()).unwrap(), key);
    // It goes on under its own key.
    let (_, workspace) = seed::everything(&store, "m").await;
    assert!(seed::open_secret(&store, workspace, "KEY-m").await.unwrap().is_some());
    store.close().await;
    let store = place.open().await;
    assert!(seed::open_secret(&store, workspace, "KEY-m").await.unwrap().is_some());
    store.close().await;
}

async fn the_key_of_the_backup_becomes_the_key(place: Place) {
    let from = Place::sqlite();
    let (_, workspace) = seed::filled(&from, "m").await;
    let before = from.tables().await;
    let path = backup(&from).await;
    place.open().await.close().await;
    let theirs = fs::read_to_string(from.key_file()).unwrap();
    let both = fs::read_to_string(place.key_file()).unwrap() + &theirs;
    fs::write(place.key_file(), &both).unwrap();
    let store = Store::open(Options { keep_spare_keys: true, ..place.options() }).await.unwrap();
    assert_eq!(fs::read_to_string(place.key_file()).unwrap(), both);
    let key_id = restore::check(&path).unwrap();
    restore::check_key(&place.key_source(), &key_id).unwrap();
    try_restore(&store, &path, How::default()).await.unwrap();
    is_as_it_was(&store, &place, &before, workspace).await;
    assert_eq!(fs::read_to_string(place.key_file()).unwrap(), theirs);
    assert_eq!(fs::metadata(place.key_file()).unwrap().mode() & 0o777, 0o600);
    seed::put_secret(&store, workspace, "NEW", "new").await;
    store.close().await;
    let store = place.open().await;
    is_opened_by(&store, &theirs, &place).await;
    store.close().await;
}

async fn is_opened_by(store: &Store, key: &str, place: &Place) {
    let id = Key::from_hex(key).unwrap().id().to_owned();
    let used = place.rows("select key_id from secrets union select key_id from keyring").await;
    assert_eq!(used, [id]);
    let workspace = personal_of_m(store).await;
    let value = seed::open_secret(store, workspace, "NEW").await.unwrap();
    assert_eq!(value.as_deref(), Some("new"));
}

/// A change of the master key makes no backup worthless, and neither does going back to the time before it.
async fn backups_outlive_their_key(place: Place) {
    seed::filled(&place, "m").await;
    let store = place.open().await;
    let mut backups = vec![];
    for n in 0..3 {
        if n > 0 {
            store.rotate_secrets(&Actor::System).await.unwrap();
        }
        let path = place.beside(&format!("backup{n}"));
        backups.push((store.backup(&path).await.unwrap().key_id, path));
    }
    for n in [0, 2, 1, 0] {
        let (key_id, path) = &backups[n];
        restore::check_key(&place.key_source(), key_id).unwrap();
        try_restore(&store, path, How { replace: true, keep_tokens: true, unsigned: false })
            .await
            .unwrap();
        has_blobs(&store).await;
        let workspace = personal_of_m(&store).await;
        let value = seed::open_secret(&store, workspace, "KEY-m").await.unwrap();
        assert_eq!(value.as_deref(), Some("value m"));
        let key = fs::read_to_string(place.key_file()).unwrap();
        assert_eq!(Key::from_hex(&key).unwrap().id(), key_id, "just this one");
    }
    store.close().await;
    for entry in fs::read_dir(place.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "key") {
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
    }
    place.open().await.close().await;
}

/// Accounts may be older than the log's first entry.
async fn a_store_with_no_log(place: Place) {
    let store = place.open().await;
    seed::user(&store, "ada").await;
    let path = place.beside("backup");
    store.backup(&path).await.unwrap();
    try_restore(&store, &path, How { replace: true, keep_tokens: false, unsigned: false })
        .await
        .unwrap();
    let report = audit::verify(&store, None).await.unwrap();
    assert_eq!((report.entries, report.broken_at), (1, None));
    assert_eq!(place.rows("select name from users").await, ["ada"]);
    store.close().await;
}

/// The longest texts, of characters that take the most room.
async fn whatever_was_said_comes_back(place: Place) {
    let store = place.open().await;
    let (ada, workspace) = seed::user(&store, "ada").await;
    let log = logs::conversation(&store, ada, workspace).await;
    for c in ["a", "\u{1}", "\"", "\\", "\u{7f}", "\u{85}", "\n", "京"] {
        logs::say(&store, log, ada, &c.repeat(262_144 / c.len())).await;
        logs::say(&store, log, ada, &c.repeat(1000)).await;
    }
    let said = logs::texts(&store, log).await;
    let path = place.beside("backup");
    store.backup(&path).await.unwrap();
    try_restore(&store, &path, How { replace: true, keep_tokens: false, unsigned: false })
        .await
        .unwrap();
    assert!(logs::texts(&store, log).await == said);
    store.close().await;
}
