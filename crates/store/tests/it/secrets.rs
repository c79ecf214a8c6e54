//! Secrets: they open where they belong and nowhere else, and lie nowhere in the clear.

use crate::{
    laws,
    place::{NOW, Place},
    seed,
};
use mosaic_protocol::WorkspaceId;
use mosaic_store::{Error, Store, secrets};

laws! {
    what_is_sealed_opens,
    a_secret_is_replaced,
    secrets_have_a_bound,
    a_moved_row_does_not_open,
    a_changed_seal_does_not_open,
    no_value_lies_in_the_clear,
}

const VALUE: &str = "sk-canary-0123456789";

async fn opens(store: &Store, workspace: WorkspaceId, name: &str) -> bool {
    match seed::open_secret(store, workspace, name).await {
        Ok(value) => {
            assert!(value.is_none_or(|value| value == VALUE));
            true
        }
        Err(Error::Sealed(what)) => {
            assert!(!what.contains(VALUE));
            false
        }
        Err(error) => panic!("{error:?}"),
    }
}

async fn what_is_sealed_opens(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let (_, other) = seed::user(&store, "bob").await;
    let mut tx = store.write().await.unwrap();
    let values = ["", "v", "秘密 ✓", &"x".repeat(16_384)];
    for (n, value) in values.iter().enumerate() {
        let (name, host) = (format!("K{n}"), format!("h{n}.example.com"));
        let secret = secrets::put(&store, &mut tx, own, &name, &host, value).await.unwrap();
        assert_eq!((secret.name, secret.host, secret.updated_at), (name, host, NOW));
    }
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    for (n, value) in values.iter().enumerate() {
        let (opened, host) =
            secrets::open(&store, &mut tx, own, &format!("K{n}")).await.unwrap().unwrap();
        assert_eq!((&opened[..], host), (value.as_bytes(), format!("h{n}.example.com")));
    }
    assert!(secrets::open(&store, &mut tx, own, "K9").await.unwrap().is_none());
    assert!(secrets::open(&store, &mut tx, other, "K0").await.unwrap().is_none());
    let names: Vec<String> =
        secrets::list(&mut tx, own).await.unwrap().into_iter().map(|s| s.name).collect();
    assert_eq!(names, ["K0", "K1", "K2", "K3"]);
    assert!(secrets::list(&mut tx, other).await.unwrap().is_empty());
    drop(tx);
    let mut tx = store.write().await.unwrap();
    assert!(!secrets::delete(&mut tx, other, "K0").await.unwrap());
    assert!(secrets::delete(&mut tx, own, "K0").await.unwrap());
    assert!(!secrets::delete(&mut tx, own, "K0").await.unwrap());
    drop(tx);
    store.close().await;
}

async fn a_secret_is_replaced(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let (_, other) = seed::user(&store, "bob").await;
    for (workspace, value) in [(own, "one"), (other, "bobs"), (own, "two")] {
        seed::put_secret(&store, workspace, "KEY", value).await;
    }
    let value = seed::open_secret(&store, own, "KEY").await.unwrap();
    assert_eq!(value.as_deref(), Some("two"));
    let value = seed::open_secret(&store, other, "KEY").await.unwrap();
    assert_eq!(value.as_deref(), Some("bobs"));
    // The same value twice never looks the same.
    seed::put_secret(&store, own, "A", "same").await;
    seed::put_secret(&store, own, "B", "same").await;
    let text = if place.is_postgres() { "encode(sealed, 'hex')" } else { "hex(sealed)" };
    let mut sealed = place.rows(format!("select {text} from secrets")).await;
    sealed.sort_unstable();
    sealed.dedup();
    assert_eq!(sealed.len(), 4);
    store.close().await;
}

