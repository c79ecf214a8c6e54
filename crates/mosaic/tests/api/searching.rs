//! Search over HTTP: a moment after something was said it is found by those who may read it, and by nobody else.

use crate::{on_both, support::*};
use serde_json::{Value, json};

on_both!(what_was_said_is_found_within_a_second, what_is_asked_wrongly_is_refused);

async fn found(who: &Person, query: &str) -> Value {
    who.get(&format!("/api/conversations/search?{query}")).await.ok()
}

fn seqs(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|item| item["seq"].as_i64().unwrap()).collect()
}

async fn what_was_said_is_found_within_a_second(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let (bob, eve) = (gateway.invite(&ada, "bob").await, gateway.invite(&ada, "eve").await);
    let log = ada.converse("Looms").await;
    let member = json!({ "kind": "set_member", "log": log, "user_id": bob.id, "role": "viewer" });
    ada.submit(member).await.ok();
    ada.say(&log, "The shuttle flies; 東京で織る").await;
    let last = ada.say(&log, "A shuttle, and a warp").await;
    eventually("it is found", PATIENCE, async || {
        seqs(&found(&bob, "q=shuttle").await) == [last, last - 1]
    })
    .await;
    assert_eq!(found(&eve, "q=shuttle").await["items"], json!([]));
    assert_eq!(seqs(&found(&ada, "q=%E6%9D%B1%E4%BA%AC").await), [last - 1]);

    let page = found(&bob, "q=shuttle&limit=1").await;
    let item = &page["items"][0];
    assert_eq!(
        json!([item["conversation_id"], item["title"], item["kind"], item["author"]]),
        json!([log, "Looms", "user_message", { "is": "user", "id": ada.id }])
    );
    assert_eq!(
        item["snippet"],
        json!([{ "text": "A " }, { "text": "shuttle", "hit": true }, { "text": ", and a warp" }])
    );
    let next = page["next"].as_str().unwrap();
    let page = found(&bob, &format!("q=shuttle&limit=1&after={next}")).await;
    assert_eq!((seqs(&page), &page["next"]), (vec![last - 1], &Value::Null));
    assert_eq!(seqs(&found(&bob, "q=shuttle&ranked=true").await).len(), 2);
    assert_eq!(seqs(&found(&bob, "q=looms&kind=title").await), [1]);
    let by = |id: &str| format!("q=shuttle&author={id}&conversation_id={log}");
    assert_eq!(seqs(&found(&bob, &by(&ada.id)).await).len(), 2);
    assert_eq!(seqs(&found(&bob, &by(&bob.id)).await).len(), 0);

    // What is foreign is answered like what is not there.
    for (who, id) in [(&eve, log.as_str()), (&ada, &fresh_id())] {
        let path = format!("/api/conversations/search?q=shuttle&conversation_id={id}");
        who.get(&path).await.refused(404, "not_found");
    }
    // Whoever is sent away finds nothing any more.
    let gone = json!({ "kind": "remove_member", "log": log, "user_id": bob.id });
    ada.submit(gone).await.ok();
    assert_eq!(found(&bob, "q=shuttle").await["items"], json!([]));
}

async fn what_is_asked_wrongly_is_refused(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let ada = gateway.admin().await;
    let long = format!("q={}", "x".repeat(201));
    // A hundred words and more: each of these characters is one.
    let many: String = (0x80..0xc0).map(|n| format!("%E4%BA%{n:X}%E4%BB%{n:X}")).collect();
    let many = format!("q={many}");
    for query in [
        "",
        "q=",
        "q=-not",
        "q=a%00b",
        "q=ab*",
        "q=%22%22",
        &long,
        &many,
        "q=a&limit=0",
        "q=a&limit=101",
        "q=a&after=x",
        "q=a&after=1&ranked=true",
        "q=a&kind=entry",
        "q=a&author=nobody",
        "q=a&since=yesterday",
        "q=a&colour=red",
    ] {
        let path = format!("/api/conversations/search?{query}");
        ada.get(&path).await.refused(400, "invalid");
    }
    // What is a language to a database is only words here, and what is no word is nothing.
    for odd in ["%27%3B--", "%2A%2A a", "%28%29 NEAR%28", "marks%3Al", "%27%23l1%27", "%5C a"] {
        let answer =
            ada.get(&format!("/api/conversations/search?q={}", odd.replace(' ', "+"))).await;
        assert!([200, 400].contains(&answer.status), "{odd}: {}", answer.text());
    }
    assert_eq!(found(&ada, "q=a&after=-5").await["items"], json!([]));
    assert_eq!(
        found(&ada, "q=a&since=-9223372036854775808&until=9223372036854775807").await["items"],
        json!([])
    );
}
