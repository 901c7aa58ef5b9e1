//! `cargo xtask bench`: which measurement is asked for. It must not know how any of them is made.

mod peers;
mod profile;
mod rates;

use std::path::PathBuf;
use std::process::Command;

use crate::{Outcome, process, project};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Count the instructions of single requests instead, and compare with the committed figures.
    #[arg(long, conflicts_with = "stages")]
    instructions: bool,
    /// Write what is counted into the committed figures.
    #[arg(long, requires = "instructions")]
    bless: bool,
    /// Tell what a request's CPU time goes to instead, stage by stage.
    #[arg(long)]
    stages: bool,
    #[command(flatten)]
    rates: rates::Options,
    /// Passed on to the measurement as it is.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Builds both programs by that profile: the load generator as a command, and the server.
pub(crate) fn programs(profile: &str) -> Outcome<(Command, PathBuf)> {
    // One after the other, so that the server has the features that it has when it is shipped.
    for package in ["strongroom", "benches"] {
        let mut cargo = project::cargo();
        process::run(cargo.args(["build", "--profile", profile, "--package", package]))?;
    }
    let folder = project::target_directory().join(profile);
    Ok((process::command(folder.join("benches")), folder.join("strongroom")))
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.instructions {
        return profile::instructions(arguments.bless, &arguments.rest);
    }
    if arguments.stages {
        return profile::stages(&arguments.rest);
    }
    rates::run(&arguments.rates, &arguments.rest)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        _arguments: Arguments,
    }

    #[test]
    fn flags_of_all_measurements_go_together() {
        Line::command().debug_assert();
    }
}
