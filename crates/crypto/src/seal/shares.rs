//! A seal key in shares, of which some number gives it back: Shamir's secret sharing over GF(2^8),
//! and the text in which a person keeps a share.
//!
//! It owns that text. It must not know who holds a share or which seal it is of.

use std::convert::Infallible;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use rand_core::{TryCryptoRng, TryRng};
use vsss_rs::{DefaultShare, Gf256, IdentifierGf256, ReadableShareSet, Share as _};
use zeroize::Zeroizing;

use super::{LEN, SealKey};
use crate::derive::{self, Label};
use crate::memory::Locked;
use crate::parsed::lock;
use crate::{Error, ShareRejection, random};

/// The most shares that a seal key is split into.
pub const SHARES_MAX: u8 = 32;

/// What every share begins with, so that people and programs that look for secrets know it.
const PREFIX: &str = "SRS1-";
const VERSION: u8 = 1;

/// The bytes of a share: version, set, threshold, number, value, checksum. 45 bytes are 72 letters
/// of base 32 without a rest, so every text that decodes is the only one of its bytes.
const SET: usize = 5;
const SET_AT: usize = 1;
const THRESHOLD_AT: usize = SET_AT + SET;
const NUMBER_AT: usize = THRESHOLD_AT + 1;
const VALUE_AT: usize = NUMBER_AT + 1;
const CHECKSUM_AT: usize = VALUE_AT + LEN;
const CHECKSUM: usize = 5;
const BYTES: usize = CHECKSUM_AT + CHECKSUM;

/// The letters of the text, in groups.
const LETTERS: usize = BYTES * 8 / 5;
const GROUP: usize = 6;
/// The longest text that is looked at, in bytes: letters, prefix, and what people put between.
const TEXT_MAX: usize = 256;

/// Crockford's base 32: no letter that is taken for a digit is in it, and those that are, are
/// read as the digit.
static LETTERS_OF: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut form = Specification::new();
    form.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    form.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    form.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    form.encoding().ok()
});

type Point = DefaultShare<IdentifierGf256, IdentifierGf256>;

/// One share of a seal key. It tells nothing about the key; as many as the threshold give it.
pub struct Share {
    set: [u8; SET],
    threshold: u8,
    number: u8,
    value: Locked,
}

impl SealKey {
    /// Splits the key into `count` shares, numbered from 1, of which any `threshold` give it back.
    /// They are a set of their own, however often a key is split.
    ///
    /// # Errors
    /// [`Error::ShareRejected`] unless 2 <= `threshold` <= `count` <= [`SHARES_MAX`];
    /// [`Error::Random`], [`Error::Library`], [`Error::MemoryNotLocked`].
    pub fn split(&self, threshold: u8, count: u8) -> Result<Vec<Share>, Error> {
        if threshold < 2 || threshold > count || count > SHARES_MAX {
            return Err(ShareRejection::Bounds.into());
        }
        let mut set = [0; SET];
        random::fill(&mut set)?;
        // The key is split byte by byte, so that the library, which knows no locked memory, never
        // holds more than one byte of it or of a share.
        let mut drawn = Drawn::enough_for(threshold)?;
        let values = Locked::filled(LEN * usize::from(count), |slot| {
            for (index, byte) in self.locked().expose().iter().enumerate() {
                split_byte(*byte, threshold, count, &mut drawn, |holder, value| {
                    slot[holder * LEN + index] = value;
                })?;
            }
            Ok::<_, Error>(())
        })?;
        if drawn.short {
            return Err(Error::Random);
        }
        let each = values.expose().chunks_exact(LEN).zip(1..=count);
        each.map(|(value, number)| Ok(Share { set, threshold, number, value: lock(value)? }))
            .collect()
    }

