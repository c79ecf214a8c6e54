//! Blobs: what goes in comes out, within the quota, and each workspace for itself.

use crate::{
    laws,
    place::{Place, files_below},
    seed,
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use mosaic_protocol::{BlobHash, WorkspaceId};
use mosaic_store::{
    Error, Store,
    blobs::{PIECE_BYTES, Put, hash_of},
    workspaces,
};
use std::{fs, os::unix::fs::MetadataExt};

laws! {
    what_goes_in_comes_out,
    the_quota_is_exact,
    uploads_at_once_stay_within_the_quota,
    the_same_upload_at_once_counts_once,
    an_upload_that_failed_leaves_nothing,
    workspaces_share_nothing,
    storing_and_deleting_at_once,
    deleted_while_it_is_read,
    files_without_a_row_are_swept,
}

async fn get(store: &Store, workspace: WorkspaceId, hash: &BlobHash) -> Option<Vec<u8>> {
    let (blob, pieces) = store.get_blob(workspace, hash).await.unwrap()?;
    let bytes = pieces.try_collect::<Vec<Bytes>>().await.unwrap().concat();
    assert_eq!(blob.size_bytes, i64::try_from(bytes.len()).unwrap());
    assert_eq!(hash_of(&bytes), *hash);
    Some(bytes)
}

async fn used(store: &Store, workspace: WorkspaceId) -> i64 {
    let mut tx = store.read().await.unwrap();
    workspaces::get(&mut tx, workspace).await.unwrap().unwrap().used_bytes
}

async fn set_quota(store: &Store, workspace: WorkspaceId, quota_bytes: i64) {
    let mut tx = store.write().await.unwrap();
    workspaces::set_quota(&mut tx, workspace, quota_bytes).await.unwrap();
    tx.commit().await.unwrap();
}

/// How many blobs have bytes: files, or rows that are a blob's first piece.
async fn n_stored(place: &Place) -> usize {
    if place.is_postgres() {
        place.rows("select hash from blob_chunks where n = 0").await.len()
    } else {
        files_below(&place.data().join("blobs")).len()
    }
}

async fn what_goes_in_comes_out(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let mut sum = 0;
    for (n, len) in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 12_345]
        .into_iter()
        .enumerate()
    {
        let bytes = seed::bytes(n as u64, len);
        let (blob, put) = store.put_blob(own, &bytes).await.unwrap();
        sum += blob.size_bytes;
        assert_eq!((blob.size_bytes, put), (i64::try_from(len).unwrap(), Put::Stored));
        assert_eq!(blob.hash, hash_of(&bytes));
        assert_eq!(get(&store, own, &blob.hash).await.unwrap(), bytes);
        assert_eq!(used(&store, own).await, sum);
        let (again, put) = store.put_blob(own, &bytes).await.unwrap();
        assert_eq!((again, put), (blob, Put::Known));
        assert_eq!(used(&store, own).await, sum);
    }
    store.close().await;

    let store = place.open().await;
    let last = seed::bytes(5, 3 * PIECE_BYTES + 12_345);
    assert_eq!(get(&store, own, &hash_of(&last)).await.unwrap(), last);
    assert!(store.delete_blob(own, &hash_of(&last)).await.unwrap());
    assert!(!store.delete_blob(own, &hash_of(&last)).await.unwrap());
    assert!(get(&store, own, &hash_of(&last)).await.is_none());
    assert_eq!(used(&store, own).await, sum - i64::try_from(last.len()).unwrap());
    store.put_blob(own, &last).await.unwrap();
    assert_eq!(get(&store, own, &hash_of(&last)).await.unwrap(), last);
    assert_eq!(used(&store, own).await, sum);
    store.close().await;
}

async fn the_quota_is_exact(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    set_quota(&store, own, 100).await;
    store.put_blob(own, &seed::bytes(1, 60)).await.unwrap();
    let refused = store.put_blob(own, &seed::bytes(2, 41)).await;
    assert!(matches!(refused, Err(Error::QuotaExceeded { quota_bytes: 100 })), "{refused:?}");
    store.put_blob(own, &seed::bytes(3, 40)).await.unwrap();
    store.put_blob(own, &Bytes::new()).await.unwrap();
    // What is there already takes no more room.
    store.put_blob(own, &seed::bytes(1, 60)).await.unwrap();
    assert_eq!(used(&store, own).await, 100);
    set_quota(&store, own, 50).await;
    assert!(store.put_blob(own, &seed::bytes(4, 1)).await.is_err());
    assert!(get(&store, own, &hash_of(&seed::bytes(1, 60))).await.is_some());
    store.close().await;
}

