//! A matrix of weights in 7 bits, and rows of activations in 8, so that they can be multiplied as integers.
//!
//! A row is cut into chunks of 192 columns and those into blocks of 32. A weight is `level × step × unit`: a level
//! from -63 to 63, a whole step per block, a unit per chunk. The bounds are such that neither the 16-bit sum of two
//! products nor the 32-bit sum of a chunk overflows: 2·255·63 < 2¹⁵, 192·255·63·511 < 2³¹. Leaves out the
//! multiplication itself: `kernel.rs`.

use crate::cpu::Cpu;
use crate::kernel;
use pulp::NullaryFnOnce;

/// Columns that share a step.
pub(crate) const BLOCK: usize = 32;
/// Blocks that share a unit.
pub(crate) const BLOCKS: usize = 12;
/// Columns that share a unit.
pub(crate) const CHUNK: usize = BLOCK * BLOCKS;
/// The largest level of a weight.
const MAX_LEVEL: f32 = 63.0;
/// The largest step of a block.
const MAX_STEP: f32 = 255.0;
/// What an activation of zero is stored as: the integers of activations have no sign.
pub(crate) const ORIGIN: i32 = 128;

/// 32 weights; aligned, because a load across two cache lines costs twice.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Levels(pub(crate) [i8; BLOCK]);

/// 32 activations.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Activations(pub(crate) [u8; BLOCK]);

/// What belongs to one chunk of one row, besides its levels.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    /// The step of each block, twice: as the two halves of one 32-bit word.
    pub(crate) steps: [i32; BLOCKS],
    /// What the sum over the chunk begins with, so that activations count from zero and not from `ORIGIN`.
    pub(crate) begin: i32,
    /// What one level at step 1 is worth.
    pub(crate) unit: f32,
}

/// Weights: `n_rows` outputs of `n_columns` inputs.
pub(crate) struct Matrix {
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
    /// Chunks in a row.
    pub(crate) n_chunks: usize,
    pub(crate) levels: Vec<[Levels; BLOCKS]>,
    pub(crate) scales: Vec<Scale>,
}

impl Matrix {
    /// A matrix without rows yet.
    pub(crate) fn new(n_columns: usize, n_rows_expected: usize) -> Self {
        let n_chunks = n_columns.div_ceil(CHUNK);
        let (mut levels, mut scales) = (Vec::new(), Vec::new());
        levels.reserve_exact(n_rows_expected * n_chunks);
        scales.reserve_exact(n_rows_expected * n_chunks);
        Self { n_rows: 0, n_columns, n_chunks, levels, scales }
    }

    /// Adds a row. What is not a number counts as zero.
    pub(crate) fn push(&mut self, row: &[f32]) {
        debug_assert_eq!(row.len(), self.n_columns);
        for chunk in row.chunks(CHUNK) {
            let mut padded = [0.0; CHUNK];
            for (to, from) in padded.iter_mut().zip(chunk) {
                *to = if from.is_finite() { *from } else { 0.0 };
            }
            let (levels, scale) = pack(&padded);
            self.levels.push(levels);
            self.scales.push(scale);
        }
        self.n_rows += 1;
    }

    /// Writes one row as it is remembered.
    pub(crate) fn row(&self, index: usize, out: &mut [f32]) {
        let from = index * self.n_chunks;
        for (chunk, out) in out.chunks_mut(CHUNK).enumerate() {
            let (levels, scale) = (&self.levels[from + chunk], &self.scales[from + chunk]);
            for (block, out) in out.chunks_mut(BLOCK).enumerate() {
                let step = (scale.steps[block] & 0xffff) as f32 * scale.unit;
                for (out, level) in out.iter_mut().zip(&levels[block].0) {
                    *out = f32::from(*level) * step;
                }
            }
        }
    }

