//! What providers say of their limits in headers. Pure. A header that cannot be understood is as if it were not there.

use http::HeaderMap;
use mosaic_protocol::{
    Time,
    provider::{Limits, RateLimit},
};

/// Limit, remaining and reset, as Anthropic, OpenAI and those like it, and OpenRouter call them.
const NAMES: &[(Limits, [&str; 3])] = &[
    (
        Limits::Requests,
        [
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
        ],
    ),
    (
        Limits::Tokens,
        [
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
        ],
    ),
    (
        Limits::Tokens,
        [
            "anthropic-ratelimit-input-tokens-limit",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
        ],
    ),
    (
        Limits::Tokens,
        [
            "anthropic-ratelimit-output-tokens-limit",
            "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset",
        ],
    ),
    (
        Limits::Requests,
        [
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
        ],
    ),
    (
        Limits::Tokens,
        ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
    ),
    (Limits::Requests, ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]),
];

/// Numbers that are larger are moments, not spans: 2001 in seconds, and in milliseconds.
const SECONDS_SINCE_1970: u64 = 1_000_000_000;
const MILLIS_SINCE_1970: u64 = 1_000_000_000_000;

/// The limit that is nearest to being reached, of those that an answer names.
pub fn rate_limit(headers: &HeaderMap, now: Time) -> Option<RateLimit> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let limits = NAMES.iter().filter_map(|(of, [limit, remaining, reset])| {
        let limit = text(limit)?.trim().parse().ok().filter(|limit| *limit > 0)?;
        let remaining: u64 = text(remaining)?.trim().parse().ok()?;
        let reset_at = text(reset).and_then(|reset| moment(reset.trim(), now));
        Some(RateLimit { of: *of, limit, remaining: remaining.min(limit), reset_at })
    });
    // The smallest share that is left, without fractions.
    limits.min_by(|a, b| {
        let (a, b) = ((a.remaining, a.limit), (b.remaining, b.limit));
        (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)))
    })
}

/// When: as a moment (`2027-01-15T08:00:00Z`, seconds or milliseconds since 1970) or a span (`6m0s`, `20ms`, `12`).
fn moment(text: &str, now: Time) -> Option<Time> {
    if let Ok(number) = text.parse::<u64>() {
        let signed = i64::try_from(number).ok()?;
        return Some(match number {
            MILLIS_SINCE_1970.. => Time(signed),
            SECONDS_SINCE_1970.. => Time(signed.checked_mul(1000)?),
            _ => now.plus_ms(signed.checked_mul(1000)?),
        });
    }
    span_ms(text).map(|ms| now.plus_ms(ms)).or_else(|| rfc3339(text))
}

/// `1h2m3.5s`, `20ms`.
fn span_ms(mut text: &str) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let mut all = 0.0;
    while !text.is_empty() {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at_checked(digits)?;
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at_checked(letters)?;
        let ms = match unit {
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 60e3,
            "h" => 3_600e3,
            "d" => 86_400e3,
            _ => return None,
        };
        all += number.parse::<f64>().ok()? * ms;
        text = rest;
    }
    // Up to a year; the bound also keeps the whole number in range.
    (0.0..=366.0 * 86_400e3).contains(&all).then_some(all.ceil() as i64)
}

