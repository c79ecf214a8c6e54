//! A decoder of the Llama kind: tokens in, for the last of them what may come next. Remembers what it has looked at, so
//! that a conversation that goes on is not read again from its start. Leaves out text: `chat.rs`.

use crate::cpu::Cpu;
use crate::error::Fault;
use crate::file::gguf::Gguf;
use crate::math::{self, Head};
use crate::matrix::{Grain, Matrix, Packed};
use pulp::NullaryFnOnce;

/// Tokens that are read at once: so many that every weight is used often, so few that they stay near.
const READ_AT_ONCE: usize = 48;

#[derive(Clone, Copy, Debug)]
struct Shape {
    n_words: usize,
    hidden: usize,
    inner: usize,
    n_layers: usize,
    n_heads: usize,
    n_key_heads: usize,
    context: usize,
    epsilon: f32,
    rotation: f32,
}

impl Shape {
    fn read(file: &Gguf) -> Result<Self, Fault> {
        let missing = || Fault::Content("a measure of the model is missing");
        let number = |name: &str| file.number(&format!("llama.{name}")).ok_or_else(missing);
        let shape = Self {
            n_words: file.texts("tokenizer.ggml.tokens").len(),
            hidden: number("embedding_length")?,
            inner: number("feed_forward_length")?,
            n_layers: number("block_count")?,
            n_heads: number("attention.head_count")?,
            n_key_heads: number("attention.head_count_kv")?,
            context: number("context_length")?,
            epsilon: file.real("llama.attention.layer_norm_rms_epsilon").ok_or_else(missing)?,
            rotation: file.real("llama.rope.freq_base").unwrap_or(10_000.0),
        };
        let sound = (1..=1 << 20).contains(&shape.n_words)
            && (32..=4096).contains(&shape.hidden)
            && shape.hidden.is_multiple_of(32)
            && (32..=16384).contains(&shape.inner)
            && shape.inner.is_multiple_of(32)
            && (1..=64).contains(&shape.n_layers)
            && (1..=64).contains(&shape.n_heads)
            && (1..=shape.n_heads).contains(&shape.n_key_heads)
            && shape.n_heads.is_multiple_of(shape.n_key_heads)
            && shape.hidden.is_multiple_of(shape.n_heads)
            && shape.head().is_multiple_of(2)
            && shape.context >= 16
            && (0.0..=0.1).contains(&shape.epsilon)
            && shape.rotation > 1.0
            && file.number("llama.rope.dimension_count").is_none_or(|n| n == shape.head());
        if sound {
            Ok(shape)
        } else {
            Err(Fault::Content("its measures are not those of a small model"))
        }
    }

    fn head(&self) -> usize {
        self.hidden / self.n_heads
    }

    /// Columns of a row of keys, and of values.
    fn keys(&self) -> usize {
        self.n_key_heads * self.head()
    }
}

