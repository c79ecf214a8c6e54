//! Teams: what each role may do, and that somebody is always left who may do everything.

use crate::{cast::hash_of, on_both, support::*};
use http::Method;
use serde_json::{Value, json};

on_both!(
    each_role_may_do_its_part,
    a_team_keeps_an_owner,
    a_deleted_owner_has_an_heir,
    the_server_keeps_an_admin
);

/// What somebody tries, with which body, and the least role that may.
type Deed = (Method, String, Value, &'static str);

async fn each_role_may_do_its_part(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let chief = gateway.invite(&root, "chief").await;
    let team = chief.make_team("Engines").await;
    let team_id = team["id"].as_str().unwrap();
    let mut people = vec![];
    for role in ["viewer", "member", "owner"] {
        let person = gateway.invite(&root, role).await;
        chief.bring_into(team_id, &person, role).await;
        people.push(person);
    }
    // An admin looks after the server, not into people's things.
    people.push(root);

    let team_path = format!("/api/teams/{team_id}");
    let place = format!("/api/workspaces/{}", team["workspace_id"].as_str().unwrap());
    let blob = |name: &str| format!("{place}/blobs/{}", hash_of(name.as_bytes()));
    let secret = json!({ "value": "sk-1", "host": "api.example.com" });
    let member = format!("{team_path}/members/{}", chief.id);
    // Before each try, so that everything named below is there.
    let prepare = async || {
        chief.send_bytes(Method::PUT, &blob("kept"), "kept").await.is(200);
        chief.put(&format!("{place}/secrets/key"), secret.clone()).await.is(200);
        let made = chief.post(&format!("{team_path}/invites"), json!({})).await.ok();
        format!("{team_path}/invites/{}", made["invite"]["id"].as_str().unwrap())
    };
    for who in &people {
        let own_role = match who.name.as_str() {
            "root" => "none",
            role => role,
        };
        let invite = prepare().await;
        let get = |path: String, least| (Method::GET, path, Value::Null, least);
        let delete = |path: String, least| (Method::DELETE, path, Value::Null, least);
        let deeds: Vec<Deed> = vec![
            get(team_path.clone(), "viewer"),
            get(format!("{team_path}/members"), "viewer"),
            get(format!("{team_path}/invites"), "owner"),
            (Method::PATCH, team_path.clone(), json!({ "name": "Wheels" }), "owner"),
            (Method::POST, format!("{team_path}/invites"), json!({ "role": "viewer" }), "owner"),
            delete(invite, "owner"),
            (Method::PUT, member.clone(), json!({ "role": "owner" }), "owner"),
            get(place.clone(), "viewer"),
            get(blob("kept"), "viewer"),
            (Method::PUT, blob("kept"), Value::Null, "member"),
            delete(blob("kept"), "member"),
            get(format!("{place}/secrets"), "member"),
            (Method::PUT, format!("{place}/secrets/key"), secret.clone(), "owner"),
            delete(format!("{place}/secrets/key"), "owner"),
        ];
        for (method, path, json, least) in deeds {
            let answer = match path == blob("kept") && method == Method::PUT {
                true => who.send_bytes(method.clone(), &path, "kept").await,
                false => who.send(method.clone(), &path, json).await,
            };
            let ranks = ["none", "viewer", "member", "owner"];
            let rank = |role: &str| ranks.iter().position(|it| *it == role).unwrap();
            let expected = match own_role {
                "none" => "not_found",
                role if rank(role) >= rank(least) => "",
                _ => "forbidden",
            };
            assert_eq!(answer.code(), expected, "{method} {path} by {own_role}: {}", answer.text());
        }
    }
    // Everybody may leave; then nothing of it exists for them.
    let viewer = &people[0];
    viewer.delete(&format!("{team_path}/members/{}", viewer.id), Value::Null).await.is(204);
    viewer.get(&team_path).await.refused(404, "not_found");
    viewer.get(&blob("kept")).await.refused(404, "not_found");
    // Nobody is made a member who was not asked.
    let path = format!("{team_path}/members/{}", viewer.id);
    chief.put(&path, json!({ "role": "viewer" })).await.refused(404, "not_found");
    people[2].delete(&team_path, Value::Null).await.is(204);
    chief.get(&team_path).await.refused(404, "not_found");
    chief.get(&place).await.refused(404, "not_found");
}

async fn a_team_keeps_an_owner(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let (ada, bob) = (gateway.invite(&root, "ada").await, gateway.invite(&root, "bob").await);
    let team = ada.make_team("Engines").await;
    let team_id = team["id"].as_str().unwrap();
    let member = |who: &Person| format!("/api/teams/{team_id}/members/{}", who.id);
    ada.bring_into(team_id, &bob, "member").await;

    let viewer = json!({ "role": "viewer" });
    ada.put(&member(&ada), viewer.clone()).await.refused(409, "conflict");
    ada.delete(&member(&ada), Value::Null).await.refused(409, "conflict");
    let farewell = json!({ "name": "ada", "password": PASSWORD });
    ada.delete("/api/me", farewell).await.refused(409, "conflict");

    for round in 0..6 {
        ada.put(&member(&bob), json!({ "role": "owner" })).await.is(200);
        // Each takes the other's place away, or all leave at once.
        let paths = match round % 2 {
            0 => [member(&bob), member(&ada)],
            _ => [member(&ada), member(&bob)],
        };
        let (first, second) =
            tokio::join!(ada.put(&paths[0], viewer.clone()), bob.put(&paths[1], viewer.clone()));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert!(matches!(statuses, [200, 403 | 409]), "{statuses:?}");
        let operator = gateway.operator();
        let members = operator.get(&format!("/api/teams/{team_id}/members")).await.ok();
        let members = members["items"].as_array().unwrap();
        let owners = members.iter().filter(|it| it["role"] == "owner").count();
        assert_eq!((owners, members.len()), (1, 2), "{members:?}");
        // Ada is the owner again, whoever was left.
        let path = format!("/api/operator/teams/{team_id}/members/{}", ada.id);
        operator.call(Method::PUT, &path, json!({ "role": "owner" })).await.is(204);
    }
    // Who was the only member takes the team along.
    ada.delete(&member(&bob), Value::Null).await.is(204);
    root.delete(&format!("/api/users/{}", ada.id), Value::Null).await.is(204);
    let left = gateway.operator().get(&format!("/api/teams/{team_id}")).await;
    left.refused(404, "not_found");
}

/// An admin cannot look into a team, so an account goes without being told to settle it first.
async fn a_deleted_owner_has_an_heir(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let ada = gateway.invite(&root, "ada").await;
    let team = ada.make_team("Engines").await;
    let team_id = team["id"].as_str().unwrap();
    let mut people = vec![];
    for (name, role) in [("vic", "viewer"), ("bob", "member"), ("cid", "member")] {
        let person = gateway.invite(&root, name).await;
        ada.bring_into(team_id, &person, role).await;
        people.push(person);
    }
    root.delete(&format!("/api/users/{}", ada.id), Value::Null).await.is(204);
    let members = people[1].get(&format!("/api/teams/{team_id}/members")).await.ok();
    let members = members["items"].as_array().unwrap();
    let roles: Vec<_> = members.iter().map(|it| (&it["name"], &it["role"])).collect();
    let expected =
        [("bob", "owner"), ("cid", "member"), ("vic", "viewer")].map(|(a, b)| (json!(a), json!(b)));
    assert_eq!(roles, expected.each_ref().map(|(name, role)| (name, role)));
    let log = gateway.operator().get("/api/audit?limit=200").await.ok().to_string();
    assert!(log.contains(&format!("user:{} owner", people[1].id)), "{log}");
    // Where there is another owner, nobody is raised.
    people[1]
        .put(&format!("/api/teams/{team_id}/members/{}", people[2].id), json!({ "role": "owner" }))
        .await
        .is(200);
    root.delete(&format!("/api/users/{}", people[1].id), Value::Null).await.is(204);
    let team = people[0].get(&format!("/api/teams/{team_id}")).await.ok();
    assert_eq!(team["role"], "viewer");
}

async fn the_server_keeps_an_admin(database: Database) {
    let Some(gateway) = Gateway::start(database, &[]) else { return };
    let root = gateway.admin().await;
    let eve = gateway.invite(&root, "eve").await;
    let user = |who: &Person| format!("/api/users/{}", who.id);
    let no_admin = json!({ "admin": false });

    root.patch(&user(&root), no_admin.clone()).await.refused(409, "conflict");
    root.post(&format!("{}/suspend", user(&root)), Value::Null).await.refused(409, "conflict");
    root.delete(&user(&root), Value::Null).await.refused(409, "conflict");
    let farewell = json!({ "name": "root", "password": PASSWORD });
    root.delete("/api/me", farewell).await.refused(409, "conflict");
    root.get("/api/users").await.is(200);

    let operator = Person::nobody(&gateway.operator());
    for round in 0..6 {
        for who in [&root, &eve] {
            operator.post(&format!("{}/resume", user(who)), Value::Null).await.is(200);
            operator.patch(&user(who), json!({ "admin": true })).await.is(200);
        }
        // Suspending ended one of the sessions.
        let (root, eve) = (root.log_in().await, eve.log_in().await);
        let (of_root, of_eve) = (user(&root), user(&eve));
        let (first, second) = match round % 2 {
            0 => tokio::join!(
                root.patch(&of_eve, no_admin.clone()),
                eve.patch(&of_root, no_admin.clone())
            ),
            _ => {
                let (of_eve, of_root) = (of_eve + "/suspend", of_root + "/suspend");
                tokio::join!(root.post(&of_eve, Value::Null), eve.post(&of_root, Value::Null))
            }
        };
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert!(matches!(statuses, [200, 401 | 403 | 409]), "{statuses:?}");
        let users = operator.get("/api/users").await.ok();
        let users = users["items"].as_array().unwrap();
        let admins = users.iter().filter(|it| it["admin"] == true && it["state"] == "active");
        assert_eq!(admins.count(), 1, "{users:?}");
        assert_eq!(gateway.get("/api/info").await.ok()["setup_needed"], false);
    }
}
