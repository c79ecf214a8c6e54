//! What is known of a request before anybody has logged in: where it comes from, and its id.

use crate::compatible::Tongue;
use http::{HeaderMap, header};
use ipnet::IpNet;
use std::net::IpAddr;

/// The other end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A network address.
    Address(IpAddr),
    /// The control socket: the user that the gateway runs as, on its own machine.
    Operator,
}

/// What is known of a request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) peer: Peer,
    /// The caller's address, behind trusted proxies too.
    pub(crate) address: String,
    /// It came over TLS.
    pub(crate) secure: bool,
    /// What the program calls itself.
    pub(crate) agent: String,
    pub(crate) request_id: String,
    /// The cookie that this browser was given when it left for a login provider.
    pub(crate) departure: Option<String>,
    /// In whose words it is answered.
    pub(crate) tongue: Tongue,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            peer: Peer::Address(IpAddr::from([0, 0, 0, 0])),
            address: String::new(),
            secure: false,
            agent: String::new(),
            request_id: String::new(),
            departure: None,
            tongue: Tongue::Own,
        }
    }
}

/// Whether this is one of our proxies.
pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address.to_canonical()))
}

/// The caller's address: the peer's, or, as far as proxies that we trust vouch for it, the one they name. Read from the
/// right, because everything left of a stranger's entry is the stranger's invention.
pub(crate) fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut address = peer;
    for entry in forwarded.iter().rev() {
        if !is_trusted(address, trusted) {
            break;
        }
        match entry.trim().parse() {
            Ok(next) => address = next,
            Err(_) => break,
        }
    }
    address.to_canonical()
}

/// Whether a proxy that we trust says that the caller used TLS.
pub(crate) fn forwarded_tls(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> bool {
    is_trusted(peer, trusted)
        && headers
            .get("x-forwarded-proto")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"https"))
}

/// What a program calls itself.
pub(crate) fn agent(headers: &HeaderMap) -> String {
    let agent =
        headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    agent.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn seen(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_str(forwarded).unwrap());
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_as_far_as_it_vouches() {
        assert_eq!(seen("203.0.113.9", "1.2.3.4", &[]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", "1.2.3.4", &["127.0.0.1/32"]), "1.2.3.4");
        assert_eq!(seen("127.0.0.1", "6.6.6.6, 1.2.3.4", &["127.0.0.1/32"]), "1.2.3.4");
        assert_eq!(
            seen("127.0.0.1", "1.2.3.4, 10.0.0.7", &["127.0.0.1/32", "10.0.0.0/8"]),
            "1.2.3.4"
        );
        assert_eq!(seen("127.0.0.1", "nonsense", &["127.0.0.1/32"]), "127.0.0.1");
        assert_eq!(seen("::ffff:127.0.0.1", "1.2.3.4", &["127.0.0.1/32"]), "1.2.3.4");
    }
}
