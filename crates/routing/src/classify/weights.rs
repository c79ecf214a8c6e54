//! The trained numbers: read from a file inside the program, with checks, once. `scripts/routing/train.py` writes it.

use super::features::{Features, N_GRAMS, N_LIGHT};
use std::sync::LazyLock;

/// How many numbers an embedding has.
pub(super) const N_EMBED: usize = 384;
/// Outputs: six tasks, three complexities, six domains, four needs.
pub(super) const N_OUT: usize = 19;
/// The first bytes of the file; the digits count changes of its layout.
const MAGIC: &[u8; 8] = b"MOSRT001";

static BYTES: &[u8] = include_bytes!("../../data/weights.bin");
static WEIGHTS: LazyLock<Option<Weights>> = LazyLock::new(|| Weights::read(BYTES));

/// A linear reading: every output is a weighted sum of all numbers of a message.
#[derive(Debug)]
pub(super) struct Weights {
    /// How much the task's scores are stretched before they become a confidence.
    pub(super) sharpness: f32,
    bias: [f32; N_OUT],
    embed: Vec<[f32; N_OUT]>,
    light: Vec<[f32; N_OUT]>,
    gram_scale: [f32; N_OUT],
    grams: Vec<[i8; N_OUT]>,
}

impl Weights {
    /// Those inside the program; none when the file is damaged, and then words decide.
    pub(super) fn bundled() -> Option<&'static Self> {
        WEIGHTS.as_ref()
    }

    /// Reads a file: its sizes must be the program's own, and every number finite.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        for expected in [N_EMBED, N_LIGHT, N_GRAMS, N_OUT] {
            let (size, more) = rest.split_first_chunk::<4>()?;
            if u32::from_le_bytes(*size) as usize != expected {
                return None;
            }
            rest = more;
        }
        let sharpness = floats(&mut rest, 1)?.first().copied()?;
        let bias = *rows(&mut rest, 1)?.first()?;
        let embed = rows(&mut rest, N_EMBED)?;
        let light = rows(&mut rest, N_LIGHT)?;
        let gram_scale = *rows(&mut rest, 1)?.first()?;
        let (grams, more) = rest.split_at_checked(N_GRAMS * N_OUT)?;
        let (grams, _) = grams.as_chunks::<N_OUT>();
        let grams = grams.iter().map(|row| row.map(u8::cast_signed)).collect();
        more.is_empty().then_some(Self { sharpness, bias, embed, light, gram_scale, grams })
    }

    /// The sums for one message.
    pub(super) fn scores(&self, embedding: &[f32], features: &Features) -> [f32; N_OUT] {
        let mut scores = self.bias;
        for (rows, values) in [(&self.embed, embedding), (&self.light, features.light.as_slice())] {
            for (row, value) in rows.iter().zip(values) {
                add(&mut scores, row, *value);
            }
        }
        let mut hashed = [0.0; N_OUT];
        for (place, value) in &features.grams {
            if let Some(row) = self.grams.get(*place as usize) {
                add(&mut hashed, &row.map(f32::from), *value);
            }
        }
        for ((score, hashed), scale) in scores.iter_mut().zip(hashed).zip(self.gram_scale) {
            *score += hashed * scale;
        }
        scores
    }
}

fn add(scores: &mut [f32; N_OUT], row: &[f32; N_OUT], value: f32) {
    for (score, weight) in scores.iter_mut().zip(row) {
        *score += weight * value;
    }
}

fn floats(rest: &mut &[u8], n: usize) -> Option<Vec<f32>> {
    let (taken, more) = rest.split_at_checked(n * 4)?;
    *rest = more;
    let (floats, _) = taken.as_chunks::<4>();
    let floats: Vec<f32> = floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    floats.iter().all(|number| number.is_finite()).then_some(floats)
}

fn rows(rest: &mut &[u8], n: usize) -> Option<Vec<[f32; N_OUT]>> {
    let floats = floats(rest, n * N_OUT)?;
    let (rows, _) = floats.as_chunks::<N_OUT>();
    Some(rows.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_file_is_whole() {
        assert!(Weights::bundled().is_some());
        assert!(BYTES.len() < 2_000_000);
    }

    #[test]
    fn a_damaged_file_is_no_file() {
        assert!(Weights::read(&[]).is_none());
        assert!(Weights::read(&BYTES[..BYTES.len() - 1]).is_none());
        assert!(Weights::read(&[BYTES, &[0]].concat()).is_none());
        for (at, with) in [
            (0, [b'X'; 4]),
            (8, [1, 0, 0, 0]),
            (24, f32::NAN.to_le_bytes()),
            (400, f32::INFINITY.to_le_bytes()),
        ] {
            let mut bytes = BYTES.to_vec();
            bytes[at..at + 4].copy_from_slice(&with);
            assert!(Weights::read(&bytes).is_none(), "{at}");
        }
    }
}
