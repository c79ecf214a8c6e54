//! Which addresses a request may go to. Decided where the connection is made: by the addresses that a name resolved to,
//! and by an address that stands in the URL itself. There is no second lookup that could answer differently.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Which addresses a request may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Those that anybody on the internet could ask.
    Public,
    /// Also this machine and its networks: the operator or an admin named the address. Link-local addresses, where
    /// clouds keep the keys of machines, are not among them.
    Private,
}

impl Reach {
    /// Whether an address may be asked.
    pub fn covers(self, address: IpAddr) -> bool {
        let address = plain(address);
        match self {
            Reach::Public => is_public(address),
            Reach::Private => !is_link_local(address) && !is_nobody(address),
        }
    }

    /// Whether the host of a URL may be asked, if it is an address. A name is decided when it has been resolved.
    pub fn covers_host(self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Ipv4(address)) => self.covers(address.into()),
            Some(Host::Ipv6(address)) => self.covers(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        }
    }
}

/// An IPv4 address that is written as an IPv6 address, as what it is.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, .., y, z] = v6.segments();
    let low = || {
        let [[p, q], [r, s]] = [y.to_be_bytes(), z.to_be_bytes()];
        IpAddr::V4(Ipv4Addr::new(p, q, r, s))
    };
    let high = || {
        let [[p, q], [r, s]] = [b.to_be_bytes(), c.to_be_bytes()];
        IpAddr::V4(Ipv4Addr::new(p, q, r, s))
    };
    match v6.segments() {
        _ if v6.to_ipv4_mapped().is_some() => low(),
        // Through a translator (64:ff9b::/96), and by an old tunnel (2002::/16).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => low(),
        _ if a == 0x2002 => high(),
        // `::1.2.3.4`, which nobody uses any more, and not `::` and `::1`.
        [0, 0, 0, 0, 0, 0, ..] if !v6.is_loopback() && !v6.is_unspecified() => low(),
        _ => address,
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xffc0 == 0xfe80,
    }
}

/// No single machine has such an address.
fn is_nobody(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast(),
    }
}

fn is_public(address: IpAddr) -> bool {
    if is_link_local(address) || is_nobody(address) || address.is_loopback() {
        return false;
    }
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                || (a, b & 0xc0) == (100, 64)
                || (a, b & 0xfe) == (198, 18)
                || (a, b, c) == (192, 0, 0)
                || (a, b, c) == (192, 88, 99))
        }
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [a, b, ..] = v6.segments();
    // Only 2000::/3 has been given out; in it, Teredo, benchmarks, ORCHID and documentation are nobody's.
    a & 0xe000 == 0x2000
        && !(a == 0x2001
            && (b == 0 || b == 2 || b == 0xdb8 || b & 0xfff0 == 0x10 || b & 0xfff0 == 0x20))
        && !(a == 0x3fff && b & 0xf000 == 0)
}

/// Resolves names, and leaves out the addresses that may not be asked.
pub(crate) struct Resolver(pub(crate) Reach);

/// A name has no address that may be asked.
#[derive(Debug, thiserror::Error)]
#[error("its address is private; an admin must allow that")]
pub(crate) struct OutOfReach;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let all: Vec<SocketAddr> = found.collect();
            let covered: Vec<SocketAddr> =
                all.iter().copied().filter(|address| reach.covers(address.ip())).collect();
            if covered.is_empty() && !all.is_empty() {
                return Err(OutOfReach.into());
            }
            Ok(Box::new(covered.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(reach: Reach, address: &str) -> bool {
        reach.covers(address.parse().unwrap())
    }

    #[test]
    fn private_addresses_are_out_of_public_reach_however_they_are_written() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "198.18.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "fec0::1",
            "64:ff9b:1::1",
            "3fff::1",
        ] {
            assert!(!covers(Reach::Public, address), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_in_reach() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "192.0.1.1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2002:808:808::",
        ] {
            assert!(covers(Reach::Public, address), "{address}");
            assert!(covers(Reach::Private, address), "{address}");
        }
    }

    #[test]
    fn what_an_admin_allows_does_not_reach_where_clouds_keep_their_keys() {
        for address in ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "fd00::5"] {
            assert!(covers(Reach::Private, address), "{address}");
        }
        for address in
            ["169.254.169.254", "::ffff:169.254.169.254", "fe80::a9fe:a9fe", "0.0.0.0", "::"]
        {
            assert!(!covers(Reach::Private, address), "{address}");
        }
    }

    #[test]
    fn an_address_in_a_url_is_seen_in_every_spelling() {
        for url in [
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://017700000001/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://0/",
        ] {
            assert!(!Reach::Public.covers_host(&Url::parse(url).unwrap()), "{url}");
        }
        assert!(Reach::Public.covers_host(&Url::parse("https://api.example.com/v1").unwrap()));
        assert!(Reach::Public.covers_host(&Url::parse("https://9.9.9.9/v1").unwrap()));
    }
}
