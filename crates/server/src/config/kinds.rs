//! The kinds of value that a setting may have: syntax, bounds, and the text of each.
//!
//! A kind reads a value, shows one as the file would have it, and says in words what it takes.
//! Must not know which setting a value is for, nor where it was found.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::raw::{Raw, quoted};
use super::setting::Form;
use super::units::{self, DURATIONS, SIZES};

/// How many values a list may have.
const LIST_MAX: usize = 1_000;
/// How long a text may be, in bytes.
const TEXT_MAX: usize = 4_096;

/// A kind of value.
pub(super) trait Kind {
    /// What a value is in the program.
    type Value;

    /// How it is given on the command line.
    fn form(&self) -> Form {
        Form::One
    }

    /// What a value must be, in words that follow "must be".
    fn expected(&self) -> String;

    /// The value that a text stands for, if it stands for one.
    fn parse(&self, text: &str, directory: &Path) -> Option<Self::Value>;

    /// The value as the file would have it.
    fn show(&self, value: &Self::Value) -> String;

    /// The value; relative paths begin at the directory.
    ///
    /// # Errors
    /// What it must be, and what it is instead.
    fn read(&self, raw: &Raw, directory: &Path) -> Result<Self::Value, String> {
        let text = raw.text().filter(|text| text.len() <= TEXT_MAX);
        text.and_then(|text| self.parse(text, directory)).ok_or_else(|| self.refusal(raw))
    }

    /// What it must be, and what it is instead.
    fn refusal(&self, raw: &Raw) -> String {
        format!("must be {}, not {}", self.expected(), raw.shown())
    }
}

/// `true` or `false`.
pub(super) struct Switch;

impl Kind for Switch {
    type Value = bool;

    fn form(&self) -> Form {
        Form::Switch
    }

    fn expected(&self) -> String {
        "true or false".to_owned()
    }

    fn parse(&self, text: &str, _: &Path) -> Option<bool> {
        text.parse().ok()
    }

    fn show(&self, value: &bool) -> String {
        value.to_string()
    }

    fn read(&self, raw: &Raw, directory: &Path) -> Result<bool, String> {
        let value = match raw {
            Raw::Switch(value) => Some(*value),
            // In the file, "true" in quotation marks is a text.
            Raw::Text(_) => None,
            raw => raw.text().and_then(|text| self.parse(text, directory)),
        };
        value.ok_or_else(|| self.refusal(raw))
    }
}

/// How many: a whole number within bounds, both included.
pub(super) struct Count(pub(super) usize, pub(super) usize);

impl Kind for Count {
    type Value = usize;

    fn expected(&self) -> String {
        format!("a number from {} to {}", self.0, self.1)
    }

    fn parse(&self, text: &str, _: &Path) -> Option<usize> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && (self.0..=self.1).contains(number))
    }

    fn show(&self, value: &usize) -> String {
        value.to_string()
    }

    fn read(&self, raw: &Raw, directory: &Path) -> Result<usize, String> {
        let value = match raw {
            Raw::Number(number) => self.parse(&number.to_string(), directory),
            Raw::Text(_) => None,
            raw => raw.text().and_then(|text| self.parse(text, directory)),
        };
        value.ok_or_else(|| self.refusal(raw))
    }
}

/// A length of time within bounds, both included, in seconds.
pub(super) struct Time(pub(super) u64, pub(super) u64);

impl Kind for Time {
    type Value = Duration;

    fn expected(&self) -> String {
        let show = |seconds| units::show(seconds * units::SECOND, &DURATIONS);
        format!("a duration from {} to {}", show(self.0), show(self.1))
    }

    fn parse(&self, text: &str, _: &Path) -> Option<Duration> {
        let bounds = self.0 * units::SECOND..=self.1 * units::SECOND;
        let time = units::parse(text, &DURATIONS).filter(|time| bounds.contains(time))?;
        Some(Duration::from_millis(time))
    }

    fn show(&self, value: &Duration) -> String {
        // The bounds are far below what a `u64` holds.
        let milliseconds = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
        quoted(&units::show(milliseconds, &DURATIONS))
    }
}

/// A number of bytes within bounds, both included.
pub(super) struct Size(pub(super) u64, pub(super) u64);

impl Kind for Size {
    type Value = u64;

    fn expected(&self) -> String {
        let show = |bytes| units::show(bytes, &SIZES);
        format!("a size from {} to {}", show(self.0), show(self.1))
    }

    fn parse(&self, text: &str, _: &Path) -> Option<u64> {
        units::parse(text, &SIZES).filter(|size| (self.0..=self.1).contains(size))
    }

