//! GGUF, the format of llama.cpp: facts by name, then tensors by name. Reads what a small chat model needs and passes
//! over the rest.

use crate::error::Fault;
use crate::file::Bytes;
use crate::file::quantised::Kept;
use std::collections::HashMap;
use std::ops::Range;

/// What the file begins with.
pub(crate) const MAGIC: &[u8; 4] = b"GGUF";

const MAX_FACTS: u64 = 1024;
const MAX_TENSORS: u64 = 4096;
const MAX_ALIGNMENT: u64 = 1 << 16;

/// What is said about a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    Number(u64),
    Real(f64),
    Truth(bool),
    Text(String),
    Numbers(Vec<i64>),
    Texts(Vec<String>),
    /// Something that nobody here asks for.
    Other,
}

/// A tensor: its form, fastest changing first, and where its bytes are.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) form: Vec<usize>,
    pub(crate) kept: Kept,
    pub(crate) range: Range<usize>,
}

/// A file, read.
pub(crate) struct Gguf {
    facts: HashMap<String, Fact>,
    tensors: HashMap<String, Tensor>,
    bytes: Vec<u8>,
}

impl Gguf {
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Fault> {
        let mut from = Bytes::new(&bytes);
        if from.take(4)? != MAGIC {
            return Err(Fault::Content("it does not begin as GGUF does"));
        }
        if !(2..=3).contains(&from.u32()?) {
            return Err(Fault::Content("it is of an unknown version of GGUF"));
        }
        let (n_tensors, n_facts) = (from.u64()?, from.u64()?);
        if n_tensors > MAX_TENSORS || n_facts > MAX_FACTS {
            return Err(Fault::Content("its head counts more than a small model has"));
        }
        let mut facts = HashMap::new();
        for _ in 0..n_facts {
            let name = text(&mut from)?;
            let kind = from.u32()?;
            facts.insert(name, fact(&mut from, kind)?);
        }
        let mut heads = Vec::new();
        for _ in 0..n_tensors {
            let name = text(&mut from)?;
            let n = from.within(1..=4, "a tensor has an impossible number of dimensions")?;
            let mut form = Vec::new();
            for _ in 0..n {
                form.push(
                    usize::try_from(from.u64()?)
                        .map_err(|_| Fault::Content("a tensor is too large"))?,
                );
            }
            let kept = match from.u32()? {
                0 => Kept::F32,
                1 => Kept::F16,
                2 => Kept::Q4_0,
                3 => Kept::Q4_1,
                8 => Kept::Q8_0,
                30 => Kept::Bf16,
                _ => {
                    return Err(Fault::Content("a tensor is kept in a way that is not known here"));
                }
            };
            heads.push((name, form, kept, from.u64()?));
        }
        let alignment = match facts.get("general.alignment") {
            Some(Fact::Number(alignment)) if (1..=MAX_ALIGNMENT).contains(alignment) => *alignment,
            None => 32,
            Some(_) => return Err(Fault::Content("its alignment is out of bounds")),
        };
        let data = (from.position(bytes.len()) as u64).next_multiple_of(alignment);
        let mut tensors = HashMap::new();
        for (name, form, kept, offset) in heads {
            let n = form.iter().try_fold(1_usize, |n, size| n.checked_mul(*size));
            let range = n.and_then(|n| kept.bytes(n)).and_then(|size| {
                let begin = data.checked_add(offset)?;
                let end = begin.checked_add(size as u64)?;
                (end <= bytes.len() as u64).then_some(begin as usize..end as usize)
            });
            let range = range.ok_or(Fault::Content("a tensor lies beyond its end"))?;
            tensors.insert(name, Tensor { form, kept, range });
        }
        Ok(Self { facts, tensors, bytes })
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        match self.facts.get(name) {
            Some(Fact::Number(number)) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(crate) fn real(&self, name: &str) -> Option<f32> {
        match self.facts.get(name) {
            Some(Fact::Real(number)) => Some(*number as f32),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.facts.get(name) {
            Some(Fact::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn texts(&self, name: &str) -> &[String] {
        match self.facts.get(name) {
            Some(Fact::Texts(texts)) => texts,
            _ => &[],
        }
    }

    pub(crate) fn numbers(&self, name: &str) -> &[i64] {
        match self.facts.get(name) {
            Some(Fact::Numbers(numbers)) => numbers,
            _ => &[],
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Hands out each of `n_rows` rows of `n_columns` of a tensor that must have just these.
    pub(crate) fn rows(
        &self,
        name: &str,
        n_rows: usize,
        n_columns: usize,
        each: &mut dyn FnMut(&[f32]),
    ) -> Result<(), Fault> {
        let tensor = self.tensors.get(name).ok_or(Fault::Content("a tensor is missing"))?;
        let form: &[usize] = if n_rows == 1 { &[n_columns] } else { &[n_columns, n_rows] };
        let size = tensor.kept.bytes(n_columns).filter(|_| tensor.form == form);
        let size = size.ok_or(Fault::Content("a tensor has another form than the model"))?;
        let mut row = vec![0.0; n_columns];
        for bytes in self.bytes[tensor.range.clone()].chunks_exact(size) {
            tensor.kept.read(bytes, &mut row);
            each(&row);
        }
        Ok(())
    }
}

fn text(from: &mut Bytes<'_>) -> Result<String, Fault> {
    let length = usize::try_from(from.u64()?).map_err(|_| Fault::Content("a text is too long"))?;
    Ok(String::from_utf8_lossy(from.take(length)?).into_owned())
}

fn fact(from: &mut Bytes<'_>, kind: u32) -> Result<Fact, Fault> {
    Ok(match kind {
        6 => Fact::Real(f64::from(from.f32()?)),
        7 => Fact::Truth(from.u8()? != 0),
        8 => Fact::Text(text(from)?),
        9 => {
            let (kind, n) = (from.u32()?, from.u64()?);
            // Nothing is put aside for them beforehand: a count that is a lie meets the end of the file first.
            match kind {
                8 => {
                    let mut texts = Vec::new();
                    for _ in 0..n {
                        texts.push(text(from)?);
                    }
                    Fact::Texts(texts)
                }
                9 => return Err(Fault::Content("it holds lists of lists")),
                6 | 7 | 12 => {
                    let size = [4, 1, 8][usize::from(kind == 7) + 2 * usize::from(kind == 12)];
                    let length = usize::try_from(n).ok().and_then(|n| n.checked_mul(size));
                    from.take(length.ok_or(Fault::Content("a list is too long"))?)?;
                    Fact::Other
                }
                kind => {
                    let mut numbers = Vec::new();
                    for _ in 0..n {
                        numbers.push(whole(from, kind)?);
                    }
                    Fact::Numbers(numbers)
                }
            }
        }
        12 => Fact::Real(f64::from_bits(from.u64()?)),
        kind => Fact::Number(whole(from, kind)?.cast_unsigned()),
    })
}

fn whole(from: &mut Bytes<'_>, kind: u32) -> Result<i64, Fault> {
    Ok(match kind {
        0 => i64::from(from.u8()?),
        1 => i64::from(from.u8()?.cast_signed()),
        2 => i64::from(from.u16()?),
        3 => i64::from(from.u16()?.cast_signed()),
        4 => i64::from(from.u32()?),
        5 => i64::from(from.u32()?.cast_signed()),
        10 | 11 => from.u64()?.cast_signed(),
        _ => return Err(Fault::Content("it holds a kind of fact that is not known here")),
    })
}
