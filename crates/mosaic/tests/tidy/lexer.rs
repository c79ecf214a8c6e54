//! Just enough of Rust's syntax to tell code from comments and strings, and tests from the program.
//! Leaves out: everything else. Macros are read as what they look like.

/// A source in which comments and the insides of strings are blanks, byte for byte, so that places stay.
pub(crate) struct Code {
    pub(crate) text: String,
    /// Where each string stood, and what was in it, as written.
    pub(crate) strings: Vec<(usize, String)>,
}

impl Code {
    pub(crate) fn of(source: &str) -> Code {
        let bytes = source.as_bytes();
        let mut out = bytes.to_vec();
        let mut strings = vec![];
        let mut at = 0;
        while at < bytes.len() {
            let rest = &source[at..];
            let end = if rest.starts_with("//") {
                at + rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                at + block_comment(rest)
            } else if let Some((open, close)) = raw_string(source, at) {
                let from = at + open;
                let inside = source[from..].find(&close).unwrap_or(source.len() - from);
                strings.push((from, source[from..from + inside].to_owned()));
                blank(&mut out, from, from + inside);
                at = (from + inside + close.len()).min(bytes.len());
                continue;
            } else if rest.starts_with('"') {
                let inside = string(&bytes[at + 1..]);
                strings.push((at + 1, source[at + 1..at + 1 + inside].to_owned()));
                blank(&mut out, at + 1, at + 1 + inside);
                at = (at + inside + 2).min(bytes.len());
                continue;
            } else if let Some(length) = character(rest) {
                blank(&mut out, at + 1, at + length - 1);
                at += length;
                continue;
            } else {
                // One whole character: a place inside of one is no place in the text.
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            };
            blank(&mut out, at, end);
            at = end;
        }
        Code { text: String::from_utf8(out).unwrap(), strings }
    }

    /// The line of a place, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// Blanks every item that is compiled for tests only.
    pub(crate) fn without_tests(self) -> Code {
        self.without_items_under("#[cfg(test)]", "")
    }

    /// Blanks every item under an attribute that begins with one text and holds another.
    pub(crate) fn without_items_under(mut self, start: &str, holds: &str) -> Code {
        let found: Vec<usize> = self
            .attributes(start)
            .filter(|(_, attribute)| attribute.contains(holds))
            .map(|(at, _)| at)
            .collect();
        let mut bytes = self.text.clone().into_bytes();
        for at in found {
            let end = item_end(&self.text, at);
            blank(&mut bytes, at, end);
            self.strings.retain(|(place, _)| *place < at || *place >= end);
        }
        self.text = String::from_utf8(bytes).unwrap();
        self
    }

    /// The names of modules in files of their own that are compiled for tests only.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let mut found = vec![];
        for (at, attribute) in self.text.match_indices("#[cfg(test)]") {
            let item = self.text[at + attribute.len()..item_end(&self.text, at)].trim();
            if let Some((_, name)) =
                item.strip_suffix(';').and_then(|item| item.rsplit_once("mod "))
            {
                found.push(name.trim().to_owned());
            }
        }
        found
    }

    /// Every attribute that begins like this, whole, with its place.
    pub(crate) fn attributes<'a>(
        &'a self,
        start: &'a str,
    ) -> impl Iterator<Item = (usize, &'a str)> {
        self.text.match_indices(start).map(|(at, _)| {
            let open = at + self.text[at..].find('[').unwrap_or(0);
            (at, &self.text[at..group_end(&self.text, open)])
        })
    }
}

