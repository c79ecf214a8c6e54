//! Multiplies activations with weights as integers: the loop in which nearly all time is spent, once for machines with
//! AVX2 and once for all others. Both add up the same integers.

use crate::matrix::{Activations, Matrix, Packed, Weights};
use pulp::NullaryFnOnce;
#[cfg(target_arch = "x86_64")]
use {
    pulp::cast,
    pulp::x86::V3,
    std::arch::x86_64::{__m256, __m256i},
};

/// Rows of activations that stay in the nearest cache while all weights pass by.
const NEAR: usize = 24;

/// The multiplication for every machine.
pub(crate) struct Plain<'a> {
    pub(crate) weights: &'a Matrix,
    pub(crate) input: &'a Packed,
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) out: &'a mut [f32],
}

impl NullaryFnOnce for Plain<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { weights, input, bias, out } = self;
        for (row, out) in out.chunks_exact_mut(weights.n_rows).enumerate() {
            let (values, ranges) = input.row(row);
            for (column, out) in out.iter_mut().enumerate() {
                let weights = weights.weights(column);
                let mut sum = bias.map_or(0.0, |bias| bias[column]);
                for (chunk, (scale, range)) in weights.scales.iter().zip(ranges).enumerate() {
                    let mut whole = scale.begin.wrapping_mul(range.origin);
                    let blocks = chunk * input.cut.n_blocks..(chunk + 1) * input.cut.n_blocks;
                    let steps =
                        weights.levels[blocks.clone()].iter().zip(&weights.steps[blocks.clone()]);
                    for ((levels, step), values) in steps.zip(&values[blocks]) {
                        let pairs = levels.0.iter().zip(&values.0);
                        let products: i32 = pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
                        whole = whole.wrapping_add(products.wrapping_mul(step & 0xffff));
                    }
                    sum += whole as f32 * (scale.unit * range.unit);
                }
                *out = sum;
            }
        }
    }
}

/// The multiplication with AVX2.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Wide<'a> {
    pub(crate) wide: V3,
    pub(crate) weights: &'a Matrix,
    pub(crate) input: &'a Packed,
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) out: &'a mut [f32],
}

#[cfg(target_arch = "x86_64")]
impl NullaryFnOnce for Wide<'_> {
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        if self.input.n_rows == 1 {
            let fours = self.weights.n_rows / 4;
            for four in 0..fours {
                self.tile::<4, 1>(four * 4, 0);
            }
            for weight in fours * 4..self.weights.n_rows {
                self.tile::<1, 1>(weight, 0);
            }
            return;
        }
        for begin in (0..self.input.n_rows).step_by(NEAR) {
            let end = (begin + NEAR).min(self.input.n_rows);
            let pairs = self.weights.n_rows / 2;
            for pair in 0..pairs {
                self.rows::<2>(pair * 2, begin, end);
            }
            if self.weights.n_rows % 2 == 1 {
                self.rows::<1>(pairs * 2, begin, end);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Wide<'_> {
    /// `R` rows of weights with some rows of activations, four at a time.
    #[inline(always)]
    fn rows<const R: usize>(&mut self, weight: usize, begin: usize, end: usize) {
        let mut row = begin;
        while row + 4 <= end {
            self.tile::<R, 4>(weight, row);
            row += 4;
        }
        match end - row {
            3 => self.tile::<R, 3>(weight, row),
            2 => self.tile::<R, 2>(weight, row),
            1 => self.tile::<R, 1>(weight, row),
            _ => {}
        }
    }

    #[inline(always)]
    fn tile<const R: usize, const T: usize>(&mut self, weight: usize, row: usize) {
        let wide = self.wide;
        let cut = self.weights.cut;
        let weights: [Weights<'_>; R] = std::array::from_fn(|r| self.weights.weights(weight + r));
        let rows: [_; T] = std::array::from_fn(|t| self.input.row(row + t));
        let mut sums: [[__m256; T]; R] = [[wide.avx._mm256_setzero_ps(); T]; R];
        for chunk in 0..cut.n_chunks {
            // Loops, because closures are not always made part of the function that may use wide registers.
            let mut whole: [[__m256i; T]; R] = [[wide.avx._mm256_setzero_si256(); T]; R];
            for r in 0..R {
                for t in 0..T {
                    let begin =
                        weights[r].scales[chunk].begin.wrapping_mul(rows[t].1[chunk].origin);
                    whole[r][t] =
                        wide.avx._mm256_zextsi128_si256(wide.sse2._mm_cvtsi32_si128(begin));
                }
            }
            // All of one length, so that their bounds are looked at once.
            let blocks = chunk * cut.n_blocks..(chunk + 1) * cut.n_blocks;
            let levels: [_; R] =
                std::array::from_fn(|r| &weights[r].levels[blocks.clone()][..cut.n_blocks]);
            let steps: [_; R] =
                std::array::from_fn(|r| &weights[r].steps[blocks.clone()][..cut.n_blocks]);
            let values: [&[Activations]; T] =
                std::array::from_fn(|t| &rows[t].0[blocks.clone()][..cut.n_blocks]);
            for block in 0..cut.n_blocks {
                for r in 0..R {
                    let levels: __m256i = cast(levels[r][block].0);
                    let step = wide.avx._mm256_set1_epi32(steps[r][block]);
                    for t in 0..T {
                        let products =
                            wide.avx2._mm256_maddubs_epi16(cast(values[t][block].0), levels);
                        let scaled = wide.avx2._mm256_madd_epi16(products, step);
                        whole[r][t] = wide.avx2._mm256_add_epi32(whole[r][t], scaled);
                    }
                }
            }
            for r in 0..R {
                for t in 0..T {
                    let unit = wide
                        .avx
                        ._mm256_set1_ps(weights[r].scales[chunk].unit * rows[t].1[chunk].unit);
                    let whole = wide.avx._mm256_cvtepi32_ps(whole[r][t]);
                    sums[r][t] = wide.fma._mm256_fmadd_ps(whole, unit, sums[r][t]);
                }
            }
        }
        for r in 0..R {
            let bias = self.bias.map_or(0.0, |bias| bias[weight + r]);
            for (t, sum) in sums[r].iter().enumerate() {
                let lanes: [f32; 8] = cast(*sum);
                let [a, b, c, d, e, f, g, h] = lanes;
                self.out[(row + t) * self.weights.n_rows + weight + r] =
                    bias + (((a + e) + (c + g)) + ((b + f) + (d + h)));
            }
        }
    }
}
