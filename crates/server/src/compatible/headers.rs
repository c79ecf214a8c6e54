//! The headers of our own: which workspace is meant, what to do when a model fails in the middle; and, with the answer,
//! which model ran, by which rule, why, and what it cost.

use super::bill::Bill;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use mosaic_gateway::{Error, Switching};
use mosaic_protocol::{WorkspaceId, route::Route};

const WORKSPACE: &str = "x-mosaic-workspace";
const SWITCH: &str = "x-mosaic-switch";

const MODEL: HeaderName = HeaderName::from_static("x-mosaic-model");
const PROVIDER: HeaderName = HeaderName::from_static("x-mosaic-provider");
const RULE: HeaderName = HeaderName::from_static("x-mosaic-rule");
const REASON: HeaderName = HeaderName::from_static("x-mosaic-reason");
const EXPECTED: HeaderName = HeaderName::from_static("x-mosaic-expected-cost-micros");
const COST: HeaderName = HeaderName::from_static("x-mosaic-cost-micros");
const WARNING: HeaderName = HeaderName::from_static("x-mosaic-warning");

/// What pages of other sites may read.
pub(crate) const EXPOSED: &str = "x-mosaic-model, x-mosaic-provider, x-mosaic-rule, x-mosaic-reason, \
    x-mosaic-expected-cost-micros, x-mosaic-cost-micros, x-mosaic-warning, x-request-id, retry-after";

/// The longest value of a header that we write.
const VALUE_BYTES: usize = 1000;

/// What the head of a request says of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(crate) workspace_id: Option<WorkspaceId>,
    pub(crate) switching: Switching,
}

impl Wishes {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Wishes, Error> {
        let workspace_id = match headers.get(WORKSPACE) {
            None => None,
            // What is no id names nothing that exists.
            Some(value) => {
                let id = value.to_str().ok().and_then(|text| text.parse().ok());
                Some(id.ok_or(Error::NotFound)?)
            }
        };
        let switching = match headers.get(SWITCH).map(HeaderValue::as_bytes) {
            None | Some(b"stop") => Switching::Stop,
            Some(b"continue") => Switching::Continue,
            Some(_) => {
                return Err(Error::Invalid(format!("`{SWITCH}` is `stop` or `continue`")));
            }
        };
        Ok(Wishes { workspace_id, switching })
    }
}

/// What ran, and why.
pub(crate) fn say_route(headers: &mut HeaderMap, route: &Route, warnings: &[String]) {
    say(headers, MODEL, &route.model);
    say(headers, PROVIDER, &route.provider);
    say(headers, REASON, &route.reason);
    if let Some(rule) = &route.rule {
        say(headers, RULE, rule);
    }
    if let Some(micros) = route.expected_micros {
        headers.insert(EXPECTED, HeaderValue::from(micros));
    }
    if !warnings.is_empty() {
        say(headers, WARNING, &warnings.join("; "));
    }
}

/// Another model went on: the one that ended the answer is named.
pub(crate) fn say_model(headers: &mut HeaderMap, name: &str) {
    let (provider, model) = name.split_once('/').unwrap_or(("", name));
    say(headers, MODEL, model);
    say(headers, PROVIDER, provider);
}

/// What it cost, as far as anybody knows.
pub(crate) fn say_cost(headers: &mut HeaderMap, bill: &Bill) {
    if let Some(micros) = bill.cost.and_then(|cost| cost.micros) {
        headers.insert(COST, HeaderValue::from(micros));
    }
}

fn say(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(&plain(text)) {
        headers.insert(name, value);
    }
}

/// Text as a header can hold it: what is not plain ASCII is percent-encoded.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain.len() + 3 > VALUE_BYTES {
            break;
        }
        match byte {
            b' '..=b'~' if byte != b'%' => plain.push(byte.into()),
            byte => plain.push_str(&format!("%{byte:02X}")),
        }
    }
    plain
}

/// A token as Anthropic's programs send it.
pub(crate) fn api_key(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get("x-api-key").filter(|_| !headers.contains_key(header::AUTHORIZATION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_holds_any_text() {
        assert_eq!(plain("Complex → Opus, 100%"), "Complex %E2%86%92 Opus, 100%25");
        assert_eq!(plain("a\r\nset-cookie: x"), "a%0D%0Aset-cookie: x");
        assert!(plain(&"é".repeat(10_000)).len() <= VALUE_BYTES);
        let mut headers = HeaderMap::new();
        say(&mut headers, REASON, "a\nb\u{7f}\0");
        assert_eq!(headers[REASON], "a%0Ab%7F%00");
    }

    #[test]
    fn wishes_are_understood_or_refused() {
        let of = |name: &'static str, value: &'static [u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_bytes(value).unwrap());
            Wishes::of(&headers).map_err(|error| error.to_string())
        };
        assert_eq!(Wishes::of(&HeaderMap::new()).unwrap(), Wishes::default());
        assert_eq!(of(SWITCH, b"continue").unwrap().switching, Switching::Continue);
        assert_eq!(of(SWITCH, b"maybe").unwrap_err(), "`x-mosaic-switch` is `stop` or `continue`");
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let named = of(WORKSPACE, b"01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
        assert_eq!(named.workspace_id.map(|id| id.to_string()).as_deref(), Some(id));
        for nothing in [&b"mine"[..], b"", b"\xff"] {
            assert_eq!(of(WORKSPACE, nothing).unwrap_err(), Error::NotFound.to_string());
        }
    }
}
