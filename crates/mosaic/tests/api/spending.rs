//! Budgets: who may set which, whom they bind, who sees them. And usage, of which there is none at first.

use crate::{on_both, support::*};
use serde_json::{Value, json};

on_both!(budgets_are_set_by_those_who_answer_for_them, usage_is_ones_own);

fn budget(kind: &str, id: &str) -> Value {
    let subject = match kind {
        "server" => json!({ "kind": kind }),
        kind => json!({ "kind": kind, "id": id }),
    };
    json!({ "subject": subject, "period": "day", "micros": 1_000_000, "tokens": 5000 })
}

async fn budgets_are_set_by_those_who_answer_for_them(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let (ada, bob) = (gateway.invite(&root, "ada").await, gateway.invite(&root, "bob").await);
    let team = ada.make_team("Engines").await;
    let shared = team["workspace_id"].as_str().unwrap();
    ada.bring_into(team["id"].as_str().unwrap(), &bob, "member").await;
    let put = async |who: &Person, body: Value| who.put("/api/budgets", body).await;

    // One's own workspaces; the others take an admin.
    put(&ada, budget("workspace", &ada.workspace_id)).await.is(200);
    put(&ada, budget("workspace", shared)).await.is(200);
    put(&bob, budget("workspace", shared)).await.refused(403, "forbidden");
    put(&bob, budget("workspace", &ada.workspace_id)).await.refused(404, "not_found");
    put(&bob, budget("workspace", &fresh_id())).await.refused(404, "not_found");
    let (of_ada, of_nobody) = (budget("user", &ada.id), budget("user", &fresh_id()));
    let foreign = put(&bob, of_ada.clone()).await.refused(403, "forbidden");
    let nothing = put(&bob, of_nobody.clone()).await.refused(403, "forbidden");
    assert_eq!(foreign.face(), nothing.face());
    put(&bob, budget("user", &bob.id)).await.refused(403, "forbidden");
    put(&bob, budget("server", "")).await.refused(403, "forbidden");
    put(&bob, budget("agent", "helper")).await.refused(403, "forbidden");
    let of_ada = put(&root, of_ada).await.is(200).json;
    put(&root, of_nobody).await.refused(404, "not_found");
    let of_server = put(&root, budget("server", "")).await.is(200).json;
    // There are no agents yet, and a budget that binds nothing would be believed.
    put(&root, budget("agent", "helper")).await.refused(400, "invalid");
    put(&root, budget("workspace", shared)).await.is(200);

    for (bad, said) in [
        (json!({ "micros": -1 }), "negative"),
        (json!({ "micros": null, "tokens": null }), "bounds"),
        (json!({ "period": "week" }), "week"),
        (json!({ "subject": { "kind": "team", "id": "x" } }), "team"),
    ] {
        let mut body = budget("server", "");
        body.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        let answer = put(&root, body).await.refused(400, "invalid");
        assert!(answer.whole().contains(said), "{said}: {}", answer.whole());
    }

    // Everybody sees what binds them, and nothing else.
    let kinds = async |who: &Person, path: &str| {
        let items = who.get(path).await.ok()["items"].as_array().unwrap().clone();
        let mut kinds: Vec<String> =
            items.iter().map(|it| it["subject"]["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(kinds(&ada, "/api/budgets").await, ["server", "user", "workspace", "workspace"]);
    assert_eq!(kinds(&bob, "/api/budgets").await, ["server", "workspace"]);
    let all = kinds(&root, "/api/admin/budgets").await;
    assert_eq!(all, ["server", "user", "workspace", "workspace"]);
    bob.get("/api/admin/budgets").await.refused(403, "forbidden");

    // Of a budget that does not bind them, others do not learn that it is there.
    let path = |budget: &Value| format!("/api/budgets/{}", budget["id"].as_str().unwrap());
    let nothing = format!("/api/budgets/{}", fresh_id());
    let nothing = bob.delete(&nothing, Value::Null).await.refused(404, "not_found").face();
    for hidden in [&of_ada] {
        assert_eq!(bob.delete(&path(hidden), Value::Null).await.face(), nothing);
    }
    bob.delete(&path(&of_server), Value::Null).await.refused(403, "forbidden");
    ada.delete(&path(&of_ada), Value::Null).await.refused(403, "forbidden");
    // Set again, it is the same one.
    let mut again = budget("server", "");
    again["tokens"] = json!(7);
    let again = put(&root, again).await.is(200).json;
    assert_eq!((&again["id"], &again["tokens"]), (&of_server["id"], &json!(7)));
    root.delete(&path(&of_server), Value::Null).await.is(204);
    root.delete(&path(&of_server), Value::Null).await.refused(404, "not_found");
    let audit = root.get("/api/audit?limit=500").await.whole();
    assert!(audit.contains("put_budget") && audit.contains("delete_budget"));
}

async fn usage_is_ones_own(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let (ada, bob) = (gateway.invite(&root, "ada").await, gateway.invite(&root, "bob").await);
    let team = ada.make_team("Engines").await;
    ada.bring_into(team["id"].as_str().unwrap(), &bob, "member").await;
    let shared = format!("/api/usage?workspace_id={}", team["workspace_id"].as_str().unwrap());
    for by in ["day", "model", "provider", "conversation", "person", "agent", "token", "rule"] {
        let report = ada.get(&format!("/api/usage?by={by}")).await.ok();
        assert_eq!((&report["by"], &report["rows"]), (&json!(by), &json!([])));
        assert_eq!((&report["total"]["calls"], &report["total"]["micros"]), (&json!(0), &json!(0)));
    }
    ada.get(&shared).await.is(200);
    bob.get(&shared).await.refused(403, "forbidden");
    root.get(&shared).await.refused(404, "not_found");
    root.get("/api/usage?everybody=true").await.is(200);
    bob.get("/api/usage?everybody=true").await.refused(403, "forbidden");
    for bad in [
        "by=week",
        "from=yesterday",
        "from=2026-02-30",
        "to=2026-1-1",
        "from=2026-02-01&to=2026-01-01",
        "from=2020-01-01&to=2026-01-01",
        "everybody=perhaps",
    ] {
        ada.get(&format!("/api/usage?{bad}")).await.refused(400, "invalid");
    }
    // What one may not look at stays so by a token.
    let token = ada.with_token(&["write"]).await;
    token.get("/api/usage").await.refused(403, "missing_scope");
}
