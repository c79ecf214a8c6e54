//! `mosaic verify`: refused beside a running gateway, says what is wrong and what to do, and mends what can be mended.

use crate::{
    seed::fill,
    support::{Database, Gateway, Place},
};
use serde_json::{Value, json};
use std::sync::Arc;

async fn verified(database: Database) {
    let Some(place) = Place::new(database).map(Arc::new) else { return };
    place.mosaic(&["verify"]).refused_with_next_step(1, &["no data"]);
    let gateway = Gateway::start_at(place.clone(), &[]);
    fill(&gateway).await;
    let root = gateway.nobody();
    let root = crate::support::Person { name: "root".to_owned(), ..root }.log_in().await;
    let log = root.converse("Looms").await;
    root.say(&log, "a message").await;
    root.submit(json!({ "kind": "pin", "log": log, "seq": 2 })).await.ok();
    place.mosaic(&["verify"]).refused_with_next_step(1, &["in use by process"]);
    gateway.stop().await;
    let said = place.ok(&["verify"]);
    assert!(said.contains("good  pins: 1, as the entries tell"), "{said}");
    assert!(said.ends_with("Everything is as it should be."), "{said}");

    place.run("delete from pins").await;
    let bad = place.mosaic(&["verify"]);
    assert_eq!(bad.code, Some(1));
    let missing = format!("log {log} seq 2: it is missing, and the entries tell it");
    for part in ["BAD   pins: 1 wrong", &missing, "→ mosaic verify --rebuild"] {
        assert!(bad.stdout.contains(part), "{part} is not in {}", bad.stdout);
    }
    let bad = place.mosaic(&["verify", "--json"]);
    assert_eq!(bad.code, Some(1));
    let json: Value = serde_json::from_str(&bad.stdout).unwrap();
    let pins = json["checks"].as_array().unwrap().iter().find(|it| it["what"] == "pins").unwrap();
    assert_eq!(
        (&pins["n_problems"], &pins["problems"][0]["place"]),
        (&json!(1), &json!(format!("log {log} seq 2")))
    );
    let said = place.ok(&["verify", "--rebuild"]);
    assert!(said.contains("rebuilt  pins: 1 added, 0 changed, 0 removed"), "{said}");
    assert!(said.ends_with("Everything is as it should be now."), "{said}");
    place.ok(&["verify"]);

    place
        .run(format!("delete from entries where log_id = '{log}' and seq = 2; delete from pins"))
        .await;
    let bad = place.mosaic(&["verify", "--rebuild"]);
    assert_eq!(bad.code, Some(1));
    for part in ["entry 2 of 3 is missing", "nothing was rebuilt", "mosaic restore FILE"] {
        assert!(bad.stdout.contains(part), "{part} is not in {}", bad.stdout);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify_says_what_is_wrong_on_sqlite() {
    verified(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify_says_what_is_wrong_on_postgres() {
    verified(Database::Postgres).await;
}
