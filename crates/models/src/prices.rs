//! What a model's tokens cost. Whole micro-dollars for a million tokens, so that two cents a million is 20,000 and exact;
//! people and files write dollars. What a call costs is in `cost.rs`.

use serde::{Deserialize, Deserializer, de::Error as _};

/// Nothing costs more dollars for a million tokens; who writes more means another unit.
const MOST_DOLLARS: f64 = 10_000.0;

/// A model may have so many tiers.
const TIERS: usize = 8;

/// Micro-dollars for a million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Read anew.
    pub input: u64,
    /// Written.
    pub output: u64,
    /// Read from a cache. Without: like `input`.
    pub cache_read: Option<u64>,
    /// Written to a cache that lasts minutes. Without: like `input`.
    pub cache_write: Option<u64>,
    /// Written to a cache that lasts an hour. Without: twice `input`, as those take it who offer that.
    pub cache_write_hour: Option<u64>,
    /// Written while reasoning. Without: like `output`.
    pub reasoning: Option<u64>,
}

/// What a model costs, with what it costs when the prompt is long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Usually.
    pub base: Rates,
    /// Above so many tokens of prompt, rising; the whole call costs so much then.
    pub tiers: Vec<(u64, Rates)>,
}

impl Price {
    /// The same for every prompt.
    pub fn flat(input: u64, output: u64) -> Self {
        Self { base: Rates { input, output, ..Rates::default() }, tiers: vec![] }
    }

    /// The rates for a prompt of this many tokens.
    pub fn rates(&self, prompt: u64) -> &Rates {
        let tier = self.tiers.iter().rev().find(|(above, _)| prompt > *above);
        tier.map_or(&self.base, |(_, rates)| rates)
    }
}

/// A price, or one of its tiers, as files write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    above: Option<u64>,
    #[serde(deserialize_with = "dollars")]
    input: u64,
    #[serde(deserialize_with = "dollars")]
    output: u64,
    #[serde(default, deserialize_with = "perhaps_dollars")]
    cache_read: Option<u64>,
    #[serde(default, deserialize_with = "perhaps_dollars")]
    cache_write: Option<u64>,
    #[serde(default, deserialize_with = "perhaps_dollars")]
    cache_write_hour: Option<u64>,
    #[serde(default, deserialize_with = "perhaps_dollars")]
    reasoning: Option<u64>,
    #[serde(default)]
    tiers: Vec<Written>,
}

impl Written {
    fn rates(&self) -> Rates {
        Rates {
            input: self.input,
            output: self.output,
            cache_read: self.cache_read,
            cache_write: self.cache_write,
            cache_write_hour: self.cache_write_hour,
            reasoning: self.reasoning,
        }
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(from)?;
        let tier = |tier: &Written| Some((tier.above?, tier.rates()));
        let tiers: Option<Vec<_>> = written.tiers.iter().map(tier).collect();
        let nested = written.tiers.iter().any(|tier| !tier.tiers.is_empty());
        match tiers {
            Some(tiers)
                if tiers.len() <= TIERS
                    && tiers.is_sorted_by(|a, b| a.0 < b.0)
                    && written.above.is_none()
                    && !nested =>
            {
                Ok(Self { base: written.rates(), tiers })
            }
            _ => Err(D::Error::custom(format!(
                "at most {TIERS} tiers, each with `above`, in rising order"
            ))),
        }
    }
}

/// Dollars with at most six decimals, as micro-dollars.
fn dollars<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let written = f64::deserialize(from)?;
    let micros = written * 1e6;
    if !(0.0..=MOST_DOLLARS).contains(&written) {
        return Err(D::Error::custom(format!(
            "a price is 0 to {MOST_DOLLARS} dollars for a million tokens"
        )));
    }
    // What a decimal fraction loses as a binary one is far below this.
    if (micros - micros.round()).abs() > 1e-3 {
        return Err(D::Error::custom("a price has at most six decimals"));
    }
    // Inside the bounds above, so the whole number fits.
    Ok(micros.round() as u64)
}

fn perhaps_dollars<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    dollars(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_become_exact_micro_dollars() {
        for (text, micros) in [
            ("0.02", 20_000),
            ("0.083333", 83_333),
            ("0.1", 100_000),
            ("3", 3_000_000),
            ("9999.999999", 9_999_999_999),
            ("0", 0),
        ] {
            let text = format!("{{\"input\":{text},\"output\":1.1}}");
            let price: Price = serde_json::from_str(&text).unwrap();
            assert_eq!(price, Price::flat(micros, 1_100_000));
        }
    }

    #[test]
    fn prices_that_make_no_sense_are_refused() {
        for text in [
            "{\"input\":3000000,\"output\":1}",
            "{\"input\":-1,\"output\":1}",
            "{\"input\":0.0000001,\"output\":1}",
            "{\"input\":\"3\",\"output\":1}",
            "{\"input\":3}",
            "{\"input\":3,\"output\":1,\"outptu\":1}",
            "{\"input\":3,\"output\":1,\"cache_read\":null}",
            "{\"input\":3,\"output\":1,\"tiers\":[{\"above\":1,\"input\":1,\"output\":1,\"x\":1}]}",
            "{\"input\":3,\"output\":1,\"tiers\":[{\"above\":9,\"input\":1,\"output\":1},{\"above\":9,\"input\":1,\"output\":1}]}",
        ] {
            assert!(serde_json::from_str::<Price>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tier_begins_above_its_size() {
        let text = "{\"input\":1,\"output\":2,\"tiers\":[
            {\"above\":100,\"input\":3,\"output\":4},{\"above\":200,\"input\":5,\"output\":6}]}";
        let price: Price = serde_json::from_str(text).unwrap();
        for (prompt, input) in [(0, 1), (100, 1), (101, 3), (200, 3), (201, 5), (u64::MAX, 5)] {
            assert_eq!(price.rates(prompt).input, input * 1_000_000);
        }
    }
}