struct Layer {
    see_norm: Vec<f32>,
    /// Query, key and value as one matrix.
    see: Matrix,
    mix: Matrix,
    inner_norm: Vec<f32>,
    /// Gate and up as one matrix.
    up: Matrix,
    down: Matrix,
    /// What was looked at: a row per token.
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// A model that is ready.
pub(crate) struct Llama {
    cpu: Cpu,
    shape: Shape,
    words: Matrix,
    /// What makes words of the end; without it, `words` does.
    output: Option<Matrix>,
    output_norm: Vec<f32>,
    layers: Vec<Layer>,
    /// The tokens whose keys and values are remembered.
    seen: Vec<u32>,
    room: Room,
}

/// Memory that is used again for every token.
#[derive(Default)]
struct Room {
    packed: Packed,
    state: Vec<f32>,
    normal: Vec<f32>,
    seen: Vec<f32>,
    mixed: Vec<f32>,
    inner: Vec<f32>,
    gated: Vec<f32>,
    out: Vec<f32>,
    scores: Vec<f32>,
    logits: Vec<f32>,
}

impl Llama {
    pub(crate) fn read(file: &Gguf) -> Result<Self, Fault> {
        if file.text("general.architecture") != Some("llama") {
            return Err(Fault::Content("it is not a model of the Llama kind"));
        }
        let (cpu, shape) = (Cpu::detect(), Shape::read(file)?);
        let matrix = |names: &[&str], rows: &[usize], n_columns: usize| -> Result<Matrix, Fault> {
            let mut matrix = Matrix::new(n_columns, 0, Grain::Fine);
            for (name, n_rows) in names.iter().zip(rows) {
                file.rows(name, *n_rows, n_columns, &mut |row| matrix.push(cpu, row))?;
            }
            matrix.shrink();
            Ok(matrix)
        };
        let vector = |name: &str| -> Result<Vec<f32>, Fault> {
            let mut values = Vec::new();
            file.rows(name, 1, shape.hidden, &mut |row| values.extend_from_slice(row))?;
            Ok(values)
        };
        let mut layers = Vec::new();
        for at in 0..shape.n_layers {
            let name = |part: &str| format!("blk.{at}.{part}.weight");
            let (hidden, inner, keys) = (shape.hidden, shape.inner, shape.keys());
            layers.push(Layer {
                see_norm: vector(&name("attn_norm"))?,
                see: matrix(
                    &[&name("attn_q"), &name("attn_k"), &name("attn_v")],
                    &[hidden, keys, keys],
                    hidden,
                )?,
                mix: matrix(&[&name("attn_output")], &[hidden], hidden)?,
                inner_norm: vector(&name("ffn_norm"))?,
                up: matrix(&[&name("ffn_gate"), &name("ffn_up")], &[inner, inner], hidden)?,
                down: matrix(&[&name("ffn_down")], &[hidden], inner)?,
                keys: Vec::new(),
                values: Vec::new(),
            });
        }
        let words = matrix(&["token_embd.weight"], &[shape.n_words], shape.hidden)?;
        let output = match file.has("output.weight") {
            true => Some(matrix(&["output.weight"], &[shape.n_words], shape.hidden)?),
            false => None,
        };
        let output_norm = vector("output_norm.weight")?;
        Ok(Self {
            cpu,
            shape,
            words,
            output,
            output_norm,
            layers,
            seen: Vec::new(),
            room: Room::default(),
        })
    }

    /// How many tokens the model was taught to look at.
    pub(crate) fn context(&self) -> usize {
        self.shape.context
    }

    /// Forgets all that does not begin `tokens`, and says how many are remembered. The last is always looked at anew,
    /// because what comes after it is asked for.
    pub(crate) fn rewind(&mut self, tokens: &[u32]) -> usize {
        let same = self.seen.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        let n = same.min(tokens.len().saturating_sub(1));
        self.seen.truncate(n);
        for layer in &mut self.layers {
            layer.keys.truncate(n * self.shape.keys());
            layer.values.truncate(n * self.shape.keys());
        }
        n
    }

    /// Gives back the memory of what was looked at, when it is much.
    pub(crate) fn forget_much(&mut self, n_tokens: usize) {
        if self.seen.len() > n_tokens {
            self.seen = Vec::new();
            for layer in &mut self.layers {
                (layer.keys, layer.values) = (Vec::new(), Vec::new());
            }
        }
    }

    /// Looks at some more tokens, a few at a time. `go_on` is asked in between; false ends it early.
    pub(crate) fn look(&mut self, tokens: &[u32], go_on: &mut dyn FnMut() -> bool) -> bool {
        for tokens in tokens.chunks(READ_AT_ONCE) {
            if !go_on() {
                return false;
            }
            self.read_some(tokens);
        }
        true
    }

    /// How likely each token is to come next, as the model says it.
    pub(crate) fn next(&mut self) -> &mut [f32] {
        let (cpu, hidden, room) = (self.cpu, self.shape.hidden, &mut self.room);
        let last = room.state.len().saturating_sub(hidden);
        room.normal.resize(hidden, 0.0);
        math::normalise_square(
            &room.state[last..],
            &self.output_norm,
            self.shape.epsilon,
            &mut room.normal,
        );
        let output = self.output.as_ref().unwrap_or(&self.words);
        room.packed.fill(cpu, &room.normal, output);
        room.logits.resize(self.shape.n_words, 0.0);
        output.multiply(cpu, &room.packed, None, &mut room.logits);
        &mut room.logits
    }

