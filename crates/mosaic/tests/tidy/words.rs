//! Rule: no file says where it was made or what is left to do. The words stand here in pieces, so that this file does
//! not hold them itself.

use crate::{none, tree};

/// Places of one machine, and what belongs into an issue.
const ANYWHERE: [&str; 5] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("C:\\Us", "ers"),
];
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
/// Hosts of package registries. Which one is used is the business of whoever builds.
const REGISTRIES: [&str; 7] = [
    concat!("npm", "js.org"),
    concat!("npm", "js.com"),
    concat!("py", "pi.org"),
    concat!("python", "hosted.org"),
    concat!("index.crates", ".io"),
    concat!("deb.", "debian.org"),
    concat!("security.", "debian.org"),
];
/// Lock files hold digests, in which any letters may meet.
const LOCKS: [&str; 2] = ["Cargo.lock", "package-lock.json"];
/// The only source that Cargo.lock may name.
const CRATES: &str = concat!("registry+https://github.com/rust-lang/crates", ".io-index");

fn unwanted(path: &str, text: &str) -> Vec<String> {
    let mut problems = vec![];
    if LOCKS.iter().any(|lock| path.ends_with(lock)) {
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            let from =
                line.strip_prefix("source = ").or_else(|| line.strip_prefix("\"resolved\": "));
            // npm's own default host is what its lock files mean by "the registry".
            let npm = concat!("https://registry.npm", "js.org/");
            if from.is_some_and(|from| !from.contains(CRATES) && !from.contains(npm)) {
                problems.push(format!("{path}:{}: a package from elsewhere", n + 1));
            }
        }
        return problems;
    }
    for (n, line) in text.lines().enumerate() {
        let mut add = |word: &str| problems.push(format!("{path}:{}: {word}", n + 1));
        ANYWHERE
            .iter()
            .chain(&REGISTRIES)
            .filter(|word| line.contains(**word))
            .for_each(|word| add(word));
        UNFINISHED.iter().filter(|word| has_word(line, word)).for_each(|word| add(word));
    }
    problems
}

fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part)
            && !line[at + word.len()..].chars().next().is_some_and(part)
    })
}

#[test]
fn no_file_says_where_it_was_made() {
    none(tree::files().iter().flat_map(|file| unwanted(&file.path, &file.text)).collect());
}

#[test]
fn unwanted_words_are_found() {
    for word in ANYWHERE.iter().chain(&REGISTRIES).chain(&UNFINISHED) {
        assert_eq!(unwanted("a.md", &format!("one\nsee {word} there")).len(), 1, "{word}");
    }
    let (unfinished, part) = (UNFINISHED[0], &UNFINISHED[0][..2]);
    assert!(unwanted("a.md", &format!("{unfinished}S and MY_{unfinished} and {part}")).is_empty());
    assert!(
        unwanted("Cargo.lock", &format!("source = \"{CRATES}\"\nchecksum = \"{unfinished}\""))
            .is_empty()
    );
    assert_eq!(unwanted("Cargo.lock", "source = \"git+https://example.org/a\"").len(), 1);
    assert_eq!(
        unwanted("web/package-lock.json", "  \"resolved\": \"https://a.example/b.tgz\"").len(),
        1
    );
}
