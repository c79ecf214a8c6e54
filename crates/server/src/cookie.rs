//! Cookies: the session's, and the one that a browser takes along to a login provider.
//!
//! Over TLS they carry the `__Host-` prefix, so that no other host under the same domain can set them.

use http::{HeaderMap, header};
use mosaic_gateway::LoggedIn;

const SESSION: &str = "mosaic_session";
const DEPARTURE: &str = "mosaic_departure";

/// A cookie to be set.
pub(crate) struct Cookie {
    name: &'static str,
    value: String,
    lasts_seconds: i64,
}

impl Cookie {
    pub(crate) fn session(login: &LoggedIn) -> Cookie {
        Cookie { name: SESSION, value: login.secret.clone(), lasts_seconds: login.lasts_seconds }
    }

    pub(crate) fn end_session() -> Cookie {
        Cookie { name: SESSION, value: String::new(), lasts_seconds: 0 }
    }

    pub(crate) fn departure(state: &str, lasts_seconds: i64) -> Cookie {
        Cookie { name: DEPARTURE, value: state.to_owned(), lasts_seconds }
    }

    pub(crate) fn end_departure() -> Cookie {
        Cookie { name: DEPARTURE, value: String::new(), lasts_seconds: 0 }
    }

    /// The text of the header. `Lax`, because coming back from a provider is a link from another site; what changes
    /// something is guarded by the Origin check.
    pub(crate) fn text(&self, secure: bool) -> String {
        let (prefix, secure) = if secure { ("__Host-", "; Secure") } else { ("", "") };
        let Cookie { name, value, lasts_seconds } = self;
        format!(
            "{prefix}{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={lasts_seconds}{secure}"
        )
    }
}

fn find(headers: &HeaderMap, name: &str, secure: bool) -> Option<String> {
    let name = if secure { format!("__Host-{name}") } else { name.to_owned() };
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// The session's secret, if the browser sent one.
pub(crate) fn session(headers: &HeaderMap, secure: bool) -> Option<String> {
    find(headers, SESSION, secure)
}

/// What the browser took along to a provider.
pub(crate) fn departure(headers: &HeaderMap, secure: bool) -> Option<String> {
    find(headers, DEPARTURE, secure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn over_tls_only_the_host_bound_cookie_counts() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; mosaic_session=plain"));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-mosaic_session=bound"));
        assert_eq!(session(&headers, false).as_deref(), Some("plain"));
        assert_eq!(session(&headers, true).as_deref(), Some("bound"));
    }
}
