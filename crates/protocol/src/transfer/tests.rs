//! Files that come back as they went, and files that must not come in.

use super::*;
use crate::{
    BlobHash, MessageText,
    entry::{Attachment, Fact, Origin},
    log::Body,
};
use expect_test::{expect, expect_file};
use proptest::prelude::*;

const NOW: Time = Time(1_800_000_000_000);

fn label(text: &str) -> Label {
    Label::try_from(text.to_owned()).unwrap()
}

fn user(n: u8) -> UserId {
    format!("01890a5d-ac96-774b-bcce-0000000000{n:02x}").parse().unwrap()
}

fn head(n_entries: usize) -> Head {
    Head {
        format: VERSION,
        title: label("Looms --> & # more"),
        exported_at: NOW,
        n_entries: i64::try_from(n_entries).unwrap(),
        people: [(user(1), label("Ada *Lovelace*")), (user(2), label("<!-- 深い -->"))].into(),
    }
}

fn message(text: &str) -> Fact {
    Fact::UserMessage {
        text: MessageText::try_from(text.to_owned()).unwrap(),
        attachments: vec![],
        reply_to: None,
        origin: Origin { surface: "web".into(), external_id: None, relayed: false },
    }
}

fn entries(facts: impl IntoIterator<Item = (Author, Fact)>) -> Vec<Entry> {
    let entry = |(n, (author, fact)): (usize, (Author, Fact))| {
        let n = i64::try_from(n).unwrap();
        Entry { seq: Seq(n + 1), at: Time(NOW.0 - 1000 + n), author, body: Body::Fact(fact) }
    };
    facts.into_iter().enumerate().map(entry).collect()
}

fn written(format: Format, head: &Head, entries: &[Entry]) -> String {
    let mut writer = Writer::new(format, head.clone());
    let begin = writer.begin();
    // In pieces, as a long one is.
    let pieces: String = entries.chunks(3).map(|chunk| writer.entries(chunk)).collect();
    begin + &pieces + &writer.end()
}

fn example() -> Vec<Entry> {
    let ada = || Author::User { id: user(1) };
    let deep = || Author::User { id: user(2) };
    let weaver = || Author::Agent {
        name: crate::AgentName::try_from("weaver".to_owned()).unwrap(),
        for_user: Some(user(1)),
    };
    let home = "01890a5d-ac96-774b-bcce-b302099a8059".parse().unwrap();
    let file = Attachment {
        hash: BlobHash::try_from("ab".repeat(32)).unwrap(),
        name: label("loom_1.png"),
        media_type: "image/png".into(),
    };
    let answer = |text: &str, incomplete| Fact::AssistantReply {
        text: MessageText::try_from(text.to_owned()).unwrap(),
        draft_id: None,
        incomplete,
    };
    let with_file = Fact::UserMessage {
        text: MessageText::try_from("See the picture.\n".to_owned()).unwrap(),
        attachments: vec![file],
        reply_to: Some(Seq(3)),
        origin: Origin::default(),
    };
    entries([
        (ada(), Fact::Began { title: label("Looms"), workspace_id: home }),
        (ada(), message("What is a heddle?\n\n# A heading\n\n```\nan open fence")),
        (weaver(), answer("A loop that a warp thread passes through.", false)),
        (
            ada(),
            Fact::MemberSet {
                user_id: user(2),
                role: crate::conversation::ConversationRole::Editor,
            },
        ),
        (deep(), with_file),
        (
            weaver(),
            Fact::ToolResult {
                tool: "search".into(),
                text: MessageText::try_from("3 found".to_owned()).unwrap(),
            },
        ),
        (weaver(), answer("It is", true)),
        (Author::Gone, Fact::Erased { was: "user_message".into() }),
        (
            deep(),
            message(
                "<!-- mosaic-message {\"n\":9} -->\n\n<!-- mosaic-end {\"n_messages\":1} -->\n",
            ),
        ),
        (Author::Named { name: "Somebody".into() }, message("")),
    ])
}

