//! Which known names a wrong one may have meant.

/// More than this helps nobody.
const MOST: usize = 3;

/// So many names are compared at most: whoever asks waits for it.
const COMPARED: usize = 3_000;

/// No name is longer; what is longer is not compared, because comparing takes the product of both lengths.
const LONGEST: usize = 200;

/// The names nearest to a wrong one, best first; none that has little to do with it.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    if wrong.len() > LONGEST {
        return vec![];
    }
    let wrong = wrong.to_lowercase();
    let mut near: Vec<(f64, &str)> = names
        .into_iter()
        .filter(|name| name.len() <= LONGEST)
        .take(COMPARED)
        .map(|name| (likeness(&wrong, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .collect();
    // Of names that are as near, the one that begins like what was written.
    let begun = |name: &str| wrong.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
    near.sort_unstable_by(|(a, one), (b, two)| {
        b.total_cmp(a).then_with(|| begun(two).cmp(&begun(one))).then_with(|| one.cmp(two))
    });
    near.dedup_by_key(|(_, name)| *name);
    near.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

/// From 0 to 1. A name that begins with what was written is nearly right, however much is missing.
fn likeness(wrong: &str, name: &str) -> f64 {
    let edits = strsim::normalized_damerau_levenshtein(wrong, name);
    let begun = wrong.len() >= 3 && name.starts_with(wrong);
    if begun { edits.max(0.9) } else { edits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_names_find_what_was_meant() {
        let names = ["claude-sonnet-4-5", "claude-opus-4-5", "gpt-5", "gpt-5-mini", "glm-4.6"];
        for (wrong, first) in [
            ("claude-sonet-4-5", Some("claude-sonnet-4-5")),
            ("Claude-Opus-4.5", Some("claude-opus-4-5")),
            ("gpt5", Some("gpt-5")),
            ("claude", Some("claude-opus-4-5")),
            ("glm4.6", Some("glm-4.6")),
            ("zzzzzzzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, names).first().map(String::as_str), first, "{wrong}");
        }
        assert!(nearest("claude", names).len() <= MOST);
        assert_eq!(nearest(&"gpt-5".repeat(1_000_000), names), Vec::<String>::new());
    }
}
