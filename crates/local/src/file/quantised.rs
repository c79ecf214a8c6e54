//! The formats in which others keep weights: blocks of 32 with a scale, half floats.

/// How numbers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    F32,
    F16,
    Bf16,
    /// A scale and 32 times four bits, counted from -8.
    Q4_0,
    /// A scale, the smallest number, and 32 times four bits.
    Q4_1,
    /// A scale and 32 signed bytes.
    Q8_0,
}

impl Kept {
    /// Numbers that are kept together, and their bytes.
    pub(crate) fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::Bf16 => (1, 2),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q8_0 => (32, 34),
        }
    }

    /// The bytes of `n` numbers, when they are whole blocks.
    pub(crate) fn bytes(self, n: usize) -> Option<usize> {
        let (numbers, bytes) = self.block();
        if n.is_multiple_of(numbers) { (n / numbers).checked_mul(bytes) } else { None }
    }

    /// Reads as many numbers as `out` has room for.
    pub(crate) fn read(self, bytes: &[u8], out: &mut [f32]) {
        let (numbers, size) = self.block();
        for (out, block) in out.chunks_exact_mut(numbers).zip(bytes.chunks_exact(size)) {
            match (self, block) {
                (Self::F32, &[a, b, c, d]) => out[0] = f32::from_le_bytes([a, b, c, d]),
                (Self::F16, &[a, b]) => out[0] = half(a, b),
                (Self::Bf16, &[a, b]) => out[0] = f32::from_le_bytes([0, 0, a, b]),
                (Self::Q4_0, &[a, b, ref nibbles @ ..]) => {
                    let scale = half(a, b);
                    spread(nibbles, out, |nibble| (f32::from(nibble) - 8.0) * scale);
                }
                (Self::Q4_1, &[a, b, c, d, ref nibbles @ ..]) => {
                    let (scale, least) = (half(a, b), half(c, d));
                    spread(nibbles, out, |nibble| f32::from(nibble) * scale + least);
                }
                (Self::Q8_0, &[a, b, ref levels @ ..]) => {
                    let scale = half(a, b);
                    for (out, level) in out.iter_mut().zip(levels) {
                        *out = f32::from(level.cast_signed()) * scale;
                    }
                }
                // The sizes above leave nothing else.
                _ => out.fill(0.0),
            }
        }
    }
}

/// The low halves of the bytes come first, then the high halves.
fn spread(nibbles: &[u8], out: &mut [f32], value: impl Fn(u8) -> f32) {
    let (low, high) = out.split_at_mut(16);
    for ((low, high), byte) in low.iter_mut().zip(high).zip(nibbles) {
        *low = value(byte & 15);
        *high = value(byte >> 4);
    }
}

/// A half float, its low byte first.
fn half(low: u8, high: u8) -> f32 {
    let bits = u32::from(u16::from_le_bytes([low, high]));
    let (sign, exponent, fraction) = ((bits & 0x8000) << 16, bits >> 10 & 31, bits & 0x3ff);
    let size = match exponent {
        // Too small for an exponent: fractions of 2⁻²⁴.
        0 => fraction as f32 / 16_777_216.0,
        31 => f32::from_bits(0x7f80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    f32::from_bits(size.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_are_read() {
        for (bits, right) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
        ] {
            let [low, high] = u16::to_le_bytes(bits);
            assert_eq!(half(low, high), right, "{bits:04x}");
        }
        assert!(half(0, 0x7c).is_infinite() && half(1, 0x7c).is_nan());
    }

    #[test]
    fn every_kind_of_block_is_read() {
        let mut bytes = vec![0x00, 0x38]; // 0.5
        bytes.extend(0..16);
        let mut out = [0.0; 32];
        Kept::Q4_0.read(&bytes, &mut out);
        assert_eq!((out[0], out[15], out[16]), (-4.0, 3.5, -4.0));
        let mut bytes = vec![0x00, 0x38, 0x00, 0x3c];
        bytes.extend([0x21; 16]);
        Kept::Q4_1.read(&bytes, &mut out);
        assert_eq!((out[0], out[31]), (1.5, 2.0));
        let mut bytes = vec![0x00, 0x38];
        bytes.extend([0x80; 32]);
        Kept::Q8_0.read(&bytes, &mut out);
        assert_eq!(out[31], -64.0);
        let mut one = [0.0];
        Kept::Bf16.read(&[0x80, 0x3f], &mut one);
        assert_eq!(one, [1.0]);
        assert_eq!(
            (Kept::Q4_1.bytes(64), Kept::Q8_0.bytes(33), Kept::F16.bytes(3)),
            (Some(40), None, Some(6))
        );
    }
}