    /// The key that the shares give. Whether it is the right one shows when it opens something: a
    /// share with a forged value gives another key.
    ///
    /// # Errors
    /// [`Error::ShareRejected`] if they aren't of one set, if one is there twice, or if they are
    /// too few; [`Error::Library`], [`Error::MemoryNotLocked`].
    pub fn combine(shares: &[&Share]) -> Result<Self, Error> {
        let given = shares.len();
        let first = shares.first().ok_or(ShareRejection::TooFew { given, threshold: 2 })?;
        for (index, share) in shares.iter().enumerate() {
            if (share.set, share.threshold) != (first.set, first.threshold) {
                return Err(ShareRejection::OtherSet.into());
            }
            if shares[..index].iter().any(|other| other.number == share.number) {
                return Err(ShareRejection::Duplicate { number: share.number }.into());
            }
        }
        if given < usize::from(first.threshold) {
            let threshold = first.threshold;
            return Err(ShareRejection::TooFew { given, threshold }.into());
        }
        let key = Locked::filled(LEN, |slot| {
            for (index, byte) in slot.iter_mut().enumerate() {
                let points: Vec<Point> = shares.iter().map(|share| share.point(index)).collect();
                let mut value = IdentifierGf256::ZERO;
                points.combine_in_place(&mut value).map_err(|_| Error::Library)?;
                *byte = value.0.0;
            }
            Ok::<_, Error>(())
        })?;
        Ok(Self::from_locked(key))
    }
}

impl Share {
    /// Reads a share from its text, as a person types it: in either case, with or without
    /// hyphens and spaces, with the letters that are taken for digits.
    ///
    /// # Errors
    /// [`Error::ShareRejected`], which tells what is no share at all from what was mistyped;
    /// [`Error::MemoryNotLocked`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let letters = letters(text).ok_or(ShareRejection::NotAShare)?;
        let encoding = LETTERS_OF.as_ref().ok_or(Error::Library)?;
        let bytes = Locked::filled(BYTES, |slot| {
            let read = encoding.decode_mut(&letters, slot);
            read.map(|_| ()).map_err(|_| Error::from(ShareRejection::NotAShare))
        })?;
        let bytes = bytes.expose();
        if bytes[CHECKSUM_AT..] != checksum(&bytes[..CHECKSUM_AT])? {
            return Err(ShareRejection::Mistyped.into());
        }
        if bytes[0] != VERSION {
            return Err(ShareRejection::Version { found: bytes[0] }.into());
        }
        let (threshold, number) = (bytes[THRESHOLD_AT], bytes[NUMBER_AT]);
        if !(2..=SHARES_MAX).contains(&threshold) || !(1..=SHARES_MAX).contains(&number) {
            return Err(ShareRejection::Bounds.into());
        }
        let mut set = [0; SET];
        set.copy_from_slice(&bytes[SET_AT..THRESHOLD_AT]);
        Ok(Self { set, threshold, number, value: lock(&bytes[VALUE_AT..CHECKSUM_AT])? })
    }

    /// The text that a person keeps: 88 letters, digits and hyphens, wiped when it is dropped.
    ///
    /// # Errors
    /// [`Error::Library`], [`Error::MemoryNotLocked`].
    pub fn text(&self) -> Result<Zeroizing<String>, Error> {
        let bytes = Locked::filled(BYTES, |slot| {
            slot[0] = VERSION;
            slot[SET_AT..THRESHOLD_AT].copy_from_slice(&self.set);
            slot[THRESHOLD_AT] = self.threshold;
            slot[NUMBER_AT] = self.number;
            slot[VALUE_AT..CHECKSUM_AT].copy_from_slice(self.value.expose());
            let sum = checksum(&slot[..CHECKSUM_AT])?;
            slot[CHECKSUM_AT..].copy_from_slice(&sum);
            Ok::<_, Error>(())
        })?;
        let encoding = LETTERS_OF.as_ref().ok_or(Error::Library)?;
        let mut letters = Zeroizing::new([0; LETTERS]);
        encoding.encode_mut(bytes.expose(), &mut letters[..]);
        let mut text = Zeroizing::new(String::with_capacity(TEXT_MAX));
        text.push_str(PREFIX);
        for (index, letter) in letters.iter().enumerate() {
            if index > 0 && index % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(*letter));
        }
        Ok(text)
    }

    /// Which set it is of: ten hexadecimal digits, the same for all shares that were made together.
    pub fn set(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.set)
    }

    /// How many shares of the set give the key.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// Its number in the set, from 1.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// A public identifier of the whole share: by it a wrong share is known before there are enough
    /// of them, and it tells nothing about the share.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn id(&self) -> Result<[u8; 32], Error> {
        let mut id = [0; derive::DERIVED];
        let context = [&self.set[..], &[self.threshold, self.number]].concat();
        derive::fill(&self.value, Label::SHARE_ID, &context, &mut id)?;
        Ok(id)
    }

    #[cfg(test)]
    pub(crate) fn value(&self) -> &Locked {
        &self.value
    }

    /// The point of the polynomial of that byte of the key.
    fn point(&self, index: usize) -> Point {
        let value = self.value.expose().get(index).copied().unwrap_or_default();
        Point::with_identifier_and_value(
            IdentifierGf256(Gf256(self.number)),
            IdentifierGf256(Gf256(value)),
        )
    }
}

