//! Licences, bans and sources of all dependencies, by cargo-deny and deny.toml. It owns which
//! version of cargo-deny is used and where it is installed. It must not know the rules themselves.

use std::path::PathBuf;

use crate::{Outcome, process, project};

/// The version that deny.toml is written for.
const VERSION: &str = "0.20.2";

#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Check the advisory database too. It is fetched from the network, so CI leaves it out.
    #[arg(long)]
    advisories: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut checks = vec!["licenses", "bans", "sources"];
    if arguments.advisories {
        checks.push("advisories");
    }
    let mut deny = process::command(installed()?);
    deny.args(["--workspace", "--all-features", "check"]);
    deny.args(["--hide-inclusion-graph", "--show-stats"]);
    process::run(deny.args(checks))
}

/// The pinned cargo-deny in the target directory, installed there if it's missing.
fn installed() -> Outcome<PathBuf> {
    let directory = project::target_directory().join(format!("tools/cargo-deny-{VERSION}"));
    let program = directory.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    println!("installing cargo-deny {VERSION} into {}", directory.display());
    let mut cargo = project::cargo();
    // Without optimization it compiles in half the time, and the check still takes seconds.
    cargo.args(["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--root"]);
    cargo.arg(&directory).env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo.env("CARGO_TARGET_DIR", project::target_directory().join("tools/build"));
    process::run(&mut cargo)?;
    // Hundreds of megabytes that only another version could use.
    std::fs::remove_dir_all(project::target_directory().join("tools/build"))
        .map_err(|error| format!("the build directory of cargo-deny can't be removed: {error}"))?;
    Ok(program)
}
