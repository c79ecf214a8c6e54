//! Opening a store: what is made, who holds it, and what is refused about the directory and the master key.

use crate::{
    laws,
    place::{Place, refusal},
    seed,
};
use mosaic_store::{DataDir, Error, Holder, LockState, Store, keyring::Key};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

laws! {
    makes_a_private_directory_and_key,
    one_process_at_a_time,
    a_dead_process_holds_nothing,
    a_directory_that_cannot_be_used,
    a_key_that_others_can_read,
    a_wrong_key,
    a_missing_key,
    a_damaged_key_file,
    keeps_its_data,
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

async fn makes_a_private_directory_and_key(place: Place) {
    assert_eq!(DataDir::look(&place.data()).unwrap(), LockState::Absent);
    let store = place.open().await;
    assert_eq!(mode(&place.data()), 0o700);
    assert_eq!(mode(&place.key_file()), 0o600);
    let text = fs::read_to_string(place.key_file()).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(Key::from_hex(&text).is_some());
    assert_eq!(place.data().join("mosaic.db").exists(), !place.is_postgres());
    store.close().await;
    // Two may look at once, and neither takes the other for an owner.
    let looking = fs::File::open(place.data().join("lock")).unwrap();
    looking.lock_shared().unwrap();
    assert_eq!(DataDir::look(&place.data()).unwrap(), LockState::Free);
    drop(looking);
}

async fn one_process_at_a_time(place: Place) {
    let store = place.open().await;
    let pid = std::process::id();
    let text = refusal(place.try_open().await);
    assert!(text.contains(&format!("process {pid}")), "{text}");
    assert!(text.contains(&place.data().display().to_string()), "{text}");
    store.announce("127.0.0.1:8080").unwrap();
    let text = refusal(place.try_open().await);
    assert!(text.contains("127.0.0.1:8080"), "{text}");
    let holder = Holder { pid, address: "127.0.0.1:8080".to_owned() };
    assert_eq!(DataDir::look(&place.data()).unwrap(), LockState::Held(Some(holder)));

    store.close().await;
    place.open().await.close().await;
    // Dropping does, too.
    drop(place.open().await);
    place.open().await.close().await;
}

async fn a_dead_process_holds_nothing(place: Place) {
    place.open().await.close().await;
    for text in ["", "garbage", r#"{"pid":1,"address":"127.0.0.1:1"}"#, &"x".repeat(100_000)] {
        fs::write(place.data().join("lock"), text).unwrap();
        assert_eq!(DataDir::look(&place.data()).unwrap(), LockState::Free);
        let store = place.open().await;
        let text = refusal(place.try_open().await);
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        store.close().await;
    }
}

async fn a_directory_that_cannot_be_used(place: Place) {
    let file = place.beside("file");
    fs::write(&file, "mine").unwrap();
    // Not even root can make files in /proc.
    for data in [file.clone(), file.join("below"), "/proc/self".into()] {
        let options = mosaic_store::Options { data: data.clone(), ..place.options() };
        let text = refusal(Store::open(options).await);
        assert!(text.contains(&data.display().to_string()) && text.contains("--data"), "{text}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

async fn a_key_that_others_can_read(place: Place) {
    seed::filled(&place, "m").await;
    for bad in [0o644, 0o640, 0o604] {
        fs::set_permissions(place.key_file(), fs::Permissions::from_mode(bad)).unwrap();
        let before = place.picture().await;
        let text = refusal(place.try_open().await);
        assert!(text.contains("master.key") && text.contains("chmod 600"), "{text}");
        place.is_still(&before).await;
    }
    fs::set_permissions(place.key_file(), fs::Permissions::from_mode(0o600)).unwrap();
    place.open().await.close().await;
}

async fn a_wrong_key(place: Place) {
    let (_, workspace) = seed::filled(&place, "m").await;
    let right = fs::read_to_string(place.key_file()).unwrap();
    let wrong = "0".repeat(64);
    fs::write(place.key_file(), &wrong).unwrap();
    let before = place.picture().await;
    let text = refusal(place.try_open().await);
    for id in [Key::from_hex(&wrong).unwrap(), Key::from_hex(&right).unwrap()] {
        assert!(text.contains(id.id()), "{text}");
    }
    assert!(!text.contains(right.trim()) && !text.contains(&wrong), "{text}");
    place.is_still(&before).await;
    let given = place.given(&Key::from_hex(&wrong).unwrap(), None);
    refusal(Store::open(given).await);
    place.is_still(&before).await;

    // The right key from the configuration goes before the file.
    let store = Store::open(place.given(&Key::from_hex(&right).unwrap(), None)).await.unwrap();
    let value = seed::open_secret(&store, workspace, "KEY-m").await.unwrap();
    assert_eq!(value.as_deref(), Some("value m"));
    store.close().await;
}

async fn a_missing_key(place: Place) {
    seed::filled(&place, "m").await;
    fs::rename(place.key_file(), place.beside("kept.key")).unwrap();
    let before = place.picture().await;
    let text = refusal(place.try_open().await);
    assert!(text.contains("missing") && text.contains("master.key"), "{text}");
    place.is_still(&before).await;
    fs::rename(place.beside("kept.key"), place.key_file()).unwrap();
    place.open().await.close().await;
}

async fn a_damaged_key_file(place: Place) {
    seed::filled(&place, "m").await;
    let right = fs::read_to_string(place.key_file()).unwrap();
    let shortened = &right[..40];
    for text in ["", "\n", "not a key", shortened, &format!("{right}\n"), &format!("{right}x\n")] {
        fs::write(place.key_file(), text).unwrap();
        let before = place.picture().await;
        let message = refusal(place.try_open().await);
        assert!(message.contains("master.key") && message.contains("damaged"), "{message}");
        assert!(!message.contains(shortened));
        place.is_still(&before).await;
    }
    fs::write(place.key_file(), [0xff, 0xfe]).unwrap();
    let result = place.try_open().await.map(drop);
    assert!(matches!(result, Err(Error::File { .. } | Error::Refused { .. })), "{result:?}");
}

async fn keeps_its_data(place: Place) {
    seed::filled(&place, "m").await;
    let before = place.tables().await;
    let store = place.open().await;
    let generation = store.generation().await.unwrap();
    store.close().await;
    let store = place.open().await;
    assert_eq!(store.generation().await.unwrap(), generation);
    store.close().await;
    assert_eq!(place.tables().await, before, "opening again writes nothing");
}

/// Two nodes that start at once over an empty database agree on one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_start_together() {
    Place::on_postgres(async |place: Place| {
        let key = Key::from_hex(&"ab".repeat(32)).unwrap();
        let nodes: Vec<Place> = (0..4).map(|_| place.another_node()).collect();
        let opening = nodes.iter().map(|node| tokio::spawn(Store::open(node.given(&key, None))));
        let mut generations = vec![];
        let mut stores = vec![];
        for opened in opening.collect::<Vec<_>>() {
            let store = opened.await.unwrap().unwrap();
            generations.push(store.generation().await.unwrap());
            stores.push(store);
        }
        generations.dedup();
        assert_eq!(generations.len(), 1);
        for store in stores {
            store.close().await;
        }
    })
    .await;
}

/// A node with a key of its own does not get into a database that is sealed under another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_node_needs_the_key() {
    Place::on_postgres(async |place: Place| {
        let store = place.open().await;
        let node = place.another_node();
        let text = refusal(node.try_open().await);
        assert!(text.contains("missing"), "{text}");
        assert!(!node.key_file().exists());
        store.close().await;
    })
    .await;
}

/// What is wrong with the way to PostgreSQL is told without the password.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_answer() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hanging_up = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    for url in [
        format!("postgres://u:hunter2@127.0.0.1:{port}/d"),
        "postgres://u:hunter2@127.0.0.1:notaport/d".to_owned(),
        "hunter2".to_owned(),
    ] {
        let place = Place::over(Some(url.clone()));
        let text = refusal(place.try_open().await);
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!place.key_file().exists(), "{url}");
    }
    hanging_up.abort();
}
