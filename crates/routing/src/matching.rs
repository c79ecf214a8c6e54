//! Whether a rule holds for a message, and whether a condition makes sense at all.

use mosaic_protocol::{
    provider::ProviderKind,
    route::{Classification, Tier},
    rule::{Condition, Field, Op, Value},
};

/// What rules can ask about.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What the message is about.
    pub about: &'a Classification,
    /// The class that was asked for.
    pub tier: Option<Tier>,
    /// Which agent answers.
    pub agent: Option<&'a str>,
    /// Where the message came from.
    pub channel: &'a str,
    /// Its language, such as `en`, if that can be told.
    pub language: Option<&'a str>,
    /// Estimated tokens of everything that goes in.
    pub size: u64,
    /// 0 to 23, UTC.
    pub hour: u32,
    /// 1 (Monday) to 7, UTC.
    pub weekday: u32,
    /// Percent of the tightest budget.
    pub budget_left: u32,
    /// Which kinds of provider can be asked now.
    pub reachable: &'a [ProviderKind],
}

/// What a condition looks at.
enum Looked<'a> {
    /// A word out of a closed list, which has an order.
    Ranked(usize, &'static [&'static str]),
    Word(&'a str),
    Number(i64),
    Set(Vec<&'a str>),
    /// Nobody said, or it cannot be told.
    Unknown,
}

const TASKS: &[&str] =
    &["coding", "research", "summarization", "analysis", "creative", "conversation"];
const COMPLEXITIES: &[&str] = &["simple", "moderate", "complex"];
const DOMAINS: &[&str] = &["frontend", "backend", "devops", "data", "docs", "general"];
const NEEDS: &[&str] = &["tools", "vision", "long_context", "reasoning"];
const TIERS: &[&str] = &["cheap", "standard", "premium"];
const KINDS: &[&str] = &[
    "anthropic",
    "openai",
    "openrouter",
    "zai",
    "deepseek",
    "ollama",
    "compatible",
    "local",
    "scripted",
];

/// The words that a field can have; `None`: any.
fn words_of(field: Field) -> Option<&'static [&'static str]> {
    match field {
        Field::Task => Some(TASKS),
        Field::Complexity => Some(COMPLEXITIES),
        Field::Domain => Some(DOMAINS),
        Field::Needs => Some(NEEDS),
        Field::Tier => Some(TIERS),
        Field::Reachable => Some(KINDS),
        Field::Agent | Field::Channel | Field::Language => None,
        Field::Size | Field::Hour | Field::Weekday | Field::BudgetLeft => None,
    }
}

fn looked<'a>(field: Field, facts: &'a Facts<'_>) -> Looked<'a> {
    let ranked = |word: &str, words: &'static [&'static str]| {
        words
            .iter()
            .position(|it| *it == word)
            .map_or(Looked::Unknown, |at| Looked::Ranked(at, words))
    };
    let number = |n: u64| Looked::Number(i64::try_from(n).unwrap_or(i64::MAX));
    match field {
        Field::Task => ranked(facts.about.task.as_str(), TASKS),
        Field::Complexity => ranked(facts.about.complexity.as_str(), COMPLEXITIES),
        Field::Domain => ranked(facts.about.domain.as_str(), DOMAINS),
        Field::Needs => Looked::Set(facts.about.needs.iter().map(|need| need.as_str()).collect()),
        Field::Tier => facts.tier.map_or(Looked::Unknown, |tier| ranked(tier.as_str(), TIERS)),
        Field::Reachable => Looked::Set(facts.reachable.iter().map(|kind| kind.as_str()).collect()),
        Field::Agent => facts.agent.map_or(Looked::Unknown, Looked::Word),
        Field::Channel => Looked::Word(facts.channel),
        Field::Language => facts.language.map_or(Looked::Unknown, Looked::Word),
        Field::Size => number(facts.size),
        Field::Hour => number(facts.hour.into()),
        Field::Weekday => number(facts.weekday.into()),
        Field::BudgetLeft => number(facts.budget_left.into()),
    }
}

