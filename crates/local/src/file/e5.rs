//! The 4-bit file of multilingual-e5-small: measures, vocabulary, a map that normalises characters, then tensors, of
//! which matrices are kept as Q4_0 and vectors as floats.

use crate::bert::{Part, Shape, Source, Words};
use crate::error::Fault;
use crate::file::Bytes;
use crate::file::quantised::Kept;
use crate::tokens::unigram::{Normaliser, Special, Unigram};
use std::collections::HashMap;
use std::ops::Range;

/// What the file begins with.
pub(crate) const MAGIC: &[u8; 4] = b"E5S1";

const MAX_PIECES: u32 = 1 << 20;
const MAX_TENSORS: u32 = 4096;

/// The file after its head was read.
pub(crate) struct E5 {
    shape: Shape,
    bytes: Vec<u8>,
    tensors: HashMap<String, (Kept, Range<usize>)>,
}

impl E5 {
    /// Reads the head and the vocabulary.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<(Self, Unigram), Fault> {
        let mut from = Bytes::new(&bytes);
        if from.take(4)? != MAGIC {
            return Err(Fault::Content(
                "it does not begin as a 4-bit file of multilingual-e5-small does",
            ));
        }
        from.u32()?; // the version; the tensors below are what counts
        let mut measure = || from.within(1..=1 << 21, "a measure in its head is out of bounds");
        let [hidden, n_layers, n_heads, inner, n_words, n_positions] =
            [measure()?, measure()?, measure()?, measure()?, measure()?, measure()?];
        from.u32()?; // the number of kinds of text, of which only the first is used
        let epsilon = from.f32()?;
        if from.u32()? != 32 {
            return Err(Fault::Content("its blocks are not of 32"));
        }
        let shape = Shape { n_words, n_positions, hidden, inner, n_layers, n_heads, epsilon };
        shape.check()?;

        let n_pieces =
            from.within(1..=MAX_PIECES, "the size of its vocabulary is out of bounds")?;
        let mut token =
            || from.within(0..=n_pieces as u32 - 1, "a token in its head is out of bounds");
        let (begin, end, _padding, unknown) =
            (token()? as u32, token()? as u32, token()?, token()? as u32);
        let text_bytes = usize::try_from(from.u64()?)
            .map_err(|_| Fault::Content("its vocabulary is too long"))?;
        let ends: Vec<u32> = from.words(n_pieces + 1)?.map(u32::from_le_bytes).collect();
        let scores: Vec<f32> = from.words(n_pieces)?.map(f32::from_le_bytes).collect();
        let text = from.take(text_bytes)?.to_vec();
        let normaliser = normaliser(&mut from)?;
        let vocabulary =
            Unigram::new(text, ends, scores, Special { begin, end, unknown }, normaliser)?;
        if vocabulary.n_pieces() > n_words {
            return Err(Fault::Content("its vocabulary is larger than its table of words"));
        }

        let mut tensors = HashMap::new();
        for _ in 0..from.within(1..=MAX_TENSORS, "the number of its tensors is out of bounds")? {
            let length = usize::from(from.u16()?);
            let name = String::from_utf8_lossy(from.take(length)?).into_owned();
            let kind = from.u8()?;
            let _n = from.u32()?;
            let (offset, length) = (from.u64()?, from.u64()?);
            let range = offset
                .checked_add(length)
                .filter(|end| *end <= bytes.len() as u64)
                .map(|end| offset as usize..end as usize)
                .ok_or(Fault::Content("a tensor lies beyond its end"))?;
            tensors.insert(name, (if kind == 0 { Kept::F32 } else { Kept::Q4_0 }, range));
        }
        Ok((Self { shape, bytes, tensors }, vocabulary))
    }

    fn find(&self, part: Part, n: usize) -> Result<(Kept, Range<usize>), Fault> {
        let (kept, range) =
            self.tensors.get(&name(part)).ok_or(Fault::Content("a tensor is missing"))?;
        // There are two kinds of text, of which only the first is used; every other tensor has exactly its size.
        let size = kept
            .bytes(n)
            .filter(|size| *size == range.len() || part == Part::Kinds && *size < range.len());
        let size = size.ok_or(Fault::Content("a tensor has another size than its head says"))?;
        Ok((*kept, range.start..range.start + size))
    }
}

impl Source for E5 {
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
        let (kept, range) = self.find(part, n_rows * n_columns)?;
        let size =
            kept.bytes(n_columns).ok_or(Fault::Content("a row is not made of whole blocks"))?;
        let mut row = vec![0.0; n_columns];
        for bytes in self.bytes[range].chunks_exact(size) {
            kept.read(bytes, &mut row);
            each(&row);
        }
        Ok(())
    }

    fn words(&mut self) -> Result<Words, Fault> {
        let (kept, range) = self.find(Part::Words, self.shape.n_words * self.shape.hidden)?;
        // Nothing else of the file is needed from here on: its memory becomes the table.
        let mut bytes = std::mem::take(&mut self.bytes);
        let length = range.len();
        bytes.copy_within(range, 0);
        bytes.truncate(length);
        bytes.shrink_to_fit();
        self.tensors.clear();
        Ok(Words::Kept { kept, bytes })
    }
}

/// Characters, each with those that take its place.
fn normaliser(from: &mut Bytes<'_>) -> Result<Normaliser, Fault> {
    let n = from.u32()?;
    let length = from.u32()? as usize;
    let mut from = Bytes::new(from.take(length)?);
    let mut map = Vec::new();
    for _ in 0..n {
        let character = from.u32()?;
        let n = usize::from(from.u8()?);
        let instead: Option<String> =
            from.words(n)?.map(|word| char::from_u32(u32::from_le_bytes(word))).collect();
        let instead = instead.ok_or(Fault::Content("its map of characters names what is none"))?;
        map.push((character, instead.into_boxed_str()));
    }
    Ok(Normaliser::map(map))
}

fn name(part: Part) -> String {
    let (layer, name) = match part {
        Part::Words => return "emb.word".into(),
        Part::Positions => return "emb.pos".into(),
        Part::Kinds => return "emb.type".into(),
        Part::FirstNorm => return "emb.ln.w".into(),
        Part::FirstNormBias => return "emb.ln.b".into(),
        Part::Query(layer) => (layer, "q.w"),
        Part::QueryBias(layer) => (layer, "q.b"),
        Part::Key(layer) => (layer, "k.w"),
        Part::KeyBias(layer) => (layer, "k.b"),
        Part::Value(layer) => (layer, "v.w"),
        Part::ValueBias(layer) => (layer, "v.b"),
        Part::Mix(layer) => (layer, "ao.w"),
        Part::MixBias(layer) => (layer, "ao.b"),
        Part::MixNorm(layer) => (layer, "aln.w"),
        Part::MixNormBias(layer) => (layer, "aln.b"),
        Part::Up(layer) => (layer, "fi.w"),
        Part::UpBias(layer) => (layer, "fi.b"),
        Part::Down(layer) => (layer, "fo.w"),
        Part::DownBias(layer) => (layer, "fo.b"),
        Part::DownNorm(layer) => (layer, "oln.w"),
        Part::DownNormBias(layer) => (layer, "oln.b"),
    };
    format!("l{layer}.{name}")
}
