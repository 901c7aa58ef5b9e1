//! Where a value came from, and what is wrong with one.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// How near a name must be to one that exists for it to be proposed (Jaro and Winkler's measure).
const NEAR: f64 = 0.8;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// A line of the file, counted from 1.
    File(Arc<PathBuf>, usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl Origin {
    /// The line of the file, if it is one.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::File(_, line) => Some(*line),
            _ => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => write!(f, "--{flag}"),
        }
    }
}

/// Something that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub origin: Origin,
    /// What, and what would be right.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.what)
    }
}

/// All that is wrong with the configuration: one thing at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// The nearest of the names that exist to one that doesn't, as the end of a sentence.
pub(super) fn suggestion(unknown: &str, known: impl Iterator<Item = String>) -> String {
    match nearest(unknown, known) {
        Some(name) => format!("; did you mean {name}?"),
        None => String::new(),
    }
}

/// The nearest of the names that exist to one that doesn't, if one is near.
pub(super) fn nearest(unknown: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let scored = known.map(|name| (strsim::jaro_winkler(unknown, &name), name));
    let near = scored.filter(|(score, _)| *score >= NEAR);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}
