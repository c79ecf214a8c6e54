//! Which instructions this machine has, found out once, while the program itself is built for the oldest machine.
//! Leaves out what is computed with them: `kernel.rs` and `math.rs`.

use pulp::NullaryFnOnce;
#[cfg(target_arch = "x86_64")]
use pulp::x86::V3;

/// The instructions that hot loops are compiled for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cpu {
    /// AVX2 and FMA: nearly every x86-64 machine since 2013.
    #[cfg(target_arch = "x86_64")]
    Wide(V3),
    /// What the target always has.
    Plain,
}

impl Cpu {
    /// Asks the machine.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = V3::try_new() {
            return Self::Wide(wide);
        }
        Self::Plain
    }

    /// Runs a loop. What it calls must be `#[inline(always)]`, or it is compiled for the oldest machine after all.
    pub(crate) fn run<Loop: NullaryFnOnce>(self, body: Loop) -> Loop::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Wide(wide) => wide.vectorize(body),
            Self::Plain => body.call(),
        }
    }
}
