//! What a message looks like: how long, how many demands, whether program text, a log, a table or prose is pasted.

use super::parts::{Parts, odd};

/// Measures of a message; shares are between 0 and 1.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Characters that ask, before and after the paste.
    pub(super) ask_chars: usize,
    /// Characters of the paste that were looked at.
    pub(super) paste_chars: usize,
    /// How much of everything looks like a program.
    pub(super) code: f32,
    /// How much of the paste looks like a log.
    pub(super) log: f32,
    /// How much of the paste looks like a table.
    pub(super) table: f32,
    /// How much of the paste reads like sentences.
    pub(super) prose: f32,
    /// How many separate things are listed in the ask, roughly.
    pub(super) demands: f32,
    /// Question marks in the ask, of any script.
    pub(super) asks: f32,
    /// Whether the ask ends with a question mark.
    pub(super) ends_asking: bool,
    /// Numbers in the ask.
    pub(super) numbers: f32,
    /// Signs of mathematics in the ask.
    pub(super) maths: f32,
    /// Names that only programs have: `snake_case`, `camelCase`, `a.b()`, `--flag`, `/path`, `x.rs`.
    pub(super) identifiers: f32,
    /// Addresses of pages.
    pub(super) links: f32,
    /// The greatest number that counts pages, words, lines or files, as a power of ten.
    pub(super) bulk: f32,
    /// Exclamation marks and emoji in the ask.
    pub(super) cheer: f32,
    /// Quotation marks in the ask.
    pub(super) quotes: f32,
    /// Sentences and lines in the ask.
    pub(super) sentences: f32,
}

/// Measures a message.
pub(super) fn measure(parts: &Parts) -> Shape {
    let ask = format!("{}\n{}", parts.ask, parts.after);
    let mut shape = Shape {
        ask_chars: ask.trim().chars().count(),
        paste_chars: parts.paste.chars().count(),
        ..Shape::default()
    };
    for c in ask.chars() {
        match c {
            '?' | '？' | '؟' | '¿' => shape.asks += 1.0,
            ',' | '，' | '、' | '،' | ';' | '；' => shape.demands += 1.0,
            '&' | '+' => shape.demands += 0.5,
            '!' | '！' => shape.cheer += 1.0,
            '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' => shape.cheer += 1.0,
            '"' | '“' | '„' | '«' | '「' => shape.quotes += 1.0,
            '=' | '^' | '≤' | '≥' | '∫' | '∑' | '√' | '×' | '≠' | '∈' | '∞' | 'π' =>
            {
                shape.maths += 1.0;
            }
            '.' | '。' | '।' | '\n' | ':' => shape.sentences += 1.0,
            _ => {}
        }
    }
    shape.ends_asking = ask.trim_end().ends_with(['?', '？', '؟']);
    words_of(&ask, &mut shape);
    lines_of(parts, &ask, &mut shape);
    shape
}

fn words_of(ask: &str, shape: &mut Shape) {
    let mut last_number: Option<(f32, usize)> = None;
    for (at, word) in ask.split_whitespace().take(300).enumerate() {
        if word.contains("://") || word.starts_with("www.") {
            shape.links += 1.0;
            continue;
        }
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let digits = bare.chars().filter(char::is_ascii_digit).count();
        if digits > 0 {
            shape.numbers += 1.0;
            let (number, unit) = amount(bare);
            last_number = Some((number, at));
            if counted(unit) {
                shape.bulk = shape.bulk.max(number.max(1.0).log10());
            }
        } else if let Some((number, since)) = last_number
            // "40 long pages" has a word between; more than that is another thought.
            && at - since <= 2
            && counted(&bare.to_lowercase())
        {
            shape.bulk = shape.bulk.max(number.max(1.0).log10());
        }
        if identifier(word) {
            shape.identifiers += 1.0;
        }
        if matches!(
            bare,
            "and"
                | "then"
                | "und"
                | "et"
                | "y"
                | "e"
                | "и"
                | "plus"
                | "also"
                | "dann"
                | "with"
                | "w"
        ) {
            shape.demands += 0.4;
        }
    }
}

/// A number as people write it, "12k" and "1,200" too, and what is stuck to it.
fn amount(word: &str) -> (f32, &str) {
    let end = word
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '\'')))
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(end);
    let plain: String = number.chars().filter(char::is_ascii_digit).take(9).collect();
    let decimal = number.rsplit_once(['.', ',']).is_some_and(|(_, last)| last.len() != 3);
    let value = if decimal {
        number.replace(',', ".").parse().unwrap_or(0.0)
    } else {
        plain.parse().unwrap_or(0.0)
    };
    let factor = match unit.chars().next() {
        Some('k' | 'K') => 1e3,
        Some('M' | 'm') if unit.len() == 1 => 1e6,
        Some('万' | '萬' | '만') => 1e4,
        _ => 1.0,
    };
    (value * factor, unit.trim_start_matches(['k', 'K', '万', '만']))
}

