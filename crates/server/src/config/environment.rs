//! The environment's variables that set something. Must not know what a value must be.

use std::ffi::{OsStr, OsString};

use super::fault::{Fault, Origin, nearest};
use super::file::{Findings, Found};
use super::raw::Raw;
use super::setting::{Setting, VARIABLE_PREFIX};
use super::table::SECTIONS;

/// Variables that begin as settings do and are none.
const OTHERS: [&str; 2] = ["STRONGROOM_CONFIG", "STRONGROOM_BIN"];

/// Finds the settings among the variables.
pub(super) fn find(variables: &[(OsString, OsString)]) -> Findings {
    let mut findings = Findings::default();
    let named = variables.iter().filter_map(|(name, value)| Some((name.to_str()?, value)));
    for (name, value) in named.filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)) {
        if let Some(setting) = Setting::all().iter().find(|known| known.variable() == name) {
            take(&mut findings, setting, name, value);
        } else if let Some(what) = unknown(name) {
            findings.faults.push(Fault { origin: Origin::Variable(name.to_owned()), what });
        }
    }
    findings
}

fn take(findings: &mut Findings, setting: &'static Setting, name: &str, value: &OsStr) {
    let origin = Origin::Variable(name.to_owned());
    let Some(text) = value.to_str() else {
        findings.faults.push(Fault { origin, what: "must be UTF-8".to_owned() });
        return;
    };
    findings.found.push(Found { setting, raw: Raw::Word(text.to_owned()), origin });
}

/// Of a variable that sets nothing: what to say, if it was meant to set something.
fn unknown(name: &str) -> Option<String> {
    if OTHERS.contains(&name) || is_link(name) {
        return None;
    }
    let variables = Setting::all().iter().map(Setting::variable);
    if let Some(near) = nearest(name, variables) {
        return Some(format!("there is no such setting; did you mean {near}?"));
    }
    let sections = SECTIONS.iter().filter(|known| !known.name.is_empty());
    let mut prefixes = sections
        .map(|known| format!("{VARIABLE_PREFIX}{}_", known.name.replace('.', "_").to_uppercase()));
    prefixes.any(|prefix| name.starts_with(&prefix)).then(|| "there is no such setting".to_owned())
}

/// Whether it is one of the variables that container engines set for every service there is, such
/// as `STRONGROOM_PORT_4566_TCP_ADDR` for one that is called `strongroom`.
fn is_link(name: &str) -> bool {
    let after = |mark: &str| name.split_once(mark).map(|(_, rest)| rest);
    name.ends_with("_SERVICE_HOST")
        || after("_SERVICE_PORT").is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        || after("_PORT").is_some_and(|rest| {
            rest.is_empty()
                || rest.trim_start_matches('_').starts_with(|c: char| c.is_ascii_digit())
        })
}
