//! What looks wrong with rules when one is saved: it can never hold, another one always comes first, a circle.

use crate::matching::fault;
use mosaic_protocol::{
    RuleId,
    rule::{Condition, Field, Op, Rule, Target, Value},
};

/// The rules that hand on to each other in a circle, if `rule` is one of them: their names.
pub fn cycle(rule: &Rule, rules: &[Rule]) -> Option<Vec<String>> {
    let find = |id: RuleId| {
        if id == rule.id { Some(rule) } else { rules.iter().find(|other| other.id == id) }
    };
    let mut names = vec![rule.name.to_string()];
    let mut next = rule.then.otherwise;
    while let Some(other) = next.and_then(find) {
        names.push(other.name.to_string());
        if other.id == rule.id {
            return Some(names);
        }
        if names.len() > rules.len() + 1 {
            // A circle further on, which this rule is not in.
            return None;
        }
        next = other.then.otherwise;
    }
    None
}

/// What looks wrong with a rule among the others, in the order in which they are asked.
/// `knows` says whether a family or model exists at all.
pub fn warnings(rule: &Rule, rules: &[Rule], knows: &dyn Fn(&Target) -> bool) -> Vec<String> {
    let mut said: Vec<String> = rule.when.iter().filter_map(fault).collect();
    for condition in &rule.when {
        match condition.field {
            Field::Agent => said.push("there are no agents yet, so none is ever met".to_owned()),
            Field::Tier => {
                said.push("rules are asked only where no class was asked for".to_owned());
            }
            _ => {}
        }
    }
    if let Some((one, other)) = contradiction(&rule.when) {
        said.push(format!(
            "it can never hold: `{}` cannot be both {} and {}",
            crate::matching::name(&one.field),
            shown(&one.value),
            shown(&other.value)
        ));
    }
    if let Some(id) = rule.then.otherwise
        && !rules.iter().any(|other| other.id == id)
    {
        said.push("the rule that it hands on to does not exist".to_owned());
    }
    for target in rule.then.models.iter().filter(|target| !knows(target)) {
        let what = target.model.as_ref().map(ToString::to_string);
        let what = what.or_else(|| target.family.clone()).unwrap_or_default();
        said.push(format!("nobody here knows `{what}`: it will be skipped"));
    }
    let before = rules.iter().take_while(|other| other.id != rule.id).filter(|it| it.enabled);
    for other in before.filter(|other| !other.then.models.is_empty() && covers(other, rule)) {
        let same = other.then.models == rule.then.models;
        let effect = if same { "says the same" } else { "says otherwise" };
        said.push(format!(
            "“{}” is asked before it, always holds when this one does, and {effect}",
            other.name
        ));
    }
    said
}

/// Whether one rule holds whenever the other does, as far as can be seen from their texts.
fn covers(wide: &Rule, narrow: &Rule) -> bool {
    wide.when.iter().all(|condition| {
        narrow.when.iter().any(|other| other == condition || implies(other, condition))
    })
}

/// The words that a condition lets through, of a field that has one word.
fn lets_through(condition: &Condition) -> Option<Vec<String>> {
    let ranked: &[&str] = match condition.field {
        Field::Complexity => &["simple", "moderate", "complex"],
        Field::Tier => &["cheap", "standard", "premium"],
        Field::Task | Field::Domain | Field::Agent | Field::Channel | Field::Language => &[],
        _ => return None,
    };
    let words = match &condition.value {
        Value::Word(word) => vec![word.clone()],
        Value::Words(words) => words.clone(),
        Value::Number(_) => return None,
    };
    let at = words.first().and_then(|word| ranked.iter().position(|it| it == word));
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match condition.op {
        Op::Eq | Op::In => Some(words),
        Op::Gte => ranked.get(at?..).map(own),
        Op::Lte => ranked.get(..=at?).map(own),
        _ => None,
    }
}

fn implies(narrow: &Condition, wide: &Condition) -> bool {
    if narrow.field != wide.field {
        return false;
    }
    if let (Some(few), Some(many)) = (lets_through(narrow), lets_through(wide)) {
        return few.iter().all(|word| many.contains(word));
    }
    match (&narrow.value, &wide.value, narrow.op, wide.op) {
        (Value::Number(a), Value::Number(b), Op::Gte, Op::Gte) => a >= b,
        (Value::Number(a), Value::Number(b), Op::Lte, Op::Lte) => a <= b,
        _ => false,
    }
}

/// Two conditions that cannot both hold.
fn contradiction(when: &[Condition]) -> Option<(&Condition, &Condition)> {
    let pairs = when.iter().enumerate().flat_map(|(at, one)| {
        when.iter().skip(at + 1).filter(|other| other.field == one.field).map(move |it| (one, it))
    });
    pairs.into_iter().find(|(one, other)| apart(one, other))
}

fn apart(one: &Condition, other: &Condition) -> bool {
    if let (Some(a), Some(b)) = (lets_through(one), lets_through(other)) {
        return !a.iter().any(|word| b.contains(word));
    }
    let words = |value: &Value| match value {
        Value::Word(word) => vec![word.clone()],
        Value::Words(words) => words.clone(),
        Value::Number(_) => vec![],
    };
    let shared = || words(&one.value).iter().any(|word| words(&other.value).contains(word));
    match (one.op, other.op, &one.value, &other.value) {
        (Op::Gte | Op::Eq, Op::Lte, Value::Number(low), Value::Number(high))
        | (Op::Lte, Op::Gte | Op::Eq, Value::Number(high), Value::Number(low)) => low > high,
        (Op::Eq, Op::Gte, Value::Number(at), Value::Number(low))
        | (Op::Gte, Op::Eq, Value::Number(low), Value::Number(at)) => at < low,
        (Op::Eq, Op::Eq, Value::Number(a), Value::Number(b)) => a != b,
        (Op::Eq, Op::Ne | Op::NotIn, ..) | (Op::Ne | Op::NotIn, Op::Eq, ..) => shared(),
        (Op::Contains | Op::ContainsAll, Op::ContainsNone, ..)
        | (Op::ContainsNone, Op::Contains | Op::ContainsAll, ..) => shared(),
        _ => false,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(n) => n.to_string(),
        Value::Word(word) => word.clone(),
        Value::Words(words) => words.join(" or "),
    }
}

#[cfg(test)]
mod tests;
