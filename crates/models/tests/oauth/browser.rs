//! A browser with a person before it, as far as a login at a real provider needs one: it keeps cookies, follows
//! redirects, signs in, and says yes or no.

use bytes::Bytes;
use http::{Method, Request, header};
use mosaic_outbound::{Outbound, Patience, Reach};
use std::{collections::BTreeMap, time::Duration};
use url::{Url, form_urlencoded::Serializer};

/// More steps than any login has.
const STEPS: usize = 30;

/// What the person says when they are asked whether the device may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Yes,
    No,
}

pub(crate) struct Browser<'a> {
    outbound: &'a Outbound,
    cookies: BTreeMap<String, String>,
}

/// What is shown.
struct Page {
    url: Url,
    leads_to: Option<Url>,
    text: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(outbound: &'a Outbound) -> Self {
        Self { outbound, cookies: BTreeMap::new() }
    }

    /// Opens a page and does what it asks for, until it leads to `back` or asks for nothing more; answers the address
    /// that it leads to, or the page's text.
    pub(crate) async fn walk(&mut self, url: &str, back: &str, says: Says) -> String {
        let mut page = self.open(Method::GET, Url::parse(url).unwrap(), String::new()).await;
        for _ in 0..STEPS {
            if let Some(next) = page.leads_to {
                if next.as_str().starts_with(back) {
                    return next.into();
                }
                page = self.open(Method::GET, next, String::new()).await;
                continue;
            }
            let (to, mut form) = match form(&page) {
                Some(form) => form,
                None => return page.text,
            };
            let prompt = form.get("prompt").cloned();
            if prompt.as_deref() == Some("login") {
                form.insert("login".into(), "ada".into());
                form.insert("password".into(), "anything".into());
            }
            if says == Says::No && form.remove("confirm").is_some() {
                form.insert("abort".into(), "yes".into());
            }
            let body = Serializer::new(String::new()).extend_pairs(&form).finish();
            page = self.open(Method::POST, to, body).await;
        }
        panic!("no end: {}", page.url);
    }

    async fn open(&mut self, method: Method, url: Url, body: String) -> Page {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(header::COOKIE, cookies.join("; "))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .unwrap();
        let time = Duration::from_secs(30);
        let patience = Patience { total: time, silence: time, bytes: 1 << 20 };
        let answer = self.outbound.open(request, Reach::Private, patience).await.unwrap();
        let answer = answer.whole().await.unwrap();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            match rest.split(';').next().unwrap() {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        let location = answer.headers().get(header::LOCATION);
        let leads_to = location.map(|to| url.join(to.to_str().unwrap()).unwrap());
        let text = String::from_utf8(answer.into_body()).unwrap();
        Page { url, leads_to, text }
    }
}

/// The first form of a page: where it goes, and what is filled in already.
fn form(page: &Page) -> Option<(Url, BTreeMap<String, String>)> {
    let (_, rest) = page.text.split_once("<form")?;
    let form = rest.split("</form>").next()?;
    // It wants a code typed: the login with the one that was filled in is over.
    if form.contains("op.deviceInputForm") {
        return None;
    }
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\""))?;
        Some(rest.split('"').next()?.replace("&amp;", "&"))
    };
    let to = attribute(form.split('>').next()?, "action").unwrap_or_default();
    let filled = form.split("<input").skip(1).filter_map(|tag| {
        let tag = tag.split('>').next()?;
        Some((attribute(tag, "name")?, attribute(tag, "value")?))
    });
    Some((page.url.join(&to).ok()?, filled.collect()))
}