async fn secrets_have_a_bound(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    let mut tx = store.write().await.unwrap();
    for n in 0..secrets::MAX {
        secrets::put(&store, &mut tx, own, &format!("K{n}"), "h", "v").await.unwrap();
    }
    let more = secrets::put(&store, &mut tx, own, "more", "h", "v").await.map(drop);
    assert!(matches!(more, Err(Error::TooMany(secrets::MAX))), "{more:?}");
    secrets::put(&store, &mut tx, own, "K7", "h", "another").await.unwrap();
    drop(tx);
    store.close().await;
}

async fn a_moved_row_does_not_open(place: Place) {
    let store = place.open().await;
    let (ada, own) = seed::user(&store, "ada").await;
    let team = seed::team(&store, "Weavers", ada).await;
    let team = team.workspace_id;
    seed::put_secret(&store, own, "KEY", VALUE).await;
    place.run("create table kept as select * from secrets").await;
    for (change, workspace, name) in [
        (format!("workspace_id = '{team}'"), team, "KEY"),
        ("name = 'OTHER'".to_owned(), own, "OTHER"),
        ("host = 'evil.example.com'".to_owned(), own, "KEY"),
        ("name = 'KEYa', host = 'pi.example.com'".to_owned(), own, "KEYa"),
        (format!("id = '{}'", store.ambient().id(WorkspaceId::new)), own, "KEY"),
        ("key_id = 'other'".to_owned(), own, "KEY"),
    ] {
        assert!(opens(&store, own, "KEY").await);
        place.run(format!("update secrets set {change}")).await;
        assert!(!opens(&store, workspace, name).await, "{change}");
        place.run("delete from secrets; insert into secrets select * from kept").await;
    }
    // The store's own sealed values do not open as each other either.
    store.close().await;
    let columns = "key_id = (select key_id from keyring where name = 'audit'),
        sealed = (select sealed from keyring where name = 'audit')";
    place.run(format!("update keyring set {columns} where name = 'check'")).await;
    crate::place::refusal(place.try_open().await);
}

async fn a_changed_seal_does_not_open(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    seed::put_secret(&store, own, "KEY", VALUE).await;
    let (hex, unhex) = if place.is_postgres() {
        ("encode(sealed, 'hex')", "decode('{}', 'hex')")
    } else {
        ("lower(hex(sealed))", "x'{}'")
    };
    let sealed = place.rows(format!("select {hex} from secrets")).await.remove(0);
    let n = sealed.len();
    // A nibble of the nonce, of the ciphertext, of the tag; cut short, and empty.
    let mut changed: Vec<String> = [0, 23, 24, n / 2, n - 1]
        .iter()
        .map(|&at| {
            let digit = if &sealed[at..=at] == "0" { "1" } else { "0" };
            format!("{}{digit}{}", &sealed[..at], &sealed[at + 1..])
        })
        .collect();
    changed.extend(["".to_owned(), sealed[..24].to_owned(), sealed[..n - 2].to_owned()]);
    for changed in changed {
        place.run(format!("update secrets set sealed = {}", unhex.replace("{}", &changed))).await;
        assert!(!opens(&store, own, "KEY").await, "{changed}");
    }
    place.run(format!("update secrets set sealed = {}", unhex.replace("{}", &sealed))).await;
    assert!(opens(&store, own, "KEY").await);
    store.close().await;
}

async fn no_value_lies_in_the_clear(place: Place) {
    let store = place.open().await;
    let (_, own) = seed::user(&store, "ada").await;
    seed::put_secret(&store, own, "KEY", VALUE).await;
    store.rotate_secrets(&mosaic_protocol::access::Actor::System).await.unwrap();
    let backup = place.beside("backup");
    store.backup(&backup).await.unwrap();
    let hex: String = VALUE.bytes().map(|byte| format!("{byte:02x}")).collect();
    for pass in ["open", "closed"] {
        let mut texts: Vec<Vec<u8>> = place.files().into_values().collect();
        texts.push(std::fs::read(&backup).unwrap());
        texts.push(format!("{:?}", place.tables().await).into_bytes());
        for text in texts {
            let holds = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
            assert!(!holds(VALUE.as_bytes()) && !holds(hex.as_bytes()), "{pass}");
        }
        store.close().await;
    }
}
