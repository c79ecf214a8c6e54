//! A deleted person is gone: no word of theirs is in any file or row.

use crate::{
    laws, logs,
    place::{Place, Tables},
    seed,
};
use bytes::Bytes;
use mosaic_protocol::UserId;
use mosaic_store::{Store, batch::Batch, sessions, users};

laws! {
    nothing_is_left_of_a_deleted_person,
    nothing_is_left_among_many,
    nothing_is_left_in_the_index,
    what_was_changed_is_gone,
    a_reader_only_puts_it_off,
}

fn found_in(bytes: &[u8], canary: &str) -> bool {
    let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    [canary.as_bytes(), hex.as_bytes()]
        .iter()
        .any(|needle| bytes.windows(needle.len()).any(|window| window == *needle))
}

/// Where the canary still is: the names of files and tables.
async fn traces(place: &Place, canary: &str) -> Vec<String> {
    let files = place.files();
    let names = files.keys().map(|path| (path.display().to_string(), path.display().to_string()));
    let mut traces: Vec<String> =
        names.filter(|(_, name)| found_in(name.as_bytes(), canary)).map(|(path, _)| path).collect();
    let in_files = files.iter().filter(|(_, bytes)| found_in(bytes, canary));
    traces.extend(in_files.map(|(path, _)| path.display().to_string()));
    let tables: Tables = place.tables().await;
    let in_rows = tables.iter().filter(|(_, rows)| found_in(rows.join("\n").as_bytes(), canary));
    traces.extend(in_rows.map(|(table, _)| table.clone()));
    traces
}

async fn ids_of(place: &Place, user_id: UserId) -> Vec<String> {
    let tables = place.tables().await;
    let mut with_id: Vec<String> = vec![];
    for (table, rows) in tables {
        with_id.extend(rows.iter().any(|row| row.contains(&user_id.to_string())).then_some(table));
    }
    with_id
}

async fn nothing_is_left_of_a_deleted_person(place: Place) {
    let store = place.open().await;
    let canary = "canary7f3a";
    let (other, others) = seed::everything(&store, "bystander").await;
    let (user_id, _) = seed::everything(&store, canary).await;
    let found = traces(&place, canary).await;
    let tables = ["conversation_tags", "conversations", "entries"];
    for table in ["identities", "oidc_flows", "secrets", "sessions", "tokens", "users"]
        .into_iter()
        .chain(tables)
    {
        assert!(found.iter().any(|name| name == table), "{table} holds no canary: {found:?}");
    }
    let blob_files = found.iter().filter(|name| name.contains("/blobs/")).count();
    assert!(blob_files == 1 || found.iter().any(|name| name == "blob_chunks"), "{found:?}");

    seed::delete_user(&store, user_id).await;
    assert_eq!(traces(&place, canary).await, Vec::<String>::new());
    assert_eq!(ids_of(&place, user_id).await, ["audit"], "the log keeps the id and nothing else");
    store.close().await;
    assert_eq!(traces(&place, canary).await, Vec::<String>::new());

    // The others keep what is theirs.
    let store = place.open().await;
    let value = seed::open_secret(&store, others, "KEY-bystander").await.unwrap();
    assert_eq!(value.as_deref(), Some("value bystander"));
    assert_eq!(ids_of(&place, other).await.len(), 18);
    store.close().await;
}

