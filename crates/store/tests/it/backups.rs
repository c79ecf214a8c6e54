//! Backups: what is in them and what is not, and that each is the picture of one moment.
//!
//! Restoring is in `restoring.rs`, and what is refused in `damaged_backups.rs`.

use crate::{
    laws,
    place::{NOW, Place, files_below, refusal},
    seed,
};
use mosaic_store::{Error, Store, keyring::Key, restore};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

laws! {
    the_report_is_true,
    what_is_in_it,
    it_replaces_nothing,
    it_is_one_moment,
    it_keeps_what_is_deleted_meanwhile,
    a_damaged_blob_stops_it,
}

pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rows of each table in a backup, as maps from column to value.
fn rows(lines: &[Value]) -> BTreeMap<String, Vec<BTreeMap<String, Value>>> {
    let mut tables = BTreeMap::new();
    let mut table: Option<(String, Vec<String>)> = None;
    for line in lines {
        if let Some(begun) = line.get("table") {
            let columns = begun["columns"].as_array().unwrap().iter();
            let columns = columns.map(|column| column.as_str().unwrap().to_owned()).collect();
            table = Some((begun["name"].as_str().unwrap().to_owned(), columns));
        } else if let Some(row) = line.get("row") {
            let (name, columns) = table.as_ref().unwrap();
            let row = columns.iter().cloned().zip(row.as_array().unwrap().iter().cloned());
            tables.entry(name.clone()).or_insert_with(Vec::new).push(row.collect());
        }
    }
    tables
}

async fn the_report_is_true(place: Place) {
    let store = place.open().await;
    seed::everything(&store, "m").await;
    place.clock.advance_ms(5);
    let path = place.beside("backup");
    let report = store.backup(&path).await.unwrap();
    let lines = lines(&path);
    let n_of = |word: &str| {
        i64::try_from(lines.iter().filter(|line| line.get(word).is_some()).count()).unwrap()
    };
    assert_eq!((report.n_rows, report.n_blobs), (n_of("row"), n_of("blob")));
    assert_eq!(report.n_blobs, 3);
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(report.size_bytes, i64::try_from(metadata.len()).unwrap());
    assert_eq!(metadata.mode() & 0o777, 0o600);
    assert_eq!((report.taken_at, report.path), (NOW.plus_ms(5), path.display().to_string()));
    let key = Key::from_hex(&fs::read_to_string(place.key_file()).unwrap()).unwrap();
    assert_eq!(report.key_id, key.id());
    assert_eq!(restore::check(&path).unwrap(), key.id());
    let beside = files_below(path.parent().unwrap());
    assert!(!beside.keys().any(|path| path.display().to_string().contains("partial")));

    let again = place.beside("again");
    store.backup(&again).await.unwrap();
    assert!(fs::read(&path).unwrap() == fs::read(&again).unwrap(), "nothing changed meanwhile");
    store.close().await;
}

async fn what_is_in_it(place: Place) {
    let store = place.open().await;
    seed::everything(&store, "m").await;
    let path = place.beside("backup");
    store.backup(&path).await.unwrap();
    let lines = lines(&path);
    let tables: Vec<&str> =
        lines.iter().filter_map(|line| line["table"]["name"].as_str()).collect();
    assert_eq!(
        tables,
        [
            "keyring",
            "users",
            "teams",
            "members",
            "workspaces",
            "tokens",
            "identities",
            "blobs",
            "secrets",
            "logs",
            "entries",
            "commands",
            "inboxes",
            "conversations",
            "conversation_members",
            "conversation_teams",
            "conversation_tags",
            "pins",
            "read_marks",
            "jobs",
            "providers",
            "routing_rules",
            "routing_overrides",
            "budgets",
            "spent",
            "calls",
            "call_budgets",
            "audit"
        ]
    );
    // Everything that the database holds, and every column of it.
    let stored = place.tables().await;
    for (table, rows) in rows(&lines) {
        assert_eq!(stored[&table].len(), rows.len(), "{table}");
        if rows.is_empty() {
            assert_eq!(table, "jobs", "there is one of everything else");
            continue;
        }
        for column in rows[0].keys() {
            assert!(stored[&table][0].contains(&format!("{column}=")), "{table}.{column}");
        }
    }
    let text = fs::read_to_string(&path).unwrap();
    let key = fs::read_to_string(place.key_file()).unwrap();
    let bytes: Vec<u8> =
        (0..32).map(|n| u8::from_str_radix(&key[2 * n..2 * n + 2], 16).unwrap()).collect();
    for spelling in spellings(&bytes) {
        assert!(!text.contains(&spelling), "the master key is in it");
    }
    for word in ["value m", "Agent m", "verifier m", "nonce m"] {
        assert!(stored_anywhere(&stored, word) != (word == "value m"), "{word}");
        assert!(!text.contains(word), "{word}");
    }
    store.close().await;
}

fn stored_anywhere(tables: &crate::place::Tables, word: &str) -> bool {
    tables.values().flatten().any(|row| row.contains(word))
}

/// These bytes in hexadecimal and in base64, wherever in a longer text the base64 begins.
fn spellings(bytes: &[u8]) -> Vec<String> {
    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut spellings = vec![hex.to_uppercase(), hex];
    for skipped in 0..3 {
        let whole = (bytes.len() - skipped) / 3 * 3;
        spellings.push(STANDARD_NO_PAD.encode(&bytes[skipped..skipped + whole]));
    }
    spellings
}

