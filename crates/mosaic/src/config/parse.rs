//! Reads one value as its key wants it, stores it, and says how it may be shown. An error is the rest of a sentence
//! that starts with the key; it never quotes a secret. Leaves out: which key wants what (`table.rs`).

use std::path::PathBuf;

use mosaic_store::bus::address::BusAddress;
use serde_json::{Value, json};
use url::Url;

use super::{
    LogFormat, Secret, Settings,
    key::{Key, Kind},
    layers::Raw,
    networks,
    numbers::{parse_size, show_size, within},
    problem::printable,
    urls::{self, MASK},
};

/// No setting needs more; a megabyte pasted into a variable is a mistake.
const LONGEST_TEXT: usize = 8 * 1024;
const LONGEST_LIST: usize = 256;
const HEX_KEY_DIGITS: usize = 64;

/// A value as `config show` prints it. Secrets are masked already.
#[derive(Debug)]
pub(super) struct Shown {
    pub text: String,
    pub json: Value,
}

impl Shown {
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { json: json!(text), text }
    }

    fn list(items: &[String]) -> Self {
        let text = if items.is_empty() { "(none)".to_owned() } else { items.join(", ") };
        Self { json: json!(items), text }
    }
}

pub(super) fn store(
    key: &Key,
    provider: &str,
    raw: &Raw,
    settings: &mut Settings,
) -> Result<Shown, String> {
    let kind = &key.kind;
    Ok(match *kind {
        Kind::Truth(put) => {
            let truth = truth(raw, kind)?;
            put(settings, provider, truth);
            Shown { text: truth.to_string(), json: json!(truth) }
        }
        Kind::Whole { min, max, put } => {
            let number = number(raw, kind, |text| text.parse().ok())?;
            let number = within(number, min, max, |number| number.to_string())?;
            put(settings, provider, number);
            Shown { text: number.to_string(), json: json!(number) }
        }
        Kind::Size { min, max, put } => {
            let bytes = within(
                number(raw, kind, |text| parse_size(text).map(i128::from))?,
                min,
                max,
                show_size,
            )?;
            put(settings, provider, bytes);
            Shown { text: show_size(bytes), json: json!(bytes) }
        }
        Kind::Address(put) => {
            let text = text(raw, kind)?;
            let address = text.parse().map_err(|_| unfit(kind, text))?;
            put(settings, provider, address);
            Shown::plain(address.to_string())
        }
        Kind::Directory(put) => {
            let text = text(raw, kind)?;
            if text == "~" || text.starts_with("~/") {
                return Err("must be written out: `~` is not expanded here".to_owned());
            }
            put(settings, provider, PathBuf::from(text));
            Shown::plain(text)
        }
        Kind::Format(put) => {
            let text = text(raw, kind)?;
            let format = match text {
                "auto" => LogFormat::Auto,
                "pretty" => LogFormat::Pretty,
                "json" => LogFormat::Json,
                _ => return Err(unfit(kind, text)),
            };
            put(settings, provider, format);
            Shown::plain(text)
        }
        Kind::Text(put) => {
            let text = text(raw, kind)?;
            put(settings, provider, text.to_owned());
            Shown::plain(text)
        }
        Kind::Origin(put) => {
            let url = urls::origin(text(raw, kind)?)?;
            let shown = Shown::plain(urls::show_origin(&url));
            put(settings, provider, url);
            shown
        }
        Kind::Endpoint(put) => {
            let url: Url = urls::endpoint(text(raw, kind)?)?;
            let shown = Shown::plain(url.as_str());
            put(settings, provider, url);
            shown
        }
        Kind::Issuer(put) => {
            let issuer = urls::issuer(text(raw, kind)?)?;
            put(settings, provider, issuer.clone());
            Shown::plain(issuer)
        }
        Kind::Hosts(put) => {
            let hosts = list(raw, kind, networks::host)?;
            let shown = Shown::list(&hosts);
            put(settings, provider, hosts);
            shown
        }
        Kind::Origins(put) => {
            let origins = list(raw, kind, networks::browser_origin)?;
            let shown = Shown::list(&origins);
            put(settings, provider, origins);
            shown
        }
        Kind::Networks(put) => {
            let blocks = list(raw, kind, networks::network)?;
            let shown = Shown::list(&blocks.iter().map(ToString::to_string).collect::<Vec<_>>());
            put(settings, provider, blocks);
            shown
        }
        Kind::Secret { min_chars, put } => {
            let text = text(raw, kind)?;
            if text.chars().count() < min_chars {
                return Err(format!("must have at least {min_chars} characters"));
            }
            put(settings, provider, Secret::new(text.to_owned()));
            Shown::plain(MASK)
        }
        Kind::HexKey(put) => {
            let text = text(raw, kind)?;
            if text.len() != HEX_KEY_DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(format!("must be {}", expected(kind)));
            }
            put(settings, provider, Secret::new(text.to_owned()));
            Shown::plain(MASK)
        }
        Kind::Headers(put) => {
            let headers = networks::headers(text(raw, kind)?)
                .ok_or_else(|| format!("must be {}", expected(kind)))?;
            put(settings, provider, headers);
            Shown::plain(MASK)
        }
        Kind::DatabaseUrl(put) => {
            let text = text(raw, kind)?;
            let shown = urls::database(text)?;
            put(settings, provider, Secret::new(text.to_owned()));
            Shown::plain(shown)
        }
        Kind::BusUrl(put) => {
            let text = text(raw, kind)?;
            let shown = Shown::plain(BusAddress::parse(text)?.shown());
            put(settings, provider, Secret::new(text.to_owned()));
            shown
        }
    })
}

