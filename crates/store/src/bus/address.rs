//! Where a bus is: `valkey://[user:password@]host[:port][/number]`, or `redis://`, which is the same.

use mosaic_protocol::Sensitive;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

const PORT: u16 = 6379;
const MOST_DATABASES: u32 = 1_000_000;

/// Where a bus is, and how to get in.
#[derive(Debug, Clone)]
pub struct BusAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<(Sensitive, Sensitive)>,
    /// Messages know no databases in Valkey; the number is part of our channels' names.
    pub(crate) database: u32,
    shown: String,
}

impl BusAddress {
    /// Reads one. An error is the rest of a sentence that begins with what the address was given as, and quotes
    /// nothing of it.
    pub fn parse(text: &str) -> Result<BusAddress, String> {
        let form = "valkey://[user:password@]host[:port][/number]";
        if text.starts_with("valkeys://") || text.starts_with("rediss://") {
            return Err(format!(
                "asks for TLS, which Mosaic does not speak to the bus; use {form} in a private network, or through a tunnel such as stunnel"
            ));
        }
        if !(text.starts_with("valkey://") || text.starts_with("redis://")) {
            return Err(format!("must be {form}"));
        }
        let encoding = "in its user name and password, characters such as @ : / ? # have to be percent-encoded";
        let url = Url::parse(text)
            .map_err(|error| format!("is not a valid URL ({error}); {encoding}"))?;
        // A second @ or a # is a password that was not encoded: the URL would be taken apart at the wrong place.
        let rest = &url[url::Position::BeforePath..];
        if rest.contains(['@', '#', '?']) {
            return Err(format!("must be {form}; {encoding}"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(Host::Domain(_)) | None => {
                return Err(format!("names no host; it must be {form}"));
            }
        };
        let port = url.port().unwrap_or(PORT);
        if port == 0 {
            return Err("names port 0; Valkey usually listens on 6379".to_owned());
        }
        let number = url.path().trim_start_matches('/');
        let database = match number {
            "" => 0,
            _ => number
                .parse()
                .ok()
                .filter(|n| *n < MOST_DATABASES && number.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(|| {
                    format!("has something after the host that is not a number; it must be {form}")
                })?,
        };
        let decode = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded
                .map(|it| Sensitive::new(it.into_owned()))
                .map_err(|_| format!("has a user name or password that is not UTF-8; {encoding}"))
        };
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (_, None) => {
                return Err(
                    "has a user name and no password; write user:password@, or :password@ for the default user"
                        .to_owned(),
                );
            }
            ("", Some(password)) => Some((Sensitive::new("default".to_owned()), decode(password)?)),
            (user, Some(password)) => Some((decode(user)?, decode(password)?)),
        };
        let mask = match (url.username(), url.password()) {
            (_, None) => String::new(),
            (user, Some(_)) => format!("{user}:••••@"),
        };
        let where_ = &url[url::Position::BeforeHost..url::Position::AfterPath];
        let shown = format!("{}://{mask}{where_}", url.scheme());
        Ok(BusAddress { host, port, login, database, shown })
    }

    /// With the password masked.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Host and port, for messages.
    pub(crate) fn place(&self) -> String {
        let colons = self.host.contains(':');
        if colons {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_and_how_to_get_in() {
        for (text, place, login, database, shown) in [
            ("valkey://cache", "cache:6379", None, 0, "valkey://cache"),
            ("redis://127.0.0.1:7000/", "127.0.0.1:7000", None, 0, "redis://127.0.0.1:7000/"),
            ("valkey://[::1]:7000/3", "[::1]:7000", None, 3, "valkey://[::1]:7000/3"),
            ("valkey://:pw@h", "h:6379", Some(("default", "pw")), 0, "valkey://:••••@h"),
            (
                "valkey://m%40x:p%3a%2F@h/15",
                "h:6379",
                Some(("m@x", "p:/")),
                15,
                "valkey://m%40x:••••@h/15",
            ),
        ] {
            let address = BusAddress::parse(text).unwrap();
            assert_eq!(
                (&*address.place(), address.database, address.shown()),
                (place, database, shown)
            );
            let got = address.login.as_ref().map(|(user, pw)| (user.expose(), pw.expose()));
            assert_eq!(got, login);
            assert!(!format!("{address:?}").contains("p:/"), "{address:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_its_password_not_told() {
        for (text, words) in [
            ("", "must be valkey://"),
            ("cache:6379", "must be valkey://"),
            ("http://u:hunter2@h", "must be valkey://"),
            ("valkeys://u:hunter2@h", "TLS"),
            ("rediss://u:hunter2@h", "stunnel"),
            ("valkey://", "host"),
            ("valkey:///1", "host"),
            ("valkey://u:hunter2@", "host"),
            ("valkey://u@h", "no password"),
            ("valkey://u:12/hunter2@h", "percent-encoded"),
            ("valkey://u:12#hunter2@h", "percent-encoded"),
            ("valkey://u:hunter2@h:99999", "port"),
            ("valkey://u:hunter2@h:0", "port 0"),
            ("valkey://u:hunter2@h/x", "not a number"),
            ("valkey://u:hunter2@h/1/2", "not a number"),
            ("valkey://u:hunter2@h/-1", "not a number"),
            ("valkey://u:hunter2@h/+1", "not a number"),
            ("valkey://u:hunter2@h?db=1", "must be valkey://"),
            ("valkey://u:hunter2%ff@h", "UTF-8"),
        ] {
            let error = BusAddress::parse(text).unwrap_err();
            assert!(error.contains(words) && !error.contains("hunter2"), "{text}: {error}");
        }
    }
}
