//! Takes secrets out of a line that is about to be written: log lines and errors pass through here.
//!
//! Codes that never should reach a log are caught by what they look like, because the next bug will not ask.

use std::borrow::Cow;

const MASK: &str = "***";
/// A secret of ours is this long at least.
const SECRET_CHARS: usize = 20;

/// The line without secrets.
pub(crate) fn redact(line: &str) -> Cow<'_, str> {
    let interesting = ["mosaic_", "earer ", "://", "ookie"];
    if !interesting.iter().any(|word| line.contains(word)) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['m', 'B', 'b', ':', 'c', 'C']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (kept, skipped) = secret_at(from);
        out.push_str(&from[..kept]);
        if skipped > 0 {
            out.push_str(MASK);
        }
        rest = &from[kept + skipped..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// How many bytes from here are to be kept, and how many after them to be masked.
fn secret_at(text: &str) -> (usize, usize) {
    let word = |text: &str| {
        text.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"_-.~+/=".contains(b)).count()
    };
    if let Some(after) = text.strip_prefix("mosaic_") {
        // mosaic_t_…: the prefix stays, so that one can tell what it was. Setting names have capitals or are short.
        let n = word(after);
        let kind = after.as_bytes().get(1) == Some(&b'_');
        return if kind && n >= SECRET_CHARS { ("mosaic_t_".len(), n - 2) } else { (1, 0) };
    }
    for prefix in ["Bearer ", "bearer "] {
        if let Some(after) = text.strip_prefix(prefix) {
            return (prefix.len(), word(after));
        }
    }
    for prefix in ["cookie: ", "Cookie: "] {
        if let Some(after) = text.strip_prefix(prefix) {
            return (prefix.len(), after.find(['\n', '"']).unwrap_or(after.len()));
        }
    }
    if let Some(after) = text.strip_prefix("://") {
        // user:password@host
        let authority = &after[..after.find(['/', ' ', '"', '\n', '?']).unwrap_or(after.len())];
        if let Some((user, _)) =
            authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':'))
        {
            let kept = "://".len() + user.len() + 1;
            let skipped = authority.rfind('@').unwrap_or(0) - user.len() - 1;
            return (kept, skipped);
        }
    }
    // Whatever letter it was, it is one byte long.
    (1, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "mosaic_t_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn secrets_go_and_everything_else_stays() {
        for (line, wanted) in [
            (format!("token {TOKEN} used"), "token mosaic_t_*** used"),
            (
                format!("http://127.0.0.1:6672/#setup={}", TOKEN.replace("_t_", "_l_")),
                "http://127.0.0.1:6672/#setup=mosaic_l_***",
            ),
            ("authorization: Bearer abc.def-ghi, x".into(), "authorization: Bearer ***, x"),
            (
                "postgres://ada:p4ss@db:5432/mosaic down".into(),
                "postgres://ada:***@db:5432/mosaic down",
            ),
            ("postgres://ada:p@ss@db/m".into(), "postgres://ada:***@db/m"),
            ("cookie: mosaic_session=1; a=b".into(), "cookie: ***"),
            (
                "mosaic_http_requests_total and MOSAIC_LISTEN at http://a:80/b".into(),
                "mosaic_http_requests_total and MOSAIC_LISTEN at http://a:80/b",
            ),
            ("plain – naïve 深い".into(), "plain – naïve 深い"),
        ] {
            assert_eq!(redact(&line), wanted);
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it_and_no_token_survives(before in "\\PC*", after in "[^A-Za-z0-9_.~+/=-]\\PC*") {
            let line = format!("{before} {TOKEN}{after}");
            let redacted = redact(&line);
            prop_assert!(!redacted.contains(&TOKEN[9..]));
        }
    }
}