/// Whether a condition holds. What is unknown is equal to nothing, and is in no list.
pub fn holds(condition: &Condition, facts: &Facts<'_>) -> bool {
    let one = match &condition.value {
        Value::Word(word) => std::slice::from_ref(word),
        Value::Words(words) => words.as_slice(),
        Value::Number(_) => &[],
    };
    let is_one_of = |word: &str| one.iter().any(|it| it == word);
    match (looked(condition.field, facts), condition.op, &condition.value) {
        (Looked::Number(n), op, Value::Number(value)) => match op {
            Op::Eq => n == *value,
            Op::Ne => n != *value,
            Op::Gte => n >= *value,
            Op::Lte => n <= *value,
            _ => false,
        },
        (Looked::Ranked(at, words), op, _) => {
            let rank = |word: &String| words.iter().position(|it| it == word);
            match op {
                Op::Eq | Op::In | Op::Contains => words.get(at).is_some_and(|word| is_one_of(word)),
                Op::Ne | Op::NotIn => !words.get(at).is_some_and(|word| is_one_of(word)),
                Op::Gte => one.first().and_then(rank).is_some_and(|wanted| at >= wanted),
                Op::Lte => one.first().and_then(rank).is_some_and(|wanted| at <= wanted),
                _ => false,
            }
        }
        (Looked::Word(word), op, _) => match op {
            Op::Eq | Op::In => is_one_of(word),
            Op::Ne | Op::NotIn => !is_one_of(word),
            _ => false,
        },
        (Looked::Set(set), op, _) => match op {
            Op::Contains | Op::ContainsAll => one.iter().all(|word| set.contains(&word.as_str())),
            Op::ContainsAny => one.iter().any(|word| set.contains(&word.as_str())),
            Op::ContainsNone => !one.iter().any(|word| set.contains(&word.as_str())),
            _ => false,
        },
        (Looked::Unknown, Op::Ne | Op::NotIn, _) => true,
        _ => false,
    }
}

/// What is wrong with a condition by itself, as a sentence.
pub fn fault(condition: &Condition) -> Option<String> {
    let Condition { field, op, value } = condition;
    let name = name(field);
    let allowed: &[Op] = match field {
        Field::Needs | Field::Reachable => {
            &[Op::Contains, Op::ContainsAll, Op::ContainsAny, Op::ContainsNone]
        }
        Field::Complexity | Field::Tier => &[Op::Eq, Op::Ne, Op::In, Op::NotIn, Op::Gte, Op::Lte],
        Field::Task | Field::Domain | Field::Agent | Field::Channel | Field::Language => {
            &[Op::Eq, Op::Ne, Op::In, Op::NotIn]
        }
        Field::Size | Field::Hour | Field::Weekday | Field::BudgetLeft => {
            &[Op::Eq, Op::Ne, Op::Gte, Op::Lte]
        }
    };
    if !allowed.contains(op) {
        let allowed: Vec<String> = allowed.iter().map(crate::matching::name).collect();
        return Some(format!("`{name}` is compared by one of {}", allowed.join(", ")));
    }
    let one_word = matches!(op, Op::Eq | Op::Ne | Op::Gte | Op::Lte | Op::Contains);
    match (field, value) {
        (Field::Size | Field::Hour | Field::Weekday | Field::BudgetLeft, Value::Number(n)) => {
            let range = match field {
                Field::Hour => 0..=23,
                Field::Weekday => 1..=7,
                Field::BudgetLeft => 0..=100,
                _ => 0..=i64::MAX,
            };
            (!range.contains(n))
                .then(|| format!("`{name}` is between {} and {}", range.start(), range.end()))
        }
        (Field::Size | Field::Hour | Field::Weekday | Field::BudgetLeft, _) => {
            Some(format!("`{name}` is compared with a number"))
        }
        (_, Value::Number(_)) => Some(format!("`{name}` is compared with a word")),
        (_, Value::Words(_)) if one_word => {
            Some(format!("`{name}` is compared with one word by `{}`", crate::matching::name(op)))
        }
        (_, Value::Words(words)) if words.is_empty() => {
            Some(format!("the list for `{name}` is empty"))
        }
        (_, Value::Words(words)) if words.len() > 50 => {
            Some(format!("the list for `{name}` has more than 50 words"))
        }
        (_, Value::Word(word)) => unknown_word(*field, word),
        (_, Value::Words(words)) => words.iter().find_map(|word| unknown_word(*field, word)),
    }
}

fn unknown_word(field: Field, word: &str) -> Option<String> {
    let words = match words_of(field) {
        Some(words) => words,
        None if word.is_empty() || word.len() > 100 => {
            return Some(format!("a word for `{}` has 1 to 100 bytes", name(&field)));
        }
        None => return None,
    };
    (!words.contains(&word)).then(|| {
        format!("`{word}` is no word for `{}`: it is one of {}", name(&field), words.join(", "))
    })
}

/// The name of a field or operator in JSON.
pub(crate) fn name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