fn blank(bytes: &mut [u8], from: usize, to: usize) {
    for byte in &mut bytes[from..to] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    let bytes = rest.as_bytes();
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// The length of what is before the closing quote.
fn string(after_quote: &[u8]) -> usize {
    let mut at = 0;
    while at < after_quote.len() {
        match after_quote[at] {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    after_quote.len()
}

/// `r"`, `r#"`, `br##"`…: how long its opening is, and what closes it.
fn raw_string(source: &str, at: usize) -> Option<(usize, String)> {
    // `for"` is no raw string: the letters before must not belong to a word.
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if source[..at].chars().next_back().is_some_and(word) {
        return None;
    }
    let rest = &source[at..];
    let marks = ["r", "br", "cr"].iter().find_map(|letters| {
        let after = rest.strip_prefix(letters)?;
        after.starts_with(['"', '#']).then_some((letters.len(), after))
    });
    let (letters, after) = marks?;
    let hashes = after.bytes().take_while(|byte| *byte == b'#').count();
    after[hashes..]
        .starts_with('"')
        .then(|| (letters + hashes + 1, format!("\"{}", "#".repeat(hashes))))
}

/// The length of a character such as `'"'`; none for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    let length =
        if first == '\\' { 1 + inside[1..].chars().next()?.len_utf8() } else { first.len_utf8() };
    if first == '\\' {
        // An escape may be longer: '\u{1f600}'.
        return inside[length..].find('\'').map(|more| 1 + length + more + 1);
    }
    inside[length..].starts_with('\'').then_some(length + 2)
}

/// The end of the group that opens here, behind its closing bracket.
fn group_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The end of the item whose first attribute stands here: its body, or its semicolon.
fn item_end(code: &str, at: usize) -> usize {
    let mut at = at;
    // Its attributes.
    while code[at..].trim_start().starts_with('#') {
        let open = at + code[at..].find('[').unwrap_or(0);
        at = group_end(code, open);
    }
    while at < code.len() {
        match code.as_bytes()[at] {
            b';' | b',' | b'}' => return at + 1,
            b'{' => return group_end(code, at),
            b'(' | b'[' => at = group_end(code, at),
            _ => at += 1,
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        Code::of(source).text
    }

    #[test]
    fn comments_and_strings_are_blanked_in_place() {
        assert_eq!(text("a // .unwrap()\nb"), "a             \nb");
        assert_eq!(text("a /* x /* y */ z */ b"), "a                   b");
        assert_eq!(text(r#"a(".b\"c") d"#), r#"a("     ") d"#);
        assert_eq!(text(r##"a(r#".b"c"#) d"##), r##"a(r#"    "#) d"##);
        assert_eq!(text("for x in y {}"), "for x in y {}");
        assert_eq!(text("\"one\ntwo\" x"), "\"   \n   \" x");
    }

    #[test]
    fn characters_are_not_lifetimes() {
        assert_eq!(text(r#"f('"', "x")"#), r#"f(' ', " ")"#);
        assert_eq!(text(r"f('\'', '\u{1f600}', '/')"), r"f('  ', '         ', ' ')");
        assert_eq!(
            text("fn f<'a>(x: &'a str, y: &'static u8)"),
            "fn f<'a>(x: &'a str, y: &'static u8)"
        );
        assert_eq!(text("é 'é' \"é\"").len(), "é 'é' \"é\"".len());
    }

    #[test]
    fn strings_are_kept_with_their_places() {
        let code = Code::of("a(\"x\");\nb(r\"y\")");
        let found: Vec<_> =
            code.strings.iter().map(|(at, text)| (code.line(*at), text.as_str())).collect();
        assert_eq!(found, [(1, "x"), (2, "y")]);
    }

    #[test]
    fn tests_are_taken_out() {
        let source = "fn a() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod tests { fn b() { c(\"}\") } }\nfn d() {}";
        let kept = Code::of(source).without_tests();
        assert!(kept.text.contains("fn a") && kept.text.contains("fn d"));
        assert!(!kept.text.contains("fn b") && kept.strings.is_empty());
        let one = Code::of("#[cfg(test)]\npub(crate) fn a(x: [u8; 3]) -> u8 { 1 }\nfn b() {}")
            .without_tests();
        assert!(!one.text.contains("fn a") && one.text.contains("fn b"));
    }

    #[test]
    fn test_modules_in_files_are_found() {
        let code = Code::of(
            "mod a;\n#[cfg(test)]\nmod properties;\n#[cfg(test)]\npub(crate) mod b { mod c; }",
        );
        assert_eq!(code.test_modules(), ["properties"]);
    }

    #[test]
    fn attributes_are_whole() {
        let code = Code::of("#[allow(a, reason = \"]\")]\nfn f() {}");
        let found: Vec<_> = code.attributes("#[allow(").map(|(_, text)| text).collect();
        assert_eq!(found, ["#[allow(a, reason = \" \")]"]);
    }
}
