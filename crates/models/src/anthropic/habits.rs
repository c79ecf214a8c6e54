//! What differs between Anthropic's models: how thinking is asked for, and what is refused. One table, read from the
//! model's id. What is no Claude (others speak this format too) gets the oldest habits, which take the most.

use crate::{Effort, Thinking};

/// How much is written unless the call says so. Every model that thinks can write so much.
const USUAL_OUTPUT: u32 = 32_000;

/// The same for the models before, and for unknown ones.
const EARLY_OUTPUT: u32 = 4_096;

/// The smallest budget that is taken.
const LEAST_BUDGET: u32 = 1_024;

/// A model's family and version, as far as its id says: `claude-opus-4-5-20251101` is `("opus", (4, 5))`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) family: String,
    pub(crate) number: (u32, u32),
}

/// Reads a model's id. `None`: no Claude.
pub(crate) fn version(model: &str) -> Option<Version> {
    // Resellers put their own names before it.
    let rest = model.get(model.find("claude-")?.saturating_add("claude-".len())..)?;
    let mut family = String::new();
    let mut numbers = vec![];
    for word in rest.split(['-', '.', '@', ':']) {
        match word.parse::<u32>() {
            // A date, or a size.
            Ok(number) if number < 100 => numbers.push(number),
            Ok(_) => break,
            Err(_) if family.is_empty() => word.clone_into(&mut family),
            Err(_) => break,
        }
    }
    let number = |at: usize| numbers.get(at).copied().unwrap_or(0);
    Some(Version { family, number: (number(0), number(1)) })
}

/// How a model is told not to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Off {
    /// It does not unless asked.
    Unasked,
    /// It has a word for that.
    Disabled,
    /// It may still think between calls of tools.
    BetweenTools,
    /// It always thinks; a little is the least.
    Never,
}

/// What a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habits {
    /// It thinks up to a number of tokens.
    pub(crate) budget: bool,
    /// It thinks as it sees fit, steered by a level.
    pub(crate) adaptive: bool,
    pub(crate) off: Off,
    /// Temperature and its like, while it does not think.
    pub(crate) sampling: bool,
    /// It goes on with an answer that was begun for it.
    pub(crate) prefill: bool,
    /// It can be held to a schema.
    pub(crate) schema: bool,
    pub(crate) output: u32,
}

/// The habits of a model.
pub(crate) fn habits(model: &str) -> Habits {
    let Some(Version { family, number }) = version(model) else {
        return Habits { schema: false, ..early() };
    };
    // Families that came with the fifth generation; a preview has no number.
    let always =
        matches!(family.as_str(), "fable" | "mythos") || (family == "opus" && number >= (5, 5));
    if always {
        return Habits { off: Off::Never, ..newest() };
    }
    match number {
        (0, 0) => early(),
        number if number < (3, 7) => Habits { budget: false, schema: false, ..early() },
        number if number < (4, 5) => Habits { output: USUAL_OUTPUT, schema: false, ..early() },
        number if number < (4, 6) => Habits { output: USUAL_OUTPUT, ..early() },
        (4, 6) => Habits { adaptive: true, prefill: false, output: USUAL_OUTPUT, ..early() },
        number if number < (5, 0) => Habits { off: Off::Unasked, ..newest() },
        number if family == "sonnet" && number >= (5, 5) => {
            Habits { off: Off::BetweenTools, ..newest() }
        }
        _ => newest(),
    }
}

const fn early() -> Habits {
    Habits {
        budget: true,
        adaptive: false,
        off: Off::Unasked,
        sampling: true,
        prefill: true,
        schema: true,
        output: EARLY_OUTPUT,
    }
}

const fn newest() -> Habits {
    Habits {
        budget: false,
        adaptive: true,
        off: Off::Disabled,
        sampling: false,
        prefill: false,
        schema: true,
        output: USUAL_OUTPUT,
    }
}

/// What a call says about thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nothing.
    Nothing,
    /// Up to so many tokens.
    Budget(u32),
    /// As it sees fit, at this level or its usual one.
    Adaptive(Option<&'static str>),
    /// Not.
    Disabled,
    /// Between calls of tools only.
    BetweenTools,
}

impl Asked {
    /// Whether the model surely does not think.
    pub(crate) fn is_off(self, habits: Habits) -> bool {
        match self {
            Asked::Nothing => habits.off == Off::Unasked,
            Asked::Disabled | Asked::BetweenTools => true,
            Asked::Budget(_) | Asked::Adaptive(_) => false,
        }
    }
}

/// How a model is asked to think as much as is wanted, when all that it writes may be `most` tokens.
pub(crate) fn thinking(habits: Habits, wanted: Thinking, most: u32) -> Asked {
    let off = match habits.off {
        Off::Unasked => Asked::Nothing,
        Off::Disabled => Asked::Disabled,
        Off::BetweenTools => Asked::BetweenTools,
        Off::Never => Asked::Adaptive(Some("low")),
    };
    match wanted {
        // What thinks unasked is asked all the same, or it does not show what it thinks.
        Thinking::Usual if habits.off != Off::Unasked => Asked::Adaptive(None),
        Thinking::Usual => Asked::Nothing,
        Thinking::Off => off,
        Thinking::Budget(tokens) if habits.budget => fitting(tokens, most),
        Thinking::Effort(effort) if habits.adaptive => Asked::Adaptive(Some(level(effort))),
        Thinking::Effort(effort) if habits.budget => fitting(tokens(effort), most),
        Thinking::Budget(tokens) if habits.adaptive => Asked::Adaptive(Some(match tokens {
            0..=4_096 => "low",
            4_097..=12_000 => "medium",
            12_001..=40_000 => "high",
            _ => "max",
        })),
        // It cannot think.
        Thinking::Budget(_) | Thinking::Effort(_) => Asked::Nothing,
    }
}

