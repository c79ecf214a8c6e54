//! An encoder of the BERT kind: tokens in, one vector out (the mean over all of them, of length 1).
//! Leaves out where its weights come from (`Source`) and how text becomes tokens.

use crate::cpu::Cpu;
use crate::error::Fault;
use crate::file::quantised::Kept;
use crate::math::{self, Head};
use crate::matrix::{Grain, Matrix, Packed};
use pulp::NullaryFnOnce;

/// The measures of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) n_words: usize,
    pub(crate) n_positions: usize,
    pub(crate) hidden: usize,
    pub(crate) inner: usize,
    pub(crate) n_layers: usize,
    pub(crate) n_heads: usize,
    pub(crate) epsilon: f32,
}

impl Shape {
    /// Whether these can be the measures of a small model: nothing is allocated by them before.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let sound = (1..=1 << 20).contains(&self.n_words)
            && (3..=8192).contains(&self.n_positions)
            && (32..=2048).contains(&self.hidden)
            && self.hidden.is_multiple_of(32)
            && (32..=8192).contains(&self.inner)
            && self.inner.is_multiple_of(32)
            && (1..=48).contains(&self.n_layers)
            && (1..=64).contains(&self.n_heads)
            && self.hidden.is_multiple_of(self.n_heads)
            && (0.0..=0.1).contains(&self.epsilon);
        if sound {
            Ok(())
        } else {
            Err(Fault::Content("its measures are not those of a small model"))
        }
    }
}

/// Every tensor that a model of this kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Words,
    Positions,
    Kinds,
    FirstNorm,
    FirstNormBias,
    Query(usize),
    QueryBias(usize),
    Key(usize),
    KeyBias(usize),
    Value(usize),
    ValueBias(usize),
    Mix(usize),
    MixBias(usize),
    MixNorm(usize),
    MixNormBias(usize),
    Up(usize),
    UpBias(usize),
    Down(usize),
    DownBias(usize),
    DownNorm(usize),
    DownNormBias(usize),
}

/// Where weights come from: a file of some format.
pub(crate) trait Source {
    fn shape(&self) -> Shape;
    /// Hands out each of `n_rows` rows of `n_columns`.
    fn rows(
        &mut self,
        part: Part,
        n_rows: usize,
        n_columns: usize,
        each: &mut dyn FnMut(&[f32]),
    ) -> Result<(), Fault>;
    /// The table of words, as it will be kept.
    fn words(&mut self) -> Result<Words, Fault>;
}

/// The table of words. Only rows that are looked up are made into numbers.
pub(crate) enum Words {
    /// As bytes of a file.
    Kept { kept: Kept, bytes: Vec<u8> },
    /// As a matrix of our own.
    Packed(Matrix),
}

impl Words {
    fn row(&self, index: usize, out: &mut [f32]) {
        match self {
            Self::Kept { kept, bytes } => {
                // The size of the whole table was checked when it was made, so that this is there.
                let size = kept.bytes(out.len()).unwrap_or(0);
                kept.read(bytes.get(index * size..(index + 1) * size).unwrap_or(&[]), out);
            }
            Self::Packed(matrix) => matrix.row(index, out),
        }
    }
}

