//! Blobs when things come apart: callers who hang up, backups under way, damage, workspaces that are gone.

use crate::{
    laws,
    place::{Place, files_below},
    seed,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use mosaic_protocol::{BlobHash, WorkspaceId};
use mosaic_store::{
    Error, Store,
    blobs::{Put, hash_of},
    users, workspaces,
};
use std::{fs, future::poll_fn, path::PathBuf, task::Poll};

laws! {
    who_hangs_up_is_counted,
    who_hangs_up_has_deleted,
    a_backup_keeps_nobody_waiting,
    a_backup_keeps_deleted_workspaces,
    a_damaged_blob_is_mended_by_storing_it_again,
    a_workspace_that_is_gone,
    a_deletion_sweeps_its_own_only,
}

async fn get(store: &Store, workspace: WorkspaceId, hash: &BlobHash) -> Option<Vec<u8>> {
    let (_, pieces) = store.get_blob(workspace, hash).await.unwrap()?;
    Some(pieces.try_collect::<Vec<Bytes>>().await.unwrap().concat())
}

/// How many bytes the blobs take, whoever counts them.
async fn stored_bytes(place: &Place) -> u64 {
    if place.is_postgres() {
        let text = "select cast(coalesce(sum(length(bytes)), 0) as text) from blob_chunks";
        return place.rows(text).await[0].parse().unwrap();
    }
    files_below(&place.data().join("blobs")).values().map(|bytes| bytes.len() as u64).sum()
}

async fn counted_bytes(place: &Place) -> u64 {
    let text = "select cast(coalesce(sum(used_bytes), 0) as text) from workspaces";
    place.rows(text).await[0].parse().unwrap()
}

fn path_of(place: &Place, workspace: WorkspaceId, hash: &BlobHash) -> PathBuf {
    place.data().join("blobs").join(workspace.to_string()).join(hash.as_str())
}

/// Polls so often and then lets go, as a server does with a request whose caller is gone.
async fn hang_up<T>(work: impl Future<Output = T>, after: usize) {
    let mut work = std::pin::pin!(work);
    for _ in 0..after {
        let polled = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
        if polled.is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn who_hangs_up_is_counted(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let mut tx = store.write().await.unwrap();
    workspaces::set_quota(&mut tx, own, 6_500_000).await.unwrap();
    tx.commit().await.unwrap();
    for n in 0..40 {
        let bytes = seed::bytes(n, 500_000);
        hang_up(store.put_blob(own, &bytes), usize::try_from(n * n / 2).unwrap()).await;
    }
    // Waits for what goes on, and sweeps nothing.
    store.close().await;
    let stored = stored_bytes(&place).await;
    assert_eq!(stored, counted_bytes(&place).await);
    assert!(stored <= 6_500_000);
    // Who stays on the line has the rest.
    let store = place.open().await;
    if stored < 6_000_000 {
        assert_eq!(store.put_blob(own, &seed::bytes(99, 10)).await.unwrap().1, Put::Stored);
    }
    store.close().await;
}

async fn who_hangs_up_has_deleted(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    for n in 0..30 {
        let (blob, _) = store.put_blob(own, &seed::bytes(n, 1000)).await.unwrap();
        hang_up(store.delete_blob(own, &blob.hash), usize::try_from(n * n / 2 + 1).unwrap()).await;
    }
    store.close().await;
    assert_eq!(stored_bytes(&place).await, counted_bytes(&place).await);
}

async fn a_backup_keeps_nobody_waiting(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let (gone, _) = store.put_blob(own, &"gone".into()).await.unwrap();
    let (kept, _) = store.put_blob(own, &"kept".into()).await.unwrap();
    let backing_up = store.hold_blobs();
    assert!(store.delete_blob(own, &gone.hash).await.unwrap());
    assert!(get(&store, own, &gone.hash).await.is_none());
    assert_eq!(get(&store, own, &kept.hash).await.unwrap(), b"kept");
    store.put_blob(own, &"new".into()).await.unwrap();
    let second = store.hold_blobs();
    drop(backing_up);
    // What is stored again meanwhile stays when the backups end.
    store.delete_blob(own, &kept.hash).await.unwrap();
    store.put_blob(own, &"kept".into()).await.unwrap();
    let file = path_of(&place, own, &gone.hash);
    assert!(place.is_postgres() || file.exists(), "the backup may still read it");
    drop(second);
    let patience = seed::Patience::new();
    while file.exists() {
        patience.more().await;
    }
    assert_eq!(get(&store, own, &kept.hash).await.unwrap(), b"kept");
    store.close().await;
    assert_eq!(stored_bytes(&place).await, counted_bytes(&place).await);
}

async fn a_backup_keeps_deleted_workspaces(place: Place) {
    let store = place.open().await;
    let (ada, adas) = seed::user(&store, "ada").await;
    let (blob, _) = store.put_blob(adas, &"ada's".into()).await.unwrap();
    let backing_up = store.hold_blobs();
    seed::delete_user(&store, ada).await;
    let file = path_of(&place, adas, &blob.hash);
    assert!(place.is_postgres() || file.exists(), "the backup may still read it");
    drop(backing_up);
    let patience = seed::Patience::new();
    while file.exists() {
        patience.more().await;
    }
    store.close().await;
}

async fn a_damaged_blob_is_mended_by_storing_it_again(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let (blob, _) = store.put_blob(own, &"bytes".into()).await.unwrap();
    if place.is_postgres() {
        place.run("update blob_chunks set bytes = 'bytez'").await;
    } else {
        fs::write(path_of(&place, own, &blob.hash), "bytez").unwrap();
    }
    store.backup(&place.beside("damaged")).await.unwrap_err();
    let (_, put) = store.put_blob(own, &"bytes".into()).await.unwrap();
    assert_eq!(put, Put::Known, "it is counted once");
    assert_eq!(get(&store, own, &blob.hash).await.unwrap(), b"bytes");
    store.backup(&place.beside("whole")).await.unwrap();
    store.close().await;
}

async fn a_workspace_that_is_gone(place: Place) {
    let store = place.open().await;
    let (ada, adas) = seed::user(&store, "ada").await;
    seed::delete_user(&store, ada).await;
    let put = store.put_blob(adas, &"late".into()).await;
    assert!(matches!(put, Err(Error::Gone)), "{put:?}");
    // Also if it goes while the upload is under way.
    for n in 0..10 {
        let (user, own) = seed::user(&store, &format!("u{n}")).await;
        let bytes = seed::bytes(n, 200_000);
        let (put, ()) = tokio::join!(store.put_blob(own, &bytes), async {
            let mut tx = store.write().await.unwrap();
            users::delete(&mut tx, user).await.unwrap();
            store.commit_and_forget(tx, vec![own]).await.unwrap();
        });
        assert!(matches!(put, Ok(_) | Err(Error::Gone)), "{put:?}");
    }
    store.close().await;
    assert_eq!(stored_bytes(&place).await, 0);
}

async fn a_deletion_sweeps_its_own_only(place: Place) {
    let store = place.open().await;
    let (ada, adas) = seed::user(&store, "ada").await;
    let (_, bobs) = seed::user(&store, "bob").await;
    store.put_blob(adas, &"ada's".into()).await.unwrap();
    store.put_blob(bobs, &"bob's".into()).await.unwrap();
    let stray = path_of(&place, bobs, &hash_of(b"stray"));
    if !place.is_postgres() {
        fs::write(&stray, "stray").unwrap();
    }
    seed::delete_user(&store, ada).await;
    assert!(place.is_postgres() || stray.exists(), "nobody looked into bob's");
    assert!(!stray.with_file_name("..").join(adas.to_string()).exists());
    store.close().await;
    place.open().await.close().await;
    assert!(!stray.exists(), "the next start sweeps everything");
    assert_eq!(stored_bytes(&place).await, 5);
}
