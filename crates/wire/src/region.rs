//! Region names.

use std::fmt;

/// A Region's name, such as `us-east-1`: 1 to 32 lower-case letters, digits and hyphens.
///
/// Any such name is a Region; which ones a server serves is its configuration's affair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

impl Region {
    /// The Region of that name, unless the name breaks the bounds (RegionType of the KMS model,
    /// without its demand for a trailing number: sovereign sites name their own Regions).
    pub fn parse(name: &str) -> Option<Self> {
        let valid = (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && name.as_bytes()[0].is_ascii_lowercase();
        valid.then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