struct Normal {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Layer {
    /// Query, key and value as one matrix.
    see: Matrix,
    see_bias: Vec<f32>,
    mix: Matrix,
    mix_bias: Vec<f32>,
    mix_norm: Normal,
    up: Matrix,
    up_bias: Vec<f32>,
    down: Matrix,
    down_bias: Vec<f32>,
    down_norm: Normal,
}

/// A model that is ready.
pub(crate) struct Bert {
    cpu: Cpu,
    shape: Shape,
    words: Words,
    /// What each position adds, with what the only kind of text adds.
    positions: Vec<f32>,
    first_norm: Normal,
    layers: Vec<Layer>,
    room: Room,
}

/// Memory that is used again for every text.
#[derive(Default)]
struct Room {
    packed: Packed,
    state: Vec<f32>,
    seen: Vec<f32>,
    mixed: Vec<f32>,
    inner: Vec<f32>,
    out: Vec<f32>,
    scores: Vec<f32>,
    turned: Vec<f32>,
}

impl Bert {
    /// Takes all weights out of a source.
    pub(crate) fn read(source: &mut dyn Source) -> Result<Self, Fault> {
        let shape = source.shape();
        shape.check()?;
        let (hidden, inner, cpu) = (shape.hidden, shape.inner, Cpu::detect());
        let mut positions = vector(source, Part::Positions, shape.n_positions * hidden, hidden)?;
        let kind = vector(source, Part::Kinds, hidden, hidden)?;
        positions.chunks_exact_mut(hidden).for_each(|position| math::add(position, &kind));
        let first_norm = normal(source, Part::FirstNorm, Part::FirstNormBias, hidden)?;
        let mut layers = Vec::with_capacity(shape.n_layers);
        for at in 0..shape.n_layers {
            let mut see = Matrix::new(hidden, hidden * 3, Grain::Coarse);
            let mut see_bias = Vec::with_capacity(hidden * 3);
            for (part, bias) in [
                (Part::Query(at), Part::QueryBias(at)),
                (Part::Key(at), Part::KeyBias(at)),
                (Part::Value(at), Part::ValueBias(at)),
            ] {
                source.rows(part, hidden, hidden, &mut |row| see.push(cpu, row))?;
                see_bias.extend(vector(source, bias, hidden, hidden)?);
            }
            layers.push(Layer {
                see,
                see_bias,
                mix: matrix(source, Part::Mix(at), hidden, hidden)?,
                mix_bias: vector(source, Part::MixBias(at), hidden, hidden)?,
                mix_norm: normal(source, Part::MixNorm(at), Part::MixNormBias(at), hidden)?,
                up: matrix(source, Part::Up(at), inner, hidden)?,
                up_bias: vector(source, Part::UpBias(at), inner, inner)?,
                down: matrix(source, Part::Down(at), hidden, inner)?,
                down_bias: vector(source, Part::DownBias(at), hidden, hidden)?,
                down_norm: normal(source, Part::DownNorm(at), Part::DownNormBias(at), hidden)?,
            });
        }
        let words = source.words()?;
        Ok(Self {
            cpu: Cpu::detect(),
            shape,
            words,
            positions,
            first_norm,
            layers,
            room: Room::default(),
        })
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The mean of what the tokens come to, of no particular length. Tokens beyond the last position are not looked at.
    pub(crate) fn encode(&mut self, tokens: &[u32]) -> Vec<f32> {
        let (hidden, inner, epsilon, cpu) =
            (self.shape.hidden, self.shape.inner, self.shape.epsilon, self.cpu);
        let tokens = &tokens[..tokens.len().min(self.shape.n_positions)];
        let n = tokens.len();
        let room = &mut self.room;
        room.state.resize(n * hidden, 0.0);
        room.seen.resize(n * hidden * 3, 0.0);
        room.mixed.resize(n * hidden, 0.0);
        room.inner.resize(n * inner, 0.0);
        room.out.resize(n * hidden, 0.0);
        for ((state, token), position) in
            room.state.chunks_exact_mut(hidden).zip(tokens).zip(self.positions.chunks_exact(hidden))
        {
            self.words.row((*token as usize).min(self.shape.n_words - 1), state);
            math::add(state, position);
        }
        cpu.run(Normalise { rows: &mut room.state, more: None, norm: &self.first_norm, epsilon });
        for layer in &self.layers {
            room.packed.fill(cpu, &room.state, &layer.see);
            layer.see.multiply(cpu, &room.packed, Some(&layer.see_bias), &mut room.seen);
            let size = hidden / self.shape.n_heads;
            let (scores, turned) = (&mut room.scores, &mut room.turned);
            cpu.run(Attend {
                seen: &room.seen,
                hidden,
                size,
                scores,
                turned,
                out: &mut room.mixed,
            });
            room.packed.fill(cpu, &room.mixed, &layer.mix);
            layer.mix.multiply(cpu, &room.packed, Some(&layer.mix_bias), &mut room.out);
            cpu.run(Normalise {
                rows: &mut room.state,
                more: Some(&room.out),
                norm: &layer.mix_norm,
                epsilon,
            });
            room.packed.fill(cpu, &room.state, &layer.up);
            layer.up.multiply(cpu, &room.packed, Some(&layer.up_bias), &mut room.inner);
            cpu.run(Gelu(&mut room.inner));
            room.packed.fill(cpu, &room.inner, &layer.down);
            layer.down.multiply(cpu, &room.packed, Some(&layer.down_bias), &mut room.out);
            cpu.run(Normalise {
                rows: &mut room.state,
                more: Some(&room.out),
                norm: &layer.down_norm,
                epsilon,
            });
        }
        let mut mean = vec![0.0; hidden];
        room.state.chunks_exact(hidden).for_each(|row| math::add(&mut mean, row));
        mean.iter_mut().for_each(|value| *value /= n.max(1) as f32);
        mean
    }
}

fn vector(
    source: &mut dyn Source,
    part: Part,
    n: usize,
    n_columns: usize,
) -> Result<Vec<f32>, Fault> {
    let mut values = Vec::with_capacity(n);
    source.rows(part, n / n_columns, n_columns, &mut |row| values.extend_from_slice(row))?;
    Ok(values)
}

fn matrix(
    source: &mut dyn Source,
    part: Part,
    n_rows: usize,
    n_columns: usize,
) -> Result<Matrix, Fault> {
    let (mut matrix, cpu) = (Matrix::new(n_columns, n_rows, Grain::Coarse), Cpu::detect());
    source.rows(part, n_rows, n_columns, &mut |row| matrix.push(cpu, row))?;
    Ok(matrix)
}

fn normal(source: &mut dyn Source, weight: Part, bias: Part, n: usize) -> Result<Normal, Fault> {
    Ok(Normal { weight: vector(source, weight, n, n)?, bias: vector(source, bias, n, n)? })
}

struct Normalise<'a> {
    rows: &'a mut [f32],
    more: Option<&'a [f32]>,
    norm: &'a Normal,
    epsilon: f32,
}

impl NullaryFnOnce for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        math::add_and_normalise(
            self.rows,
            self.more,
            &self.norm.weight,
            &self.norm.bias,
            self.epsilon,
        );
    }
}

struct Gelu<'a>(&'a mut [f32]);

impl NullaryFnOnce for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        math::gelu(self.0);
    }
}

struct Attend<'a> {
    /// Rows of query, key and value.
    seen: &'a [f32],
    hidden: usize,
    size: usize,
    scores: &'a mut Vec<f32>,
    turned: &'a mut Vec<f32>,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { seen, hidden, size, scores, turned, out } = self;
        let (width, n) = (hidden * 3, out.len() / hidden);
        scores.resize(n, 0.0);
        for query_at in (0..hidden).step_by(size) {
            let head = Head { size, query_at, key_at: query_at, key_width: width };
            head.turn(&seen[hidden..], n, turned);
            for (row, out) in seen.chunks_exact(width).zip(out.chunks_exact_mut(hidden)) {
                head.look_turned(row, turned, &seen[hidden * 2..], scores, out);
            }
        }
    }
}
