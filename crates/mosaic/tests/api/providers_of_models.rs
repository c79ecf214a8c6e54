//! Providers of models: who may set up which and where, how keys are kept, and that they never come out.

use crate::{
    on_both,
    support::*,
    upstream::{KEY, Upstream, WRONG_KEY},
};
use serde_json::{Value, json};

on_both!(keys_go_in_and_never_come_out, each_scope_has_its_people);

fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

/// The path of what is called so.
async fn path_of(who: &Person, name: &str) -> String {
    let page = who.get("/api/providers").await.ok();
    let found = page["items"].as_array().unwrap().iter().find(|it| it["name"] == name);
    format!("/api/providers/{}", found.unwrap()["id"].as_str().unwrap())
}

async fn keys_go_in_and_never_come_out(database: Database) {
    let (upstream, other) = (Upstream::start().await, Upstream::start().await);
    let hosts = format!("{},{}", upstream.host, other.host);
    let Some(gateway) = Gateway::start(database, &[("providers.private_hosts", &hosts)]) else {
        return;
    };
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let add = |key: &str| json!({ "name": "mine", "kind": "compatible", "base_url": upstream.base_url(), "key": key });
    let mut answers = vec![];

    // A key of another provider, with what this one said of it, but for the key.
    let refused = ada.post("/api/providers", add(WRONG_KEY)).await.refused(400, "invalid");
    assert!(refused.whole().contains("Incorrect API key provided"), "{}", refused.whole());
    assert!(refused.whole().contains("check the key"), "{}", refused.whole());
    answers.push(refused.whole());
    assert_eq!(names(&ada.get("/api/providers").await.ok()), Vec::<String>::new());

    let made = ada.post("/api/providers", add(KEY)).await.is(201);
    answers.push(made.whole());
    let made = made.json;
    assert_eq!((&made["hint"], &made["credential"]), (&json!("…WXYZ"), &json!("key")));
    assert_eq!(made["health"]["state"], "up");
    ada.post("/api/providers", add(KEY)).await.refused(409, "name_taken");
    let path = format!("/api/providers/{}", made["id"].as_str().unwrap());

    let listed = ada.get("/api/providers").await.is(200);
    assert_eq!(names(&listed.json), ["mine"]);
    let models = ada.get("/api/models").await.is(200);
    let ids: Vec<&Value> =
        models.json["items"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["mine/tiny-1", "mine/tiny-2"]);
    let health = ada.get("/api/providers/health").await.is(200);
    assert_eq!(health.json["items"][0]["health"]["state"], "up");
    assert!(health.json["items"][0]["health"]["latency_ms"].is_u64());
    let tested = ada.post(&format!("{path}/test"), Value::Null).await.is(200);
    assert_eq!((&tested.json["works"], &tested.json["n_models"]), (&json!(true), &json!(2)));
    answers.extend([listed, models, health, tested].map(|answer| answer.whole()));

    // Another path on the same host keeps the key; another host wants it again, and is not asked with the old one.
    let same = json!({ "base_url": format!("{}/", upstream.base_url()) });
    answers.push(ada.patch(&path, same).await.is(200).whole());
    let moved = json!({ "base_url": other.base_url() });
    let refused = ada.patch(&path, moved.clone()).await.refused(400, "invalid");
    assert!(refused.whole().contains("another host"), "{}", refused.whole());
    assert_eq!(other.asked(), 0);
    let moved = json!({ "base_url": other.base_url(), "key": KEY });
    answers.push(ada.patch(&path, moved).await.is(200).whole());
    assert_eq!(other.asked(), 1);
    // A key that does not work is not taken in place of one that does.
    ada.patch(&path, json!({ "key": WRONG_KEY })).await.refused(400, "invalid");
    assert_eq!(ada.post(&format!("{path}/test"), Value::Null).await.ok()["works"], true);

    let off = ada.patch(&path, json!({ "enabled": false })).await.ok();
    assert_eq!(off["enabled"], false);
    assert_eq!(ada.get("/api/models").await.ok()["items"], json!([]));
    ada.delete(&path, Value::Null).await.is(204);
    ada.patch(&path, json!({ "enabled": true })).await.refused(404, "not_found");

    let audit = root.get("/api/audit?limit=500").await.is(200).whole();
    for deed in ["add_provider", "change_provider", "delete_provider"] {
        assert!(audit.contains(deed), "{deed}");
    }
    answers.push(audit);
    answers.push(gateway.log());
    answers.push(gateway.place().mosaic(&["provider", "list", "--user", "ada", "--json"]).stdout);
    for text in answers {
        for part in [KEY, WRONG_KEY, &KEY[3..20], &WRONG_KEY[3..20]] {
            assert!(!text.contains(part), "a key came out: {text}");
        }
    }
    // Nor does it lie in the database as it is.
    for (table, rows) in gateway.place().tables().await {
        assert!(!rows.iter().any(|row| row.contains(KEY)), "{table}");
    }
}