    /// `out = rows × weightsᵀ + bias`, for every row that was packed into `input`.
    pub(crate) fn multiply(&self, cpu: Cpu, input: &Packed, bias: Option<&[f32]>, out: &mut [f32]) {
        debug_assert_eq!(input.n_chunks, self.n_chunks);
        debug_assert_eq!(out.len(), input.n_rows * self.n_rows);
        match cpu {
            #[cfg(target_arch = "x86_64")]
            Cpu::Wide(wide) => {
                wide.vectorize(kernel::Wide { wide, weights: self, input, bias, out })
            }
            Cpu::Plain => kernel::Plain { weights: self, input, bias, out }.call(),
        }
    }
}

fn pack(chunk: &[f32; CHUNK]) -> ([Levels; BLOCKS], Scale) {
    let mut levels = [Levels([0; BLOCK]); BLOCKS];
    let mut scale = Scale { steps: [0; BLOCKS], begin: 0, unit: 0.0 };
    let largest = |values: &[f32]| values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    // Divided twice, because the product of the two would round a tiny chunk to zero.
    scale.unit = largest(chunk) / MAX_LEVEL / MAX_STEP;
    if scale.unit < f32::MIN_POSITIVE {
        scale.unit = 0.0;
        return (levels, scale);
    }
    let mut sum = 0;
    for (block, values) in chunk.as_chunks::<BLOCK>().0.iter().enumerate() {
        let step = (largest(values) / MAX_LEVEL / scale.unit).ceil().clamp(1.0, MAX_STEP);
        let one = 1.0 / (step * scale.unit);
        let step = step as i32;
        for (level, value) in levels[block].0.iter_mut().zip(values) {
            *level = (value * one).round().clamp(-MAX_LEVEL, MAX_LEVEL) as i8;
            sum += step * i32::from(*level);
        }
        scale.steps[block] = step | step << 16;
    }
    scale.begin = -ORIGIN * sum;
    (levels, scale)
}

/// Rows of activations as integers. Kept between multiplications, so that its memory is asked for once.
#[derive(Default)]
pub(crate) struct Packed {
    pub(crate) n_rows: usize,
    pub(crate) n_chunks: usize,
    pub(crate) values: Vec<[Activations; BLOCKS]>,
    /// What one step is worth, per row and chunk.
    pub(crate) units: Vec<f32>,
}

impl Packed {
    /// Takes rows of `n_columns`.
    pub(crate) fn fill(&mut self, cpu: Cpu, rows: &[f32], n_columns: usize) {
        cpu.run(Fill { packed: self, rows, n_columns });
    }
}

struct Fill<'a> {
    packed: &'a mut Packed,
    rows: &'a [f32],
    n_columns: usize,
}

impl NullaryFnOnce for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { packed, rows, n_columns } = self;
        packed.n_rows = rows.len() / n_columns;
        packed.n_chunks = n_columns.div_ceil(CHUNK);
        packed.values.clear();
        packed.units.clear();
        for row in rows.chunks_exact(n_columns) {
            for chunk in row.chunks(CHUNK) {
                let mut values = [Activations([ORIGIN as u8; BLOCK]); BLOCKS];
                let mut most = [0.0_f32; 8];
                let (eights, rest) = chunk.as_chunks::<8>();
                for eight in eights {
                    for (most, value) in most.iter_mut().zip(eight) {
                        let value = value.abs();
                        *most = if value > *most { value } else { *most };
                    }
                }
                let most =
                    most.iter().chain(rest).fold(0.0_f32, |most, value| most.max(value.abs()));
                let one =
                    if most > f32::MIN_POSITIVE && most.is_finite() { 127.0 / most } else { 0.0 };
                for (values, from) in values.iter_mut().zip(chunk.chunks(BLOCK)) {
                    for (value, from) in values.0.iter_mut().zip(from) {
                        *value = nearest(from * one) as u8;
                    }
                }
                packed.values.push(values);
                packed.units.push(if one > 0.0 { most / 127.0 } else { 0.0 });
            }
        }
    }
}

/// The nearest whole number plus `ORIGIN`, for values of at most 127: adding 1.5·2²³ leaves it in the lowest bits.
#[inline(always)]
fn nearest(value: f32) -> u32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()).wrapping_add(ORIGIN as u32)
}

#[cfg(test)]
mod tests;
