//! The kinds of seals, and what a passphrase must be like.
//!
//! Must not know how a kind is opened.

use std::fmt;

use zeroize::Zeroizing;

/// The fewest characters of a passphrase (NIST SP 800-63B-4, 3.1.1.2: 15 for a secret that stands
/// alone).
pub const PASSPHRASE_MIN: usize = 15;
/// The longest passphrase that is taken, in bytes.
pub(crate) const PASSPHRASE_MAX: usize = 1024;

/// How a seal protects its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A passphrase, through Argon2id.
    Passphrase,
    /// Some of several shares.
    Shares,
    /// A file that holds the key.
    KeyFile,
    /// A key of AWS KMS, or of another Strongroom.
    Kms,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Passphrase, Self::Shares, Self::KeyFile, Self::Kms];

    /// Its name, as records, commands and metrics have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Shares => "shares",
            Self::KeyFile => "key-file",
            Self::Kms => "kms",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The passphrase that a file or a pipe holds: all of it, apart from one line break at its end,
/// which editors and `echo` write and nobody types. None if it isn't UTF-8.
pub fn passphrase_from_file(content: &[u8]) -> Option<Zeroizing<String>> {
    let text = str::from_utf8(content).ok()?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    Some(Zeroizing::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_name_their_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("PASSPHRASE"), None);
    }

    #[test]
    fn one_line_break_at_the_end_of_a_file_is_no_part_of_the_passphrase() {
        let read = |content| passphrase_from_file(content).map(|text| text.to_string());
        assert_eq!(read(b"a b \n").as_deref(), Some("a b "));
        assert_eq!(read(b"a\r\n").as_deref(), Some("a"));
        assert_eq!(read(b"a\n\n").as_deref(), Some("a\n"));
        assert_eq!(read(b" a").as_deref(), Some(" a"));
        assert_eq!(read(b"\xff\n"), None);
    }
}
