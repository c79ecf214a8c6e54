//! What was used, in our normal form. Pure.

use super::answer::UsageIn;
use crate::Reported;
use mosaic_protocol::usage::Usage;

/// Micro-dollars in a dollar.
const MICROS: f64 = 1e6;

/// `says_cost`: `cost` is in dollars.
pub(crate) fn reported(said: &UsageIn, says_cost: bool) -> Reported {
    let prompt = said.prompt_tokens.0.unwrap_or(0);
    let written = said.completion_tokens.0.unwrap_or(0);
    let details = said.prompt_tokens_details.as_ref();
    let cached = details.and_then(|details| details.cached_tokens.0);
    // No more was read from a cache than was read.
    let cache_read = cached.or(said.prompt_cache_hit_tokens.0).unwrap_or(0).min(prompt);
    let cache_write = details
        .and_then(|details| details.cache_write_tokens.0)
        .unwrap_or(0)
        .min(prompt.saturating_sub(cache_read));
    let reasoning = said
        .completion_tokens_details
        .as_ref()
        .and_then(|details| details.reasoning_tokens.0)
        .unwrap_or(0);
    // Most count what was reasoned within what was written; who does not shows it by the sum.
    let sum = prompt.saturating_add(written).saturating_add(reasoning);
    let is_apart = reasoning > 0 && said.total_tokens.0 == Some(sum);
    let output = if is_apart { written.saturating_add(reasoning) } else { written };
    Reported {
        usage: Usage {
            input: prompt.saturating_sub(cache_read).saturating_sub(cache_write),
            cache_read,
            cache_write,
            cache_write_hour: 0,
            output,
            reasoning: reasoning.min(output),
        },
        cost_micros: if says_cost { cost(said) } else { None },
    }
}

fn cost(said: &UsageIn) -> Option<u64> {
    let charged = said.cost.as_f64()?;
    // With somebody's own key upstream, the upstream's bill is not in what is charged here.
    let upstream = match said.is_byok.as_bool() {
        Some(true) => said.cost_details.get("upstream_inference_cost")?.as_f64()?,
        _ => 0.0,
    };
    whole((charged + upstream) * MICROS)
}

/// A number as a whole one, such as micro-dollars; what cannot be a price or a count is none.
pub(crate) fn whole(number: f64) -> Option<u64> {
    /// A million dollars, or as many tokens as nobody has.
    const MOST: f64 = 1e12;
    let rounded = number.round();
    if !(0.0..=MOST).contains(&rounded) {
        return None;
    }
    // In these bounds the text of the number is that of an integer.
    format!("{rounded:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn line(json: &str) -> String {
        let Reported { usage: u, cost_micros } =
            reported(&serde_json::from_str(json).unwrap(), true);
        format!(
            "in {} read {} write {} out {} thought {} cost {cost_micros:?}",
            u.input, u.cache_read, u.cache_write, u.output, u.reasoning
        )
    }

    #[test]
    fn every_token_is_counted_once() {
        let all = [
            r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":64},
                "completion_tokens_details":{"reasoning_tokens":12}}"#,
            r#"{"prompt_tokens":100,"completion_tokens":20,"prompt_cache_hit_tokens":30,"prompt_cache_miss_tokens":70}"#,
            // Reasoning beside the completion.
            r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":150,"completion_tokens_details":{"reasoning_tokens":30}}"#,
            r#"{"prompt_tokens":100,"completion_tokens":5,"cost":0.00125,"prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":80}}"#,
            r#"{"prompt_tokens":1,"completion_tokens":1,"cost":0.00005,"is_byok":true,"cost_details":{"upstream_inference_cost":0.001}}"#,
            // Nonsense.
            r#"{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":99},"cost":{"total":1}}"#,
            r#"{"cost":-1,"prompt_tokens_details":null,"prompt_tokens":12.0,"completion_tokens":-1,"total_tokens":"x"}"#,
        ];
        expect![[r#"
            in 36 read 64 write 0 out 20 thought 12 cost None
            in 70 read 30 write 0 out 20 thought 0 cost None
            in 100 read 0 write 0 out 50 thought 30 cost None
            in 10 read 10 write 80 out 5 thought 0 cost Some(1250)
            in 1 read 0 write 0 out 1 thought 0 cost Some(1050)
            in 0 read 10 write 0 out 0 thought 0 cost None
            in 12 read 0 write 0 out 0 thought 0 cost None"#]]
        .assert_eq(&all.map(line).join("\n"));
    }
}
