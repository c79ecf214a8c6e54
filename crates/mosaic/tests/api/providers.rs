//! Logging in with a real OpenID provider: who gets in, what is linked to whom, and all the ways to come back that
//! were not the way out.

use crate::{
    browser::{Browser, SITE},
    on_both,
    support::*,
};
use http::Method;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

on_both!(
    only_who_is_known_gets_in,
    links_belong_to_who_made_them,
    the_way_back_is_the_way_out,
    a_provider_may_change_its_key,
);

/// The provider as a process; it ends with this.
struct Provider {
    child: Child,
    issuer: String,
}

impl Provider {
    fn start() -> Option<Provider> {
        Provider::start_with(json!({}))
    }

    /// The same provider, which signs with another key from now on.
    fn change_key(self) -> Provider {
        let (_, port) = self.issuer.rsplit_once(':').unwrap();
        let port: u16 = port.parse().unwrap();
        drop(self);
        Provider::start_with(json!({ "port": port, "fresh_key": true })).unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "a real provider is a program of its own")]
    fn start_with(mut settings: Value) -> Option<Provider> {
        let script = part("TEST_OIDC_PROVIDER")?;
        let back = |name: &str| format!("{SITE}/api/oidc/{name}/callback");
        settings["redirect_uris"] = json!([back("strict"), back("open")]);
        let mut child = Command::new("node")
            .arg(script)
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let issuer = said["issuer"].as_str().unwrap().to_owned();
        Some(Provider { child, issuer })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A gateway that knows the provider under two names: `open` makes accounts, `strict` does not.
fn start(database: Database) -> Option<(Provider, Gateway)> {
    let provider = Provider::start()?;
    let issuer = &provider.issuer.clone();
    let settings = [
        ("public_url", SITE),
        ("oidc.strict.issuer", issuer),
        ("oidc.strict.client_id", "test-client"),
        ("oidc.strict.client_secret", "test-secret"),
        ("oidc.open.issuer", issuer),
        ("oidc.open.client_id", "test-client"),
        ("oidc.open.client_secret", "test-secret"),
        ("oidc.open.label", "Everybody"),
        ("oidc.open.signup", "true"),
    ];
    Some((provider, Gateway::start(database, &settings)?))
}

const NOT_KNOWN: &str = "/#problem=wrong_login";
const BAD_CODE: &str = "/#problem=bad_code";

async fn link(browser: &mut Browser, name: &str) -> String {
    let request = json!({ "provider": "strict", "password": PASSWORD });
    let away = browser.call(Method::POST, "/api/me/identities", request).await.ok();
    let link = browser.sign_in(away["url"].as_str().unwrap(), name).await;
    browser.come_back(&link).await
}

async fn identities(browser: &mut Browser) -> Vec<Value> {
    browser.get("/api/me/identities").await.ok()["items"].as_array().unwrap().clone()
}

async fn only_who_is_known_gets_in(database: Database) {
    let Some((_provider, gateway)) = start(database) else { return };
    let root = gateway.admin().await;
    let info = gateway.get("/api/info").await.ok();
    let shown =
        json!([{ "name": "open", "label": "Everybody" }, { "name": "strict", "label": "strict" }]);
    assert_eq!(info["providers"], shown);

    // Nobody knows Ada, though the provider does; and a name that exists here proves nothing.
    let mut ada = Browser::new(&gateway);
    assert_eq!(ada.log_in("strict", "ada").await, NOT_KNOWN);
    let mut guest = Browser::new(&gateway);
    assert_eq!(guest.log_in("strict", "root").await, NOT_KNOWN);
    assert!(!ada.has_session() && !guest.has_session());

    // With an account and a link she gets in.
    gateway.invite(&root, "ada-here").await;
    ada.log_in_by_password("ada-here").await;
    assert_eq!(link(&mut ada, "ada").await, "/#linked");
    assert_eq!(identities(&mut ada).await.len(), 1);
    let mut elsewhere = Browser::new(&gateway);
    assert_eq!(elsewhere.log_in("strict", "ada").await, "/");
    assert_eq!(elsewhere.get("/api/me").await.ok()["user"]["name"], "ada-here");

    // Where everybody is welcome, somebody new gets an account, once.
    let mut grace = Browser::new(&gateway);
    assert_eq!(grace.log_in("open", "grace").await, "/");
    let me = grace.get("/api/me").await.ok();
    assert_eq!((&me["user"]["name"], &me["user"]["admin"]), (&json!("grace"), &json!(false)));
    let mut again = Browser::new(&gateway);
    assert_eq!(again.log_in("open", "grace").await, "/");
    assert_eq!(again.get("/api/me").await.ok()["user"]["id"], me["user"]["id"]);
    // A name that is taken is not taken over.
    let mut impostor = Browser::new(&gateway);
    assert_eq!(impostor.log_in("open", "root").await, "/");
    let other = impostor.get("/api/me").await.ok();
    assert_eq!(
        (&other["user"]["name"], &other["user"]["admin"]),
        (&json!("root-2"), &json!(false))
    );

    // It is the only way in, so it stays until there is another.
    let id = identities(&mut grace).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/me/identities/{id}");
    grace.call(Method::DELETE, &path, Value::Null).await.refused(409, "conflict");
    let guess = json!({ "name": "grace", "password": PASSWORD });
    gateway.post("/api/login", guess.clone()).await.refused(401, "wrong_login");
    let first = json!({ "new": PASSWORD });
    grace.call(Method::POST, "/api/me/password", first).await.is(204);
    grace.call(Method::DELETE, &path, Value::Null).await.is(204);
    gateway.post("/api/login", guess).await.is(200);

    // A link is another way in: who only has the session does not get one.
    for request in
        [json!({ "provider": "strict" }), json!({ "provider": "strict", "password": "not it" })]
    {
        let asked = ada.call(Method::POST, "/api/me/identities", request).await;
        asked.refused(401, "wrong_login");
    }
    // Nor does a way in that somebody else made outlast a recovery.
    let users = root.get("/api/users").await.ok();
    let users = users["items"].as_array().unwrap();
    let id = users.iter().find(|it| it["name"] == "ada-here").unwrap()["id"].as_str().unwrap();
    let made = root.post(&format!("/api/users/{id}/recovery"), Value::Null).await.ok();
    let code = code_of(&made["link"]);
    let recover = json!({ "code": code, "password": PASSWORD });
    gateway.post("/api/recovery", recover).await.is(204);
    assert_eq!(Browser::new(&gateway).log_in("strict", "ada").await, NOT_KNOWN);
    ada.log_in_by_password("ada-here").await;
    assert_eq!(identities(&mut ada).await.len(), 0);
    assert_eq!(link(&mut ada, "ada").await, "/#linked");
    elsewhere.log_in("strict", "ada").await;
    let log = gateway.operator().get("/api/audit?limit=200").await.ok().to_string();
    for noted in ["\"unlink_identity\"", "\"confirm\"", "\"provider\"", "\"create_setup\""] {
        assert!(log.contains(noted), "{noted} is not in {log}");
    }

    // Suspended is suspended, whoever vouches; deleted is unknown.
    let users = root.get("/api/users").await.ok();
    let users = users["items"].as_array().unwrap();
    let id = users.iter().find(|it| it["name"] == "ada-here").unwrap()["id"].as_str().unwrap();
    root.post(&format!("/api/users/{id}/suspend"), Value::Null).await.is(200);
    let mut suspended = Browser::new(&gateway);
    assert_eq!(suspended.log_in("strict", "ada").await, NOT_KNOWN);
    elsewhere.get("/api/me").await.refused(401, "unauthenticated");
    root.delete(&format!("/api/users/{id}"), Value::Null).await.is(204);
    assert_eq!(suspended.log_in("strict", "ada").await, NOT_KNOWN);
}

async fn links_belong_to_who_made_them(database: Database) {
    let Some((_provider, gateway)) = start(database) else { return };
    let root = gateway.admin().await;
    let (mut ada, mut bob) = (Browser::new(&gateway), Browser::new(&gateway));
    for (browser, name) in [(&mut ada, "ada"), (&mut bob, "bob")] {
        gateway.invite(&root, name).await;
        browser.log_in_by_password(name).await;
    }
    assert_eq!(link(&mut ada, "lovelace").await, "/#linked");
    // Once more is no harm; somebody else's is not taken over.
    assert_eq!(link(&mut ada, "lovelace").await, "/#linked");
    assert_eq!(identities(&mut ada).await.len(), 1);
    let mut other = Browser::new(&gateway);
    other.log_in_by_password("bob").await;
    assert_eq!(link(&mut other, "lovelace").await, "/#problem=conflict");
    assert_eq!(identities(&mut bob).await.len(), 0);

    // What Ada began, Bob cannot end as his, even with her cookie for the way: nor can nobody.
    let request = json!({ "provider": "strict", "password": PASSWORD });
    let begin = async |browser: &mut Browser| {
        let away = browser.call(Method::POST, "/api/me/identities", request.clone()).await.ok();
        browser.sign_in(away["url"].as_str().unwrap(), "byron").await
    };
    let way_back = begin(&mut ada).await;
    ada.call(Method::POST, "/api/logout", Value::Null).await.is(204);
    assert_eq!(ada.come_back(&way_back).await, "/#problem=unauthenticated");
    ada.log_in_by_password("ada").await;
    let way_back = begin(&mut ada).await;
    ada.call(Method::POST, "/api/logout", Value::Null).await.is(204);
    ada.log_in_by_password("bob").await;
    assert_eq!(ada.come_back(&way_back).await, "/#problem=not_found");
    assert_eq!(identities(&mut bob).await.len(), 0);
    let mut byron = Browser::new(&gateway);
    assert_eq!(byron.log_in("strict", "byron").await, NOT_KNOWN);
}

async fn the_way_back_is_the_way_out(database: Database) {
    let Some((_provider, gateway)) = start(database) else { return };
    gateway.admin().await;
    let start = |provider: &str| format!("{SITE}/api/oidc/{provider}/start");
    let mut ada = Browser::new(&gateway);
    let way_back = ada.sign_in(&start("open"), "ada").await;
    let (_, query) = way_back.split_once('?').unwrap();

    // In another browser: somebody would be logged in as somebody else.
    let mut victim = Browser::new(&gateway);
    assert_eq!(victim.come_back(&way_back).await, BAD_CODE);
    assert!(!victim.has_session());
    // Or with a cookie of another departure.
    victim.sign_in(&start("open"), "victim").await;
    assert_eq!(victim.come_back(&way_back).await, BAD_CODE);
    assert!(!victim.has_session());
    // The cookie is spent by a failure. A fresh departure, and each thing wrong in turn.
    for (what, spoil) in [
        ("another state", "state=mosaic_o_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo&code=x"),
        ("no state", "code=x"),
        ("no code", "state=x"),
        ("a refusal", "error=access_denied&state=x"),
        ("nothing", ""),
    ] {
        let mut browser = Browser::new(&gateway);
        browser.sign_in(&start("open"), "eve").await;
        let link = format!("{SITE}/api/oidc/open/callback?{spoil}");
        assert_eq!(browser.come_back(&link).await, BAD_CODE, "{what}");
        assert!(!browser.has_session(), "{what}");
    }
    // At another provider than the one that it left for.
    let mut browser = Browser::new(&gateway);
    let link = browser.sign_in(&start("strict"), "eve").await.replace("/strict/", "/open/");
    assert_eq!(browser.come_back(&link).await, BAD_CODE);
    let unknown = format!("{SITE}/api/oidc/nobody/callback?{query}");
    browser
        .ask(Method::GET, &unknown, crate::browser::Ask::Nothing)
        .await
        .refused(404, "not_found");
    // With a code that the provider did not give, the fault is between the two of us.
    let mut browser = Browser::new(&gateway);
    let link = browser.sign_in(&start("open"), "eve").await;
    let (head, code) = link.split_once("code=").unwrap();
    let rest = code.split_once('&').map_or("", |(_, rest)| rest);
    let forged = format!("{head}code=forged&{rest}");
    assert_eq!(browser.come_back(&forged).await, "/#problem=provider_failed");

    // And the way out itself is good once.
    assert_eq!(ada.come_back(&way_back).await, "/");
    assert!(ada.has_session());
    ada.forget();
    assert_eq!(ada.come_back(&way_back).await, BAD_CODE);
    let names = gateway.operator().get("/api/users").await.ok();
    assert_eq!(names["items"].as_array().unwrap().len(), 2, "root and ada: {names}");
    // A departure that took too long is none.
    let mut late = Browser::new(&gateway);
    let link = late.sign_in(&start("open"), "late").await;
    gateway.place().run("update oidc_flows set expires_at = 1").await;
    assert_eq!(late.come_back(&link).await, BAD_CODE);
    assert!(!gateway.log().contains("test-secret"), "the log holds no secrets");
}

async fn a_provider_may_change_its_key(database: Database) {
    let Some((provider, gateway)) = start(database) else { return };
    gateway.admin().await;
    assert_eq!(Browser::new(&gateway).log_in("open", "ada").await, "/");
    let provider = provider.change_key();
    assert_eq!(Browser::new(&gateway).log_in("open", "ada").await, "/");
    // Asking again has a bound: a provider whose keys never fit is not asked at every login.
    let _provider = provider.change_key();
    let failed = Browser::new(&gateway).log_in("open", "ada").await;
    assert_eq!(failed, "/#problem=provider_failed");
}
