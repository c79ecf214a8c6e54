//! The arithmetic between two multiplications: normalising, attention, activation functions, rotation. Written in
//! eights, so that a compiler that may use wide registers does. Leaves out multiplying with weights: `kernel.rs`.

/// Adds up in eight lanes.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let mut sum: f32 = lanes.iter().sum();
    for (a, b) in a_rest.iter().zip(b_rest) {
        sum += a * b;
    }
    sum
}

#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for lane in 0..8 {
            lanes[lane] += eight[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// `e` to the power of something between -87 and 87 (beyond, of the nearest of both), within a hundred-thousandth of it: a power of two times a polynomial.
#[inline(always)]
pub(crate) fn exp(value: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    let value = if value < -87.0 { -87.0 } else { value };
    let value = if value > 87.0 { 87.0 } else { value };
    let scaled = value * std::f32::consts::LOG2_E;
    let shifted = scaled + SHIFT;
    let part = (scaled - (shifted - SHIFT)) * std::f32::consts::LN_2;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    let series = 1.0
        + part
            * (1.0
                + part
                    * (0.5
                        + part
                            * (1.0 / 6.0
                                + part * (1.0 / 24.0 + part * (1.0 / 120.0 + part / 720.0)))));
    series * power
}

/// The Gaussian error linear unit, with the error function of Abramowitz and Stegun 7.1.26 (within 1.5·10⁻⁷).
#[inline(always)]
pub(crate) fn gelu(values: &mut [f32]) {
    for value in values {
        let x = *value * std::f32::consts::FRAC_1_SQRT_2;
        let size = x.abs();
        let t = 1.0 / (1.0 + 0.327_591_1 * size);
        let series = t
            * (0.254_829_6
                + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
        let erf = (1.0 - series * exp(-size * size)).copysign(x);
        *value = 0.5 * *value * (1.0 + erf);
    }
}

/// `out = silu(gate) × up`.
#[inline(always)]
pub(crate) fn silu_times(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((gate, up), out) in gate.iter().zip(up).zip(out) {
        *out = *gate / (1.0 + exp(-*gate)) * up;
    }
}

/// Adds `more`, then brings every row to mean 0 and variance 1, times `weight`, plus `bias`.
#[inline(always)]
pub(crate) fn add_and_normalise(
    rows: &mut [f32],
    more: Option<&[f32]>,
    weight: &[f32],
    bias: &[f32],
    epsilon: f32,
) {
    let n = weight.len();
    for (index, row) in rows.chunks_exact_mut(n).enumerate() {
        if let Some(more) = more {
            add(row, &more[index * n..(index + 1) * n]);
        }
        let mean = sum(row) / n as f32;
        for value in row.iter_mut() {
            *value -= mean;
        }
        let factor = 1.0 / (dot(row, row) / n as f32 + epsilon).sqrt();
        for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
            *value = *value * factor * weight + bias;
        }
    }
}

/// Brings every row to a mean square of 1, times `weight`.
#[inline(always)]
pub(crate) fn normalise_square(rows: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let n = weight.len();
    for (row, out) in rows.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        let factor = 1.0 / (dot(row, row) / n as f32 + epsilon).sqrt();
        for ((out, value), weight) in out.iter_mut().zip(row).zip(weight) {
            *out = value * factor * weight;
        }
    }
}

/// `row += more`.
#[inline(always)]
pub(crate) fn add(row: &mut [f32], more: &[f32]) {
    for (value, more) in row.iter_mut().zip(more) {
        *value += more;
    }
}

/// Makes of scores what adds up to 1.
#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let mut lanes = [f32::MIN; 8];
    let (eights, rest) = scores.as_chunks::<8>();
    for eight in eights {
        for lane in 0..8 {
            lanes[lane] = if eight[lane] > lanes[lane] { eight[lane] } else { lanes[lane] };
        }
    }
    let mut most = f32::MIN;
    for score in lanes.iter().chain(rest) {
        most = if *score > most { *score } else { most };
    }
    for score in scores.iter_mut() {
        *score = exp(*score - most);
    }
    let one = 1.0 / sum(scores);
    for score in scores.iter_mut() {
        *score *= one;
    }
}

