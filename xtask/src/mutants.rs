//! Changes the policy engine in every way that cargo-mutants knows, one change at a time, and runs
//! the crate's tests against each: a change that no test notices is a decision that no test shows.
//! It owns which crate is changed and by which version of cargo-mutants. It must not know which
//! changes are left out; that is `.cargo/mutants.toml`.

use std::fs;

use crate::{Outcome, process, project};

/// The version whose list of changes `.cargo/mutants.toml` speaks of.
const VERSION: &str = "27.1.0";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Passed on to cargo-mutants: `-- --list`, `-- --jobs 4`, `-- --re decide`.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let found = if process::exists("cargo-mutants") {
        process::output(process::command("cargo-mutants").args(["mutants", "--version"]))?
    } else {
        String::new()
    };
    check_version(found.trim())?;
    let directory = project::target_directory().join("mutants");
    fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut cargo = project::cargo();
    cargo.args(["mutants", "--package", "policy", "--output"]).arg(directory);
    // Each job builds a copy of the tree, in a target directory of the copy's own.
    cargo.args(&arguments.rest).args(["--", "--lib", "--tests"]).env_remove("CARGO_TARGET_DIR");
    process::run(&mut cargo)
}

/// Nothing is installed unasked: it takes minutes, and stays on the machine.
fn check_version(found: &str) -> Outcome {
    if found == format!("cargo-mutants {VERSION}") {
        return Ok(());
    }
    let found = if found.is_empty() { "there is none".to_owned() } else { format!("not {found}") };
    Err(format!(
        "cargo-mutants {VERSION} is needed, and {found}: \
         `cargo install cargo-mutants --version {VERSION} --locked` installs it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_refused_with_what_to_do() {
        assert_eq!(check_version("cargo-mutants 27.1.0"), Ok(()));
        for (found, word) in [("", "there is none"), ("cargo-mutants 1.0.0", "not cargo-mutants 1")]
        {
            let error = check_version(found).expect_err("it isn't the version");
            assert!(error.contains(word), "{error}");
            assert!(error.contains("cargo install cargo-mutants --version 27.1.0 --locked"));
        }
    }
}
