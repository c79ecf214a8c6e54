//! Files of models. Every number in them is looked at before it is believed: nothing is allocated that the file does
//! not itself hold. One file per format: `e5.rs`, `safetensors.rs`, `gguf.rs`.

pub(crate) mod e5;
pub(crate) mod gguf;
pub(crate) mod quantised;
pub(crate) mod safetensors;

use crate::error::Fault;
use std::io::Read;
use std::path::Path;

/// Larger files are not small models.
const MAX_FILE_BYTES: u64 = 2 << 30;

/// A whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let (mut file, length) = open(path)?;
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(length as usize)
        .map_err(|_| Fault::Content("it is larger than the free memory"))?;
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file of a believable size.
pub(crate) fn open(path: &Path) -> Result<(std::fs::File, u64), Fault> {
    let file = std::fs::File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(Fault::Content("it is not a file"));
    }
    if about.len() > MAX_FILE_BYTES {
        return Err(Fault::Content("it is larger than 2 GiB"));
    }
    Ok((file, about.len()))
}

/// Reads one thing after the other, and never past the end.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) =
            self.rest.split_at_checked(n).ok_or(Fault::Content("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// How many of `length` bytes were read.
    pub(crate) fn position(&self, length: usize) -> usize {
        length - self.rest.len()
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn f32(&mut self) -> Result<f32, Fault> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    /// A whole number that must lie within bounds.
    pub(crate) fn within(
        &mut self,
        bounds: std::ops::RangeInclusive<u32>,
        what: &'static str,
    ) -> Result<usize, Fault> {
        let number = self.u32()?;
        if bounds.contains(&number) { Ok(number as usize) } else { Err(Fault::Content(what)) }
    }

    /// `n` words of four bytes.
    pub(crate) fn words(
        &mut self,
        n: usize,
    ) -> Result<impl ExactSizeIterator<Item = [u8; 4]> + use<'a>, Fault> {
        let bytes = self.take(n.checked_mul(4).ok_or(Fault::Content("a count is too large"))?)?;
        Ok(bytes.as_chunks::<4>().0.iter().copied())
    }
}
