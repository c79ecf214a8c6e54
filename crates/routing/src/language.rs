//! In which language a text is, as far as its letters and smallest words tell. For rules; a wrong guess only means that a
//! rule about languages does not hold.

/// How much of a text is looked at.
const LOOKED_AT: usize = 2_000;

/// Languages with a script of their own, or one that mostly is theirs.
fn of_script(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{3040}'..='\u{30ff}' => "ja",
        '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' => "ko",
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' => "zh",
        'і' | 'ї' | 'є' | 'ґ' => "uk",
        '\u{0400}'..='\u{04ff}' => "ru",
        '\u{0370}'..='\u{03ff}' => "el",
        '\u{0590}'..='\u{05ff}' => "he",
        'پ' | 'چ' | 'ژ' | 'گ' => "fa",
        '\u{0600}'..='\u{06ff}' => "ar",
        '\u{0900}'..='\u{097f}' => "hi",
        '\u{0e00}'..='\u{0e7f}' => "th",
        '\u{10a0}'..='\u{10ff}' => "ka",
        '\u{0530}'..='\u{058f}' => "hy",
        _ => return None,
    })
}

/// Words that are small, frequent, and rare in the other languages here.
const SMALL_WORDS: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "the", "and", "is", "of", "to", "what", "how", "my", "this", "with", "for", "it",
            "you", "are",
        ],
    ),
    (
        "de",
        &[
            "der", "die", "das", "und", "ist", "nicht", "ein", "eine", "wie", "ich", "mit", "für",
            "auf", "den", "mir",
        ],
    ),
    (
        "fr",
        &[
            "le", "la", "les", "et", "est", "une", "des", "je", "pour", "dans", "que", "pas",
            "avec", "mon", "du",
        ],
    ),
    (
        "es",
        &[
            "el", "los", "las", "una", "que", "para", "con", "por", "es", "mi", "del", "cómo",
            "qué", "está", "y",
        ],
    ),
    (
        "it",
        &[
            "il", "gli", "una", "che", "per", "con", "non", "di", "come", "mi", "della", "è",
            "sono", "questo", "e",
        ],
    ),
    (
        "pt",
        &[
            "o", "os", "uma", "que", "para", "com", "não", "do", "da", "meu", "como", "é", "em",
            "você", "e",
        ],
    ),
    (
        "nl",
        &[
            "de", "het", "een", "en", "van", "niet", "ik", "voor", "met", "hoe", "mijn", "zijn",
            "dat", "op",
        ],
    ),
    (
        "sv",
        &[
            "och", "det", "att", "en", "jag", "inte", "är", "som", "för", "med", "hur", "på",
            "ett", "min",
        ],
    ),
    (
        "da",
        &[
            "og", "det", "at", "en", "jeg", "ikke", "er", "som", "til", "med", "hvordan", "på",
            "af", "min",
        ],
    ),
    (
        "pl",
        &[
            "i", "w", "nie", "na", "się", "jest", "to", "z", "jak", "mi", "do", "że", "dla", "czy",
            "po",
        ],
    ),
    (
        "cs",
        &[
            "a", "je", "se", "na", "v", "že", "jak", "mi", "to", "pro", "není", "si", "jsem",
            "ale", "do",
        ],
    ),
    (
        "tr",
        &[
            "ve", "bir", "bu", "için", "ne", "nasıl", "ile", "mi", "da", "de", "benim", "var",
            "çok", "olarak",
        ],
    ),
    (
        "fi",
        &[
            "ja", "on", "ei", "se", "että", "mitä", "miten", "minun", "kun", "tämä", "ovat",
            "mutta", "voi",
        ],
    ),
    (
        "id",
        &[
            "yang",
            "dan",
            "di",
            "ini",
            "itu",
            "untuk",
            "dengan",
            "tidak",
            "apa",
            "saya",
            "bagaimana",
            "dari",
        ],
    ),
    (
        "vi",
        &[
            "là", "của", "và", "không", "cho", "một", "tôi", "này", "có", "như", "được", "các",
            "thế",
        ],
    ),
    (
        "ro",
        &[
            "și", "este", "nu", "în", "pe", "cu", "un", "o", "să", "la", "cum", "pentru", "mea",
            "din",
        ],
    ),
    (
        "hu",
        &[
            "és", "a", "az", "nem", "hogy", "egy", "van", "mi", "ez", "is", "hogyan", "meg", "de",
            "nekem",
        ],
    ),
];

/// The language of a text, such as `en`; `None` where too little of it tells.
pub fn language(text: &str) -> Option<&'static str> {
    let head: String = text.chars().take(LOOKED_AT).collect::<String>().to_lowercase();
    let letters = head.chars().filter(|c| c.is_alphabetic()).count();
    let mut scripts: Vec<(&'static str, usize)> = vec![];
    for code in head.chars().filter_map(of_script) {
        match scripts.iter_mut().find(|(known, _)| *known == code) {
            Some((_, n)) => *n += 1,
            None => scripts.push((code, 1)),
        }
    }
    let n = |code: &str| scripts.iter().find(|(known, _)| *known == code).map_or(0, |(_, n)| *n);
    let of_scripts: usize = scripts.iter().map(|(_, n)| n).sum();
    if of_scripts * 2 > letters {
        // Letters that only one of two neighbours has decide between them.
        let (best, _) = scripts.iter().max_by_key(|(_, n)| *n)?;
        return Some(match *best {
            "zh" if n("ja") > 0 => "ja",
            "ru" if n("uk") > 0 => "uk",
            "ar" if n("fa") > 0 => "fa",
            best => best,
        });
    }
    let words: Vec<&str> =
        head.split(|c: char| !c.is_alphabetic()).filter(|it| !it.is_empty()).collect();
    let count = |small: &[&str]| words.iter().filter(|word| small.contains(word)).count();
    let mut counted: Vec<(usize, &'static str)> =
        SMALL_WORDS.iter().map(|(code, small)| (count(small), *code)).collect();
    counted.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    match counted.as_slice() {
        [(best, code), (next, _), ..] if *best > 1 && best > next => Some(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::language;

    #[test]
    fn languages_are_told_by_letters_and_small_words() {
        for (text, code) in [
            ("how do I fix the build of this project?", "en"),
            ("wie repariere ich das Licht in der Küche, und was ist mit dem Kabel?", "de"),
            ("écris une lettre pour le propriétaire dans un ton poli", "fr"),
            ("¿cómo puedo ordenar la lista por fecha con el nombre del cliente?", "es"),
            ("come posso riparare il tetto della casa e non spendere troppo?", "it"),
            ("não consigo abrir o arquivo, você pode olhar?", "pt"),
            ("hoe maak ik een back-up van mijn telefoon?", "nl"),
            ("jak naprawić to w domu, nie jest łatwo się do tego zabrać", "pl"),
            ("как починить сборку", "ru"),
            ("як полагодити збірку її проєкту", "uk"),
            ("ビルドを直す方法は？", "ja"),
            ("怎么修复构建", "zh"),
            ("빌드를 어떻게 고치나요", "ko"),
            ("كيف أصلح هذا", "ar"),
            ("इसे कैसे ठीक करें", "hi"),
        ] {
            assert_eq!(language(text), Some(code), "{text}");
        }
        for text in ["", "42", "🙂🙂", "fn main() {}", "x = y * 2"] {
            assert_eq!(language(text), None, "{text}");
        }
        let long = "the ".repeat(3_000_000);
        assert_eq!(language(&long), Some("en"));
    }
}
