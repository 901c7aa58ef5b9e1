//! Secret memory: slots on pages that are locked into RAM and left out of core dumps and forks.
//!
//! It owns the pages and who holds which slot. It must not know what a secret means. Pages are
//! mapped when they are needed, because the limit on locked memory can be as low as 64 KiB, and
//! are kept for the life of the process, so the memory held is that of the busiest moment.
//! Pages that can't be touched stand on both sides of every chunk: a read or write that runs
//! past it ends the process instead of reaching a secret.
#![allow(unsafe_code, reason = "mapped pages are reached by pointer; nothing else in here is")]

use std::ptr::{self, NonNull};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, slice};

use argon2::Block;
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};
use zeroize::Zeroize;

use crate::Error;

/// Sizes of slots double from 32 bytes, a symmetric key, to 8 KiB, more than the PKCS#8 form of
/// the largest RSA key.
const SMALLEST_SLOT: usize = 32;
const SIZES: usize = 9;
const LARGEST_SLOT: usize = SMALLEST_SLOT << (SIZES - 1);

/// Chunks of one slot size double up to this length, so that a million keys need few mappings
/// (each costs three of the 65,530 that a process may have).
const LARGEST_CHUNK: usize = 1024 * 1024;

/// The one arena of the process.
static ARENA: Arena = Arena::new();

/// A secret that this value owns. Its bytes are overwritten when it is dropped.
pub(crate) struct Locked {
    slot: Slot,
    len: usize,
}

impl Locked {
    /// Takes `len` bytes and lets `fill` write the secret where it will stay, so that no copy
    /// is left behind elsewhere. The bytes are zero when `fill` sees them.
    ///
    /// # Errors
    /// The arena's, or what `fill` returns; whatever was written is wiped then.
    pub(crate) fn filled<E: From<Error>>(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut locked = Self { slot: ARENA.take(len)?, len };
        fill(&mut locked.slot.bytes_mut()[..len])?;
        Ok(locked)
    }

    /// The secret. Whoever calls this must not copy it to memory that isn't wiped.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.slot.bytes()[..self.len]
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        ARENA.give_back(&mut self.slot);
    }
}

/// Memory for one computation that needs far more than the arena has: the blocks of Argon2.
///
/// It is left out of core dumps and forks, locked if the limit on locked memory allows it, and
/// overwritten and given back to the kernel when this is dropped.
pub(crate) struct Scratch {
    start: NonNull<Block>,
    blocks: usize,
}

impl Scratch {
    /// Maps room for `blocks` blocks of zeros.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub(crate) fn of(blocks: usize) -> Result<Self, Error> {
        let bytes = blocks.saturating_mul(size_of::<Block>());
        let refused = |errno| Error::NoMemory { bytes, source: io::Error::from(errno) };
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: without an address and MAP_FIXED the kernel gives new pages, which nobody uses.
        let base = unsafe {
            rustix::mm::mmap_anonymous(ptr::null_mut(), bytes, access, MapFlags::PRIVATE)
        }
        .map_err(refused)?;
        let start = NonNull::new(base.cast()).ok_or(refused(rustix::io::Errno::NOMEM))?;
        let scratch = Self { start, blocks };
        // SAFETY: the pages are ours, and neither call changes their content.
        unsafe {
            rustix::mm::madvise(base, bytes, Advice::LinuxDontDump).map_err(refused)?;
            rustix::mm::madvise(base, bytes, Advice::LinuxDontFork).map_err(refused)?;
            // Few systems let that much be locked; what is computed here is worth less than a key
            // for as long as it is needed, and wiped after it.
            let _ = rustix::mm::mlock(base, bytes);
        }
        Ok(scratch)
    }

    pub(crate) fn blocks_mut(&mut self) -> &mut [Block] {
        // SAFETY: the mapping has room for that many blocks and is aligned to a page, a block is
        // integers, for which zeros are values, and `&mut self` keeps every other borrow away.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.blocks) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.blocks_mut().iter_mut().zeroize();
        let bytes = self.blocks * size_of::<Block>();
        // SAFETY: the mapping is ours, and nothing borrows from a value that is being dropped. If
        // unmapping fails, zeros stay mapped.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), bytes) };
    }
}

/// A part of a chunk with one owner at a time: the free list, or one `Locked`.
struct Slot {
    start: NonNull<u8>,
    size_index: usize,
}

// SAFETY: a slot is plain memory that is never unmapped and has one owner; nothing of it
// belongs to a thread.
unsafe impl Send for Slot {}
// SAFETY: a shared slot can only be read; writing takes `&mut`.
unsafe impl Sync for Slot {}

impl Slot {
    const fn len(&self) -> usize {
        SMALLEST_SLOT << self.size_index
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: `start` points to `len` initialised bytes of a chunk that stays mapped for
        // the life of the process, and the slot's one owner lends them out.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len()) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` keeps every other borrow away.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len()) }
    }
}

