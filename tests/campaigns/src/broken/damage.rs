//! Every cut and every turned bit.

use std::fmt;

/// How an input was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Only the first so many bytes are left.
    Cut(usize),
    /// One bit is another: which byte, which bit.
    Bit(usize, u8),
}

impl Damage {
    /// The damaged input.
    #[must_use]
    pub fn of(self, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Cut(length) => input[..length].to_vec(),
            Self::Bit(byte, bit) => {
                let mut turned = input.to_vec();
                turned[byte] ^= 1 << bit;
                turned
            }
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(length) => write!(f, "cut after {length}"),
            Self::Bit(byte, bit) => write!(f, "bit {bit} of byte {byte}"),
        }
    }
}

/// Of all damages to an input of so many bytes each `every`-th.
pub fn damages(bytes: usize, every: usize) -> impl Iterator<Item = Damage> {
    let cuts = (0..bytes).map(Damage::Cut);
    let bits = (0..bytes).flat_map(|byte| (0..8).map(move |bit| Damage::Bit(byte, bit)));
    cuts.chain(bits).step_by(every)
}
