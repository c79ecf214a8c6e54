//! Opening a database that is damaged, or not of this program: refused, with every byte left as it was.

use crate::{
    laws,
    place::{Place, refusal},
    seed,
};
use std::fs;

laws! { a_newer_database, a_changed_migration, migrations_that_are_not_ours }

async fn refused_untouched(place: &Place) -> String {
    let before = place.picture().await;
    let text = refusal(place.try_open().await);
    place.is_still(&before).await;
    text
}

async fn a_newer_database(place: Place) {
    seed::filled(&place, "m").await;
    place
        .run(
            "insert into migrations (number, name, digest, applied_at)
             select 999, 'future', digest, 0 from migrations where number = 1",
        )
        .await;
    let text = refused_untouched(&place).await;
    assert!(text.contains("newer") && text.contains("999"), "{text}");
    place.run("delete from migrations where number = 999").await;
    place.open().await.close().await;
}

async fn a_changed_migration(place: Place) {
    seed::filled(&place, "m").await;
    let bytes = if place.is_postgres() { "'\\x00'::bytea" } else { "x'00'" };
    place.run(format!("update migrations set digest = {bytes} where number = 1")).await;
    let text = refused_untouched(&place).await;
    assert!(text.contains("migration 1"), "{text}");
}

async fn migrations_that_are_not_ours(place: Place) {
    seed::filled(&place, "m").await;
    place.run("update migrations set name = 'other' where number = 1").await;
    let text = refused_untouched(&place).await;
    assert!(text.contains("migration 1 (other)"), "{text}");
    place.run("update migrations set name = 'accounts', number = 0 where number = 1").await;
    refused_untouched(&place).await;
}

/// On SQLite only: PostgreSQL looks after its own files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database() {
    let place = Place::sqlite();
    seed::filled(&place, "m").await;
    let path = place.data().join("mosaic.db");
    let whole = fs::read(&path).unwrap();
    for garbage in [vec![0x5a; 100], vec![0x5a; 50_000], whole[..whole.len() / 3].to_vec()] {
        fs::write(&path, garbage).unwrap();
        let text = refused_untouched(&place).await;
        assert!(text.contains("mosaic.db") && text.contains("restore"), "{text}");
    }
    fs::write(&path, whole).unwrap();
    place.open().await.close().await;
}

/// A page overwritten in the middle shows when the database is examined.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_page() {
    let place = Place::sqlite();
    seed::filled(&place, "m").await;
    let store = place.open().await;
    store.db().examine().await.unwrap();
    store.close().await;
    let path = place.data().join("mosaic.db");
    let mut bytes = fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(3) {
        page[..64].fill(0x5a);
    }
    fs::write(&path, bytes).unwrap();
    match place.try_open().await {
        Ok(store) => {
            assert!(store.db().examine().await.is_err());
            store.close().await;
        }
        Err(error) => {
            let text = refusal(Err::<(), _>(error));
            assert!(text.contains("mosaic.db") && text.contains("restore"), "{text}");
        }
    }
}