async fn each_scope_has_its_people(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let (ada, bob) = (gateway.invite(&root, "ada").await, gateway.invite(&root, "bob").await);
    let team = ada.make_team("Engines").await;
    let (team_id, shared) = (team["id"].as_str().unwrap(), team["workspace_id"].as_str().unwrap());
    let scripted = |name: &str| json!({ "name": name, "kind": "scripted" });
    let with = |name: &str, field: &str, value: Value| {
        let mut body = scripted(name);
        body[field] = value;
        body
    };
    ada.post("/api/providers", scripted("adas")).await.is(201);
    ada.post("/api/providers", with("teams", "workspace_id", json!(shared))).await.is(201);
    ada.post("/api/providers", with("all", "server", json!(true))).await.refused(403, "forbidden");
    let all = root.post("/api/providers", with("all", "server", json!(true))).await.is(201).json;
    let mut both = with("all", "server", json!(true));
    both["workspace_id"] = json!(ada.workspace_id);
    root.post("/api/providers", both).await.refused(400, "invalid");

    assert_eq!(names(&ada.get("/api/providers").await.ok()), ["adas", "all"]);
    assert_eq!(names(&bob.get("/api/providers").await.ok()), ["all"]);
    let in_team = format!("/api/providers?workspace_id={shared}");
    assert_eq!(names(&ada.get(&in_team).await.ok()), ["teams", "all"]);
    bob.get(&in_team).await.refused(404, "not_found");
    // An admin looks after the server, not into people's things.
    root.get(&in_team).await.refused(404, "not_found");
    let adas = &ada.get("/api/providers").await.ok()["items"][0]["id"];
    let adas = format!("/api/providers/{}", adas.as_str().unwrap());
    for stranger in [&root, &bob] {
        stranger.post(&format!("{adas}/test"), Value::Null).await.refused(404, "not_found");
        stranger.patch(&adas, json!({ "enabled": false })).await.refused(404, "not_found");
        stranger.delete(&adas, Value::Null).await.refused(404, "not_found");
    }
    // Of the server's everybody knows, and only admins change them.
    let all = format!("/api/providers/{}", all["id"].as_str().unwrap());
    bob.patch(&all, json!({ "enabled": false })).await.refused(403, "forbidden");
    bob.delete(&all, Value::Null).await.refused(403, "forbidden");
    bob.post(&format!("{all}/test"), Value::Null).await.refused(403, "forbidden");
    root.post(&format!("{all}/test"), Value::Null).await.is(200);

    // Members use what owners set up.
    ada.bring_into(team_id, &bob, "member").await;
    assert_eq!(names(&bob.get(&in_team).await.ok()), ["teams", "all"]);
    let more = with("more", "workspace_id", json!(shared));
    bob.post("/api/providers", more).await.refused(403, "forbidden");
    // What a person has of their own goes with them, for them only.
    let models =
        async |who: &Person| who.get(&format!("/api/models?workspace_id={shared}")).await.whole();
    assert!(models(&ada).await.contains("adas/"));
    assert!(!models(&bob).await.contains("adas/"));
    assert!(models(&bob).await.contains("teams/"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_addresses_take_an_admin() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let (_, port) = upstream.host.rsplit_once(':').unwrap();
    let at = |url: String| json!({ "name": "near", "kind": "compatible", "base_url": url });
    for host in
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "0x7f000001", "0.0.0.0"]
    {
        for person in [&ada, &root] {
            let answer =
                person.post("/api/providers", at(format!("http://{host}:{port}/v1"))).await;
            answer.refused(400, "invalid");
        }
    }
    // What is written down without being tried is not asked either.
    let mut later = at(format!("http://localhost:{port}/v1"));
    later["untested"] = json!(true);
    ada.post("/api/providers", later).await.is(201);
    assert_eq!(ada.get("/api/models").await.ok()["items"], json!([]));
    let path = format!("{}/test", path_of(&ada, "near").await);
    assert_eq!(ada.post(&path, Value::Null).await.ok()["works"], false);
    assert_eq!(upstream.asked(), 0, "nobody looked at a private address for a person");

    let mut near = at(upstream.base_url());
    near["key"] = json!(KEY);
    near["server"] = json!(true);
    root.post("/api/providers", near).await.is(201);
    assert_eq!(upstream.asked(), 1);
    // Everybody uses what an admin set up for everybody.
    ada.delete(&path_of(&ada, "near").await, Value::Null).await.is(204);
    assert!(ada.get("/api/models").await.whole().contains("near/tiny-1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_reached_or_makes_no_sense_is_refused() {
    let gateway = Gateway::start_sqlite(&[("providers.private_hosts", "127.0.0.1:1")]);
    let root = gateway.admin().await;
    let nowhere =
        json!({ "name": "gone", "kind": "compatible", "base_url": "http://127.0.0.1:1/v1" });
    let refused = root.post("/api/providers", nowhere.clone()).await.refused(400, "invalid");
    assert!(
        refused.whole().contains("does not work") && refused.whole().contains("untested"),
        "{}",
        refused.whole()
    );
    let mut kept = nowhere;
    kept["untested"] = json!(true);
    let made = root.post("/api/providers", kept).await.is(201).json;
    assert_eq!(made["health"]["state"], "unknown", "only what answered is up");
    let path = format!("/api/providers/{}/test", made["id"].as_str().unwrap());
    assert_eq!(root.post(&path, Value::Null).await.ok()["works"], false);
    let health = root.get("/api/providers/health").await.ok();
    assert_eq!(health["items"][0]["health"]["state"], "down");
    assert_eq!(health["items"][0]["health"]["last_error"]["class"], "transport");

    for (body, said) in [
        (json!({ "name": "x", "kind": "antropic" }), "antropic"),
        (json!({ "name": "X y", "kind": "openai" }), "name"),
        (json!({ "name": "x", "kind": "compatible" }), "base_url"),
        (json!({ "name": "x", "kind": "scripted", "base_url": "https://a.example" }), "base_url"),
        (json!({ "name": "x", "kind": "openai", "base_url": "https://u:p@a.example" }), "password"),
        (json!({ "name": "x", "kind": "openai", "base_url": "ftp://a.example" }), "http"),
        (
            json!({ "name": "x", "kind": "openai", "base_url": "http://a.example", "key": "k" }),
            "https",
        ),
        (
            json!({ "name": "x", "kind": "openai", "base_url": format!("https://a.example/{}", "a".repeat(600)) }),
            "500",
        ),
    ] {
        let answer = root.post("/api/providers", body).await.refused(400, "invalid");
        assert!(answer.whole().contains(said), "{said}: {}", answer.whole());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_are_asked_without_anybody_asking() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let provider = json!({
        "name": "near", "kind": "compatible", "base_url": upstream.base_url(), "key": KEY,
        "server": true, "untested": true,
    });
    let made = root.post("/api/providers", provider).await.is(201).json;
    assert_eq!((upstream.asked(), &made["health"]["state"]), (0, &json!("unknown")));
    eventually("it is asked", PATIENCE, async || upstream.asked() > 0).await;
    eventually("it is up", PATIENCE, async || {
        let health = root.get("/api/providers/health").await.ok();
        health["items"][0]["health"]["state"] == "up"
    })
    .await;
}
