//! Every wrong credential on every row of the route table: all are answered alike, and nobody passes a door that is
//! not theirs.

use crate::{
    cast::{Cast, PROVIDER_SETTINGS},
    on_both,
    rows::{self, Faults},
    support::*,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use mosaic_protocol::{access::Needs, token::Scope};
use mosaic_server::Row;
use serde_json::{Value, json};

on_both!(a_wrong_credential_is_no_credential, nobody_passes_a_door_that_is_not_theirs);

const SCOPES: [&str; 4] = ["read", "write", "admin", "metrics"];

/// Headers that prove nothing, and why.
type Wrong = (&'static str, Vec<(HeaderName, String)>);

fn bearer(secret: &str) -> (HeaderName, String) {
    (header::AUTHORIZATION, format!("Bearer {secret}"))
}

fn cookie(secret: &str) -> (HeaderName, String) {
    (header::COOKIE, format!("mosaic_session={secret}"))
}

fn with_headers(mut request: Request<Bytes>, headers: &[(HeaderName, String)]) -> Request<Bytes> {
    for (name, value) in headers {
        request.headers_mut().insert(name.clone(), HeaderValue::from_str(value).unwrap());
    }
    request
}

/// Everything that was a credential once, or never.
async fn wrong_credentials(gateway: &Gateway, root: &Person) -> Vec<Wrong> {
    let place = gateway.place();
    let expire = async |table: &str, who: &Person| {
        place.run(format!("update {table} set expires_at = 1 where user_id = '{}'", who.id)).await;
    };
    // None of these is used before it ends, so that no memory of it helps or hurts.
    let late = gateway.invite(root, "late").await;
    let late_token = late.with_token(&["read", "write"]).await;
    expire("tokens", &late).await;
    let later = late.log_in().await;
    expire("sessions", &late).await;

    let suspended = gateway.invite(root, "suspended").await;
    let suspended_token = suspended.with_token(&["read", "write"]).await;
    root.post(&format!("/api/users/{}/suspend", suspended.id), Value::Null).await.is(200);

    let gone = gateway.invite(root, "gone").await;
    let gone_token = gone.with_token(&["read", "write"]).await;
    root.delete(&format!("/api/users/{}", gone.id), Value::Null).await.is(204);

    let careful = gateway.invite(root, "careful").await;
    let revoked_token = careful.with_token(&["read", "write"]).await;
    let tokens = careful.get("/api/me/tokens").await.ok();
    let token_id = tokens["items"][0]["id"].as_str().unwrap();
    careful.delete(&format!("/api/me/tokens/{token_id}"), Value::Null).await.is(204);
    let revoked = careful.log_in().await;
    careful.delete("/api/me/sessions", Value::Null).await.is(204);
    let left = careful.log_in().await;
    left.post("/api/logout", Value::Null).await.is(204);

    let token = root.with_token(&SCOPES).await;
    let (good_cookie, good_token) = (root.secret(), token.secret());
    let basic = |text: &str| (header::AUTHORIZATION, text.to_owned());
    vec![
        ("nothing", vec![]),
        ("a token that never was", vec![bearer("mosaic_t_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo")]),
        ("garbage for a token", vec![bearer("%00' or 1=1 --")]),
        ("no token at all", vec![basic("Bearer")]),
        ("an empty token", vec![basic("Bearer ")]),
        ("another scheme", vec![basic(&format!("Basic {good_token}"))]),
        ("a token without a scheme", vec![basic(good_token)]),
        ("a session that never was", vec![cookie("mosaic_s_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo")]),
        ("an empty session", vec![cookie("")]),
        ("an expired token", vec![bearer(late_token.secret())]),
        ("an expired session", vec![cookie(later.secret())]),
        ("a suspended user's token", vec![bearer(suspended_token.secret())]),
        ("a suspended user's session", vec![cookie(suspended.secret())]),
        ("a deleted user's token", vec![bearer(gone_token.secret())]),
        ("a deleted user's session", vec![cookie(gone.secret())]),
        ("a revoked token", vec![bearer(revoked_token.secret())]),
        ("a revoked session", vec![cookie(revoked.secret())]),
        ("a session that was left", vec![cookie(left.secret())]),
        ("a session's secret as a token", vec![bearer(good_cookie)]),
        ("a token as a session", vec![cookie(good_token)]),
        ("a wrong token beside a good session", vec![bearer("wrong"), cookie(good_cookie)]),
        (
            "a session in the cookie that belongs to TLS",
            vec![(header::COOKIE, format!("__Host-mosaic_session={good_cookie}"))],
        ),
    ]
}

async fn a_wrong_credential_is_no_credential(database: Database) {
    let Some(gateway) = Gateway::start(database, PROVIDER_SETTINGS) else { return };
    let root = Cast::of(&gateway, gateway.admin().await).await;
    let wrong = wrong_credentials(&gateway, &root.who).await;
    let unauthenticated = gateway.get("/api/me").await.refused(401, "unauthenticated");
    assert_eq!(unauthenticated.header("www-authenticate"), "Bearer");
    let unauthenticated = unauthenticated.face();

    let mut faults = Faults::default();
    for row in rows::table() {
        let mut expected = (row.needs != Needs::Public).then(|| unauthenticated.clone());
        for (what, headers) in &wrong {
            let request = rows::request(&row, &rows::own(&row, &root), &root);
            let mut request = with_headers(request, headers);
            if headers.iter().any(|(name, _)| name == header::COOKIE) {
                request = with_headers(request, &[(header::ORIGIN, gateway.origin())]);
            }
            let answer = gateway.send(request).await;
            let face = format!("{}{}", answer.face(), answer.header("location"));
            // On what is public, a credential that is wrong changes nothing.
            let expected = expected.get_or_insert_with(|| face.clone());
            faults.same(|| format!("{} with {what}", rows::name(&row)), &face, expected);
            if answer.status >= 500 {
                faults.note(format!("{} with {what}: {face}", rows::name(&row)));
            }
        }
    }
    faults.none();
}

async fn nobody_passes_a_door_that_is_not_theirs(database: Database) {
    let Some(gateway) = Gateway::start(database, PROVIDER_SETTINGS) else { return };
    let root = Cast::of(&gateway, gateway.admin().await).await;
    let bob = Cast::new(&gateway, &root.who, "bob").await;
    let demoted = demoted_admin(&gateway, &root.who).await;
    let all = root.who.with_token(&SCOPES).await;
    let mut all_but = vec![];
    for scope in SCOPES {
        let others: Vec<_> = SCOPES.into_iter().filter(|other| *other != scope).collect();
        all_but.push((scope, root.who.with_token(&others).await));
    }
    let without = |scope: Scope| {
        let found = all_but.iter().find(|(name, _)| *name == scope.as_str());
        found.unwrap().1.clone()
    };
    // What is only for the control socket does not exist on the network, like a path that is nothing.
    let nowhere = root.who.get("/api/nothing").await.refused(404, "not_found").face();

    let mut faults = Faults::default();
    for row in rows::table() {
        let intruders: Vec<(&str, Person, u16, &str)> = match row.needs {
            Needs::Public => vec![],
            Needs::Login(scope) => vec![("the wrong scopes", without(scope), 403, "missing_scope")],
            Needs::Session => vec![("a token", all.clone(), 403, "forbidden")],
            Needs::AdminSession => vec![
                ("an admin's token", all.clone(), 403, "forbidden"),
                ("no admin's session", bob.who.clone(), 403, "forbidden"),
            ],
            Needs::Admin | Needs::Metrics => {
                let scope = if row.needs == Needs::Admin { Scope::Admin } else { Scope::Metrics };
                vec![
                    ("the wrong scopes", without(scope), 403, "missing_scope"),
                    ("no admin's session", bob.who.clone(), 403, "forbidden"),
                    ("the token of an admin who is none now", demoted.clone(), 403, "forbidden"),
                ]
            }
            Needs::Operator => vec![
                ("an admin's session", root.who.clone(), 404, "not_found"),
                ("an admin's token", all.clone(), 404, "not_found"),
                ("somebody's session", bob.who.clone(), 404, "not_found"),
            ],
        };
        let request = || rows::request(&row, &rows::own(&row, &bob), &root);
        for (what, who, status, code) in intruders {
            let answer = gateway.send(who.sign(request())).await;
            let what = || format!("{} with {what}", rows::name(&row));
            if (answer.status, answer.code()) != (status, code) {
                faults.note(format!("{}: {}", what(), answer.face()));
            } else if row.needs == Needs::Operator {
                faults.same(what, &answer.face(), &nowhere);
            }
        }
        foreign_pages(&gateway, &row, &root.who, &request, &mut faults).await;
    }
    faults.none();
}

/// What a page elsewhere can make a browser send, and what a name that was pointed here can.
async fn foreign_pages(
    gateway: &Gateway,
    row: &Row,
    admin: &Person,
    request: &impl Fn() -> Request<Bytes>,
    faults: &mut Faults,
) {
    let mut attempts = vec![];
    let changed = |change: &dyn Fn(&mut http::HeaderMap)| {
        let mut request = admin.sign(request());
        change(request.headers_mut());
        request
    };
    let port = gateway.address().port();
    for origin in [
        "http://evil.example",
        "null",
        "",
        &format!("http://127.0.0.1:{}", port ^ 1),
        &format!("http://127.0.0.1:{port}.evil.example"),
        &format!("ftp://127.0.0.1:{port}"),
    ] {
        let value = HeaderValue::from_str(origin).unwrap();
        let request = changed(&|headers| drop(headers.insert(header::ORIGIN, value.clone())));
        attempts.push((format!("Origin {origin:?}"), request));
    }
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1.evil.example", ""] {
        let value = HeaderValue::from_str(host).unwrap();
        let origin = HeaderValue::from_str(&format!("http://{host}")).unwrap();
        let request = changed(&|headers| {
            headers.insert(header::HOST, value.clone());
            headers.insert(header::ORIGIN, origin.clone());
        });
        attempts.push((format!("Host {host:?}"), request));
    }
    // A form on another page sends no Origin in old browsers. What only reads may come so: a link does.
    let is_guarded = !matches!(row.needs, Needs::Operator) && row.method != Method::GET;
    if is_guarded {
        let request = changed(&|headers| drop(headers.remove(header::ORIGIN)));
        attempts.push(("a cookie without Origin".to_owned(), request));
    }
    for (what, request) in attempts {
        let answer = gateway.send(request).await;
        if (answer.status, answer.code()) != (403, "wrong_origin") {
            faults.note(format!("{} with {what}: {}", rows::name(row), answer.face()));
        }
    }
}

/// A token with all scopes whose owner was an admin when it was made.
async fn demoted_admin(gateway: &Gateway, root: &Person) -> Person {
    let person = gateway.invite(root, "demoted").await;
    let path = format!("/api/users/{}", person.id);
    root.patch(&path, json!({ "admin": true })).await.is(200);
    let token = person.with_token(&SCOPES).await;
    token.get("/api/users").await.is(200);
    root.patch(&path, json!({ "admin": false })).await.is(200);
    token
}
