//! A matrix of weights in 7 bits, and rows of activations in 8, so that they can be multiplied as integers.
//!
//! A row is cut into chunks of at most 384 columns and those into blocks of 32. A weight is `level × step × unit`: a
//! level from -63 to 63, a whole step per block, a unit per chunk. The bounds are such that neither the 16-bit sum of
//! two products nor the 32-bit sum of a chunk overflows: 2·255·63 < 2¹⁵, 384·255·63·255 < 2³¹. Leaves out the
//! multiplication itself: `kernel.rs`.

use crate::cpu::Cpu;
use crate::kernel;
use pulp::NullaryFnOnce;

/// Columns that share a step.
pub(crate) const BLOCK: usize = 32;
/// Blocks that share a unit, at most.
const MAX_BLOCKS: usize = 12;

/// How long chunks may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    /// 384 columns: fast, and near enough for a vector of a whole text.
    Coarse,
    /// 96 columns: nearer, for models that choose between words that are nearly as likely as each other.
    Fine,
}
/// The largest level of a weight.
const MAX_LEVEL: f32 = 63.0;
/// The largest step of a block.
const MAX_STEP: f32 = 255.0;
/// Activations are whole numbers from 0 to this.
const MAX_ACTIVATION: f32 = 255.0;

/// 32 weights; aligned, because a load across two cache lines costs twice.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Levels(pub(crate) [i8; BLOCK]);

/// 32 activations.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Activations(pub(crate) [u8; BLOCK]);

/// How a row is cut: as few chunks as may be, all of one size; what is missing at the end is zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Chunks in a row.
    pub(crate) n_chunks: usize,
    /// Blocks in a chunk.
    pub(crate) n_blocks: usize,
}

impl Cut {
    fn of(n_columns: usize, grain: Grain) -> Self {
        let blocks = n_columns.div_ceil(BLOCK);
        let most = match grain {
            Grain::Coarse => MAX_BLOCKS,
            Grain::Fine => 3,
        };
        let n_chunks = blocks.div_ceil(most).max(1);
        Self { n_chunks, n_blocks: blocks.div_ceil(n_chunks) }
    }

    fn columns(self) -> usize {
        self.n_blocks * BLOCK
    }

    /// Blocks in a row.
    fn row(self) -> usize {
        self.n_chunks * self.n_blocks
    }
}

/// What belongs to one chunk of one row, besides its levels and steps.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    /// All levels times their steps, with the sign changed: what a sum begins with for each one that the activations'
    /// origin lies above zero.
    pub(crate) begin: i32,
    /// What one level at step 1 is worth.
    pub(crate) unit: f32,
}

/// Weights: `n_rows` outputs of `n_columns` inputs.
pub(crate) struct Matrix {
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
    pub(crate) cut: Cut,
    levels: Vec<Levels>,
    /// The step of each block, twice: as the two halves of one 32-bit word.
    steps: Vec<i32>,
    scales: Vec<Scale>,
}

/// One row of weights.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub(crate) levels: &'a [Levels],
    pub(crate) steps: &'a [i32],
    pub(crate) scales: &'a [Scale],
}

impl Matrix {
    /// A matrix without rows yet.
    pub(crate) fn new(n_columns: usize, n_rows_expected: usize, grain: Grain) -> Self {
        let cut = Cut::of(n_columns, grain);
        let (mut levels, mut steps, mut scales) = (Vec::new(), Vec::new(), Vec::new());
        levels.reserve_exact(n_rows_expected * cut.row());
        steps.reserve_exact(n_rows_expected * cut.row());
        scales.reserve_exact(n_rows_expected * cut.n_chunks);
        Self { n_rows: 0, n_columns, cut, levels, steps, scales }
    }

    /// Adds a row. What is not a number counts as zero.
    pub(crate) fn push(&mut self, cpu: Cpu, row: &[f32]) {
        debug_assert_eq!(row.len(), self.n_columns);
        cpu.run(Push { matrix: self, row });
        self.n_rows += 1;
    }

    /// Gives back what was put aside for more rows.
    pub(crate) fn shrink(&mut self) {
        self.levels.shrink_to_fit();
        self.steps.shrink_to_fit();
        self.scales.shrink_to_fit();
    }

    #[inline(always)]
    fn push_chunk(&mut self, from: &[f32]) {
        let mut chunk = [[0.0; BLOCK]; MAX_BLOCKS];
        for (to, from) in chunk.as_flattened_mut().iter_mut().zip(from) {
            *to = if from.is_finite() { *from } else { 0.0 };
        }
        // Divided twice, because the product of the two would round a tiny chunk to zero.
        let unit = largest(chunk.as_flattened()) / MAX_LEVEL / MAX_STEP;
        let unit = if unit < f32::MIN_POSITIVE { 0.0 } else { unit };
        let mut sum = 0;
        for values in &chunk[..self.cut.n_blocks] {
            let mut levels = [0; BLOCK];
            let mut step = 0;
            if unit > 0.0 {
                let exact = (largest(values) / MAX_LEVEL / unit).ceil().clamp(1.0, MAX_STEP);
                let one = 1.0 / (exact * unit);
                step = exact as i32;
                for (level, value) in levels.iter_mut().zip(values) {
                    *level = nearest(value * one) as i8;
                    sum += step * i32::from(*level);
                }
            }
            self.levels.push(Levels(levels));
            self.steps.push(step | step << 16);
        }
        self.scales.push(Scale { begin: -sum, unit });
    }

