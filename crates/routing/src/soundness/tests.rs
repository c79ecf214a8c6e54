//! What is said of rules that look wrong, and what is not said of those that are not.

use super::*;
use crate::seeded;
use expect_test::expect;
use mosaic_protocol::{
    Label,
    rule::{Action, RuleScope},
};

fn id(n: u8) -> RuleId {
    format!("01890a5d-ac96-774b-bcce-b302099a80{n:02x}").parse().unwrap()
}

fn rule(n: u8, when: &str, family: &str, otherwise: Option<u8>) -> Rule {
    Rule {
        id: id(n),
        name: Label::try_from(format!("rule {n}")).unwrap(),
        scope: RuleScope::System,
        workspace_id: None,
        priority: i64::from(n),
        enabled: true,
        when: serde_json::from_str(when).unwrap(),
        then: Action {
            models: vec![Target { family: Some(family.into()), ..Target::default() }],
            otherwise: otherwise.map(id),
            ..Action::default()
        },
    }
}

const CODING: &str = r#"[{"field":"task","op":"eq","value":"coding"}]"#;

#[test]
fn a_rule_that_can_never_decide_is_told_so() {
    let knows = |target: &Target| target.family.as_deref() != Some("opsu");
    let first = rule(1, CODING, "opus", None);
    let mut lines = vec![];
    for when in [
        r#"[{"field":"task","op":"eq","value":"coding"},{"field":"complexity","op":"eq","value":"simple"}]"#,
        r#"[{"field":"task","op":"eq","value":"coding"},{"field":"task","op":"eq","value":"research"}]"#,
        r#"[{"field":"complexity","op":"gte","value":"complex"},{"field":"complexity","op":"lte","value":"moderate"}]"#,
        r#"[{"field":"size","op":"gte","value":9},{"field":"size","op":"lte","value":8}]"#,
        r#"[{"field":"needs","op":"contains","value":"tools"},{"field":"needs","op":"contains_none","value":["tools"]}]"#,
        r#"[{"field":"task","op":"in","value":["coding","research"]}]"#,
    ] {
        let it = rule(2, when, "sonnet", None);
        lines.push(warnings(&it, &[first.clone(), it.clone()], &knows).join("; "));
    }
    let typo = rule(3, "[]", "opsu", Some(9));
    lines.push(warnings(&typo, std::slice::from_ref(&typo), &knows).join("; "));
    expect![[r#"
        “rule 1” is asked before it, always holds when this one does, and says otherwise
        it can never hold: `task` cannot be both coding and research; “rule 1” is asked before it, always holds when this one does, and says otherwise
        it can never hold: `complexity` cannot be both complex and moderate
        it can never hold: `size` cannot be both 9 and 8
        it can never hold: `needs` cannot be both tools and tools

        the rule that it hands on to does not exist; nobody here knows `opsu`: it will be skipped"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_circle_is_found_and_a_chain_is_none() {
    let a = rule(1, "[]", "opus", Some(2));
    let b = rule(2, "[]", "opus", Some(3));
    let rules = [a.clone(), b, rule(3, "[]", "opus", Some(1))];
    assert_eq!(cycle(&a, &rules).unwrap(), ["rule 1", "rule 2", "rule 3", "rule 1"]);
    let rules = [a.clone(), rule(2, "[]", "opus", None)];
    assert_eq!(cycle(&a, &rules), None);
    let own = rule(4, "[]", "opus", Some(4));
    assert!(cycle(&own, &[]).is_some());
    // A circle that others make is theirs.
    let rules = [a.clone(), rule(2, "[]", "opus", Some(3)), rule(3, "[]", "opus", Some(2))];
    assert_eq!(cycle(&a, &rules), None);
}

#[test]
fn the_seeded_rules_are_sound() {
    let rules = seeded(|place| id(u8::try_from(place).unwrap()));
    assert_eq!(rules.len(), 12);
    for rule in &rules {
        assert_eq!(warnings(rule, &rules, &|_| true), Vec::<String>::new(), "{}", rule.name);
    }
}
