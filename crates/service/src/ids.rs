//! Random ids: of requests, of audit records, of keys.

use crate::ports::{Entropy, EntropyUnavailable};

/// A random UUID (RFC 9562, version 4) as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uuid([u8; 36]);

impl Uuid {
    /// Makes a UUID of sixteen random bytes.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in bytes.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = hex_digit(byte >> 4);
            text[at + 1] = hex_digit(byte & 15);
            at += 2;
        }
        Self(text)
    }

    /// Draws a UUID.
    ///
    /// # Errors
    /// [`EntropyUnavailable`].
    pub fn draw(entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        Ok(Self::from_random(bytes))
    }

    /// Reads the text of a UUID, of which nothing but the form is checked.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 36] = text.as_bytes().try_into().ok()?;
        let formed = bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
        formed.then_some(Self(bytes))
    }

    /// Another UUID, as random as this one: its first digit differs by `by`, from 1 to 15.
    fn varied(self, by: u8) -> Self {
        let mut text = self.0;
        let digit = char::from(text[0]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        text[0] = hex_digit(digit.unwrap_or_default() ^ by);
        Self(text)
    }

    /// The text, in lower case with hyphens.
    pub fn as_str(&self) -> &str {
        // Only ASCII gets into the array.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The digit of a byte's lower half.
pub(crate) fn hex_digit(nibble: u8) -> u8 {
    b"0123456789abcdef"[usize::from(nibble & 15)]
}

/// The ids of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    request: Uuid,
    event: Uuid,
}

impl Ids {
    /// Draws both ids, by one call of the generator.
    ///
    /// # Errors
    /// [`EntropyUnavailable`].
    pub fn draw(entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
        let mut bytes = [[0; 16]; 2];
        entropy.fill(bytes.as_flattened_mut())?;
        let [request, event] = bytes.map(Uuid::from_random);
        Ok(Self { request, event })
    }

    /// Reads the ids of a record.
    pub fn parse(request: &str, event: &str) -> Option<Self> {
        Some(Self { request: Uuid::parse(request)?, event: Uuid::parse(event)? })
    }

    /// The request's id: `x-amzn-RequestId`.
    pub fn request(&self) -> &str {
        self.request.as_str()
    }

    /// The audit record's id.
    pub fn event(&self) -> &str {
        self.event.as_str()
    }

    /// The id that the records of several accounts of this request share.
    pub(crate) fn shared(&self) -> Uuid {
        self.event.varied(15)
    }

    /// The id of the record for the account of that number among those that have one beside the
    /// caller's. There are never more than a request names keys.
    pub(crate) fn event_for(&self, number: u8) -> Uuid {
        self.event.varied(1 + number % 14)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_their_version_and_variant() {
        assert_eq!(Uuid::from_random([0; 16]).as_str(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(Uuid::from_random([0xff; 16]).as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn the_ids_of_one_requests_records_differ() {
        let request = Uuid::from_random([0xab; 16]);
        let ids = Ids { request, event: Uuid::from_random([0xf0; 16]) };
        let all = [ids.event, ids.shared(), ids.event_for(0), ids.event_for(1)];
        for (index, id) in all.iter().enumerate() {
            assert_eq!(Uuid::parse(id.as_str()), Some(*id));
            assert!(!all[..index].contains(id));
        }
        assert_eq!(ids.shared().as_str(), "00f0f0f0-f0f0-40f0-b0f0-f0f0f0f0f0f0");
    }

    #[test]
    fn uuids_are_read_back() {
        let uuid = Uuid::from_random([0x5a; 16]);
        assert_eq!(Uuid::parse(uuid.as_str()), Some(uuid));
        for text in [
            "",
            "00000000-0000-4000-8000-00000000000",
            "00000000-0000-4000-8000-0000000000000",
            "00000000_0000-4000-8000-000000000000",
            "00000000-0000-4000-8000-00000000000F",
            "00000000-0000-4000-8000-0000000000\u{e9}",
        ] {
            assert_eq!(Uuid::parse(text), None, "{text}");
        }
    }
}
