//! Whole numbers and sizes, within the bounds of their key. Leaves out: which key has which bounds (`table.rs`).

const UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// `64`, `64KiB`, `10 MiB`, `1gib`. Decimal units are refused rather than guessed at: `MB` means two things.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let factor = match unit {
        "" => 1,
        _ => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The shortest exact way to write a size: `1 MiB`, but `1000001`.
pub(super) fn show_size(bytes: u64) -> String {
    let unit =
        UNITS.iter().find(|(_, factor)| *factor > 1 && bytes > 0 && bytes.is_multiple_of(*factor));
    match unit {
        Some((name, factor)) => format!("{} {name}", bytes / factor),
        None => bytes.to_string(),
    }
}

/// The number, if it lies within the bounds; otherwise the rest of a sentence that starts with the key.
pub(super) fn within(
    got: i128,
    min: u64,
    max: u64,
    show: fn(u64) -> String,
) -> Result<u64, String> {
    let bounded = u64::try_from(got).ok().filter(|number| (min..=max).contains(number));
    bounded.ok_or_else(|| {
        let got = u64::try_from(got).map_or_else(|_| got.to_string(), show);
        format!("must be between {} and {}, got {got}", show(min), show(max))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_back_as_shown() {
        for (text, bytes) in
            [("64", 64), ("64KiB", 65536), ("10 MiB", 10 << 20), ("1gib", 1 << 30), ("0", 0)]
        {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
            assert_eq!(parse_size(&show_size(bytes)), Some(bytes));
        }
        for text in [
            "",
            "MiB",
            "-1",
            "1.5 GiB",
            "1 MB",
            "1 k",
            "99999999999999999999",
            "99999999 TiB",
            "1 MiB x",
        ] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
