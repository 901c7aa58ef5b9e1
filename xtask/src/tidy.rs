//! The house rules that neither rustfmt nor clippy checks: sizes, names, module docs, reasons for
//! dependencies, links, and the drawing of the crates. It owns the walk and the report; each file
//! under `tidy/` owns some rules and must not know the others.

mod exceptions;
mod file;
mod functions;
mod graph;
mod links;
mod manifests;
mod names;
mod rust;
mod split;

use std::fmt;
use std::fs;
use std::path::Path;

use file::Language;

use crate::{Outcome, process, project};

/// One breach of one rule at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    path: String,
    /// Counted from 1.
    line: usize,
    /// The name by which `exceptions.txt` refers to the rule.
    rule: &'static str,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} [{}]", self.path, self.line, self.what, self.rule)
    }
}

/// Checks every file that git tracks or would track, prints all violations, fails if there are any.
pub(crate) fn run() -> Outcome {
    let root = project::root();
    let paths = listed_files()?;
    let mut found = Vec::new();
    for path in &paths {
        found.extend(names::check_path(path));
        found.extend(check_contents(&root, path)?);
    }
    found.extend(graph::check(&root)?);
    let table = fs::read_to_string(root.join(exceptions::TABLE)).unwrap_or_default();
    let remaining = exceptions::apply(&table, found);
    for violation in &remaining {
        println!("{violation}");
    }
    match remaining.len() {
        0 => {
            println!("tidy: {} files are in order", paths.len());
            Ok(())
        }
        count => Err(format!("tidy: {count} violations")),
    }
}

/// Paths relative to the root, with `/`, of all files that git doesn't ignore.
fn listed_files() -> Outcome<Vec<String>> {
    let mut git = process::command("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let output = process::output(&mut git)?;
    let mut paths: Vec<String> =
        output.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

fn check_contents(root: &Path, path: &str) -> Outcome<Vec<Violation>> {
    let full = root.join(path);
    // A tracked file may be deleted in the working copy, and a link's target is checked by itself.
    if !full.symlink_metadata().is_ok_and(|data| data.is_file()) {
        return Ok(Vec::new());
    }
    let bytes = fs::read(&full).map_err(|error| format!("{path}: {error}"))?;
    let Some(language) = Language::of(path, &bytes) else { return Ok(Vec::new()) };
    let Ok(text) = String::from_utf8(bytes) else {
        let what = "the text is not UTF-8".to_owned();
        return Ok(vec![Violation { path: path.to_owned(), line: 1, rule: "utf-8", what }]);
    };
    let mut found = file::check(path, language, &text);
    match language {
        Language::Rust => found.extend(rust::check(path, &text)),
        Language::Markdown => found.extend(links::check(root, path, &text)),
        Language::Toml if path.ends_with("Cargo.toml") => {
            found.extend(manifests::check(path, &text));
        }
        Language::Python | Language::JavaScript => found.extend(names::check_types(path, &text)),
        Language::Shell | Language::Toml => {}
    }
    Ok(found)
}
