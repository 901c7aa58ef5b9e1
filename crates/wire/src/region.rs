//! Region names.

use std::fmt;

/// A Region's name, such as `us-east-1`: 1 to 32 lower-case letters, digits and hyphens.
///
/// Any such name is a Region; which ones a server serves is its configuration's affair.
///
/// Text in place, since every request names one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region {
    /// The name, and zeros behind it, which order as nothing does.
    text: [u8; LENGTH_MAX],
    length: usize,
}

/// How long a name may be.
const LENGTH_MAX: usize = 32;

impl Region {
    /// The Region of that name, unless the name breaks the bounds (RegionType of the KMS model,
    /// without its demand for a trailing number: sovereign sites name their own Regions).
    pub fn parse(name: &str) -> Option<Self> {
        let valid = (1..=LENGTH_MAX).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && name.as_bytes()[0].is_ascii_lowercase();
        valid.then(|| {
            let mut text = [0; LENGTH_MAX];
            text[..name.len()].copy_from_slice(name.as_bytes());
            Self { text, length: name.len() }
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        // Only ASCII gets into the array.
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded() {
        for name in ["us-east-1", "eu", "rack-42-north"] {
            assert!(Region::parse(name).is_some(), "{name}");
        }
        for name in ["", "US-EAST-1", "a/b", "a b", "-a", "1a", &"x".repeat(33), "é"] {
            assert!(Region::parse(name).is_none(), "{name}");
        }
    }
}
