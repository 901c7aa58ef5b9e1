//! A seal key from a passphrase: Argon2id (RFC 9106).
//!
//! It owns the bounds of the parameters. It must not know how long a passphrase has to be, nor
//! where the parameters are kept.

use std::hint::black_box;
use std::ops::RangeInclusive;

use argon2::{Algorithm, Argon2, Params, Version};

use super::{LEN, SealKey};
use crate::Error;
use crate::memory::{Locked, Scratch};

/// The length of a salt, in bytes (RFC 9106, 3.1: 16 are recommended).
pub const SALT: usize = 16;

/// What an attempt at a passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl PassphraseCost {
    /// 256 MiB, 3 passes, 4 lanes: four times the memory of RFC 9106's second recommendation, for
    /// a secret that is asked for once a start.
    pub const RECOMMENDED: Self = Self { memory_kib: 256 * 1024, passes: 3, lanes: 4 };

    /// The bounds of memory in KiB, of passes and of lanes. Less memory is no obstacle to a
    /// graphics card; more of anything would let a forged record hold the start up.
    const MEMORY_KIB: RangeInclusive<u32> = 8 * 1024..=2 * 1024 * 1024;
    const PASSES: RangeInclusive<u32> = 1..=16;
    const LANES: RangeInclusive<u32> = 1..=16;

    /// The cost of so much memory (in KiB, 8 MiB to 2 GiB), passes (1 to 16) and lanes (1 to 16);
    /// none out of these bounds.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let within = Self::MEMORY_KIB.contains(&memory_kib)
            && Self::PASSES.contains(&passes)
            && Self::LANES.contains(&lanes);
        within.then_some(Self { memory_kib, passes, lanes })
    }

    /// The memory, in KiB.
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// How often the memory is gone through.
    pub fn passes(self) -> u32 {
        self.passes
    }

    /// How many lanes the memory is divided in.
    pub fn lanes(self) -> u32 {
        self.lanes
    }
}

impl SealKey {
    /// The key that a passphrase gives. It takes as long and as much memory as `cost` says.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::MemoryNotLocked`], [`Error::Library`].
    pub fn from_passphrase(
        passphrase: &[u8],
        salt: &[u8; SALT],
        cost: PassphraseCost,
    ) -> Result<Self, Error> {
        // Argon2 and its hash leave parts of their input and output on the stack.
        let key = derive(passphrase, salt, cost);
        overwrite_stack();
        key
    }
}

/// More than Argon2's frames take, in bytes.
const OVERWRITTEN: usize = 128 * 1024;

/// Writes zeros where the frames of the last call were.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "its place on the stack is what it is for")]
fn overwrite_stack() {
    black_box(&mut [0_u8; OVERWRITTEN]);
}

#[inline(never)]
fn derive(
    passphrase: &[u8],
    salt: &[u8; SALT],
    PassphraseCost { memory_kib, passes, lanes }: PassphraseCost,
) -> Result<SealKey, Error> {
    let params = Params::new(memory_kib, passes, lanes, Some(LEN)).map_err(|_| Error::Library)?;
    let mut scratch = Scratch::of(params.block_count())?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let key = Locked::filled(LEN, |slot| {
        argon2
            .hash_password_into_with_memory(passphrase, salt, slot, scratch.blocks_mut())
            .map_err(|_| Error::Library)
    })?;
    Ok(SealKey::from_locked(key))
}
