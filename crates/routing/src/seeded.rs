//! The rules of the system that a new installation begins with. An admin may change, turn off, reorder them.

use mosaic_protocol::{
    Label, RuleId,
    provider::ProviderKind,
    rule::{Action, Condition, Field, Op, Rule, RuleScope, Target, Value},
};

/// Name, conditions, what answers.
type Row = (&'static str, &'static [(Field, Op, &'static [&'static str])], &'static [Answer]);

#[derive(Clone, Copy)]
enum Answer {
    Family(&'static str),
    Kind(ProviderKind),
}

use Answer::{Family, Kind};

/// Servers of others. Where one of them can be asked, the small models at hand are not the answer.
const ELSEWHERE: &[&str] = &["anthropic", "openai", "openrouter", "zai", "deepseek", "compatible"];

const ROWS: &[Row] = &[
    (
        "Complex coding",
        &[(Field::Task, Op::Eq, &["coding"]), (Field::Complexity, Op::Eq, &["complex"])],
        &[Family("opus")],
    ),
    (
        "Moderate coding",
        &[(Field::Task, Op::Eq, &["coding"]), (Field::Complexity, Op::Eq, &["moderate"])],
        &[Family("sonnet")],
    ),
    (
        "Simple coding",
        &[(Field::Task, Op::Eq, &["coding"]), (Field::Complexity, Op::Eq, &["simple"])],
        &[Family("codex")],
    ),
    ("Research", &[(Field::Task, Op::Eq, &["research"])], &[Family("codex")]),
    ("Summarization", &[(Field::Task, Op::Eq, &["summarization"])], &[Family("glm-5")]),
    (
        "Analysis with reasoning",
        &[(Field::Task, Op::Eq, &["analysis"]), (Field::Needs, Op::Contains, &["reasoning"])],
        &[Family("opus")],
    ),
    (
        "Simple conversation",
        &[(Field::Task, Op::Eq, &["conversation"]), (Field::Complexity, Op::Eq, &["simple"])],
        &[Family("haiku")],
    ),
    ("Conversation", &[(Field::Task, Op::Eq, &["conversation"])], &[Family("sonnet")]),
    ("Creative", &[(Field::Task, Op::Eq, &["creative"])], &[Family("sonnet")]),
    ("Cheap and general", &[(Field::Complexity, Op::Lte, &["moderate"])], &[Family("haiku")]),
    (
        "Nothing else reachable",
        &[(Field::Reachable, Op::ContainsNone, ELSEWHERE)],
        &[Kind(ProviderKind::Ollama), Kind(ProviderKind::Local)],
    ),
    ("Fallback", &[], &[Family("codex")]),
];

/// The rules, each with an id out of `id`, which is given the rule's place.
pub fn seeded(id: impl Fn(usize) -> RuleId) -> Vec<Rule> {
    ROWS.iter().enumerate().filter_map(|(place, row)| rule(place, row, &id)).collect()
}

fn rule(place: usize, (name, when, then): &Row, id: &impl Fn(usize) -> RuleId) -> Option<Rule> {
    let value = |words: &[&str]| match words {
        [word] => Value::Word((*word).to_owned()),
        words => Value::Words(words.iter().map(|word| (*word).to_owned()).collect()),
    };
    let condition = |(field, op, words): &(Field, Op, &[&str])| Condition {
        field: *field,
        op: *op,
        value: value(words),
    };
    let target = |answer: &Answer| match answer {
        Family(family) => Target { family: Some((*family).to_owned()), ..Target::default() },
        Kind(kind) => Target { provider: Some(*kind), ..Target::default() },
    };
    Some(Rule {
        id: id(place),
        name: Label::try_from((*name).to_owned()).ok()?,
        scope: RuleScope::System,
        workspace_id: None,
        priority: i64::try_from(place).ok()?.saturating_add(1).saturating_mul(10),
        enabled: true,
        when: when.iter().map(condition).collect(),
        then: Action { models: then.iter().map(target).collect(), ..Action::default() },
    })
}
