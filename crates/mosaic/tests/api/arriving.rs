//! How people get in: the first admin, invitations, recovery. Each code works once, also when several come at once.

use crate::{on_both, support::*};
use serde_json::{Value, json};

on_both!(
    the_first_admin_is_made_once,
    an_invitation_makes_one_account,
    an_invitation_into_a_team_brings_one_in,
    a_recovery_link_works_once,
);

fn newcomer(code: &str, name: &str) -> Value {
    json!({ "code": code, "name": name, "password": PASSWORD })
}

/// Sends all of them at once; answers their statuses and codes, sorted.
async fn at_once(calls: Vec<(Person, &'static str, Value)>) -> Vec<(u16, String)> {
    let calls = calls.into_iter().map(|(who, path, json)| {
        tokio::spawn(async move {
            let answer = who.post(path, json).await;
            (answer.status, answer.code().to_owned())
        })
    });
    let mut answers = vec![];
    for call in calls.collect::<Vec<_>>() {
        answers.push(call.await.unwrap());
    }
    answers.sort();
    answers
}

/// What is answered when one of so many wins.
fn one_wins(status: u16, n: usize, lost: (u16, &str)) -> Vec<(u16, String)> {
    let mut answers = vec![(status, String::new())];
    answers.resize(n, (lost.0, lost.1.to_owned()));
    answers
}

async fn the_first_admin_is_made_once(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    assert_eq!(gateway.get("/api/info").await.ok()["setup_needed"], true);
    gateway.post("/api/setup", newcomer("wrong", "eve")).await.refused(403, "bad_code");

    let calls = (0..6)
        .map(|n| (gateway.nobody(), "/api/setup", newcomer(SETUP_CODE, &format!("first-{n}"))));
    let answers = at_once(calls.collect()).await;
    assert_eq!(answers, one_wins(201, 6, (403, "bad_code")));

    assert_eq!(gateway.get("/api/info").await.ok()["setup_needed"], false);
    gateway.post("/api/setup", newcomer(SETUP_CODE, "eve")).await.refused(403, "bad_code");
    let operator = gateway.operator();
    operator.post("/api/operator/setup", Value::Null).await.refused(409, "conflict");
    let users = operator.get("/api/users").await.ok();
    assert_eq!(users["items"].as_array().unwrap().len(), 1, "{users}");
    assert_eq!(users["items"][0]["admin"], true);

    // The code is not good again after a start, either.
    let place = gateway.stop().await;
    let gateway = Gateway::start_at(place, &[]);
    gateway.post("/api/setup", newcomer(SETUP_CODE, "eve")).await.refused(403, "bad_code");
    let eve = json!({ "name": "eve", "password": PASSWORD });
    gateway.post("/api/login", eve).await.refused(401, "wrong_login");
}

async fn an_invitation_makes_one_account(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let invite = async || {
        let made = root.post("/api/invites", json!({ "expires_in_hours": 1 })).await.ok();
        (code_of(&made["link"]), made["invite"]["id"].as_str().unwrap().to_owned())
    };
    const ACCEPT: &str = "/api/invites/accept";
    let (code, _) = invite().await;
    let calls = (0..6).map(|n| (gateway.nobody(), ACCEPT, newcomer(&code, &format!("guest-{n}"))));
    assert_eq!(at_once(calls.collect()).await, one_wins(201, 6, (403, "bad_code")));
    let users = root.get("/api/users").await.ok();
    assert_eq!(users["items"].as_array().unwrap().len(), 2, "{users}");

    // A name that is taken costs nothing.
    let (code, _) = invite().await;
    gateway.post(ACCEPT, newcomer(&code, "root")).await.refused(409, "name_taken");
    gateway.post(ACCEPT, newcomer(&code, "ada")).await.is(201);

    let (code, id) = invite().await;
    root.delete(&format!("/api/invites/{id}"), Value::Null).await.is(204);
    gateway.post(ACCEPT, newcomer(&code, "eve")).await.refused(403, "bad_code");

    let (code, id) = invite().await;
    gateway.place().run(format!("update invites set expires_at = 1 where id = '{id}'")).await;
    gateway.post(ACCEPT, newcomer(&code, "eve")).await.refused(403, "bad_code");
    let open = root.get("/api/invites").await.ok();
    assert_eq!(open["items"], json!([]), "what has expired is not shown");
    gateway.post(ACCEPT, newcomer(&id, "eve")).await.refused(403, "bad_code");

    // What an admin gave out ends with being one.
    let (code, _) = invite().await;
    let ada = Person { name: "ada".into(), ..gateway.nobody() }.log_in().await;
    root.patch(&format!("/api/users/{}", ada.id), json!({ "admin": true })).await.is(200);
    let made = ada.post("/api/invites", json!({})).await.ok();
    root.patch(&format!("/api/users/{}", ada.id), json!({ "admin": false })).await.is(200);
    let codes = newcomer(&code_of(&made["link"]), "eve");
    gateway.post(ACCEPT, codes).await.refused(403, "bad_code");
    gateway.post(ACCEPT, newcomer(&code, "grace")).await.is(201);
}

async fn an_invitation_into_a_team_brings_one_in(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let team = root.make_team("Engines").await;
    let team_id = team["id"].as_str().unwrap();
    let mut guests = vec![];
    for name in ["ada", "grace", "mary"] {
        guests.push(gateway.invite(&root, name).await);
    }
    let invites = format!("/api/teams/{team_id}/invites");
    let made = root.post(&invites, json!({ "role": "viewer" })).await.ok();
    let code = code_of(&made["link"]);
    // It brings in who has an account; it does not make one.
    let accept = newcomer(&code, "eve");
    let refused = gateway.post("/api/invites/accept", accept).await;
    assert!(refused.refused(409, "conflict").text().contains("leads into a team"));

    let calls =
        guests.iter().map(|guest| (guest.clone(), "/api/invites/join", json!({ "code": code })));
    assert_eq!(at_once(calls.collect()).await, one_wins(200, 3, (403, "bad_code")));
    let members = root.get(&format!("/api/teams/{team_id}/members")).await.ok();
    let members = members["items"].as_array().unwrap();
    assert_eq!(members.len(), 2, "{members:?}");
    let guest = members.iter().find(|it| it["name"] != "root").unwrap();
    assert_eq!(guest["role"], "viewer");

    // One for an account brings nobody into anything, and says so.
    let made = root.post("/api/invites", json!({})).await.ok();
    let account = json!({ "code": code_of(&made["link"]) });
    let refused = guests[0].post("/api/invites/join", account).await;
    assert!(refused.refused(409, "conflict").text().contains("for a new account"));

    // Who belongs already does not use it up.
    let made = root.post(&invites, json!({})).await.ok();
    let code = json!({ "code": code_of(&made["link"]) });
    root.post("/api/invites/join", code.clone()).await.refused(409, "conflict");
    let outsider = guests.iter().find(|it| guest["name"] != it.name.as_str()).unwrap();
    let joined = outsider.post("/api/invites/join", code).await.ok();
    assert_eq!((&joined["id"], &joined["role"]), (&team["id"], &json!("member")));
    assert_eq!(root.get(&invites).await.ok()["items"], json!([]));

    // An account and a team at once.
    let both = json!({ "team_id": team_id, "role": "owner" });
    let made = root.post("/api/invites", both).await.ok();
    let answer = newcomer(&code_of(&made["link"]), "hedy");
    let hedy = Person::arrived(&gateway, gateway.post("/api/invites/accept", answer).await);
    assert_eq!(hedy.get(&format!("/api/teams/{team_id}")).await.ok()["role"], "owner");
}

async fn a_recovery_link_works_once(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let token = ada.with_token(&["read"]).await;
    let path = format!("/api/users/{}/recovery", ada.id);
    let first = code_of(&root.post(&path, Value::Null).await.ok()["link"]);
    let code = code_of(&root.post(&path, Value::Null).await.ok()["link"]);
    let recover = |code: &str| json!({ "code": code, "password": "another password" });
    // The newer link replaces the older.
    gateway.post("/api/recovery", recover(&first)).await.refused(403, "bad_code");
    ada.get("/api/me").await.is(200);

    let calls = (0..4).map(|_| (gateway.nobody(), "/api/recovery", recover(&code)));
    assert_eq!(at_once(calls.collect()).await, one_wins(204, 4, (403, "bad_code")));
    // Whoever had the old password has nothing now.
    ada.get("/api/me").await.refused(401, "unauthenticated");
    token.get("/api/me").await.refused(401, "unauthenticated");
    let old = json!({ "name": "ada", "password": PASSWORD });
    gateway.post("/api/login", old).await.refused(401, "wrong_login");
    let ada = ada.log_in_with("another password").await;
    ada.get("/api/me").await.is(200);

    let code = code_of(&root.post(&path, Value::Null).await.ok()["link"]);
    gateway.place().run("update links set expires_at = 1").await;
    gateway.post("/api/recovery", recover(&code)).await.refused(403, "bad_code");
}