    #[inline(always)]
    pub(crate) fn weights(&self, row: usize) -> Weights<'_> {
        let blocks = row * self.cut.row()..(row + 1) * self.cut.row();
        let chunks = row * self.cut.n_chunks..(row + 1) * self.cut.n_chunks;
        Weights {
            levels: &self.levels[blocks.clone()],
            steps: &self.steps[blocks],
            scales: &self.scales[chunks],
        }
    }

    /// Writes one row as it is remembered.
    pub(crate) fn row(&self, index: usize, out: &mut [f32]) {
        let weights = self.weights(index);
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let unit = weights.scales[block / self.cut.n_blocks].unit;
            let step = (weights.steps[block] & 0xffff) as f32 * unit;
            for (out, level) in out.iter_mut().zip(&weights.levels[block].0) {
                *out = f32::from(*level) * step;
            }
        }
    }

    /// `out = rows × weightsᵀ + bias`, for every row that was packed into `input`.
    pub(crate) fn multiply(&self, cpu: Cpu, input: &Packed, bias: Option<&[f32]>, out: &mut [f32]) {
        debug_assert_eq!(input.cut, self.cut);
        debug_assert_eq!(out.len(), input.n_rows * self.n_rows);
        match cpu {
            #[cfg(target_arch = "x86_64")]
            Cpu::Wide(wide) => {
                wide.vectorize(kernel::Wide { wide, weights: self, input, bias, out });
            }
            Cpu::Plain => kernel::Plain { weights: self, input, bias, out }.call(),
        }
    }
}

/// Rows of activations as integers. Kept between multiplications, so that its memory is asked for once.
#[derive(Default)]
pub(crate) struct Packed {
    pub(crate) n_rows: usize,
    pub(crate) cut: Cut,
    values: Vec<Activations>,
    ranges: Vec<Range>,
}

/// What the whole numbers of one chunk of one row stand for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Range {
    /// What one is worth.
    pub(crate) unit: f32,
    /// What zero is kept as.
    pub(crate) origin: i32,
}

impl Range {
    /// The range that just holds all values and zero.
    #[inline(always)]
    fn of(values: &[f32]) -> Self {
        let (mut least, mut most) = ([0.0_f32; 8], [0.0_f32; 8]);
        let (eights, rest) = values.as_chunks::<8>();
        for eight in eights {
            for lane in 0..8 {
                least[lane] = if eight[lane] < least[lane] { eight[lane] } else { least[lane] };
                most[lane] = if eight[lane] > most[lane] { eight[lane] } else { most[lane] };
            }
        }
        let (mut low, mut high) = (0.0_f32, 0.0_f32);
        for value in least.iter().chain(&most).chain(rest) {
            low = if *value < low { *value } else { low };
            high = if *value > high { *value } else { high };
        }
        let unit = high / MAX_ACTIVATION - low / MAX_ACTIVATION;
        if unit > f32::MIN_POSITIVE && unit.is_finite() {
            Self { unit, origin: nearest(-low / unit) }
        } else {
            Self::default()
        }
    }
}

impl Packed {
    /// Takes rows, cut as the matrix is with which they will be multiplied.
    pub(crate) fn fill(&mut self, cpu: Cpu, rows: &[f32], matrix: &Matrix) {
        cpu.run(Fill { packed: self, rows, n_columns: matrix.n_columns, cut: matrix.cut });
    }

    /// One row: its values, and what they stand for per chunk.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> (&[Activations], &[Range]) {
        let blocks = row * self.cut.row()..(row + 1) * self.cut.row();
        (&self.values[blocks], &self.ranges[row * self.cut.n_chunks..(row + 1) * self.cut.n_chunks])
    }
}

struct Fill<'a> {
    packed: &'a mut Packed,
    rows: &'a [f32],
    n_columns: usize,
    cut: Cut,
}

impl NullaryFnOnce for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { packed, rows, n_columns, cut } = self;
        packed.n_rows = rows.len() / n_columns;
        packed.cut = cut;
        packed.values.clear();
        packed.values.resize(packed.n_rows * cut.row(), Activations([0; BLOCK]));
        packed.ranges.clear();
        packed.ranges.resize(packed.n_rows * cut.n_chunks, Range::default());
        let mut chunks = packed.values.chunks_exact_mut(cut.n_blocks).zip(&mut packed.ranges);
        for row in rows.chunks_exact(n_columns) {
            let mut from = row.chunks(cut.columns());
            for _ in 0..cut.n_chunks {
                let (Some((values, range)), Some(from)) = (chunks.next(), from.next()) else {
                    break;
                };
                *range = Range::of(from);
                if range.unit > 0.0 {
                    let (one, origin) = (1.0 / range.unit, range.origin);
                    // What is beyond the row stays 0 and not the origin; its weights are 0.
                    for (values, from) in values.iter_mut().zip(from.chunks(BLOCK)) {
                        for (value, from) in values.0.iter_mut().zip(from) {
                            *value = (nearest(from * one) + origin).clamp(0, 255) as u8;
                        }
                    }
                }
            }
        }
    }
}

struct Push<'a> {
    matrix: &'a mut Matrix,
    row: &'a [f32],
}

impl NullaryFnOnce for Push<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let mut chunks = self.row.chunks(self.matrix.cut.columns());
        for _ in 0..self.matrix.cut.n_chunks {
            self.matrix.push_chunk(chunks.next().unwrap_or(&[]));
        }
    }
}

/// The largest of all, without signs. What is not a number is passed over.
#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for lane in 0..8 {
            let value = eight[lane].abs();
            lanes[lane] = if value > lanes[lane] { value } else { lanes[lane] };
        }
    }
    let mut most = 0.0_f32;
    for value in lanes.iter().chain(rest) {
        most = if value.abs() > most { value.abs() } else { most };
    }
    most
}

/// The nearest whole number, for values of less than 2²¹: adding 1.5·2²³ leaves it in the lowest bits.
#[inline(always)]
fn nearest(value: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()).cast_signed()
}

#[cfg(test)]
mod tests;
