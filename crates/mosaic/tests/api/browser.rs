//! A browser, as far as a login with a provider needs one: it keeps cookies per site and follows redirects. The
//! gateway's public name leads to where it listens, as a reverse proxy would.

use crate::support::*;
use bytes::Bytes;
use http::{Method, Request, Uri, header};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::{SocketAddr, ToSocketAddrs},
};

/// The gateway's public name.
pub(crate) const SITE: &str = "https://chat.example.org";
const SITE_HOST: &str = "chat.example.org";

/// A browser of somebody.
pub(crate) struct Browser {
    gateway: SocketAddr,
    jar: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where a click led, and what it left.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) answer: Answer,
}

impl Browser {
    pub(crate) fn new(gateway: &Gateway) -> Browser {
        Browser { gateway: gateway.address(), jar: BTreeMap::new() }
    }

    /// Whether it is logged in to the gateway.
    pub(crate) fn has_session(&self) -> bool {
        self.jar.get(SITE_HOST).is_some_and(|jar| jar.contains_key("__Host-mosaic_session"))
    }

    /// Loses all cookies of the gateway.
    pub(crate) fn forget(&mut self) {
        self.jar.remove(SITE_HOST);
    }

    /// One request, without following where it leads.
    pub(crate) async fn ask(&mut self, method: Method, url: &str, body: Ask<'_>) -> Answer {
        let uri: Uri = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
        let host = uri.authority().unwrap().to_string();
        let client = match host.as_str() {
            SITE_HOST => Client::Tcp(self.gateway),
            other => Client::Tcp(other.to_socket_addrs().unwrap().next().unwrap()),
        };
        let path = uri.path_and_query().map_or("/", |it| it.as_str());
        let mut request = Request::builder().method(&method).uri(path).header(header::HOST, &host);
        if method != Method::GET {
            let origin = format!("{}://{host}", uri.scheme_str().unwrap());
            request = request.header(header::ORIGIN, origin);
        }
        let jar = self.jar.entry(host).or_default();
        if !jar.is_empty() {
            let cookies = jar.iter().map(|(name, value)| format!("{name}={value}"));
            request = request.header(header::COOKIE, cookies.collect::<Vec<_>>().join("; "));
        }
        let (media, body) = match body {
            Ask::Nothing => ("", Bytes::new()),
            Ask::Form(form) => ("application/x-www-form-urlencoded", Bytes::from(form.to_owned())),
            Ask::Json(json) => ("application/json", Bytes::from(json.to_string())),
        };
        if !media.is_empty() {
            request = request.header(header::CONTENT_TYPE, media);
        }
        let answer = client.send(request.body(body).unwrap()).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            let rest = rest.to_lowercase();
            let ends = rest.contains("max-age=0") || rest.contains("expires=thu, 01 jan 1970");
            match ends || value.is_empty() {
                true => drop(jar.remove(name)),
                false => drop(jar.insert(name.to_owned(), value.to_owned())),
            }
        }
        answer
    }

    /// Follows redirects until something is shown, or until the next one would lead to a page of the gateway or, if
    /// `until` says so, anywhere that starts like this.
    pub(crate) async fn follow(&mut self, url: &str, until: &str) -> Page {
        let mut page =
            Page { url: url.to_owned(), answer: self.ask(Method::GET, url, Ask::Nothing).await };
        for _ in 0..10 {
            let Some(next) = page.leads_to() else { return page };
            if next.starts_with(until) {
                return Page { url: next, ..page };
            }
            let answer = self.ask(Method::GET, &next, Ask::Nothing).await;
            page = Page { url: next, answer };
        }
        panic!("it leads in a circle: {}", page.url);
    }

    /// Signs in at the provider under this name, and says yes; answers the link with which it sends the browser back.
    pub(crate) async fn sign_in(&mut self, url: &str, name: &str) -> String {
        let back = format!("{SITE}/api/oidc/");
        let mut page = self.follow(url, &back).await;
        for form in [format!("prompt=login&login={name}&password=x"), "prompt=consent".into()] {
            if page.url.starts_with(&back) {
                break;
            }
            assert_eq!(page.answer.status, 200, "{}: {}", page.url, page.answer.text());
            let answer = self.ask(Method::POST, &page.url, Ask::Form(&form)).await;
            let next = Page { url: page.url, answer }.leads_to().expect("a way on");
            page = match next.starts_with(&back) {
                true => Page { url: next, answer: page.answer },
                false => self.follow(&next, &back).await,
            };
        }
        assert!(page.url.starts_with(&back), "{}", page.url);
        page.url
    }

    /// Opens the link back, and says where on the gateway's page it ends.
    pub(crate) async fn come_back(&mut self, link: &str) -> String {
        let answer = self.ask(Method::GET, link, Ask::Nothing).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.header("location").to_owned()
    }

    /// Logs in with a provider, from the button to the page.
    pub(crate) async fn log_in(&mut self, provider: &str, name: &str) -> String {
        let start = format!("{SITE}/api/oidc/{provider}/start");
        let link = self.sign_in(&start, name).await;
        self.come_back(&link).await
    }

    pub(crate) async fn call(&mut self, method: Method, path: &str, json: Value) -> Answer {
        let body = if json.is_null() { Ask::Nothing } else { Ask::Json(&json) };
        self.ask(method, &format!("{SITE}{path}"), body).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.call(Method::GET, path, Value::Null).await
    }

    /// Logs in by password.
    pub(crate) async fn log_in_by_password(&mut self, name: &str) {
        let login = serde_json::json!({ "name": name, "password": PASSWORD });
        self.call(Method::POST, "/api/login", login).await.is(200);
    }
}

/// What goes along with a request.
pub(crate) enum Ask<'a> {
    Nothing,
    Form(&'a str),
    Json(&'a Value),
}

impl Page {
    /// Where a redirect leads.
    fn leads_to(&self) -> Option<String> {
        if !(300..400).contains(&self.answer.status) {
            return None;
        }
        let location = self.answer.header("location");
        if !location.starts_with('/') {
            return Some(location.to_owned());
        }
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let host = rest.split('/').next().unwrap();
        Some(format!("{scheme}://{host}{location}"))
    }
}
