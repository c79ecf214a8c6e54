//! Single items of the lists that say whom to believe: hosts, browser origins, proxies; and extra headers.
//! Leaves out: the lists around them, and matching a request against them.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Host;

use super::{Secret, urls};

/// A host as the `Host` header has it, in lower case: a name or an address, perhaps with a port. Patterns are
/// refused: a `*` that means nothing would look as if it allowed everything.
pub(super) fn host(text: &str) -> Option<String> {
    let (name, port) = match text.rsplit_once(':') {
        // Not the last part of an IPv6 address, which stands in brackets.
        Some((name, port)) if !port.contains(']') => {
            (name, Some(port.parse::<u16>().ok().filter(|port| *port > 0)?))
        }
        _ => (text, None),
    };
    let host = Host::parse(name).ok()?;
    if let Host::Domain(name) = &host
        && !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    {
        return None;
    }
    Some(port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}")))
}

pub(super) fn browser_origin(text: &str) -> Option<String> {
    urls::origin(text).ok().map(|url| urls::show_origin(&url))
}

/// An address or a CIDR block. A block of every address is refused: anybody could then claim to be anybody.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().ok().map(IpNet::from);
    address
        .or_else(|| text.parse::<IpNet>().ok())
        .filter(|net| net.prefix_len() > 0)
        .map(|net| net.trunc())
}

/// `name=value,name=value`. Values may hold `=` but no comma.
pub(super) fn headers(text: &str) -> Option<Vec<(String, Secret)>> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let header = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let sound = !name.is_empty()
            && name.chars().all(token)
            && value.chars().all(|c| matches!(c, ' '..='~'));
        sound.then(|| (name.to_ascii_lowercase(), Secret::new(value.to_owned())))
    };
    text.split(',').map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_not_patterns_or_urls() {
        for (text, want) in [
            ("Chat.Example.org", "chat.example.org"),
            ("localhost:6672", "localhost:6672"),
            ("[::1]:6672", "[::1]:6672"),
            ("[::1]", "[::1]"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(host(text).as_deref(), Some(want));
        }
        for text in
            ["*", "*.example.org", "https://a.example", "a/b", "a:0", "a:99999", "::1", "u@a", ""]
        {
            assert_eq!(host(text), None, "{text}");
        }
    }

    #[test]
    fn proxies_are_addresses_or_blocks_but_never_everybody() {
        assert_eq!(network("10.1.2.3/8").map(|net| net.to_string()).as_deref(), Some("10.0.0.0/8"));
        assert_eq!(network("::1").map(|net| net.to_string()).as_deref(), Some("::1/128"));
        for text in ["0.0.0.0/0", "::/0", "10.0.0.0/33", "proxy.example"] {
            assert_eq!(network(text), None, "{text}");
        }
    }

    #[test]
    fn headers_split_at_the_first_equals_sign() {
        let read = headers("Authorization=Basic dTpw==, x-team=a").unwrap();
        let read: Vec<_> =
            read.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(read, [("authorization", "Basic dTpw=="), ("x-team", "a")]);
        assert!(
            headers("no header").is_none()
                && headers("a=b,").is_none()
                && headers("bad name=1").is_none()
        );
    }
}