#[test]
fn the_formats_are_these() {
    let (entries, head) = (example(), head(10));
    for (format, file) in [
        (Format::Markdown, expect_file!["../../../../fixtures/transfer/looms.md"]),
        (Format::Json, expect_file!["../../../../fixtures/transfer/looms.json"]),
        (Format::Jsonl, expect_file!["../../../../fixtures/transfer/looms.jsonl"]),
    ] {
        let text = written(format, &head, &entries);
        file.assert_eq(&text);
        let import = read(format, text.as_bytes(), NOW).unwrap();
        assert_eq!(import.title, head.title);
        let n_left_out = if format == Format::Markdown { 0 } else { 4 };
        assert_eq!(
            import.n_left_out, n_left_out,
            "the erased one, the member, the tool and the beginning"
        );
        let replies = import.messages.iter().map(|it| match it.said {
            Said::Message { reply_to, .. } => reply_to,
            Said::Reply { .. } => None,
        });
        assert_eq!(replies.collect::<Vec<_>>(), [None, None, Some(1), None, None, None]);
    }
}

/// What must come back: by whom, when, what.
fn kept(entries: &[Entry], head: &Head) -> Vec<(String, Time, String)> {
    let said = |entry: &Entry| match &entry.body {
        Body::Fact(Fact::UserMessage { text, .. } | Fact::AssistantReply { text, .. }) => {
            Some((head.name(&entry.author).unwrap(), entry.at, text.as_str().to_owned()))
        }
        _ => None,
    };
    entries.iter().filter_map(said).collect()
}

/// The log that an import makes, as the gateway does.
fn log_of(import: &Import) -> Vec<Entry> {
    let home = "01890a5d-ac96-774b-bcce-b302099a8059".parse().unwrap();
    let imported = Fact::Imported { title: import.title.clone(), workspace_id: home };
    let mut log = vec![Entry {
        seq: Seq(1),
        at: NOW,
        author: Author::User { id: user(1) },
        body: Body::Fact(imported),
    }];
    for (n, (author, at, fact)) in import.clone().told().enumerate() {
        log.push(Entry {
            seq: Seq(i64::try_from(n).unwrap() + 2),
            at,
            author,
            body: Body::Fact(fact),
        });
    }
    log
}

