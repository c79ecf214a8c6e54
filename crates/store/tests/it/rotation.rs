//! Changing the master key: whole or not at all, and killed at any point the store still opens.

use crate::{
    laws,
    place::{Place, refusal},
    seed,
};
use mosaic_protocol::{WorkspaceId, access::Actor};
use mosaic_store::{Store, audit, keyring::Key, secrets};
use std::{
    fs,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

laws! {
    everything_is_sealed_anew,
    cut_short_before_the_commit,
    cut_short_after_the_commit,
    spare_keys_can_be_kept,
    given_keys_change,
    a_failed_change_changes_nothing,
    secrets_open_while_the_key_changes,
    secrets_stored_while_the_key_changes,
    changes_at_once,
}

fn key_file(place: &Place) -> String {
    fs::read_to_string(place.key_file()).unwrap()
}

fn put_key_file(place: &Place, text: &str) {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(0o600).open(place.key_file()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

async fn opens(store: &Store, workspace: WorkspaceId) {
    let value = seed::open_secret(store, workspace, "KEY-m").await.unwrap();
    assert_eq!(value.as_deref(), Some("value m"));
    let report = audit::verify(store, None).await.unwrap();
    assert_eq!(report.broken_at, None, "{}", report.message);
}

/// A closed store whose key was changed from the first text to the second.
async fn rotated(place: &Place) -> (WorkspaceId, String, String) {
    let (_, workspace) = seed::filled(place, "m").await;
    let old = key_file(place);
    let store = place.open().await;
    store.rotate_secrets(&Actor::System).await.unwrap();
    store.close().await;
    (workspace, old, key_file(place))
}

async fn everything_is_sealed_anew(place: Place) {
    let (_, workspace) = seed::filled(&place, "m").await;
    let old = key_file(&place);
    let store = place.open().await;
    seed::put_secret(&store, workspace, "SECOND", "two").await;
    let report = store.rotate_secrets(&Actor::System).await.unwrap();
    let new = key_file(&place);
    let id = |text: &str| Key::from_hex(text).unwrap().id().to_owned();
    assert_ne!(old, new);
    assert_eq!(new.lines().count(), 1);
    assert_eq!(fs::metadata(place.key_file()).unwrap().mode() & 0o777, 0o600);
    assert_eq!((report.n_secrets, report.old_key_id, report.new_key_id), (3, id(&old), id(&new)));
    let used = place.rows("select key_id from secrets union select key_id from keyring").await;
    assert_eq!(used, [id(&new)]);
    opens(&store, workspace).await;
    seed::put_secret(&store, workspace, "THIRD", "three").await;
    store.close().await;
    let store = place.open().await;
    opens(&store, workspace).await;
    for (name, value) in [("SECOND", "two"), ("THIRD", "three")] {
        let opened = seed::open_secret(&store, workspace, name).await.unwrap();
        assert_eq!(opened.as_deref(), Some(value));
    }
    store.close().await;

    put_key_file(&place, &old);
    let text = refusal(place.try_open().await);
    assert!(text.contains("wrong master key"), "{text}");
    put_key_file(&place, &new);
    place.open().await.close().await;
}

async fn cut_short_before_the_commit(place: Place) {
    let (_, workspace) = seed::filled(&place, "m").await;
    let old = key_file(&place);
    put_key_file(&place, &format!("{}\n{old}", "cd".repeat(32)));
    fs::write(place.data().join("master.key.partial"), "half").unwrap();
    let store = place.open().await;
    assert_eq!(key_file(&place), old);
    opens(&store, workspace).await;
    store.rotate_secrets(&Actor::System).await.unwrap();
    opens(&store, workspace).await;
    store.close().await;
    assert_eq!(key_file(&place).lines().count(), 1);
}

async fn cut_short_after_the_commit(place: Place) {
    let (workspace, old, new) = rotated(&place).await;
    put_key_file(&place, &format!("{new}{old}"));
    let store = place.open().await;
    assert_eq!(key_file(&place), new);
    assert_eq!(fs::metadata(place.key_file()).unwrap().mode() & 0o777, 0o600);
    opens(&store, workspace).await;
    store.close().await;
}

async fn spare_keys_can_be_kept(place: Place) {
    let (workspace, old, new) = rotated(&place).await;
    let both = format!("{old}{new}");
    put_key_file(&place, &both);
    let options = mosaic_store::Options { keep_spare_keys: true, ..place.options() };
    let store = Store::open(options).await.unwrap();
    opens(&store, workspace).await;
    store.close().await;
    assert_eq!(key_file(&place), both);
    put_key_file(&place, &format!("{}\n{old}", "cd".repeat(32)));
    let before = place.picture().await;
    refusal(place.try_open().await);
    place.is_still(&before).await;
}

async fn given_keys_change(place: Place) {
    let one = Key::from_hex(&"ab".repeat(32)).unwrap();
    let two = Key::from_hex(&"CD".repeat(32)).unwrap();
    let store = Store::open(place.given(&one, None)).await.unwrap();
    let (_, workspace) = seed::everything(&store, "m").await;
    assert!(!place.key_file().exists(), "a key from the configuration is never written down");
    let before = place.tables().await;
    let text = refusal(store.rotate_secrets(&Actor::System).await);
    assert!(text.contains("MOSAIC_MASTER_KEY_PREVIOUS"), "{text}");
    assert_eq!(place.tables().await, before);
    store.close().await;

    // The new key alone does not open it; with the old one beside it, it does, and can be made the only one.
    refusal(Store::open(place.given(&two, None)).await);
    let store = Store::open(place.given(&two, Some(&one))).await.unwrap();
    opens(&store, workspace).await;
    let report = store.rotate_secrets(&Actor::System).await.unwrap();
    assert_eq!((report.old_key_id.as_str(), report.new_key_id.as_str()), (one.id(), two.id()));
    opens(&store, workspace).await;
    refusal(store.rotate_secrets(&Actor::System).await);
    store.close().await;
    for options in [place.given(&two, Some(&one)), place.given(&two, None)] {
        let store = Store::open(options).await.unwrap();
        opens(&store, workspace).await;
        store.close().await;
    }
    refusal(Store::open(place.given(&one, None)).await);
    assert!(!place.key_file().exists());
}

async fn a_failed_change_changes_nothing(place: Place) {
    let (_, workspace) = seed::filled(&place, "m").await;
    let store = place.open().await;
    seed::put_secret(&store, workspace, "MOVED", "v").await;
    place.run("update secrets set host = 'evil.example.com' where name = 'MOVED'").await;
    let before = place.tables().await;
    let old = key_file(&place);
    store.rotate_secrets(&Actor::System).await.unwrap_err();
    assert_eq!(place.tables().await, before);
    assert!(key_file(&place).contains(&old), "the key in use is still there");
    opens(&store, workspace).await;
    seed::put_secret(&store, workspace, "SECOND", "two").await;
    store.close().await;
    let store = place.open().await;
    assert_eq!(key_file(&place), old);
    opens(&store, workspace).await;
    store.close().await;
}

async fn secrets_open_while_the_key_changes(place: Place) {
    let (_, workspace) = seed::filled(&place, "m").await;
    let store = place.open().await;
    let done = Arc::new(AtomicBool::new(false));
    let passes: Vec<_> = (0..3).map(|_| Arc::new(AtomicUsize::new(0))).collect();
    let readers = passes.iter().map(|passes| {
        let (store, done, passes) = (store.clone(), done.clone(), passes.clone());
        tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                opens(&store, workspace).await;
                passes.fetch_add(1, Ordering::SeqCst);
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for _ in 0..10 {
        store.rotate_secrets(&Actor::System).await.unwrap();
        // No reader is overtaken by two changes: that is more than is promised.
        let deadline = Instant::now() + Duration::from_secs(30);
        for (passes, reader) in passes.iter().zip(&readers) {
            let before = passes.load(Ordering::SeqCst);
            while passes.load(Ordering::SeqCst) == before && !reader.is_finished() {
                assert!(Instant::now() < deadline, "a reader stands still");
                tokio::task::yield_now().await;
            }
        }
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    // A reader that began before the change, and looks only after it.
    let mut tx = store.read().await.unwrap();
    assert_eq!(secrets::list(&mut tx, workspace).await.unwrap().len(), 1);
    store.rotate_secrets(&Actor::System).await.unwrap();
    let (value, _) = secrets::open(&store, &mut tx, workspace, "KEY-m").await.unwrap().unwrap();
    assert_eq!(&value[..], b"value m");
    drop(tx);
    store.close().await;
}

async fn secrets_stored_while_the_key_changes(place: Place) {
    let (_, workspace) = seed::filled(&place, "m").await;
    let store = place.open().await;
    let writers = (0..4).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            for m in 0..10 {
                let name = format!("K{n}-{m}");
                if n % 2 == 0 {
                    seed::put_secret(&store, workspace, &name, &name).await;
                    continue;
                }
                let mut tx = audit::begin(&store).await.unwrap();
                secrets::put(&store, &mut tx, workspace, &name, "h", &name).await.unwrap();
                seed::append(&store, &mut tx, "secret").await;
                tx.commit().await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for _ in 0..5 {
        store.rotate_secrets(&Actor::System).await.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    store.rotate_secrets(&Actor::System).await.unwrap();
    store.close().await;
    let store = place.open().await;
    opens(&store, workspace).await;
    for name in (0..4).flat_map(|n| (0..10).map(move |m| format!("K{n}-{m}"))) {
        let value = seed::open_secret(&store, workspace, &name).await.unwrap();
        assert_eq!(value.as_deref(), Some(name.as_str()));
    }
    store.close().await;
}

async fn changes_at_once(place: Place) {
    let (_, workspace) = seed::filled(&place, "m").await;
    let store = place.open().await;
    let tasks = (0..4).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.rotate_secrets(&Actor::System).await.unwrap() })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    opens(&store, workspace).await;
    store.close().await;
    let store = place.open().await;
    opens(&store, workspace).await;
    assert_eq!(key_file(&place).lines().count(), 1);
    store.close().await;
}

/// Nodes that all know the new key go on when one of them changes to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_nodes_follow() {
    Place::on_postgres(async |place: Place| {
        let one = Key::from_hex(&"ab".repeat(32)).unwrap();
        let two = Key::from_hex(&"cd".repeat(32)).unwrap();
        let store = Store::open(place.given(&one, None)).await.unwrap();
        let (_, workspace) = seed::everything(&store, "m").await;
        store.close().await;
        let (a, b) = (place.another_node(), place.another_node());
        let a = Store::open(a.given(&two, Some(&one))).await.unwrap();
        let b = Store::open(b.given(&two, Some(&one))).await.unwrap();
        a.rotate_secrets(&Actor::System).await.unwrap();
        for (n, node) in [&b, &a].into_iter().enumerate() {
            opens(node, workspace).await;
            seed::note(node, "thing:1").await;
            seed::put_secret(node, workspace, &format!("NEW-{n}"), "new").await;
            opens(node, workspace).await;
        }
        for name in ["NEW-0", "NEW-1"] {
            let value = seed::open_secret(&a, workspace, name).await.unwrap();
            assert_eq!(value.as_deref(), Some("new"));
        }
        let under = place.rows("select key_id from secrets union select key_id from keyring").await;
        assert_eq!(under, [two.id()]);
        refusal(b.rotate_secrets(&Actor::System).await);
        a.close().await;
        b.close().await;
    })
    .await;
}
