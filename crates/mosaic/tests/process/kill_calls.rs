//! Killed in the middle of a model's answer: the call is found interrupted at the next start, and counts for what was
//! held for it; what was answered before stays what it was.

use crate::support::*;
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};

async fn calls(person: &Person) -> (i64, i64, i64) {
    // Usage first: it waits until what just ended is written.
    let usage = person.get("/api/usage?by=model").await.ok()["total"].clone();
    let budget = person.get("/api/budgets").await.ok()["items"][0]["spent"].clone();
    let number = |value: &Value| value.as_i64().unwrap();
    (number(&budget["tokens"]), number(&budget["held_tokens"]), number(&usage["calls"]))
}

fn ask(model: &str) -> Value {
    let message = json!({ "role": "user", "content": "one two three four" });
    json!({ "model": model, "max_tokens": 500, "stream": true, "messages": [message] })
}

#[tokio::test]
async fn a_call_that_was_cut_by_a_kill_is_interrupted_and_counts() {
    let gateway = Gateway::start_sqlite(&[]);
    let root = gateway.admin().await;
    let play = json!({ "name": "play", "kind": "scripted", "server": true });
    root.post("/api/providers", play).await.ok();
    let me = root.get("/api/me").await.ok()["user"]["id"].clone();
    let subject = json!({ "kind": "user", "id": me });
    let budget = json!({ "subject": subject, "period": "month", "tokens": 100_000 });
    root.put("/api/budgets", budget).await.ok();

    let program = root.with_token(&["models"]).await;
    let path = "/v1/chat/completions";
    program.send(Method::POST, path, ask("play/echo")).await.is(200);
    let (spent, held, n) = calls(&root).await;
    assert!(spent > 0 && held == 0 && n == 1, "{spent} {held} {n}");

    // Its first words have come; it will say no more.
    let request = program.request(Method::POST, path, &ask("play/stall-after-2"));
    let mut answer = gateway.client().open(request).await.unwrap();
    answer.body_mut().frame().await.unwrap().unwrap();
    let (same, held, _) = calls(&root).await;
    assert_eq!(same, spent);
    assert!(held >= 500, "what it may cost was held before it was sent: {held}");
    let place = gateway.kill();
    drop(answer);

    let gateway = Gateway::start_at(place, &[]);
    let root = root.with_client(gateway.client());
    let (after, nothing_held, n) = calls(&root).await;
    assert_eq!((after, nothing_held, n), (spent + held, 0, 2), "nobody knows how far it came");
    let usage = root.get("/api/usage?by=model").await.ok();
    assert_eq!(usage["total"]["failed"], 1);
    // And it goes on.
    let program = root.with_token(&["models"]).await;
    program.send(Method::POST, path, ask("play/echo")).await.is(200);
    gateway.stop().await;
}