async fn uploads_at_once_stay_within_the_quota(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let (_, other) = seed::user(&store, "bob").await;
    set_quota(&store, own, 3_500_000).await;
    let uploads = (0..12).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { store.put_blob(own, &seed::bytes(n, 1_000_000)).await })
    });
    let mut stored = 0;
    for upload in uploads.collect::<Vec<_>>() {
        match upload.await.unwrap() {
            Ok((_, put)) => {
                assert_eq!(put, Put::Stored);
                stored += 1;
            }
            Err(Error::QuotaExceeded { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(stored, 3);
    assert_eq!(used(&store, own).await, 3_000_000);
    assert_eq!(used(&store, other).await, 0);
    assert_eq!(n_stored(&place).await, 3, "what was refused takes no disk");
    store.close().await;
}

async fn the_same_upload_at_once_counts_once(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let bytes = seed::bytes(1, 1_500_000);
    let uploads = (0..6).map(|_| {
        let (store, bytes) = (store.clone(), bytes.clone());
        tokio::spawn(async move { store.put_blob(own, &bytes).await.unwrap().1 })
    });
    let mut puts = vec![];
    for upload in uploads.collect::<Vec<_>>() {
        puts.push(upload.await.unwrap());
    }
    assert_eq!(puts.iter().filter(|put| **put == Put::Stored).count(), 1);
    assert_eq!(used(&store, own).await, 1_500_000);
    assert_eq!(get(&store, own, &hash_of(&bytes)).await.unwrap(), bytes);
    store.close().await;
}

async fn an_upload_that_failed_leaves_nothing(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    set_quota(&store, own, 10).await;
    store.put_blob(own, &"kept".into()).await.unwrap();
    for n in 0..3 {
        store.put_blob(own, &seed::bytes(n, 1000)).await.unwrap_err();
    }
    let nowhere = store.ambient().id(WorkspaceId::new);
    store.put_blob(nowhere, &"lost".into()).await.unwrap_err();
    assert_eq!(n_stored(&place).await, 1);
    assert_eq!(get(&store, own, &hash_of(b"kept")).await.unwrap(), b"kept");
    store.close().await;
}

async fn workspaces_share_nothing(place: Place) {
    let store = place.open().await;
    let (_, one) = seed::user(&store, "ada").await;
    let (_, two) = seed::user(&store, "bob").await;
    let bytes = seed::bytes(1, 2_000_000);
    let hash = hash_of(&bytes);
    store.put_blob(one, &bytes).await.unwrap();
    assert!(get(&store, two, &hash).await.is_none(), "knowing the hash is not enough");
    assert!(!store.delete_blob(two, &hash).await.unwrap());
    assert_eq!(store.put_blob(two, &bytes).await.unwrap().1, Put::Stored);
    assert_eq!((used(&store, one).await, used(&store, two).await), (2_000_000, 2_000_000));
    if !place.is_postgres() {
        let files = files_below(&place.data().join("blobs"));
        let mut inodes: Vec<u64> =
            files.keys().map(|path| fs::metadata(path).unwrap().ino()).collect();
        inodes.sort_unstable();
        inodes.dedup();
        assert_eq!(inodes.len(), 2, "two files");
        assert!(files.keys().all(|path| fs::metadata(path).unwrap().mode() & 0o777 == 0o600));
    }
    assert!(store.delete_blob(one, &hash).await.unwrap());
    assert!(get(&store, one, &hash).await.is_none());
    assert_eq!(get(&store, two, &hash).await.unwrap(), bytes);
    assert_eq!((used(&store, one).await, used(&store, two).await), (0, 2_000_000));
    assert_eq!(n_stored(&place).await, 1);
    store.close().await;
}

async fn storing_and_deleting_at_once(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let bytes = seed::bytes(1, 100_000);
    let tasks = (0..4).map(|n| {
        let (store, bytes) = (store.clone(), bytes.clone());
        tokio::spawn(async move {
            for _ in 0..15 {
                if n % 2 == 0 {
                    store.put_blob(own, &bytes).await.unwrap();
                } else {
                    store.delete_blob(own, &hash_of(&bytes)).await.unwrap();
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let there = get(&store, own, &hash_of(&bytes)).await;
    assert_eq!(used(&store, own).await, if there.is_some() { 100_000 } else { 0 });
    assert_eq!(n_stored(&place).await, usize::from(there.is_some()));
    store.close().await;
}

async fn deleted_while_it_is_read(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let bytes = seed::bytes(1, 3 * PIECE_BYTES + 5);
    let (blob, _) = store.put_blob(own, &bytes).await.unwrap();
    let (_, mut pieces) = store.get_blob(own, &blob.hash).await.unwrap().unwrap();
    let mut seen = pieces.next().await.unwrap().unwrap().to_vec();
    assert!(store.delete_blob(own, &blob.hash).await.unwrap());
    let rest = pieces.try_collect::<Vec<Bytes>>().await;
    match rest {
        Ok(rest) => {
            seen.extend(rest.concat());
            assert!(seen == bytes, "a blob that is cut short must not look like a whole one");
        }
        Err(error) => assert!(matches!(error, Error::Damaged(_)), "{error:?}"),
    }
    store.close().await;
}

async fn files_without_a_row_are_swept(place: Place) {
    let (_, own) = seed::filled(&place, "m").await;
    let before = files_below(&place.data());
    if place.is_postgres() {
        assert!(!place.data().join("blobs").exists());
        return;
    }
    let blobs = place.data().join("blobs");
    let stray = hash_of(b"stray");
    fs::write(blobs.join(own.to_string()).join(stray.as_str()), "stray").unwrap();
    fs::write(blobs.join(own.to_string()).join("00ff.partial"), "half").unwrap();
    let nowhere = blobs.join("01890a5d-ac96-774b-bcce-b302099a8057");
    fs::create_dir(&nowhere).unwrap();
    fs::write(nowhere.join(hash_of(b"m").as_str()), "m").unwrap();
    let store = place.open().await;
    store.close().await;
    let after = files_below(&place.data());
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(!nowhere.exists());
}