/// A budget that leaves a quarter of the output for the answer. The bound on all output was meant: it costs money.
fn fitting(tokens: u32, most: u32) -> Asked {
    let budget = tokens.max(LEAST_BUDGET).min(most - most / 4);
    if budget < LEAST_BUDGET { Asked::Nothing } else { Asked::Budget(budget) }
}

fn level(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Max => "max",
    }
}

fn tokens(effort: Effort) -> u32 {
    match effort {
        Effort::Minimal => LEAST_BUDGET,
        Effort::Low => 4_096,
        Effort::Medium => 12_000,
        Effort::High => 24_000,
        Effort::Max => 60_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use std::fmt::Write;

    #[test]
    fn each_model_is_asked_to_think_in_the_way_it_takes() {
        let mut table = String::new();
        for model in [
            "glm-5",
            "claude-3-5-haiku-20241022",
            "claude-3-7-sonnet-20250219",
            "claude-opus-4-20250514",
            "claude-haiku-4-5-20251001",
            "claude-opus-4-5",
            "anthropic/claude-sonnet-4.6",
            "claude-opus-4-8",
            "claude-sonnet-5",
            "claude-opus-5",
            "claude-haiku-5-5",
            "claude-sonnet-5-5",
            "claude-opus-5-5",
            "claude-fable-5-1",
            "claude-mythos-preview",
        ] {
            let habits = habits(model);
            let asked = |wanted| match thinking(habits, wanted, habits.output) {
                Asked::Nothing => "-".to_owned(),
                Asked::Budget(tokens) => tokens.to_string(),
                Asked::Adaptive(level) => level.unwrap_or("usual").to_owned(),
                Asked::Disabled => "disabled".to_owned(),
                Asked::BetweenTools => "between".to_owned(),
            };
            let mark = |set: bool, letter: &'static str| if set { letter } else { "-" };
            writeln!(
                table,
                "{model:28} usual {:5} off {:9} high {:6} 2000 {:5} 50000 {:6} {}{}{}",
                asked(Thinking::Usual),
                asked(Thinking::Off),
                asked(Thinking::Effort(Effort::High)),
                asked(Thinking::Budget(2000)),
                asked(Thinking::Budget(50_000)),
                mark(habits.sampling, "t"),
                mark(habits.prefill, "p"),
                mark(habits.schema, "s"),
            )
            .unwrap();
        }
        expect![[r#"
            glm-5                        usual -     off -         high 3072   2000 2000  50000 3072   tp-
            claude-3-5-haiku-20241022    usual -     off -         high -      2000 -     50000 -      tp-
            claude-3-7-sonnet-20250219   usual -     off -         high 24000  2000 2000  50000 24000  tp-
            claude-opus-4-20250514       usual -     off -         high 24000  2000 2000  50000 24000  tp-
            claude-haiku-4-5-20251001    usual -     off -         high 24000  2000 2000  50000 24000  tps
            claude-opus-4-5              usual -     off -         high 24000  2000 2000  50000 24000  tps
            anthropic/claude-sonnet-4.6  usual -     off -         high high   2000 2000  50000 24000  t-s
            claude-opus-4-8              usual -     off -         high high   2000 low   50000 max    --s
            claude-sonnet-5              usual usual off disabled  high high   2000 low   50000 max    --s
            claude-opus-5                usual usual off disabled  high high   2000 low   50000 max    --s
            claude-haiku-5-5             usual usual off disabled  high high   2000 low   50000 max    --s
            claude-sonnet-5-5            usual usual off between   high high   2000 low   50000 max    --s
            claude-opus-5-5              usual usual off low       high high   2000 low   50000 max    --s
            claude-fable-5-1             usual usual off low       high high   2000 low   50000 max    --s
            claude-mythos-preview        usual usual off low       high high   2000 low   50000 max    --s
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn ids_are_read_in_both_orders() {
        let read = |model| version(model).map(|version| (version.family, version.number));
        assert_eq!(read("claude-3-7-sonnet-20250219"), Some(("sonnet".into(), (3, 7))));
        assert_eq!(read("claude-sonnet-4-20250514"), Some(("sonnet".into(), (4, 0))));
        assert_eq!(read("anthropic.claude-opus-4-6-v1"), Some(("opus".into(), (4, 6))));
        assert_eq!(read("gpt-5"), None);
    }

    #[test]
    fn a_budget_fits_into_what_may_be_written() {
        let habits = habits("claude-opus-4-5");
        let asked = |most| thinking(habits, Thinking::Budget(10_000), most);
        assert_eq!(asked(20_000), Asked::Budget(10_000));
        assert_eq!(asked(8_000), Asked::Budget(6_000));
        assert_eq!(asked(1_000), Asked::Nothing);
    }
}