/// Numbers that are added up at once: as many as wide registers hold.
const PART: usize = 32;

/// Where the parts of one head lie in rows of queries, keys and values.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    /// Columns of a head.
    pub(crate) size: usize,
    /// First column in a row of queries, and of the result.
    pub(crate) query_at: usize,
    /// First column in a row of keys and of values.
    pub(crate) key_at: usize,
    /// Columns of a row of keys and of values.
    pub(crate) key_width: usize,
}

impl Head {
    /// Its part of one row of keys or values.
    #[inline(always)]
    fn part(self, rows: &[f32], index: usize) -> &[f32] {
        let begin = index * self.key_width + self.key_at;
        &rows[begin..begin + self.size]
    }

    /// What one query sees of as many keys as there are scores, written into its part of `out`.
    #[inline(always)]
    pub(crate) fn look(
        self,
        query: &[f32],
        keys: &[f32],
        values: &[f32],
        scores: &mut [f32],
        out: &mut [f32],
    ) {
        let query = &query[self.query_at..self.query_at + self.size];
        let scale = 1.0 / (self.size as f32).sqrt();
        // A loop, because closures given to iterators are not always made part of the function that may use wide
        // registers.
        for (index, score) in scores.iter_mut().enumerate() {
            *score = dot(query, self.part(keys, index)) * scale;
        }
        self.gather(values, scores, out);
    }

    /// The same when many queries look at the same keys: `turned` has a row per column, of a multiple of `PART`.
    #[inline(always)]
    pub(crate) fn look_turned(
        self,
        query: &[f32],
        turned: &[f32],
        values: &[f32],
        scores: &mut [f32],
        out: &mut [f32],
    ) {
        let query = &query[self.query_at..self.query_at + self.size];
        let scale = 1.0 / (self.size as f32).sqrt();
        let width = scores.len().next_multiple_of(PART);
        for (at, scores) in scores.chunks_mut(PART).enumerate() {
            let mut sums = [0.0; PART];
            for (value, row) in query.iter().zip(turned.chunks_exact(width)) {
                let row = &row[at * PART..(at + 1) * PART];
                for lane in 0..PART {
                    sums[lane] += value * row[lane];
                }
            }
            for (score, sum) in scores.iter_mut().zip(sums) {
                *score = sum * scale;
            }
        }
        self.gather(values, scores, out);
    }

    /// The keys of this head, turned for `look_turned`.
    #[inline(always)]
    pub(crate) fn turn(self, keys: &[f32], n: usize, turned: &mut Vec<f32>) {
        let width = n.next_multiple_of(PART);
        turned.clear();
        turned.resize(self.size * width, 0.0);
        for index in 0..n {
            for (column, value) in self.part(keys, index).iter().enumerate() {
                turned[column * width + index] = *value;
            }
        }
    }

    #[inline(always)]
    fn gather(self, values: &[f32], scores: &mut [f32], out: &mut [f32]) {
        softmax(scores);
        let (parts, rest) = out[self.query_at..self.query_at + self.size].as_chunks_mut::<PART>();
        for (at, out) in parts.iter_mut().enumerate() {
            let mut sums = [0.0; PART];
            for (index, score) in scores.iter().enumerate() {
                let value = &self.part(values, index)[at * PART..(at + 1) * PART];
                for lane in 0..PART {
                    sums[lane] += score * value[lane];
                }
            }
            *out = sums;
        }
        let at = self.size - rest.len();
        for (lane, out) in rest.iter_mut().enumerate() {
            *out = 0.0;
            for (index, score) in scores.iter().enumerate() {
                *out += score * self.part(values, index)[at + lane];
            }
        }
    }
}

/// Brings a vector to length 1; what has no length stays as it is.
pub(crate) fn to_length_one(values: &mut [f32]) {
    let length = dot(values, values).sqrt();
    if length > 1e-12 && length.is_finite() {
        for value in values {
            *value /= length;
        }
    }
}

#[cfg(test)]
mod tests;
