//! Host, Origin and CORS: which pages may talk to the gateway through a browser.
//!
//! A name must be configured, because a name can be made to point here by anybody who owns it (DNS rebinding);
//! `localhost` and IP addresses cannot. An Origin that is present must be our own or listed; a request that a cookie
//! vouches for and that changes something must have one, and it must be our own.

use crate::{
    Settings,
    compatible::{Tongue, headers::EXPOSED},
    refusal::Refusal,
};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use std::net::IpAddr;
use url::Url;

pub(crate) struct Origins {
    public: Option<(String, String)>,
    names: Vec<String>,
    cors: Vec<String>,
}

fn authority(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

/// The name in a Host header, without its port.
fn host_name(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(v6) => v6.split_once(']').map_or("", |(name, _)| name),
        None => host.split(':').next().unwrap_or_default(),
    }
}

impl Origins {
    pub(crate) fn new(settings: &Settings) -> Origins {
        let public = settings
            .public_url
            .as_ref()
            .map(|url| (authority(url), url.origin().ascii_serialization()));
        Origins {
            public,
            names: settings.allowed_hosts.iter().map(|name| name.to_lowercase()).collect(),
            cors: settings.cors_origins.clone(),
        }
    }

    fn knows(&self, host: &str) -> bool {
        let host = host.to_lowercase();
        let name = host_name(&host);
        name == "localhost"
            || name.parse::<IpAddr>().is_ok()
            || self.public.as_ref().is_some_and(|public| public.0 == host)
            || self.names.iter().any(|known| *known == host || known == name)
    }

    /// Refuses a Host that is not ours, and an Origin that is neither ours nor listed.
    pub(crate) fn check(&self, parts: &Parts) -> Result<(), Refusal> {
        let host = host_of(parts).ok_or_else(Refusal::wrong_host)?;
        if !self.knows(host) {
            return Err(Refusal::wrong_host());
        }
        match origin_of(&parts.headers) {
            Some(origin) if !self.is_own(host, origin) && !self.is_listed(origin) => {
                Err(Refusal::wrong_origin())
            }
            _ => Ok(()),
        }
    }

    /// For requests that a cookie vouches for: what changes something must come from our own page. So must whoever
    /// wants a socket: commands come in by it, and browsers let any page open one.
    pub(crate) fn check_cookie_request(&self, parts: &Parts) -> Result<(), Refusal> {
        let reads = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if reads && !parts.headers.contains_key(header::UPGRADE) {
            return Ok(());
        }
        let host = host_of(parts).ok_or_else(Refusal::wrong_host)?;
        match origin_of(&parts.headers) {
            Some(origin) if self.is_own(host, origin) => Ok(()),
            _ => Err(Refusal::wrong_origin()),
        }
    }

    /// Whether this request reached us at the public address, which speaks TLS.
    pub(crate) fn is_public_tls(&self, parts: &Parts) -> bool {
        let host = host_of(parts).unwrap_or_default();
        self.public
            .as_ref()
            .is_some_and(|(name, origin)| name == host && origin.starts_with("https:"))
    }

    fn is_own(&self, host: &str, origin: &str) -> bool {
        let host = host.to_lowercase();
        match &self.public {
            // At the public address the scheme counts too: a page that came without TLS is anybody's.
            Some((name, public)) if *name == host => origin == public,
            _ => origin.strip_prefix("http://").or(origin.strip_prefix("https://")) == Some(&host),
        }
    }

    fn is_listed(&self, origin: &str) -> bool {
        self.cors.iter().any(|listed| listed == origin)
    }

    /// Tells a browser that a listed site may read the answer. Never with cookies.
    pub(crate) fn allow(&self, origin: Option<&str>, response: &mut Response) {
        let Some(origin) = origin.filter(|origin| self.is_listed(origin)) else { return };
        let Ok(value) = HeaderValue::from_str(origin) else { return };
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        let exposed = HeaderValue::from_static(EXPOSED);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }

    /// The answer to a browser that asks, for a listed site, whether it may send a request.
    pub(crate) fn preflight(&self, parts: &Parts) -> Option<Response> {
        let origin = origin_of(&parts.headers)?;
        let asks = parts.method == Method::OPTIONS
            && parts.headers.contains_key("access-control-request-method");
        if !asks || !self.is_listed(origin) {
            return None;
        }
        let mut response = Response::default();
        *response.status_mut() = http::StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(
            "access-control-allow-methods",
            HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
        );
        // Programs in pages send headers of their own with a foreign format; a token has to be named even so.
        let allowed = match Tongue::of(parts.uri.path(), &parts.headers) {
            Tongue::Own => "authorization, content-type",
            Tongue::OpenAi | Tongue::Anthropic => "authorization, content-type, x-api-key, *",
        };
        headers.insert("access-control-allow-headers", HeaderValue::from_static(allowed));
        headers.insert("access-control-max-age", HeaderValue::from_static("600"));
        Some(response)
    }
}

fn host_of(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    // Of an absolute request target, the authority is what counts.
    parts
        .uri
        .authority()
        .map(http::uri::Authority::as_str)
        .or(header)
        .filter(|host| !host.is_empty())
}

/// The Origin of a request. One that is no text counts as one that nobody has.
pub(crate) fn origin_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or("null"))
}

#[cfg(test)]
mod tests;