async fn nothing_is_left_among_many(place: Place) {
    let store = place.open().await;
    let mut made = vec![];
    // So many, of many lengths, that pages are split, filled and joined again.
    for n in 0..60 {
        let canary = if n % 2 == 0 { "canary7f3a" } else { "bystander" };
        let account = format!("{canary}-{n}");
        let user = seed::try_user(&store, &account, &canary.repeat(n % 9 + 1)).await.unwrap();
        let workspace = seed::personal(&store, user.id).await;
        let mut tx = store.write().await.unwrap();
        for m in 0..20 {
            let expires_at = crate::place::NOW.plus_days(1);
            let agent = canary.repeat(m * (n % 7) + 1);
            let new = sessions::NewSession {
                user_id: user.id,
                expires_at,
                agent: &agent,
                address: canary,
            };
            sessions::create(store.ambient(), &mut tx, new).await.unwrap();
        }
        tx.commit().await.unwrap();
        store.put_blob(workspace, &Bytes::from(account.repeat(3))).await.unwrap();
        made.push(user.id);
    }
    for (n, user_id) in made.iter().enumerate().filter(|(n, _)| n % 2 == 0) {
        if n % 10 == 0 {
            seed::delete_user(&store, *user_id).await;
            continue;
        }
        let own = seed::personal(&store, *user_id).await;
        let held = store.hold_blobs();
        let mut tx = store.write().await.unwrap();
        users::delete(&mut tx, *user_id).await.unwrap();
        store.commit_and_forget(tx, vec![own]).await.unwrap();
        drop(held);
    }
    let patience = seed::Patience::new();
    while !traces(&place, "canary7f3a").await.is_empty() {
        patience.more().await;
    }
    assert_eq!(traces(&place, "canary7f3a").await, Vec::<String>::new());
    assert!(!traces(&place, "bystander").await.is_empty());
    store.close().await;
    assert_eq!(traces(&place, "canary7f3a").await, Vec::<String>::new());
}

async fn nothing_is_left_in_the_index(place: Place) {
    let store = place.open().await;
    let (ada, adas) = seed::user(&store, "ada").await;
    let (bob, bobs) = seed::user(&store, "bob").await;
    let kept = logs::conversation(&store, ada, adas).await;
    // In several steps, so that the index has several parts, between many other words.
    for n in 0..200 {
        logs::say(&store, kept, ada, &format!("canaries {n} sing")).await;
        let (who, log) = match n % 40 {
            7 => (bob, kept),
            9 => (bob, logs::conversation(&store, bob, bobs).await),
            11 => (ada, logs::conversation(&store, ada, adas).await),
            _ => continue,
        };
        logs::say(&store, log, who, "canary7f3a").await;
        if n % 40 == 11 {
            store.index().await.unwrap();
            let batch = Batch { deletes: vec![log], ..Batch::default() };
            store.commit(batch).await.unwrap();
        }
        store.index().await.unwrap();
    }
    let index = if place.is_postgres() { "search_places" } else { "search.db" };
    let found = traces(&place, "canary7f3a").await;
    assert!(found.iter().any(|name| name.contains(index)), "{found:?}");
    seed::delete_user(&store, bob).await;
    store.tidy_soon();
    store.index().await.unwrap();
    assert_eq!(traces(&place, "canary7f3a").await, Vec::<String>::new());
    let in_index = bob.to_string().replace('-', "");
    assert_eq!(traces(&place, &in_index).await, Vec::<String>::new());
    assert!(!traces(&place, "canaries").await.is_empty());
    store.close().await;
}

async fn what_was_changed_is_gone(place: Place) {
    let store: Store = place.open().await;
    let canary = "canary7f3a";
    let (user_id, workspace) = seed::everything(&store, "m").await;
    let mut tx = store.write().await.unwrap();
    users::set_display_name(&mut tx, user_id, &canary.repeat(10)).await.unwrap();
    tx.commit().await.unwrap();
    let (blob, _) = store.put_blob(workspace, &canary.into()).await.unwrap();
    assert!(!traces(&place, canary).await.is_empty());
    let mut tx = store.write().await.unwrap();
    users::set_display_name(&mut tx, user_id, "short").await.unwrap();
    tx.commit().await.unwrap();
    store.delete_blob(workspace, &blob.hash).await.unwrap();
    store.forget().await.unwrap();
    assert_eq!(traces(&place, canary).await, Vec::<String>::new());
    store.close().await;
}

/// Somebody who still reads what the write-ahead log holds keeps it from being emptied, but not for good.
async fn a_reader_only_puts_it_off(place: Place) {
    let store = place.open().await;
    let canary = "canary7f3a";
    let (user_id, _) = seed::everything(&store, canary).await;
    let mut reader = store.read().await.unwrap();
    users::count_admins(&mut reader).await.unwrap();
    seed::delete_user(&store, user_id).await;
    let left = traces(&place, canary).await;
    assert!(place.is_postgres() || left.iter().any(|file| file.ends_with("-wal")), "{left:?}");
    drop(reader);
    store.forget().await.unwrap();
    assert_eq!(traces(&place, canary).await, Vec::<String>::new());
    store.close().await;
}
