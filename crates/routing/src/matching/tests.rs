//! Every operator on every field, and what is said of conditions that make no sense.

use super::*;
use expect_test::expect;
use mosaic_protocol::route::{ClassifiedBy, Complexity, Domain, Need, Task};
use std::str::FromStr;

fn about() -> Classification {
    Classification {
        task: Task::Coding,
        complexity: Complexity::Moderate,
        domain: Domain::Backend,
        needs: vec![Need::Tools, Need::Reasoning],
        confidence: 0.9,
        by: ClassifiedBy::Words,
    }
}

fn facts(about: &Classification) -> Facts<'_> {
    Facts {
        about,
        tier: None,
        agent: Some("fixer"),
        channel: "web",
        language: None,
        size: 1200,
        hour: 9,
        weekday: 1,
        budget_left: 40,
        reachable: &[ProviderKind::OpenAi, ProviderKind::Local],
    }
}

fn condition(text: &str) -> Condition {
    serde_json::from_str(text).unwrap()
}

#[test]
fn each_operator_holds_where_it_should_and_nowhere_else() {
    let about = about();
    let facts = facts(&about);
    let table = [
        (r#"{"field":"task","op":"eq","value":"coding"}"#, true),
        (r#"{"field":"task","op":"eq","value":"research"}"#, false),
        (r#"{"field":"task","op":"ne","value":"research"}"#, true),
        (r#"{"field":"task","op":"in","value":["research","coding"]}"#, true),
        (r#"{"field":"task","op":"not_in","value":["research","coding"]}"#, false),
        (r#"{"field":"complexity","op":"gte","value":"moderate"}"#, true),
        (r#"{"field":"complexity","op":"gte","value":"complex"}"#, false),
        (r#"{"field":"complexity","op":"lte","value":"simple"}"#, false),
        (r#"{"field":"needs","op":"contains","value":"tools"}"#, true),
        (r#"{"field":"needs","op":"contains_all","value":["tools","vision"]}"#, false),
        (r#"{"field":"needs","op":"contains_any","value":["tools","vision"]}"#, true),
        (r#"{"field":"needs","op":"contains_none","value":["vision","long_context"]}"#, true),
        (r#"{"field":"tier","op":"eq","value":"cheap"}"#, false),
        (r#"{"field":"tier","op":"ne","value":"cheap"}"#, true),
        (r#"{"field":"language","op":"in","value":["de"]}"#, false),
        (r#"{"field":"language","op":"not_in","value":["de"]}"#, true),
        (r#"{"field":"agent","op":"eq","value":"fixer"}"#, true),
        (r#"{"field":"channel","op":"eq","value":"api"}"#, false),
        (r#"{"field":"size","op":"gte","value":1200}"#, true),
        (r#"{"field":"size","op":"lte","value":1199}"#, false),
        (r#"{"field":"hour","op":"gte","value":10}"#, false),
        (r#"{"field":"weekday","op":"eq","value":1}"#, true),
        (r#"{"field":"budget_left","op":"lte","value":50}"#, true),
        (r#"{"field":"reachable","op":"contains_none","value":["anthropic","zai"]}"#, true),
        (r#"{"field":"reachable","op":"contains_any","value":["anthropic","openai"]}"#, true),
    ];
    for (text, expected) in table {
        assert_eq!(fault(&condition(text)), None, "{text}");
        assert_eq!(holds(&condition(text), &facts), expected, "{text}");
    }
}

#[test]
fn a_condition_that_makes_no_sense_is_told_so() {
    let table = [
        r#"{"field":"task","op":"gte","value":"coding"}"#,
        r#"{"field":"task","op":"eq","value":"cooking"}"#,
        r#"{"field":"task","op":"eq","value":["coding"]}"#,
        r#"{"field":"task","op":"in","value":[]}"#,
        r#"{"field":"task","op":"eq","value":3}"#,
        r#"{"field":"needs","op":"eq","value":"tools"}"#,
        r#"{"field":"needs","op":"contains_all","value":["tools","wings"]}"#,
        r#"{"field":"size","op":"gte","value":"many"}"#,
        r#"{"field":"hour","op":"eq","value":24}"#,
        r#"{"field":"agent","op":"eq","value":""}"#,
    ];
    let said: Vec<String> = table.iter().map(|text| fault(&condition(text)).expect(text)).collect();
    expect![[r#"
        `task` is compared by one of eq, ne, in, not_in
        `cooking` is no word for `task`: it is one of coding, research, summarization, analysis, creative, conversation
        `task` is compared with one word by `eq`
        the list for `task` is empty
        `task` is compared with a word
        `needs` is compared by one of contains, contains_all, contains_any, contains_none
        `wings` is no word for `needs`: it is one of tools, vision, long_context, reasoning
        `size` is compared with a number
        `hour` is between 0 and 23
        a word for `agent` has 1 to 100 bytes"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn the_lists_of_words_are_those_of_their_types() {
    fn whole<T: FromStr>(words: &[&str], n: usize) -> bool {
        words.len() == n && words.iter().all(|word| word.parse::<T>().is_ok())
    }
    assert!(whole::<Task>(TASKS, Task::ALL.len()));
    assert!(whole::<Complexity>(COMPLEXITIES, Complexity::ALL.len()));
    assert!(whole::<Domain>(DOMAINS, Domain::ALL.len()));
    assert!(whole::<Need>(NEEDS, Need::ALL.len()));
    assert!(whole::<Tier>(TIERS, Tier::ALL.len()));
    assert!(whole::<ProviderKind>(KINDS, ProviderKind::ALL.len()));
}
