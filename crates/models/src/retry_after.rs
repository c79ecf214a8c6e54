//! When a provider says to come back. Pure: a date is compared with the answer's own date, not with our clock.

use http::HeaderMap;
use std::time::Duration;

/// What the headers of a refusal say, most exact first.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    if let Some(after) = number("retry-after-ms") {
        return Duration::try_from_secs_f64(after / 1000.0).ok();
    }
    if let Some(after) = number("retry-after") {
        return Duration::try_from_secs_f64(after).ok();
    }
    let then = httpdate::parse_http_date(text("retry-after")?).ok()?;
    let now = httpdate::parse_http_date(text("date")?).ok()?;
    // A time that has passed: at once.
    Some(then.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn seconds_milliseconds_and_dates_are_understood_and_nonsense_is_not() {
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(Headers, Option<u64>)] = &[
            (&[("retry-after", "3")], Some(3000)),
            (&[("retry-after", " 1.5 ")], Some(1500)),
            (&[("retry-after", "3"), ("retry-after-ms", "250")], Some(250)),
            (
                &[
                    ("date", "Wed, 21 Oct 2026 07:28:00 GMT"),
                    ("retry-after", "Wed, 21 Oct 2026 07:28:20 GMT"),
                ],
                Some(20_000),
            ),
            (
                &[
                    ("date", "Wed, 21 Oct 2026 07:28:00 GMT"),
                    ("retry-after", "Wed, 21 Oct 2026 07:00:00 GMT"),
                ],
                Some(0),
            ),
            (&[("retry-after", "Wed, 21 Oct 2026 07:28:20 GMT")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "1e300")], None),
            (&[("retry-after", "soon")], None),
            (&[], None),
        ];
        for (headers, after) in cases {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (HeaderName::try_from(*name).unwrap(), HeaderValue::from_static(value))
                })
                .collect();
            assert_eq!(retry_after(&map), after.map(Duration::from_millis), "{headers:?}");
        }
    }
}