    fn show(&self, value: &u64) -> String {
        quoted(&units::show(*value, &SIZES))
    }
}

/// An IP address and a port.
pub(super) struct Address;

impl Kind for Address {
    type Value = SocketAddr;

    fn expected(&self) -> String {
        "an IP address with a port, such as 127.0.0.1:4566 or [::1]:4566".to_owned()
    }

    fn parse(&self, text: &str, _: &Path) -> Option<SocketAddr> {
        text.parse().ok()
    }

    fn show(&self, value: &SocketAddr) -> String {
        quoted(&value.to_string())
    }
}

/// The path of a file, a directory or a socket.
pub(super) struct File;

impl Kind for File {
    type Value = PathBuf;

    fn expected(&self) -> String {
        "a path".to_owned()
    }

    fn parse(&self, text: &str, directory: &Path) -> Option<PathBuf> {
        let plain = !text.is_empty() && !text.contains('\0');
        plain.then(|| directory.join(text))
    }

    fn show(&self, value: &PathBuf) -> String {
        quoted(&value.to_string_lossy())
    }
}

/// One of a few words, each of which stands for a value.
pub(super) struct Choice<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Copy + PartialEq> Kind for Choice<T> {
    type Value = T;

    fn expected(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|(word, _)| quoted(word)).collect();
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.concat(),
        }
    }

    fn parse(&self, text: &str, _: &Path) -> Option<T> {
        self.0.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }

    fn show(&self, value: &T) -> String {
        let word = self.0.iter().find(|(_, known)| known == value);
        quoted(word.map_or("", |(word, _)| word))
    }
}

/// A text with a syntax of its own, which its reader knows.
pub(super) struct Text<T> {
    /// What it must be.
    pub(super) expected: &'static str,
    /// The value that a text stands for.
    pub(super) parse: fn(&str, &Path) -> Option<T>,
    /// The text of a value.
    pub(super) show: fn(&T) -> String,
}

impl<T> Kind for Text<T> {
    type Value = T;

    fn expected(&self) -> String {
        self.expected.to_owned()
    }

    fn parse(&self, text: &str, directory: &Path) -> Option<T> {
        (self.parse)(text, directory)
    }

    fn show(&self, value: &T) -> String {
        quoted(&(self.show)(value))
    }
}

/// A value or none, which is written as an empty text.
pub(super) struct Optional<K>(pub(super) K);

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;

    fn expected(&self) -> String {
        format!("{}, or \"\" for none", self.0.expected())
    }

    fn parse(&self, text: &str, directory: &Path) -> Option<Self::Value> {
        match text {
            "" => Some(None),
            text => self.0.parse(text, directory).map(Some),
        }
    }

    fn show(&self, value: &Self::Value) -> String {
        value.as_ref().map_or_else(|| quoted(""), |value| self.0.show(value))
    }

    fn read(&self, raw: &Raw, directory: &Path) -> Result<Self::Value, String> {
        if raw.text().is_some_and(str::is_empty) {
            return Ok(None);
        }
        let value = self.0.read(raw, directory);
        value.map(Some).map_err(|_| self.refusal(raw))
    }
}

/// Any number of values of a kind.
pub(super) struct List<K>(pub(super) K);

impl<K: Kind> Kind for List<K> {
    type Value = Vec<K::Value>;

    fn form(&self) -> Form {
        Form::Many
    }

    fn expected(&self) -> String {
        format!("an array of texts, each of which is {}", self.0.expected())
    }

    /// Words with commas between them.
    fn parse(&self, text: &str, directory: &Path) -> Option<Self::Value> {
        self.read(&Raw::Word(text.to_owned()), directory).ok()
    }

    fn show(&self, value: &Self::Value) -> String {
        let values: Vec<_> = value.iter().map(|value| self.0.show(value)).collect();
        format!("[{}]", values.join(", "))
    }

    fn read(&self, raw: &Raw, directory: &Path) -> Result<Self::Value, String> {
        let texts = raw.texts().ok_or_else(|| self.refusal(raw))?;
        if texts.len() > LIST_MAX {
            return Err(format!("has more than {LIST_MAX} values"));
        }
        texts.into_iter().map(|text| self.one(text, directory)).collect()
    }
}

impl<K: Kind> List<K> {
    fn one(&self, text: &str, directory: &Path) -> Result<K::Value, String> {
        let value = if text.len() <= TEXT_MAX { self.0.parse(text, directory) } else { None };
        value.ok_or_else(|| format!("has {}, which must be {}", quoted(text), self.0.expected()))
    }
}

/// Whether only programs on this machine reach an address.
pub(super) fn is_loopback(address: SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
    }
}