/// What a kind takes, to follow "must be".
pub(super) fn expected(kind: &Kind) -> &'static str {
    match kind {
        Kind::Truth(_) => "true or false",
        Kind::Whole { .. } => "a whole number",
        Kind::Size { .. } => "a size such as 65536, \"64 KiB\" or \"10 MiB\"",
        Kind::Address(_) => "an address and port such as 127.0.0.1:6672 or [::1]:6672",
        Kind::Directory(_) => "a path",
        Kind::Format(_) => "auto, pretty or json",
        Kind::Text(_) => "a text",
        Kind::Origin(_) | Kind::Endpoint(_) | Kind::Issuer(_) => "an http or https URL",
        Kind::Hosts(_) => {
            "a list of hosts such as chat.example.org or localhost:6672 (no patterns, no URLs)"
        }
        Kind::Origins(_) => {
            "a list of origins such as https://app.example.org (no patterns, no paths)"
        }
        Kind::Networks(_) => "a list of addresses or blocks such as 10.0.0.0/8 (not every address)",
        Kind::Secret { .. } => "a text",
        Kind::HexKey(_) => "64 hexadecimal digits (32 random bytes)",
        Kind::Headers(_) => "a text such as name=value,name=value",
        Kind::DatabaseUrl(_) => "a postgres:// URL",
        Kind::BusUrl(_) => "a valkey:// URL",
    }
}

fn truth(raw: &Raw, kind: &Kind) -> Result<bool, String> {
    match raw {
        Raw::Truth(truth) => Ok(*truth),
        Raw::Loose(text) => text.trim().parse().map_err(|_| unfit(kind, text)),
        _ => Err(mismatch(kind, raw)),
    }
}

fn number(raw: &Raw, kind: &Kind, parse: impl Fn(&str) -> Option<i128>) -> Result<i128, String> {
    match raw {
        Raw::Whole(number) => Ok(i128::from(*number)),
        Raw::Text(text) if matches!(kind, Kind::Size { .. }) => {
            parse(text.trim()).ok_or_else(|| unfit(kind, text))
        }
        Raw::Loose(text) => parse(text.trim()).ok_or_else(|| unfit(kind, text)),
        _ => Err(mismatch(kind, raw)),
    }
}

fn text<'a>(raw: &'a Raw, kind: &Kind) -> Result<&'a str, String> {
    match raw {
        Raw::Loose(text) | Raw::Text(text) => sound(text),
        _ => Err(mismatch(kind, raw)),
    }
}

/// Empty is refused rather than taken for "not set": a variable that lost its value must not bring a default back.
fn sound(text: &str) -> Result<&str, String> {
    if text.is_empty() {
        Err("must not be empty; leave it out to use the default".to_owned())
    } else if text.len() > LONGEST_TEXT {
        Err(format!("must not be longer than {}", show_size(LONGEST_TEXT as u64)))
    } else if text.contains(char::is_control) {
        Err("must not contain control characters such as NUL or a line break".to_owned())
    } else {
        Ok(text)
    }
}

fn list<T>(raw: &Raw, kind: &Kind, parse: fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let items: Vec<&str> = match raw {
        Raw::List(items) => items.iter().map(String::as_str).collect(),
        Raw::Loose(text) => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
        }
        _ => return Err(mismatch(kind, raw)),
    };
    if items.len() > LONGEST_LIST {
        return Err(format!("must not have more than {LONGEST_LIST} items"));
    }
    items.into_iter().map(|item| parse(sound(item)?).ok_or_else(|| unfit(kind, item))).collect()
}

/// The wrong type of TOML.
fn mismatch(kind: &Kind, raw: &Raw) -> String {
    let given = match raw {
        Raw::Loose(_) | Raw::Text(_) => "a string",
        Raw::Whole(_) => "a number",
        Raw::Truth(_) => "true or false",
        Raw::List(_) => "a list",
        Raw::Other(name) => name,
    };
    format!("must be {}, not {given}", expected(kind))
}

/// The right type with the wrong content. Called for kinds that are not secret; even so, what has an `@` in it may
/// be a URL with a password that was put under the wrong key, and is not repeated.
fn unfit(kind: &Kind, text: &str) -> String {
    let got =
        if text.contains('@') { String::new() } else { format!(", got \"{}\"", printable(text)) };
    format!("must be {}{got}", expected(kind))
}