async fn it_replaces_nothing(place: Place) {
    let store = place.open().await;
    seed::everything(&store, "m").await;
    let path = place.beside("backup");
    fs::write(&path, "precious").unwrap();
    let text = refusal(store.backup(&path).await);
    assert!(text.contains("exists already"), "{text}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    let nowhere = place.beside("nowhere").join("backup");
    let error = store.backup(&nowhere).await.unwrap_err();
    assert!(matches!(&error, Error::File { path, .. } if path.contains("nowhere")), "{error:?}");
    // Two at once to the same name: one is written, and it is whole.
    let free = place.beside("free");
    let (one, two) = tokio::join!(store.backup(&free), store.backup(&free));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    restore::check(&free).unwrap();
    let beside = files_below(free.parent().unwrap());
    assert!(!beside.keys().any(|path| path.display().to_string().contains("partial")));
    store.close().await;
}

/// What always holds between rows of different tables must hold in the backup.
fn is_consistent(path: &Path) {
    restore::check(path).unwrap();
    let lines = lines(path);
    let tables = rows(&lines);
    let empty = vec![];
    let of = |table: &str| tables.get(table).unwrap_or(&empty);
    let mut used: BTreeMap<_, i64> =
        of("workspaces").iter().map(|row| (row["id"].as_str(), 0)).collect();
    for blob in of("blobs") {
        *used.get_mut(&blob["workspace_id"].as_str()).unwrap() +=
            blob["size_bytes"].as_i64().unwrap();
    }
    for workspace in of("workspaces") {
        assert_eq!(workspace["used_bytes"].as_i64(), used.get(&workspace["id"].as_str()).copied());
    }
    let with_bytes = lines.iter().filter(|line| line.get("blob").is_some()).count();
    assert_eq!(of("blobs").len(), with_bytes);
    assert_eq!(of("users").len(), of("workspaces").len());
    assert_eq!(of("users").len(), of("audit").len(), "an account and its entry are one change");
}

async fn writing(store: Store, n: usize, done: Arc<AtomicBool>) {
    for m in 0.. {
        if done.load(Ordering::SeqCst) {
            return;
        }
        let mut tx = mosaic_store::audit::begin(&store).await.unwrap();
        let name = seed::name(&format!("u{n}-{m}"));
        let new = mosaic_store::users::NewUser {
            name: &name,
            display_name: "",
            password: None,
            admin: false,
        };
        let user = mosaic_store::users::create(&store, &mut tx, new).await.unwrap();
        seed::append(&store, &mut tx, "user").await;
        tx.commit().await.unwrap();
        let workspace = seed::personal(&store, user.id).await;
        for size in [10, 200_000, 3000] {
            store.put_blob(workspace, &seed::bytes(m, size)).await.unwrap();
        }
        if m % 2 == 0 {
            let hash = mosaic_store::blobs::hash_of(&seed::bytes(m, 200_000));
            store.delete_blob(workspace, &hash).await.unwrap();
        }
    }
}

async fn it_is_one_moment(place: Place) {
    let store = place.open().await;
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..3).map(|n| tokio::spawn(writing(store.clone(), n, done.clone()))).collect();
    for n in 0..5 {
        let path = place.beside(&format!("backup{n}"));
        store.backup(&path).await.unwrap();
        is_consistent(&path);
    }
    done.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    store.close().await;
}

async fn it_keeps_what_is_deleted_meanwhile(place: Place) {
    let store = place.open().await;
    let (_, workspace) = seed::user(&store, "ada").await;
    seed::note(&store, "user").await;
    for round in 0..3 {
        let mut hashes = vec![];
        for n in 0..40 {
            let (blob, _) = store.put_blob(workspace, &seed::bytes(n, 100_000)).await.unwrap();
            hashes.push(blob.hash);
        }
        // The backup reads in this order, so the last ones are deleted long before it is there.
        hashes.sort_unstable();
        let path = place.beside(&format!("backup{round}"));
        let backing_up = tokio::spawn({
            let (store, path) = (store.clone(), path.clone());
            async move { store.backup(&path).await }
        });
        for hash in hashes.iter().rev() {
            store.delete_blob(workspace, hash).await.unwrap();
        }
        backing_up.await.unwrap().unwrap();
        is_consistent(&path);
    }
    store.close().await;
}

/// Better no backup, loudly, than one that nobody can restore.
async fn a_damaged_blob_stops_it(place: Place) {
    let (_, workspace) = seed::filled(&place, "m").await;
    let store = place.open().await;
    let hash = mosaic_store::blobs::hash_of(b"blob m");
    let file = place.data().join("blobs").join(workspace.to_string()).join(hash.as_str());
    let damages: [(&str, Option<&[u8]>); 2] =
        [("bytes = substr(bytes, 2)", Some(b"lob m")), ("n = n + 1", None)];
    for (change, bytes) in damages {
        if place.is_postgres() {
            place.run(format!("update blob_chunks set {change} where hash = '{hash}'")).await;
        } else if let Some(bytes) = bytes {
            fs::write(&file, bytes).unwrap();
        } else {
            fs::remove_file(&file).unwrap();
        }
        let error = store.backup(&place.beside("backup")).await.unwrap_err();
        assert!(error.to_string().contains(hash.as_str()), "{error}");
        let beside = files_below(place.data().parent().unwrap());
        assert!(!beside.keys().any(|path| path.display().to_string().contains("backup")));
    }
    store.close().await;
}
