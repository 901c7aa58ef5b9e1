//! A value before it is known what it must be.
//!
//! Must not know which setting a value is for, nor where it was found.

use std::fmt::Write as _;

/// How much of a value that can't be taken an error shows, in characters.
const SHOWN_MAX: usize = 80;

/// A value as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// A string of the file.
    Text(String),
    /// An integer of the file.
    Number(i128),
    /// A Boolean of the file.
    Switch(bool),
    /// An array of strings of the file.
    List(Vec<String>),
    /// Something else of the file: what TOML calls it.
    Other(&'static str),
    /// A variable's value.
    Word(String),
    /// The values of a flag, which may be given several times.
    Words(Vec<String>),
}

impl Raw {
    /// The text of a single value.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Word(text) => Some(text),
            Self::Words(words) => match words.as_slice() {
                [word] => Some(word),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value as an error shows it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Word(text) => abridged(text),
            Self::Number(number) => number.to_string(),
            Self::Switch(switch) => switch.to_string(),
            Self::List(_) => "an array".to_owned(),
            Self::Other(what) => (*what).to_owned(),
            Self::Words(words) => match words.as_slice() {
                [word] => abridged(word),
                words => format!("{} values", words.len()),
            },
        }
    }

    /// The texts of a list: an array of the file, or words with commas between them.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        fn split(words: &str) -> impl Iterator<Item = &str> {
            words.split(',').map(str::trim).filter(|word| !word.is_empty())
        }
        match self {
            Self::List(texts) => Some(texts.iter().map(String::as_str).collect()),
            Self::Word(word) => Some(split(word).collect()),
            Self::Words(words) => Some(words.iter().flat_map(|word| split(word)).collect()),
            _ => None,
        }
    }
}

/// A text as the file would have it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a text can't fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A text of which no more is shown than a reader needs.
fn abridged(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{} and more", quoted(&text[..end])),
        None => quoted(text),
    }
}
