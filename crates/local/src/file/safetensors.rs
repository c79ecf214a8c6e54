//! Safetensors of BERT models: a head in JSON that says where each tensor lies. Read row by row, because a whole file
//! is several times as large as what is kept of it.

use crate::bert::{Part, Shape, Source, Words};
use crate::cpu::Cpu;
use crate::error::Fault;
use crate::file;
use crate::file::quantised::Kept;
use crate::matrix::{Grain, Matrix};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

const MAX_HEAD_BYTES: u64 = 16 << 20;
/// Rows that are read at once.
const ROWS: usize = 256;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

struct Tensor {
    form: Vec<usize>,
    kept: Kept,
    begin: u64,
}

/// The file after its head was read.
pub(crate) struct Safetensors {
    file: File,
    tensors: HashMap<String, Tensor>,
    shape: Shape,
}

impl Safetensors {
    /// `n_heads` and `epsilon` are not in such a file; `config.json` beside it says them.
    pub(crate) fn open(
        path: &Path,
        n_heads: Option<usize>,
        epsilon: Option<f32>,
    ) -> Result<Self, Fault> {
        let (mut file, length) = file::open(path)?;
        let mut head_bytes = [0; 8];
        file.read_exact(&mut head_bytes)?;
        let head_bytes = u64::from_le_bytes(head_bytes);
        let data = 8 + head_bytes.min(MAX_HEAD_BYTES);
        if head_bytes > MAX_HEAD_BYTES || data > length {
            return Err(Fault::Content("its head is longer than it can be"));
        }
        let mut head = vec![0; head_bytes as usize];
        file.read_exact(&mut head)?;
        let head: HashMap<String, serde_json::Value> = serde_json::from_slice(&head)
            .map_err(|_| Fault::Content("its head is not that of safetensors"))?;
        let mut tensors = HashMap::new();
        for (name, entry) in head {
            if name == "__metadata__" {
                continue;
            }
            let entry: Entry = serde_json::from_value(entry)
                .map_err(|_| Fault::Content("a tensor in its head has no form"))?;
            let kept = match entry.dtype.as_str() {
                "F32" => Kept::F32,
                "F16" => Kept::F16,
                "BF16" => Kept::Bf16,
                // Numbers of positions and the like, which are not weights.
                _ => continue,
            };
            let n = entry.shape.iter().try_fold(1_usize, |n, size| n.checked_mul(*size));
            let size = n.and_then(|n| kept.bytes(n)).map(|size| size as u64);
            let (begin, end) = entry.data_offsets;
            if size.is_none() || end.checked_sub(begin) != size || end > length - data {
                return Err(Fault::Content(
                    "a tensor lies beyond its end, or is not as large as its form",
                ));
            }
            let name = name.strip_prefix("bert.").unwrap_or(&name).to_owned();
            tensors.insert(name, Tensor { form: entry.shape, kept, begin: data + begin });
        }
        let form = |part: Part| match tensors.get(&name(part)).map(|tensor| tensor.form.as_slice())
        {
            Some([rows, columns]) => Ok((*rows, *columns)),
            _ => Err(Fault::Content("a tensor of BERT is missing")),
        };
        let (n_words, hidden) = form(Part::Words)?;
        let shape = Shape {
            n_words,
            hidden,
            n_positions: form(Part::Positions)?.0,
            inner: form(Part::Up(0))?.0,
            n_layers: (0..)
                .take_while(|layer| tensors.contains_key(&name(Part::Up(*layer))))
                .count(),
            // The heads of all small models of this kind have 32 columns.
            n_heads: n_heads.unwrap_or(hidden / 32),
            epsilon: epsilon.unwrap_or(1e-12),
        };
        Ok(Self { file, tensors, shape })
    }
}

impl Source for Safetensors {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn rows(
        &mut self,
        part: Part,
        n_rows: usize,
        n_columns: usize,
        each: &mut dyn FnMut(&[f32]),
    ) -> Result<(), Fault> {
        let tensor =
            self.tensors.get(&name(part)).ok_or(Fault::Content("a tensor of BERT is missing"))?;
        let sound = match tensor.form.as_slice() {
            [columns] => n_rows == 1 && *columns == n_columns,
            // Of the kinds of text only the first is used.
            [rows, columns] => {
                *columns == n_columns && (*rows == n_rows || part == Part::Kinds && *rows > n_rows)
            }
            _ => false,
        };
        let size = tensor.kept.bytes(n_columns).filter(|_| sound);
        let size = size.ok_or(Fault::Content("a tensor has another form than the model"))?;
        self.file.seek(SeekFrom::Start(tensor.begin))?;
        let (mut bytes, mut row) = (vec![0; size * ROWS.min(n_rows)], vec![0.0; n_columns]);
        let mut left = n_rows;
        while left > 0 {
            let bytes = &mut bytes[..size * ROWS.min(left)];
            self.file.read_exact(bytes)?;
            for bytes in bytes.chunks_exact(size) {
                tensor.kept.read(bytes, &mut row);
                each(&row);
            }
            left -= ROWS.min(left);
        }
        Ok(())
    }

    fn words(&mut self) -> Result<Words, Fault> {
        let (cpu, shape) = (Cpu::detect(), self.shape);
        let mut words = Matrix::new(shape.hidden, shape.n_words, Grain::Coarse);
        self.rows(Part::Words, shape.n_words, shape.hidden, &mut |row| words.push(cpu, row))?;
        Ok(Words::Packed(words))
    }
}

/// What `transformers` calls it.
pub(crate) fn name(part: Part) -> String {
    let (layer, name) = match part {
        Part::Words => return "embeddings.word_embeddings.weight".into(),
        Part::Positions => return "embeddings.position_embeddings.weight".into(),
        Part::Kinds => return "embeddings.token_type_embeddings.weight".into(),
        Part::FirstNorm => return "embeddings.LayerNorm.weight".into(),
        Part::FirstNormBias => return "embeddings.LayerNorm.bias".into(),
        Part::Query(layer) => (layer, "attention.self.query.weight"),
        Part::QueryBias(layer) => (layer, "attention.self.query.bias"),
        Part::Key(layer) => (layer, "attention.self.key.weight"),
        Part::KeyBias(layer) => (layer, "attention.self.key.bias"),
        Part::Value(layer) => (layer, "attention.self.value.weight"),
        Part::ValueBias(layer) => (layer, "attention.self.value.bias"),
        Part::Mix(layer) => (layer, "attention.output.dense.weight"),
        Part::MixBias(layer) => (layer, "attention.output.dense.bias"),
        Part::MixNorm(layer) => (layer, "attention.output.LayerNorm.weight"),
        Part::MixNormBias(layer) => (layer, "attention.output.LayerNorm.bias"),
        Part::Up(layer) => (layer, "intermediate.dense.weight"),
        Part::UpBias(layer) => (layer, "intermediate.dense.bias"),
        Part::Down(layer) => (layer, "output.dense.weight"),
        Part::DownBias(layer) => (layer, "output.dense.bias"),
        Part::DownNorm(layer) => (layer, "output.LayerNorm.weight"),
        Part::DownNormBias(layer) => (layer, "output.LayerNorm.bias"),
    };
    format!("encoder.layer.{layer}.{name}")
}
