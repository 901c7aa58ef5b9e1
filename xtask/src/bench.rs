//! Builds the server and the load generator in release and runs the measurement. It must not know
//! what is measured: that is the crate `benches`.

use crate::{Outcome, process, profile, project};

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
    /// Passed on to the measurement; `-- --help` lists what it takes.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.instructions {
        return profile::instructions(arguments.bless, &arguments.rest);
    }
    if arguments.stages {
        return profile::stages(&arguments.rest);
    }
    let mut cargo = project::cargo();
    process::run(cargo.args(["build", "--release", "--package", "strongroom", "-p", "benches"]))?;
    let release = project::target_directory().join("release");
    let mut benches = process::command(release.join("benches"));
    process::run(benches.arg("run").arg(release.join("strongroom")).args(&arguments.rest))
}
