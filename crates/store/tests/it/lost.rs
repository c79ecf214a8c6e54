//! A database that was lost while what belongs to it is still there: no new one is made beside it. On SQLite only: a
//! server's database has its blobs in it.

use crate::{
    place::{Place, refusal},
    seed,
};
use mosaic_store::{Options, Store};
use std::fs;

/// A store with a blob in it, whose database is gone.
async fn bereft(contents: Option<&[u8]>) -> Place {
    let place = Place::sqlite();
    seed::filled(&place, "m").await;
    let database = place.data().join("mosaic.db");
    match contents {
        None => fs::remove_file(database).unwrap(),
        Some(bytes) => fs::write(database, bytes).unwrap(),
    }
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_database_is_not_replaced_by_an_empty_one() {
    for contents in [None, Some(&b""[..])] {
        let place = bereft(contents).await;
        let before = place.picture().await;
        assert!(before.0.keys().any(|path| path.starts_with(place.data().join("blobs"))));
        for keep_spare_keys in [false, true] {
            let options = Options { keep_spare_keys, ..place.options() };
            let text = refusal(Store::open(options).await);
            let state = if contents.is_none() { "missing" } else { "empty" };
            for word in ["mosaic.db", state, "blobs/", "put mosaic.db back", "mosaic restore"] {
                assert!(text.contains(word), "no `{word}` in {text}");
            }
            refusal(Store::examine(&place.options()).await);
            place.is_still(&before).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_tables_is_a_lost_one() {
    let place = bereft(None).await;
    let other = Place::sqlite();
    fs::create_dir_all(other.data()).unwrap();
    fs::write(other.data().join("mosaic.db"), "").unwrap();
    other.run("create table t (a integer); drop table t").await;
    fs::copy(other.data().join("mosaic.db"), place.data().join("mosaic.db")).unwrap();
    let blobs = place.files();
    let text = refusal(place.try_open().await);
    assert!(text.contains("is empty") && text.contains("blobs/"), "{text}");
    for (path, bytes) in blobs.iter().filter(|it| it.0.starts_with(place.data().join("blobs"))) {
        assert_eq!(&fs::read(path).unwrap(), bytes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_put_there_opens_a_new_store_unless_it_is_a_retired_one() {
    let made = Place::sqlite();
    made.open().await.close().await;
    let place = Place::sqlite();
    fs::create_dir_all(place.data()).unwrap();
    fs::copy(made.key_file(), place.key_file()).unwrap();
    place.open().await.close().await;
    assert_eq!(fs::read(made.key_file()).unwrap(), fs::read(place.key_file()).unwrap());

    // Beside `blobs/`, even an empty one, it is no first start.
    fs::remove_file(place.data().join("mosaic.db")).unwrap();
    assert!(refusal(place.try_open().await).contains("master.key"));
    fs::remove_dir(place.data().join("blobs")).unwrap();
    let retired = place.data().join("retired-1.key");
    fs::copy(made.key_file(), &retired).unwrap();
    assert!(refusal(place.try_open().await).contains("a retired key"));
    // A backup may need it.
    let options = Options { keep_spare_keys: true, ..place.options() };
    Store::open(options).await.unwrap().close().await;
    assert!(retired.exists());
}
