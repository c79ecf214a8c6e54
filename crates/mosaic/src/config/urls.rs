//! Values that are URLs, and how the one that carries a password is shown. An answer in the negative is the rest of
//! a sentence that starts with the key. Leaves out: whether anything answers there.

use std::net::IpAddr;

use url::{Host, Url, form_urlencoded};

pub(super) const MASK: &str = "••••";

/// An http or https URL of which nothing is secret, so that it can be shown and logged as it is.
pub(super) fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("must be an http or https URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must be an http or https URL".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end before any `?` or `#`".to_owned());
    }
    Ok(url)
}

/// The same, of which only scheme, host and port may be given.
pub(super) fn origin(text: &str) -> Result<Url, String> {
    let url = endpoint(text)?;
    match url.path() {
        "" | "/" => Ok(url),
        _ => Err("must be scheme, host and port only, without a path".to_owned()),
    }
}

/// As a browser writes it in an `Origin` header.
pub(super) fn show_origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// A client secret is sent there, so it has to be https, except on this machine.
pub(super) fn issuer(text: &str) -> Result<String, String> {
    let url = endpoint(text)?;
    let local = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "http" && !local {
        return Err(
            "must be an https URL; http is taken only from this machine (localhost)".to_owned()
        );
    }
    Ok(text.to_owned())
}

/// Checks a database URL and gives the form that may be shown. Errors do not quote it.
pub(super) fn database(text: &str) -> Result<String, String> {
    if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
        return Err(
            "must start with postgres:// or postgresql:// (leave it out to use SQLite in the data directory)".to_owned()
        );
    }
    let encoding =
        "in its user name and password, characters such as @ : / ? # have to be percent-encoded";
    let url =
        Url::parse(text).map_err(|error| format!("is not a valid URL ({error}); {encoding}"))?;
    let rest = &url[url::Position::BeforePath..];
    // A second @ or a # is a password that was not encoded: the URL would be taken apart at the wrong place, and
    // half of the password shown as a path.
    if rest.contains(['@', '#']) {
        return Err(format!("is not a valid database URL; {encoding}"));
    }
    let mut shown = format!("{}://{}", url.scheme(), url.username());
    if url.password().is_some() {
        shown.push(':');
        shown.push_str(MASK);
    }
    if !url.username().is_empty() || url.password().is_some() {
        shown.push('@');
    }
    shown.push_str(&url[url::Position::BeforeHost..url::Position::AfterPath]);
    for (position, part) in url.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if position == 0 { '?' } else { '&' });
        shown.push_str(&query_part(part));
    }
    Ok(shown)
}

/// `sslpassword=…` and its like are passwords too.
fn query_part(part: &str) -> String {
    let name = form_urlencoded::parse(part.as_bytes())
        .next()
        .map_or(String::new(), |(name, _)| name.to_lowercase());
    match part.split_once('=') {
        Some((written, _)) if name.contains("password") => format!("{written}={MASK}"),
        _ => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_shows_everything_but_its_passwords() {
        for (text, shown) in [
            ("postgres:///mosaic?host=/run/pg", "postgres:///mosaic?host=/run/pg"),
            ("postgresql://db:5433/m", "postgresql://db:5433/m"),
            ("postgres://u:hunter2@db.example/m", "postgres://u:••••@db.example/m"),
            (
                "postgres://:hunter2@db/m?a=b&pass%77ord=hunter2",
                "postgres://:••••@db/m?a=b&pass%77ord=••••",
            ),
            ("postgres://u@[::1]/m?sslPassword=hunter2", "postgres://u@[::1]/m?sslPassword=••••"),
        ] {
            assert_eq!(database(text).as_deref(), Ok(shown));
        }
    }

    #[test]
    fn a_password_that_was_not_encoded_is_neither_taken_nor_told() {
        for password in
            ["hunter2/x", "12/hunter2", "12?hunter2", "12#hunter2", "hunter2#", "hunter2?"]
        {
            let error = database(&format!("postgres://u:{password}@db/m")).unwrap_err();
            assert!(error.contains("percent-encoded") && !error.contains("hunter2"), "{error}");
        }
        assert!(database("sqlite://hunter2").is_err_and(|error| !error.contains("hunter2")));
    }

    #[test]
    fn urls_that_would_leak_or_mislead_are_refused() {
        for text in
            ["ftp://a", "https://u:p@a", "https://a/?x=1", "https://a/#x", "a.example", "https://"]
        {
            assert!(endpoint(text).is_err(), "{text}");
        }
        assert!(origin("https://a.example/chat").is_err());
        assert!(issuer("http://idp.example").is_err());
        assert_eq!(issuer("http://127.0.0.1:9999").as_deref(), Ok("http://127.0.0.1:9999"));
        assert_eq!(
            issuer("https://idp.example/realms/a").as_deref(),
            Ok("https://idp.example/realms/a")
        );
    }
}