/// The free slots of every size, each behind a lock of its own.
struct Arena {
    sizes: [Mutex<Free>; SIZES],
}

/// The free slots of one size. They are listed outside the slots, so that a slot holds nothing
/// but zeros while it is free.
struct Free {
    slots: Vec<Slot>,
    /// Free or not. `slots` always has room for all, so giving one back never allocates.
    mapped: usize,
}

impl Arena {
    const fn new() -> Self {
        Self { sizes: [const { Mutex::new(Free { slots: Vec::new(), mapped: 0 }) }; SIZES] }
    }

    /// Nothing panics under the lock, and a list of free slots is whole at every point.
    fn free(&self, size_index: usize) -> MutexGuard<'_, Free> {
        self.sizes[size_index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, len: usize) -> Result<Slot, Error> {
        if len > LARGEST_SLOT {
            return Err(Error::SecretTooLarge { bytes: len });
        }
        let doublings = len.next_power_of_two().max(SMALLEST_SLOT) / SMALLEST_SLOT;
        let size_index = doublings.trailing_zeros() as usize;
        let mut free = self.free(size_index);
        if let Some(slot) = free.slots.pop() {
            return Ok(slot);
        }
        free.grow(size_index)
    }

    /// Wipes the slot and makes it free. The caller must never touch its `Slot` again: it is
    /// borrowed, not moved, only because `drop` can't give its fields away.
    fn give_back(&self, slot: &mut Slot) {
        slot.bytes_mut().zeroize();
        let Slot { start, size_index } = *slot;
        self.free(size_index).slots.push(Slot { start, size_index });
    }
}

impl Free {
    /// Maps a chunk as large as all that this size has so far and returns one of its slots;
    /// under a tight limit, the smallest chunk that holds a slot.
    fn grow(&mut self, size_index: usize) -> Result<Slot, Error> {
        let slot_len = SMALLEST_SLOT << size_index;
        let smallest = slot_len.next_multiple_of(rustix::param::page_size());
        let wanted = (self.mapped * slot_len).clamp(smallest, LARGEST_CHUNK.max(smallest));
        let (chunk, chunk_len) = match map_chunk(wanted) {
            Ok(chunk) => (chunk, wanted),
            Err(_) if wanted > smallest => (map_chunk(smallest)?, smallest),
            Err(refused) => return Err(refused),
        };
        let count = chunk_len / slot_len;
        self.mapped += count;
        self.slots.reserve_exact(self.mapped - self.slots.len());
        for index in 1..count {
            // SAFETY: `index * slot_len` stays below `chunk_len`.
            let start = unsafe { chunk.add(index * slot_len) };
            self.slots.push(Slot { start, size_index });
        }
        Ok(Slot { start: chunk, size_index })
    }
}

/// Maps `len` bytes (whole pages) of zeros between two guard pages.
fn map_chunk(len: usize) -> Result<NonNull<u8>, Error> {
    let guard = rustix::param::page_size();
    let total = len + 2 * guard;
    let refused = |errno: rustix::io::Errno| Error::MemoryNotLocked {
        bytes: len,
        source: io::Error::from(errno),
    };
    // SAFETY: without an address and MAP_FIXED the kernel gives new pages, which nobody uses.
    let base = unsafe {
        rustix::mm::mmap_anonymous(ptr::null_mut(), total, ProtFlags::empty(), MapFlags::PRIVATE)
    }
    .map_err(refused)?;
    // SAFETY: the mapping has `total` bytes, more than `guard`.
    let body = unsafe { base.cast::<u8>().add(guard) };
    // SAFETY: `body` and `len` are whole pages inside the mapping, which nobody else uses yet.
    if let Err(errno) = unsafe { protect(body, len) } {
        // SAFETY: the mapping is ours and no pointer into it was given away. If unmapping
        // fails, pages without content stay mapped, which harms nothing.
        let _ = unsafe { rustix::mm::munmap(base, total) };
        return Err(refused(errno));
    }
    NonNull::new(body).ok_or(refused(rustix::io::Errno::NOMEM))
}

/// Opens the pages for reading and writing, locks them and hides them from dumps and forks.
/// A child process would get a copy that is not locked.
///
/// # Safety
/// `start` and `len` must be whole pages of a private mapping that nobody else uses.
unsafe fn protect(start: *mut u8, len: usize) -> rustix::io::Result<()> {
    let start = start.cast();
    // SAFETY: the caller gives whole pages that nobody uses; none of the calls changes content.
    unsafe {
        rustix::mm::mprotect(start, len, MprotectFlags::READ | MprotectFlags::WRITE)?;
        rustix::mm::madvise(start, len, Advice::LinuxDontDump)?;
        rustix::mm::madvise(start, len, Advice::LinuxDontFork)?;
        rustix::mm::mlock(start, len)
    }
}

#[cfg(test)]
mod tests;