/// Splits one byte and tells of each holder, counted from 0, what it gets.
fn split_byte(
    byte: u8,
    threshold: u8,
    count: u8,
    drawn: &mut Drawn,
    mut give: impl FnMut(usize, u8),
) -> Result<(), Error> {
    // The library numbers holders from 1 and puts the number before the value.
    let points = Gf256::split_bytes(usize::from(threshold), usize::from(count), [byte], drawn)
        .map_err(|_| Error::Library)?;
    for (holder, point) in points.into_iter().map(Zeroizing::new).enumerate() {
        let &[number, value] = point.as_slice() else { return Err(Error::Library) };
        if usize::from(number) != holder + 1 || holder >= usize::from(count) {
            return Err(Error::Library);
        }
        give(holder, value);
    }
    Ok(())
}

/// The letters of a share's text behind its prefix, without what people put between them; none if
/// they are too many, too few, or behind another prefix.
fn letters(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim();
    let prefix = text.get(..PREFIX.len()).filter(|prefix| prefix.eq_ignore_ascii_case(PREFIX));
    if prefix.is_none() || text.len() > TEXT_MAX {
        return None;
    }
    let mut letters = Zeroizing::new(Vec::with_capacity(TEXT_MAX));
    let between = |byte: &u8| *byte == b'-' || byte.is_ascii_whitespace();
    letters.extend(text.as_bytes()[PREFIX.len()..].iter().filter(|byte| !between(byte)));
    (letters.len() == LETTERS).then_some(letters)
}

/// Finds 40 bits of typing errors; it is no protection against forgery.
fn checksum(before: &[u8]) -> Result<[u8; CHECKSUM], Error> {
    let mut sum = [0; CHECKSUM];
    let hash = Zeroizing::new(derive::hashed(before, Label::SHARE_CHECKSUM, b"")?);
    sum.copy_from_slice(&hash[..CHECKSUM]);
    Ok(sum)
}

/// Random numbers that were drawn before, because the library's generators can't fail and ours can.
struct Drawn {
    numbers: Locked,
    at: usize,
    /// More was asked for than was drawn. What was made with it must not be used.
    short: bool,
}

impl Drawn {
    /// As many as the polynomials of all bytes of a key have coefficients, at 32 bits each.
    fn enough_for(threshold: u8) -> Result<Self, Error> {
        let bytes = LEN * 4 * (usize::from(threshold) - 1);
        Ok(Self { numbers: Locked::filled(bytes, random::fill)?, at: 0, short: false })
    }
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        match self.numbers.expose().get(self.at..self.at + bytes.len()) {
            Some(drawn) => bytes.copy_from_slice(drawn),
            None => self.short = true,
        }
        self.at += bytes.len();
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

#[cfg(test)]
mod tests;
