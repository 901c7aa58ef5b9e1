//! The configuration file: reading it within limits, and the place of every value in it.
//!
//! It finds settings by their names, and says of names that are none what was probably meant. What
//! a value must be it must not know.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Origin, suggestion};
use super::raw::Raw;
use super::setting::Setting;
use super::table::SECTIONS;

/// How long the file may be, in bytes.
const FILE_MAX: u64 = 1 << 20;
/// How many faults of one file are told: who has so many knows what to do.
const FAULTS_MAX: usize = 100;
/// The permissions by which others than the owner may write.
const OTHERS_WRITE: u32 = 0o022;

/// A value that was found.
pub(super) struct Found {
    pub(super) setting: &'static Setting,
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

/// What a source has.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) found: Vec<Found>,
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
}

/// Reads the file.
///
/// # Errors
/// It can't be read, is too long, or no UTF-8.
pub(super) fn read(path: &Path) -> io::Result<Findings> {
    // Asked before it is opened: opening a pipe waits until somebody writes to it.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let file = File::open(path)?;
    let mut text = String::new();
    file.take(FILE_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 1 MiB"));
    }
    let mut findings = parse(&text, path);
    if metadata.mode() & OTHERS_WRITE != 0 {
        let what = format!(
            "others than its owner may write this file (mode {:03o}); take that away by \
             chmod go-w",
            metadata.mode() & 0o777
        );
        findings.warnings.push(Fault { origin: Origin::File(Arc::new(path.to_owned()), 1), what });
    }
    Ok(findings)
}

/// Finds the settings in a file's text.
pub(super) fn parse(text: &str, path: &Path) -> Findings {
    let lines = text.match_indices('\n').map(|(at, _)| at).collect();
    let path = Arc::new(path.to_owned());
    let mut reading = Reading { lines, path, findings: Findings::default() };
    let (table, errors) = DeTable::parse_recoverable(text);
    // What was made of a file with errors of syntax isn't what its writer meant.
    if errors.is_empty() {
        reading.section("", table.get_ref());
    }
    for error in errors {
        let start = error.span().map_or(0, |span| span.start);
        reading.fault(start, error.message().trim().to_owned());
    }
    reading.findings
}

struct Reading {
    /// Where each line ends.
    lines: Vec<usize>,
    path: Arc<PathBuf>,
    findings: Findings,
}

impl Reading {
    fn section(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let (name, start) = (key.get_ref().as_ref(), key.span().start);
            let nested = match section {
                "" => name.to_owned(),
                section => format!("{section}.{name}"),
            };
            if is_section(&nested) {
                match value.get_ref() {
                    DeValue::Table(table) => self.section(&nested, table),
                    _ => self.fault(start, format!("[{nested}] is a section, not a setting")),
                }
            } else if let Some(setting) = Setting::find(section, name) {
                let raw = raw(value);
                let origin = self.origin(value.span().start);
                self.findings.found.push(Found { setting, raw, origin });
            } else {
                self.fault(start, unknown(section, name, &nested, value.get_ref().is_table()));
            }
        }
    }

    fn origin(&self, start: usize) -> Origin {
        let line = self.lines.partition_point(|end| *end < start) + 1;
        Origin::File(Arc::clone(&self.path), line)
    }

    fn fault(&mut self, start: usize, what: String) {
        if self.findings.faults.len() >= FAULTS_MAX {
            return;
        }
        let origin = self.origin(start);
        self.findings.faults.push(Fault { origin, what });
    }
}

fn is_section(name: &str) -> bool {
    let inside = |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    SECTIONS.iter().any(|known| !name.is_empty() && (known.name == name || inside(known.name)))
}

/// Of a name that is none: where such a setting is, or what was probably meant.
fn unknown(section: &str, name: &str, nested: &str, is_table: bool) -> String {
    if is_table {
        let known = SECTIONS.iter().filter(|known| !known.name.is_empty());
        let near =
            suggestion(&format!("[{nested}]"), known.map(|known| format!("[{}]", known.name)));
        return format!("there is no section [{nested}]{near}");
    }
    let place = match section {
        "" => "above all sections".to_owned(),
        section => format!("in [{section}]"),
    };
    let here = Setting::all().iter().filter(|known| known.section == section);
    let mut near = suggestion(name, here.map(|known| known.name.to_owned()));
    if near.is_empty() {
        let elsewhere = Setting::all().iter().find(|known| known.name == name);
        near = elsewhere.map_or_else(String::new, |known| match known.section {
            "" => format!("; {name} stands above all sections"),
            section => format!("; there is one in [{section}]"),
        });
    }
    format!("there is no setting {name} {place}{near}")
}

fn raw(value: &Spanned<DeValue<'_>>) -> Raw {
    match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.as_ref().to_owned()),
        DeValue::Boolean(switch) => Raw::Switch(*switch),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number that is too large"), Raw::Number),
        DeValue::Array(values) => {
            let texts = values.iter().map(|value| value.get_ref().as_str().map(str::to_owned));
            let texts: Option<Vec<_>> = texts.collect();
            texts.map_or(Raw::Other("an array of other values than texts"), Raw::List)
        }
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date or time"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}