fn authors() -> impl Strategy<Value = Author> {
    prop_oneof![
        Just(Author::User { id: user(1) }),
        Just(Author::User { id: user(2) }),
        Just(Author::System),
        Just(Author::Gone),
        Just(Author::Agent {
            name: crate::AgentName::try_from("weaver".to_owned()).unwrap(),
            for_user: None
        }),
        "[!-~]{1,9}( [!-~深]{1,9})?".prop_map(|name| Author::Named { name }),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    let nasty = prop_oneof![
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("<!-- mosaic-message {\"n\":1} -->\n".to_owned()),
        Just("<!-- mosaic-end {\"n_messages\":0} -->".to_owned()),
        Just("### Ada\n".to_owned()),
        Just("```".to_owned()),
        Just("-->".to_owned()),
        Just("\u{feff}深い🧵\u{2028}".to_owned()),
        Just("\u{1}\"\\".to_owned()),
        any::<String>().prop_map(|text| text.replace('\0', "")),
    ];
    prop::collection::vec(nasty, 0..6).prop_map(|parts| parts.concat())
}

fn facts() -> impl Strategy<Value = Fact> {
    let file =
        ("[a-f0-9]{64}", "[a-z<>-]{1,9}", "[a-z\n-]{0,9}").prop_map(|(hash, name, media_type)| {
            Attachment { hash: BlobHash::try_from(hash).unwrap(), name: label(&name), media_type }
        });
    prop_oneof![
        4 => (texts(), prop::collection::vec(file, 0..3), prop::option::of(1..6i64)).prop_map(
            |(text, attachments, reply_to)| Fact::UserMessage {
                text: MessageText::try_from(text).unwrap(),
                attachments,
                reply_to: reply_to.map(Seq),
                origin: Origin::default(),
            }
        ),
        2 => (texts(), any::<bool>()).prop_map(|(text, incomplete)| Fact::AssistantReply {
            text: MessageText::try_from(text).unwrap(),
            draft_id: None,
            incomplete,
        }),
        1 => Just(Fact::Archived {}),
        1 => Just(Fact::Erased { was: "user_message".into() }),
    ]
}

proptest! {
    #[test]
    fn what_was_said_comes_back_as_it_was(told in prop::collection::vec((authors(), facts()), 0..12)) {
        let mut entries = entries(told);
        for entry in &mut entries {
            // An answer is always to something before it.
            if let Body::Fact(Fact::UserMessage { reply_to, .. }) = &mut entry.body {
                *reply_to = reply_to.filter(|to| *to < entry.seq);
            }
        }
        let head = head(entries.len());
        let mut imports = vec![];
        for format in Format::ALL {
            let text = written(format, &head, &entries);
            let import = read(format, text.as_bytes(), NOW).unwrap();
            let back: Vec<_> = import.messages.iter()
                .map(|it| (it.name.to_string(), it.at, it.text.as_str().to_owned()))
                .collect();
            prop_assert_eq!(&back, &kept(&entries, &head));
            // The export of an import is imported as the same.
            let log = log_of(&import);
            let again = Head { n_entries: i64::try_from(log.len()).unwrap(), ..head.clone() };
            for format in Format::ALL {
                let text = written(format, &again, &log);
                let again = read(format, text.as_bytes(), NOW).unwrap();
                prop_assert_eq!(&again.messages, &import.messages);
            }
            imports.push(import.messages);
        }
        prop_assert_eq!(&imports[0], &imports[1]);
        prop_assert_eq!(&imports[1], &imports[2]);
    }

    #[test]
    fn a_file_that_was_cut_off_is_refused(cut in 0..4000usize) {
        let (entries, head) = (example(), head(10));
        for format in Format::ALL {
            let text = written(format, &head, &entries);
            let bytes = text.trim_end().as_bytes();
            let bytes = &bytes[..cut.min(bytes.len() - 1)];
            prop_assert!(read(format, bytes, NOW).is_err(), "{format:?} {cut}");
        }
    }
}

/// The example as lines, with one of them put differently, and why it is refused.
fn refused(line: usize, from: &str, to: &str) -> String {
    let text = written(Format::Jsonl, &head(10), &example());
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    assert!(lines[line].contains(from), "{}", lines[line]);
    lines[line] = lines[line].replacen(from, to, 1);
    read(Format::Jsonl, lines.join("\n").as_bytes(), NOW).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_right_is_refused_with_its_line() {
    let long = format!("\"text\":\"{}\"", "x".repeat(300_000));
    let deep = format!("\"text\":{}1{}", "[".repeat(200), "]".repeat(200));
    let said = [
        refused(0, "mosaic_conversation", "conversation"),
        refused(0, "\"format\":1", "\"format\":2"),
        refused(0, "Looms -->", " "),
        refused(0, "\"n_entries\":10", "\"n_entries\":11"),
        refused(0, "0001\":\"Ada *Lovelace*\"", "0009\":\"Ada\""),
        refused(2, "\"seq\":2", "\"seq\":3"),
        refused(2, "\"seq\":2", "\"seq\":1"),
        refused(2, "\"at\":1799999999001", "\"at\":-1"),
        refused(2, "\"at\":1799999999001", "\"at\":1800086400001"),
        refused(2, "\"at\":1799999999001", "\"at\":1e99"),
        refused(2, "{\"seq\"", "{\"seq"),
        refused(2, "\"text\":\"What is a heddle?", "\"no_text\":\"What"),
        refused(2, "\"text\":", &format!("{long},\"x\":")),
        refused(2, "\"text\":", &format!("{deep},\"x\":")),
        refused(2, "What is", "What\\u0000is"),
        refused(5, "\"reply_to\":3", "\"reply_to\":5"),
        refused(5, "image/png", &"x".repeat(201)),
        refused(5, "abababab", "ABABABAB"),
        refused(8, "\"was\":\"user_message\"", ""),
        refused(10, "Somebody", "Some\\nbody"),
    ];
    expect![[r#"
        line 1 of the file: it does not say `mosaic_conversation`, with which such a file begins: unknown field `conversation`, expected `mosaic_conversation`, in column 15
        line 1 of the file: the file is of format 2, and this program reads 1
        line 1 of the file: it does not say `mosaic_conversation`, with which such a file begins: a name has 1 to 100 characters, no control characters, and no space at either end, in column 55
        line 11 of the file: the file says that it has 11 entries, and ends after 10: it was cut off or edited
        line 3 of the file: its author has no name: `people` in the first line does not have this id
        line 3 of the file: this entry has the number 3 where 2 comes next: they go 1, 2, 3 without gaps
        line 3 of the file: this entry has the number 1 where 2 comes next: they go 1, 2, 3 without gaps
        line 3 of the file: the time -1 is before 1970 or more than a day ahead
        line 3 of the file: the time 1800086400001 is before 1970 or more than a day ahead
        line 3 of the file: this is no entry: invalid type: floating point `1e+99`, expected i64, in column 18
        line 3 of the file: this is no entry: expected `:`, in column 10
        line 3 of the file: this does not hold what an entry of the kind `user_message` holds, or more than it may
        line 3 of the file: this does not hold what an entry of the kind `user_message` holds, or more than it may
        line 3 of the file: this is no entry: recursion limit exceeded, in column 258
        line 3 of the file: this does not hold what an entry of the kind `user_message` holds, or more than it may
        line 6 of the file: `reply_to` names no entry before this one
        line 6 of the file: a `media_type` has at most 200 bytes and no NUL
        line 6 of the file: this does not hold what an entry of the kind `user_message` holds, or more than it may
        line 9 of the file: this does not hold what an entry of the kind `erased` holds, or more than it may
        line 11 of the file: its author: a name has 1 to 100 characters, no control characters, and no space at either end"#]].assert_eq(&said.join("\n"));
}

#[test]
fn nobody_is_anybody_here_and_nothing_but_words_comes_in() {
    let home = "01890a5d-ac96-774b-bcce-b302099a8059".parse().unwrap();
    let mallory = || Author::User { id: user(1) };
    let entries = entries([
        (mallory(), Fact::Began { title: label("x"), workspace_id: home }),
        (
            mallory(),
            Fact::MemberSet {
                user_id: user(2),
                role: crate::conversation::ConversationRole::Owner,
            },
        ),
        (mallory(), Fact::Moved { workspace_id: home, project_id: None }),
        (mallory(), Fact::LinkOpened {}),
        (Author::System, message("as the system")),
        (
            Author::Agent {
                name: crate::AgentName::try_from("weaver".to_owned()).unwrap(),
                for_user: Some(user(2)),
            },
            message("as an agent"),
        ),
        (mallory(), message("as Ada")),
    ]);
    let text = written(Format::Jsonl, &head(7), &entries);
    let import = read(Format::Jsonl, text.as_bytes(), NOW).unwrap();
    assert_eq!(import.n_left_out, 4);
    for (author, _, fact) in import.told() {
        assert!(matches!(author, Author::Named { .. }), "{author:?}");
        assert!(matches!(fact, Fact::UserMessage { .. }), "{fact:?}");
    }
}

#[test]
fn markdown_is_taken_by_its_lengths_and_never_guessed() {
    let text = written(Format::Markdown, &head(10), &example());
    let why = |text: &str| read(Format::Markdown, text.as_bytes(), NOW).unwrap_err().to_string();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from));
        why(&text.replacen(from, to, 1))
    };
    let said = [
        why(""),
        why("# Looms\n"),
        why(&text.replace('\n', "\r\n")),
        with("What is a heddle?", "What is a reed?"),
        with("What is a heddle?", "What, then, is a heddle?"),
        with("passes through.\n\n", "passes through.\n\nAnd that is all.\n\n"),
        with("\"n\":2,", "\"n\":3,"),
        with("\"kind\":\"user_message\"", "\"kind\":\"member_set\""),
        with("\"name\":\"weaver\"", "\"name\":\"\""),
        with("\"reply_to\":2", "\"reply_to\":3"),
        with("\"n_messages\":6", "\"n_messages\":7"),
        with("\"format\":1", "\"format\":7"),
        why(&format!("{text}more")),
    ];
    expect![[r#"
        line 1 of the file: it does not begin with `<!-- mosaic-conversation `, as such a file does
        line 1 of the file: it does not begin with `<!-- mosaic-conversation `, as such a file does
        line 1 of the file: this does not end with ` -->`
        line 7 of the file: the text that follows is not 49 bytes long with an empty line after it: was the file edited or cut off, or were its line ends changed?
        line 7 of the file: the text that follows is not 49 bytes long with an empty line after it: was the file edited or cut off, or were its line ends changed?
        line 20 of the file: this belongs to no message: was the file edited?
        line 17 of the file: this message has the number 3 where 2 comes next: they go 1, 2, 3 without gaps
        line 7 of the file: this is not understood: unknown variant `member_set`, expected `user_message` or `assistant_reply`, in column 69
        line 17 of the file: its author: a name has 1 to 100 characters, no control characters, and no space at either end
        line 22 of the file: `reply_to` names no message before this one
        line 46 of the file: the file says that it has 7 messages, and 6 were found
        line 1 of the file: the file is of format 7, and this program reads 1
        line 47 of the file: there is more after the file's end"#]].assert_eq(&said.join("\n"));
    let mut broken = text.clone().into_bytes();
    let place = text.find("heddle").unwrap();
    broken[place] = 0xff;
    let error = read(Format::Markdown, &broken, NOW).unwrap_err();
    assert_eq!((error.line, error.problem.as_str()), (8, "this is not UTF-8"));
}

#[test]
fn json_says_its_lines_too() {
    let text = written(Format::Json, &head(10), &example());
    let why = |text: &str| read(Format::Json, text.as_bytes(), NOW).unwrap_err().to_string();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from));
        why(&text.replacen(from, to, 1))
    };
    let said = [
        why(""),
        why("[]"),
        why("{\"entries\":[]}"),
        with("\"seq\":4", "\"seq\":5"),
        with("\"seq\":4", "\"seq\":\"4\""),
        with("\"n_entries\":10", "\"n_entries\":9"),
        with("\n]}", "\n],\"more\":1}"),
        why(&text[..text.len() - 4]),
        why(&format!("{text}{text}")),
    ];
    expect![[r#"
        line 1 of the file: the file is empty
        line 1 of the file: it does not say `mosaic_conversation`, with which such a file begins: invalid type: sequence, expected an object with `mosaic_conversation` and `entries`
        line 1 of the file: it does not say `mosaic_conversation`, with which such a file begins: `mosaic_conversation` must come first, in column 10
        line 6 of the file: this entry has the number 5 where 4 comes next: they go 1, 2, 3 without gaps
        line 5 of the file: this is no entry: invalid type: string "4", expected i64, in column 10
        line 12 of the file: the file says that it has 9 entries, and ends after 10: it was cut off or edited
        line 12 of the file: this is no entry: unknown field `more`, in column 8
        line 11 of the file: the file was cut off: EOF while parsing a list, in column 139
        line 13 of the file: this is no entry: trailing characters, in column 1"#]].assert_eq(&said.join("\n"));
}

#[test]
fn an_import_has_a_bound() {
    let line =
        r#"{"seq":N,"at":1,"author":{"is":"system"},"kind":"user_message","body":{"text":""}}"#;
    let beside = r#"{"seq":N,"at":1,"author":{"is":"system"},"kind":"imported","body":{"title":"x","workspace_id":"01890a5d-ac96-774b-bcce-b302099a8059"}}"#;
    let whole = |last: Option<&str>| {
        let lines = (2..MAX_MESSAGES + 2).map(|n| line.replace('N', &n.to_string()) + "\n");
        let head = head(MAX_MESSAGES + 1 + last.iter().count());
        let last = last.unwrap_or_default().replace('N', &(MAX_MESSAGES + 2).to_string());
        let begin = Writer::new(Format::Jsonl, head).begin() + &beside.replace('N', "1") + "\n";
        read(Format::Jsonl, (begin + &lines.collect::<String>() + &last).as_bytes(), NOW)
    };
    // The export of the largest import can be imported again.
    assert_eq!(whole(None).unwrap().messages.len(), MAX_MESSAGES);
    assert_eq!(whole(Some(beside)).unwrap().n_left_out, 2);
    let error = whole(Some(line)).unwrap_err();
    assert_eq!(error.line, MAX_MESSAGES + 3);
    expect!["an import has at most 100000 messages, and here is one more"]
        .assert_eq(&error.problem);
}

#[test]
fn file_names_are_safe_everywhere() {
    let name = |title: &str| file_name(title, Format::Jsonl);
    let both = |ascii: &str, full: &str| (ascii.to_owned(), full.to_owned());
    assert_eq!(name("Looms, again"), both("Looms-again.jsonl", "Looms- again.jsonl"));
    assert_eq!(name("../../etc/passwd"), both("etc-passwd.jsonl", "etc-passwd.jsonl"));
    assert_eq!(name("線と布"), both("conversation.jsonl", "線と布.jsonl"));
    assert_eq!(name("\"a\r\nb: c"), both("a-b-c.jsonl", "a-b- c.jsonl"));
    assert_eq!(name("..."), both("conversation.jsonl", "conversation.jsonl"));
    assert_eq!(name(&"x".repeat(99)).0.len(), 66);
}