    fn read_some(&mut self, tokens: &[u32]) {
        let Self { cpu, shape, room, .. } = self;
        let (cpu, shape, n) = (*cpu, *shape, tokens.len());
        let (hidden, inner, epsilon) = (shape.hidden, shape.inner, shape.epsilon);
        let width = hidden + shape.keys() * 2;
        let first = self.seen.len();
        room.state.resize(n * hidden, 0.0);
        room.normal.resize(n * hidden, 0.0);
        room.seen.resize(n * width, 0.0);
        room.mixed.resize(n * hidden, 0.0);
        room.inner.resize(n * inner * 2, 0.0);
        room.gated.resize(n * inner, 0.0);
        room.out.resize(n * hidden, 0.0);
        for (state, token) in room.state.chunks_exact_mut(hidden).zip(tokens) {
            self.words.row((*token as usize).min(shape.n_words - 1), state);
        }
        let turns = turns(shape, first, n);
        for layer in &mut self.layers {
            cpu.run(Normalise {
                rows: &room.state,
                weight: &layer.see_norm,
                epsilon,
                out: &mut room.normal,
            });
            room.packed.fill(cpu, &room.normal, &layer.see);
            layer.see.multiply(cpu, &room.packed, None, &mut room.seen);
            for (row, turns) in
                room.seen.chunks_exact_mut(width).zip(turns.chunks_exact(shape.head() / 2))
            {
                rotate(&mut row[..hidden + shape.keys()], turns);
                layer.keys.extend_from_slice(&row[hidden..hidden + shape.keys()]);
                layer.values.extend_from_slice(&row[hidden + shape.keys()..]);
            }
            let (scores, out) = (&mut room.scores, &mut room.mixed);
            cpu.run(Attend { shape, first, seen: &room.seen, layer, scores, out });
            room.packed.fill(cpu, &room.mixed, &layer.mix);
            layer.mix.multiply(cpu, &room.packed, None, &mut room.out);
            math::add(&mut room.state, &room.out);
            cpu.run(Normalise {
                rows: &room.state,
                weight: &layer.inner_norm,
                epsilon,
                out: &mut room.normal,
            });
            room.packed.fill(cpu, &room.normal, &layer.up);
            layer.up.multiply(cpu, &room.packed, None, &mut room.inner);
            cpu.run(Gate { both: &room.inner, inner, out: &mut room.gated });
            room.packed.fill(cpu, &room.gated, &layer.down);
            layer.down.multiply(cpu, &room.packed, None, &mut room.out);
            math::add(&mut room.state, &room.out);
        }
        self.seen.extend_from_slice(tokens);
    }
}

/// Sine and cosine for every pair of columns of a head, for `n` positions.
fn turns(shape: Shape, first: usize, n: usize) -> Vec<(f32, f32)> {
    let pairs = shape.head() / 2;
    let mut turns = Vec::with_capacity(n * pairs);
    for position in first..first + n {
        for pair in 0..pairs {
            let speed = shape.rotation.powf(-(pair as f32) / pairs as f32);
            turns.push((position as f32 * speed).sin_cos());
        }
    }
    turns
}

/// Turns neighbouring columns as pairs, head after head.
fn rotate(row: &mut [f32], turns: &[(f32, f32)]) {
    for head in row.chunks_exact_mut(turns.len() * 2) {
        for (pair, (sin, cos)) in head.as_chunks_mut::<2>().0.iter_mut().zip(turns) {
            let [a, b] = *pair;
            *pair = [a * cos - b * sin, a * sin + b * cos];
        }
    }
}

struct Normalise<'a> {
    rows: &'a [f32],
    weight: &'a [f32],
    epsilon: f32,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        math::normalise_square(self.rows, self.weight, self.epsilon, self.out);
    }
}

struct Gate<'a> {
    both: &'a [f32],
    inner: usize,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Gate<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (both, out) in
            self.both.chunks_exact(self.inner * 2).zip(self.out.chunks_exact_mut(self.inner))
        {
            math::silu_times(&both[..self.inner], &both[self.inner..], out);
        }
    }
}

struct Attend<'a> {
    shape: Shape,
    first: usize,
    seen: &'a [f32],
    layer: &'a Layer,
    scores: &'a mut Vec<f32>,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { shape, first, seen, layer, scores, out } = self;
        let (size, key_width) = (shape.head(), shape.keys());
        let rows =
            seen.chunks_exact(shape.hidden + key_width * 2).zip(out.chunks_exact_mut(shape.hidden));
        for (index, (row, out)) in rows.enumerate() {
            scores.resize(first + index + 1, 0.0);
            for head in 0..shape.n_heads {
                let key_at = head / (shape.n_heads / shape.n_key_heads) * size;
                let head = Head { size, query_at: head * size, key_at, key_width };
                head.look(row, &layer.keys, &layer.values, scores, out);
            }
        }
    }
}
