//! Where a provider may be: which URLs are taken, and which addresses they may come to.

use crate::{Error, Result};
use mosaic_models::usual_base_url;
use mosaic_outbound::Reach;
use mosaic_protocol::provider::ProviderKind;
use url::{Host, Url};

/// Checks a base URL and gives its one spelling. `None` where the kind has no place: it runs in our own process.
pub(crate) fn base_url(kind: ProviderKind, given: Option<&str>) -> Result<Option<Url>> {
    if matches!(kind, ProviderKind::Local | ProviderKind::Scripted) {
        return match given {
            Some(_) => {
                Err(invalid(&format!("`{kind}` runs in our own process and has no `base_url`")))
            }
            None => Ok(None),
        };
    }
    let text = given.or_else(|| usual_base_url(kind)).ok_or_else(|| {
        invalid(&format!("`base_url` is missing: where a `{kind}` provider is, you have to say"))
    })?;
    if text.len() > 500 {
        return Err(invalid("`base_url` has more than 500 bytes"));
    }
    let url = Url::parse(text)
        .map_err(|_| invalid("`base_url` is no URL, such as https://api.example.com/v1"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("`base_url` begins with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("`base_url` holds a user name or password; a key goes into `key`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("`base_url` ends with the path, without `?` or `#`"));
    }
    Ok(Some(url))
}

fn invalid(said: &str) -> Error {
    Error::Invalid(said.to_owned())
}

/// Which addresses a provider may have. `trusted`: an admin or the operator named it. `private_hosts`: which private ones
/// anybody may name.
pub(crate) fn reach(url: &Url, trusted: bool, private_hosts: &[String]) -> Reach {
    let host = host(url);
    if trusted || private_hosts.contains(&host) { Reach::Private } else { Reach::Public }
}

/// `host:port`.
pub(crate) fn host(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(0);
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

/// A key goes over an unencrypted connection only to our own machine and networks.
pub(crate) fn check_encrypted(url: &Url, reach: Reach, has_key: bool) -> Result<()> {
    let is_plain = url.scheme() == "http" && has_key;
    let is_near = match url.host() {
        Some(Host::Ipv4(address)) => !Reach::Public.covers(address.into()),
        Some(Host::Ipv6(address)) => !Reach::Public.covers(address.into()),
        Some(Host::Domain(name)) => reach == Reach::Private && is_near_by(name),
        None => false,
    };
    if is_plain && !is_near {
        return Err(invalid("the key would travel unencrypted: use https://"));
    }
    if reach == Reach::Public && !Reach::Public.covers_host(url) {
        return Err(invalid(
            "this is a private address: an admin must allow it (`providers.private_hosts`), or add the provider for the whole server",
        ));
    }
    Ok(())
}

/// Whether a name can only be of this machine or its network.
fn is_near_by(name: &str) -> bool {
    const ENDS: [&str; 6] = [".localhost", ".local", ".lan", ".internal", ".home.arpa", ".test"];
    !name.contains('.') || ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_taken() {
        let of = |text: &str| base_url(ProviderKind::Compatible, Some(text));
        for good in ["https://api.example.com/v1", "http://127.0.0.1:8080", "https://[2606::1]/x"] {
            assert!(of(good).is_ok(), "{good}");
        }
        for bad in [
            "api.example.com",
            "ftp://x/",
            "file:///etc/passwd",
            "https://user:secret@x/v1",
            "https://x/v1?key=1",
            "https://x/#a",
            "unix:/x",
            "",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
        assert!(base_url(ProviderKind::Compatible, None).is_err());
        assert!(base_url(ProviderKind::Anthropic, None).unwrap().is_some());
        assert!(base_url(ProviderKind::Local, Some("https://x")).is_err());
        assert_eq!(base_url(ProviderKind::Local, None).unwrap(), None);
    }

    #[test]
    fn private_addresses_take_an_admin_and_ollama_on_loopback_does_not() {
        let url = |text: &str| Url::parse(text).unwrap();
        let listed = ["127.0.0.1:11434".to_owned()];
        let ollama = url("http://127.0.0.1:11434");
        assert_eq!(reach(&ollama, false, &listed), Reach::Private);
        assert!(check_encrypted(&ollama, Reach::Private, true).is_ok());
        for other in [
            "http://127.0.0.1:5432",
            "http://10.0.0.1/v1",
            "http://169.254.169.254/",
            "http://[::1]/",
        ] {
            let other = url(other);
            assert_eq!(reach(&other, false, &listed), Reach::Public);
            assert!(check_encrypted(&other, Reach::Public, false).is_err(), "{other}");
            assert_eq!(reach(&other, true, &listed), Reach::Private);
        }
        assert!(check_encrypted(&url("http://example.com/v1"), Reach::Public, true).is_err());
        assert!(check_encrypted(&url("http://example.com/v1"), Reach::Public, false).is_ok());
        assert!(check_encrypted(&url("https://example.com/v1"), Reach::Public, true).is_ok());
        assert!(check_encrypted(&url("http://example.com/v1"), Reach::Private, true).is_err());
        assert!(check_encrypted(&url("http://gpu-box:8000/v1"), Reach::Private, true).is_ok());
        assert!(check_encrypted(&url("http://gpu.lan:8000/v1"), Reach::Private, true).is_ok());
    }
}