/// Words for what long material is counted in.
fn counted(unit: &str) -> bool {
    const UNITS: &[&str] = &[
        "page",
        "word",
        "line",
        "file",
        "seite",
        "wörter",
        "zeile",
        "datei",
        "mots",
        "lignes",
        "fichier",
        "página",
        "palabra",
        "línea",
        "archivo",
        "pagin",
        "parol",
        "righ",
        "palavra",
        "linha",
        "arquivo",
        "stron",
        "słów",
        "plik",
        "страниц",
        "слов",
        "файл",
        "строк",
        "页",
        "字",
        "文件",
        "行",
        "ページ",
        "ファイル",
        "文字",
        "쪽",
        "페이지",
        "파일",
        "sayfa",
        "dosya",
        "kelime",
        "صفحة",
        "ملف",
        "पृष्ठ",
        "पन्न",
        "फ़ाइल",
        "message",
        "mail",
        "ticket",
        "transcript",
        "chapter",
        "document",
        "interview",
        "volume",
        "module",
        "component",
        "service",
        "screen",
        "table",
        "woorden",
        "bladzij",
    ];
    UNITS.iter().any(|known| unit.starts_with(known))
}

fn identifier(word: &str) -> bool {
    let bare = word
        .trim_matches(|c: char| matches!(c, '"' | '\'' | ',' | '.' | '?' | '!' | ':' | '“' | '”'));
    let inner = |sign: &str| {
        bare.split_once(sign).is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && b.is_ascii())
    };
    let mut chars = bare.chars();
    let camel = bare.is_ascii()
        && chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && bare.contains(|c: char| c.is_ascii_uppercase())
        && bare.chars().all(|c| c.is_ascii_alphanumeric());
    bare.starts_with("--")
        || (bare.starts_with('/') && bare.len() > 1)
        || bare.contains("()")
        || bare.contains('`')
        || bare.contains("::")
        || inner("_")
        || camel
        || (inner(".")
            && bare.rsplit('.').next().is_some_and(|end| {
                (2..=5).contains(&end.len()) && end.starts_with(|c: char| c.is_ascii_lowercase())
            }))
}

fn lines_of(parts: &Parts, ask: &str, shape: &mut Shape) {
    let mut n = 0.0_f32;
    let (mut code, mut log, mut table, mut prose) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
    let ask_lines = ask.lines().filter(|line| odd(line) || parts.paste.is_empty());
    for line in parts.paste.lines().chain(ask_lines).filter(|line| !line.trim().is_empty()).take(80)
    {
        n += 1.0;
        let signs = line.chars().filter(|c| "{}();=<>[]$\\`_".contains(*c)).count();
        let digits = line.chars().filter(char::is_ascii_digit).count();
        let chars = line.chars().count().max(1);
        let cells = line.matches([',', ';', '\t', '|']).count();
        let spaces = line.matches(' ').count();
        if signs * 12 > chars
            || line.trim_end().ends_with(['{', '}', ';'])
            || line.starts_with("    ")
        {
            code += 1.0;
        } else if digits >= 6 && line.contains(':') && chars > 20 {
            log += 1.0;
        } else if cells >= 2 && spaces <= cells + 2 {
            table += 1.0;
        } else if spaces >= 4 {
            prose += 1.0;
        }
    }
    if n > 0.0 {
        (shape.code, shape.log, shape.table, shape.prose) =
            (code / n, log / n, table / n, prose / n);
    }
    if ask.contains("```") {
        shape.code = shape.code.max(0.5);
    }
}

#[cfg(test)]
mod tests {
    use super::super::parts::split;
    use super::*;

    #[test]
    fn amounts_as_people_write_them() {
        for (word, expected) in [
            ("340", 340.0),
            ("12k", 12_000.0),
            ("1,200", 1200.0),
            ("3.5", 3.5),
            ("900k", 900_000.0),
            ("2万字", 20_000.0),
        ] {
            assert_eq!(amount(word).0, expected, "{word}");
        }
        assert!(measure(&split("translate the 340 page manual")).bulk > 2.5);
        assert!(measure(&split("the manual (340 pages)")).bulk > 2.5);
        assert_eq!(measure(&split("340 people read one page")).bulk, 0.0);
    }

    #[test]
    fn programs_logs_tables_and_prose_look_different() {
        let code = measure(&split("why\n\nfn a() {\n  let b = c[1];\n  d(b);\n}"));
        let table = measure(&split("why\n\na,b,c\n1,2,3\n4,5,6\n7,8,9"));
        let log = measure(&split(
            "why\n\n2024-01-01 10:00:00 worker started again\n2024-01-01 10:00:01 worker is gone",
        ));
        let prose = measure(&split(
            "why\n\nThe pool on Main Street will be closed until the end of the month.",
        ));
        assert!(
            code.code > 0.5 && table.table > 0.5 && log.log > 0.5 && prose.prose > 0.5,
            "{code:?}{table:?}{log:?}{prose:?}"
        );
    }

    #[test]
    fn identifiers_are_told_from_words() {
        for (word, expected) in [
            ("--json", true),
            ("/logout", true),
            ("url.parse", true),
            ("getUser", true),
            ("hello", false),
            ("e.g.", false),
            ("iPhone", true),
            ("3.5", false),
        ] {
            assert_eq!(identifier(word), expected, "{word}");
        }
    }
}