/// `2027-01-15T08:00:00Z`, with a fraction or an offset if there is one.
fn rfc3339(text: &str) -> Option<Time> {
    let (date, time) = text.split_once(['T', 't'])?;
    let at = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(at)?;
    let number = |text: &str, most: i64| -> Option<i64> {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| plain && *number <= most)
    };
    let mut parts = date.split('-');
    let mut next = |most| number(parts.next()?, most);
    let (year, month, day) = (next(9999)?, next(12)?, next(31)?);
    let mut parts = time.split(':');
    let (hour, minute) = (number(parts.next()?, 23)?, number(parts.next()?, 59)?);
    let (second, fraction) = parts.next().map(|s| s.split_once('.').unwrap_or((s, "0")))?;
    let second = number(second, 60)?;
    let ms = number(format!("{fraction:0<3}").get(..3)?, 999)?;
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, zone) => {
            let (hours, minutes) = zone.split_once(':')?;
            let minutes = number(hours, 23)? * 60 + number(minutes, 59)?;
            if sign == "-" { -minutes } else { minutes }
        }
    };
    if month == 0 || day == 0 {
        return None;
    }
    // Days since 1970, with years that begin in March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (month * 153 + 2) / 5
        + day
        - 719_469;
    let minutes = days * 1440 + hour * 60 + minute - offset;
    Some(Time(minutes * 60_000 + second * 1000 + ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const NOW: Time = Time(1_800_000_000_000);

    fn limits(headers: &[(&'static str, &str)]) -> Option<RateLimit> {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        rate_limit(&headers.iter().map(pair).collect(), NOW)
    }

    #[test]
    fn moments_and_spans_are_understood() {
        for (text, at) in [
            ("2027-01-15T08:00:00Z", Some(NOW)),
            ("2027-01-15T09:30:00.25+01:30", Some(NOW.plus_ms(250))),
            ("2027-01-14T23:00:00-09:00", Some(NOW)),
            ("1970-01-01T00:00:00Z", Some(Time(0))),
            ("2000-02-29T23:59:59Z", Some(Time(951_868_799_000))),
            ("2100-03-01T00:00:00Z", Some(Time(4_107_542_400_000))),
            ("1s", Some(NOW.plus_ms(1_000))),
            ("6m0s", Some(NOW.plus_ms(360_000))),
            ("20ms", Some(NOW.plus_ms(20))),
            ("1h2m3.5s", Some(NOW.plus_ms(3_723_500))),
            ("12", Some(NOW.plus_ms(12_000))),
            ("1800000001", Some(NOW.plus_ms(1_000))),
            ("1800000001000", Some(NOW.plus_ms(1_000))),
            ("", None),
            ("soon", None),
            ("5x", None),
            ("-5s", None),
            ("999999999999h", None),
            ("1.2.3s", None),
            ("2027-13-15T08:00:00Z", None),
            ("2027-00-15T08:00:00Z", None),
            ("2027-01-15T08:00Z", None),
            ("2027-01-15T08:00:00", None),
            ("2027-01-15T08:00:00+é", None),
        ] {
            assert_eq!(moment(text, NOW), at, "{text}");
        }
    }

    #[test]
    fn of_several_limits_the_nearest_is_told() {
        assert_eq!(limits(&[("content-type", "text/plain")]), None);
        let openai = limits(&[
            ("x-ratelimit-limit-requests", "100"),
            ("x-ratelimit-remaining-requests", "50"),
            ("x-ratelimit-limit-tokens", "40000"),
            ("x-ratelimit-remaining-tokens", "4000"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]);
        let reset_at = Some(NOW.plus_ms(360_000));
        let nearest = RateLimit { of: Limits::Tokens, limit: 40_000, remaining: 4_000, reset_at };
        assert_eq!(openai, Some(nearest));
        let anthropic = limits(&[
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", "2027-01-15T08:00:01Z"),
            ("anthropic-ratelimit-tokens-limit", "x"),
            ("anthropic-ratelimit-tokens-remaining", "0"),
        ]);
        let reset_at = Some(NOW.plus_ms(1_000));
        let nearest = RateLimit { of: Limits::Requests, limit: 50, remaining: 0, reset_at };
        assert_eq!(anthropic, Some(nearest));
        let odd = limits(&[
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", "99"),
            ("x-ratelimit-reset", "whenever"),
        ]);
        let capped = RateLimit { of: Limits::Requests, limit: 10, remaining: 10, reset_at: None };
        assert_eq!(odd, Some(capped));
        assert_eq!(limits(&[("x-ratelimit-limit", "0"), ("x-ratelimit-remaining", "0")]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,40}") {
            moment(&text, NOW);
            rfc3339(&text);
        }
    }
}
